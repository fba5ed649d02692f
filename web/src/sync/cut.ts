/** How much of the buffer goes into one submission: what the wire and the committer take. Pure. */

import { normal, type Step, stepLength } from "../ot/text";
import { LIMITS, type Operation, type TextOperation } from "../wire/generated";

/** A message up is at most WS_FRAME_BYTES; the envelope and what rebasing adds need room. */
export const SUBMIT_BYTES = 24_000;
const STEP_CHARS = 4000;

const encoder = new TextEncoder();

/** The size of an operation as JSON. */
export function sizeOf(operation: Operation): number {
  return encoder.encode(JSON.stringify(operation)).length + 1;
}

/** The first operations that fit in one submission, and the rest. Both are never empty unless `buffer` is too short. */
export function cut(buffer: readonly Operation[], bytes = SUBMIT_BYTES): [Operation[], Operation[]] {
  let size = 0;
  let count = 0;
  for (const operation of buffer) {
    size += sizeOf(operation);
    if (size > bytes || count === LIMITS.OPERATIONS_PER_TRANSACTION) break;
    count += 1;
  }
  const [first, ...others] = buffer;
  if (count === 0 && first) {
    const parts = first.op === "text" ? halved(first) : null;
    if (!parts) return [[first], others];
    const [head, rest] = cut([parts[0]], bytes);
    return [head, [...rest, parts[1], ...others]];
  }
  return [buffer.slice(0, count), buffer.slice(count)];
}

/** One edit as two that do the same, one after the other; null for one that cannot be divided. */
function halved(operation: TextOperation): [TextOperation, TextOperation] | null {
  const steps: Step[] = [];
  for (const step of operation.edit) {
    if (typeof step === "string") steps.push(...pieces(step));
    else steps.push(step);
  }
  const middle = Math.ceil(steps.length / 2);
  for (let at = middle; at < steps.length; at += 1) {
    const before = steps.slice(0, at);
    const head = normal(before);
    // What the first part leaves behind itself is skipped by the second.
    let skip = 0;
    for (const step of before) if (typeof step !== "object") skip += stepLength(step);
    const rest = normal([skip, ...steps.slice(at)]);
    if (head.length === 0) continue;
    if (rest.length === 0) return null;
    return [
      { ...operation, edit: head },
      { ...operation, edit: rest },
    ];
  }
  return null;
}

function pieces(text: string): string[] {
  const points = [...text];
  const parts: string[] = [];
  const length = Math.min(STEP_CHARS, Math.ceil(points.length / 2));
  for (let at = 0; at < points.length; at += length) parts.push(points.slice(at, at + length).join(""));
  return parts;
}
