/**
 * Undo and redo of one person's own edits, pure.
 *
 * Each edit leaves its inverse on the stack. The stack, top first, is a sequence of operations on the present view, so
 * a commit by somebody else moves it as it moves what is pending: texts shift, and what that person wrote over falls
 * away by its guard. An inverse gets its guard, the revision of the edit that it takes back, when that edit is in the
 * log; before that everything in the log precedes the edit and nothing can have been written over it.
 */

import { compose } from "../ot/compose";
import { type Drop, overlapping, rebase, registerOf } from "../ot/transform";
import type { Commit, Operation } from "../wire/generated";

/** Where the edit is that an inverse takes back: in the buffer, in flight, in the log, or refused. */
type Stage = "buffered" | "sent" | "logged";

interface Item {
  operation: Operation;
  stage: Stage;
}

interface Entry {
  items: Item[];
  /** What somebody else has written over. */
  skipped: Skipped[];
  signature: string;
  atMs: number;
}

/** A part of an edit that is not taken back. */
export interface Skipped {
  entity: string;
  register: readonly string[];
}

/** What is to be done to take the topmost edit back. */
export interface Step {
  operations: Operation[];
  skipped: Skipped[];
}

const DEPTH = 200;
const GESTURE_MS = 500;

type Which = "undo" | "redo";

/** Both stacks of one editor. */
export class Undo {
  private undoable: Entry[] = [];
  private redoable: Entry[] = [];

  get canUndo(): boolean {
    return this.undoable.length > 0;
  }

  get canRedo(): boolean {
    return this.redoable.length > 0;
  }

  /** A new edit was made; `inverse` takes it back. One gesture on the same registers is one step. */
  made(operations: readonly Operation[], inverse: readonly Operation[], nowMs: number): void {
    this.redoable = [];
    const signature = signatureOf(operations);
    const top = this.undoable.at(-1);
    const continues =
      top?.signature === signature && nowMs - top.atMs < GESTURE_MS && top.skipped.length === 0;
    if (top && continues) {
      const earlier = top.items.map(({ operation }) => unguarded(operation));
      top.items = itemsOf(compose(inverse, earlier));
      top.atMs = nowMs;
    } else push(this.undoable, inverse, signature, nowMs);
  }

  /** Takes the topmost step off; null if there is none. `revision` guards what is not in the log yet. */
  pop(which: Which, revision: number): Step | null {
    const entry = (which === "undo" ? this.undoable : this.redoable).pop();
    if (!entry) return null;
    const operations = entry.items.map(({ operation, stage }) =>
      stage === "logged" ? operation : guardedBy(operation, revision),
    );
    return { operations, skipped: entry.skipped };
  }

  /** A step was carried out; `inverse` takes that back. */
  reverted(which: Which, inverse: readonly Operation[]): void {
    push(which === "undo" ? this.redoable : this.undoable, inverse, "", Number.NEGATIVE_INFINITY);
  }

  /** Part of the buffer went in flight; `rest` is what stayed. */
  sent(rest: readonly Operation[]): void {
    for (const item of this.items()) {
      if (item.stage === "buffered" && !rest.some((one) => concerns(one, item.operation)))
        item.stage = "sent";
    }
  }

  /** What was in flight is in the log. */
  logged(revision: number): void {
    for (const item of this.items()) {
      if (item.stage !== "sent") continue;
      item.stage = "logged";
      item.operation = guardedBy(item.operation, revision);
    }
  }

  /** What was in flight was refused: there is nothing of it to take back. */
  refused(gone: readonly Operation[]): void {
    const lost = ({ stage, operation }: Item): boolean =>
      stage === "sent" || (stage === "buffered" && gone.some((one) => concerns(one, operation)));
    for (const stack of [this.undoable, this.redoable]) {
      for (const entry of stack) entry.items = entry.items.filter((item) => !lost(item));
    }
    this.undoable = this.undoable.filter(worth);
    this.redoable = this.redoable.filter(worth);
  }

  /** Somebody else's commit, where `pending` was not acknowledged before it. */
  past(commit: Commit, pending: readonly Operation[]): void {
    const ids = new Set(commit.operations.map(({ id }) => id));
    const before = pending.filter(({ id }) => ids.has(id));
    this.learn(commit, before);
    move(this.undoable, before, commit, ids);
    move(this.redoable, before, commit, ids);
  }

  /** What was written before an edit that is not in the log yet is what undoing that edit brings back. */
  private learn(commit: Commit, pending: readonly Operation[]): void {
    if (pending.length === 0) return;
    for (const theirs of commit.operations) {
      if (theirs.op !== "set" && theirs.op !== "move") continue;
      const first = this.undoable
        .flatMap(({ items }) => items)
        .find(({ operation, stage }) => stage !== "logged" && sameRegister(operation, theirs));
      if (first) first.operation = unguarded(theirs);
    }
  }

  private *items(): Iterable<Item> {
    for (const stack of [this.undoable, this.redoable]) for (const { items } of stack) yield* items;
  }
}

/** A step that can do something, or has something to say. */
const worth = ({ items, skipped }: Entry): boolean => items.length + skipped.length > 0;

const itemsOf = (operations: readonly Operation[]): Item[] =>
  operations.map((operation) => ({ operation, stage: "buffered" }));

function push(stack: Entry[], inverse: readonly Operation[], signature: string, atMs: number): void {
  if (inverse.length === 0) return;
  stack.push({ items: itemsOf(inverse), skipped: [], signature, atMs });
  if (stack.length > DEPTH) stack.shift();
}

/** Moves a stack past a commit; only what is about its entities takes part. */
function move(stack: Entry[], pending: readonly Operation[], commit: Commit, ids: Set<string>): void {
  const places: [Entry, Item][] = [];
  for (let at = stack.length - 1; at >= 0; at -= 1) {
    const entry = stack[at] as Entry;
    for (const item of entry.items) if (ids.has(item.operation.id)) places.push([entry, item]);
  }
  if (places.length === 0) return;
  const sequence = [...pending, ...places.map(([, { operation }]) => operation)];
  const { operations, dropped } = rebase(sequence, commit.operations, commit.revision, true);
  places.forEach(([entry, item], index) => {
    const place = pending.length + index;
    const moved = operations[place];
    if (moved) item.operation = moved;
    else drop(entry, item, dropped.get(place));
  });
}

function drop(entry: Entry, item: Item, why: Drop | undefined): void {
  entry.items = entry.items.filter((other) => other !== item);
  const register = registerOf(item.operation);
  if (register && why !== "empty") entry.skipped.push({ entity: item.operation.id, register });
}

/** Whether an operation writes what the inverse would take back. */
function concerns(operation: Operation, inverse: Operation): boolean {
  if (operation.id !== inverse.id) return false;
  if (operation.op === "create") return true;
  const one = registerOf(operation);
  const other = registerOf(inverse);
  return one !== null && other !== null && overlapping(one, other);
}

function sameRegister(one: Operation, other: Operation): boolean {
  if (one.id !== other.id || one.op !== other.op) return false;
  const [mine, theirs] = [registerOf(one), registerOf(other)];
  return mine !== null && mine.length === theirs?.length && overlapping(mine, theirs);
}

/** Which registers a transaction writes, and how. */
function signatureOf(operations: readonly Operation[]): string {
  if (operations.some(({ op }) => op === "create" || op === "delete" || op === "restore")) return "";
  const parts = operations.map((operation) => [operation.op, operation.id, registerOf(operation)]);
  return JSON.stringify(parts.map((part) => JSON.stringify(part)).sort());
}

function guardedBy(operation: Operation, guard: number): Operation {
  if (operation.op === "create" || operation.op === "add" || operation.op === "text") return operation;
  return { ...operation, guard };
}

function unguarded(operation: Operation): Operation {
  if (!("guard" in operation)) return operation;
  const { guard: _, ...rest } = operation;
  return rest as Operation;
}
