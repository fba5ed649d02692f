/** The plaza's floor: stone with concentric inlays and radial joints, drawn in the fragment so that it stays crisp. */

import { CircleGeometry, Color, type IUniform, Mesh, MeshStandardMaterial } from "three";
import type { Look } from "./look";

const PATTERN = /* glsl */ `
float line(float value, float width) {
  float w = fwidth(value);
  return 1.0 - smoothstep(width, width + w * 1.5, abs(value));
}
float grain(vec2 p) { return fract(sin(dot(floor(p), vec2(12.9898, 78.233))) * 43758.5453); }
vec3 paving(vec3 stone, vec3 inlay, vec2 p, out float metal) {
  float r = length(p);
  float angle = atan(p.y, p.x) / 6.2831853 + 0.5;
  float course = floor(r / 1.5);
  float count = max(6.0, floor(course * 4.0 + 2.0));
  float joint = (fract(angle * count + course * 0.37) - 0.5) / count * 6.2831853 * r;
  float ringJoint = (fract(r / 1.5) - 0.5) * 1.5;
  float edges = max(line(abs(joint) - 0.5 / count * 6.2831853 * r, 0.012), line(abs(ringJoint) - 0.75, 0.012));
  float slab = grain(vec2(course * 17.0, floor(angle * count + course * 0.37)));
  float fade = 1.0 - smoothstep(16.0, 44.0, r);
  vec3 color = stone * (0.93 + 0.1 * slab * fade);
  color *= 1.0 - 0.16 * edges * fade;
  float gold = max(line(r - 5.4, 0.045), max(line(r - 11.0, 0.03), max(line(r - 11.35, 0.09), line(r - 18.0, 0.05))));
  float petals = abs(fract(angle * 12.0) - 0.5) / 12.0 * 6.2831853 * r;
  gold = max(gold, line(petals, 0.02) * step(5.4, r) * step(r, 11.0));
  float rose = abs(r - 14.7) - 1.6 * abs(sin(angle * 6.2831853 * 12.0));
  gold = max(gold, line(rose + 1.2, 0.02) * step(11.4, r) * step(r, 18.0) * 0.8);
  metal = gold;
  return mix(color, inlay, gold);
}`;

export class Floor {
  readonly mesh: Mesh;
  private readonly material: MeshStandardMaterial;
  private readonly inlay: IUniform<Color> = { value: new Color() };

  constructor(look: Look) {
    this.material = new MeshStandardMaterial({ roughness: 0.72, metalness: 0 });
    this.material.onBeforeCompile = (shader) => {
      shader.uniforms.inlay = this.inlay;
      shader.vertexShader = shader.vertexShader
        .replace("#include <common>", "#include <common>\nvarying vec2 vPlaza;")
        .replace("#include <begin_vertex>", "#include <begin_vertex>\nvPlaza = position.xy;");
      shader.fragmentShader = shader.fragmentShader
        .replace(
          "#include <common>",
          `#include <common>\nvarying vec2 vPlaza;\nuniform vec3 inlay;\n${PATTERN}`,
        )
        .replace(
          "#include <color_fragment>",
          "float inlaid; diffuseColor.rgb = paving(diffuseColor.rgb, inlay, vPlaza, inlaid);",
        )
        .replace("#include <roughnessmap_fragment>", "float roughnessFactor = mix(roughness, 0.32, inlaid);")
        .replace("#include <metalnessmap_fragment>", "float metalnessFactor = mix(metalness, 0.75, inlaid);");
    };
    this.mesh = new Mesh(new CircleGeometry(46, 96), this.material);
    this.mesh.rotation.x = -Math.PI / 2;
    this.mesh.receiveShadow = true;
    this.mesh.name = "floor";
    this.show(look);
  }

  show(look: Look): void {
    this.material.color.set(look.floor);
    this.inlay.value.set(look.inlay);
  }
}
