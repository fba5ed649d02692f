import { describe, expect, it } from "vitest";
import {
  BACK_MS,
  Chooser,
  type Conditions,
  EFFORTS,
  effortOf,
  RULES,
  voiceKbps,
} from "../src/peers/adaptation";
import { type Bars, scoreOf } from "../src/peers/quality";

const CALM: Conditions = { pages: 4, meshMax: 6, bars: [4, 4, 4], uplinkKbps: null, waitingBytes: 0 };

/** What is wanted at each of so many seconds. */
function watch(chooser: Chooser, at: (n: number) => Conditions, seconds: number, from = 0): string[] {
  return Array.from({ length: seconds }, (_, n) => chooser.look(at(n), (from + n) * 1000));
}

const changes = (seen: readonly unknown[]): number =>
  seen.filter((value, n) => n > 0 && value !== seen[n - 1]).length;

describe("mesh or relay", () => {
  it("is the mesh while nothing asks for more", () => {
    expect(watch(new Chooser(), () => CALM, 120)).not.toContain("relay");
  });

  it.each([
    ["more pages than a mesh carries", { pages: 7 }, "count", 0],
    ["a narrow uplink", { uplinkKbps: 100 }, "uplink", 5],
    ["bytes that wait", { waitingBytes: 20_000 }, "uplink", 5],
    ["mostly bad links", { bars: [1, 1, 4] as Bars[] }, "uplink", 8],
  ])("goes to the relay for %s, after its time and not before", (_, what, reason, afterS) => {
    const chooser = new Chooser();
    const seen = watch(chooser, () => ({ ...CALM, ...what }), 20);
    expect(seen.indexOf("relay")).toBe(afterS);
    expect(chooser.reason).toBe(reason);
    expect(changes(seen)).toBeLessThanOrEqual(1);
  });

  it("waits for a rule to hold without a break", () => {
    const chooser = new Chooser();
    const seen = watch(chooser, (n) => (n % 4 === 3 ? CALM : { ...CALM, uplinkKbps: 50 }), 120);
    expect(seen).not.toContain("relay");
  });

  it("does not blame one's own network for one bad link of few", () => {
    expect(watch(new Chooser(), () => ({ ...CALM, pages: 2, bars: [1] }), 60)).not.toContain("relay");
    expect(watch(new Chooser(), () => ({ ...CALM, pages: 2, bars: [1], uplinkKbps: 1 }), 60)).not.toContain(
      "relay",
    );
    expect(watch(new Chooser(), () => ({ ...CALM, bars: [1, 4, 4] }), 60)).not.toContain("relay");
  });

  it("comes back only below the lower threshold, and only after a while", () => {
    const chooser = new Chooser();
    watch(chooser, () => ({ ...CALM, pages: 7 }), 5);
    expect(watch(chooser, () => ({ ...CALM, pages: 5 }), 300, 5)).not.toContain("mesh");
    const seen = watch(chooser, () => CALM, 60, 305);
    expect(seen.indexOf("mesh")).toBe(BACK_MS / 1000);
    expect(chooser.reason).toBeNull();
  });

  it("begins to wait again where a reason came back meanwhile", () => {
    const chooser = new Chooser();
    watch(chooser, () => ({ ...CALM, pages: 7 }), 5);
    watch(chooser, () => CALM, 20, 5);
    watch(chooser, () => ({ ...CALM, pages: 5 }), 1, 25);
    const seen = watch(chooser, () => CALM, 60, 26);
    expect(seen.indexOf("mesh")).toBe(BACK_MS / 1000);
  });

  it("respects a mesh that is smaller than what one comes back at", () => {
    const chooser = new Chooser();
    watch(chooser, () => ({ ...CALM, meshMax: 2, pages: 3 }), 5);
    expect(watch(chooser, () => ({ ...CALM, meshMax: 2, pages: 3 }), 100, 5)).not.toContain("mesh");
    expect(watch(chooser, () => ({ ...CALM, meshMax: 2, pages: 2, bars: [4] }), 60, 105)).toContain("mesh");
  });

  it("does not flap while people come and go about the threshold", () => {
    for (const offset of [0, 1, 2, 3]) {
      const chooser = new Chooser();
      const seen = watch(chooser, (n) => ({ ...CALM, pages: 5 + ((n * 7 + offset) % 4) }), 600);
      expect(changes(seen)).toBeLessThanOrEqual(1);
    }
  });

  it("does not flap while an uplink hovers about its need", () => {
    const chooser = new Chooser();
    const seen = watch(chooser, (n) => ({ ...CALM, uplinkKbps: 144 + 40 * Math.sin(n / 5) }), 900);
    expect(changes(seen)).toBeLessThanOrEqual(1);
  });

  it("tries ever more seldom where the mesh does not carry: on the relay nothing shows that it would not", () => {
    const chooser = new Chooser();
    let back = 0;
    for (let n = 0; n < 3600; n += 1) {
      const before = chooser.wanted;
      const bars: Bars[] = before === "mesh" ? [1, 1, 1] : [];
      chooser.look({ ...CALM, bars }, n * 1000);
      if (before === "relay" && chooser.wanted === "mesh") back += 1;
    }
    expect(back).toBeGreaterThan(2);
    expect(back).toBeLessThanOrEqual(11);
  });

  it("forgets that once the mesh held for long", () => {
    const chooser = new Chooser();
    const bad = (from: number): void => {
      watch(chooser, () => ({ ...CALM, bars: [1, 1, 1] }), 10, from);
      expect(chooser.wanted).toBe("relay");
    };
    const wait = (from: number): number => watch(chooser, () => CALM, 700, from).indexOf("mesh");
    bad(0);
    const first = wait(10);
    bad(710);
    expect(wait(720)).toBe(first);
    bad(1420);
    expect(chooser.wanted).toBe("relay");
    watch(chooser, () => CALM, first + 5, 1430);
    bad(1430 + first + 5);
    expect(wait(1440 + first + 5)).toBeGreaterThan(first * 1.5);
  });

  it("lingers wherever a rule asks: coming back is never easier than going", () => {
    for (const pages of [1, 2, 3, 5, 7, 9]) {
      for (const uplinkKbps of [null, 10, 100, 200, 400]) {
        for (const waitingBytes of [0, 2000, 5000, 50_000]) {
          for (const bars of [[], [1], [1, 1], [1, 4, 4], [1, 1, 4]] as Bars[][]) {
            const now = { pages, meshMax: 6, bars, uplinkKbps, waitingBytes };
            for (const rule of RULES) if (rule.asks(now)) expect(rule.lingers(now), rule.name).toBe(true);
          }
        }
      }
    }
  });
});

describe("how much is sent", () => {
  it("is 20, 10 or 5 states a second, by bars", () => {
    expect([4, 3, 2, 1].map((bars) => effortOf(bars as Bars).sendHz)).toEqual([20, 20, 10, 5]);
    expect(effortOf(null)).toBe(EFFORTS[3]);
  });

  it("is of a voice what all but the loss of states allows, of which its own reports know more, and what the way here carries: it goes the other", () => {
    const measured = { rttMs: 40, jitterMs: 5, lossShare: 0.12, availableKbps: null, incomingKbps: 20 };
    expect(scoreOf(measured)).toBe(1);
    expect(voiceKbps(measured)).toBe(48);
    expect(voiceKbps({ ...measured, jitterMs: 60 })).toBe(24);
    expect(voiceKbps({ ...measured, availableKbps: 60 })).toBe(24);
    expect(voiceKbps(null)).toBe(32);
  });

  it("never asks more of a worse connection, in any column", () => {
    const rows = ([0, 1, 2, 3, 4] as const).map((bars) => EFFORTS[bars]);
    for (const [n, better] of rows.entries()) {
      const worse = rows[n - 1];
      if (!worse) continue;
      expect(worse.sendHz).toBeLessThanOrEqual(better.sendHz);
      expect(worse.frameBytes).toBeLessThanOrEqual(better.frameBytes);
      expect(worse.audioKbps).toBeLessThanOrEqual(better.audioKbps);
      expect(worse.video?.spatial ?? -1).toBeLessThanOrEqual(better.video?.spatial ?? -1);
      expect(worse.video?.temporal ?? -1).toBeLessThanOrEqual(better.video?.temporal ?? -1);
    }
  });
});
