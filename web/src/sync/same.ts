/** Whether two values are the same, so that nobody is told of a change that was none. */

import { type Entity, isObject, type Json } from "../ot/state";

/** Compares two entities by what they hold. */
export function same(one: Entity, other: Entity): boolean {
  return (
    one === other ||
    (one.alive === other.alive &&
      one.parent === other.parent &&
      one.order === other.order &&
      sameValue(one.props, other.props))
  );
}

/** Compares two JSON values by what they hold. */
export function sameValue(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, at) => sameValue(item, other[at]))
    );
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && sameValue(one[key] ?? null, other[key] ?? null));
}
