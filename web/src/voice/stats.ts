/**
 * What a page can know of the voices that come and of its own on the way out: a pure reduction of `RTCPeerConnection.getStats()` (W3C webrtc-stats).
 *
 * Its counters only grow; a figure is what they grew by over the last seconds (hearing.ts), of one voice: they are forgotten once another's comes in the
 * section (on the relay a slot), or nobody's may be heard there. What is made up in a silence (`silentConcealedSamples`) nobody misses.
 */

import type { Stat } from "../peers/getstats";
import { median } from "../peers/quality";
import type { PeerId } from "../wire/generated";
import { type Counters, hearingOf, PACKETS_MIN, share } from "./hearing";
import type { Hearing } from "./types";

/** Reports of so long count. */
const WINDOW_MS = 8000;
/** The other side's last two too, until there is another: browsers send one each 2.5 to 7.5 s (RFC 3550 section 6.3.1). */
const TOLD_MS = 16_000;
/** What the other side said in a report, and how much had been sent by then. */
interface Told {
  readonly atMs: number;
  readonly sent: number;
  readonly lost: number;
  readonly rttMs: number | null;
}

/** The own voice as it leaves. */
export interface Outgoing {
  /** Of what was sent between the other side's reports, 0 to 1; null: too little for a share, or nothing new is told. */
  readonly lossShare: number | null;
  /** The middle of what they say. */
  readonly rttMs: number | null;
  /** What was sent over the last seconds, pauses and all. */
  readonly kbps: number | null;
}

/** One connection's voices, over time. */
export class VoiceStats {
  private readonly kept = new Map<string, Counters[]>();
  /** By section; null: nobody may be heard in it. */
  private readonly voices = new Map<string, PeerId | null>();
  private sent: readonly { bytes: number; atMs: number }[] = [];
  private told: readonly Told[] = [];
  /** The report of the other side that was counted last. */
  private toldLast = "";
  private report: readonly Stat[] = [];
  outgoing: Outgoing = { lossShare: null, rttMs: null, kbps: null };

  /** Whose voice may be heard in a section, null: nobody's. Another one is measured anew; whether it is another. */
  follow(mid: string | null, voice: PeerId | null): boolean {
    if (mid === null || this.voices.get(mid) === voice) return false;
    this.voices.set(mid, voice);
    return this.kept.delete(mid);
  }

  /** Takes a report, over a path of that round trip; one that it has, it knows. */
  take(report: readonly Stat[], rttMs: number | null, nowMs: number): void {
    if (report === this.report) return;
    this.report = report;
    const audio = report.filter(({ kind }) => kind === "audio");
    for (const stat of audio)
      if (stat.type === "inbound-rtp" && stat.mid !== undefined && this.voices.get(stat.mid) !== null)
        this.add(stat, rttMs, nowMs);
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
      kbps: this.rate(own, atMs),
    };
  }

  /** By the report's own clock: the page's has waited for whatever else the page did. */
  private rate(own: Stat | undefined, nowMs: number): number | null {
    const [bytes, atMs] = [own?.bytesSent, own?.timestamp ?? nowMs];
    const newest = this.sent.at(-1);
    if (bytes === undefined || (newest && newest.bytes > bytes)) this.sent = []; // another stream
    if (bytes === undefined) return null;
    this.sent = [...this.sent.filter((one) => atMs - one.atMs <= WINDOW_MS), { bytes, atMs }];
    const first = this.sent[0];
    return first && atMs > first.atMs ? ((bytes - first.bytes) * 8) / (atMs - first.atMs) : null;
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
