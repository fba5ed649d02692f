/**
 * How good a connection is, as zero to four bars. Pure: time is an argument.
 *
 * A figure is worth as many bars as its row of `STEPS` says, and a connection as many as its worst figure: what a person
 * feels is the weakest part. Figures are smoothed before they are judged, and a verdict changes only where the smoothed
 * figure is past a step by a margin, for a while: what hovers about a step never makes bars flap.
 *
 * Where the steps come from. Round trips are twice ITU-T G.114's one-way times: at most 150 ms is "essentially transparent",
 * 400 ms is never to be exceeded, and its section on highly interactive tasks asks for less than 100; we ask half of that for
 * four bars. Jitter: ITU-T Y.1541 bounds the variation in its interactive classes by 50 ms (also one tick of ours); four bars
 * are below half a tick, two are two ticks. Loss: ITU-T G.1010 takes 3% for conversation and 1% with video; at 10% a state
 * in ten is one tick late, which interpolation still hides, beyond it motion visibly stutters. Bandwidth is our own need:
 * poses at 20 Hz to one peer are about 40 kbit/s.
 */

/** Zero is no connection, then bad, fair, good, excellent. */
export type Bars = 0 | 1 | 2 | 3 | 4;

/** What was measured of a connection; null is not known. */
export interface Measured {
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  readonly lossShare: number | null;
  /** What the way there carries. */
  readonly availableKbps: number | null;
  /** What the way here carries. */
  readonly incomingKbps: number | null;
}

/** A figure's worst values that are still worth four, three and two bars: of bandwidth the least, of all else the most. */
export const STEPS = {
  rttMs: [100, 300, 800],
  jitterMs: [20, 50, 100],
  lossShare: [0.01, 0.03, 0.1],
  availableKbps: [200, 100, 48],
  incomingKbps: [200, 100, 48],
} as const satisfies Record<keyof Measured, readonly [number, number, number]>;

export const BARS_TEXT: Record<Bars, string> = {
  0: "No connection",
  1: "Bad",
  2: "Fair",
  3: "Good",
  4: "Excellent",
};

/** After so long, a figure that jumped is shown by two thirds: more for what is noisier. */
const SMOOTH_MS: Record<keyof Measured, number> = {
  rttMs: 6000,
  jitterMs: 8000,
  lossShare: 12_000,
  availableKbps: 8000,
  incomingKbps: 8000,
};
/** A smoothed figure must be so much past a step, either way; loss is counted in few states, and so the roughest. */
const MARGIN: Record<keyof Measured, number> = {
  rttMs: 0.25,
  jitterMs: 0.3,
  lossShare: 0.4,
  availableKbps: 0.25,
  incomingKbps: 0.25,
};
/** And for so long: a fall is told sooner than a rise is believed. */
const FALL_MS = 3000;
const RISE_MS = 6000;

const FIGURES = ["rttMs", "jitterMs", "lossShare", "availableKbps", "incomingKbps"] as const;

/** The bars of one moment; null where nothing is known. `margins`: 1 judges each figure milder by its margin, -1 harder. */
export function scoreOf(measured: Measured, margins: 1 | 0 | -1 = 0): Bars | null {
  let worst: Bars | null = null;
  for (const figure of FIGURES) {
    const value = measured[figure];
    if (value === null || !Number.isFinite(value)) continue;
    const bars = barsOf(figure, value, 1 + margins * MARGIN[figure]);
    if (worst === null || bars < worst) worst = bars;
  }
  return worst;
}

function barsOf(figure: keyof Measured, value: number, ease: number): Bars {
  const [four, three, two] = STEPS[figure];
  const good = (step: number): boolean => (four > two ? value * ease >= step : value / ease <= step);
  if (good(four)) return 4;
  if (good(three)) return 3;
  return good(two) ? 2 : 1;
}

/** An exponentially weighted mean over time, for samples that come when they come. One stray sample does not count. */
export class Smooth {
  value: number | null = null;
  private atMs = 0;
  private recent: number[] = [];

  constructor(private readonly constantMs: number) {}

  /** Takes a sample; null leaves it as it is for a while: what nobody measures any more is not known any more. */
  add(sample: number | null, nowMs: number): number | null {
    if (sample === null || !Number.isFinite(sample)) {
      if (nowMs - this.atMs > FORGOTTEN_MS) this.forget();
      return this.value;
    }
    this.recent = [...this.recent.slice(-2), sample];
    const typical = this.recent.length < 3 ? sample : [...this.recent].sort((a, b) => a - b)[1];
    const elapsed = Math.max(0, nowMs - this.atMs);
    const known = this.value ?? sample;
    this.value = known + (1 - Math.exp(-elapsed / this.constantMs)) * ((typical ?? sample) - known);
    this.atMs = nowMs;
    return this.value;
  }

  private forget(): void {
    this.value = null;
    this.recent = [];
  }
}

/** Longer than anything pauses that is measured at all. */
const FORGOTTEN_MS = 30_000;

/** One connection's bars over time. */
export class Gauge {
  /** Null until something was measured. */
  bars: Bars | null = null;
  private readonly smooth = {
    rttMs: new Smooth(SMOOTH_MS.rttMs),
    jitterMs: new Smooth(SMOOTH_MS.jitterMs),
    lossShare: new Smooth(SMOOTH_MS.lossShare),
    availableKbps: new Smooth(SMOOTH_MS.availableKbps),
    incomingKbps: new Smooth(SMOOTH_MS.incomingKbps),
  };
  private wanted: "rise" | "fall" | null = null;
  private sinceMs = 0;

  /** The smoothed figures. */
  get measured(): Measured {
    return {
      rttMs: this.smooth.rttMs.value,
      jitterMs: this.smooth.jitterMs.value,
      lossShare: this.smooth.lossShare.value,
      availableKbps: this.smooth.availableKbps.value,
      incomingKbps: this.smooth.incomingKbps.value,
    };
  }

  /** Takes what is measured now; the bars that follow. */
  add(measured: Measured, nowMs: number): Bars | null {
    for (const figure of FIGURES) this.smooth[figure].add(measured[figure], nowMs);
    const now = this.measured;
    if (this.bars === null) {
      this.bars = scoreOf(now);
      return this.bars;
    }
    const surely = scoreOf(now, -1) ?? this.bars;
    const atMost = scoreOf(now, 1) ?? this.bars;
    const wants = this.bars < surely ? "rise" : this.bars > atMost ? "fall" : null;
    if (wants !== this.wanted) {
      this.wanted = wants;
      this.sinceMs = nowMs;
    }
    if (wants && nowMs - this.sinceMs >= (wants === "rise" ? RISE_MS : FALL_MS)) {
      this.bars = wants === "rise" ? surely : atMost;
      this.wanted = null;
    }
    return this.bars;
  }
}

/** The gauges of all a page's connections, by peer; whoever is gone is forgotten, and begins anew. */
export class Gauges {
  private readonly known = new Map<string, Gauge>();

  /** Takes all connections that there are now. */
  add(links: readonly (Measured & { readonly peerId: string })[], nowMs: number): void {
    const here = new Set(links.map(({ peerId }) => peerId));
    for (const peerId of this.known.keys()) if (!here.has(peerId)) this.known.delete(peerId);
    for (const link of links) {
      let gauge = this.known.get(link.peerId);
      if (!gauge) {
        gauge = new Gauge();
        this.known.set(link.peerId, gauge);
      }
      gauge.add(link, nowMs);
    }
  }

  of(peerId: string): Gauge | null {
    return this.known.get(peerId) ?? null;
  }
}

/** A page's own bars: the middle of its connections' (one bad link is not a bad network); null without any. */
export function overall(bars: readonly (Bars | null)[]): Bars | null {
  return median(bars);
}

/** The middle of what is known, the smaller one of two. */
export function median<T extends number>(values: readonly (T | null)[]): T | null {
  const known = values.filter((value): value is T => value !== null).sort((a, b) => a - b);
  return known[Math.floor((known.length - 1) / 2)] ?? null;
}
