/** Scales of voice: loudness on a meter, volumes on a slider, quality in bars, time. Pure. */

import type { Bars } from "../peers/quality";

/** Bars for a mean opinion score: the steps of user satisfaction of ITU-T G.107, table B.1. */
export function mosBars(mos: number | null | undefined): Bars | null {
  if (mos === null || mos === undefined) return null;
  if (mos >= 4.03) return 4;
  if (mos >= 3.6) return 3;
  return mos >= 3.1 ? 2 : 1;
}

/** Where a loudness lies on a meter that ends at full scale: 0 to 1. */
export function meterOf(levelDb: number): number {
  return Number.isFinite(levelDb) ? Math.min(1, Math.max(0, (levelDb + METER_DB) / METER_DB)) : 0;
}

/** The meter's lower end, below full scale. */
export const METER_DB = 60;

/** A volume as a slider has it, 0 to 200: to 100 the volume itself, beyond it doubles twice. */
export function percentOf(volume: number): number {
  return Math.round(volume <= 1 ? volume * 100 : 100 + (Math.log2(volume) / 2) * 100);
}

/** The volume that a slider means. */
export function volumeOf(percent: number): number {
  return percent <= 100 ? percent / 100 : 4 ** ((percent - 100) / 100);
}

/** A length of time: "3:07". */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}
