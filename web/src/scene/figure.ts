/** The stylised body of a person: a cloak in their colour, a head that looks where they look, hands, a halo. */

import {
  BufferAttribute,
  type BufferGeometry,
  CanvasTexture,
  CapsuleGeometry,
  Color,
  Group,
  LatheGeometry,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  PlaneGeometry,
  SphereGeometry,
  TorusGeometry,
  Vector2,
} from "three";

export const EYE_M = 1.62;

const CLOAK: [number, number][] = [
  [0.001, 0.14],
  [0.3, 0.15],
  [0.325, 0.2],
  [0.29, 0.45],
  [0.235, 0.8],
  [0.21, 1.05],
  [0.205, 1.18],
  [0.17, 1.29],
  [0.09, 1.35],
  [0.001, 1.36],
];

let shade: CanvasTexture | null = null;

/** One soft round shadow for everybody. */
function shadowTexture(): CanvasTexture {
  if (shade) return shade;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 128;
  const pen = canvas.getContext("2d");
  if (pen) {
    const soft = pen.createRadialGradient(64, 64, 4, 64, 64, 62);
    soft.addColorStop(0, "rgba(24, 12, 40, 0.55)");
    soft.addColorStop(1, "rgba(24, 12, 40, 0)");
    pen.fillStyle = soft;
    pen.fillRect(0, 0, 128, 128);
  }
  shade = new CanvasTexture(canvas);
  return shade;
}

function cloakGeometry(): BufferGeometry {
  return new LatheGeometry(
    CLOAK.map(([r, y]) => new Vector2(r, y)),
    36,
  );
}

/** Darker at the hem, lighter at the shoulders. */
function tint(geometry: BufferGeometry, color: string): void {
  const positions = geometry.getAttribute("position");
  const base = new Color(color);
  const dark = base.clone().multiplyScalar(0.55);
  const light = base.clone().lerp(new Color("#ffffff"), 0.3);
  const values = new Float32Array(positions.count * 3);
  const at = new Color();
  for (let n = 0; n < positions.count; n++) {
    const height = positions.getY(n) / 1.36;
    if (height < 0.5) at.lerpColors(dark, base, height * 2);
    else at.lerpColors(base, light, height * 2 - 1);
    at.toArray(values, n * 3);
  }
  geometry.setAttribute("color", new BufferAttribute(values, 3));
}

export class Figure {
  /** At the person's feet, turned with the body. */
  readonly body = new Group();
  /** At the eyes, turned with the head. */
  readonly head = new Group();
  readonly hand: Mesh;
  readonly restingHand: Mesh;
  readonly halo: Mesh;
  private readonly cloth = new MeshStandardMaterial({ vertexColors: true, roughness: 0.62 });
  private readonly skin = new MeshStandardMaterial({ color: "#fbf1e8", roughness: 0.4 });
  private readonly visor = new MeshStandardMaterial({ color: "#2a2042", roughness: 0.14, metalness: 0.3 });
  private readonly eyes = new MeshBasicMaterial({ color: "#fff3dc" });
  private readonly accent = new MeshStandardMaterial({ roughness: 0.35, metalness: 0.1 });
  private readonly glow = new MeshBasicMaterial({ transparent: true });
  private readonly shadow = new MeshBasicMaterial({
    map: shadowTexture(),
    transparent: true,
    depthWrite: false,
  });
  private readonly cloak = cloakGeometry();
  private readonly eyePair: Mesh[] = [];

  constructor(color: string) {
    const cloak = new Mesh(this.cloak, this.cloth);
    const collar = new Mesh(new TorusGeometry(0.125, 0.03, 10, 32), this.accent);
    collar.rotation.x = Math.PI / 2;
    collar.position.y = 1.335;
    const ground = new Mesh(new PlaneGeometry(1.05, 1.05), this.shadow);
    ground.rotation.x = -Math.PI / 2;
    ground.position.y = 0.025;
    ground.renderOrder = 1;
    this.hand = new Mesh(new SphereGeometry(0.062, 18, 14), this.skin);
    this.restingHand = new Mesh(this.hand.geometry, this.skin);
    this.body.add(cloak, collar, ground, this.hand, this.restingHand);
    this.buildHead();
    this.halo = new Mesh(new TorusGeometry(0.17, 0.012, 8, 40), this.glow);
    this.halo.rotation.x = Math.PI / 2;
    for (const mesh of [cloak, this.hand, this.restingHand]) mesh.castShadow = true;
    this.paint(color);
  }

  paint(color: string): void {
    tint(this.cloak, color);
    this.accent.color.set(color).lerp(new Color("#ffffff"), 0.35);
    this.glow.color.set(color).lerp(new Color("#ffffff"), 0.3);
  }

  /** 1 = here, 0 = far away in thought: fades, and closes the eyes. */
  presence(here: number): void {
    const faded = here < 0.85;
    for (const material of [this.cloth, this.skin, this.visor, this.accent]) {
      if (material.transparent !== faded) {
        material.transparent = faded;
        material.needsUpdate = true;
      }
      material.opacity = faded ? 0.25 + 0.75 * here : 1;
    }
    this.glow.opacity = 0.9 * here;
    for (const eye of this.eyePair) eye.scale.y = Math.max(0.12, here * here * here);
  }

  dispose(): void {
    for (const root of [this.body, this.head, this.halo]) {
      root.traverse((child) => {
        if (child instanceof Mesh) child.geometry.dispose();
      });
    }
    for (const material of [
      this.cloth,
      this.skin,
      this.visor,
      this.eyes,
      this.accent,
      this.glow,
      this.shadow,
    ]) {
      material.dispose();
    }
  }

  private buildHead(): void {
    const skull = new Mesh(new SphereGeometry(0.165, 32, 24), this.skin);
    skull.scale.set(0.95, 1.06, 0.98);
    skull.castShadow = true;
    const face = new Mesh(
      new SphereGeometry(0.16, 32, 16, Math.PI * 1.14, Math.PI * 0.72, Math.PI * 0.32, Math.PI * 0.34),
      this.visor,
    );
    face.scale.set(1.0, 1.02, 1.06);
    face.position.z = -0.006;
    face.rotation.y = 0;
    this.head.add(skull, face);
    for (const side of [-1, 1]) {
      const eye = new Mesh(new CapsuleGeometry(0.0135, 0.022, 4, 10), this.eyes);
      eye.position.set(side * 0.05, 0.008, -0.166);
      eye.rotation.y = side * -0.3;
      this.eyePair.push(eye);
      const ear = new Mesh(new SphereGeometry(0.04, 18, 12), this.accent);
      ear.position.set(side * 0.155, 0, 0.012);
      ear.scale.set(0.5, 1, 1);
      this.head.add(eye, ear);
    }
  }
}
