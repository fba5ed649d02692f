/** Where entities are in the world, and what their own position, rotation and size must be to be there. Pure. */

import { Matrix4, Quaternion, Vector3 } from "three";
import type { Quat, Vec3 } from "../wire/generated";
import { atLeast, positionOf, rotationOf, scaleOf } from "./kinds";
import type { View } from "./tree";

/** Position, rotation and size beneath the parent. */
export interface Placement {
  position: Vec3;
  rotation: Quat;
  scale: Vec3;
}

/** An entity's own matrix, beneath its parent. */
export function localMatrix(view: View, id: string): Matrix4 {
  const entity = view.get(id);
  if (!entity) return new Matrix4();
  return new Matrix4().compose(
    new Vector3(...positionOf(entity)),
    new Quaternion(...rotationOf(entity)),
    new Vector3(...scaleOf(entity)),
  );
}

/** An entity's matrix in the world; that of nothing, or of no parent, is the identity. */
export function worldMatrix(view: View, id: string | null): Matrix4 {
  const matrix = new Matrix4();
  for (let at = id; at !== null; at = view.get(at)?.parent ?? null) matrix.premultiply(localMatrix(view, at));
  return matrix;
}

/** What stands at `world` when it is beneath `parent`, rounded to what is sent. */
export function placementIn(world: Matrix4, parent: Matrix4): Placement {
  const position = new Vector3();
  const rotation = new Quaternion();
  const scale = new Vector3();
  parent.clone().invert().multiply(world).decompose(position, rotation, scale);
  return {
    position: rounded(position.toArray(), 1e4),
    rotation: turned([rotation.x, rotation.y, rotation.z, rotation.w]),
    scale: rounded([atLeast(scale.x), atLeast(scale.y), atLeast(scale.z)], 1e4),
  };
}

/** Tenths of a millimetre are enough; longer numbers would only cost bytes. */
export function rounded([x, y, z]: readonly [number, number, number], per = 1e4): Vec3 {
  const round = (value: number): number => Math.round(value * per) / per || 0;
  return [round(x), round(y), round(z)];
}

/** A unit quaternion, rounded; one of the two that say the same. */
export function turned([x, y, z, w]: Quat): Quat {
  const length = Math.hypot(x, y, z, w) || 1;
  const sign = w < 0 ? -1 : 1;
  const round = (value: number): number => (Math.round((value / length) * sign * 1e6) / 1e6 || 0) as number;
  return [round(x), round(y), round(z), round(w)];
}

/** Whether two vectors, or two quaternions, are the same as far as anyone can see. */
export function near(one: readonly number[], other: readonly number[], within = 1e-4): boolean {
  return (
    one.length === other.length && one.every((value, at) => Math.abs(value - (other[at] ?? 0)) <= within)
  );
}
