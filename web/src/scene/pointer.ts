/** A person's 3D cursor: a ring on the surface they point at, a bead on its normal, a beam from their hand. */

import {
  Color,
  CylinderGeometry,
  Group,
  Mesh,
  MeshBasicMaterial,
  Quaternion,
  RingGeometry,
  ShaderMaterial,
  SphereGeometry,
  Vector3,
} from "three";
import type { Quat, Vec3 } from "../wire/generated";
import { Label } from "./label";

const BEAM_VERTEX = /* glsl */ `
varying float vAlong;
void main() { vAlong = uv.y; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`;
const BEAM_FRAGMENT = /* glsl */ `
uniform vec3 color; varying float vAlong;
void main() {
  gl_FragColor = vec4(color, 0.22 + 0.6 * vAlong * vAlong);
  #include <colorspace_fragment>
}`;
const UP = new Vector3(0, 1, 0);

export class Pointer {
  readonly group = new Group();
  readonly label: Label | null;
  private readonly mark = new Group();
  private readonly beam: Mesh;
  private readonly bead: Mesh;
  private readonly paint = new MeshBasicMaterial({ transparent: true, opacity: 0.95, depthWrite: false });
  private readonly veil = new MeshBasicMaterial({ transparent: true, opacity: 0.32, depthWrite: false });
  private readonly light: ShaderMaterial;
  private readonly lightColor = new Color();

  /** `name` null: one's own, which needs neither label nor beam. */
  constructor(name: string | null, color: string) {
    this.light = new ShaderMaterial({
      vertexShader: BEAM_VERTEX,
      fragmentShader: BEAM_FRAGMENT,
      uniforms: { color: { value: this.lightColor } },
      transparent: true,
      depthWrite: false,
      toneMapped: false,
    });
    const ring = new Mesh(new RingGeometry(0.15, 0.215, 48), this.paint);
    const disc = new Mesh(new RingGeometry(0, 0.15, 40), this.veil);
    const dot = new Mesh(new RingGeometry(0, 0.04, 20), this.paint);
    for (const flat of [ring, disc, dot]) {
      flat.rotation.x = -Math.PI / 2;
      flat.position.y = 0.012;
      flat.renderOrder = 3;
    }
    this.bead = new Mesh(new SphereGeometry(0.035, 16, 12), this.paint);
    this.mark.add(ring, disc, dot, this.bead);
    this.beam = new Mesh(new CylinderGeometry(0.011, 0.005, 1, 8, 1, true), this.light);
    this.beam.renderOrder = 2;
    this.label = name === null ? null : new Label({ text: name, color, small: true });
    this.group.add(this.mark, this.beam);
    if (this.label) this.group.add(this.label.sprite);
    this.colour(name, color);
  }

  colour(name: string | null, color: string): void {
    this.paint.color.set(color).lerp(new Color("#ffffff"), 0.04);
    this.veil.color.set(color);
    this.lightColor.set(color).lerp(new Color("#ffffff"), 0.12);
    if (name !== null) this.label?.draw({ text: name, color, small: true });
  }

  /** `from` is the hand, or null for no beam. */
  update(
    at: Vec3,
    onto: Quat,
    from: Vector3 | null,
    cameraAt: Vector3,
    seconds: number,
    labelSize: number,
  ): void {
    const hit = new Vector3(...at);
    const normal = UP.clone().applyQuaternion(new Quaternion(...onto));
    const away = cameraAt.distanceTo(hit);
    const grown = Math.min(3, Math.max(0.75, away / 7));
    this.mark.position.copy(hit);
    this.mark.quaternion.set(...onto);
    this.mark.scale.setScalar(grown);
    this.bead.position.y = 0.16 + 0.025 * Math.sin(seconds * 3.2);
    this.beam.visible = from !== null;
    if (from) {
      const along = hit.clone().sub(from);
      const length = along.length();
      this.beam.position.copy(from).addScaledVector(along, 0.5);
      this.beam.scale.set(grown * 1.25, length, grown * 1.25);
      this.beam.quaternion.setFromUnitVectors(UP, along.normalize());
    }
    if (this.label) {
      this.label.sprite.position.copy(hit).addScaledVector(normal, 0.3 * grown);
      this.label.update(away, labelSize);
    }
  }

  dispose(): void {
    this.group.traverse((child) => {
      if (child instanceof Mesh) child.geometry.dispose();
    });
    this.paint.dispose();
    this.veil.dispose();
    this.light.dispose();
    this.label?.dispose();
  }
}
