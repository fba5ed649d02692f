/** The properties of what is selected: a card beside the scene, a sheet from below on a phone. */

import { Euler, MathUtils, Quaternion } from "three";
import { reparent, setProp } from "../edit/actions";
import type { Editor } from "../edit/editor";
import {
  atLeast,
  beginningOf,
  colorOf,
  INTENSITY_MAX,
  iconOf,
  intensityOf,
  nameOf,
  positionOf,
  rotationOf,
  scaleOf,
  textOf,
  typeOf,
} from "../edit/kinds";
import { turned } from "../edit/placement";
import { isBeneath } from "../edit/tree";
import { type Entity, isObject, type Json } from "../ot/state";
import { LIMITS, type Quat } from "../wire/generated";
import { ask } from "./dialog";
import { button, fill, h } from "./dom";
import { choiceField, colorField, type Follower, lineField, numbersField, sliderField } from "./fields";
import { icon } from "./icons";
import { NoteField } from "./notefield";
import { disc, PALETTE } from "./person";

const AXES = ["X", "Y", "Z"] as const;
const NOTE_COLORS = ["#ffe7a3", "#ffd0c2", "#cfe9d5", "#cfe2ff", "#e6d9ff", "#fffaf2", "#3a2d63", "#1f2937"];
const CHOICES_MAX = 200;
const KNOWN = new Set(["type", "name", "position", "rotation", "scale", "color", "text", "intensity"]);

/** Degrees about X, Y and Z, as people say a rotation. */
export function degreesOf([x, y, z, w]: Quat): number[] {
  const euler = new Euler().setFromQuaternion(new Quaternion(x, y, z, w), "YXZ");
  return [euler.x, euler.y, euler.z].map((angle) => Math.round(MathUtils.radToDeg(angle) * 100) / 100 || 0);
}

/** The rotation that degrees about X, Y and Z say. */
export function rotationFrom(degrees: readonly number[]): Quat {
  const [x = 0, y = 0, z = 0] = degrees.map((angle) => MathUtils.degToRad(angle));
  const q = new Quaternion().setFromEuler(new Euler(x, y, z, "YXZ"));
  return turned([q.x, q.y, q.z, q.w]);
}

/** The card of one editor; it shows the main one of what is selected. */
export class Properties {
  readonly element = h("aside", {
    class: "inspector glass",
    testid: "properties",
    attrs: { "aria-label": "Properties" },
  });
  /** Whether it is to be seen while something is selected. */
  open: boolean;
  private shownId: string | null = null;
  private shownType = "";
  private note: NoteField | null = null;
  private update: (entity: Entity, enabled: boolean) => void = () => {};
  private readonly title = h("div", { class: "inspector-title" });
  private readonly badge = h("div", { class: "lock-badge", testid: "lock-badge", attrs: { role: "status" } });
  private readonly body = h("div", { class: "inspector-body" });
  private readonly actions = h("div", { class: "inspector-actions" });
  private offered = "";
  private readonly stop: () => void;

  constructor(
    private readonly editor: Editor,
    private readonly onToggle: () => void,
  ) {
    // On a phone it would cover the scene each time that something is touched.
    this.open = !matchMedia("(max-width: 760px)").matches;
    const close = button(icon("close", 18), () => this.toggle(false), {
      kind: "quiet",
      class: "icon-only",
      testid: "properties-close",
      attrs: { "aria-label": "Close the properties" },
    });
    fill(this.element, h("div", { class: "inspector-head" }, this.title, close), this.badge, this.body);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.toggle(false);
    });
    this.stop = editor.onChange((ids) => this.changed(ids));
    this.element.hidden = true;
  }

  /** Opens or closes it. */
  toggle(open = !this.open): void {
    this.open = open;
    this.render();
    this.onToggle();
  }

  /** Opens it with the caret in the note. */
  write(): void {
    if (!this.open) this.toggle(true);
    this.note?.input.focus({ preventScroll: true });
  }

  dispose(): void {
    this.note?.send();
    this.stop();
    this.element.remove();
  }

  private changed(ids: ReadonlySet<string> | null): void {
    if (ids === null || (this.shownId !== null && ids.has(this.shownId))) this.render();
  }

  private render(): void {
    const { editor } = this;
    const id = editor.selection.main;
    const entity = id === null ? undefined : editor.view.get(id);
    const before = this.element.hidden;
    this.element.hidden = !this.open || !entity?.alive;
    if (before !== this.element.hidden) this.onToggle();
    if (!id || !entity?.alive) {
      this.forget();
      return;
    }
    const type = typeOf(entity);
    if (id !== this.shownId || type !== this.shownType) this.build(id, entity, type);
    const enabled = editor.canEdit() && editor.lockedBy(id) === null;
    this.head(entity);
    this.locked(id);
    this.offer(id, enabled);
    this.update(entity, enabled);
  }

  private forget(): void {
    this.note?.send();
    this.note = null;
    this.shownId = null;
    this.update = () => {};
  }

  private head(entity: Entity): void {
    const { ids } = this.editor.selection;
    const kind = beginningOf(typeOf(entity))?.title ?? typeOf(entity).replaceAll("_", " ");
    const words = ids.length > 1 ? `${ids.length} selected` : kind;
    fill(this.title, icon(iconOf(entity), 20), h("h2", {}, words), this.beside());
  }

  /** Who else has selected it; in a note, who may be writing. */
  private beside(): HTMLElement | null {
    const { main } = this.editor.selection;
    const others = main === null ? [] : this.editor.others(main);
    if (others.length === 0) return null;
    const names = others.map(({ name }) => name).join(", ");
    const title = `${names} ${others.length > 1 ? "have" : "has"} selected it too`;
    return h(
      "span",
      {
        class: "tree-others",
        testid: "properties-others",
        attrs: { role: "img", "aria-label": title, title },
      },
      ...others.slice(0, 4).map(({ name, color }) => disc(name, color)),
    );
  }

  private locked(id: string): void {
    const { editor } = this;
    const holder = editor.locks?.holder(id) ?? null;
    const mine = holder !== null && holder === editor.you()?.user_id;
    const { locks } = editor;
    this.badge.hidden = holder === null;
    if (holder === null || !locks) return;
    const words = mine ? "Locked by you" : `Locked by ${editor.peopleName(holder)}`;
    const free = button("Unlock", () => void this.unlock(id, mine ? null : holder), {
      kind: "quiet",
      class: "small",
      testid: "unlock",
    });
    fill(this.badge, icon("lock", 16), h("span", {}, words), mine || editor.canEdit() ? free : null);
  }

  /** One's own at once; another's after a question. */
  private async unlock(id: string, holder: string | null): Promise<void> {
    const { editor } = this;
    if (holder !== null) {
      const who = editor.peopleName(holder);
      const text = `${who} has locked it so that nobody else changes it, and will not be asked.`;
      const title = `Unlock what ${who} has locked?`;
      if (!(await ask(title, text, [{ value: "unlock", label: "Unlock" }]))) return;
    }
    this.toLock(editor.locks?.release(id));
  }

  private toLock(work: Promise<void> | undefined): void {
    work?.catch((thrown) => this.editor.toasts.problem(thrown, "The lock did not change."));
  }

  private build(id: string, entity: Entity, type: string): void {
    this.forget();
    this.shownId = id;
    this.shownType = type;
    const followers: [Follower<never>, (entity: Entity) => unknown][] = [];
    const follow = <T>(follower: Follower<T>, read: (entity: Entity) => T): HTMLElement => {
      followers.push([follower as unknown as Follower<never>, read]);
      return follower.element;
    };
    const set = (key: string, value: Json): void => this.set(id, key, value);
    const parts: (HTMLElement | null)[] = [
      follow(
        lineField("Name", "prop-name", LIMITS.NAME_CHARS, (value) => set("name", value)),
        nameOf,
      ),
      type === "text" ? this.noteField(id, entity) : null,
      type === "group"
        ? null
        : follow(
            colorField("Colour", "prop-color", type === "text" ? NOTE_COLORS : PALETTE, (value) =>
              this.paint(value),
            ),
            colorOf,
          ),
      type === "light"
        ? follow(
            sliderField("Brightness", "prop-intensity", [0, INTENSITY_MAX, 0.25], (value) =>
              set("intensity", value),
            ),
            intensityOf,
          )
        : null,
      follow(
        numbersField("Position, m", "prop-position", AXES, 0.1, (value) => set("position", value)),
        positionOf,
      ),
      follow(
        numbersField("Rotation, °", "prop-rotation", AXES, 5, (value) =>
          set("rotation", rotationFrom(value) as unknown as Json),
        ),
        (now) => degreesOf(rotationOf(now)),
      ),
      follow(
        numbersField("Scale", "prop-scale", AXES, 0.1, (value) => set("scale", value.map(atLeast))),
        scaleOf,
      ),
      follow(
        choiceField("Beneath", "prop-parent", (value) => this.beneath(id, value === "" ? null : value)),
        (now) => this.parents(id, now),
      ),
      this.rest(entity),
      this.actions,
    ];
    fill(this.body, ...parts);
    this.update = (now, enabled) => {
      for (const [follower, read] of followers) follower.show(read(now) as never, enabled);
      if (!this.note) return;
      this.note.input.readOnly = !enabled;
      this.note.came(textOf(now));
    };
  }

  private set(id: string, key: string, value: Json): void {
    this.editor.edit(setProp(this.editor.view, id, [key], value));
  }

  /** All that are selected get the colour, in one step. */
  private paint(color: string): void {
    const { view, selection } = this.editor;
    this.editor.edit(selection.ids.flatMap((id) => setProp(view, id, ["color"], color)));
  }

  private beneath(id: string, parent: string | null): void {
    this.editor.edit(reparent(this.editor.view, [id], parent));
  }

  private noteField(id: string, entity: Entity): HTMLElement {
    this.note = new NoteField(textOf(entity), {
      onEdit: (edit) => {
        this.editor.edit([{ op: "text", id, path: ["text"], edit }]);
      },
      undo: () => this.editor.run("undo"),
      redo: () => this.editor.run("redo"),
    });
    const { input } = this.note;
    input.setAttribute("aria-label", "Text, shared with everybody");
    return h(
      "div",
      { class: "field" },
      input,
      h("span", { class: "hint" }, "Everybody can write here at once."),
    );
  }

  private parents(id: string, now: Entity): { chosen: string; options: [string, string][] } {
    const { view } = this.editor;
    const options: [string, string][] = [["", "Nothing (top)"]];
    for (const [other, entity] of view) {
      const fits = entity.alive && (typeOf(entity) === "group" || other === now.parent);
      if (fits && other !== id && !isBeneath(view, other, id)) options.push([other, nameOf(entity)]);
      if (options.length > CHOICES_MAX) break;
    }
    return { chosen: now.parent ?? "", options };
  }

  /** What else others' tools have written on it: seen, not edited. */
  private rest({ props }: Entity): HTMLElement | null {
    const others = Object.entries(props).filter(([key]) => !KNOWN.has(key));
    if (others.length === 0) return null;
    const lines = others.slice(0, 12).flatMap(([key, value]) => {
      const text = isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
      return [h("dt", {}, key), h("dd", {}, text.length > 60 ? `${text.slice(0, 59)}…` : text)];
    });
    return h("dl", { class: "rest" }, ...lines);
  }

  /** What can be done with it as a whole. Built anew only when that is something else, or buttons would lose focus. */
  private offer(id: string, enabled: boolean): void {
    const { editor } = this;
    const { locks } = editor;
    const lockable = enabled && locks?.holder(id) === null;
    const key = `${id} ${enabled} ${lockable}`;
    if (key === this.offered) return;
    this.offered = key;
    this.actions.hidden = !enabled;
    const attrs = { "aria-label": "Lock it for yourself", title: "Lock it for yourself" };
    const lock = button(icon("lock", 17), () => this.toLock(locks?.acquire(id)), {
      class: "icon-only",
      testid: "lock",
      attrs,
    });
    const copy = button("Duplicate", () => editor.run("duplicate"), {
      class: "small",
      testid: "prop-duplicate",
    });
    const gone = button("Delete", () => editor.run("delete"), {
      kind: "danger",
      class: "small",
      testid: "prop-delete",
    });
    fill(this.actions, lockable ? lock : null, copy, gone);
  }
}
