/** Light that is drawn on squares, all of them in one draw call: an instance each, with attributes of its own for the shaders. */

import {
  DynamicDrawUsage,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  type PlaneGeometry,
  ShaderMaterial,
} from "three";

/** Shaders, and attributes by name: how many numbers each has. */
export interface SquareLook<Name extends string> {
  readonly vertex: string;
  readonly fragment: string;
  readonly sizes: Readonly<Record<Name, number>>;
  readonly renderOrder: number;
}

export class Squares<Name extends string> {
  /** To be put into the scene. */
  readonly mesh: Mesh;
  /** To be written before `show`. */
  readonly values: Readonly<Record<Name, InstancedBufferAttribute>>;
  private readonly geometry = new InstancedBufferGeometry();
  private readonly material: ShaderMaterial;

  constructor(square: PlaneGeometry, most: number, look: SquareLook<Name>) {
    this.geometry.index = square.index;
    this.geometry.setAttribute("position", square.getAttribute("position"));
    const names = Object.keys(look.sizes) as Name[];
    const made = names.map((name) => [name, slots(most * look.sizes[name], look.sizes[name])] as const);
    this.values = Object.fromEntries(made) as Record<Name, InstancedBufferAttribute>;
    for (const [name, values] of made) this.geometry.setAttribute(name, values);
    this.material = new ShaderMaterial({
      vertexShader: look.vertex,
      fragmentShader: look.fragment,
      transparent: true,
      depthWrite: false,
      toneMapped: false,
    });
    this.mesh = new Mesh(this.geometry, this.material);
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = look.renderOrder;
    this.mesh.raycast = () => {};
    this.show(0);
  }

  /** The first so many are there, as their values are now. */
  show(count: number): void {
    this.geometry.instanceCount = count;
    this.mesh.visible = count > 0;
    if (count === 0) return;
    for (const name in this.values) this.values[name].needsUpdate = true;
  }

  dispose(): void {
    this.geometry.dispose();
    this.material.dispose();
    this.mesh.removeFromParent();
  }
}

function slots(length: number, size: number): InstancedBufferAttribute {
  return new InstancedBufferAttribute(new Float32Array(length), size).setUsage(DynamicDrawUsage);
}
