/**
 * What a page can know of the voices that come and of its own on the way out: a pure reduction of `RTCPeerConnection.getStats()` (W3C webrtc-stats).
 *
 * Its counters only grow; a figure is what they grew by over the last seconds. In them are those of everything that comes in one section: on the relay a slot,
 * whoever sits in it. What is made up in a silence (`silentConcealedSamples`) nobody misses.
 */

import type { Stat } from "../peers/getstats";
import { median } from "../peers/quality";
import { CODEC_DELAY_MS, mosOf } from "./mos";
import type { Hearing } from "./types";

/** Reports of so long count. */
const WINDOW_MS = 8000;
/** The other side's last two too, until there is another: browsers send one each 2.5 to 7.5 s (RFC 3550 section 6.3.1). */
const TOLD_MS = 16_000;
/** Below so many packets a share says nothing. */
const PACKETS_MIN = 25;

interface Counters {
  readonly atMs: number;
  readonly received: number;
  readonly lost: number;
  readonly samples: number;
  readonly concealed: number;
  readonly bufferS: number;
  readonly emitted: number;
  readonly jitterMs: number | null;
  readonly rttMs: number | null;
}

/** What the other side said in a report, and how much had been sent by then. */
interface Told {
  readonly atMs: number;
  readonly sent: number;
  readonly lost: number;
  readonly rttMs: number | null;
}

export const UNHEARD: Hearing = {
  lossShare: null,
  jitterMs: null,
  concealedShare: null,
  rttMs: null,
  mos: null,
};

/** The own voice as it leaves. */
export interface Outgoing {
  /** Of what was sent between the other side's reports, 0 to 1; null: too little for a share, or nothing new is told. */
  readonly lossShare: number | null;
  /** The middle of what they say. */
  readonly rttMs: number | null;
  readonly kbps: number | null;
}

/** One connection's voices, over time. */
export class VoiceStats {
  private readonly kept = new Map<string, Counters[]>();
  private sent: { bytes: number; atMs: number } | null = null;
  private told: readonly Told[] = [];
  /** The report of the other side that was counted last. */
  private toldLast = "";
  private report: readonly Stat[] = [];
  outgoing: Outgoing = { lossShare: null, rttMs: null, kbps: null };

  /** Takes a report, over a path of that round trip; one that it has, it knows. */
  take(report: readonly Stat[], rttMs: number | null, nowMs: number): void {
    if (report === this.report) return;
    this.report = report;
    const audio = report.filter(({ kind }) => kind === "audio");
    for (const stat of audio)
      if (stat.type === "inbound-rtp" && stat.mid !== undefined) this.add(stat, rttMs, nowMs);
    this.out(audio, nowMs);
  }

  /** How well what comes in a section is heard. */
  of(mid: string | null): Hearing {
    return hearingOf(mid === null ? [] : (this.kept.get(mid) ?? []));
  }

  private add(stat: Stat, rttMs: number | null, atMs: number): void {
    const mid = stat.mid ?? "";
    const kept = this.kept.get(mid) ?? [];
    const counters = countersOf(stat, rttMs, atMs);
    const began = (kept.at(-1)?.received ?? 0) > counters.received; // another stream
    this.kept.set(mid, [...(began ? [] : kept.filter((one) => atMs - one.atMs <= WINDOW_MS)), counters]);
  }

  private out(audio: readonly Stat[], atMs: number): void {
    const own = audio.find(({ type }) => type === "outbound-rtp");
    const bytes = own?.bytesSent;
    const before = this.sent;
    this.sent = bytes === undefined ? null : { bytes, atMs };
    const grew = before && bytes !== undefined && bytes >= before.bytes && atMs > before.atMs;
    this.hear(
      audio.find(({ type }) => type === "remote-inbound-rtp"),
      own?.packetsSent ?? 0,
      atMs,
    );
    const [first, last] = [this.told[0], this.told.at(-1)];
    const sent = (last?.sent ?? 0) - (first?.sent ?? 0);
    this.outgoing = {
      lossShare: sent < PACKETS_MIN ? null : share((last?.lost ?? 0) - (first?.lost ?? 0), sent),
      rttMs: median(this.told.map(({ rttMs }) => rttMs)),
      kbps: grew ? ((bytes - before.bytes) * 8) / (atMs - before.atMs) : null,
    };
  }

  /** A report of the other side stays in getStats until there is another: it counts once, and not for ever. */
  private hear(told: Stat | undefined, sent: number, atMs: number): void {
    const newest = this.told.at(-1);
    if (newest && atMs - newest.atMs > TOLD_MS) this.told = [];
    const name = told ? `${told.id} ${told.timestamp}` : "";
    if (!told || name === this.toldLast) return;
    this.toldLast = name;
    const lost = told.packetsLost ?? 0;
    if (newest && newest.sent > sent) this.told = []; // another stream
    const rttMs = told.roundTripTime === undefined ? null : told.roundTripTime * 1000;
    const kept = this.told.filter((one) => one === newest || atMs - one.atMs <= WINDOW_MS);
    this.told = [...kept, { atMs, sent, lost, rttMs }];
  }
}

/** The worst of each figure: what a person notices is the weakest voice. Its MOS is the mean, for they are heard in turn. */
export function together(hearings: readonly Hearing[]): Hearing {
  const known = (of: (one: Hearing) => number | null): number[] =>
    hearings.map(of).filter((value) => value !== null);
  const worst = (of: (one: Hearing) => number | null): number | null => {
    const values = known(of);
    return values.length > 0 ? Math.max(...values) : null;
  };
  const ratings = known(({ mos }) => mos);
  return {
    lossShare: worst(({ lossShare }) => lossShare),
    jitterMs: worst(({ jitterMs }) => jitterMs),
    concealedShare: worst(({ concealedShare }) => concealedShare),
    rttMs: worst(({ rttMs }) => rttMs),
    mos: ratings.length > 0 ? ratings.reduce((sum, mos) => sum + mos, 0) / ratings.length : null,
  };
}

function countersOf(stat: Stat, rttMs: number | null, atMs: number): Counters {
  return {
    atMs,
    rttMs,
    received: stat.packetsReceived ?? 0,
    lost: stat.packetsLost ?? 0,
    samples: stat.totalSamplesReceived ?? 0,
    concealed: Math.max(0, (stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0)),
    bufferS: stat.jitterBufferDelay ?? 0,
    emitted: stat.jitterBufferEmittedCount ?? 0,
    jitterMs: stat.jitter === undefined ? null : stat.jitter * 1000,
  };
}

/** The round trip is the middle of what was read: a single check that came late is not how far it is. */
function hearingOf(kept: readonly Counters[]): Hearing {
  const [first, last] = [kept[0], kept.at(-1)];
  if (!first || !last || first === last) return UNHEARD;
  const [received, lost] = [last.received - first.received, last.lost - first.lost];
  if (received + lost < PACKETS_MIN) return UNHEARD;
  const lossShare = share(lost, received + lost);
  const concealedShare = share(last.concealed - first.concealed, last.samples - first.samples);
  const emitted = last.emitted - first.emitted;
  const bufferMs = emitted > 0 ? ((last.bufferS - first.bufferS) * 1000) / emitted : 0;
  const rttMs = median(kept.map((one) => one.rttMs));
  const delayMs = CODEC_DELAY_MS + (rttMs ?? 0) / 2 + bufferMs;
  const mos = mosOf({ delayMs, concealedShare, kbps: null });
  return { lossShare, jitterMs: last.jitterMs, concealedShare, rttMs, mos };
}

function share(part: number, all: number): number {
  return all > 0 ? Math.min(1, Math.max(0, part / all)) : 0;
}
