/**
 * The tree of the scene: who is beneath whom. Lines are dragged to other places, or moved by keys.
 *
 * Only the lines that can be seen are in the page, so that a thousand objects cost what twenty do.
 */

import { reparent, restore } from "../edit/actions";
import type { Editor } from "../edit/editor";
import { iconOf, nameOf } from "../edit/kinds";
import { deleted, isBeneath, type Row, rowsOf } from "../edit/tree";
import { button, fill, h } from "./dom";
import { plural } from "./format";
import { icon } from "./icons";
import { disc } from "./person";

const ROW_PX = 36;
const SPARE = 6;
const DELETED_SHOWN = 20;

type Where = "before" | "into";

/** The tree as a page of a panel, with what was deleted below it. */
export class ObjectsPanel {
  readonly element = h("div", { class: "panel-page objects", testid: "objects-panel" });
  private readonly tree = h("div", {
    class: "tree",
    testid: "tree",
    attrs: { role: "tree", tabindex: 0, "aria-label": "Objects", "aria-multiselectable": "true" },
  });
  private readonly lines = h("div", { class: "tree-lines" });
  private readonly count = h("p", { class: "note", testid: "objects-count" });
  private readonly bin = h("div", { class: "bin" });
  private readonly closed = new Set<string>();
  private rows: Row[] = [];
  private due = 0;
  private dragged: string[] = [];
  private cursor: string | null = null;
  private readonly stop: () => void;

  constructor(private readonly editor: Editor) {
    this.tree.append(this.lines);
    fill(this.element, this.count, this.tree, this.bin);
    this.tree.addEventListener("scroll", () => this.render());
    this.tree.addEventListener("keydown", (event) => this.key(event));
    this.tree.addEventListener("dragover", (event) => this.over(event, null));
    this.tree.addEventListener("drop", (event) => this.drop(event, null));
    this.stop = editor.onChange(() => this.later());
  }

  async refresh(): Promise<void> {
    this.read();
    // The page is laid out only after this, and how many lines fit depends on it.
    requestAnimationFrame(() => this.render());
  }

  dispose(): void {
    this.stop();
    cancelAnimationFrame(this.due);
  }

  private later(): void {
    if (this.due !== 0 || !this.element.isConnected) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (this.element.isConnected) this.read();
    });
  }

  private read(): void {
    const { view } = this.editor;
    this.rows = rowsOf(view, this.closed);
    const main = this.editor.selection.main;
    if (main && this.cursor !== main && this.rows.some(({ id }) => id === main)) {
      this.cursor = main;
      this.reveal(main);
    }
    let alive = 0;
    for (const entity of view.values()) if (entity.alive) alive += 1;
    this.count.textContent =
      alive === 0 ? "Nothing here yet. Add something from the bar below." : plural(alive, "object");
    this.render();
    this.showBin();
  }

  private render(): void {
    const first = Math.max(0, Math.floor(this.tree.scrollTop / ROW_PX) - SPARE);
    const fits = Math.ceil((this.tree.clientHeight || 600) / ROW_PX) + SPARE * 2;
    this.lines.style.height = `${this.rows.length * ROW_PX}px`;
    const shown = this.rows.slice(first, first + fits);
    fill(this.lines, ...shown.map((row, at) => this.line(row, first + at)));
    const active = shown.some(({ id }) => id === this.cursor) ? `row-${this.cursor}` : null;
    if (active) this.tree.setAttribute("aria-activedescendant", active);
    else this.tree.removeAttribute("aria-activedescendant");
  }

  private line(row: Row, at: number): HTMLElement {
    const { editor } = this;
    const { id } = row;
    const entity = editor.view.get(id);
    const selected = editor.selection.has(id);
    const holder = editor.locks?.holder(id) ?? null;
    const twist = h("span", { class: `twist ${row.open ? "open" : ""}` });
    if (row.children > 0) twist.append(icon("chevron", 14));
    twist.addEventListener("click", (event) => {
      event.stopPropagation();
      this.twist(id, !row.open);
    });
    const line = h(
      "div",
      {
        class: `tree-row ${selected ? "selected" : ""} ${id === this.cursor ? "cursor" : ""}`,
        id: `row-${id}`,
        testid: "tree-row",
        style: {
          top: `${at * ROW_PX}px`,
          "--depth": String(row.depth),
          "--person": editor.you()?.color ?? "",
        },
        attrs: {
          role: "treeitem",
          "data-entity": id,
          "aria-level": row.depth + 1,
          "aria-posinset": row.place,
          "aria-setsize": row.siblings,
          "aria-selected": String(selected),
          "aria-expanded": row.children > 0 ? String(row.open) : null,
          draggable: String(editor.canEdit()),
        },
      },
      twist,
      entity ? icon(iconOf(entity), 17) : null,
      h("span", { class: "tree-name" }, entity ? nameOf(entity) : id),
      h(
        "span",
        { class: "tree-others" },
        ...editor
          .others(id)
          .slice(0, 3)
          .map(({ name, color }) => disc(name, color)),
      ),
      holder
        ? h(
            "span",
            { class: "tree-lock", attrs: { title: `Locked by ${editor.peopleName(holder)}` } },
            icon("lock", 15),
          )
        : null,
    );
    line.addEventListener("click", (event) =>
      this.pick(id, event.shiftKey || event.ctrlKey || event.metaKey),
    );
    line.addEventListener("dragstart", (event) => this.drag(event, id));
    line.addEventListener("dragover", (event) => this.over(event, id));
    line.addEventListener("dragleave", () => line.classList.remove("into", "before"));
    line.addEventListener("drop", (event) => this.drop(event, id));
    return line;
  }

  private pick(id: string, besides: boolean): void {
    this.cursor = id;
    if (besides) this.editor.selection.toggle(id);
    else this.editor.selection.set([id]);
  }

  private twist(id: string, open: boolean): void {
    if (open) this.closed.delete(id);
    else this.closed.add(id);
    this.read();
  }

  private reveal(id: string): void {
    const top = this.rows.findIndex((row) => row.id === id) * ROW_PX;
    const { scrollTop, clientHeight } = this.tree;
    if (top < scrollTop) this.tree.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.tree.scrollTop = top + ROW_PX - clientHeight;
  }

  private key(event: KeyboardEvent): void {
    const at = this.rows.findIndex(({ id }) => id === this.cursor);
    const row = this.rows[at];
    const go = (to: number): void => {
      const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, to))];
      if (next) this.pick(next.id, event.shiftKey);
    };
    if (event.altKey && row && (event.key === "ArrowUp" || event.key === "ArrowDown"))
      this.shift(at, event.key);
    else if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp") go(at < 0 ? 0 : at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(this.rows.length - 1);
    else if (event.key === "ArrowRight" && row?.children) this.twist(row.id, true);
    else if (event.key === "ArrowLeft" && row?.open) this.twist(row.id, false);
    else if (event.key === "ArrowLeft" && row) {
      const parent = this.editor.view.get(row.id)?.parent;
      if (parent) this.pick(parent, false);
    } else if (event.key === "Enter") this.editor.run("properties");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** One place up or down among its siblings. */
  private shift(at: number, key: "ArrowUp" | "ArrowDown"): void {
    const row = this.rows[at];
    if (!row) return;
    const { view } = this.editor;
    const parent = view.get(row.id)?.parent ?? null;
    const siblings = this.rows
      .filter(({ id }) => (view.get(id)?.parent ?? null) === parent)
      .map(({ id }) => id);
    const place = siblings.indexOf(row.id);
    const before = key === "ArrowUp" ? siblings[place - 1] : (siblings[place + 2] ?? null);
    if (before === undefined || (key === "ArrowDown" && place === siblings.length - 1)) return;
    this.editor.edit(reparent(view, [row.id], parent, before));
  }

  // -- dragging lines --

  private drag(event: DragEvent, id: string): void {
    const { selection } = this.editor;
    this.dragged = selection.has(id) ? [...selection.ids] : [id];
    event.dataTransfer?.setData("text/plain", id);
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  }

  private over(event: DragEvent, id: string | null): void {
    if (this.dragged.length === 0 || !this.editor.canEdit()) return;
    event.preventDefault();
    event.stopPropagation();
    const line = event.currentTarget as HTMLElement;
    if (id === null) return;
    const where = this.where(event, line);
    line.classList.toggle("into", where === "into" && this.allowed(id));
    line.classList.toggle("before", where === "before");
  }

  private drop(event: DragEvent, id: string | null): void {
    event.preventDefault();
    event.stopPropagation();
    const { view } = this.editor;
    const ids = this.dragged;
    this.dragged = [];
    (event.currentTarget as HTMLElement).classList.remove("into", "before");
    if (ids.length === 0) return;
    if (id === null) this.editor.edit(reparent(view, ids, null));
    else if (this.where(event, event.currentTarget as HTMLElement) === "into") {
      this.closed.delete(id);
      this.editor.edit(reparent(view, ids, id));
    } else this.editor.edit(reparent(view, ids, view.get(id)?.parent ?? null, id));
  }

  private where(event: DragEvent, line: HTMLElement): Where {
    return event.clientY - line.getBoundingClientRect().top < ROW_PX * 0.3 ? "before" : "into";
  }

  private allowed(id: string): boolean {
    return this.dragged.every((other) => other !== id && !isBeneath(this.editor.view, id, other));
  }

  // -- what was deleted --

  private showBin(): void {
    const { view } = this.editor;
    const gone = deleted(view);
    this.bin.hidden = gone.length === 0 || !this.editor.canEdit();
    if (this.bin.hidden) return;
    const lines = gone
      .slice(-DELETED_SHOWN)
      .reverse()
      .map((id) => {
        const entity = view.get(id);
        const name = entity ? nameOf(entity) : id;
        const back = button("Restore", () => this.editor.edit(restore(view, id)), {
          kind: "quiet",
          class: "small",
          testid: "restore",
          attrs: { "aria-label": `Restore ${name}` },
        });
        return h(
          "li",
          {},
          entity ? icon(iconOf(entity), 17) : null,
          h("span", { class: "tree-name" }, name),
          back,
        );
      });
    fill(this.bin, h("h3", {}, `Deleted (${gone.length})`), h("ul", {}, ...lines));
  }
}
