import { describe, expect, it } from "vitest";
import type { Stat } from "../src/peers/getstats";
import { Ladder, RATES, rateFits, SLOTS, slotsFit, type VoiceConditions } from "../src/voice/adapt";
import { UNHEARD } from "../src/voice/hearing";
import { mosOf, ratingOf } from "../src/voice/mos";
import { together, VoiceStats } from "../src/voice/stats";
import { LIMITS } from "../src/wire/generated";

describe("The E-model", () => {
  it("is at its best without delay and loss, and never better than the codec", () => {
    expect(ratingOf({ delayMs: 0, concealedShare: 0, kbps: 1_000_000 })).toBeCloseTo(93.2, 1);
    expect(mosOf({ delayMs: 50, concealedShare: 0, kbps: 32 })).toBeGreaterThan(4.1);
    expect(mosOf({ delayMs: 50, concealedShare: 0, kbps: 48 })).toBeGreaterThan(
      mosOf({ delayMs: 50, concealedShare: 0, kbps: 16 }),
    );
  });

  it("takes away for delay as Cole and Rosenbluth do: 0.024 a ms, and 0.11 more past 177.3", () => {
    const at = (delayMs: number) => ratingOf({ delayMs, concealedShare: 0, kbps: 32 });
    expect(at(0) - at(100)).toBeCloseTo(2.4, 6);
    expect(at(100) - at(277.3)).toBeCloseTo(0.024 * 177.3 + 11, 6);
  });

  it("takes away half of what is left at Bpl percent of loss (G.107 section 7.5)", () => {
    const at = (concealedShare: number) => ratingOf({ delayMs: 0, concealedShare, kbps: 32 });
    const codec = 93.2 - at(0);
    expect(at(0) - at(0.1)).toBeCloseTo((95 - codec) / 2, 6);
    expect(mosOf({ delayMs: 0, concealedShare: 1, kbps: 32 })).toBeLessThan(1.2);
    expect(mosOf({ delayMs: 100_000, concealedShare: 1, kbps: null })).toBe(1);
  });
});

describe("How much is sent and asked for", () => {
  const fine: VoiceConditions = {
    sentLossShare: 0,
    heardLossShare: 0,
    rttMs: 40,
    availableKbps: null,
    hintKbps: 48,
  };
  const settled = (ladder: Ladder<number>, now: VoiceConditions, fromMs: number, ms: number) => {
    for (let at = fromMs; at <= fromMs + ms; at += 1000) ladder.look(rateFits(now), at);
    return ladder.value;
  };

  it("is the most while nothing is known against it", () => {
    const unknown = { ...fine, sentLossShare: null, heardLossShare: null, rttMs: null };
    expect(settled(new Ladder(RATES), unknown, 0, 10_000)).toBe(48);
  });

  it("leaves room for FEC where a little is lost, and gives way where much is or the path is slow", () => {
    expect(settled(new Ladder(RATES), { ...fine, sentLossShare: 0.05 }, 0, 5000)).toBe(32);
    expect(settled(new Ladder(RATES), { ...fine, sentLossShare: 0.15 }, 0, 5000)).toBe(24);
    expect(settled(new Ladder(RATES), { ...fine, sentLossShare: 0.5 }, 0, 5000)).toBe(16);
    expect(settled(new Ladder(RATES), { ...fine, rttMs: 1000 }, 0, 5000)).toBe(24);
    expect(settled(new Ladder(RATES), { ...fine, availableKbps: 60 }, 0, 5000)).toBe(24);
    expect(settled(new Ladder(RATES), { ...fine, hintKbps: 0 }, 0, 5000)).toBe(16);
  });

  it("does not move for a moment's loss", () => {
    const ladder = new Ladder(RATES);
    settled(ladder, { ...fine, sentLossShare: 0.3 }, 0, 3000);
    expect(settled(ladder, fine, 4000, 3000)).toBe(48);
  });

  it("comes back one rung at a time, later than it fell, and not on the edge", () => {
    const ladder = new Ladder(RATES);
    expect(settled(ladder, { ...fine, sentLossShare: 0.5 }, 0, 5000)).toBe(16);
    expect(settled(ladder, fine, 6000, 11_000)).toBe(16);
    expect(settled(ladder, fine, 18_000, 1000)).toBe(24);
    expect(settled(ladder, { ...fine, sentLossShare: 0.08 }, 20_000, 60_000)).toBe(24);
    expect(settled(ladder, fine, 81_000, 40_000)).toBe(48);
  });

  it("asks for fewer voices where those that come are broken, and one is always left", () => {
    const ladder = new Ladder(SLOTS);
    const heard = (heardLossShare: number, fromMs: number) => {
      for (let at = fromMs; at <= fromMs + 5000; at += 1000)
        ladder.look(slotsFit({ ...fine, heardLossShare }), at);
      return ladder.value;
    };
    expect(heard(0.05, 0)).toBe(LIMITS.VOICE_SLOTS);
    expect(heard(0.12, 10_000)).toBe(3);
    expect(heard(0.9, 20_000)).toBe(1);
    expect(heard(0.9, 30_000)).toBe(1);
  });
});

describe("Figures of voice", () => {
  const inbound = (seconds: number, more: Partial<Stat> = {}): Stat => ({
    id: "i",
    type: "inbound-rtp",
    kind: "audio",
    mid: "1",
    packetsReceived: 45 * seconds,
    packetsLost: 5 * seconds,
    jitter: 0.012,
    jitterBufferDelay: 0.06 * 48_000 * seconds,
    jitterBufferEmittedCount: 48_000 * seconds,
    totalSamplesReceived: 48_000 * seconds,
    concealedSamples: 2400 * seconds,
    silentConcealedSamples: 480 * seconds,
    ...more,
  });

  it("are what the counters grew by: loss, what was made up but not in silence, and the rating that follows", () => {
    const stats = new VoiceStats();
    expect(stats.of("1")).toBe(UNHEARD);
    for (const second of [10, 12, 14]) stats.take([inbound(second)], 100, second * 1000);
    const { lossShare, jitterMs, concealedShare, rttMs, mos } = stats.of("1");
    expect(lossShare).toBeCloseTo(0.1);
    expect(jitterMs).toBe(12);
    expect(concealedShare).toBeCloseTo(0.04);
    expect(rttMs).toBe(100);
    expect(mos).toBeCloseTo(mosOf({ delayMs: 26.5 + 50 + 60, concealedShare: 0.04, kbps: null }));
    expect(stats.of("2")).toBe(UNHEARD);
    expect(stats.of(null)).toBe(UNHEARD);
  });

  it("do not take one check that came late for the path", () => {
    const rated = (rtts: number[]) => {
      const stats = new VoiceStats();
      rtts.forEach((rtt, n) => {
        stats.take([inbound(n + 1, { packetsLost: 0, concealedSamples: 0 })], rtt, 1000 * n);
      });
      return stats.of("1");
    };
    expect(rated([40, 40, 40, 40, 900, 900])).toEqual(rated([40, 40, 40, 40, 40, 40]));
    expect(rated([40, 40, 40, 40, 40, 40]).mos).toBeGreaterThan(4);
    expect(rated([900, 900, 900, 900, 900, 900]).mos).toBeLessThan(2);
  });

  it("forget what is long ago, and begin anew with another stream", () => {
    const stats = new VoiceStats();
    for (const second of [2, 4]) stats.take([inbound(second)], null, second * 1000);
    for (const second of [20, 22]) {
      stats.take([inbound(second, { packetsLost: 20, packetsReceived: 50 * second })], null, second * 1000);
    }
    expect(stats.of("1").lossShare).toBe(0);
    stats.take([inbound(1)], null, 23_000);
    expect(stats.of("1")).toBe(UNHEARD);
  });

  it("say nothing of a source in which hardly anything came", () => {
    const stats = new VoiceStats();
    stats.take([inbound(1)], 10, 1000);
    stats.take([inbound(1, { packetsReceived: 50 })], 10, 3000);
    expect(stats.of("1")).toBe(UNHEARD);
  });

  /** A reading each 2 s, of what came in that time: packets, those lost, and the ms that were made up (in silence: not told apart from those). */
  const heard = (
    steps: readonly [received: number, lost: number, concealedMs: number, silentMs?: number][],
  ) => {
    const stats = new VoiceStats();
    const sum = [0, 0, 0, 0];
    stats.take([inbound(0)], 20, 0);
    steps.forEach((step, n) => {
      step.forEach((value, at) => {
        sum[at] = (sum[at] ?? 0) + (value ?? 0);
      });
      const [received = 0, lost = 0, concealed = 0, silent = 0] = sum;
      const more = {
        packetsReceived: received,
        packetsLost: lost,
        concealedSamples: 48 * (concealed + silent),
        silentConcealedSamples: 48 * silent,
      };
      stats.take([inbound(2 * (n + 1), more)], 20, 2000 * (n + 1));
    });
    return stats.of("1");
  };

  it("do not take the end of a voice for a loss: what is made up after its last packet nobody misses", () => {
    const speaking = heard([
      [100, 0, 0],
      [100, 0, 0],
      [100, 0, 0],
    ]);
    expect(speaking.mos).toBeGreaterThan(4);
    for (const after of [0, 1, 2]) {
      const silence = Array.from(
        { length: after },
        () => [0, 0, after === 1 ? 60 : 0, 1940] as [number, number, number, number],
      );
      const ended = heard([[100, 0, 0], [100, 0, 0], [60, 0, 560], ...silence]);
      expect(ended).toMatchObject({ mos: speaking.mos, concealedShare: 0, lossShare: 0 });
    }
    const again = heard([
      [100, 0, 0],
      [60, 0, 560],
      [0, 0, 60, 1940],
      [70, 0, 0],
      [100, 0, 0],
    ]);
    expect(again).toMatchObject({ mos: speaking.mos, concealedShare: 0 });
  });

  it("do not take a pause (DTX sends a packet each 400 ms) for a loss", () => {
    const paused = heard([
      [100, 0, 0],
      [30, 0, 0, 1300],
      [5, 0, 0, 1900],
      [40, 0, 0, 1100],
    ]);
    expect(paused).toMatchObject({ lossShare: 0, concealedShare: 0 });
    expect(paused.mos).toBeGreaterThan(4);
  });

  it("count what was made up between packets, lost or late, and all of an outage", () => {
    const late = heard([
      [100, 0, 200],
      [100, 0, 200],
      [100, 0, 200],
    ]);
    expect(late.concealedShare).toBeCloseTo(0.1);
    expect(late.mos).toBeLessThan(2.6);
    const outage = heard([
      [100, 0, 0],
      [60, 0, 560],
      [0, 0, 60, 1940],
      [50, 190, 40],
      [100, 0, 0],
    ]);
    expect(outage.concealedShare).toBeCloseTo(660 / 6000);
    expect(outage.lossShare).toBeGreaterThan(0.3);
  });

  it("are forgotten with the voice: of nobody, or of another in the same section", () => {
    const stats = new VoiceStats();
    stats.follow("1", "ada.1");
    const pass = (fromS: number) => {
      for (const second of [0, 2, 4]) stats.take([inbound(fromS + second)], 20, 1000 * (fromS + second));
    };
    pass(0);
    expect(stats.follow("1", "ada.1")).toBe(false);
    expect(stats.of("1").mos).toBeLessThan(4);
    expect(stats.follow("1", "bob.1")).toBe(true);
    expect(stats.of("1")).toBe(UNHEARD);
    pass(6);
    expect(stats.of("1").mos).toBeLessThan(4);
    stats.follow("1", null);
    pass(12);
    expect(stats.of("1")).toBe(UNHEARD);
  });

  const outbound = (packetsSent: number, told: Partial<Stat> = {}): Stat[] => [
    { id: "o", type: "outbound-rtp", kind: "audio", packetsSent, bytesSent: 80 * packetsSent },
    { id: "r", type: "remote-inbound-rtp", kind: "audio", packetsLost: 0, roundTripTime: 0.08, ...told },
  ];

  it("know of the own voice what the other side reports", () => {
    const stats = new VoiceStats();
    stats.take(outbound(100, { timestamp: 1 }), null, 1000);
    stats.take(outbound(200, { timestamp: 2, packetsLost: 3 }), null, 3000);
    expect(stats.outgoing).toEqual({ lossShare: 0.03, rttMs: 80, kbps: 32 });
  });

  it("know what is sent by the report's own clock, over seconds: neither a page that was busy nor a pause makes it jump", () => {
    const stats = new VoiceStats();
    const rates: (number | null)[] = [];
    [0, 2600, 3900, 6700, 8000, 10_900].forEach((nowMs, n) => {
      const own = { id: "o", type: "outbound-rtp", kind: "audio", timestamp: 2000 * n, bytesSent: 8000 * n };
      stats.take([own], null, nowMs);
      rates.push(stats.outgoing.kbps);
    });
    expect(rates).toEqual([null, 32, 32, 32, 32, 32]);
    const paused = { id: "o", type: "outbound-rtp", kind: "audio", timestamp: 12_000, bytesSent: 40_100 };
    stats.take([paused], null, 12_000);
    expect(stats.outgoing.kbps).toBeCloseTo(24.1);
    stats.take([{ ...paused, timestamp: 14_000, bytesSent: 10 }], null, 14_000);
    expect(stats.outgoing.kbps).toBeNull();
  });

  it("take no report of a few packets for much loss, and none that nothing follows for what is so", () => {
    const stats = new VoiceStats();
    stats.take(outbound(1000, { timestamp: 1, packetsLost: 20 }), null, 0);
    stats.take(outbound(1004, { timestamp: 2, packetsLost: 22 }), null, 5000); // a pause: half of the four is lost
    expect(stats.outgoing.lossShare).toBeNull();
    stats.take(outbound(1250, { timestamp: 3, packetsLost: 27 }), null, 10_000);
    expect(stats.outgoing.lossShare).toBeCloseTo(5 / 246);
    for (let at = 11_000; at <= 27_000; at += 1000)
      stats.take(outbound(1250, { timestamp: 3, packetsLost: 27 }), null, at); // muted: nobody reports anything
    expect(stats.outgoing).toMatchObject({ lossShare: null, rttMs: null });
  });

  it("know between two reports of the other side, 7.5 s apart at most, what the last two say", () => {
    const stats = new VoiceStats();
    const shares: (number | null)[] = [];
    for (let second = 0; second <= 30; second += 1) {
      const reports = Math.floor(second / 7.5); // 5% is lost
      const told = { timestamp: reports, packetsLost: 18.75 * reports };
      stats.take(outbound(50 * second, told), null, 1000 * second);
      if (second >= 8) shares.push(stats.outgoing.lossShare);
    }
    for (const lossShare of shares) expect(lossShare).toBeCloseTo(0.05, 2);
  });

  it("are of another stream once it has sent less", () => {
    const stats = new VoiceStats();
    stats.take(outbound(1000, { timestamp: 1 }), null, 0);
    stats.take(outbound(60, { timestamp: 2, packetsLost: 30 }), null, 1000);
    expect(stats.outgoing.lossShare).toBeNull();
    stats.take(outbound(160, { timestamp: 3, packetsLost: 35 }), null, 2000);
    expect(stats.outgoing.lossShare).toBeCloseTo(0.05);
  });

  it("are the worst of all, but for the rating", () => {
    const one = { lossShare: 0.1, jitterMs: 5, concealedShare: null, rttMs: 50, mos: 4 };
    expect(together([one, { ...one, lossShare: 0.2, jitterMs: 1, mos: 2 }, UNHEARD])).toEqual({
      ...one,
      lossShare: 0.2,
      mos: 3,
    });
    expect(together([])).toEqual(UNHEARD);
  });
});
