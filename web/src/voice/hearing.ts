/**
 * How well one voice was heard, from readings of its counters. Pure.
 *
 * Law: what was made up counts only between packets. A voice that stops being sent (its person is muted, walks out, leaves) leaves the decoder without
 * a word of it, and so half a second is made up: nobody missed anything. A step between two readings counts once packets came in the next one too.
 * A silence after which the sequence numbers tell that packets were lost was none, and counts.
 */

import { median } from "../peers/quality";
import { CODEC_DELAY_MS, mosOf } from "./mos";
import type { Hearing } from "./types";

/** Below so many packets a share says nothing. */
export const PACKETS_MIN = 25;
const PACKET_MS = 20;

/** A reading. All but the last two only grow. */
export interface Counters {
  readonly atMs: number;
  readonly received: number;
  readonly lost: number;
  readonly samples: number;
  /** Without silence that was made up. */
  readonly concealed: number;
  readonly bufferS: number;
  readonly emitted: number;
  readonly jitterMs: number | null;
  readonly rttMs: number | null;
}

export const UNHEARD: Hearing = {
  lossShare: null,
  jitterMs: null,
  concealedShare: null,
  rttMs: null,
  mos: null,
};

/** The round trip is the middle of what was read: a single check that came late is not how far it is. */
export function hearingOf(kept: readonly Counters[]): Hearing {
  const [first, last] = [kept[0], kept.at(-1)];
  if (!first || !last || first === last) return UNHEARD;
  const all = between(first, last);
  if (all.received + all.lost < PACKETS_MIN) return UNHEARD;
  const lossShare = share(all.lost, all.received + all.lost);
  const rttMs = median(kept.map((one) => one.rttMs));
  const heard = heardSteps(kept);
  if (heard.length === 0) return { ...UNHEARD, lossShare, jitterMs: last.jitterMs, rttMs };
  const sum = (of: (step: Step) => number): number => heard.reduce((total, step) => total + of(step), 0);
  const concealedShare = share(
    sum(({ concealed }) => concealed),
    sum(({ samples }) => samples),
  );
  const emitted = sum((step) => step.emitted);
  const bufferMs = emitted > 0 ? (sum(({ bufferS }) => bufferS) * 1000) / emitted : 0;
  const delayMs = CODEC_DELAY_MS + (rttMs ?? 0) / 2 + bufferMs;
  const mos = mosOf({ delayMs, concealedShare, kbps: null });
  return { lossShare, jitterMs: last.jitterMs, concealedShare, rttMs, mos };
}

/** 0 to 1; of nothing it is 0. */
export function share(part: number, all: number): number {
  return all > 0 ? Math.min(1, Math.max(0, part / all)) : 0;
}

/** What counters grew by from one reading to another. */
type Step = Omit<Counters, "atMs" | "jitterMs" | "rttMs"> & { readonly ms: number };

function between(before: Counters, after: Counters): Step {
  return {
    ms: after.atMs - before.atMs,
    received: after.received - before.received,
    lost: after.lost - before.lost,
    samples: after.samples - before.samples,
    concealed: after.concealed - before.concealed,
    bufferS: after.bufferS - before.bufferS,
    emitted: after.emitted - before.emitted,
  };
}

/** The steps that packets were heard in; of the newest one it is not known yet. */
function heardSteps(kept: readonly Counters[]): Step[] {
  const heard: Step[] = [];
  let open: Step[] = []; // the last step that brought packets, and those since that brought none
  kept.slice(1).forEach((after, n) => {
    const step = between(kept[n] as Counters, after);
    if (step.received > 0) {
      if (goesOn(open, step)) heard.push(...open);
      open = [];
    }
    open.push(step);
  });
  return heard;
}

/** Whether no pause was before a step that brought packets: none was without any, or of what those would have brought at least half was lost. */
function goesOn(open: readonly Step[], next: Step): boolean {
  const quietMs = open.reduce((total, { received, ms }) => total + (received > 0 ? 0 : ms), 0);
  return quietMs === 0 || next.lost >= quietMs / PACKET_MS / 2;
}
