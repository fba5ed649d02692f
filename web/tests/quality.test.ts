import { describe, expect, it } from "vitest";
import { type Bars, Gauge, Gauges, type Measured, overall, Smooth, scoreOf } from "../src/peers/quality";

const NOTHING: Measured = {
  rttMs: null,
  jitterMs: null,
  lossShare: null,
  availableKbps: null,
  incomingKbps: null,
};
const GOOD: Measured = { rttMs: 40, jitterMs: 5, lossShare: 0, availableKbps: 2000, incomingKbps: null };

/** A small generator with a seed (mulberry32), so that a failure can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The bars of ten minutes, a sample a second. */
function watch(gauge: Gauge, sample: (n: number) => Measured, seconds = 600, from = 0): (Bars | null)[] {
  return Array.from({ length: seconds }, (_, n) => gauge.add(sample(n), (from + n) * 1000));
}

function changes(bars: readonly (Bars | null)[]): number {
  return bars.filter((value, n) => n > 0 && value !== bars[n - 1]).length;
}

describe("the bars of a moment", () => {
  it.each([
    [{ rttMs: 100 }, 4],
    [{ rttMs: 101 }, 3],
    [{ rttMs: 300 }, 3],
    [{ rttMs: 800 }, 2],
    [{ rttMs: 801 }, 1],
    [{ jitterMs: 50 }, 3],
    [{ jitterMs: 101 }, 1],
    [{ lossShare: 0.02 }, 3],
    [{ lossShare: 0.1 }, 2],
    [{ lossShare: 0.5 }, 1],
    [{ availableKbps: 100 }, 3],
    [{ availableKbps: 99 }, 2],
    [{ availableKbps: 10 }, 1],
    [{ incomingKbps: 100 }, 3],
    [{ incomingKbps: 10 }, 1],
  ] as [Partial<Measured>, Bars][])("%o are %i", (figures, bars) => {
    expect(scoreOf({ ...GOOD, ...figures })).toBe(bars);
  });

  it("are of the worst figure, and of what is known", () => {
    expect(scoreOf({ ...GOOD, rttMs: 150, lossShare: 0.2 })).toBe(1);
    expect(scoreOf({ ...NOTHING, rttMs: 20 })).toBe(4);
    expect(scoreOf(NOTHING)).toBeNull();
    expect(scoreOf({ ...NOTHING, rttMs: Number.NaN })).toBeNull();
  });

  it("never grow while a figure gets worse", () => {
    const random = seeded(7);
    for (let n = 0; n < 2000; n += 1) {
      const one: Measured = {
        rttMs: random() * 1200,
        jitterMs: random() * 150,
        lossShare: random() * 0.2,
        availableKbps: random() * 400,
        incomingKbps: random() * 400,
      };
      const worse: Measured = {
        rttMs: (one.rttMs ?? 0) * (1 + random()),
        jitterMs: (one.jitterMs ?? 0) * (1 + random()),
        lossShare: (one.lossShare ?? 0) * (1 + random()),
        availableKbps: (one.availableKbps ?? 0) * random(),
        incomingKbps: (one.incomingKbps ?? 0) * random(),
      };
      expect(scoreOf(worse) ?? 0).toBeLessThanOrEqual(scoreOf(one) ?? 0);
    }
  });
});

describe("a figure that nobody measures any more", () => {
  it("is forgotten after a while: voice has ended, and with it what is known of the bandwidth", () => {
    const gauge = new Gauge();
    watch(gauge, () => ({ ...GOOD, availableKbps: 60 }), 60);
    expect(gauge.bars).toBe(2);
    watch(gauge, () => ({ ...GOOD, availableKbps: null }), 20, 60);
    expect(gauge.measured.availableKbps).toBeCloseTo(60);
    watch(gauge, () => ({ ...GOOD, availableKbps: null }), 30, 80);
    expect(gauge.measured.availableKbps).toBeNull();
    expect(gauge.bars).toBe(4);
    expect(gauge.add({ ...GOOD, availableKbps: 150 }, 111_000)).toBe(4);
    expect(gauge.measured.availableKbps).toBe(150);
  });
});

describe("smoothing", () => {
  it("shows two thirds of a jump after its time constant, however often it is sampled", () => {
    for (const everyMs of [100, 500, 1000]) {
      const smooth = new Smooth(4000);
      smooth.add(0, 0);
      smooth.add(0, 1);
      for (let t = everyMs; t <= 4000; t += everyMs) smooth.add(100, t);
      expect(Math.abs((smooth.value ?? 0) - 63.2)).toBeLessThan(100 * (everyMs / 4000));
    }
  });

  it("keeps what it knows where nothing was measured", () => {
    const smooth = new Smooth(4000);
    expect(smooth.add(null, 0)).toBeNull();
    smooth.add(30, 1000);
    expect(smooth.add(null, 9000)).toBe(30);
    expect(smooth.add(Number.POSITIVE_INFINITY, 9500)).toBe(30);
  });
});

describe("a gauge", () => {
  it("shows the first measurement at once, and nothing before", () => {
    const gauge = new Gauge();
    expect(gauge.add(NOTHING, 0)).toBeNull();
    expect(gauge.add(GOOD, 1000)).toBe(4);
  });

  it("does not flap on noise, wherever its mean lies and however it is seeded", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seeded(seed);
      const mean = 20 + random() * 1000;
      const loss = random() * 0.15;
      const bars = watch(new Gauge(), () => ({
        rttMs: mean * (0.6 + 0.8 * random()),
        jitterMs: 30 * random(),
        lossShare: Math.max(0, loss + (random() - 0.5) * 0.04),
        availableKbps: null,
        incomingKbps: null,
      }));
      // The first verdict is of one sample; it may be mended once, or twice where a second figure decides later.
      expect(changes(bars), `seed ${seed}, rtt ${mean}, loss ${loss}`).toBeLessThanOrEqual(2);
      expect(changes(bars.slice(120)), `seed ${seed}, settled`).toBeLessThanOrEqual(1);
    }
  });

  it("does not flap on noise exactly about a step", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seeded(seed * 31);
      const bars = watch(new Gauge(), () => ({ ...GOOD, rttMs: 300 * (0.6 + 0.8 * random()) }));
      expect(changes(bars), `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  });

  it("ignores one spike", () => {
    const bars = watch(new Gauge(), (n) => (n === 100 ? { ...GOOD, rttMs: 900 } : GOOD));
    expect(changes(bars)).toBe(0);
  });

  it("falls within 15 s when a connection turns bad, and rises again when it is good for a while", () => {
    const gauge = new Gauge();
    watch(gauge, () => GOOD, 30);
    expect(watch(gauge, () => ({ ...GOOD, lossShare: 0.3 }), 15, 30).at(-1)).toBe(1);
    const back = watch(gauge, () => GOOD, 90, 45);
    expect(back.at(-1)).toBe(4);
    expect(back.slice(0, 5).every((bars) => bars === 1)).toBe(true);
  });
});

describe("all gauges of a page", () => {
  it("forget a peer that is gone, and begin anew", () => {
    const gauges = new Gauges();
    gauges.add(
      [
        { peerId: "a", ...GOOD },
        { peerId: "b", ...GOOD, rttMs: 2000 },
      ],
      0,
    );
    expect(gauges.of("a")?.bars).toBe(4);
    expect(gauges.of("b")?.bars).toBe(1);
    gauges.add([{ peerId: "a", ...GOOD }], 1000);
    expect(gauges.of("b")).toBeNull();
    gauges.add([{ peerId: "b", ...GOOD }], 2000);
    expect(gauges.of("b")?.bars).toBe(4);
  });

  it("make one: the middle", () => {
    expect(overall([])).toBeNull();
    expect(overall([null])).toBeNull();
    expect(overall([4, null, 1, 4])).toBe(4);
    expect(overall([4, 1])).toBe(1);
    expect(overall([1, 1, 4])).toBe(1);
  });
});
