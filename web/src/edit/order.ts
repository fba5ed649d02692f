/**
 * Keys that sort siblings by code point, with room between any two: fractions in base 62, written without "0.".
 *
 * A key that is made here never ends in the least digit, for below such a key there would be no room. Others' keys
 * may, and many siblings may share one key (`V` is what a creation has by default); then there is no key between.
 */

import { compare } from "../ot/points";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LONGEST = 64;
/** How many digits appending counts in: 62 to the 3rd siblings before a key grows. */
const COUNTED = 4;

/** A key after `low` and before `high` (null: no bound), or null if there is none. */
export function between(low: string | null, high: string | null): string | null {
  if (low !== null && high !== null && compare(low, high) >= 0) return null;
  if (low !== null && high === null) return after(low);
  const key = middle(low ?? "", high);
  return key !== null && key.length <= LONGEST ? key : null;
}

/** So many keys in a row, with room everywhere. */
export function spread(count: number): string[] {
  const keys: string[] = [];
  let last = "1";
  for (let n = 0; n < count; n += 1) {
    last = after(last) ?? last;
    keys.push(last);
  }
  return keys;
}

/** The next one up. It grows by a digit only once in hundreds of thousands. */
function after(key: string): string | null {
  let rank = 0;
  for (let at = 0; at < COUNTED; at += 1) rank = rank * 62 + Math.max(0, DIGITS.indexOf(key[at] ?? "0"));
  rank += 1;
  if (rank % 62 === 0) rank += 1;
  if (rank >= 62 ** COUNTED) return key.length < LONGEST ? `${key}V` : null;
  let text = "";
  for (let at = 0; at < COUNTED; at += 1) {
    text = (DIGITS[rank % 62] ?? "0") + text;
    rank = Math.floor(rank / 62);
  }
  return text;
}

function middle(low: string, high: string | null): string | null {
  let bound = high;
  let key = "";
  for (let at = 0; ; at += 1) {
    const one = at < low.length ? DIGITS.indexOf(low[at] ?? "0") : 0;
    if (bound !== null && at >= bound.length) return null;
    const other = bound === null ? 62 : DIGITS.indexOf(bound[at] ?? "0");
    if (other - one > 1) return key + DIGITS[Math.floor((one + other) / 2)];
    key += DIGITS[one] ?? "0";
    if (other !== one) bound = null;
  }
}
