import { describe, expect, it } from "vitest";
import { Ramp } from "../src/voice/ramp";
import { FakeParam } from "./fakeaudio";

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe("A ramp", () => {
  it("goes straight from where it is to where it shall be", () => {
    const param = new FakeParam();
    const ramp = new Ramp(param, 1);
    ramp.to(0, 2, 0.5);
    expect([1.9, 2, 2.25, 2.5, 3].map((at) => param.valueAt(at))).toEqual([1, 1, 0.5, 0, 0]);
    expect(ramp.target).toBe(0);
  });

  it("that is interrupted goes on up to there, and from there", () => {
    const param = new FakeParam();
    const ramp = new Ramp(param, 0);
    ramp.to(1, 1, 1);
    ramp.to(0, 1.5, 1);
    expect([1.25, 1.5, 2, 2.5].map((at) => param.valueAt(at))).toEqual([0.25, 0.5, 0.25, 0]);
  });

  it("closes, steps and opens as it was told at once", () => {
    const [gate, place] = [new FakeParam(), new FakeParam()];
    const [closes, steps] = [new Ramp(gate, 1), new Ramp(place, -3)];
    closes.to(0, 1, 0.01);
    steps.jump(3, 1.01);
    closes.to(1, 1.01, 0.01);
    expect([1, 1.005, 1.01, 1.015, 1.02].map((at) => gate.valueAt(at))).toEqual(
      [1, 0.5, 0, 0.5, 1].map((v) => expect.closeTo(v, 9)),
    );
    expect([1.009, 1.01].map((at) => place.valueAt(at))).toEqual([-3, 3]);
  });

  it("may be told another step for the same moment", () => {
    const param = new FakeParam();
    const ramp = new Ramp(param, 0);
    ramp.jump(1, 5);
    ramp.jump(2, 5);
    expect([4.99, 5, 6].map((at) => param.valueAt(at))).toEqual([0, 2, 2]);
    ramp.to(0, 4, 1);
    expect([4, 4.5, 5].map((at) => param.valueAt(at))).toEqual([0, 0, 0]);
  });

  it.each([1, 2, 3, 4, 5])(
    "is what it says it is, and never leaps, however it is interrupted (seed %d)",
    (seed) => {
      const random = mulberry(seed);
      let now = 0;
      const param = new FakeParam(() => now);
      const ramp = new Ramp(param, 0);
      const shortest = 0.01;
      for (let n = 0; n < 200; n++) {
        const before = now;
        now += random() * 0.05;
        for (let at = before; at < now; at += 0.0005) {
          expect(param.valueAt(at)).toBeCloseTo(ramp.valueAt(at), 9);
          expect(Math.abs(param.valueAt(at + 0.0005) - param.valueAt(at))).toBeLessThanOrEqual(
            0.0005 / shortest + 1e-9,
          );
        }
        const at = now + 0.012;
        ramp.to(random(), at, shortest + random() * 0.05);
        if (random() < 0.3) ramp.to(random(), at + random() * 0.05, shortest);
      }
      expect(param.late).toBe(0);
    },
  );
});
