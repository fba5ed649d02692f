/** Push to talk by key: B anywhere, or the space bar while the room has the focus. Letting go, or losing the window, ends it. */

import { typing } from "../scene/input";
import type { RoomVoice } from "../voice/types";

/** Whether a key that is pressed is the one to talk with. Pure but for the element that it was pressed on. */
export function talkKey(code: string, inRoom: boolean): boolean {
  return code === "KeyB" || (code === "Space" && inRoom);
}

/** The key went down, which counts where one talks so, or up, which always does: whatever is otherwise by then, who holds nothing is not held to talk. */
export function holdTo(voice: Pick<RoomVoice, "view" | "hold">, held: boolean): void {
  const { status, settings } = voice.view;
  if (!held || (status.kind === "joined" && settings.talking.mode === "push")) voice.hold(held);
}

/** Listens until `signal` ends. `room` is what has the focus while one walks. */
export function holdByKey(room: HTMLElement, hold: (held: boolean) => void, signal: AbortSignal): void {
  let down: string | null = null;
  const end = (): void => {
    if (down === null) return;
    down = null;
    hold(false);
  };
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      const inRoom = event.target === room || event.target === document.body;
      if (!talkKey(event.code, inRoom) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      if (event.repeat || down !== null) return;
      down = event.code;
      hold(true);
    },
    { signal },
  );
  window.addEventListener(
    "keyup",
    (event) => {
      if (event.code === down) end();
    },
    { signal },
  );
  window.addEventListener("blur", end, { signal });
  document.addEventListener("visibilitychange", end, { signal });
}
