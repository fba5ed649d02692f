/** The keys, as a dialog. */

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
  [",", "Preferences"],
  ["Esc", "Close, or let go of a selection"],
  ["?", "These keys"],
];

export function openShortcuts(): void {
  openDialog(
    "Keys and hands",
    () => [
      h(
        "dl",
        { class: "keys" },
        ...KEYS.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]),
      ),
    ],
    "shortcuts",
  );
}
