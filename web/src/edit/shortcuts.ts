/** The keys of editing, as one table: what they do and what the help says. The room's own keys are elsewhere. */

/** What a key asks for. */
export type Command =
  | "translate"
  | "rotate"
  | "scale"
  | "snap"
  | "add"
  | "objects"
  | "history"
  | "properties"
  | "undo"
  | "redo"
  | "duplicate"
  | "group"
  | "delete"
  | "cancel";

/** A key as pressed; the parts of a KeyboardEvent that count. */
export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

interface Shortcut {
  readonly command: Command;
  /** As in `KeyboardEvent.key`, letters small; "ctrl+" also means the command key. */
  readonly keys: readonly string[];
  readonly shown: string;
  readonly text: string;
  /** Only while something is selected, so that the key is free otherwise. */
  readonly selected?: true;
}

/** Every key of editing. */
export const SHORTCUTS: readonly Shortcut[] = [
  { command: "add", keys: ["n"], shown: "N", text: "Add something" },
  { command: "translate", keys: ["g"], shown: "G", text: "Move what is selected", selected: true },
  { command: "rotate", keys: ["r"], shown: "R", text: "Turn it", selected: true },
  { command: "scale", keys: ["t"], shown: "T", text: "Scale it", selected: true },
  { command: "snap", keys: ["x"], shown: "X", text: "Snap to steps, or not", selected: true },
  { command: "duplicate", keys: ["ctrl+d"], shown: "Ctrl D", text: "Duplicate", selected: true },
  { command: "group", keys: ["ctrl+g"], shown: "Ctrl G", text: "Group", selected: true },
  { command: "delete", keys: ["delete", "backspace"], shown: "Delete", text: "Delete", selected: true },
  { command: "undo", keys: ["ctrl+z"], shown: "Ctrl Z", text: "Undo what you did" },
  { command: "redo", keys: ["ctrl+shift+z", "ctrl+y"], shown: "Ctrl Shift Z", text: "Redo" },
  { command: "objects", keys: ["o"], shown: "O", text: "All objects" },
  { command: "history", keys: ["h"], shown: "H", text: "History" },
  { command: "properties", keys: ["enter"], shown: "Enter", text: "Its properties", selected: true },
  { command: "cancel", keys: ["escape"], shown: "Esc", text: "Let go of a drag, or of a selection" },
];

/** What a key asks for, or null. */
export function commandOf(pressed: Pressed, selected: boolean): Command | null {
  if (pressed.altKey) return null;
  const ctrl = pressed.ctrlKey || pressed.metaKey ? "ctrl+" : "";
  const name = pressed.key.toLowerCase();
  const shift = pressed.shiftKey && ctrl ? "shift+" : "";
  const found = SHORTCUTS.find(({ keys }) => keys.includes(`${ctrl}${shift}${name}`));
  if (!found || (found.selected && !selected)) return null;
  return found.command;
}
