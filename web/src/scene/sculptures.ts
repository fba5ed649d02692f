/** The objects of the room: seven sculptures to point at and select. Their ids are on the wire. */

import {
  BoxGeometry,
  type BufferGeometry,
  CatmullRomCurve3,
  CylinderGeometry,
  DodecahedronGeometry,
  Group,
  IcosahedronGeometry,
  LatheGeometry,
  Mesh,
  MeshStandardMaterial,
  type Object3D,
  RingGeometry,
  SphereGeometry,
  TorusGeometry,
  TorusKnotGeometry,
  TubeGeometry,
  Vector2,
  Vector3,
} from "three";
import type { Look } from "./look";

export interface Sculpture {
  id: string;
  title: string;
  group: Group;
  /** Metres on the floor that nobody walks through. */
  radius: number;
  spin: number;
}

interface Finish {
  color: string;
  roughness: number;
  metalness: number;
  glow?: number;
}

const BRONZE: Finish = { color: "#c9824a", roughness: 0.28, metalness: 0.9 };
const CORAL: Finish = { color: "#f0745a", roughness: 0.42, metalness: 0.05 };
const JADE: Finish = { color: "#4fa79a", roughness: 0.25, metalness: 0.15 };
const PEARL: Finish = { color: "#f4e9e2", roughness: 0.18, metalness: 0.1 };
const VIOLET: Finish = { color: "#7d6cd0", roughness: 0.3, metalness: 0.25 };
const GOLD: Finish = { color: "#f0bf62", roughness: 0.22, metalness: 0.95 };
const EMBER: Finish = { color: "#ffd9a0", roughness: 0.5, metalness: 0, glow: 1.4 };

function part(geometry: BufferGeometry, finish: Finish, flat = false): Mesh {
  const material = new MeshStandardMaterial({
    color: finish.color,
    roughness: finish.roughness,
    metalness: finish.metalness,
    flatShading: flat,
  });
  if (finish.glow) {
    material.emissive.set(finish.color);
    material.emissiveIntensity = finish.glow;
  }
  const mesh = new Mesh(geometry, material);
  mesh.castShadow = true;
  mesh.receiveShadow = true;
  return mesh;
}

function helix(phase: number): TubeGeometry {
  const points = Array.from({ length: 40 }, (_, n) => {
    const t = (n / 39) * Math.PI * 3 + phase;
    return new Vector3(Math.cos(t) * 0.42, (n / 39) * 1.7 - 0.85, Math.sin(t) * 0.42);
  });
  return new TubeGeometry(new CatmullRomCurve3(points), 64, 0.075, 8);
}

function vessel(): LatheGeometry {
  const profile = [0.02, 0.5, 0.62, 0.42, 0.2, 0.18, 0.34, 0.3];
  const points = profile.map((r, n) => new Vector2(r, (n / (profile.length - 1)) * 1.5 - 0.75));
  const smooth = new CatmullRomCurve3(points.map((p) => new Vector3(p.x, p.y, 0))).getPoints(32);
  return new LatheGeometry(
    smooth.map((p) => new Vector2(Math.max(0.01, p.x), p.y)),
    32,
  );
}

function stack(): Object3D[] {
  return [0, 1, 2, 3, 4].map((n) => {
    const box = part(new BoxGeometry(0.92 - n * 0.13, 0.26, 0.92 - n * 0.13), n % 2 ? PEARL : CORAL);
    box.position.y = n * 0.27 - 0.55;
    box.rotation.y = n * 0.32;
    return box;
  });
}

function armillary(): Object3D[] {
  const rings = [1.45, 1.2, 0.95].map((radius, n) => {
    const ring = part(new TorusGeometry(radius, 0.055, 10, 72), GOLD);
    ring.rotation.set(0.4 + n * 0.9, n * 0.7, 0.2);
    return ring;
  });
  return [...rings, part(new SphereGeometry(0.42, 40, 28), EMBER)];
}

function moons(): Object3D[] {
  const body = part(new SphereGeometry(0.5, 40, 28), PEARL);
  const ring = part(new TorusGeometry(0.82, 0.035, 10, 72), BRONZE);
  ring.rotation.set(1.15, 0.25, 0);
  const moon = part(new SphereGeometry(0.13, 24, 16), CORAL);
  moon.position.set(0.72, 0.32, 0.2);
  return [body, ring, moon];
}

const PIECES: { id: string; title: string; parts: () => Object3D[]; spin: number }[] = [
  {
    id: "sculpture.knot",
    title: "Knot",
    parts: () => [part(new TorusKnotGeometry(0.44, 0.15, 110, 14), BRONZE)],
    spin: 0.12,
  },
  {
    id: "sculpture.shard",
    title: "Shard",
    parts: () => [part(new IcosahedronGeometry(0.72, 0), JADE, true)],
    spin: 0.08,
  },
  { id: "sculpture.moons", title: "Moons", parts: moons, spin: 0.1 },
  { id: "sculpture.stack", title: "Stack", parts: stack, spin: 0 },
  {
    id: "sculpture.helix",
    title: "Helix",
    parts: () => [part(helix(0), VIOLET), part(helix(Math.PI), PEARL)],
    spin: 0.15,
  },
  { id: "sculpture.vessel", title: "Vessel", parts: () => [part(vessel(), JADE)], spin: 0 },
  {
    id: "sculpture.stone",
    title: "Stone",
    parts: () => [part(new DodecahedronGeometry(0.66, 0), VIOLET, true)],
    spin: 0.06,
  },
];

const CIRCLE_M = 8.2;

export class Gallery {
  readonly group = new Group();
  readonly sculptures: Sculpture[] = [];
  private readonly plinth = new MeshStandardMaterial({ roughness: 0.6 });
  private readonly water = new MeshStandardMaterial({ roughness: 0.06, metalness: 0.35 });

  constructor(look: Look) {
    this.centre();
    PIECES.forEach(({ id, title, parts, spin }, n) => {
      const angle = -Math.PI / 2 + (n / PIECES.length) * Math.PI * 2;
      const height = n % 2 ? 0.85 : 1.05;
      const base = new Mesh(new CylinderGeometry(0.62, 0.68, height, 40), this.plinth);
      base.position.set(Math.cos(angle) * CIRCLE_M, height / 2, Math.sin(angle) * CIRCLE_M);
      base.castShadow = true;
      base.receiveShadow = true;
      this.group.add(base);
      this.place(
        id,
        title,
        parts(),
        spin,
        new Vector3(base.position.x, height + 0.98, base.position.z),
        0.95,
      );
    });
    this.show(look);
  }

  show(look: Look): void {
    this.plinth.color.set(look.wall);
    this.water.color.set(look.water);
  }

  update(seconds: number): void {
    for (const { group, spin } of this.sculptures) {
      group.rotation.y = spin * seconds;
    }
    const centre = this.sculptures[0];
    centre?.group.children.forEach((ring, n) => {
      if (n < 3) ring.rotation.z = 0.2 + seconds * (0.1 + n * 0.05) * (n % 2 ? -1 : 1);
    });
  }

  private centre(): void {
    const water = new Mesh(new RingGeometry(2.35, 4.1, 72), this.water);
    water.rotation.x = -Math.PI / 2;
    water.position.y = 0.035;
    const dais = new Mesh(new CylinderGeometry(2.2, 2.36, 0.34, 64), this.plinth);
    dais.position.y = 0.17;
    const stem = new Mesh(new CylinderGeometry(0.34, 0.7, 0.85, 40), this.plinth);
    stem.position.y = 0.75;
    const kerb = new Mesh(new TorusGeometry(4.12, 0.09, 10, 90), this.plinth);
    kerb.rotation.x = Math.PI / 2;
    kerb.position.y = 0.05;
    for (const mesh of [dais, stem, kerb, water]) {
      mesh.castShadow = mesh !== water;
      mesh.receiveShadow = true;
      this.group.add(mesh);
    }
    this.place("sculpture.meridian", "Meridian", armillary(), 0, new Vector3(0, 2.85, 0), 4.2);
  }

  private place(
    id: string,
    title: string,
    parts: Object3D[],
    spin: number,
    at: Vector3,
    radius: number,
  ): void {
    const group = new Group();
    group.position.copy(at);
    for (const mesh of parts) {
      mesh.userData.entity = id;
      group.add(mesh);
    }
    this.sculptures.push({ id, title, group, radius, spin });
    this.group.add(group);
  }
}
