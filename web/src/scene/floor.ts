/** The plaza's floor: stone with concentric inlays and radial joints, drawn in the fragment so that it stays crisp. */

import {
  CircleGeometry,
  Color,
  type IUniform,
  Mesh,
  MeshLambertMaterial,
  MeshStandardMaterial,
  type WebGLProgramParametersWithUniforms,
} from "three";
import type { Look } from "./look";

const LINE = /* glsl */ `
varying vec2 vPlaza;
uniform vec3 inlay;
float line(float value, float width) {
  float w = fwidth(value);
  return 1.0 - smoothstep(width, width + w * 1.5, abs(value));
}
float rings(float r) {
  return max(line(r - 5.4, 0.045), max(line(r - 11.0, 0.03), max(line(r - 11.35, 0.09), line(r - 18.0, 0.05))));
}`;

const PAVING = /* glsl */ `${LINE}
float grain(vec2 p) { return fract(sin(dot(floor(p), vec2(12.9898, 78.233))) * 43758.5453); }
vec3 paving(vec3 stone, vec2 p, out float metal) {
  float r = length(p);
  float angle = atan(p.y, p.x) / 6.2831853 + 0.5;
  float round = angle * 6.2831853 * r;
  float course = floor(r / 1.5);
  float count = max(6.0, floor(course * 4.0 + 2.0));
  float along = fract(angle * count + course * 0.37);
  float joint = (0.5 - abs(along - 0.5)) / count * 6.2831853 * r;
  float ringJoint = (0.5 - abs(fract(r / 1.5) - 0.5)) * 1.5;
  float edges = max(line(joint, 0.012), line(ringJoint, 0.012));
  float slab = grain(vec2(course * 17.0, floor(angle * count + course * 0.37)));
  float fade = 1.0 - smoothstep(16.0, 44.0, r);
  vec3 color = stone * (0.93 + 0.1 * slab * fade) * (1.0 - 0.16 * edges * fade);
  float gold = rings(r);
  float petals = (0.5 - abs(fract(angle * 12.0) - 0.5)) / 12.0 * 6.2831853 * r;
  gold = max(gold, line(petals, 0.02) * step(5.4, r) * step(r, 11.0));
  float ticks = (fract(angle * 48.0) - 0.5) / 48.0 * 6.2831853 * r;
  gold = max(gold, line(ticks, 0.025) * step(17.1, r) * step(r, 18.0));
  metal = gold;
  return mix(color, inlay, gold);
}`;

const PLAIN_PAVING = /* glsl */ `${LINE}
vec3 paving(vec3 stone, vec2 p) {
  float r = length(p);
  float joint = line((0.5 - abs(fract(r / 1.5) - 0.5)) * 1.5, 0.015) * (1.0 - smoothstep(14.0, 30.0, r));
  return mix(stone * (0.97 - 0.1 * joint), inlay, rings(r));
}`;

export class Floor {
  readonly mesh: Mesh<CircleGeometry, MeshStandardMaterial | MeshLambertMaterial>;
  private readonly stone = new MeshStandardMaterial({ roughness: 0.72, metalness: 0 });
  private readonly plain = new MeshLambertMaterial();
  private readonly inlay: IUniform<Color> = { value: new Color() };

  constructor(look: Look) {
    this.plain.color = this.stone.color;
    this.stone.onBeforeCompile = (shader) => {
      this.pave(shader, PAVING, "float inlaid; diffuseColor.rgb = paving(diffuseColor.rgb, vPlaza, inlaid);");
      shader.fragmentShader = shader.fragmentShader
        .replace("#include <roughnessmap_fragment>", "float roughnessFactor = mix(roughness, 0.32, inlaid);")
        .replace("#include <metalnessmap_fragment>", "float metalnessFactor = mix(metalness, 0.75, inlaid);");
    };
    this.plain.onBeforeCompile = (shader) => {
      this.pave(shader, PLAIN_PAVING, "diffuseColor.rgb = paving(diffuseColor.rgb, vPlaza);");
    };
    this.mesh = new Mesh(new CircleGeometry(46, 96), this.stone);
    this.mesh.rotation.x = -Math.PI / 2;
    this.mesh.receiveShadow = true;
    this.mesh.name = "floor";
    this.show(look);
  }

  show(look: Look): void {
    this.stone.color.set(look.floor);
    this.inlay.value.set(look.inlay);
  }

  simplify(plain: boolean): void {
    this.mesh.material = plain ? this.plain : this.stone;
  }

  private pave(shader: WebGLProgramParametersWithUniforms, functions: string, color: string): void {
    shader.uniforms.inlay = this.inlay;
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nvarying vec2 vPlaza;")
      .replace("#include <begin_vertex>", "#include <begin_vertex>\nvPlaza = position.xy;");
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", `#include <common>\n${functions}`)
      .replace("#include <color_fragment>", color);
  }
}
