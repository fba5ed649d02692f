import { describe, expect, it } from "vitest";
import { Gaps, linkStats, NO_STATS, Pings, RoundTrips, ratePerS, type Stat } from "../src/peers/getstats";

const TRANSPORT: Stat = { id: "T", type: "transport", selectedCandidatePairId: "P" };
const PAIR: Stat = {
  id: "P",
  type: "candidate-pair",
  state: "succeeded",
  nominated: true,
  localCandidateId: "L",
  remoteCandidateId: "R",
  currentRoundTripTime: 0.042,
  responsesReceived: 7,
  availableOutgoingBitrate: 300_000,
  bytesSent: 1200,
  bytesReceived: 3400,
};
const local = (candidateType: string, more: Partial<Stat> = {}): Stat => ({
  id: "L",
  type: "local-candidate",
  candidateType,
  protocol: "udp",
  ...more,
});
const remote = (candidateType: string): Stat => ({
  id: "R",
  type: "remote-candidate",
  candidateType,
  protocol: "udp",
});
const CHANNELS: Stat[] = [
  { id: "D1", type: "data-channel", messagesSent: 10, messagesReceived: 20 },
  { id: "D2", type: "data-channel", messagesSent: 1, messagesReceived: 2 },
];

describe("what getStats says", () => {
  it("is a direct path where neither end is relayed", () => {
    for (const [one, other] of [
      ["host", "host"],
      ["srflx", "prflx"],
      ["prflx", "srflx"],
    ] as const) {
      expect(linkStats([TRANSPORT, PAIR, local(one), remote(other), ...CHANNELS])).toEqual({
        path: "direct",
        protocol: "UDP",
        rttMs: 42,
        checks: 7,
        availableKbps: null,
        bytesSent: 1200,
        bytesReceived: 3400,
        messagesSent: 11,
        messagesReceived: 22,
      });
    }
  });

  it("is TURN where either end is relayed, with the protocol to the TURN server", () => {
    const own = linkStats([TRANSPORT, PAIR, local("relay", { relayProtocol: "tls" }), remote("host")]);
    expect([own.path, own.protocol]).toEqual(["turn", "TLS"]);
    const theirs = linkStats([TRANSPORT, PAIR, local("host"), remote("relay")]);
    expect([theirs.path, theirs.protocol]).toEqual(["turn", "UDP"]);
  });

  it("is a node's where the other end is one, unless TURN is between", () => {
    expect(linkStats([TRANSPORT, PAIR, local("host"), remote("host")], true).path).toBe("node");
    expect(linkStats([TRANSPORT, PAIR, local("relay"), remote("host")], true).path).toBe("turn");
  });

  it("has a bandwidth only where media is sent to estimate it by", () => {
    const stats = [TRANSPORT, PAIR, local("host"), remote("host"), { id: "O", type: "outbound-rtp" }];
    expect(linkStats(stats).availableKbps).toBe(300);
  });

  it("finds the pair without transport stats: the selected one, or else the nominated one", () => {
    const other: Stat = { ...PAIR, id: "Q", currentRoundTripTime: 0.5 };
    expect(linkStats([other, { ...PAIR, selected: true }, local("host"), remote("host")]).rttMs).toBe(42);
    expect(linkStats([{ ...other, nominated: false }, PAIR, local("host"), remote("host")]).rttMs).toBe(42);
  });

  it("is no path while nothing is selected, and no figure where none is given", () => {
    expect(linkStats([])).toEqual(NO_STATS);
    expect(linkStats([{ ...PAIR, state: "in-progress" }, ...CHANNELS])).toEqual({
      ...NO_STATS,
      messagesSent: 11,
      messagesReceived: 22,
    });
    const bare = linkStats([TRANSPORT, { id: "P", type: "candidate-pair" }]);
    expect(bare).toEqual({ ...NO_STATS, path: "direct" });
  });
});

describe("rates", () => {
  it("are growth over time; a counter that was set back begins anew", () => {
    expect(ratePerS(1000, 3000, 2000)).toBe(1000);
    expect(ratePerS(1000, 500, 1000)).toBe(500);
    expect(ratePerS(0, 100, 0)).toBe(0);
  });
});

describe("round trips", () => {
  it("have a jitter that follows their differences, slowly", () => {
    const trips = new RoundTrips();
    for (let n = 0; n < 400; n += 1) trips.add(n % 2 ? 30 : 50);
    expect(trips.jitterMs).toBeCloseTo(20);
    for (let n = 0; n < 100; n += 1) trips.add(40);
    expect(trips.jitterMs).toBeLessThan(1);
    expect(trips.rttMs).toBe(40);
  });
});

describe("a first round trip that came late", () => {
  it("makes no connection a bad one", () => {
    const trips = new RoundTrips();
    for (const ms of [900, 40, 40]) trips.add(ms);
    expect(trips.jitterMs).toBeLessThan(100);
  });
});

describe("pings", () => {
  it("measure round trips, and their jitter by a sixteenth of each difference", () => {
    const pings = new Pings();
    pings.answered(pings.sent(0), 50);
    expect([pings.rttMs, pings.jitterMs]).toEqual([50, null]);
    pings.answered(pings.sent(1000), 1066);
    expect([pings.rttMs, pings.jitterMs]).toEqual([66, 1]);
    pings.answered(pings.sent(2000), 2066);
    expect(pings.jitterMs).toBe(15 / 16);
  });

  it("take an answer once, in any order, and none to what was not asked or is long ago", () => {
    const pings = new Pings();
    const [one, two] = [pings.sent(0), pings.sent(100)];
    pings.answered(two, 130);
    pings.answered(one, 150);
    expect(pings.rttMs).toBe(150);
    pings.answered(one, 9000);
    pings.answered("other", 9000);
    expect(pings.rttMs).toBe(150);
    const old = pings.sent(10_000);
    for (let n = 0; n < 20; n += 1) pings.sent(10_001 + n);
    pings.answered(old, 60_000);
    expect(pings.rttMs).toBe(150);
  });
});

describe("gaps", () => {
  const feed = (gaps: Gaps, counters: Iterable<number>, epoch = 1): void => {
    for (const counter of counters) gaps.add(epoch, counter);
  };
  const upTo = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => from + i);

  it("say nothing of few states", () => {
    const gaps = new Gaps();
    expect(gaps.lossShare).toBeNull();
    feed(gaps, upTo(50));
    expect(gaps.lossShare).toBeNull();
  });

  it("are none where all came, from wherever the counting began", () => {
    const gaps = new Gaps();
    feed(gaps, upTo(1000, 7000));
    expect(gaps.lossShare).toBe(0);
  });

  it("are the share that never came", () => {
    const gaps = new Gaps();
    feed(
      gaps,
      upTo(1001).filter((n) => n % 10 !== 5),
    );
    expect(gaps.lossShare).toBeCloseTo(0.1, 1);
  });

  it("are not of states that came out of order, or twice", () => {
    const gaps = new Gaps();
    feed(
      gaps,
      upTo(1000).map((n) => (n % 2 ? n - 1 : n + 1)),
    );
    expect(gaps.lossShare).toBeLessThan(0.01);
    feed(gaps, [999, 999, 999]);
    expect(gaps.lossShare).toBe(0);
  });

  it("are not made good by states that are told again, as the newest is by who stands still", () => {
    const gaps = new Gaps();
    const came = upTo(1000).filter((n) => n % 10 !== 5);
    feed(
      gaps,
      came.flatMap((n) => (n % 2 ? [n] : [n, n, n])),
    );
    expect(gaps.lossShare).toBeCloseTo(0.1, 2);
  });

  it("count nothing that comes more than a window late: who leaps ahead and fills up is not listened to for ever", () => {
    const gaps = new Gaps();
    feed(gaps, [...upTo(100), 100_000, ...upTo(99_900, 100)]);
    expect(gaps.lossShare).toBeGreaterThan(0.99);
  });

  it("forget: a connection that mended is good again", () => {
    const gaps = new Gaps();
    feed(
      gaps,
      upTo(600).filter((n) => n % 2 === 0),
    );
    expect(gaps.lossShare).toBeGreaterThan(0.4);
    feed(gaps, upTo(700, 600));
    expect(gaps.lossShare).toBe(0);
  });

  it("begin anew with an epoch", () => {
    const gaps = new Gaps();
    feed(
      gaps,
      upTo(300).filter((n) => n % 2 === 0),
    );
    gaps.add(2, 900);
    expect(gaps.lossShare).toBeNull();
    feed(gaps, upTo(150, 901), 2);
    expect(gaps.lossShare).toBe(0);
  });
});
