/**
 * Rebasing: what a transaction becomes on top of others that were committed since its base, and what it meets there.
 * docs/ot.md has the table of all pairs. The mirror of chalicelib/ot/transform.py.
 */

import type { Operation, Path, SetOperation, TextOperation } from "../wire/generated";
import { sameEdit, transformEdit } from "./text";

/** A place that is written whole: a property's path, ["@place"] or ["@alive"]. */
export type Register = Path;

export const PLACE: Register = ["@place"];
export const ALIVE: Register = ["@alive"];

export type Drop = "replaced" | "guarded" | "empty";

/** Two operations at one register; the indices are places in their transactions, as submitted. */
export interface Met {
  readonly index: number;
  readonly otherIndex: number;
  readonly register: Register;
  readonly overrides: boolean;
}

/** A transaction after another. `operations` keeps places: null for what fell away. */
export interface Rebased {
  readonly operations: (Operation | null)[];
  readonly met: Met[];
  readonly dropped: Map<number, Drop>;
}

/** Where an operation writes; null for a create, which meets nobody. */
export function registerOf(operation: Operation): Register | null {
  switch (operation.op) {
    case "set":
    case "add":
    case "text":
      return operation.path;
    case "move":
      return PLACE;
    case "delete":
    case "restore":
      return ALIVE;
    default:
      return null;
  }
}

/** Whether one is the other or lies within it. */
export function overlapping(one: Register, other: Register): boolean {
  const short = Math.min(one.length, other.length);
  for (let at = 0; at < short; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** `operations` on top of `other`, which was committed as `revision`, by somebody else if `foreign`. */
export function rebase(
  operations: readonly (Operation | null)[],
  other: readonly Operation[],
  revision: number,
  foreign: boolean,
): Rebased {
  const result: Rebased = { operations: [...operations], met: [], dropped: new Map() };
  const moving: (Operation | null)[] = [...other];
  const places = new Map<string, number[]>();
  other.forEach((theirs, place) => {
    const here = places.get(theirs.id);
    if (here) here.push(place);
    else places.set(theirs.id, [place]);
  });
  const last = new Map(operations.map((mine, index) => [mine?.id, index]));
  operations.forEach((mine, index) => {
    const here = mine && places.get(mine.id);
    if (!mine || !here) return;
    for (const place of here) {
      const theirs = other[place];
      if (theirs && moving[place]) meet(result, index, mine, place, theirs, foreign ? revision : 0);
    }
    if (mine.op === "text" && !result.dropped.has(index)) editPast(result, index, mine, moving, here);
    if (index === last.get(mine.id)) return; // nothing of mine is left to be moved past it
    if (mine.op === "text") carryPast(moving, here, mine);
    else if (mine.op === "set" && !result.dropped.has(index)) shadow(moving, here, mine);
  });
  return result;
}

/** Notes what the two are to each other, and drops mine where it has nothing left to do. */
function meet(
  result: Rebased,
  index: number,
  mine: Operation,
  otherIndex: number,
  theirs: Operation,
  foreignRevision: number,
): void {
  const register = registerOf(mine);
  const others = registerOf(theirs);
  if (!register || !others) return;
  if (!overlapping(register, others)) {
    if (theirs.op === "delete") result.met.push({ index, otherIndex, register: ALIVE, overrides: false });
    return;
  }
  let overrides = mine.op !== "add" && mine.op !== "text";
  const guard = "guard" in mine ? (mine.guard ?? null) : null;
  if (guard !== null && foreignRevision > guard) {
    drop(result, index, "guarded");
    overrides = false;
  } else if (mine.op === "text" && theirs.op === "set") drop(result, index, "replaced");
  else if (mine.op === theirs.op && others === ALIVE) overrides = false;
  result.met.push({ index, otherIndex, register: others, overrides });
}

function drop(result: Rebased, index: number, why: Drop): void {
  result.operations[index] = null;
  if (!result.dropped.has(index)) result.dropped.set(index, why);
}

const sameText = (one: Operation | null, { path }: TextOperation): one is TextOperation =>
  one?.op === "text" && one.path.length === path.length && overlapping(one.path, path);

/** My edit moved past those of the other transaction, one after another. */
function editPast(
  result: Rebased,
  index: number,
  mine: TextOperation,
  others: readonly (Operation | null)[],
  places: readonly number[],
): void {
  let { edit } = mine;
  for (const place of places) {
    const theirs = others[place] ?? null;
    if (sameText(theirs, mine)) edit = transformEdit(edit, theirs.edit, false);
  }
  if (edit.length === 0) drop(result, index, "empty");
  else if (!sameEdit(edit, mine.edit)) result.operations[index] = { ...mine, edit };
}

/** The other transaction's edits moved past one of mine, for those of mine that follow it. */
function carryPast(others: (Operation | null)[], places: readonly number[], mine: TextOperation): void {
  let { edit } = mine;
  for (const place of places) {
    const theirs = others[place] ?? null;
    if (!sameText(theirs, mine)) continue;
    others[place] = { ...theirs, edit: transformEdit(theirs.edit, edit, true) };
    edit = transformEdit(edit, theirs.edit, false);
  }
}

/** My value stands there from now on: what others did to the register is nothing to the operations that follow. */
function shadow(others: (Operation | null)[], places: readonly number[], mine: SetOperation): void {
  for (const place of places) {
    const theirs = others[place];
    if (theirs && "path" in theirs && overlapping(theirs.path, mine.path)) others[place] = null;
  }
}
