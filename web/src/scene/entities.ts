/**
 * The document's entities in the room, kept in step with a view of it: after a change only what changed is touched.
 *
 * Where things are is a tree of bare matrices. What is drawn is flat: one instanced mesh per shape, so a
 * thousand boxes are one draw call; notes are meshes of their own; of the lights the first few really shine.
 * What is deleted, and all beneath it, has its node but is not drawn.
 */

import {
  type BufferGeometry,
  Group,
  type InstancedMesh,
  type Intersection,
  Matrix4,
  type Object3D,
  PointLight,
  Quaternion,
  Vector3,
} from "three";
import { colorOf, intensityOf, positionOf, rotationOf, scaleOf, textOf, typeOf } from "../edit/kinds";
import type { Placement } from "../edit/placement";
import type { View } from "../edit/tree";
import type { Entity } from "../ot/state";
import { Paper } from "./paper";
import { geometryOf, Pool, type Shape } from "./shapes";

interface Node {
  readonly id: string;
  readonly local: Matrix4;
  readonly world: Matrix4;
  readonly below: Set<Node>;
  above: Node | null;
  entity: Entity;
  color: string;
  shape: Shape | null;
  paper: Paper | null;
  shown: boolean;
}

const SHAPES: Record<string, Shape | null> = {
  box: "box",
  sphere: "sphere",
  cylinder: "cylinder",
  plane: "plane",
  light: "bulb",
  screen_share_surface: "screen",
  avatar: "cylinder",
  text: null,
  group: null,
};
const LAMPS = 4;
const LAMP_CANDELA = 3.2;
const LAMP_REACH_M = 16;
const PAPERS_PER_FRAME = 2;
const BOX = "box" as const;
const position = new Vector3();
const rotation = new Quaternion();
const scale = new Vector3();

/** The entities of one view, as three.js draws them. */
export class SceneEntities {
  /** To be put into the scene. */
  readonly group = new Group();
  private readonly nodes = new Map<string, Node>();
  private readonly pools = new Map<Shape, Pool>();
  private readonly blank = new Set<Node>();
  private readonly lights = new Set<string>();
  private lamps: PointLight[] = [];
  private lampsStale = false;
  /** Those that a hand holds: the document does not move them meanwhile. */
  private held: ReadonlySet<string> = new Set();
  /** Those that others hold: drawn where they have them, beneath their parents. */
  private lent: ReadonlyMap<string, Placement> = new Map();

  constructor(
    private view: View,
    /** Called with whatever is added to the group, to be drawn with as little effort as the rest. */
    private readonly dress: (object: Object3D) => void = () => {},
  ) {
    this.sync(view.keys());
  }

  /** Shows another view instead: another revision, say. Only what differs is touched. */
  show(view: View): void {
    const differ = [...this.nodes.keys(), ...view.keys()].filter(
      (id) => view.get(id) !== this.nodes.get(id)?.entity,
    );
    this.view = view;
    this.sync(new Set(differ));
  }

  /** Brings these in step with the view. */
  sync(ids: Iterable<string>): void {
    const changed: Node[] = [];
    for (const id of ids) {
      const entity = this.view.get(id);
      if (entity) changed.push(this.take(id, entity));
      else this.forget(id);
    }
    const all = new Set(changed);
    for (const node of changed) if (!within(all, node)) this.refresh(node);
  }

  /** Who is held: their places are set by `carry` until others are held. */
  hold(ids: ReadonlySet<string>): void {
    const before = this.held;
    this.held = ids;
    this.sync([...before].filter((id) => !ids.has(id)));
  }

  /** Puts somebody who is held to a place in the world, here only. */
  carry(id: string, world: Matrix4): void {
    const node = this.nodes.get(id);
    if (!node) return;
    if (node.above) node.local.copy(node.above.world).invert().multiply(world);
    else node.local.copy(world);
    this.refresh(node);
  }

  /** Who is drawn elsewhere than the view has them, and where beneath their parents; one's own hand comes first. */
  lend(places: ReadonlyMap<string, Placement>): void {
    if (places.size === 0 && this.lent.size === 0) return;
    const before = this.lent;
    this.lent = places;
    for (const id of new Set([...before.keys(), ...places.keys()])) {
      const node = this.nodes.get(id);
      if (!node || this.held.has(id)) continue;
      this.stand(node);
      this.refresh(node);
    }
  }

  /** Where somebody is, as drawn; null where nobody of that name is to be seen. */
  worldOf(id: string): Matrix4 | null {
    const node = this.nodes.get(id);
    return node?.shown ? node.world : null;
  }

  /** What outlines somebody: a surface and its place. A group has a small box. */
  hullOf(id: string): { geometry: BufferGeometry; matrix: Matrix4 } | null {
    const node = this.nodes.get(id);
    if (!node?.shown) return null;
    const { world } = node;
    if (node.paper) {
      const { x, y } = node.paper.size;
      return { geometry: geometryOf(BOX), matrix: world.clone().scale(new Vector3(x, y, 0.012)) };
    }
    if (node.shape === "plane") {
      return { geometry: geometryOf(BOX), matrix: world.clone().scale(new Vector3(1, 1, 0.006)) };
    }
    if (node.shape) return { geometry: geometryOf(node.shape), matrix: world };
    const small = new Matrix4().setPosition(new Vector3().setFromMatrixPosition(world));
    return { geometry: geometryOf("bulb"), matrix: small.scale(new Vector3(0.6, 0.6, 0.6)) };
  }

  /** Who is directly beneath somebody, as drawn. */
  below(id: string): string[] {
    return [...(this.nodes.get(id)?.below ?? [])].map((node) => node.id);
  }

  /** Whom a ray hit. */
  entityOf({ object, instanceId }: Intersection): string | null {
    const { pool } = object.userData;
    return pool instanceof Pool && instanceId !== undefined ? pool.idAt(instanceId) : null;
  }

  /** Before every frame: draws notes whose words changed, a few at a time, and lets the lights shine. */
  update(): void {
    let left = PAPERS_PER_FRAME;
    for (const node of this.blank) {
      if (left === 0) break;
      left -= 1;
      this.blank.delete(node);
      node.paper?.draw(textOf(node.entity), node.color);
    }
    if (this.lampsStale) this.shine();
  }

  dispose(): void {
    for (const node of this.nodes.values()) node.paper?.dispose();
    for (const pool of this.pools.values()) pool.dispose();
    for (const lamp of this.lamps) lamp.dispose();
    this.nodes.clear();
    this.pools.clear();
    this.group.removeFromParent();
  }

  private take(id: string, entity: Entity): Node {
    const node = this.nodes.get(id) ?? this.make(id, entity);
    node.entity = entity;
    node.color = colorOf(entity);
    const above = this.above(entity);
    if (node.above !== above) {
      node.above?.below.delete(node);
      above?.below.add(node);
      node.above = above;
    }
    if (!this.held.has(id)) this.stand(node);
    this.shape(node);
    return node;
  }

  private stand({ id, entity, local }: Node): void {
    const lent = this.lent.get(id);
    position.fromArray(lent?.position ?? positionOf(entity));
    rotation.fromArray(lent?.rotation ?? rotationOf(entity));
    local.compose(position, rotation, scale.fromArray(lent?.scale ?? scaleOf(entity)));
  }

  private make(id: string, entity: Entity): Node {
    const node: Node = {
      id,
      local: new Matrix4(),
      world: new Matrix4(),
      below: new Set(),
      above: null,
      entity,
      color: "",
      shape: null,
      paper: null,
      shown: false,
    };
    this.nodes.set(id, node);
    return node;
  }

  /** The node of the parent, which may come later in the same change. */
  private above({ parent }: Entity): Node | null {
    if (parent === null) return null;
    const known = this.nodes.get(parent);
    if (known) return known;
    const entity = this.view.get(parent);
    return entity ? this.take(parent, entity) : null;
  }

  private shape(node: Node): void {
    const type = typeOf(node.entity);
    const shape = Object.hasOwn(SHAPES, type) ? (SHAPES[type] ?? null) : "unknown";
    if (shape !== node.shape) this.hide(node);
    node.shape = shape;
    if (type === "text" && !node.paper) node.paper = new Paper(node.id);
    if (type !== "text" && node.paper) {
      node.paper.dispose();
      node.paper = null;
    }
    if (node.paper?.stale(textOf(node.entity), node.color)) this.blank.add(node);
    if (type === "light") this.lights.add(node.id);
    else this.lights.delete(node.id);
  }

  private refresh(node: Node): void {
    const { above } = node;
    if (above) node.world.multiplyMatrices(above.world, node.local);
    else node.world.copy(node.local);
    node.shown = node.entity.alive && (above ? above.shown : true);
    if (node.shown) this.draw(node);
    else this.hide(node);
    if (this.lights.has(node.id)) this.lampsStale = true;
    for (const below of node.below) this.refresh(below);
  }

  private draw(node: Node): void {
    if (node.shape) this.poolOf(node.shape).put(node.id, node.world, node.color);
    if (!node.paper) return;
    if (!node.paper.group.parent) this.group.add(node.paper.group);
    node.paper.group.matrix.copy(node.world);
    node.paper.group.matrixWorldNeedsUpdate = true;
  }

  private hide(node: Node): void {
    if (node.shape) this.pools.get(node.shape)?.drop(node.id);
    node.paper?.group.removeFromParent();
  }

  private forget(id: string): void {
    const node = this.nodes.get(id);
    if (!node) return;
    this.hide(node);
    node.paper?.dispose();
    this.blank.delete(node);
    this.lampsStale ||= this.lights.delete(id);
    for (const below of node.below) below.above = null;
    node.above?.below.delete(node);
    this.nodes.delete(id);
  }

  private poolOf(shape: Shape): Pool {
    const known = this.pools.get(shape);
    if (known) return known;
    const made = new Pool(shape, (mesh: InstancedMesh, instead) => {
      instead?.removeFromParent();
      this.group.add(mesh);
      this.dress(mesh);
    });
    this.pools.set(shape, made);
    return made;
  }

  /** Every number of lights needs shaders of its own, so there are none at first, and then always as many. */
  private shine(): void {
    this.lampsStale = false;
    const shining = [...this.lights]
      .map((id) => this.nodes.get(id))
      .filter((node): node is Node => node?.shown ?? false)
      .slice(0, LAMPS);
    if (shining.length > 0 && this.lamps.length === 0) {
      this.lamps = Array.from({ length: LAMPS }, () => new PointLight("#ffffff", 0, LAMP_REACH_M));
      this.group.add(...this.lamps);
    }
    this.lamps.forEach((lamp, at) => {
      const node = shining[at];
      lamp.intensity = node ? intensityOf(node.entity) * LAMP_CANDELA : 0;
      if (!node) return;
      lamp.color.set(node.color);
      lamp.position.setFromMatrixPosition(node.world);
    });
  }
}

/** Whether somebody above it changed too, who will refresh it. */
function within(changed: ReadonlySet<Node>, { above }: Node): boolean {
  for (let node = above; node; node = node.above) if (changed.has(node)) return true;
  return false;
}
