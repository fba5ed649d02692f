/** The room's own keys: one action for each, unless somebody types, a dialog is open or a modifier is held. */

import { typing } from "../scene/input";

/** Runs the action of a key, if it has one. Letters are named in lower case. */
export function runKey(event: KeyboardEvent, actions: Readonly<Record<string, () => void>>): void {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}
