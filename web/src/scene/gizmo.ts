/**
 * The handles by which what is selected is moved, turned and scaled. One gesture, from grip to release, is one result;
 * meanwhile things move here only.
 *
 * The handles hold a pivot at the main one's place; what happens to the pivot happens to all that is held.
 */

import { Matrix4, Object3D } from "three";
import { TransformControls } from "three/addons/controls/TransformControls.js";
import type { SceneEntities } from "./entities";
import type { Stage } from "./stage";

/** What the handles do. */
export type Tool = "translate" | "rotate" | "scale";

/** What the gizmo says. */
export interface GizmoEvents {
  /** A gesture begins or ends: the room's own hands rest meanwhile. */
  onGrip(gripped: boolean): void;
  /** A gesture has ended with things elsewhere: their places in the world. */
  onRelease(tool: Tool, worlds: ReadonlyMap<string, Matrix4>): void;
}

const STEP_M = 0.25;
const STEP_RAD = Math.PI / 12;
const STEP_SCALE = 0.1;

/** The handles, on at most one set of entities at a time. */
export class Gizmo {
  private readonly controls: TransformControls;
  private readonly pivot = new Object3D();
  private readonly startInverse = new Matrix4();
  private starts = new Map<string, Matrix4>();
  private ids: readonly string[] = [];
  private gripped = false;
  private moved = false;

  constructor(
    stage: Stage,
    private readonly entities: SceneEntities,
    element: HTMLElement,
    private readonly events: GizmoEvents,
  ) {
    this.controls = new TransformControls(stage.camera, element);
    this.controls.setColors("#f2604c", "#3fae7c", "#4a7dff", "#ffd166");
    this.controls.setSize(matchMedia("(pointer: coarse)").matches ? 1.15 : 0.85);
    this.controls.addEventListener("dragging-changed", ({ value }) => this.grip(Boolean(value)));
    this.controls.addEventListener("objectChange", () => this.drag());
    stage.scene.add(this.pivot, this.controls.getHelper());
  }

  /** Whether a hand holds it or is about to. */
  get busy(): boolean {
    return this.gripped || (this.controls.object !== undefined && this.controls.axis !== null);
  }

  get dragging(): boolean {
    return this.gripped;
  }

  /** Where a hand has things now, in the world; nothing before they were moved. */
  held(): Map<string, Matrix4> {
    return this.gripped && this.moved ? this.worlds() : new Map();
  }

  /** Holds these, the main one last; nothing where there are none. During a gesture it keeps what it has. */
  attach(ids: readonly string[]): void {
    if (this.gripped) return;
    this.ids = ids.filter((id) => this.entities.worldOf(id));
    if (this.ids.length === 0) this.controls.detach();
    else if (this.controls.object !== this.pivot) this.controls.attach(this.pivot);
    this.follow();
  }

  use(tool: Tool): void {
    this.controls.setMode(tool);
    this.controls.setSpace(tool === "translate" ? "world" : "local");
  }

  snap(on: boolean): void {
    this.controls.setTranslationSnap(on ? STEP_M : null);
    this.controls.setRotationSnap(on ? STEP_RAD : null);
    this.controls.setScaleSnap(on ? STEP_SCALE : null);
  }

  /** To where the main one is now. */
  follow(): void {
    const world = this.gripped ? null : this.entities.worldOf(this.ids.at(-1) ?? "");
    if (world) world.decompose(this.pivot.position, this.pivot.quaternion, this.pivot.scale);
  }

  /** Lets go as if nothing had happened. Returns whether there was a gesture. */
  cancel(): boolean {
    if (!this.gripped) return false;
    this.controls.reset();
    this.moved = false;
    this.controls.pointerUp(null);
    return true;
  }

  dispose(): void {
    this.cancel();
    this.controls.detach();
    this.controls.getHelper().removeFromParent();
    this.pivot.removeFromParent();
    this.controls.dispose();
  }

  private grip(gripped: boolean): void {
    if (gripped === this.gripped) return;
    if (gripped) {
      this.gripped = true;
      this.moved = false;
      this.pivot.updateMatrixWorld();
      this.startInverse.copy(this.pivot.matrixWorld).invert();
      this.starts = new Map();
      for (const id of this.ids) {
        const world = this.entities.worldOf(id);
        if (world) this.starts.set(id, world.clone());
      }
      this.entities.hold(new Set(this.starts.keys()));
    } else this.release();
    this.events.onGrip(gripped);
  }

  private release(): void {
    const worlds = this.moved ? this.worlds() : new Map<string, Matrix4>();
    this.gripped = false;
    // What is released is committed first, so that it does not jump back for a frame.
    if (worlds.size > 0) this.events.onRelease(this.controls.mode as Tool, worlds);
    this.entities.hold(new Set());
    this.follow();
  }

  private drag(): void {
    if (!this.gripped) return;
    this.moved = true;
    for (const [id, world] of this.worlds()) this.entities.carry(id, world);
  }

  private worlds(): Map<string, Matrix4> {
    this.pivot.updateMatrixWorld();
    const change = new Matrix4().multiplyMatrices(this.pivot.matrixWorld, this.startInverse);
    return new Map([...this.starts].map(([id, start]) => [id, start.clone().premultiply(change)]));
  }
}
