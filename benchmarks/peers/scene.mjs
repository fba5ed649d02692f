/** What every peer is given: the same scene, the same random edits, the same percentiles. */

export const ENTITIES = Number(process.env.ENTITIES ?? 1000);
export const CLIENTS = Number(process.env.CLIENTS ?? 50);
export const OWN = Math.min(20, ENTITIES / CLIENTS);
export const HOT = 10;

export const idOf = (number) => `e${number}`;

/** The entities that everybody reaches for, spread over ten owners. */
export const hotId = (number) => idOf(number * (ENTITIES / HOT));

/** Random numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A place in a room, to the millimetre. */
export const positionOf = (random) => [0, 0, 0].map(() => Math.round(random() * 18000 - 9000) / 1000);

/** One entity's properties: few, for ShareDB's store copies the whole scene with each edit. */
export const propsOf = (number) => ({
  kind: "box",
  color: "#8899aa",
  position: [(number % 32) - 16, 0.5, Math.floor(number / 32) - 16],
});

/** The whole scene as a plain object. */
export const sceneOf = (count = ENTITIES) =>
  Object.fromEntries(Array.from({ length: count }, (_, number) => [idOf(number), propsOf(number)]));

/** The p-th percentile; 0 of nothing. */
export function percentile(values, p) {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const at = ((sorted.length - 1) * p) / 100;
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}
