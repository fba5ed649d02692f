/**
 * Composing: two transactions of one editor, made one after the other, as one. Only what was never sent is composed.
 * The mirror of chalicelib/ot/compose.py.
 */

import { type CreateOperation, LIMITS, type Operation } from "../wire/generated";
import { apply } from "./apply";
import { type Entity, type JsonObject, NEW } from "./state";
import { composeEdits } from "./text";
import { overlapping, registerOf } from "./transform";
import { fits, fitsEdit } from "./validate";

/** Both, one after the other, in normal form. */
export function compose(first: readonly Operation[], second: readonly Operation[]): Operation[] {
  const done = [...first];
  for (const operation of second) append(done, operation);
  return done;
}

function append(done: Operation[], added: Operation): void {
  for (let place = done.length - 1; place >= 0; place -= 1) {
    const old = done[place];
    if (!old || old.id !== added.id) continue;
    if (old.op !== "create") {
      const one = registerOf(old);
      const other = registerOf(added);
      if (!one || !other || !overlapping(one, other)) continue;
    }
    const merged = old.op === "create" ? intoCreation(old, added) : combined(old, added);
    if (!merged) break;
    done[place] = merged;
    return;
  }
  done.push(added);
}

const guarded = (operation: Operation): boolean => "guard" in operation && operation.guard != null;

/** What is left of two at one register, in the old one's place; null if both have to stay as they are. */
function combined(old: Operation, added: Operation): Operation | null {
  if (guarded(old) || guarded(added)) return null;
  if (added.op === "set" && (old.op === "set" || old.op === "add" || old.op === "text")) {
    const within = old.path.length >= added.path.length; // a value that is set deeper in it is another matter
    const leavesObjects = added.absent && added.path.length > 1; // those that the old one made on its way
    return within && !leavesObjects ? added : null;
  }
  if (!("path" in old) || !("path" in added) || old.path.length !== added.path.length) return null;
  if (old.op === "add" && added.op === "add") {
    const by = old.by + added.by;
    return Math.abs(by) <= LIMITS.INTEGER_MAX ? { ...added, by } : null;
  }
  if (old.op === "text" && added.op === "text") {
    const edit = composeEdits(old.edit, added.edit);
    return fitsEdit(edit) ? { ...added, edit } : null;
  }
  return null;
}

/** A creation that has the change in it already, where it takes effect at once. */
function intoCreation(created: CreateOperation, added: Operation): CreateOperation | null {
  if (added.op !== "set" && added.op !== "add" && added.op !== "text") return null;
  const props = (created.props ?? {}) as JsonObject;
  const entities = new Map<string, Entity>([[created.id, { ...NEW, props }]]);
  if (apply(entities, added) !== null) return null;
  const merged = entities.get(created.id)?.props ?? {};
  return fits(merged) ? { ...created, props: merged } : null;
}
