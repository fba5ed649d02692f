import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { aimOf, gainAt, lawAt, NEAR_M, outOfHead, seenFrom, withChange } from "../src/voice/distance";
import type { Placement } from "../src/voice/types";
import type { DistanceModel, Pose, Quat, Vec3 } from "../src/wire/generated";

const HRTF = { mode: "hrtf", equal: false } as const;
const ORIGIN: Pose = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };
/** A quarter turn to the left about Y: ahead is -X. */
const LEFT: Quat = [0, Math.SQRT1_2, 0, Math.SQRT1_2];

function law(model: DistanceModel, reference_m = 1.5, rolloff = 1, max_m = 40) {
  return { model, reference_m, rolloff, max_m };
}

function at(position: Vec3 | null, more: Partial<Placement> = {}): Placement {
  return { who: "per_a", position, distance: law("inverse"), kind: "spatial", gain: 1, ...more };
}

describe("The law of distance", () => {
  it.each([
    ["inverse", 1.5, 1, 40, 6, 0.25],
    ["inverse", 1, 2, 40, 3, 0.2],
    ["inverse", 2, 0, 40, 30, 1],
    ["linear", 1, 1, 11, 6, 0.5],
    ["linear", 1, 0.5, 11, 11, 0.5],
    ["linear", 1, 4, 11, 6, 0.5],
    ["linear", 11, 1, 1, 6, 0.5],
    ["linear", 5, 0.25, 5, 7, 0.75],
    ["exponential", 2, 1, 40, 8, 0.25],
    ["exponential", 2, 2, 40, 8, 0.0625],
  ] as const)(
    "is the Web Audio API's: %s, reference %d, rolloff %d, max %d, at %d m",
    (...[model, ref, roll, max, m, gain]) => {
      expect(lawAt(law(model, ref, roll, max), m)).toBeCloseTo(gain, 12);
    },
  );

  it("is the media node's: it picks who is heard by what would be heard", () => {
    const path = new URL("../../tests/vectors/voice_gain.json", import.meta.url);
    const { laws } = JSON.parse(readFileSync(path, "utf8")) as {
      laws: { distance: Placement["distance"]; gains: [number, number][] }[];
    };
    expect(laws).toHaveLength(18);
    for (const { distance, gains } of laws) {
      for (const [metres, gain] of gains) expect(lawAt(distance, metres)).toBeCloseTo(gain, 12);
    }
  });

  it.each(["inverse", "linear", "exponential"] as const)(
    "makes nothing louder than at the reference: %s",
    (model) => {
      for (const m of [0, 0.01, 0.7, 1.5]) expect(lawAt(law(model), m)).toBe(1);
    },
  );

  it.each(["inverse", "linear", "exponential"] as const)("only falls: %s", (model) => {
    let before = 1;
    for (let m = 0; m < 60; m += 0.25) {
      const gain = lawAt(law(model), m);
      expect(gain).toBeLessThanOrEqual(before);
      expect(gain).toBeGreaterThanOrEqual(0);
      before = gain;
    }
  });

  it("is changed so that full loudness ends before silence begins, whichever is moved", () => {
    const was = law("linear", 4, 1, 20);
    expect(withChange(was, { max_m: 10, rolloff: 2 })).toEqual(law("linear", 4, 2, 10));
    expect(withChange(was, { max_m: 3 })).toEqual(law("linear", 3, 1, 3));
    expect(withChange(law("linear", 2, 1, 4), { reference_m: 4.5 })).toEqual(law("linear", 4.5, 1, 5));
    expect(withChange(law("linear", 9, 1, 4), {})).toEqual(law("linear", 4, 1, 4));
  });

  it("ends where nobody is sent any more", () => {
    expect(gainAt(law("inverse"), 40)).toBeCloseTo(1.5 / 40, 12);
    expect(gainAt(law("inverse"), 40.01)).toBe(0);
  });
});

describe("The listener's frame", () => {
  it("has what is to the right at +X and what is ahead at -Z", () => {
    expect(seenFrom({ position: [1, 1.6, 0], rotation: [0, 0, 0, 1] }, [3, 1.6, -1])).toEqual([2, 0, -1]);
  });

  it("turns with the head", () => {
    const [x, y, z] = seenFrom({ position: [0, 0, 0], rotation: LEFT }, [-2, 0, 0]);
    expect([x, y, z].map((v) => Math.round(v * 1e9) / 1e9 + 0)).toEqual([0, 0, -2]);
  });

  it("has nobody inside the head but ahead of it", () => {
    expect(outOfHead([0, 0, 0])).toEqual([0, 0, -NEAR_M]);
    expect(outOfHead([1, 0, 0])).toEqual([1, 0, 0]);
  });

  it("takes who walks through the head from left to right without a leap", () => {
    let before = outOfHead([-1, 0, 0]);
    for (let x = -1; x <= 1; x += 0.01) {
      const now = outOfHead([x, 0, 0]);
      expect(Math.hypot(...now)).toBeGreaterThan(0.2);
      expect(Math.hypot(now[0] - before[0], now[2] - before[2])).toBeLessThan(0.03);
      before = now;
    }
  });
});

describe("How a source is to sound", () => {
  it("is from its place, by distance and the person's volume", () => {
    expect(aimOf(at([3, 0, 0], { gain: 0.5 }), ORIGIN, HRTF)).toEqual({
      spread: "hrtf",
      towards: [3, 0, 0],
      level: 0.25,
    });
  });

  it("is the same in mono but for the direction", () => {
    expect(aimOf(at([3, 0, 0]), ORIGIN, { mode: "mono", equal: false })).toMatchObject({
      spread: "flat",
      level: 0.5,
    });
    expect(aimOf(at([3, 0, 0]), ORIGIN, { mode: "stereo", equal: false })).toMatchObject({
      spread: "stereo",
      level: 0.5,
    });
  });

  it("is from nowhere and at any distance: on a stage, heard equally, or without a place", () => {
    const flat = { spread: "flat", level: 1 };
    expect(aimOf(at([30, 0, 0], { kind: "stage" }), ORIGIN, HRTF)).toMatchObject(flat);
    expect(aimOf(at([30, 0, 0]), ORIGIN, { mode: "hrtf", equal: true })).toMatchObject(flat);
    expect(aimOf(at(null), ORIGIN, HRTF)).toMatchObject(flat);
  });

  it("is silent without a placement, and for one of no numbers", () => {
    expect(aimOf(null, ORIGIN, HRTF).level).toBe(0);
    expect(aimOf(at([Number.NaN, 0, 0]), ORIGIN, HRTF).level).toBe(0);
    expect(aimOf(at([1, 0, 0], { gain: Number.POSITIVE_INFINITY }), ORIGIN, HRTF).level).toBe(0);
  });

  it("is no louder than a volume may be", () => {
    expect(aimOf(at([0, 0, -1], { gain: 100 }), ORIGIN, HRTF).level).toBe(4);
    expect(aimOf(at([0, 0, -1], { gain: -1 }), ORIGIN, HRTF).level).toBe(0);
  });
});
