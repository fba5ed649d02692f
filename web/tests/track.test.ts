import { describe, expect, it } from "vitest";
import { between, type Knot } from "../src/motion/curve";
import { distance, quantizeRotation, rotationOntoNormal, slerp } from "../src/motion/maths";
import { Track } from "../src/motion/track";
import type { Quat, Vec3 } from "../src/wire/generated";

const LEVEL: Quat = [0, 0, 0, 1];
const LOST = Number.POSITIVE_INFINITY;

/** Samples of a motion, at 5 Hz unless said otherwise, with uneven arrival, shown at 60 Hz: every displayed position. */
function play(
  motion: (t: number) => Vec3,
  seconds: number,
  lateness: (n: number) => number,
  everyMs = 200,
  track = new Track(),
): Vec3[] {
  const arrivals: { at: number; sent: number }[] = [];
  for (let n = 0; n * everyMs < seconds * 1000; n++) {
    const late = lateness(n);
    if (late !== LOST) arrivals.push({ at: n * everyMs + late, sent: n * everyMs });
  }
  const shown: Vec3[] = [];
  for (let now = 0; now < seconds * 1000; now += 1000 / 60) {
    while (arrivals[0] && arrivals[0].at <= now) {
      const sample = arrivals.shift();
      if (sample) track.push(sample.sent + 5_000_000, motion(sample.sent / 1000), LEVEL, now);
    }
    const placed = track.show(now);
    if (placed) shown.push(placed.position);
  }
  return shown;
}

function longestStep(shown: Vec3[]): number {
  return Math.max(...shown.slice(1).map((p, i) => distance(p, shown[i] ?? p)));
}

const walk = (t: number): Vec3 => [1.4 * t, 1.6, 0];
const circle = (t: number): Vec3 => [3 * Math.cos(t), 1.6, 3 * Math.sin(t)];
const jitter = (n: number): number => 20 + ((n * 7919) % 190);

describe("a track", () => {
  it("shows a steady walk as a steady walk, however unevenly its samples come", () => {
    const shown = play(walk, 6, jitter).slice(120);
    const steps = shown.slice(1).map((p, i) => p[0] - (shown[i]?.[0] ?? 0));
    expect(Math.max(...steps)).toBeLessThan((1.4 / 60) * 2);
    expect(Math.min(...steps)).toBeGreaterThan(0);
  });

  it("is closer behind where samples come at 20 Hz, and as smooth, though a fifth of them is lost", () => {
    const track = new Track();
    const few = (n: number): number => (n % 5 === 2 ? LOST : 3 + ((n * 31) % 12));
    const shown = play(walk, 6, few, 50, track).slice(120);
    const steps = shown.slice(1).map((p, i) => p[0] - (shown[i]?.[0] ?? 0));
    expect(Math.max(...steps)).toBeLessThan((1.4 / 60) * 1.6);
    expect(Math.min(...steps)).toBeGreaterThan((1.4 / 60) * 0.4);
    expect(track.delayMs).toBeLessThan(130);
  });

  it("never jumps when a channel takes over from the WebSocket, nor when that takes over again", () => {
    const track = new Track();
    const shown: Vec3[] = [];
    for (let now = 0; now < 12_000; now += 1000 / 60) {
      const channel = now > 4000 && now < 8000;
      const every = channel ? 50 : 200;
      const before = Math.floor((now - 1000 / 60) / every);
      if (Math.floor(now / every) > before) {
        const late = channel ? 10 : 150;
        const sent = Math.floor(now / every) * every - late;
        track.push(sent + 5_000_000, walk(sent / 1000), LEVEL, now);
      }
      const placed = track.show(now);
      if (placed && now > 2000) shown.push(placed.position);
    }
    expect(longestStep(shown)).toBeLessThan((1.4 / 60) * 2.5);
  });

  it("never jumps at 5 Hz on a curve", () => {
    expect(longestStep(play(circle, 8, jitter).slice(30))).toBeLessThan(0.12);
  });

  it("never jumps when frames stall for a second and then come at once", () => {
    const stall = (n: number): number => (n >= 10 && n < 15 ? 1000 - (n - 10) * 200 : 20);
    const shown = play(walk, 6, stall);
    expect(longestStep(shown)).toBeLessThan(0.2);
    expect(shown.at(-1)?.[0]).toBeGreaterThan(6.5);
  });

  it("stays within 600 ms of the truth", () => {
    const shown = play(walk, 6, jitter);
    expect(1.4 * 6 - (shown.at(-1)?.[0] ?? 0)).toBeLessThan(1.4 * 0.85);
  });

  it("does not creep during a long stillness before the next move", () => {
    const track = new Track();
    track.push(0, [0, 0, 0], LEVEL, 10);
    track.push(10_000, [1, 0, 0], LEVEL, 10_010);
    expect(track.show(10_011)?.position[0]).toBeLessThan(0.05);
  });

  it("comes to rest exactly where the peer rests, without overshooting a stop", () => {
    const stopping = (t: number): Vec3 => [Math.min(t * 2, 4), 0, 0];
    const shown = play(stopping, 5, () => 20);
    expect(shown.at(-1)?.[0]).toBeCloseTo(4, 3);
    expect(Math.max(...shown.map((p) => p[0]))).toBeLessThan(4.25);
  });

  it("comes back to the newest sample when the last that was heard was a single step", () => {
    const track = new Track();
    track.push(0, [0, 0, 0], LEVEL, 50);
    track.push(4000, [3, 0, 0], LEVEL, 4050);
    let shown: Vec3 = [0, 0, 0];
    for (let now = 4050; now < 7000; now += 16) shown = track.show(now)?.position ?? shown;
    expect(distance(shown, [3, 0, 0])).toBeLessThan(0.001);
  });

  it("shows a teleport as one jump, with nothing in between", () => {
    const shown = play(
      (t) => (t < 2 ? [0, 0, 0] : [50, 0, 0]),
      4,
      () => 20,
    );
    expect(shown.every(([x]) => Math.min(Math.abs(x), Math.abs(x - 50)) < 1e-9)).toBe(true);
    expect(shown.at(-1)?.[0]).toBeCloseTo(50);
  });

  it("ignores a sample that is older than the newest", () => {
    const track = new Track();
    track.push(400, [1, 0, 0], LEVEL, 410);
    track.push(200, [9, 0, 0], LEVEL, 420);
    expect(track.show(430)?.position).toEqual([1, 0, 0]);
  });

  it("plays further behind where samples come late", () => {
    const punctual = new Track();
    const late = new Track();
    for (let n = 0; n < 60; n++) {
      punctual.push(n * 200, [n, 0, 0], LEVEL, n * 200 + 10);
      late.push(n * 200, [n, 0, 0], LEVEL, n * 200 + (n % 2) * 180);
    }
    expect(late.delayMs).toBeGreaterThan(punctual.delayMs + 50);
    expect(punctual.delayMs).toBeGreaterThan(180);
  });

  it("shows nothing before the first sample and after a reset", () => {
    const track = new Track();
    expect(track.show(0)).toBeNull();
    track.push(0, [1, 2, 3], LEVEL, 5);
    expect(track.empty).toBe(false);
    track.reset();
    expect(track.show(10)).toBeNull();
  });
});

describe("the maths", () => {
  it("turns the shorter way and ends at both ends", () => {
    const half: Quat = [0, 1, 0, 0];
    expect(slerp(LEVEL, half, 0)).toEqual(LEVEL);
    expect(slerp(LEVEL, half, 1)[1]).toBeCloseTo(1);
    expect(slerp(LEVEL, [0, 0, 0, -1], 0.5)[3]).toBeCloseTo(1);
  });

  it("stands a ring on any surface", () => {
    expect(rotationOntoNormal([0, 1, 0])).toEqual([0, 0, 0, 1]);
    const [x, , z, w] = rotationOntoNormal([1, 0, 0]);
    expect(x).toBeCloseTo(0);
    expect(z).toBeCloseTo(-Math.SQRT1_2);
    expect(w).toBeCloseTo(Math.SQRT1_2);
    expect(rotationOntoNormal([0, -1, 0])).toEqual([1, 0, 0, 0]);
  });

  it("says the same rotation in one way", () => {
    expect(quantizeRotation([0, 0, 0, -1])).toEqual([0, 0, 0, 1]);
  });

  it("keeps a curve between its knots", () => {
    const knot = (at: number, x: number): Knot => ({
      at,
      position: [x, 0, 0],
      rotation: LEVEL,
      teleport: false,
    });
    for (let t = 100; t <= 200; t += 10) {
      const { position } = between(knot(0, 0), knot(100, 1), knot(200, 1.1), knot(300, 5), t);
      expect(position[0]).toBeGreaterThanOrEqual(1);
      expect(position[0]).toBeLessThanOrEqual(1.1);
    }
  });
});
