/**
 * How much voice is sent and asked for, by what the network takes. Pure: time is an argument, each step a row.
 *
 * FEC and DTX are always on (they are in the descriptions, peers/sdp.ts): the encoder itself puts in as much FEC as the other side reports loss. What
 * is left to choose is the rate, and how many voices at once are asked of the relay. A ladder goes down where its rung has not held for a while,
 * and up, one rung at a time, where the next better one would have held with room to spare for longer: what hovers about a step does not flap.
 */

import { LIMITS } from "../wire/generated";

/** What was measured; null: not known, which holds nobody back. */
export interface VoiceConditions {
  /** Of what this page sends, as the other side reports it, 0 to 1. */
  readonly sentLossShare: number | null;
  /** Of what comes. */
  readonly heardLossShare: number | null;
  readonly rttMs: number | null;
  readonly availableKbps: number | null;
  /** What the connection allows but for its loss (peers/adaptation.ts). */
  readonly hintKbps: number;
}

/** The worst at which a rung still holds. */
interface Rung<T> {
  readonly value: T;
  readonly lossShare: number;
  readonly rttMs: number;
}

/**
 * Of the encoder. 48 is transparent, 16 wideband speech (RFC 7587 section 3.1.1). Some loss is met by 32, where FEC is worth most:
 * a lower rate would leave it no room. More loss, or round trips past ITU-T G.114's 400 ms one way, are a queue somewhere: less is sent.
 */
export const RATES: readonly Rung<number>[] = [
  { value: LIMITS.VOICE_KBPS_MAX, lossShare: 0.02, rttMs: 400 },
  { value: 32, lossShare: 0.1, rttMs: 800 },
  { value: 24, lossShare: 0.2, rttMs: 1500 },
  { value: LIMITS.VOICE_KBPS_MIN, lossShare: 1, rttMs: Number.POSITIVE_INFINITY },
];

/** Of voices at once: fewer whole ones are better than many broken ones. */
export const SLOTS: readonly Rung<number>[] = [
  { value: LIMITS.VOICE_SLOTS, lossShare: 0.08, rttMs: Number.POSITIVE_INFINITY },
  { value: 3, lossShare: 0.15, rttMs: Number.POSITIVE_INFINITY },
  { value: 2, lossShare: 0.25, rttMs: Number.POSITIVE_INFINITY },
  { value: 1, lossShare: 1, rttMs: Number.POSITIVE_INFINITY },
];

const FALL_MS = 4000;
const RISE_MS = 12_000;
/** Of a rung's limits, to climb it. */
const ROOM = 0.6;
/** Of the rate: packets' headers, and what else the connection carries. */
const HEADERS_KBPS = 32;

type Fits<T> = (rung: Rung<T>, room: number) => boolean;

/** Where one stands on a ladder, over time. */
export class Ladder<T> {
  private at = 0;
  private badSinceMs: number | null = null;
  private goodSinceMs: number | null = null;

  constructor(private readonly rungs: readonly Rung<T>[]) {}

  get value(): T {
    return this.rung(this.at).value;
  }

  look(fits: Fits<T>, nowMs: number): T {
    const holds = fits(this.rung(this.at), 1);
    const better = this.at > 0 && fits(this.rung(this.at - 1), ROOM);
    this.badSinceMs = holds ? null : (this.badSinceMs ?? nowMs);
    this.goodSinceMs = better ? (this.goodSinceMs ?? nowMs) : null;
    if (this.badSinceMs !== null && nowMs - this.badSinceMs >= FALL_MS) this.fall(fits);
    else if (this.goodSinceMs !== null && nowMs - this.goodSinceMs >= RISE_MS) this.stand(this.at - 1);
    return this.value;
  }

  /** To the next rung that holds; the last one always does. */
  private fall(fits: Fits<T>): void {
    let next = this.at + 1;
    while (next < this.rungs.length - 1 && !fits(this.rung(next), 1)) next += 1;
    this.stand(Math.min(next, this.rungs.length - 1));
  }

  private stand(at: number): void {
    this.at = at;
    this.badSinceMs = this.goodSinceMs = null;
  }

  private rung(at: number): Rung<T> {
    const rung = this.rungs[at];
    if (!rung) throw new RangeError("a ladder has at least one rung");
    return rung;
  }
}

/** Whether a rate may be sent. */
export function rateFits(now: VoiceConditions): Fits<number> {
  return ({ value, lossShare, rttMs }, room) =>
    value <= Math.max(now.hintKbps, LIMITS.VOICE_KBPS_MIN) &&
    (now.sentLossShare ?? 0) <= lossShare * room &&
    (now.rttMs ?? 0) <= rttMs * room &&
    (now.availableKbps ?? Number.POSITIVE_INFINITY) * room >= value + HEADERS_KBPS;
}

/** Whether so many voices may be asked for. */
export function slotsFit(now: VoiceConditions): Fits<number> {
  return ({ lossShare }, room) => (now.heardLossShare ?? 0) <= lossShare * room;
}
