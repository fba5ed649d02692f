/** The one way to write a value or a state down, the same in Python and here. The mirror of chalicelib/ot/canonical.py. */

import { compare } from "./points";
import { type Entity, isObject, type Json } from "./state";

/** A JSON value's canonical text: no spaces, keys by code point, numbers as `String` has them. */
export function canonical(value: Json): string {
  if (isObject(value)) {
    const parts = Object.keys(value)
      .sort(compare)
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
    return `{${parts.join(",")}}`;
  }
  if (typeof value === "object" && value !== null) return `[${value.map(canonical).join(",")}]`;
  return typeof value === "number" ? String(value === 0 ? 0 : value) : JSON.stringify(value);
}

/** A state's canonical text. Entities are sorted by id. */
export function canonicalState(entities: ReadonlyMap<string, Entity>): string {
  const parts = [...entities.keys()].sort(compare).map((id) => {
    const entity = entities.get(id);
    return entity ? `${JSON.stringify(id)}:${canonical({ ...entity })}` : "";
  });
  return `{${parts.join(",")}}`;
}
