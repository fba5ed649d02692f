/**
 * Text: the one kind of operation that others really move. Positions are code points; an edit walks from the start.
 *
 * Normal form, which every function here returns: no step is empty, no two in a row are of one kind, an insertion stands
 * before a deletion at the same place, and none ends by skipping. The mirror of chalicelib/ot/text.py.
 */

import type { Cut } from "../wire/generated";
import { lengthOf, points, slice } from "./points";

export type Step = number | string | Cut;
export type Edit = readonly Step[];

/** The edited text. Steps past its end skip and delete nothing. */
export function applyEdit(text: string, edit: Edit): string {
  const all = points(text);
  const parts: string[] = [];
  let at = 0;
  for (const step of edit) {
    if (typeof step === "string") parts.push(step);
    else if (typeof step === "number") {
      parts.push(all.slice(at, at + step));
      at += step;
    } else at += step.d;
  }
  parts.push(all.slice(at));
  return parts.join("");
}

/** The same edit in normal form. */
export function normal(steps: Iterable<Step>): Edit {
  const done: Step[] = [];
  let inserted = "";
  let deleted = 0;
  let skipped = 0;
  const put = (): void => {
    if (skipped > 0) done.push(skipped);
    if (inserted) done.push(inserted);
    if (deleted > 0) done.push({ d: deleted });
  };
  for (const step of steps) {
    if (typeof step === "number") {
      if (step > 0 && (inserted || deleted > 0)) {
        put();
        inserted = "";
        deleted = 0;
        skipped = 0;
      }
      skipped += step;
    } else if (typeof step === "string") inserted += step;
    else deleted += step.d;
  }
  if (inserted || deleted > 0) put();
  return done;
}

/**
 * `edit` as it has to be after `other`, where both were made on the same text. `earlier`: whether `edit` comes before
 * `other` in the log; of two insertions at one place the earlier one is left.
 */
export function transformEdit(edit: Edit, other: Edit, earlier: boolean): Edit {
  const done: Step[] = [];
  const mine = new Walk(edit);
  const theirs = new Walk(other);
  while (!mine.over) {
    if (typeof mine.step === "string" && (earlier || typeof theirs.step !== "string")) {
      done.push(mine.takeAll());
    } else if (typeof theirs.step === "string") {
      done.push(theirs.left);
      theirs.takeAll();
    } else {
      const length = Math.min(mine.left, theirs.left);
      const deletes = typeof mine.step === "object";
      const deleted = typeof theirs.step === "object";
      mine.take(length);
      theirs.take(length);
      if (!deleted) done.push(deletes ? { d: length } : length);
    }
  }
  return normal(done);
}

/** One edit that does both, one after the other. */
export function composeEdits(first: Edit, second: Edit): Edit {
  const done: Step[] = [];
  const one = new Walk(first);
  const two = new Walk(second);
  while (!(one.over && two.over)) {
    if (typeof one.step === "object") done.push(one.takeAll());
    else if (typeof two.step === "string") done.push(two.takeAll());
    else {
      const length = Math.min(one.left, two.left);
      const deletes = typeof two.step === "object";
      if (typeof one.step === "string") {
        const inserted = one.takeText(length);
        if (!deletes) done.push(inserted);
      } else {
        one.take(length);
        done.push(deletes ? { d: length } : length);
      }
      two.take(length);
    }
  }
  return normal(done);
}

/** What takes `edit` back, where `text` is what it was made on. */
export function invertEdit(edit: Edit, text: string): Edit {
  const points = [...text];
  const done: Step[] = [];
  let at = 0;
  for (const step of edit) {
    if (typeof step === "string") done.push({ d: lengthOf(step) });
    else if (typeof step === "number") {
      done.push(Math.min(step, Math.max(0, points.length - at)));
      at += step;
    } else {
      done.push(points.slice(at, at + step.d).join(""));
      at += step.d;
    }
  }
  return normal(done);
}

export function sameEdit(one: Edit, other: Edit): boolean {
  return (
    one.length === other.length &&
    one.every((step, index) => {
      const beside = other[index];
      if (typeof step !== "object") return step === beside;
      return typeof beside === "object" && beside.d === step.d;
    })
  );
}

/** How many code points a step skips, inserts or deletes. */
export function stepLength(step: Step): number {
  if (typeof step === "string") return lengthOf(step);
  return typeof step === "number" ? step : step.d;
}

const FOREVER = 2 ** 53;

/** A place within an edit. Past its end everything is skipped. */
class Walk {
  step: Step = FOREVER;
  left = 0;
  private index = -1;

  constructor(private readonly steps: Edit) {
    this.next();
  }

  get over(): boolean {
    return this.index >= this.steps.length;
  }

  take(length: number): void {
    this.left -= length;
    if (this.left === 0) this.next();
  }

  /** The rest of the step. */
  takeAll(): Step {
    const { step, left } = this;
    const rest = typeof step === "string" ? slice(step, lengthOf(step) - left) : { d: left };
    this.next();
    return rest;
  }

  takeText(length: number): string {
    const step = this.step as string;
    const start = lengthOf(step) - this.left;
    this.take(length);
    return slice(step, start, start + length);
  }

  private next(): void {
    this.index += 1;
    this.step = this.steps[this.index] ?? FOREVER;
    this.left = stepLength(this.step);
  }
}
