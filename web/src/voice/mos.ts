/**
 * How well a voice is heard, as a person would rate it: the E-model of ITU-T G.107. Pure.
 *
 * R = 93.2 - Id - Ie,eff: what the model has left at its default values, less what delay and what the codec with its losses take away.
 *
 * - Id: the simplification by R. Cole and J. Rosenbluth, "Voice over IP performance monitoring" (ACM SIGCOMM CCR 31(2), 2001), of G.107's Idd:
 *   0.024 d + 0.11 (d - 177.3) where d > 177.3, d being the way from mouth to ear in ms.
 * - Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl) (G.107, section 7.5), with BurstR = 1: losses come at random.
 * - Ie and Bpl: ITU-T G.113 has none for Opus. We take those of rtcscore (github.com/ggarber/rtcscore), which were fitted to Opus in browsers:
 *   Ie = 55 - 4.6 ln(bit/s), between 0 and 30, and Bpl = 10 for losses that reach the ear.
 * - MOS of R: G.107, annex B.
 *
 * Ppl is what was made up for want of packets: what FEC, resending and the jitter buffer made good was not lost.
 */

export interface Impairments {
  /** From mouth to ear. */
  delayMs: number;
  /** 0 to 1. */
  concealedShare: number;
  /** The codec's rate; null: not known. */
  kbps: number | null;
}

const R_BEST = 93.2;
const LOSS_ROBUSTNESS = 10;
/** Of an encoder at 24 kbit/s. */
const KBPS_UNKNOWN = 24;
/** A frame of 20 ms, and Opus' look-ahead of 6.5 ms (RFC 6716 section 2). */
export const CODEC_DELAY_MS = 26.5;

/** The transmission rating, 0 to 93.2. */
export function ratingOf({ delayMs, concealedShare, kbps }: Impairments): number {
  const delay = 0.024 * delayMs + (delayMs > 177.3 ? 0.11 * (delayMs - 177.3) : 0);
  const codec = Math.min(30, Math.max(0, 55 - 4.6 * Math.log(1000 * Math.max(1, kbps ?? KBPS_UNKNOWN))));
  const lost = 100 * Math.min(1, Math.max(0, concealedShare));
  const equipment = codec + ((95 - codec) * lost) / (lost + LOSS_ROBUSTNESS);
  return Math.max(0, R_BEST - delay - equipment);
}

/** 1 to 4.5. */
export function mosOf(impairments: Impairments): number {
  const rating = ratingOf(impairments);
  const mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
  return Math.min(4.5, Math.max(1, mos));
}
