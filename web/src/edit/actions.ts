/** What a person does, as operations. Pure: ids and places come as arguments; what changes nothing is no operation. */

import { canonical } from "../ot/canonical";
import { type Entity, type Json, valueAt } from "../ot/state";
import {
  LIMITS,
  type MoveOperation,
  type Operation,
  type Path,
  type Quat,
  type Vec3,
} from "../wire/generated";
import { type Beginning, nameOf, positionOf, rotationOf, scaleOf } from "./kinds";
import { between, spread } from "./order";
import { localMatrix, near, type Placement, placementIn, worldMatrix } from "./placement";
import { beneath, childrenOf, isBeneath, topmost, type View } from "./tree";

/** What was made, and the operations that make it. */
export interface Made {
  readonly operations: Operation[];
  readonly ids: string[];
}

/** A new entity of a kind, last at the top. */
export function addPrimitive(
  view: View,
  id: string,
  beginning: Beginning,
  position: Vec3,
  rotation: Quat,
): Operation[] {
  const props = {
    type: beginning.kind,
    name: freeName(view, beginning.title),
    position,
    rotation,
    scale: [1, 1, 1] as Json,
    ...beginning.props,
  };
  return [{ op: "create", id, props, parent: null, order: lastOrder(view, null) }];
}

/** Copies of entities with all that is beneath them, each right after its original's siblings, a little aside. */
export function duplicate(
  view: View,
  ids: readonly string[],
  newId: () => string,
  aside: Vec3 = [0.6, 0, 0.6],
): Made {
  const made: Made = { operations: [], ids: [] };
  for (const id of topmost(view, ids)) {
    const entity = view.get(id);
    if (!entity?.alive) continue;
    const copy = newId();
    const position = positionOf(entity).map((value, at) => value + (aside[at] ?? 0));
    const props = { ...entity.props, name: freeName(view, nameOf(entity)), position };
    const order = lastOrder(view, entity.parent, made.operations);
    made.operations.push({ op: "create", id: copy, props, parent: entity.parent, order });
    made.ids.push(copy);
    copyBeneath(view, id, copy, newId, made.operations);
  }
  return made;
}

function copyBeneath(view: View, from: string, to: string, newId: () => string, into: Operation[]): void {
  const children = childrenOf(view);
  const walk = (original: string, copy: string): void => {
    for (const child of children.get(original) ?? []) {
      const entity = view.get(child) as Entity;
      const id = newId();
      into.push({ op: "create", id, props: { ...entity.props }, parent: copy, order: entity.order });
      walk(child, id);
    }
  };
  walk(from, to);
}

/** Deletes; what is beneath goes along without being written to. */
export function remove(view: View, ids: readonly string[]): Operation[] {
  return topmost(view, ids)
    .filter((id) => view.get(id)?.alive)
    .map((id) => ({ op: "delete", id }));
}

/** Brings a deleted one back, with all that happened to it meanwhile. */
export function restore(view: View, id: string): Operation[] {
  return view.get(id)?.alive === false ? [{ op: "restore", id }] : [];
}

/**
 * Puts entities beneath `parent` (null: the top), before the sibling `before` (null: last). They stay where they are in
 * the world. Nothing goes beneath itself; where the siblings' keys leave no room, all of them get new ones.
 */
export function reparent(
  view: View,
  ids: readonly string[],
  parent: string | null,
  before: string | null = null,
): Operation[] {
  const moving = topmost(view, ids).filter(
    (id) => view.get(id)?.alive && id !== parent && !(parent !== null && isBeneath(view, parent, id)),
  );
  if (moving.length === 0 || moving.includes(before ?? "")) return [];
  const beside = (childrenOf(view).get(parent) ?? []).filter((id) => !moving.includes(id));
  const at = before === null ? beside.length : Math.max(0, beside.indexOf(before));
  const moves = placed(view, moving, parent, beside, at);
  const target = worldMatrix(view, parent);
  const stays = moving.flatMap((id) => {
    if (view.get(id)?.parent === parent) return [];
    return place(view, id, placementIn(worldMatrix(view, id), target));
  });
  return [...moves, ...stays];
}

function placed(
  view: View,
  moving: readonly string[],
  parent: string | null,
  beside: readonly string[],
  at: number,
): Operation[] {
  const high = at < beside.length ? orderOf(view, beside[at]) : null;
  let low = at > 0 ? orderOf(view, beside[at - 1]) : null;
  const moves: MoveOperation[] = [];
  for (const id of moving) {
    const order = between(low, high);
    if (order === null) return rekeyed(view, moving, parent, beside, at);
    moves.push({ op: "move", id, parent, order });
    low = order;
  }
  return moves;
}

function rekeyed(
  view: View,
  moving: readonly string[],
  parent: string | null,
  beside: readonly string[],
  at: number,
): Operation[] {
  const all = [...beside.slice(0, at), ...moving, ...beside.slice(at)];
  const keys = spread(all.length);
  return all.flatMap((id, index): Operation[] => {
    const order = keys[index] ?? "V";
    const same = orderOf(view, id) === order && view.get(id)?.parent === parent;
    return same ? [] : [{ op: "move", id, parent, order }];
  });
}

/** A new group in the middle of entities, with them beneath it; without any an empty one at `position`. */
export function groupOf(
  view: View,
  id: string,
  ids: readonly string[],
  beginning: Beginning,
  position: Vec3,
): Operation[] {
  const members = topmost(view, ids).filter((member) => view.get(member)?.alive);
  const first = members[0];
  const sameParent = members.every((member) => view.get(member)?.parent === view.get(first ?? "")?.parent);
  const parent = first !== undefined && sameParent ? (view.get(first)?.parent ?? null) : null;
  const at = members.length > 0 ? middleOf(view, members, parent) : position;
  const props = { type: "group", name: freeName(view, beginning.title), position: at };
  const create: Operation = { op: "create", id, props, parent, order: lastOrder(view, parent) };
  const entity: Entity = { alive: true, parent, order: "V", props };
  const then = new Map(view).set(id, entity);
  return [create, ...reparent(then, members, id)];
}

function middleOf(view: View, ids: readonly string[], parent: string | null): Vec3 {
  const into = worldMatrix(view, parent).invert();
  const sum = [0, 0, 0];
  for (const id of ids) {
    const { elements } = worldMatrix(view, id).premultiply(into);
    for (const axis of [0, 1, 2]) sum[axis] = (sum[axis] ?? 0) + (elements[12 + axis] ?? 0) / ids.length;
  }
  return [sum[0] ?? 0, sum[1] ?? 0, sum[2] ?? 0].map((v) => Math.round(v * 1e4) / 1e4) as unknown as Vec3;
}

/** What brings an entity to a placement: only those of its three parts that change. */
export function place(view: View, id: string, to: Partial<Placement>): Operation[] {
  const entity = view.get(id);
  if (!entity) return [];
  const sets: Operation[] = [];
  const put = (key: string, now: readonly number[], value: readonly number[] | undefined): void => {
    if (value && !near(now, value)) sets.push({ op: "set", id, path: [key], value: [...value] });
  };
  put("position", positionOf(entity), to.position);
  const { rotation } = to;
  const now = rotationOf(entity);
  const opposite = now.map((value) => -value);
  if (rotation && !near(opposite, rotation, 1e-5) && !near(now, rotation, 1e-5)) {
    sets.push({ op: "set", id, path: ["rotation"], value: [...rotation] });
  }
  put("scale", scaleOf(entity), to.scale);
  return sets;
}

/** Gives a property a value, or takes it away (null). */
export function setProp(view: View, id: string, path: Path, value: Json): Operation[] {
  const entity = view.get(id);
  if (!entity || canonical(valueAt(entity.props, path)) === canonical(value)) return [];
  if (value === null) return [{ op: "set", id, path, absent: true }];
  return [{ op: "set", id, path, value }];
}

/** Operations as transactions that are small enough to be sent. */
export function inTransactions(operations: readonly Operation[]): Operation[][] {
  const done: Operation[][] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = JSON.stringify(operation).length * 2;
    const last = done.at(-1);
    const full = !last || last.length >= LIMITS.OPERATIONS_PER_TRANSACTION;
    if (full || bytes + size > LIMITS.WS_FRAME_BYTES) {
      done.push([operation]);
      bytes = size;
    } else {
      last.push(operation);
      bytes += size;
    }
  }
  return done;
}

/** A name that no living entity has: "Box", "Box 2", ... */
export function freeName(view: View, wanted: string): string {
  const taken = new Set<string>();
  for (const entity of view.values()) if (entity.alive) taken.add(nameOf(entity));
  if (!taken.has(wanted)) return wanted;
  const stem = wanted.replace(/ \d+$/, "");
  let number = 2;
  while (taken.has(`${stem} ${number}`)) number += 1;
  return `${stem} ${number}`;
}

/** The nearest place beside `wanted` where nothing stands yet. */
export function freeSpot(view: View, [x, y, z]: Vec3, along: Vec3): Vec3 {
  const taken = [...view]
    .filter(([, { alive, parent }]) => alive && parent === null)
    .map(([id]) => localMatrix(view, id).elements);
  const free = (step: number): boolean =>
    taken.every(
      (e) => Math.hypot((e[12] ?? 0) - x - along[0] * step, (e[14] ?? 0) - z - along[2] * step) > 0.9,
    );
  for (const step of [0, 1.25, -1.25, 2.5, -2.5, 3.75, -3.75]) {
    if (free(step)) return [x + along[0] * step, y, z + along[2] * step];
  }
  return [x, y, z];
}

/** How many entities a deletion of these hides. */
export function reach(view: View, ids: readonly string[]): number {
  return topmost(view, ids).reduce(
    (count, id) => count + 1 + beneath(view, id).filter((below) => view.get(below)?.alive).length,
    0,
  );
}

function orderOf(view: View, id: string | undefined): string | null {
  return id === undefined ? null : (view.get(id)?.order ?? null);
}

function lastOrder(view: View, parent: string | null, made: readonly Operation[] = []): string {
  let last: string | null = null;
  const take = (order: string): void => {
    if (last === null || order > last) last = order;
  };
  for (const entity of view.values()) if (entity.parent === parent) take(entity.order);
  for (const op of made) if (op.op === "create" && (op.parent ?? null) === parent) take(op.order ?? "V");
  return between(last, null) ?? "V";
}
