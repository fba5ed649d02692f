/**
 * Applying operations to a state. What cannot take effect is skipped with a reason, and so by everybody alike.
 * The mirror of chalicelib/ot/apply.py.
 */

import {
  type AddOperation,
  type CreateOperation,
  LIMITS,
  type MoveOperation,
  type Operation,
  type TextOperation,
} from "../wire/generated";
import {
  blocked,
  type Entities,
  type Entity,
  type Json,
  type JsonObject,
  NEW,
  valueAt,
  withoutValue,
  withValue,
} from "./state";
import { applyEdit } from "./text";

export type Skip = "exists" | "unknown" | "cycle" | "not_integer" | "out_of_range" | "not_text" | "blocked";

/** Puts one operation into effect, in place. Entities themselves are replaced, never changed. */
export function apply(entities: Entities, operation: Operation): Skip | null {
  const entity = entities.get(operation.id);
  if (operation.op === "create") return create(entities, entity, operation);
  if (!entity) return "unknown";
  const changed = after(entities, entity, operation);
  if (typeof changed === "string") return changed;
  entities.set(operation.id, changed);
  return null;
}

/** Puts a transaction into effect. Returns what was skipped, by its place in the transaction. */
export function applyAll(entities: Entities, operations: readonly Operation[]): Map<number, Skip> {
  const skipped = new Map<number, Skip>();
  operations.forEach((operation, index) => {
    const reason = apply(entities, operation);
    if (reason !== null) skipped.set(index, reason);
  });
  return skipped;
}

function create(entities: Entities, there: Entity | undefined, operation: CreateOperation): Skip | null {
  if (there) return "exists";
  const parent = operation.parent ?? null;
  if (parent !== null && !entities.has(parent)) return "unknown";
  const props = (operation.props ?? {}) as JsonObject;
  entities.set(operation.id, { alive: true, parent, order: operation.order ?? NEW.order, props });
  return null;
}

function after(
  entities: Entities,
  entity: Entity,
  operation: Exclude<Operation, CreateOperation>,
): Entity | Skip {
  switch (operation.op) {
    case "set": {
      const { path } = operation;
      if (operation.absent) return { ...entity, props: withoutValue(entity.props, path) };
      return { ...entity, props: withValue(entity.props, path, operation.value as Json) };
    }
    case "add":
      return added(entity, operation);
    case "text":
      return edited(entity, operation);
    case "move":
      return moved(entities, entity, operation);
    case "delete":
      return { ...entity, alive: false };
    case "restore":
      return { ...entity, alive: true };
    default:
      return operation satisfies never;
  }
}

function moved(entities: Entities, entity: Entity, operation: MoveOperation): Entity | Skip {
  const parent = operation.parent ?? null;
  if (parent !== null && !entities.has(parent)) return "unknown";
  for (let above: string | null = parent; above !== null; above = entities.get(above)?.parent ?? null) {
    if (above === operation.id) return "cycle";
  }
  return { ...entity, parent, order: operation.order };
}

function added(entity: Entity, { path, by }: AddOperation): Entity | Skip {
  if (blocked(entity.props, path)) return "blocked";
  const old = valueAt(entity.props, path) ?? 0;
  if (typeof old !== "number" || !Number.isInteger(old)) return "not_integer";
  const now = old + by;
  if (Math.abs(now) > LIMITS.INTEGER_MAX) return "out_of_range";
  return { ...entity, props: withValue(entity.props, path, now) };
}

function edited(entity: Entity, { path, edit }: TextOperation): Entity | Skip {
  if (blocked(entity.props, path)) return "blocked";
  const old = valueAt(entity.props, path) ?? "";
  if (typeof old !== "string") return "not_text";
  return { ...entity, props: withValue(entity.props, path, applyEdit(old, edit)) };
}
