/** The room's own keys: one action for each, unless somebody types, a dialog is open or a modifier is held. */

import { typing } from "../scene/input";
import type { Panel } from "../ui/panel";
import { openShortcuts } from "../ui/shortcuts";
import type { VoiceUi } from "../ui/voice";
import type { World } from "./world";

/** What keys reach. */
export interface Hands {
  world(): World | null;
  panel: Panel;
  voice: VoiceUi;
  preferences(): void;
}

/** Every key of the room and what it does. */
export function keysOf({ world, panel, voice, preferences }: Hands): Readonly<Record<string, () => void>> {
  const away = (): void => {
    if (panel.open) panel.close();
    else if (!voice.close()) world()?.select(null);
  };
  return {
    "?": openShortcuts,
    v: () => world()?.toggleMode(),
    f: () => world()?.selectFocus(),
    p: () => panel.toggle("people"),
    i: () => panel.toggle("invite"),
    c: () => panel.toggle("network"),
    ",": preferences,
    Escape: away,
    ...voice.keys,
  };
}

/** Runs the action of a key, if it has one. Letters are named in lower case. */
export function runKey(event: KeyboardEvent, actions: Readonly<Record<string, () => void>>): void {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}
