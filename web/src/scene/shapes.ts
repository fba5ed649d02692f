/** What entities look like: a few geometries and materials that all of them share. */

import {
  BoxGeometry,
  type BufferGeometry,
  Color,
  CylinderGeometry,
  DoubleSide,
  DynamicDrawUsage,
  InstancedMesh,
  type Material,
  Matrix4,
  MeshBasicMaterial,
  MeshStandardMaterial,
  OctahedronGeometry,
  PlaneGeometry,
  SphereGeometry,
} from "three";

/** Everything that is drawn as one of many alike. */
export type Shape = "box" | "sphere" | "cylinder" | "plane" | "bulb" | "screen" | "unknown";

interface Look {
  geometry: () => BufferGeometry;
  material: () => Material;
  shadow: boolean;
}

const solid = (): Material => new MeshStandardMaterial({ roughness: 0.48, metalness: 0.06 });
const sheet = (): Material => new MeshStandardMaterial({ roughness: 0.7, metalness: 0, side: DoubleSide });
const glow = (): Material => new MeshBasicMaterial({ toneMapped: false, fog: false });

const LOOKS: Record<Shape, Look> = {
  box: { geometry: () => new BoxGeometry(1, 1, 1), material: solid, shadow: true },
  sphere: { geometry: () => new SphereGeometry(0.5, 40, 28), material: solid, shadow: true },
  cylinder: { geometry: () => new CylinderGeometry(0.5, 0.5, 1, 40), material: solid, shadow: true },
  plane: { geometry: () => new PlaneGeometry(1, 1), material: sheet, shadow: true },
  bulb: { geometry: () => new SphereGeometry(0.14, 24, 16), material: glow, shadow: false },
  screen: { geometry: () => new BoxGeometry(1.6, 0.9, 0.04), material: solid, shadow: true },
  unknown: { geometry: () => new OctahedronGeometry(0.4), material: solid, shadow: true },
};

const geometries = new Map<Shape, BufferGeometry>();

/** A shape's geometry: the same object for all, never to be changed or disposed of. */
export function geometryOf(shape: Shape): BufferGeometry {
  const known = geometries.get(shape);
  if (known) return known;
  const made = LOOKS[shape].geometry();
  geometries.set(shape, made);
  return made;
}

const FIRST_SEATS = 32;

/** All entities of one shape: one draw call, one matrix and one colour each. */
export class Pool {
  mesh: InstancedMesh;
  private readonly ids: string[] = [];
  private readonly colors: string[] = [];
  private readonly seats = new Map<string, number>();
  private readonly material: Material;
  private readonly color = new Color();

  constructor(
    readonly shape: Shape,
    /** Called with the mesh, at first and whenever a bigger one takes its place. */
    private readonly place: (mesh: InstancedMesh, instead: InstancedMesh | null) => void,
  ) {
    this.material = LOOKS[shape].material();
    this.mesh = this.make(FIRST_SEATS);
    place(this.mesh, null);
  }

  /** Whose the instance is that a ray hit. */
  idAt(seat: number): string | null {
    return this.ids[seat] ?? null;
  }

  put(id: string, matrix: Matrix4, color: string): void {
    let seat = this.seats.get(id);
    if (seat === undefined) {
      seat = this.ids.length;
      if (seat >= this.mesh.instanceMatrix.count) this.grow();
      this.ids.push(id);
      this.seats.set(id, seat);
      this.mesh.count = this.ids.length;
    }
    this.mesh.setMatrixAt(seat, matrix);
    this.mesh.instanceMatrix.needsUpdate = true;
    // Rays ask for it, and then it is computed anew.
    this.mesh.boundingSphere = null;
    if (this.colors[seat] === color) return;
    this.colors[seat] = color;
    this.mesh.setColorAt(seat, this.color.set(color));
    if (this.mesh.instanceColor) this.mesh.instanceColor.needsUpdate = true;
  }

  /** The last one takes the seat of who goes. */
  drop(id: string): void {
    const seat = this.seats.get(id);
    if (seat === undefined) return;
    const last = this.ids.pop() as string;
    this.seats.delete(id);
    if (last !== id) {
      const matrix = new Matrix4();
      this.mesh.getMatrixAt(this.ids.length, matrix);
      this.mesh.getColorAt(this.ids.length, this.color);
      this.mesh.setMatrixAt(seat, matrix);
      this.mesh.setColorAt(seat, this.color);
      this.ids[seat] = last;
      this.colors[seat] = this.colors[this.ids.length] ?? "";
      this.seats.set(last, seat);
    }
    this.colors.length = this.ids.length;
    this.mesh.count = this.ids.length;
    this.mesh.instanceMatrix.needsUpdate = true;
    if (this.mesh.instanceColor) this.mesh.instanceColor.needsUpdate = true;
    this.mesh.boundingSphere = null;
  }

  dispose(): void {
    this.mesh.removeFromParent();
    this.mesh.dispose();
    this.material.dispose();
  }

  private make(seats: number): InstancedMesh {
    const mesh = new InstancedMesh(geometryOf(this.shape), this.material, seats);
    mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    mesh.setColorAt(0, this.color.set("#ffffff"));
    mesh.count = 0;
    // The scene is around the viewer most of the time, and a sphere around all of it would have to be kept.
    mesh.frustumCulled = false;
    mesh.castShadow = LOOKS[this.shape].shadow;
    mesh.receiveShadow = LOOKS[this.shape].shadow;
    mesh.userData.pool = this;
    return mesh;
  }

  private grow(): void {
    const before = this.mesh;
    const next = this.make(before.instanceMatrix.count * 2);
    next.material = before.material;
    next.instanceMatrix.array.set(before.instanceMatrix.array);
    if (before.instanceColor) next.instanceColor?.array.set(before.instanceColor.array);
    next.count = before.count;
    this.mesh = next;
    this.place(next, before);
    before.dispose();
  }
}
