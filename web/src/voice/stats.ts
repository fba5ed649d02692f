/**
 * What a page can know of the voices that come and of its own on the way out: a pure reduction of `RTCPeerConnection.getStats()` (W3C webrtc-stats).
 *
 * Its counters only grow; a figure is what they grew by over the last seconds. In them are those of everything that comes in one section: on the relay a slot,
 * whoever sits in it. What is made up in a silence (`silentConcealedSamples`) nobody misses.
 */

import type { Stat } from "../peers/getstats";
import { CODEC_DELAY_MS, mosOf } from "./mos";
import type { Hearing } from "./types";

/** Reports of so long count. */
const WINDOW_MS = 8000;
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
  /** Of the last report of the other side, 0 to 1. */
  readonly lossShare: number | null;
  readonly rttMs: number | null;
  readonly kbps: number | null;
}

/** One connection's voices, over time. */
export class VoiceStats {
  private readonly kept = new Map<string, Counters[]>();
  private sent: { bytes: number; atMs: number } | null = null;
  private report: readonly Stat[] = [];
  outgoing: Outgoing = { lossShare: null, rttMs: null, kbps: null };

  /** Takes a report; one that it has, it knows. */
  take(report: readonly Stat[], nowMs: number): void {
    if (report === this.report) return;
    this.report = report;
    const audio = report.filter(({ kind }) => kind === "audio");
    for (const stat of audio)
      if (stat.type === "inbound-rtp" && stat.mid !== undefined) this.add(stat, nowMs);
    this.out(audio, nowMs);
  }

  /** How well what comes in a section is heard, over a path of that round trip. */
  of(mid: string | null, rttMs: number | null, kbps: number | null = null): Hearing {
    return hearingOf(mid === null ? [] : (this.kept.get(mid) ?? []), rttMs, kbps);
  }

  private add(stat: Stat, atMs: number): void {
    const mid = stat.mid ?? "";
    const kept = this.kept.get(mid) ?? [];
    const counters = countersOf(stat, atMs);
    const began = (kept.at(-1)?.received ?? 0) > counters.received; // another stream
    this.kept.set(mid, [...(began ? [] : kept.filter((one) => atMs - one.atMs <= WINDOW_MS)), counters]);
  }

  private out(audio: readonly Stat[], atMs: number): void {
    const told = audio.find(({ type }) => type === "remote-inbound-rtp");
    const bytes = audio.find(({ type }) => type === "outbound-rtp")?.bytesSent;
    const before = this.sent;
    this.sent = bytes === undefined ? null : { bytes, atMs };
    const grew = before && bytes !== undefined && bytes >= before.bytes && atMs > before.atMs;
    this.outgoing = {
      lossShare: told?.fractionLost ?? null,
      rttMs: told?.roundTripTime === undefined ? null : told.roundTripTime * 1000,
      kbps: grew ? ((bytes - before.bytes) * 8) / (atMs - before.atMs) : null,
    };
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

function countersOf(stat: Stat, atMs: number): Counters {
  return {
    atMs,
    received: stat.packetsReceived ?? 0,
    lost: stat.packetsLost ?? 0,
    samples: stat.totalSamplesReceived ?? 0,
    concealed: Math.max(0, (stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0)),
    bufferS: stat.jitterBufferDelay ?? 0,
    emitted: stat.jitterBufferEmittedCount ?? 0,
    jitterMs: stat.jitter === undefined ? null : stat.jitter * 1000,
  };
}

function hearingOf(kept: readonly Counters[], rttMs: number | null, kbps: number | null): Hearing {
  const [first, last] = [kept[0], kept.at(-1)];
  if (!first || !last || first === last) return UNHEARD;
  const [received, lost] = [last.received - first.received, last.lost - first.lost];
  if (received + lost < PACKETS_MIN) return UNHEARD;
  const lossShare = share(lost, received + lost);
  const concealedShare = share(last.concealed - first.concealed, last.samples - first.samples);
  const emitted = last.emitted - first.emitted;
  const bufferMs = emitted > 0 ? ((last.bufferS - first.bufferS) * 1000) / emitted : 0;
  const delayMs = CODEC_DELAY_MS + (rttMs ?? 0) / 2 + bufferMs;
  const mos = mosOf({ delayMs, concealedShare, kbps });
  return { lossShare, jitterMs: last.jitterMs, concealedShare, rttMs, mos };
}

function share(part: number, all: number): number {
  return all > 0 ? Math.min(1, Math.max(0, part / all)) : 0;
}
