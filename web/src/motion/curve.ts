/**
 * The curve through timed poses: monotone cubic in position (Fritsch and Carlson 1980, as in PCHIP), slerp in
 * rotation. Monotone in each coordinate: it never overshoots, so nobody walks through the wall they stopped at.
 */

import type { Quat, Vec3 } from "../wire/generated";
import { slerp } from "./maths";

export interface Knot {
  /** Milliseconds, on the sender's time line. */
  at: number;
  position: Vec3;
  rotation: Quat;
  /** The peer did not move here but appeared: nothing is drawn between this and the knot before. */
  teleport: boolean;
}

export interface Placed {
  position: Vec3;
  rotation: Quat;
}

/** Where the curve is between `b` and `c` at `at`; `a` and `d` are their outer neighbours, where there are any. */
export function between(a: Knot | undefined, b: Knot, c: Knot, d: Knot | undefined, at: number): Placed {
  if (c.teleport) return at < c.at ? b : c;
  const span = c.at - b.at;
  const t = span > 0 ? (at - b.at) / span : 1;
  const before = a && !b.teleport ? a : undefined;
  const after = d && !d.teleport ? d : undefined;
  const axis = (i: 0 | 1 | 2): number => {
    const slope = (c.position[i] - b.position[i]) / span;
    const into = before ? (b.position[i] - before.position[i]) / (b.at - before.at) : slope;
    const out = after ? (after.position[i] - c.position[i]) / (after.at - c.at) : slope;
    return hermite(b.position[i], c.position[i], tangent(into, slope) * span, tangent(slope, out) * span, t);
  };
  const position: Vec3 = span > 0 ? [axis(0), axis(1), axis(2)] : c.position;
  return { position, rotation: slerp(b.rotation, c.rotation, t) };
}

/** Zero at a turning point, otherwise the harmonic mean of the slopes on both sides. */
function tangent(left: number, right: number): number {
  return left * right <= 0 ? 0 : (2 * left * right) / (left + right);
}

function hermite(from: number, to: number, leave: number, arrive: number, t: number): number {
  const t2 = t * t;
  const t3 = t2 * t;
  return (
    (2 * t3 - 3 * t2 + 1) * from + (t3 - 2 * t2 + t) * leave + (3 * t2 - 2 * t3) * to + (t3 - t2) * arrive
  );
}
