/** The sky: a gradient in four steps, a sun or moon with its glow, thin cloud bands, stars. One draw call. */

import { BackSide, Color, Mesh, ShaderMaterial, SphereGeometry, Vector3 } from "three";
import type { Look } from "./look";

const VERTEX = /* glsl */ `
varying vec3 vDirection;
void main() {
  vDirection = normalize(position);
  vec4 placed = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
  gl_Position = placed.xyww;
}`;

const FRAGMENT = /* glsl */ `
uniform vec3 zenith; uniform vec3 upper; uniform vec3 lower; uniform vec3 horizon; uniform vec3 sun;
uniform vec3 sunDirection; uniform float sunSize; uniform float sunGlow; uniform float stars;
varying vec3 vDirection;
float hash(vec3 p) { return fract(sin(dot(p, vec3(127.1, 311.7, 74.7))) * 43758.5453); }
float bands(vec3 d) {
  float h = d.y * 9.0;
  float a = atan(d.x, d.z);
  float wave = sin(a * 3.0 + h * 1.3) + sin(a * 7.0 - h * 2.1 + 1.7) * 0.6 + sin(a * 13.0 + h * 4.0) * 0.3;
  return smoothstep(0.35, 1.7, wave) * smoothstep(0.02, 0.14, d.y) * smoothstep(0.5, 0.16, d.y);
}
void main() {
  vec3 d = normalize(vDirection);
  float h = d.y;
  vec3 color = mix(horizon, lower, smoothstep(0.0, 0.13, h));
  color = mix(color, upper, smoothstep(0.08, 0.38, h));
  color = mix(color, zenith, smoothstep(0.3, 0.85, h));
  color = mix(color, horizon * 0.94, smoothstep(0.0, -0.2, h));
  float along = max(dot(d, normalize(sunDirection)), 0.0);
#ifndef PLAIN
  color = mix(color, mix(color, sun, 0.5), bands(d) * (0.22 + 0.5 * pow(along, 3.0)));
#endif
#ifdef PLAIN
  float near = along * along;
  near *= near;
  color += sun * sunGlow * (near * 0.14 + near * near * near * near * 0.4);
#else
  color += sun * sunGlow * (pow(along, 6.0) * 0.16 + pow(along, 40.0) * 0.35 + pow(along, 300.0) * 0.5);
#endif
  color = mix(color, sun * 1.1, smoothstep(1.0 - sunSize, 1.0 - sunSize * 0.82, along));
#ifndef PLAIN
  vec3 cell = floor(d * 160.0);
  float star = step(0.9972, hash(cell)) * smoothstep(0.1, 0.5, h) * stars;
  float point = smoothstep(0.5, 0.05, length(fract(d * 160.0) - 0.5));
  color += vec3(0.9, 0.95, 1.0) * star * point * (0.5 + hash(cell + 3.0));
#endif
  gl_FragColor = vec4(color, 1.0);
  #include <colorspace_fragment>
}`;

export class Sky {
  readonly mesh: Mesh;
  private readonly material: ShaderMaterial;
  private readonly colors = {
    zenith: new Color(),
    upper: new Color(),
    lower: new Color(),
    horizon: new Color(),
    sun: new Color(),
  };
  private readonly sunDirection = new Vector3();

  constructor(look: Look) {
    this.material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      side: BackSide,
      depthWrite: false,
      fog: false,
      toneMapped: false,
      uniforms: {
        zenith: { value: this.colors.zenith },
        upper: { value: this.colors.upper },
        lower: { value: this.colors.lower },
        horizon: { value: this.colors.horizon },
        sun: { value: this.colors.sun },
        sunDirection: { value: this.sunDirection },
        sunSize: { value: 0 },
        sunGlow: { value: 0 },
        stars: { value: 0 },
      },
    });
    this.mesh = new Mesh(new SphereGeometry(400, 32, 24), this.material);
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = 5; // last of what is opaque: only where nothing stands before it
    this.show(look);
  }

  simplify(plain: boolean): void {
    this.material.defines = plain ? { PLAIN: "" } : {};
    this.material.needsUpdate = true;
  }

  show(look: Look): void {
    for (const name of ["zenith", "upper", "lower", "horizon", "sun"] as const) {
      this.colors[name].set(look[name]);
    }
    this.sunDirection.set(...look.sunDirection);
    for (const name of ["sunSize", "sunGlow", "stars"] as const) {
      const uniform = this.material.uniforms[name];
      if (uniform) uniform.value = look[name];
    }
  }
}
