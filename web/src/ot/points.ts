/** Strings by code point, as Python has them: positions, lengths and order. UTF-16 units are nobody's business here. */

const SURROGATES = /[\ud800-\udfff]/;

export function lengthOf(text: string): number {
  if (!SURROGATES.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export function slice(text: string, start: number, end?: number): string {
  if (!SURROGATES.test(text)) return text.slice(start, end);
  return [...text].slice(start, end).join("");
}

/** The text's code points, to be sliced many times; the text itself where its units are that already. */
export function points(text: string): { slice(start: number, end?: number): string } {
  if (!SURROGATES.test(text)) return text;
  const all = [...text];
  return { slice: (start, end) => all.slice(start, end).join("") };
}

export function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}

/** Orders by code point. JavaScript's own order puts U+1F600 before U+FFFF. */
export function compare(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a !== b) return rank(a) - rank(b);
  }
  return one.length - other.length;
}

/** A unit's place among code points: surrogates stand for what is above all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
