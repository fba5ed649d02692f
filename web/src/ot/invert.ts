/**
 * Inverting: the transaction that takes another back, for undo; guarded by the revision that it undoes.
 * The mirror of chalicelib/ot/invert.py.
 */

import type { Operation, SetOperation } from "../wire/generated";
import { apply } from "./apply";
import { type Entity, isObject, valueAt } from "./state";
import { invertEdit } from "./text";

/** What takes `operations` back, where `before` is the state that they were applied to; skipped ones need nothing. */
export function invert(
  operations: readonly Operation[],
  before: ReadonlyMap<string, Entity>,
  guard: number | null = null,
): Operation[] {
  const entities = new Map(before);
  const inverse: Operation[] = [];
  for (const operation of operations) {
    const entity = entities.get(operation.id);
    if (apply(entities, operation) !== null) continue;
    const found = inverseOf(operation, entity, guard === null ? {} : { guard });
    if (found) inverse.push(found);
  }
  return inverse.reverse();
}

type Guard = { guard?: number };

function inverseOf(operation: Operation, entity: Entity | undefined, guard: Guard): Operation | null {
  const { id } = operation;
  if (operation.op === "create") return { op: "delete", id, ...guard };
  if (!entity) return null;
  switch (operation.op) {
    case "set":
      return putBack(operation, entity, guard);
    case "move":
      return { op: "move", id, parent: entity.parent, order: entity.order, ...guard };
    case "text": {
      const edit = invertEdit(operation.edit, String(valueAt(entity.props, operation.path) ?? ""));
      return edit.length > 0 ? { op: "text", id, path: operation.path, edit } : null;
    }
    case "add":
      return { op: "add", id, path: operation.path, by: operation.by === 0 ? 0 : -operation.by };
    case "delete":
      return entity.alive ? { op: "restore", id, ...guard } : null;
    case "restore":
      return entity.alive ? null : { op: "delete", id, ...guard };
    default:
      return operation satisfies never;
  }
}

/** The highest value that the set replaced: an object that it made on its way goes, a value in its way comes back. */
function putBack({ id, path }: SetOperation, entity: Entity, guard: Guard): SetOperation {
  let at = path;
  for (let length = 1; length < path.length; length += 1) {
    if (!isObject(valueAt(entity.props, path.slice(0, length)))) {
      at = path.slice(0, length);
      break;
    }
  }
  const old = valueAt(entity.props, at);
  return old === null
    ? { op: "set", id, path: at, absent: true, ...guard }
    : { op: "set", id, path: at, value: old, ...guard };
}
