/** How long to wait before the next attempt: exponential, full jitter, so that a crowd does not return as one. */

const FIRST_MS = 500;
const LONGEST_MS = 20_000;
const LEAST_MS = 100;

/** `attempt` counts failures in a row from 0; `random` is in [0, 1). The server's own `atLeastMs` is respected. */
export function backoffMs(attempt: number, random: number, atLeastMs = 0): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(Math.max(LEAST_MS, atLeastMs, random * ceiling));
}
