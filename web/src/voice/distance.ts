/**
 * How loud a source is and where it sounds from, as values: a channel's law of distance, the listener's frame of reference.
 *
 * The three laws are those of the Web Audio API's PannerNode (section 1.27.5, "Distance Effects"). They are worked out here
 * rather than by the panner, so that they are the same whether a voice is panned by HRTF, by stereo or not at all, and
 * can be ramped and tested as numbers.
 *
 * Frames: the world's is right-handed, metres, Y up. The listener's is the camera's: X to the right, Y up, -Z ahead.
 */

import { clamp, conjugate, subtract } from "../motion/maths";
import type { Distance, Pose, Quat, Vec3 } from "../wire/generated";
import { type Placement, type SoundSettings, VOLUME_MAX } from "./types";

/** How a voice gets from its place into two ears. `flat`: from no direction. */
export type Spread = "hrtf" | "stereo" | "flat";

/** Of the settings, what bears on a single source. */
export type Ears = Pick<SoundSettings, "mode" | "equal">;

/** What the graph of a source is set to. */
export interface Aim {
  spread: Spread;
  /** In the listener's frame, never nearer than NEAR_M. */
  towards: Vec3;
  level: number;
}

/** Nearer than this a direction means nothing: the voice goes gently to the front instead of jumping from ear to ear. */
export const NEAR_M = 0.3;

const AHEAD: Vec3 = [0, 0, -1];
const SILENT: Aim = { spread: "flat", towards: AHEAD, level: 0 };

/** A law with a change. Full loudness ends where silence begins at the latest: whichever of the two is moved past the other takes it along. */
export function withChange(law: Required<Distance>, change: Partial<Distance>): Required<Distance> {
  const next = { ...law, ...change };
  if (next.reference_m <= next.max_m) return next;
  return change.reference_m === undefined
    ? { ...next, reference_m: next.max_m }
    : { ...next, max_m: Math.ceil(next.reference_m) };
}

/** The Web Audio API's gain at that many metres, 0..1: exactly its formulas. */
export function lawAt(law: Required<Distance>, metres: number): number {
  const { model, reference_m: reference, rolloff, max_m: max } = law;
  const beyond = Math.max(metres, reference);
  switch (model) {
    case "inverse":
      return reference <= 0 ? 0 : reference / (reference + rolloff * (beyond - reference));
    case "exponential":
      return reference <= 0 ? 0 : (beyond / reference) ** -rolloff;
    case "linear": {
      const near = Math.min(reference, max);
      const far = Math.max(reference, max);
      const share = clamp(rolloff, 0, 1);
      if (near === far) return 1 - share;
      return 1 - (share * (clamp(metres, near, far) - near)) / (far - near);
    }
  }
}

/** The law, and nothing beyond its end: there nobody is sent either. */
export function gainAt(law: Required<Distance>, metres: number): number {
  return metres > law.max_m ? 0 : lawAt(law, metres);
}

/** Where a place of the world is in the listener's frame. */
export function seenFrom(pose: Pose, position: Vec3): Vec3 {
  return rotate(conjugate(pose.rotation), subtract(position, pose.position));
}

/** The same, pushed ahead where it is inside the listener's own head, so that who walks through it pans without a leap. */
export function outOfHead(towards: Vec3): Vec3 {
  const missing = NEAR_M - Math.hypot(...towards);
  return missing > 0 ? [towards[0], towards[1], towards[2] - missing] : towards;
}

export function aimOf(placement: Placement | null, pose: Pose, ears: Ears): Aim {
  if (!placement || !Number.isFinite(placement.gain)) return SILENT;
  const { position, kind, distance } = placement;
  const gain = clamp(placement.gain, 0, VOLUME_MAX);
  if (!position || kind === "stage" || ears.equal) return { spread: "flat", towards: AHEAD, level: gain };
  if (!position.every(Number.isFinite)) return SILENT;
  const towards = seenFrom(pose, position);
  const level = gain * gainAt(distance, Math.hypot(...towards));
  if (ears.mode === "mono") return { spread: "flat", towards: AHEAD, level };
  return { spread: ears.mode, towards: outOfHead(towards), level };
}

/** v turned by q: v + 2 w (u x v) + 2 u x (u x v), with u the vector part. */
function rotate(q: Quat, v: Vec3): Vec3 {
  const [x, y, z, w] = q;
  const a = y * v[2] - z * v[1];
  const b = z * v[0] - x * v[2];
  const c = x * v[1] - y * v[0];
  return [
    v[0] + 2 * (w * a + y * c - z * b),
    v[1] + 2 * (w * b + z * a - x * c),
    v[2] + 2 * (w * c + x * b - y * a),
  ];
}
