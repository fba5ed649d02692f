/** Walking on the plaza: pure kinematics with eased speed, a round edge, and things one walks around. */

import type { Vec3 } from "../wire/generated";
import { clamp } from "./maths";

export interface Wish {
  /** -1..1, to the right. */
  right: number;
  /** -1..1, forward. */
  forward: number;
  run: boolean;
}

export interface Obstacle {
  x: number;
  z: number;
  radius: number;
}

export interface Walker {
  position: Vec3;
  /** Metres a second along x and z. */
  velocity: readonly [number, number];
}

export const PLAZA_M = 43;
const STEPS_M = 19.6;
const WALK = 3.4;
const RUN = 6.8;
const GRIP = 11;
const BODY_M = 0.35;

/** One step of `dt` seconds; `yaw` is where forward is (0 looks along -Z, counterclockwise from above). */
export function walk(
  walker: Walker,
  wish: Wish,
  yaw: number,
  dt: number,
  obstacles: readonly Obstacle[],
): Walker {
  const length = Math.hypot(wish.right, wish.forward);
  const speed = (wish.run ? RUN : WALK) * Math.min(1, length);
  const right = length > 0 ? wish.right / length : 0;
  const forward = length > 0 ? wish.forward / length : 0;
  const wantedX = (right * Math.cos(yaw) - forward * Math.sin(yaw)) * speed;
  const wantedZ = (-right * Math.sin(yaw) - forward * Math.cos(yaw)) * speed;
  const grip = 1 - Math.exp(-GRIP * dt);
  let vx = walker.velocity[0] + (wantedX - walker.velocity[0]) * grip;
  let vz = walker.velocity[1] + (wantedZ - walker.velocity[1]) * grip;
  if (length === 0 && Math.hypot(vx, vz) < 0.02) {
    vx = 0;
    vz = 0;
  }
  const x = walker.position[0] + vx * dt;
  const z = walker.position[2] + vz * dt;
  const [freeX, freeZ] = pushOut(x, z, obstacles);
  return { position: [freeX, walker.position[1], freeZ], velocity: [vx, vz] };
}

/** The nearest place that is on the plaza and in nothing. */
export function pushOut(x: number, z: number, obstacles: readonly Obstacle[]): [number, number] {
  let [px, pz] = [x, z];
  for (const obstacle of obstacles) {
    const dx = px - obstacle.x;
    const dz = pz - obstacle.z;
    const apart = Math.hypot(dx, dz);
    const needed = obstacle.radius + BODY_M;
    if (apart >= needed) continue;
    const by = apart > 1e-6 ? needed / apart : 0;
    px = apart > 1e-6 ? obstacle.x + dx * by : obstacle.x + needed;
    pz = obstacle.z + dz * by;
  }
  const far = Math.hypot(px, pz);
  const edge = edgeAt(px, pz);
  if (far > edge) {
    px *= edge / far;
    pz *= edge / far;
  }
  return [px, pz];
}

/** How far one can go that way: the steps stand in the north, the rim is everywhere else. */
function edgeAt(x: number, z: number): number {
  const fromNorth = Math.abs(Math.atan2(x, -z));
  const half = Math.PI * 0.38;
  return fromNorth < half + 0.02
    ? STEPS_M + clamp((fromNorth - half) * 400, 0, 1) * (PLAZA_M - STEPS_M)
    : PLAZA_M;
}
