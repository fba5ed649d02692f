/** What happened to a scene, in words: commits for the history, notices and undo for toasts. Pure. */

import type { Notice, Reverted } from "../sync/types";
import { plural } from "../ui/format";
import type { Operation } from "../wire/generated";
import { beginningOf, nameOf } from "./kinds";
import type { View } from "./tree";

const PROPERTIES: Record<string, string> = {
  position: "place",
  rotation: "rotation",
  scale: "size",
  color: "colour",
  text: "text",
  name: "name",
  intensity: "brightness",
  type: "kind",
};

/** What a register is called: "the colour", "whether it is there". */
export function registerWords(register: readonly string[]): string {
  const [first = ""] = register;
  if (first === "@place") return "the place in the tree";
  if (first.startsWith("@")) return "whether it is there";
  return `the ${PROPERTIES[first] ?? first}`;
}

/** What an entity is called, be it gone or unknown. */
export function titleOf(view: View, id: string): string {
  const entity = view.get(id);
  return entity ? nameOf(entity) : "something";
}

/** What a transaction did: "added Box", "moved 3 objects", "changed the colour of Lamp". */
export function commitWords(operations: readonly Operation[], view: View): string {
  const parts: string[] = [];
  const byDeed = new Map<string, Set<string>>();
  for (const operation of operations) {
    const deed = deedOf(operation, operations);
    if (deed === null) continue;
    const ids = byDeed.get(deed) ?? new Set();
    byDeed.set(deed, ids.add(operation.id));
  }
  for (const [deed, ids] of byDeed) {
    const [first = ""] = ids;
    const what =
      ids.size === 1 ? (createdName(operations, first) ?? titleOf(view, first)) : plural(ids.size, "object");
    parts.push(`${deed} ${what}`);
  }
  if (parts.length === 0) return "changed nothing";
  return parts.length > 2 ? `${parts.slice(0, 2).join(", ")} and more` : parts.join(" and ");
}

function deedOf(operation: Operation, beside: readonly Operation[]): string | null {
  const created = beside.some(({ op, id }) => op === "create" && id === operation.id);
  switch (operation.op) {
    case "create":
      return "added";
    case "delete":
      return "deleted";
    case "restore":
      return "restored";
    case "move":
      return created ? null : "rearranged";
    case "text":
      return created ? null : "wrote in";
    case "add":
    case "set": {
      const moved = beside.some(({ op, id }) => op === "move" && id === operation.id);
      const [key = ""] = operation.path;
      if (created || (moved && ["position", "rotation", "scale"].includes(key))) return null;
      if (key === "position") return "moved";
      if (key === "rotation") return "turned";
      if (key === "scale") return "scaled";
      if (key === "name") return "renamed";
      return `changed the ${PROPERTIES[key] ?? key} of`;
    }
    default:
      return operation satisfies never;
  }
}

function createdName(operations: readonly Operation[], id: string): string | null {
  const made = operations.find((operation) => operation.op === "create" && operation.id === id);
  if (made?.op !== "create") return null;
  const { name, type } = made.props ?? {};
  if (typeof name === "string" && name) return name;
  return typeof type === "string" ? (beginningOf(type)?.title ?? type) : null;
}

/** What an undo or a redo has to say; null where it simply did it. */
export function revertedWords(reverted: Reverted, view: View, again: boolean): string | null {
  const { done, skipped } = reverted;
  if (skipped.length === 0) return null;
  const [first] = skipped;
  const what = first ? `${registerWords(first.register)} of ${titleOf(view, first.entity)}` : "a part";
  const more = skipped.length > 1 ? ` and ${plural(skipped.length - 1, "other change")}` : "";
  const verb = again ? "redone" : "undone";
  return done
    ? `${again ? "Redone" : "Undone"}, except ${what}${more}: somebody has changed it since.`
    : `Not ${verb}: somebody has changed ${what}${more} since.`;
}

/** Why something was not saved; of a locked thing, who has locked it. */
export function rejectedWords(
  { code, message }: Extract<Notice, { kind: "rejected" }>,
  view: View,
  locked: string | null,
  who: string | null,
): string {
  if (code !== "lock.held" || locked === null || who === null) return `Not saved: ${message}`;
  return `Not saved: ${who} has locked ${titleOf(view, locked)}.`;
}

/** Who overrode what. */
export function overriddenWords(
  notice: Extract<Notice, { kind: "overridden" }>,
  view: View,
  who: string,
): string {
  return `${who} changed ${registerWords(notice.register)} of ${titleOf(view, notice.entity)} after you.`;
}
