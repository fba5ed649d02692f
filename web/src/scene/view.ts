/**
 * The camera. Walking, it is the own eyes; in orbit, it circles the own avatar, which looks where the camera looks.
 *
 * Yaw 0 looks along -Z and grows counterclockwise seen from above; pitch grows upwards.
 */

import { type PerspectiveCamera, Quaternion, Vector3 } from "three";
import { clamp } from "../motion/maths";
import type { Quat, Vec3 } from "../wire/generated";

export type Mode = "orbit" | "walk";

const RADIANS_PER_PX = 0.0042;
const NEAREST_M = 2.2;
const FARTHEST_M = 34;

export class View {
  mode: Mode = "orbit";
  yaw = 0;
  pitch = -0.16;
  private distance = 6.4;
  private shownDistance = 6.4;
  private readonly focus = new Vector3();
  private settled = false;

  constructor(private readonly camera: PerspectiveCamera) {}

  /** Every switch of the mode is a glide, unless motion is to be reduced. */
  setMode(mode: Mode): void {
    this.mode = mode;
  }

  /** The world follows the hand: near the eyes by looking away from it, from outside by circling. */
  turn(dx: number, dy: number): void {
    this.yaw += dx * RADIANS_PER_PX;
    const [low, high] = this.mode === "walk" ? [-1.35, 1.35] : [-1.25, 0.35];
    const sign = this.mode === "walk" ? 1 : -1;
    this.pitch = clamp(this.pitch + sign * dy * RADIANS_PER_PX, low, high);
  }

  zoom(notches: number): void {
    if (notches === 0) return;
    if (this.mode === "walk") {
      if (notches > 0.5) this.setMode("orbit");
      return;
    }
    const wanted = this.distance * 1.12 ** notches;
    if (wanted < NEAREST_M * 0.92) this.setMode("walk");
    this.distance = clamp(wanted, NEAREST_M, FARTHEST_M);
  }

  /** Turns towards a place in the world, seen from the own head. */
  lookAt(from: Vec3, at: Vec3): void {
    const [dx, dy, dz] = [at[0] - from[0], at[1] - from[1], at[2] - from[2]];
    this.yaw = Math.atan2(-dx, -dz);
    const pitch = Math.atan2(dy, Math.hypot(dx, dz));
    this.pitch = this.mode === "walk" ? clamp(pitch, -1.3, 1.3) : clamp(pitch - 0.16, -1.2, 0.3);
  }

  /** The own head's rotation. */
  head(): Quat {
    const q = new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), this.yaw);
    const pitch = this.mode === "walk" ? this.pitch : clamp(this.pitch + 0.16, -0.6, 0.5);
    q.multiply(new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), pitch));
    return [q.x, q.y, q.z, q.w];
  }

  /** True while the own body would be seen from outside. */
  get outside(): boolean {
    return this.shownDistance > 0.9;
  }

  update(eyes: Vec3, elapsedS: number, reducedMotion: boolean): void {
    const wanted = this.mode === "walk" ? 0 : this.distance;
    const ease = reducedMotion || !this.settled ? 1 : 1 - Math.exp(-elapsedS * 9);
    this.shownDistance += (wanted - this.shownDistance) * ease;
    if (this.mode === "walk" && this.shownDistance < 0.02) this.shownDistance = 0;
    this.focus.set(...eyes);
    const lift = Math.min(0.6, this.shownDistance * 0.09);
    const shoulder = Math.min(1.1, this.shownDistance * 0.17);
    this.focus.y += lift;
    this.focus.x += Math.cos(this.yaw) * shoulder;
    this.focus.z -= Math.sin(this.yaw) * shoulder;
    const back = new Vector3(
      Math.sin(this.yaw) * Math.cos(this.pitch),
      -Math.sin(this.pitch),
      Math.cos(this.yaw) * Math.cos(this.pitch),
    );
    this.camera.position.copy(this.focus).addScaledVector(back, this.shownDistance);
    this.camera.position.y = Math.max(0.25, this.camera.position.y);
    if (this.shownDistance > 0.05) this.camera.lookAt(this.focus.clone().addScaledVector(back, -6));
    else this.camera.quaternion.set(...this.head());
    this.settled = true;
  }
}
