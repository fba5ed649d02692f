/** The keys, as a dialog. */

import { SHORTCUTS } from "../edit/shortcuts";
import { openDialog } from "./dialog";
import { h } from "./dom";

const KEYS: readonly (readonly [string, string])[] = [
  ["W A S D", "Walk"],
  ["↑ ↓", "Walk, while the room has the focus"],
  ["← → or Q E", "Turn"],
  ["Shift", "Run"],
  ["Drag", "Look around"],
  ["Wheel or pinch", "Nearer, further; all the way in to walk"],
  ["V", "Walk or orbit"],
  ["Move the mouse", "Point: the others see your cursor"],
  ["Click or F", "Select what you point at, or look at"],
  ["P", "People"],
  ["I", "Invite"],
  ["C", "How you are connected"],
  [",", "Preferences"],
  ["Esc", "Close, or let go of a selection"],
  ["?", "These keys"],
];

const VOICE: readonly (readonly [string, string])[] = [
  ["J", "Join voice"],
  ["M", "Mute or unmute yourself"],
  ["B", "Hold to speak, where you talk by holding; the space bar too, while the room has the focus"],
  ["U", "Raise or lower your hand"],
  ["K", "Who is in voice"],
];

const EDITING: readonly (readonly [string, string])[] = [
  ...SHORTCUTS.map(({ shown, text }) => [shown, text] as const),
  ["Shift click", "Select one more, or one less"],
  ["Alt ↑ ↓", "In the list of objects: one place up or down"],
];

function list(keys: readonly (readonly [string, string])[]): HTMLElement {
  return h(
    "dl",
    { class: "keys" },
    ...keys.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]),
  );
}

/** Shows them. */
export function openShortcuts(): void {
  openDialog(
    "Keys and hands",
    () => [
      h(
        "div",
        { class: "keys-columns" },
        h("section", {}, list(KEYS)),
        h("section", {}, h("h3", {}, "Voice"), list(VOICE)),
        h("section", {}, h("h3", {}, "Editing"), list(EDITING)),
      ),
    ],
    "shortcuts",
  );
}
