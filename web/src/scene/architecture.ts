/** What stands around the plaza: steps, a colonnade, trees, lanterns, the rim, and hills in the haze. Instanced. */

import {
  BoxGeometry,
  type BufferGeometry,
  CircleGeometry,
  CylinderGeometry,
  DoubleSide,
  Group,
  IcosahedronGeometry,
  InstancedMesh,
  type Material,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  Quaternion,
  RingGeometry,
  SphereGeometry,
  TorusGeometry,
  Vector3,
} from "three";
import type { Look } from "./look";

interface Place {
  x: number;
  y: number;
  z: number;
  turn?: number;
  size?: [number, number, number];
}

const UP = new Vector3(0, 1, 0);

export class Architecture {
  readonly group = new Group();
  /** Too far to walk to or point at. */
  readonly far = new Group();
  private readonly stone = new MeshStandardMaterial({ roughness: 0.78 });
  private readonly wall = new MeshStandardMaterial({ roughness: 0.7 });
  private readonly foliage = new MeshStandardMaterial({ roughness: 0.9, flatShading: true });
  private readonly bark = new MeshStandardMaterial({ color: "#6b4a3e", roughness: 0.9 });
  private readonly lantern = new MeshStandardMaterial({ color: "#ffffff", roughness: 0.4 });
  private readonly distant = new MeshBasicMaterial();
  private readonly mist = new MeshBasicMaterial();

  constructor(look: Look) {
    this.steps();
    this.colonnade();
    this.grove();
    this.lanterns();
    this.edge();
    this.hills();
    this.show(look);
  }

  show(look: Look): void {
    this.stone.color.set(look.stone);
    this.wall.color.set(look.wall);
    this.foliage.color.set(look.foliage);
    this.lantern.emissive.set(look.lantern);
    this.lantern.emissiveIntensity = look.lanternIntensity;
    this.distant.color.set(look.distant);
    this.mist.color.set(look.fog);
  }

  private steps(): void {
    for (let step = 0; step < 4; step++) {
      const inner = 20.5 + step * 1.25;
      const height = 0.42 * (step + 1);
      const start = Math.PI * 0.62;
      const length = Math.PI * 0.76;
      const riser = new CylinderGeometry(inner, inner, height, 72, 1, true, start, length);
      const face = new Mesh(riser, new MeshStandardMaterial({ roughness: 0.78, side: DoubleSide }));
      face.material = this.doubled(this.stone);
      face.position.y = height / 2;
      const top = new Mesh(
        new RingGeometry(inner, inner + (step === 3 ? 3.4 : 1.25), 72, 1, start - Math.PI / 2, length),
        this.stone,
      );
      top.rotation.x = -Math.PI / 2;
      top.position.y = height;
      for (const mesh of [face, top]) {
        mesh.receiveShadow = true;
        this.group.add(mesh);
      }
    }
  }

  private doubled(material: MeshStandardMaterial): MeshStandardMaterial {
    material.side = DoubleSide;
    return material;
  }

  private colonnade(): void {
    const pillars: Place[] = [];
    const caps: Place[] = [];
    const arches: Place[] = [];
    const count = 13;
    const radius = 26.3;
    const angleOf = (n: number): number => Math.PI * 1.5 + (n / (count - 1) - 0.5) * Math.PI * 0.7;
    for (let n = 0; n < count; n++) {
      const angle = angleOf(n);
      const at = { x: Math.cos(angle) * radius, z: Math.sin(angle) * radius, turn: -angle };
      pillars.push({ ...at, y: 1.68 + 2.4 });
      caps.push({ ...at, y: 1.68 + 4.86 });
      if (n === count - 1) continue;
      const middle = (angle + angleOf(n + 1)) / 2;
      const reach = radius * Math.cos((angleOf(n + 1) - angle) / 2);
      arches.push({
        x: Math.cos(middle) * reach,
        y: 1.68 + 4.9,
        z: Math.sin(middle) * reach,
        turn: Math.PI / 2 - middle,
      });
    }
    const chord = 2 * radius * Math.sin((Math.PI * 0.7) / (count - 1) / 2);
    this.many(new CylinderGeometry(0.3, 0.38, 4.8, 20), this.wall, pillars);
    this.many(new BoxGeometry(0.95, 0.16, 0.95), this.wall, caps);
    this.many(new TorusGeometry(chord / 2, 0.2, 10, 28, Math.PI), this.wall, arches);
  }

  private grove(): void {
    const trunks: Place[] = [];
    const crowns: Place[] = [];
    const tubs: Place[] = [];
    for (const [angle, radius, size] of [
      [0.32, 20, 1.25],
      [0.62, 24, 1.55],
      [2.5, 24, 1.6],
      [2.82, 19.5, 1.15],
      [1.1, 27, 1.4],
      [2.05, 27, 1.35],
      [-0.12, 25, 1.3],
      [3.28, 25.5, 1.45],
    ] as const) {
      const x = Math.cos(angle) * radius;
      const z = Math.sin(angle) * radius;
      tubs.push({ x, y: 0.28, z, size: [size, 1, size] });
      trunks.push({ x, y: 1.2 * size, z, size: [size, size, size] });
      for (const [dx, dy, dz, r] of [
        [0, 2.75, 0, 1],
        [0.62, 2.35, 0.25, 0.68],
        [-0.55, 2.4, -0.3, 0.72],
        [0.05, 2.3, -0.6, 0.62],
      ] as const) {
        crowns.push({
          x: x + dx * size,
          y: dy * size,
          z: z + dz * size,
          turn: angle * 7 + dx,
          size: [r * size, r * size * 0.86, r * size],
        });
      }
    }
    this.many(new CylinderGeometry(0.62, 0.5, 0.56, 20), this.wall, tubs);
    this.many(new CylinderGeometry(0.09, 0.15, 2.1, 8), this.bark, trunks);
    this.many(new IcosahedronGeometry(1, 1), this.foliage, crowns);
  }

  private lanterns(): void {
    const lamps: Place[] = [];
    const posts: Place[] = [];
    for (let n = 0; n < 18; n++) {
      const angle = (n / 18) * Math.PI * 2 + 0.17;
      const radius = Math.sin(angle) < -0.35 ? 19.4 : 33;
      const at = { x: Math.cos(angle) * radius, z: Math.sin(angle) * radius };
      posts.push({ ...at, y: 0.45 });
      lamps.push({ ...at, y: 1.06 });
    }
    this.many(new CylinderGeometry(0.05, 0.09, 0.9, 10), this.wall, posts);
    this.many(new SphereGeometry(0.17, 14, 10), this.lantern, lamps);
  }

  private edge(): void {
    const rim = new Mesh(new CylinderGeometry(46.6, 44, 3, 96, 1, true), this.wall);
    rim.position.y = -1.5;
    const lip = new Mesh(new TorusGeometry(46.2, 0.34, 10, 120), this.wall);
    lip.rotation.x = Math.PI / 2;
    lip.position.y = 0.1;
    const below = new Mesh(new CircleGeometry(390, 48), this.mist);
    below.rotation.x = -Math.PI / 2;
    below.position.y = -7;
    this.far.add(rim, lip, below);
  }

  private hills(): void {
    const hills: Place[] = [];
    for (let n = 0; n < 34; n++) {
      const chance = fraction(n * 12.9898);
      const angle = (n / 34) * Math.PI * 2 + chance * 0.2;
      const radius = 105 + fraction(n * 78.233) * 85;
      const height = 7 + fraction(n * 39.425) * 17;
      hills.push({
        x: Math.cos(angle) * radius,
        y: -8,
        z: Math.sin(angle) * radius,
        turn: chance * 6,
        size: [26 + chance * 30, height, 20 + fraction(n * 3.7) * 22],
      });
    }
    this.many(new SphereGeometry(1, 18, 6, 0, Math.PI * 2, 0, Math.PI / 2), this.distant, hills, false);
  }

  private many(geometry: BufferGeometry, material: Material, places: Place[], shadows = true): void {
    const mesh = new InstancedMesh(geometry, material, places.length);
    const matrix = new Matrix4();
    places.forEach(({ x, y, z, turn = 0, size = [1, 1, 1] }, n) => {
      matrix.compose(new Vector3(x, y, z), new Quaternion().setFromAxisAngle(UP, turn), new Vector3(...size));
      mesh.setMatrixAt(n, matrix);
    });
    mesh.castShadow = shadows;
    mesh.receiveShadow = shadows;
    (shadows ? this.group : this.far).add(mesh);
  }
}

/** A repeatable number in [0, 1). */
function fraction(seed: number): number {
  const value = Math.sin(seed) * 43758.5453;
  return value - Math.floor(value);
}
