/**
 * A soft ring of light around the head of whoever speaks, as wide as they are loud: all of them in one draw call.
 *
 * Heads are told anew in every frame (`begin`, `put` for each, `end`); nothing is allocated for it.
 */

import { Color, PlaneGeometry, type Vector3 } from "three";
import { Squares } from "./squares";

const VERTEX = /* glsl */ `
attribute vec4 place;
attribute vec3 tone;
varying vec2 at;
varying float loud;
varying vec3 paint;
void main() {
  loud = place.w;
  paint = tone;
  vec4 view = modelViewMatrix * vec4(place.xyz, 1.0);
  // In metres from the head; a little larger where that is far, so that it can be seen.
  at = position.xy * 0.62;
  view.xy += at * clamp(-view.z * 0.11, 1.0, 2.2);
  // Behind the head, which stays as it is.
  view.z -= 0.12;
  gl_Position = projectionMatrix * view;
}`;
const FRAGMENT = /* glsl */ `
varying vec2 at;
varying float loud;
varying vec3 paint;
void main() {
  float r = length(at);
  float rim = 0.235 + 0.2 * loud;
  float apart = (r - rim) / (0.022 + 0.035 * loud);
  float ring = exp(-apart * apart);
  float glow = 0.45 * (1.0 - smoothstep(0.16, rim, r));
  float alpha = max(ring, glow) * smoothstep(0.0, 0.12, loud) * smoothstep(0.62, 0.5, r);
  if (alpha < 0.004) discard;
  gl_FragColor = vec4(mix(paint, vec3(1.0), 0.3 + 0.4 * ring), alpha * 0.92);
  #include <colorspace_fragment>
}`;

/** Who speaks beyond that is heard, and not lit. */
const AURAS_MAX = 64;

/** The rings of all who speak. */
export class Auras {
  private readonly rings = new Squares(new PlaneGeometry(2, 2), AURAS_MAX, {
    vertex: VERTEX,
    fragment: FRAGMENT,
    sizes: { place: 4, tone: 3 },
    renderOrder: 2,
  });
  /** To be put into the scene. */
  readonly mesh = this.rings.mesh;
  private readonly color = new Color();
  private count = 0;

  /** A new frame: nobody speaks yet. */
  begin(): void {
    this.count = 0;
  }

  /** Somebody whose head is there and who is so loud, 0 to 1. */
  put(head: Vector3, color: string, level: number): void {
    if (this.count >= AURAS_MAX || level <= 0.01) return;
    const { place, tone } = this.rings.values;
    place.setXYZW(this.count, head.x, head.y, head.z, Math.min(1, level));
    this.color.set(color);
    tone.setXYZ(this.count, this.color.r, this.color.g, this.color.b);
    this.count += 1;
  }

  /** All have been told. */
  end(): void {
    this.rings.show(this.count);
  }

  dispose(): void {
    this.rings.dispose();
  }
}
