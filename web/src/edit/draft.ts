/**
 * A text field on a shared text: what is typed here waits a moment and becomes one edit; what others type moves it.
 *
 * Law: after every call, the field shows the shared text with what waits here on top of it, exactly as the document
 * will show it once that is committed. A caret stays before the character that it was before; at a place where somebody
 * else inserts, it stays to the left.
 */

import { lengthOf, slice } from "../ot/points";
import { applyEdit, type Edit, normal, type Step, transformEdit } from "../ot/text";
import { fitsEdit } from "../ot/validate";
import { LIMITS } from "../wire/generated";

/** The shortest edit that makes one text into another: whatever lies between what they begin and end with alike. */
export function diff(from: string, to: string): Edit {
  const one = [...from];
  const other = [...to];
  const shorter = Math.min(one.length, other.length);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const steps: Step[] = [];
  if (start > 0) steps.push(start);
  const inserted = other.slice(start, other.length - end).join("");
  if (inserted) steps.push(inserted);
  const cut = one.length - end - start;
  if (cut > 0) steps.push({ d: cut });
  return normal(steps);
}

/** Where a place (in UTF-16 units, as fields count) in `text` is once the text was edited. */
export function moved(text: string, place: number, edit: Edit): number {
  const target = lengthOf(text.slice(0, place));
  let before = 0;
  let after = 0;
  for (const step of edit) {
    if (typeof step === "number") {
      if (before + step > target) break;
      before += step;
      after += step;
    } else if (typeof step === "string") {
      if (before >= target) break;
      after += lengthOf(step);
    } else {
      before += Math.min(step.d, Math.max(0, target - before));
      if (before >= target) break;
    }
  }
  const points = after + (target - before);
  return slice(applyEdit(text, edit), 0, points).length;
}

/** What a text field has to show. */
export interface Field {
  value: string;
  /** Selection in UTF-16 units. */
  start: number;
  end: number;
}

/** One text field on one shared text. */
export class Draft {
  /** The field as it should be. */
  field: Field;

  constructor(private shared: string) {
    this.field = { value: shared, start: 0, end: 0 };
  }

  /** Whether something waits to be sent. */
  get waits(): boolean {
    return this.field.value !== this.shared;
  }

  /** The field was changed, or its caret was moved, by the person. Half characters are made whole. */
  typed(field: Field): void {
    this.field = { ...field, value: whole(field.value) };
  }

  /** The shared text is another now. Returns whether the field has to show something else. */
  came(shared: string): boolean {
    if (shared === this.shared) return false;
    const theirs = diff(this.shared, shared);
    const mine = diff(this.shared, this.field.value);
    const upon = transformEdit(theirs, mine, true);
    const { value, start, end } = this.field;
    const next = applyEdit(value, upon);
    this.shared = shared;
    if (next === value) return false;
    this.field = { value: next, start: moved(value, start, upon), end: moved(value, end, upon) };
    return true;
  }

  /** What waits, as an edit of the shared text; it counts as shared from now on. Null if nothing does. */
  take(): Edit | null {
    const value = slice(this.field.value, 0, LIMITS.TEXT_CHARS);
    if (value !== this.field.value) this.field = { ...this.field, value };
    const edit = diff(this.shared, value);
    if (!fitsEdit(edit)) return null;
    this.shared = value;
    return edit;
  }
}

/** Without halves of characters, which no document takes. */
function whole(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "");
}
