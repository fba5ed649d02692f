/** Vectors and unit quaternions as plain tuples: x, y, z(, w), right-handed, metres. */

import type { Quat, Vec3 } from "../wire/generated";

export function distance(a: Vec3, b: Vec3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vec3, by: number): Vec3 {
  return [a[0] * by, a[1] * by, a[2] * by];
}

export function lerp(a: Vec3, b: Vec3, t: number): Vec3 {
  return add(a, scale(subtract(b, a), t));
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

export function normalize(q: Quat): Quat {
  const length = Math.hypot(q[0], q[1], q[2], q[3]);
  if (length < 1e-9) return [0, 0, 0, 1];
  return [q[0] / length, q[1] / length, q[2] / length, q[3] / length];
}

export function multiply(a: Quat, b: Quat): Quat {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

export function conjugate(q: Quat): Quat {
  return [-q[0], -q[1], -q[2], q[3]];
}

/** The shorter way round (Shoemake 1985). `t` beyond 0..1 is clamped. */
export function slerp(a: Quat, b: Quat, t: number): Quat {
  const at = clamp(t, 0, 1);
  let cos = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
  const sign = cos < 0 ? -1 : 1;
  cos *= sign;
  let first = 1 - at;
  let second = at * sign;
  if (cos < 0.9995) {
    const angle = Math.acos(cos);
    first = Math.sin((1 - at) * angle) / Math.sin(angle);
    second = (Math.sin(at * angle) / Math.sin(angle)) * sign;
  }
  return normalize([
    first * a[0] + second * b[0],
    first * a[1] + second * b[1],
    first * a[2] + second * b[2],
    first * a[3] + second * b[3],
  ]);
}

/** The rotation that turns +Y onto a unit vector: how a ring lies on a surface. */
export function rotationOntoNormal(normal: Vec3): Quat {
  const [x, y, z] = normal;
  if (y < -0.9999) return [1, 0, 0, 0];
  return normalize([z, 0, 0 - x, 1 + y]);
}

/** Millimetres and a ten-thousandth of a turn: what a page tells of itself, so that stillness is equal to itself. */
export function quantizePosition(v: Vec3): Vec3 {
  return [round(v[0], 1000), round(v[1], 1000), round(v[2], 1000)];
}

export function quantizeRotation(q: Quat): Quat {
  const n = q[3] < 0 ? ([-q[0], -q[1], -q[2], -q[3]] as const) : q;
  return [round(n[0], 10_000), round(n[1], 10_000), round(n[2], 10_000), round(n[3], 10_000)];
}

function round(value: number, by: number): number {
  const rounded = Math.round(value * by) / by;
  return rounded === 0 ? 0 : rounded;
}
