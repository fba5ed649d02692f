/** Where voice's areas are: a line of light on the floor around each, with its name; brighter where one stands in it. One draw call for all. */

import { Group, PlaneGeometry, type Vector3 } from "three";
import { LIMITS, type Vec3 } from "../wire/generated";
import { Label } from "./label";
import { Squares } from "./squares";

const VERTEX = /* glsl */ `
attribute vec4 box;
attribute vec2 mood;
varying vec2 at;
varying vec2 halves;
varying float lit;
void main() {
  halves = box.zw;
  at = position.xy * halves;
  lit = mood.y;
  vec4 world = vec4(box.x + at.x, mood.x, box.y + at.y, 1.0);
  gl_Position = projectionMatrix * viewMatrix * world;
}`;
const FRAGMENT = /* glsl */ `
varying vec2 at;
varying vec2 halves;
varying float lit;
void main() {
  // The signed distance to a rounded box: negative inside.
  float corner = min(0.6, min(halves.x, halves.y));
  vec2 q = abs(at) - halves + corner;
  float d = length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - corner;
  float soft = fwidth(d);
  float line = 1.0 - smoothstep(0.035, 0.035 + soft * 1.5, abs(d + 0.06));
  float glow = (0.16 + 0.2 * lit) * exp(min(d, 0.0) * 1.5);
  float alpha = max(line * (0.6 + 0.4 * lit), glow) * (1.0 - smoothstep(-soft, 0.0, d));
  if (alpha < 0.01) discard;
  gl_FragColor = vec4(mix(vec3(1.0, 0.9, 0.76), vec3(1.0), 0.5 * lit), alpha);
  #include <colorspace_fragment>
}`;

const OVER_FLOOR_M = 0.035;
const LABEL_COLOR = "#4b3b7c";

/** An area to be shown, by two opposite corners. */
export interface ZoneMark {
  readonly name: string;
  readonly least: Vec3;
  readonly greatest: Vec3;
  /** This page's person stands in it. */
  readonly here: boolean;
}

/** All areas of the room. */
export class ZoneMarks {
  /** To be put into the scene. */
  readonly group = new Group();
  private readonly lines = new Squares(new PlaneGeometry(2, 2).rotateX(Math.PI), LIMITS.VOICE_CHANNELS_MAX, {
    vertex: VERTEX,
    fragment: FRAGMENT,
    sizes: { box: 4, mood: 2 },
    renderOrder: 1,
  });
  private readonly labels: Label[] = [];
  private count = 0;

  constructor() {
    this.group.add(this.lines.mesh);
    this.group.visible = false;
  }

  /** Shows exactly these. */
  show(zones: readonly ZoneMark[]): void {
    const { box, mood } = this.lines.values;
    this.count = Math.min(zones.length, LIMITS.VOICE_CHANNELS_MAX);
    zones.slice(0, this.count).forEach(({ name, least, greatest, here }, n) => {
      const middle = (axis: 0 | 2): number => (least[axis] + greatest[axis]) / 2;
      const half = (axis: 0 | 2): number => Math.abs(greatest[axis] - least[axis]) / 2;
      const floor = Math.max(0, Math.min(least[1], greatest[1])) + OVER_FLOOR_M;
      box.setXYZW(n, middle(0), middle(2), half(0), half(2));
      mood.setXY(n, floor, here ? 1 : 0);
      const label = this.label(n);
      label.draw({ text: name, color: LABEL_COLOR, small: true });
      label.sprite.position.set(middle(0), floor + 0.1, middle(2));
    });
    this.lines.show(this.count);
    this.group.visible = this.count > 0;
  }

  /** Before every frame. */
  update(cameraAt: Vector3, labelSize: number): void {
    for (let n = 0; n < this.labels.length; n++) {
      const label = this.labels[n];
      label?.update(cameraAt.distanceTo(label.sprite.position), n < this.count ? labelSize * 0.85 : 0);
    }
  }

  dispose(): void {
    for (const label of this.labels) label.dispose();
    this.lines.dispose();
    this.group.removeFromParent();
  }

  private label(at: number): Label {
    const known = this.labels[at];
    if (known) return known;
    const made = new Label({ text: "", color: LABEL_COLOR, small: true });
    this.group.add(made.sprite);
    this.labels[at] = made;
    return made;
  }
}
