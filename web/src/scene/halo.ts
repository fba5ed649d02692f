/** Outlines of entities that people select or point at: a swollen hull each, borrowed only while it is needed. */

import { type BufferGeometry, Group, Mesh } from "three";
import type { SceneEntities } from "./entities";
import { type Hull, hullMaterial, smooth } from "./outline";

/** How somebody's selection or pointing is marked. */
export interface Mark {
  color: string;
  bold: boolean;
}

interface Halo {
  mesh: Mesh;
  hull: Hull;
}

const smoothed = new WeakMap<BufferGeometry, BufferGeometry>();
const MEMBERS_MAX = 150;

/** All outlines of entities. */
export class Halos {
  /** To be put into the scene. */
  readonly group = new Group();
  private readonly halos: Halo[] = [];

  constructor(private readonly entities: SceneEntities) {}

  /** Outlines exactly these; of a group also what is beneath it. */
  show(marks: ReadonlyMap<string, Mark>): void {
    let used = 0;
    const outline = (id: string, mark: Mark): void => {
      const found = this.entities.hullOf(id);
      if (!found || used > MEMBERS_MAX + marks.size) return;
      const { mesh, hull } = this.halo(used);
      used += 1;
      mesh.geometry = smoothOf(found.geometry);
      mesh.matrix.copy(found.matrix);
      mesh.matrixWorldNeedsUpdate = true;
      mesh.visible = true;
      hull.color.set(mark.color);
      hull.width.value = mark.bold ? 0.042 : 0.018;
      for (const below of this.entities.below(id)) if (!marks.has(below)) outline(below, mark);
    };
    for (const [id, mark] of marks) outline(id, mark);
    for (const { mesh } of this.halos.slice(used)) mesh.visible = false;
  }

  dispose(): void {
    for (const { hull } of this.halos) hull.material.dispose();
    this.group.removeFromParent();
  }

  private halo(at: number): Halo {
    const known = this.halos[at];
    if (known) return known;
    const hull = hullMaterial();
    const mesh = new Mesh(undefined, hull.material);
    mesh.matrixAutoUpdate = false;
    mesh.frustumCulled = false;
    mesh.raycast = () => {};
    this.group.add(mesh);
    const made = { mesh, hull };
    this.halos[at] = made;
    return made;
  }
}

function smoothOf(geometry: BufferGeometry): BufferGeometry {
  const known = smoothed.get(geometry);
  if (known) return known;
  const made = smooth(geometry);
  smoothed.set(geometry, made);
  return made;
}
