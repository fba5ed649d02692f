/**
 * What a page can know of a peer connection: a pure reduction of `RTCPeerConnection.getStats()` (W3C webrtc-stats), of
 * the control channel's pings, and of the gaps in what the presence channel brought. Time is an argument.
 *
 * getStats has no loss and no jitter of data channels: SCTP keeps them to itself. Jitter is that of round trips,
 * estimated as RFC 3550 section 6.4.1 does for arrivals: of ICE's connectivity checks, which the browser answers beside
 * the page, or else of ping and pong, which also wait for a page that is busy drawing. Loss is what is missing between
 * the counters of states that came by a channel that sends nothing again.
 */

import type { LinkPath } from "../wire/generated";

/** The members of stats dictionaries that count here. */
export interface Stat {
  readonly id: string;
  readonly type: string;
  readonly timestamp?: number;
  readonly selectedCandidatePairId?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly state?: string;
  readonly nominated?: boolean;
  readonly selected?: boolean;
  readonly currentRoundTripTime?: number;
  readonly responsesReceived?: number;
  readonly availableOutgoingBitrate?: number;
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
  readonly candidateType?: string;
  readonly protocol?: string;
  readonly relayProtocol?: string;
  readonly messagesSent?: number;
  readonly messagesReceived?: number;
  readonly kind?: string;
  readonly mid?: string;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly jitter?: number;
  readonly jitterBufferDelay?: number;
  readonly jitterBufferEmittedCount?: number;
  readonly totalSamplesReceived?: number;
  readonly concealedSamples?: number;
  readonly silentConcealedSamples?: number;
  readonly packetsSent?: number;
  readonly roundTripTime?: number;
}

export interface LinkStats {
  readonly path: LinkPath;
  /** As a person reads it: "UDP", "TCP", "TLS"; null while there is no pair. */
  readonly protocol: string | null;
  /** Of the newest connectivity check; `checks` tells whether it is another one than before. */
  readonly rttMs: number | null;
  readonly checks: number;
  /** Null where there is no media to estimate it by: what Chromium says then is where it would start. */
  readonly availableKbps: number | null;
  /** On the wire's payload, of everything. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Of the data channels. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
}

export const NO_STATS: LinkStats = {
  path: "none",
  protocol: null,
  rttMs: null,
  checks: 0,
  availableKbps: null,
  bytesSent: 0,
  bytesReceived: 0,
  messagesSent: 0,
  messagesReceived: 0,
};

/** The figures of a connection; `node` where its other end is a media node. */
export function linkStats(report: Iterable<Stat>, node = false): LinkStats {
  const stats = new Map([...report].map((stat) => [stat.id, stat] as const));
  const all = [...stats.values()];
  const channels = all.filter(({ type }) => type === "data-channel");
  const messages = {
    messagesSent: sum(channels.map((stat) => stat.messagesSent)),
    messagesReceived: sum(channels.map((stat) => stat.messagesReceived)),
  };
  const pair = selectedPair(stats, all);
  if (!pair) return { ...NO_STATS, ...messages };
  const local = stats.get(pair.localCandidateId ?? "");
  const remote = stats.get(pair.remoteCandidateId ?? "");
  const relayed = [local, remote].find((end) => end?.candidateType === "relay");
  const media = all.some(({ type }) => type === "outbound-rtp");
  return {
    path: relayed ? "turn" : node ? "node" : "direct",
    protocol: (relayed?.relayProtocol ?? local?.protocol)?.toUpperCase() ?? null,
    rttMs: scaled(pair.currentRoundTripTime, 1000),
    checks: pair.responsesReceived ?? 0,
    availableKbps: media ? scaled(pair.availableOutgoingBitrate, 0.001) : null,
    bytesSent: pair.bytesSent ?? 0,
    bytesReceived: pair.bytesReceived ?? 0,
    ...messages,
  };
}

/** The transport names it; Firefox has no transport stats, and marks the pair itself. */
function selectedPair(stats: ReadonlyMap<string, Stat>, all: readonly Stat[]): Stat | undefined {
  const named = all.find(
    ({ type, selectedCandidatePairId }) => type === "transport" && selectedCandidatePairId,
  );
  const pair = stats.get(named?.selectedCandidatePairId ?? "");
  if (pair) return pair;
  const pairs = all.filter(({ type, state }) => type === "candidate-pair" && state === "succeeded");
  return pairs.find(({ selected }) => selected) ?? pairs.find(({ nominated }) => nominated);
}

function scaled(value: number | undefined, by: number): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value * by;
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** Growth a second between two readings of a counter; a counter that was set back begins anew. */
export function ratePerS(before: number, after: number, elapsedMs: number): number {
  if (elapsedMs <= 0) return 0;
  return ((after >= before ? after - before : after) * 1000) / elapsedMs;
}

/** Round trips as they are measured, and how much they differ. */
export class RoundTrips {
  rttMs: number | null = null;
  jitterMs: number | null = null;

  add(ms: number): void {
    if (this.rttMs !== null) {
      const before = this.jitterMs ?? 0; // as RFC 3550 appendix A.8 begins: a first one that came late is not what they all are
      this.jitterMs = before + (Math.abs(ms - this.rttMs) - before) / 16;
    }
    this.rttMs = ms;
  }
}

/** Round trips of pings on a control channel. */
export class Pings extends RoundTrips {
  private next = 0;
  private readonly waiting = new Map<string, number>();

  /** The id of a ping that goes out now. Who does not answer for long is not waited for. */
  sent(nowMs: number): string {
    this.next += 1;
    const id = `q${this.next}`;
    this.waiting.set(id, nowMs);
    if (this.waiting.size > PINGS_OPEN) this.waiting.delete(this.waiting.keys().next().value ?? "");
    return id;
  }

  /** Takes a pong; one that nobody waits for says nothing. */
  answered(id: string, nowMs: number): void {
    const sentMs = this.waiting.get(id);
    if (sentMs === undefined) return;
    this.waiting.delete(id);
    this.add(Math.max(0, nowMs - sentMs));
  }
}

const PINGS_OPEN = 8;

/** The share of counters that never came, over the last windows. One for each sender of a lossy channel. */
export class Gaps {
  private epoch = -1;
  private first = 0;
  private highest = -1;
  /** Of this window, each once: of who stands still the newest comes again. */
  private came = new Set<number>();
  private last: { expected: number; first: number; came: Set<number> } | null = null;

  /** Takes the counter of a state as it arrives, in whatever order. A new epoch begins anew. */
  add(epoch: number, counter: number): void {
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.begin(counter);
      this.last = null;
    }
    if (counter < this.first) {
      const since = Math.max(this.last?.first ?? this.first, this.first - GAP_WINDOW);
      if (counter >= since) this.last?.came.add(counter); // it was overtaken
      return;
    }
    this.highest = Math.max(this.highest, counter);
    this.came.add(counter);
    const expected = this.highest - this.first + 1;
    if (expected < GAP_WINDOW) return;
    this.last = { expected, first: this.first, came: this.came };
    this.begin(this.highest + 1);
  }

  /** Null until there is enough to say something. */
  get lossShare(): number | null {
    const all = (this.last?.expected ?? 0) + this.highest - this.first + 1;
    if (all < GAP_WINDOW / 2) return null;
    return 1 - ((this.last?.came.size ?? 0) + this.came.size) / all;
  }

  private begin(counter: number): void {
    this.first = counter;
    this.highest = counter - 1;
    this.came = new Set();
  }
}

/** Counters: ten seconds at 20 Hz. */
const GAP_WINDOW = 200;
