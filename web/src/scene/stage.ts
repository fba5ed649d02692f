/** The WebGL side of the room: renderer, camera, light, the place itself, and how much effort goes into drawing it. */

import {
  ACESFilmicToneMapping,
  AmbientLight,
  DirectionalLight,
  Fog,
  HemisphereLight,
  type Intersection,
  type Object3D,
  PCFShadowMap,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  type Texture,
  WebGLRenderer,
} from "three";
import type { Environment } from "../wire/generated";
import { Architecture } from "./architecture";
import { Floor } from "./floor";
import { LOOKS } from "./look";
import { simplify } from "./plain";
import type { Effort } from "./quality";
import { Gallery } from "./sculptures";
import { Sky } from "./sky";

/** What the graphics driver calls itself; asked before anything is drawn. */
export function rendererName(): string {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return "none";
  const extension = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(extension ? extension.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return name;
}

/** Something that was put on the stage and can be pointed at. */
export interface Pickable {
  readonly group: Object3D;
  /** Whom a ray hit there. */
  entityOf(hit: Intersection): string | null;
}

export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(58, 1, 0.08, 900);
  readonly floor: Floor;
  readonly architecture: Architecture;
  readonly gallery: Gallery;
  /** What rays hit besides the place itself: the document's entities, once there are any. */
  pickable: Pickable | null = null;
  private readonly sky: Sky;
  private readonly sun = new DirectionalLight();
  private readonly fill = new HemisphereLight();
  private readonly ambient = new AmbientLight("#ffffff", 0.12);
  private renderer: WebGLRenderer;
  private reflections: Texture | null = null;
  private readonly resizing: ResizeObserver;
  private effort: Effort;

  /** Throws where the browser has no WebGL 2. */
  constructor(
    private readonly container: HTMLElement,
    private environment: Environment,
    effort: Effort,
  ) {
    const look = LOOKS[environment];
    this.effort = effort;
    this.renderer = this.makeRenderer();
    this.sky = new Sky(look);
    this.floor = new Floor(look);
    this.architecture = new Architecture(look);
    this.gallery = new Gallery(look);
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(2048, 2048);
    this.sun.shadow.bias = -0.0006;
    this.sun.shadow.normalBias = 0.03;
    Object.assign(this.sun.shadow.camera, { left: -24, right: 24, top: 24, bottom: -24, near: 1, far: 90 });
    this.scene.add(
      this.sky.mesh,
      this.floor.mesh,
      this.architecture.group,
      this.architecture.far,
      this.gallery.group,
    );
    this.scene.add(this.sun, this.sun.target, this.fill, this.ambient);
    this.scene.fog = new Fog(look.fog, look.fogNear, look.fogFar);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(container);
    this.light();
    this.setEffort(effort);
  }

  show(environment: Environment): void {
    this.environment = environment;
    this.light();
    this.reflect();
  }

  private light(): void {
    const look = LOOKS[this.environment];
    this.sky.show(look);
    this.floor.show(look);
    this.architecture.show(look);
    this.gallery.show(look);
    this.sun.color.set(look.light);
    this.sun.intensity = look.lightIntensity;
    this.sun.position.set(...look.lightDirection).multiplyScalar(42);
    this.fill.color.set(look.skyLight);
    this.fill.groundColor.set(look.groundLight);
    this.fill.intensity = look.fillIntensity;
    this.scene.fog = new Fog(look.fog, look.fogNear, look.fogFar);
    this.renderer.toneMappingExposure = look.exposure;
  }

  setEffort(effort: Effort): void {
    const remake = effort.antialias !== this.effort.antialias;
    this.effort = effort;
    if (remake) {
      this.retire();
      this.renderer = this.makeRenderer();
    }
    this.sun.castShadow = effort.shadows;
    this.floor.simplify(effort.plain);
    this.sky.simplify(effort.plain);
    simplify(this.architecture.group, effort.plain);
    simplify(this.architecture.far, effort.plain);
    document.documentElement.classList.toggle("plain", effort.plain);
    simplify(this.gallery.group, effort.plain);
    if (this.pickable) simplify(this.pickable.group, effort.plain);
    this.renderer.shadowMap.enabled = effort.shadows;
    this.renderer.toneMappingExposure = LOOKS[this.environment].exposure;
    this.scene.traverse((child) => {
      if ("material" in child)
        for (const m of [child.material].flat()) (m as { needsUpdate: boolean }).needsUpdate = true;
    });
    this.reflect();
    this.resize();
  }

  /** Draws something that came later with as little effort as the rest. */
  dress(object: Object3D): void {
    simplify(object, this.effort.plain);
  }

  render(seconds: number, reducedMotion: boolean): void {
    this.gallery.update(reducedMotion ? 4 : seconds);
    this.sky.mesh.position.copy(this.camera.position);
    this.renderer.render(this.scene, this.camera);
  }

  dispose(): void {
    this.resizing.disconnect();
    this.reflections?.dispose();
    this.retire();
  }

  private makeRenderer(): WebGLRenderer {
    const renderer = new WebGLRenderer({
      antialias: this.effort.antialias,
      powerPreference: "high-performance",
    });
    renderer.toneMapping = ACESFilmicToneMapping;
    renderer.shadowMap.type = PCFShadowMap;
    renderer.shadowMap.enabled = this.effort.shadows;
    renderer.domElement.className = "stage-canvas";
    this.container.prepend(renderer.domElement);
    return renderer;
  }

  private retire(): void {
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.renderer.domElement.remove();
  }

  /** The sky in every polished surface. */
  private reflect(): void {
    this.reflections?.dispose();
    this.reflections = null;
    const look = LOOKS[this.environment];
    this.fill.intensity = look.fillIntensity * (this.effort.reflections ? 1 : 1.55);
    if (this.effort.reflections) {
      const generator = new PMREMGenerator(this.renderer);
      const only = new Scene();
      const sky = new Sky(look);
      only.add(sky.mesh);
      this.reflections = generator.fromScene(only, 0.02, 0.1, 500).texture;
      generator.dispose();
    }
    this.scene.environment = this.reflections;
    this.scene.environmentIntensity = look.reflection;
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.container;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.fov = this.camera.aspect < 0.8 ? 72 : 58;
    this.camera.updateProjectionMatrix();
    const ratio = Math.min(window.devicePixelRatio || 1, this.effort.pixelRatio);
    this.renderer.setPixelRatio(this.effort.pixelRatio < 1 ? this.effort.pixelRatio : ratio);
    this.renderer.setSize(clientWidth, clientHeight, false);
  }
}
