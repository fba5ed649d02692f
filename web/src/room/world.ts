/** The room as one sees and walks it: joins stage, crowd, hands and view, and says what the own state is. */

import { type Quaternion, Vector3 } from "three";
import { Selection } from "../edit/selection";
import { quantizePosition, quantizeRotation } from "../motion/maths";
import { pushOut, type Walker, walk } from "../motion/walker";
import type { Roster } from "../presence/roster";
import { Auras } from "../scene/auras";
import { Avatar, type Persona } from "../scene/avatar";
import { Crowd } from "../scene/crowd";
import { EYE_M } from "../scene/figure";
import type { Mark } from "../scene/halo";
import { Input } from "../scene/input";
import { Outlines } from "../scene/outline";
import { type Hit, Picker } from "../scene/picker";
import { Pointer } from "../scene/pointer";
import { EFFORTS, firstLevel, Governor, type Level } from "../scene/quality";
import { rendererName, Stage } from "../scene/stage";
import { type Mode, View } from "../scene/view";
import { ZoneMarks } from "../scene/zones";
import type { Preferences } from "../ui/preferences";
import type { Activity, Environment, Held, Pose, PresenceState, Quat, Vec3 } from "../wire/generated";
import { FrameRate } from "./figures";

export interface WorldEvents {
  /** The own state as it is now; called every frame, whoever sends it keeps the pace. */
  onState(state: PresenceState): void;
  /** Where one hears from, each rendered frame: the avatar's head, turned as the camera is. */
  onHead(pose: Pose): void;
  onMode(mode: Mode): void;
  onFocus(text: string): void;
  /** A click or tap on something, or on nothing. */
  onPick(hit: Hit | null): void;
}

/** Whoever shows a document in the room. */
export interface Guest {
  /** Before every frame: who is to be outlined. */
  update(marks: ReadonlyMap<string, Mark>): void;
  /** What an entity is called; null where it is none of the guest's. */
  titleOf(entity: string): string | null;
  /** Whether a hand is on its handles: then clicks and pointing are not the room's. */
  busy(): boolean;
  /** What a hand has hold of and where, beneath its parent: told to the others while it lasts. */
  held(): readonly Held[];
}

/** How loud people are now, 0 to 1: asked in every frame. */
export interface Loudness {
  of(peerId: string): number;
  own(): number;
}

const SILENT: Loudness = { of: () => 0, own: () => 0 };
const IDLE_MS = 60_000;
const STEADY = 0.5;
const TAP_POINTS_MS = 3500;
const ARRIVE_M = 1.9;
const PICK_EVERY_MS = 45;

export class World {
  readonly crowd: Crowd;
  readonly input: Input;
  readonly rate = new FrameRate();
  readonly selection = new Selection();
  readonly stage: Stage;
  readonly zones = new ZoneMarks();
  guest: Guest | null = null;
  loudness: Loudness = SILENT;
  private readonly view: View;
  private readonly picker: Picker;
  private readonly outlines: Outlines;
  private readonly avatar: Avatar;
  private readonly auras = new Auras();
  private readonly pointer: Pointer;
  private readonly governor: Governor;
  private walker: Walker;
  private hit: Hit | null = null;
  private forced: { hit: Hit | null; at: number } | null = null;
  private tapUntil = 0;
  private pickedAt = 0;
  private lastFrame = performance.now();
  private running = true;
  private speaking = false;

  constructor(
    readonly container: HTMLElement,
    environment: Environment,
    private persona: Persona,
    private readonly roster: Roster,
    private preferences: Preferences,
    start: Vec3,
    private readonly events: WorldEvents,
  ) {
    const coarse = matchMedia("(pointer: coarse)").matches;
    this.governor = new Governor(firstLevel(rendererName(), coarse));
    this.stage = new Stage(container, environment, EFFORTS[this.level]);
    this.crowd = new Crowd(this.stage.scene);
    this.input = new Input(container);
    this.view = new View(this.stage.camera);
    this.picker = new Picker(this.stage, container);
    this.outlines = new Outlines(this.stage.gallery.sculptures);
    this.avatar = new Avatar(persona);
    this.pointer = new Pointer(null, persona.color);
    this.stage.scene.add(this.avatar.group, this.pointer.group, this.auras.mesh, this.zones.group);
    this.walker = { position: start, velocity: [0, 0] };
    this.view.lookAt(start, [0, start[1] - 0.6, 0]);
    this.input.onClick = (x, y, besides) => this.clicked(x, y, besides);
    events.onMode(this.view.mode);
    requestAnimationFrame(this.frame);
  }

  get position(): Vec3 {
    return this.walker.position;
  }

  get level(): Level {
    return this.preferences.quality === "auto" ? this.governor.level : this.preferences.quality;
  }

  become(persona: Persona): void {
    this.persona = persona;
    this.avatar.become(persona);
    this.pointer.colour(null, persona.color);
  }

  show(environment: Environment): void {
    this.stage.show(environment);
  }

  prefer(preferences: Preferences): void {
    this.preferences = preferences;
    this.applyQuality();
  }

  toggleMode(): void {
    this.view.setMode(this.view.mode === "walk" ? "orbit" : "walk");
    this.events.onMode(this.view.mode);
  }

  moveTo(position: Vec3): void {
    this.walker = { position, velocity: [0, 0] };
    this.input.lastUsedAt = performance.now();
    this.tell();
  }

  /** To somebody's side, looking at them. */
  visit(at: Vec3): void {
    const dx = this.position[0] - at[0];
    const dz = this.position[2] - at[2];
    const apart = Math.max(0.01, Math.hypot(dx, dz));
    const [x, z] = pushOut(
      at[0] + (dx / apart) * ARRIVE_M,
      at[2] + (dz / apart) * ARRIVE_M,
      this.obstacles(),
    );
    this.moveTo([x, EYE_M, z]);
    this.lookAt(at);
  }

  lookAt(at: Vec3): void {
    this.view.lookAt(this.position, at);
  }

  pointAt(at: Vec3 | null): void {
    this.forced = { hit: at ? this.picker.towards(this.position, at) : null, at: performance.now() };
    this.input.lastUsedAt = performance.now();
  }

  /** Selects what is pointed at, or looked at where nothing is. */
  selectFocus(): void {
    const middle = this.picker.under(this.container.clientWidth / 2, this.container.clientHeight / 2);
    this.select(this.hit?.target ?? middle?.target ?? null);
  }

  /** This one alone, or none if it was that already; with `besides`, this one too or no longer. */
  select(entity: string | null, besides = false): void {
    if (besides && entity !== null) this.selection.toggle(entity);
    else this.selection.set(entity === null || entity === this.selection.main ? [] : [entity]);
  }

  /** A free place on the floor, so far ahead of the own eyes. */
  ahead(distanceM: number): Vec3 {
    const { yaw } = this.view;
    const x = this.position[0] - Math.sin(yaw) * distanceM;
    const z = this.position[2] - Math.cos(yaw) * distanceM;
    const [freeX, freeZ] = pushOut(x, z, this.obstacles());
    return [freeX, 0, freeZ];
  }

  /** Where a place is seen, in CSS pixels of the container. */
  screenOf(place: Vec3): [number, number] {
    const { clientWidth, clientHeight } = this.container;
    const { x, y } = new Vector3(...place).project(this.stage.camera);
    return [((x + 1) / 2) * clientWidth, ((1 - y) / 2) * clientHeight];
  }

  /** Where one looks, seen from above: radians, counterclockwise from -Z. */
  get yaw(): number {
    return this.view.yaw;
  }

  /** The own voice begins or ends: told at once, drawn or not. */
  speak(speaking: boolean): void {
    this.speaking = speaking;
    this.tell();
  }

  get reducedMotion(): boolean {
    return this.preferences.reducedMotion;
  }

  dispose(): void {
    this.running = false;
    this.input.dispose();
    this.crowd.dispose();
    this.avatar.dispose();
    this.auras.dispose();
    this.zones.dispose();
    this.pointer.dispose();
    this.stage.dispose();
  }

  /** Says the own state once more, for a tab that is no longer drawn. */
  tell(): void {
    const cursor = this.hit && {
      position: this.hit.position,
      rotation: this.hit.rotation,
      target: this.hit.target,
    };
    const drag = this.guest?.held() ?? [];
    this.events.onState({
      pose: {
        position: quantizePosition(this.position),
        rotation: quantizeRotation(this.view.head()),
      },
      cursor: document.hidden ? null : cursor,
      selection: this.selection.ids,
      activity: drag.length > 0 ? "editing" : this.activity(),
      ...(drag.length > 0 ? { drag } : {}),
    });
  }

  private readonly frame = (now: number): void => {
    if (!this.running) return;
    requestAnimationFrame(this.frame);
    if (now - this.lastFrame < EFFORTS[this.level].frameMs) return;
    const elapsedS = Math.min(0.1, Math.max(0, (now - this.lastFrame) / 1000));
    this.lastFrame = now;
    this.steer(elapsedS);
    this.point(now);
    this.draw(now, elapsedS);
    this.tell();
    if (this.rate.tick(now) && this.preferences.quality === "auto") {
      const before = this.governor.level;
      if (this.governor.observe(this.rate.fps) !== before) this.applyQuality();
    }
  };

  private steer(elapsedS: number): void {
    const { dx, dy } = this.input.takeDrag(elapsedS);
    this.view.turn(dx, dy);
    const before = this.view.mode;
    this.view.zoom(this.input.takeZoom());
    if (this.view.mode !== before) this.events.onMode(this.view.mode);
    this.walker = walk(this.walker, this.input.wish(), this.view.yaw, elapsedS, this.obstacles());
    this.view.update(this.position, elapsedS, this.preferences.reducedMotion);
    this.stage.camera.updateMatrixWorld();
  }

  private point(now: number): void {
    const { hover } = this.input;
    if (this.forced && this.input.hoverMovedAt > this.forced.at) this.forced = null;
    if (this.forced) this.hit = this.forced.hit;
    else if (hover) {
      if (now - this.pickedAt < PICK_EVERY_MS) return;
      this.pickedAt = now;
      this.hit = this.picker.under(hover.x, hover.y);
    } else if (now > this.tapUntil) this.hit = null;
  }

  private draw(now: number, elapsedS: number): void {
    const { camera } = this.stage;
    const { labels, reducedMotion } = this.preferences;
    const labelSize = labels ? EFFORTS[this.level].labelSize : 0;
    const seconds = now / 1000;
    this.events.onHead({ position: this.position, rotation: turnOf(camera.quaternion) });
    this.crowd.update(Date.now(), elapsedS, camera.position, labelSize);
    this.avatar.group.visible = this.view.outside;
    this.avatar.label.sprite.visible = false;
    this.avatar.act(this.activity());
    this.avatar.update(this.position, this.view.head(), this.hit?.position ?? null, seconds, elapsedS);
    this.avatar.label.update(0, 0);
    this.light(elapsedS);
    this.zones.update(camera.position, labelSize);
    this.pointer.group.visible = this.hit !== null;
    if (this.hit) {
      const hand = this.view.outside ? this.avatar.handAt : null;
      this.pointer.update(this.hit.position, this.hit.rotation, hand, camera.position, seconds, 0);
    }
    const marks = this.marks();
    this.outlines.show(marks);
    this.guest?.update(marks);
    this.events.onFocus(this.focus());
    this.stage.render(seconds, reducedMotion);
  }

  /** Rings of light around whoever speaks; still ones, where motion is to be reduced. */
  private light(elapsedS: number): void {
    const { auras, avatar, view } = this;
    auras.begin();
    this.crowd.light(auras, this.levelOf, elapsedS);
    avatar.hear(this.steady(this.loudness.own()), elapsedS);
    if (view.outside) auras.put(avatar.headAt, avatar.color, avatar.loudness);
    auras.end();
  }

  private readonly levelOf = (peerId: string): number => this.steady(this.loudness.of(peerId));

  private steady(level: number): number {
    return this.preferences.reducedMotion && level > 0 ? STEADY : level;
  }

  private marks(): Map<string, Mark> {
    const marks = new Map<string, Mark>();
    for (const { peer, state } of this.roster.members.values()) {
      const target = state?.state.cursor?.target;
      if (target) marks.set(target, { color: peer.color, bold: false });
    }
    if (this.hit?.target) marks.set(this.hit.target, { color: this.persona.color, bold: false });
    for (const { peer, state } of this.roster.members.values()) {
      for (const entity of state?.state.selection ?? []) marks.set(entity, { color: peer.color, bold: true });
    }
    for (const entity of this.selection.ids) marks.set(entity, { color: this.persona.color, bold: true });
    return marks;
  }

  private focus(): string {
    const titleOf = (id: string): string | undefined =>
      this.stage.gallery.sculptures.find((s) => s.id === id)?.title ?? this.guest?.titleOf(id) ?? undefined;
    const { ids, main } = this.selection;
    if (ids.length > 1) return `${ids.length} selected`;
    const title = titleOf(main ?? this.hit?.target ?? "") ?? "";
    return main && title ? `${title} selected` : title;
  }

  private activity(): Activity {
    if (this.speaking) return "speaking";
    if (document.hidden) return "away";
    return performance.now() - this.input.lastUsedAt > IDLE_MS ? "idle" : "active";
  }

  private clicked(x: number, y: number, besides: boolean): void {
    if (this.guest?.busy()) return;
    this.forced = null;
    this.hit = this.picker.under(x, y);
    this.tapUntil = performance.now() + TAP_POINTS_MS;
    this.select(this.hit?.target ?? null, besides);
    this.events.onPick(this.hit);
  }

  private obstacles(): { x: number; z: number; radius: number }[] {
    return this.stage.gallery.sculptures.map(({ group, radius }) => ({
      x: group.position.x,
      z: group.position.z,
      radius,
    }));
  }

  private applyQuality(): void {
    this.stage.setEffort(EFFORTS[this.level]);
  }
}

function turnOf({ x, y, z, w }: Quaternion): Quat {
  return [x, y, z, w];
}
