/**
 * Editing the scene in a room: joins a document, the world, the handles, the keys and the panels.
 *
 * Whatever a person does becomes operations of the document at once; whatever the document becomes is shown. Nothing
 * is kept twice: the selection and the panels read the view.
 */

import type { Matrix4 } from "three";
import type { Member } from "../presence/roster";
import { may } from "../room/context";
import type { Guest, World } from "../room/world";
import { SceneEntities } from "../scene/entities";
import { Gizmo, type Tool } from "../scene/gizmo";
import { Halos, type Mark } from "../scene/halo";
import { typing } from "../scene/input";
import type { SceneDocument } from "../sync/types";
import type { Toasts } from "../ui/toasts";
import { type Held, LIMITS, type Operation, type Peer, type Role } from "../wire/generated";
import {
  addPrimitive,
  duplicate,
  freeSpot,
  groupOf,
  inTransactions,
  place,
  remove,
  restore,
} from "./actions";
import type { Desk, HistoryPorts, LockBook, Somebody } from "./desk";
import { Drags, heldOf } from "./drags";
import { beginningOf, type Kind, nameOf } from "./kinds";
import { Notices } from "./notices";
import { placementIn, turned, worldMatrix } from "./placement";
import type { Selection } from "./selection";
import { type Command, commandOf } from "./shortcuts";
import type { View } from "./tree";
import { revertedWords } from "./words";

/** What an editor needs. */
export interface EditorPorts {
  document: SceneDocument;
  world: World;
  toasts: Toasts;
  you(): Peer | null;
  role(): Role;
  peopleName(userId: string): string;
  /** Who else has selected an entity. */
  others(entity: string): readonly Somebody[];
  /** Everybody's newest states. */
  members(): Iterable<Member>;
  history: HistoryPorts | null;
  locks: LockBook | null;
}

/** What the toolbar and the panels show besides the document. */
export interface Tools {
  readonly tool: Tool;
  readonly snapping: boolean;
}

const AHEAD_M = 4.2;
const LOOK_EVERY_MS = 400;

/** One open document in one room. */
export class Editor implements Desk, Guest, Tools {
  readonly document: SceneDocument;
  readonly selection: Selection;
  readonly locks: LockBook | null;
  readonly history: HistoryPorts | null;
  readonly toasts: Toasts;
  readonly entities: SceneEntities;
  tool: Tool = "translate";
  snapping = false;
  past: number | null = null;
  view: View;
  /** What to do about commands that open something; the panels set it. */
  onOpen: (what: "add" | "objects" | "history" | "properties" | "text") => void = () => {};
  private readonly halos: Halos;
  private readonly gizmo: Gizmo;
  private readonly drags = new Drags();
  /** What the others have selected, as the panels show it. */
  private chosen = "";
  private lookedAtMs = 0;
  private readonly abort = new AbortController();
  private readonly stops: (() => void)[];
  private readonly listeners = new Set<(ids: ReadonlySet<string> | null) => void>();

  constructor(private readonly ports: EditorPorts) {
    const { document, world, locks, history } = ports;
    this.document = document;
    this.view = document.entities;
    this.selection = world.selection;
    this.locks = locks;
    this.history = history;
    this.toasts = ports.toasts;
    this.entities = new SceneEntities(this.view, (object) => world.stage.dress(object));
    this.halos = new Halos(this.entities);
    world.stage.scene.add(this.entities.group, this.halos.group);
    world.stage.pickable = this.entities;
    this.gizmo = new Gizmo(world.stage, this.entities, world.container, {
      onGrip: (gripped) => {
        world.input.resting = gripped;
        world.input.lastUsedAt = performance.now();
      },
      onRelease: (tool, worlds) => this.released(tool, worlds),
    });
    this.gizmo.use(this.tool);
    world.guest = this;
    this.stops = [
      document.onChange((ids) => this.changed(ids)),
      document.onCommit((commit) => this.drags.committed(commit, Date.now())),
      document.onStatus(() => this.tell(new Set())),
      this.selection.onChange(() => this.refresh()),
      locks?.onChange(() => this.refresh()) ?? (() => {}),
      new Notices(this, this.toasts, world).stop,
    ];
    const { signal } = this.abort;
    window.addEventListener("keydown", (event) => this.key(event), { signal, capture: true });
    this.refresh();
  }

  /** After every change: the entities that changed; null when anything else may have. Returns how to stop. */
  onChange(listener: (ids: ReadonlySet<string> | null) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The role, a lock or the selection is another: everything is shown anew. */
  refresh(): void {
    const movable = this.canEdit() ? this.selection.ids.filter((id) => this.movable(id)) : [];
    this.gizmo.attach(movable);
    this.tell(null);
  }

  dispose(): void {
    this.abort.abort();
    for (const stop of this.stops) stop();
    this.gizmo.dispose();
    this.halos.dispose();
    this.entities.dispose();
    const { world } = this.ports;
    world.guest = null;
    world.stage.pickable = null;
    world.input.resting = false;
    this.listeners.clear();
  }

  // -- what the panels see --

  canEdit(): boolean {
    return this.past === null && this.mayEdit();
  }

  /** Whether the role allows it, whatever is shown now. */
  mayEdit(): boolean {
    return this.document.state !== "loading" && may(this.ports.role(), "edit");
  }

  lockedBy(entity: string): string | null {
    const holder = this.locks?.holder(entity) ?? null;
    return holder === null || holder === this.you()?.user_id ? null : holder;
  }

  you(): Peer | null {
    return this.ports.you();
  }

  peopleName(userId: string): string {
    return this.ports.peopleName(userId);
  }

  others(entity: string): readonly Somebody[] {
    return this.ports.others(entity);
  }

  edit(operations: readonly Operation[]): boolean {
    if (operations.length === 0) return true;
    if (!this.canEdit()) return false;
    try {
      for (const transaction of inTransactions(operations)) this.document.edit(transaction);
      return true;
    } catch (thrown) {
      this.toasts.problem(thrown, "That could not be changed.");
      return false;
    }
  }

  add(kind: Kind): void {
    const beginning = beginningOf(kind);
    if (!beginning || !this.canEdit()) return;
    const { world } = this.ports;
    const id = this.document.newId();
    const [x, , z] = world.ahead(AHEAD_M);
    const right: readonly [number, number, number] = [Math.cos(world.yaw), 0, -Math.sin(world.yaw)];
    const spot = freeSpot(this.view, [x, beginning.liftM, z], right);
    const at = [...spot].map((value) => Math.round(value * 100) / 100) as unknown as typeof spot;
    const turn = beginning.faces ? world.yaw / 2 : 0;
    const rotation = turned([0, Math.sin(turn), 0, Math.cos(turn)]);
    const selected = this.selected();
    const operations =
      kind === "group"
        ? groupOf(this.view, id, selected, beginning, at)
        : addPrimitive(this.view, id, beginning, at, rotation);
    if (!this.edit(operations)) return;
    this.selection.set([id]);
    if (kind === "text") this.onOpen("text");
    else world.container.focus({ preventScroll: true });
  }

  run(command: Command): void {
    if (command === "translate" || command === "rotate" || command === "scale") this.use(command);
    else if (command === "snap") this.snap(!this.snapping);
    else if (command === "undo" || command === "redo") this.revert(command === "redo");
    else if (command === "duplicate") this.duplicate();
    else if (command === "group") this.add("group");
    else if (command === "delete") this.delete();
    else if (command === "cancel") this.cancel();
    else this.onOpen(command);
  }

  /** Shows a past revision instead of the present, or (null) the present again. */
  show(revision: number | null, view: View = this.document.entities): void {
    this.past = revision;
    this.view = view;
    this.gizmo.cancel();
    this.entities.show(view);
    this.refresh();
  }

  // -- what the world asks --

  update(marks: ReadonlyMap<string, Mark>): void {
    const nowMs = Date.now();
    this.follow(nowMs);
    this.look(nowMs);
    this.entities.update();
    this.gizmo.follow();
    this.halos.show(marks);
  }

  titleOf(entity: string): string | null {
    const found = this.view.get(entity) ?? this.document.entities.get(entity);
    if (!found) return null;
    const holder = this.lockedBy(entity);
    return holder ? `${nameOf(found)} (locked by ${this.peopleName(holder)})` : nameOf(found);
  }

  busy(): boolean {
    return this.gizmo.busy;
  }

  held(): Held[] {
    const held: Held[] = [];
    for (const [id, world] of this.gizmo.held()) {
      const parent = this.view.get(id)?.parent ?? null;
      const thing = heldOf(id, placementIn(world, worldMatrix(this.view, parent)));
      if (thing && held.length < LIMITS.DRAG_MAX) held.push(thing);
    }
    return held;
  }

  // -- commands --

  private use(tool: Tool): void {
    this.tool = tool;
    this.gizmo.use(tool);
    this.tell(new Set());
  }

  private snap(on: boolean): void {
    this.snapping = on;
    this.gizmo.snap(on);
    this.tell(new Set());
  }

  private revert(again: boolean): void {
    if (!this.canEdit()) return;
    const reverted = again ? this.document.redo() : this.document.undo();
    const words = revertedWords(reverted, this.view, again);
    if (words) this.toasts.show(words);
  }

  private duplicate(): void {
    const made = duplicate(this.view, this.selected(), () => this.document.newId());
    if (made.ids.length > 0 && this.edit(made.operations)) this.selection.set(made.ids);
  }

  private delete(): void {
    const ids = this.selected().filter((id) => this.lockedBy(id) === null);
    const operations = remove(this.view, ids);
    const [first] = operations;
    if (!first || !this.edit(operations)) return;
    const what = operations.length > 1 ? `${operations.length} objects` : this.titleOf(first.id);
    const back = (): void => {
      this.edit(operations.flatMap(({ id }) => restore(this.view, id)));
    };
    this.toasts.show(`${what} deleted.`, { action: { label: "Restore", run: back } });
  }

  private cancel(): void {
    if (!this.gizmo.cancel()) this.selection.set([]);
  }

  /** What is selected and is part of the scene; the place's own sculptures are not. */
  private selected(): string[] {
    return this.selection.ids.filter((id) => this.view.get(id)?.alive);
  }

  /** What others hold is drawn where they have it. */
  private follow(nowMs: number): void {
    const own = this.you()?.peer_id;
    const allowed = ({ peer }: Member, entity: string): boolean => {
      const holder = this.locks?.holder(entity) ?? peer.user_id;
      return peer.peer_id !== own && may(peer.role, "edit") && holder === peer.user_id;
    };
    this.drags.see(this.ports.members(), this.document.entities, allowed, nowMs);
    const shown = this.drags.shown(this.document.entities, nowMs);
    this.entities.lend(this.past === null ? shown : new Map());
  }

  /** Now and then: who has selected what is shown in the panels, which nothing else tells of it. */
  private look(nowMs: number): void {
    if (nowMs - this.lookedAtMs < LOOK_EVERY_MS) return;
    this.lookedAtMs = nowMs;
    const own = this.you()?.peer_id;
    const chosen = [...this.ports.members()]
      .filter(({ peer, state }) => peer.peer_id !== own && state?.state.selection?.length)
      .map(({ peer, state }) => `${peer.name} ${peer.color} ${state?.state.selection?.join(" ")}`)
      .join("\n");
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    this.tell(null);
  }

  private movable(id: string): boolean {
    return (this.view.get(id)?.alive ?? false) && this.lockedBy(id) === null;
  }

  private released(tool: Tool, worlds: ReadonlyMap<string, Matrix4>): void {
    const operations = [...worlds].flatMap(([id, world]) => {
      const parent = this.view.get(id)?.parent ?? null;
      const { position, rotation, scale } = placementIn(world, worldMatrix(this.view, parent));
      if (tool === "translate") return place(this.view, id, { position });
      if (tool === "rotate") return place(this.view, id, { position, rotation });
      return place(this.view, id, { position, scale });
    });
    this.edit(operations);
  }

  private changed(ids: ReadonlySet<string>): void {
    if (this.past !== null) return;
    this.entities.sync(ids);
    const before = this.selection.ids.length;
    this.selection.keep((id) => this.view.get(id)?.alive !== false);
    if (before === this.selection.ids.length) this.tell(ids);
  }

  private tell(ids: ReadonlySet<string> | null): void {
    for (const listener of [...this.listeners]) listener(ids);
  }

  private key(event: KeyboardEvent): void {
    if (document.querySelector("dialog[open]") || typing(event.target)) return;
    if (event.target instanceof Element && event.target.closest("[role=menu]")) return;
    const command = commandOf(event, this.selected().length > 0);
    if (command === null) return;
    // Enter on a button presses it, and Escape outside of a gesture is the room's.
    if (command === "properties" && event.target !== this.ports.world.container) return;
    if (command === "cancel" && !this.gizmo.dragging) return;
    event.preventDefault();
    event.stopPropagation();
    this.run(command);
  }
}
