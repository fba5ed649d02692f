/** The state of a document: entities by id, each one immutable. The mirror of chalicelib/ot/state.py. */

import type { Path } from "../wire/generated";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export interface Entity {
  readonly alive: boolean;
  readonly parent: string | null;
  readonly order: string;
  readonly props: JsonObject;
}

/** What operations are applied to: a Map, or something that looks like one. */
export interface Entities {
  get(id: string): Entity | undefined;
  has(id: string): boolean;
  set(id: string, entity: Entity): unknown;
}

export const NEW: Entity = { alive: true, parent: null, order: "V", props: {} };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** What is there; null if nothing is. */
export function valueAt(props: JsonObject, path: Path): Json {
  let found: Json | undefined = props;
  for (const key of path) {
    if (!isObject(found)) return null;
    found = own(found, key);
    if (found === undefined) return null;
  }
  return found;
}

/** Whether something that is no object stands in the way. */
export function blocked(props: JsonObject, path: Path): boolean {
  let found: Json | undefined = props;
  for (const key of path.slice(0, -1)) {
    found = isObject(found) ? own(found, key) : undefined;
    if (found === undefined || found === null) return false;
    if (!isObject(found)) return true;
  }
  return false;
}

/** A copy with a value there. What stands in the way of the path becomes an object. */
export function withValue(props: JsonObject, path: Path, value: Json): JsonObject {
  const [key = "", ...rest] = path;
  const below = own(props, key);
  const put = rest.length > 0 ? withValue(isObject(below) ? below : {}, rest, value) : value;
  return { ...props, [key]: put };
}

/** A copy with nothing there. */
export function withoutValue(props: JsonObject, path: Path): JsonObject {
  const [key = "", ...rest] = path;
  const below = own(props, key);
  if (below === undefined) return props;
  if (rest.length === 0) {
    const { [key]: _, ...others } = props;
    return others;
  }
  return isObject(below) ? { ...props, [key]: withoutValue(below, rest) } : props;
}

/** Whether it is to be seen: it and all above it are alive. */
export function shown(entities: Pick<Entities, "get">, id: string): boolean {
  let above: string | null = id;
  while (above !== null) {
    const entity: Entity | undefined = entities.get(above);
    if (!entity?.alive) return false;
    above = entity.parent;
  }
  return true;
}
