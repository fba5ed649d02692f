/**
 * How a page follows its network: what carries, and how much is sent. Pure: time is an argument, each rule a row.
 *
 * Mesh or relay: a rule that asks for the relay must hold for its time; back goes only who has had no reason for a while, and
 * the thresholds of coming back lie below those of going. How much is sent is a row of `EFFORTS` by bars, which
 * do not flap (quality.ts), so nothing that follows from them does. Voice and screens take their columns of the same row.
 */

import { LIMITS, type RelayReason } from "../wire/generated";
import { type Bars, type Measured, scoreOf } from "./quality";

// -- mesh or relay --

/** What the rules look at. */
export interface Conditions {
  /** Pages in the room that can be connected, this one too. */
  readonly pages: number;
  readonly meshMax: number;
  /** Bars of this page's mesh connections; what is not measured yet is left out. */
  readonly bars: readonly Bars[];
  /** What the uplink carries, where it is known. */
  readonly uplinkKbps: number | null;
  /** Bytes that wait to be sent on the mesh's presence channels, in all. */
  readonly waitingBytes: number;
}

export type Wanted = "mesh" | "relay";

interface Rule {
  readonly name: string;
  readonly reason: RelayReason;
  readonly afterMs: number;
  /** Whether it asks for the relay. */
  asks(now: Conditions): boolean;
  /** Whether it would if things were a little worse: who has left the mesh does not come back while it does. */
  lingers(now: Conditions): boolean;
}

/** A pose of 20 Hz and its headers, to one peer. */
const KBPS_PER_LINK = 48;
/** Half of where own states are held back (teller.ts). */
const WAITING_BYTES_PER_LINK = 1024;
/** Rules about links need some: one bad link of two is that peer's network as likely as ours. */
const LINKS_MIN = 2;

const links = ({ pages }: Conditions): number => Math.max(0, pages - 1);
const bad = ({ bars }: Conditions, limit: Bars): number => bars.filter((value) => value <= limit).length;

/** All rules; the first that holds names the reason. */
export const RULES: readonly Rule[] = [
  {
    name: "more pages than a mesh carries",
    reason: "count",
    afterMs: 0,
    asks: (now) => now.pages > now.meshMax,
    lingers: (now) => now.pages > Math.min(LIMITS.MESH_LEAVE, now.meshMax),
  },
  {
    name: "the uplink is too narrow for one stream to each",
    reason: "uplink",
    afterMs: 5000,
    asks: (now) =>
      now.uplinkKbps !== null && now.uplinkKbps < links(now) * KBPS_PER_LINK && links(now) >= LINKS_MIN,
    lingers: (now) =>
      now.uplinkKbps !== null && now.uplinkKbps < links(now) * KBPS_PER_LINK * 1.5 && links(now) >= LINKS_MIN,
  },
  {
    name: "what is sent waits",
    reason: "uplink",
    afterMs: 5000,
    asks: (now) => links(now) >= LINKS_MIN && now.waitingBytes > links(now) * WAITING_BYTES_PER_LINK,
    lingers: (now) => links(now) >= LINKS_MIN && now.waitingBytes > links(now) * WAITING_BYTES_PER_LINK * 0.5,
  },
  {
    name: "most links are bad: loss, delay or jitter",
    reason: "uplink",
    afterMs: 8000,
    asks: (now) => now.bars.length >= LINKS_MIN && bad(now, 1) * 2 > now.bars.length,
    lingers: (now) => now.bars.length >= LINKS_MIN && bad(now, 1) * 3 > now.bars.length,
  },
];

/** Nothing asked for the relay for so long: back to the mesh. */
export const BACK_MS = 30_000;
/** Who had to leave the mesh again waits twice as long the next time, up to this; */
export const BACK_LONGEST_MS = 16 * BACK_MS;
/** unless the mesh had held for so long. On the relay nothing measures the mesh, so only trying tells. */
export const HELD_MS = 600_000;

/** What a page wants, over time. */
export class Chooser {
  wanted: Wanted = "mesh";
  /** Why the relay is wanted. */
  reason: RelayReason | null = null;
  private readonly since = new Map<Rule, number>();
  private quietSinceMs: number | null = null;
  private backMs = BACK_MS;
  private backAtMs: number | null = null;

  /** Looks again; what is wanted now. */
  look(now: Conditions, nowMs: number): Wanted {
    for (const rule of RULES) {
      if (!rule.asks(now)) this.since.delete(rule);
      else if (!this.since.has(rule)) this.since.set(rule, nowMs);
    }
    const held = RULES.find(
      (rule) => nowMs - (this.since.get(rule) ?? Number.POSITIVE_INFINITY) >= rule.afterMs,
    );
    if (this.wanted === "mesh") {
      if (held) this.leave(held.reason, nowMs);
      return this.wanted;
    }
    if (held || RULES.some((rule) => rule.lingers(now))) this.quietSinceMs = null;
    else this.quietSinceMs ??= nowMs;
    if (this.quietSinceMs !== null && nowMs - this.quietSinceMs >= this.backMs) {
      this.wanted = "mesh";
      this.reason = null;
      this.backAtMs = nowMs;
    }
    return this.wanted;
  }

  private leave(reason: RelayReason, nowMs: number): void {
    const soon = this.backAtMs !== null && nowMs - this.backAtMs < HELD_MS;
    this.backMs = soon ? Math.min(BACK_LONGEST_MS, this.backMs * 2) : BACK_MS;
    this.wanted = "relay";
    this.reason = reason;
    this.quietSinceMs = null;
    this.since.clear();
  }
}

// -- how much --

/** What is worth sending over a connection, and asking of its other end. */
export interface Effort {
  /** Own states a second. */
  readonly sendHz: number;
  /** A merged frame of the media node's is no longer: what is near and who speaks come first. */
  readonly frameBytes: number;
  /** Opus: 32 is transparent speech, 16 wideband speech (RFC 7587 section 3.1.1). */
  readonly audioKbps: number;
  /** Of a layered video: the spatial layer and the temporal one at most; null: no video. */
  readonly video: { readonly spatial: 0 | 1 | 2; readonly temporal: 0 | 1 | 2 } | null;
}

/** By bars. Without a connection the WebSocket carries, at its own pace. */
export const EFFORTS: Record<Bars, Effort> = {
  4: {
    sendHz: LIMITS.MESH_HZ,
    frameBytes: LIMITS.RELAY_FRAME_BYTES,
    audioKbps: 48,
    video: { spatial: 2, temporal: 2 },
  },
  3: {
    sendHz: LIMITS.MESH_HZ,
    frameBytes: LIMITS.RELAY_FRAME_BYTES,
    audioKbps: 32,
    video: { spatial: 2, temporal: 1 },
  },
  2: { sendHz: 10, frameBytes: LIMITS.RELAY_PART_BYTES, audioKbps: 24, video: { spatial: 1, temporal: 1 } },
  1: {
    sendHz: 5,
    frameBytes: LIMITS.RELAY_FRAME_BYTES_MIN,
    audioKbps: 16,
    video: { spatial: 0, temporal: 0 },
  },
  0: { sendHz: LIMITS.PRESENCE_HZ, frameBytes: LIMITS.RELAY_FRAME_BYTES_MIN, audioKbps: 0, video: null },
};

/** What is not measured yet is taken for good. */
export function effortOf(bars: Bars | null): Effort {
  return EFFORTS[bars ?? 3];
}

/**
 * What a connection allows an encoder, in kbit/s. By all that is known of it but the loss, which is of states: they are not sent again as voices are, and what
 * voices lose their own reports tell, where some loss is met by FEC, which needs its rate (voice/adapt.ts); and but what the way here carries: a voice goes the other.
 */
export function voiceKbps(measured: Measured | null): number {
  return effortOf(measured && scoreOf({ ...measured, lossShare: null, incomingKbps: null })).audioKbps;
}
