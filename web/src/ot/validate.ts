/**
 * What a transaction must keep to beyond its types. A valid value is normalised on the way: -0 is 0.
 * The mirror of chalicelib/ot/validate.py.
 */

import { LIMITS, type Operation, type Path, type SetOperation } from "../wire/generated";
import { canonical } from "./canonical";
import { isWellFormed, lengthOf } from "./points";
import type { Json, JsonObject } from "./state";
import { type Edit, normal, sameEdit } from "./text";

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** A transaction that nobody may commit. `index` is the operation's place. */
export class InvalidOperation extends Error {
  constructor(
    readonly index: number,
    readonly reason: string,
  ) {
    super(`operation ${index}: ${reason}`);
  }
}

class Bad extends Error {}

/** The transaction, normalised. Throws InvalidOperation. */
export function validate(operations: readonly Operation[], client: string): Operation[] {
  if (operations.length < 1 || operations.length > LIMITS.OPERATIONS_PER_TRANSACTION) {
    throw new InvalidOperation(0, `1 to ${LIMITS.OPERATIONS_PER_TRANSACTION} operations`);
  }
  return operations.map((operation, index) => {
    try {
      return valid(operation, client);
    } catch (thrown) {
      if (thrown instanceof Bad) throw new InvalidOperation(index, thrown.message);
      throw thrown;
    }
  });
}

function valid(operation: Operation, client: string): Operation {
  if ((operation.op === "create" || operation.op === "move") && operation.parent === operation.id) {
    throw new Bad("nothing is its own parent");
  }
  if (operation.op === "create") {
    if (!operation.id.startsWith(`${client}.`)) {
      throw new Bad("the id of a new entity begins with its client's");
    }
    return { ...operation, props: sized(object((operation.props ?? {}) as JsonObject, 1)) };
  }
  if ("path" in operation) keys(operation.path);
  if (operation.op === "set") return validSet(operation);
  if (operation.op === "text") {
    for (const step of operation.edit) if (typeof step === "string") text(step);
    if (!sameEdit(normal(operation.edit), operation.edit)) throw new Bad("the edit is not in normal form");
    if (operation.edit.length > LIMITS.TEXT_PARTS) throw new Bad(`more than ${LIMITS.TEXT_PARTS} parts`);
  }
  return operation;
}

function validSet(operation: SetOperation): SetOperation {
  const value = (operation.value ?? null) as Json;
  if (operation.absent) {
    if (value !== null) throw new Bad("absent, or a value");
    return operation;
  }
  if (value === null) throw new Bad("no property is null: take it away with absent");
  return { ...operation, value: sized(normalise(value)) };
}

/** Whether a creation with such properties is still valid; each of its values is. */
export function fits(props: JsonObject): boolean {
  try {
    sized(object(props, 1));
  } catch (thrown) {
    if (thrown instanceof Bad) return false;
    throw thrown;
  }
  return true;
}

/** Whether an edit may cross the wire: neither empty nor beyond its bounds. */
export function fitsEdit(edit: Edit): boolean {
  const { length } = edit;
  if (length < 1 || length > LIMITS.TEXT_PARTS) return false;
  return edit.every((step) => typeof step !== "string" || lengthOf(step) <= LIMITS.TEXT_CHARS);
}

/** A JSON value as every language has it. */
export function normalise(value: Json, depth = 1): Json {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return number(value);
  if (typeof value === "string") return text(value);
  if (typeof value !== "object") throw new Bad("not JSON");
  if (depth > LIMITS.VALUE_DEPTH) throw new Bad(`deeper than ${LIMITS.VALUE_DEPTH}`);
  if (Array.isArray(value)) return value.map((item: Json) => normalise(item, depth + 1));
  return object(value as JsonObject, depth);
}

function number(value: number): number {
  if (!Number.isFinite(value)) throw new Bad("not a finite number");
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Bad("an integer beyond 2^53");
  return value === 0 ? 0 : value;
}

function object(value: JsonObject, depth: number): JsonObject {
  keys(Object.keys(value));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalise(item, depth + 1)]));
}

function keys(found: Path): void {
  for (const key of found) {
    const length = lengthOf(text(key));
    if (length < 1 || length > LIMITS.PATH_KEY_CHARS) {
      throw new Bad(`keys have 1 to ${LIMITS.PATH_KEY_CHARS} characters`);
    }
    if (FORBIDDEN.has(key) || key.startsWith("@")) throw new Bad(`no key is ${key}`);
  }
}

function text(value: string): string {
  if (!isWellFormed(value)) throw new Bad("half a surrogate pair");
  return value;
}

function sized<T extends Json>(value: T): T {
  if (new TextEncoder().encode(canonical(value)).length > LIMITS.VALUE_BYTES) {
    throw new Bad(`more than ${LIMITS.VALUE_BYTES} bytes`);
  }
  return value;
}
