/** Outlines of what people select or point at: each mesh's hull, swollen along smooth normals, drawn from behind. */

import { BackSide, type BufferGeometry, Color, Mesh, ShaderMaterial } from "three";
import { mergeVertices } from "three/addons/utils/BufferGeometryUtils.js";
import type { Sculpture } from "./sculptures";

const VERTEX = /* glsl */ `
uniform float width;
void main() {
  vec4 view = modelViewMatrix * vec4(position, 1.0);
  // As a direction, not as a normal: what is flat swells at its rim, not at its face.
  vec3 n = normalize((modelViewMatrix * vec4(normal, 0.0)).xyz);
  view.xyz += n * width * clamp(-view.z * 0.12, 0.6, 3.5);
  gl_Position = projectionMatrix * view;
}`;
const FRAGMENT = /* glsl */ `
uniform vec3 color;
void main() { gl_FragColor = vec4(color, 1.0);
  #include <colorspace_fragment>
}`;

/** A hull's paint: its colour and width may change at any time. */
export interface Hull {
  material: ShaderMaterial;
  color: Color;
  width: { value: number };
}

/** Paint for one hull, drawn from behind. */
export function hullMaterial(): Hull {
  const color = new Color();
  const width = { value: 0.03 };
  const material = new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    side: BackSide,
    toneMapped: false,
    uniforms: { color: { value: color }, width },
  });
  return { material, color, width };
}

export class Outlines {
  private readonly hulls = new Map<string, Hull & { meshes: Mesh[] }>();

  constructor(private readonly sculptures: readonly Sculpture[]) {}

  /** Colours by entity: `bold` for a selection, otherwise somebody only points there. */
  show(marks: ReadonlyMap<string, { color: string; bold: boolean }>): void {
    for (const sculpture of this.sculptures) {
      const mark = marks.get(sculpture.id);
      if (!mark && !this.hulls.has(sculpture.id)) continue;
      const hull = this.hullOf(sculpture);
      for (const mesh of hull.meshes) mesh.visible = mark !== undefined;
      if (!mark) continue;
      hull.color.set(mark.color);
      hull.width.value = mark.bold ? 0.034 : 0.014;
    }
  }

  private hullOf(sculpture: Sculpture): Hull & { meshes: Mesh[] } {
    const known = this.hulls.get(sculpture.id);
    if (known) return known;
    const paint = hullMaterial();
    const meshes = sculpture.group.children
      .filter((child): child is Mesh => child instanceof Mesh)
      .map((mesh) => {
        const hull = new Mesh(smooth(mesh.geometry), paint.material);
        hull.raycast = () => {};
        mesh.add(hull);
        return hull;
      });
    const made = { ...paint, meshes };
    this.hulls.set(sculpture.id, made);
    return made;
  }
}

/** The same surface with shared vertices, so that its normals leave no gaps at the edges. */
export function smooth(geometry: BufferGeometry): BufferGeometry {
  const copy = geometry.clone();
  copy.deleteAttribute("normal");
  copy.deleteAttribute("uv");
  const merged = mergeVertices(copy, 1e-4);
  merged.computeVertexNormals();
  return merged;
}
