/** The toolbar of editing: what to add, what to do with it, undo and redo, and whether everything is saved. */

import type { Editor } from "../edit/editor";
import { KINDS } from "../edit/kinds";
import { type Command, SHORTCUTS } from "../edit/shortcuts";
import type { SyncState } from "../sync/types";
import { button, fill, freshId, h } from "./dom";
import { type IconName, icon } from "./icons";

interface Tool {
  command: Command;
  icon: IconName;
  label: string;
  /** Shown to those who may edit; `selected`: only of use while something is selected. */
  group: "hands" | "steps" | "things" | "panels";
  wide?: true;
}

const TOOLS: readonly Tool[] = [
  { command: "translate", icon: "move", label: "Move", group: "hands" },
  { command: "rotate", icon: "rotate", label: "Turn", group: "hands" },
  { command: "scale", icon: "scale", label: "Scale", group: "hands" },
  { command: "snap", icon: "snap", label: "Snap to steps", group: "hands" },
  { command: "undo", icon: "undo", label: "Undo", group: "steps" },
  { command: "redo", icon: "redo", label: "Redo", group: "steps" },
  { command: "duplicate", icon: "copy", label: "Duplicate", group: "things", wide: true },
  { command: "delete", icon: "trash", label: "Delete", group: "things", wide: true },
  { command: "properties", icon: "tune", label: "Properties", group: "things" },
  { command: "objects", icon: "layers", label: "Objects", group: "panels" },
  { command: "history", icon: "history", label: "History", group: "panels" },
];

const SYNC_TEXT: Record<SyncState, string> = {
  loading: "Loading",
  synced: "Saved",
  saving: "Saving",
  offline: "Offline",
};

/** What the sync state is called, with how many changes wait. */
export function syncWords(state: SyncState, waiting: number): string {
  if (state === "offline" && waiting > 0) return `Offline · ${waiting} unsaved`;
  return state === "saving" && waiting > 1 ? `Saving ${waiting}` : SYNC_TEXT[state];
}

/** The toolbar of one editor. */
export class EditBar {
  readonly element: HTMLElement;
  private readonly buttons = new Map<Command, HTMLButtonElement>();
  private readonly groups = new Map<Tool["group"], HTMLElement>();
  private readonly sync = h("span", { class: "sync", testid: "sync", attrs: { role: "status" } });
  private readonly adder: HTMLButtonElement;
  private readonly menu: HTMLElement;
  private readonly abort = new AbortController();
  private readonly stop: () => void;
  private syncText = "";

  constructor(
    private readonly editor: Editor,
    private readonly opened: () => { objects: boolean; history: boolean; properties: boolean },
  ) {
    this.menu = this.makeMenu();
    this.adder = button(icon("plus", 20), () => this.toggleMenu(), {
      kind: "primary",
      class: "tool add",
      testid: "add",
      attrs: {
        "aria-label": "Add something",
        title: "Add something (N)",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        "aria-controls": this.menu.id,
      },
    });
    this.adder.append(h("span", { class: "wide-only" }, "Add"));
    const names: Tool["group"][] = ["hands", "steps", "things", "panels"];
    for (const name of names) this.groups.set(name, this.makeGroup(name));
    this.element = h(
      "div",
      { class: "editbar glass", testid: "editbar", attrs: { role: "toolbar", "aria-label": "Editing" } },
      h("div", { class: "adding" }, this.adder, this.menu),
      ...names.map((name) => this.groups.get(name)),
      this.sync,
    );
    const { signal } = this.abort;
    document.addEventListener("pointerdown", (event) => this.outside(event), { signal, capture: true });
    this.stop = editor.onChange(() => this.render());
    this.render();
  }

  /** Opens the menu of what can be added. */
  openMenu(): void {
    if (this.menu.hidden && !this.adder.hidden) this.toggleMenu();
  }

  /** Shows everything as it is now. */
  render(): void {
    const { editor } = this;
    const edits = editor.canEdit();
    const selected = editor.selection.ids.some((id) => editor.view.has(id));
    this.element.classList.toggle("read-only", !edits);
    this.element.classList.toggle("has-selection", edits && selected);
    this.adder.hidden = !edits;
    if (!edits) this.closeMenu();
    for (const name of ["hands", "steps", "things"] as const) {
      const group = this.groups.get(name);
      if (group) group.hidden = !edits && !(name === "things" && selected);
    }
    const { document } = editor;
    const opened = this.opened();
    const free = selected && editor.selection.ids.some((id) => editor.lockedBy(id) === null);
    this.state("translate", free, editor.tool === "translate");
    this.state("rotate", free, editor.tool === "rotate");
    this.state("scale", free, editor.tool === "scale");
    this.state("snap", free, editor.snapping);
    this.state("undo", document.canUndo);
    this.state("redo", document.canRedo);
    this.state("duplicate", edits && selected);
    this.state("delete", edits && free);
    this.state("properties", selected, opened.properties);
    this.state("objects", true, opened.objects);
    this.state("history", true, opened.history);
    const words = syncWords(document.state, document.waiting);
    if (words === this.syncText) return;
    this.syncText = words;
    this.sync.className = `sync ${document.state}`;
    fill(this.sync, h("i", { attrs: { "aria-hidden": "true" } }), h("span", {}, words));
  }

  dispose(): void {
    this.abort.abort();
    this.stop();
    this.element.remove();
  }

  private state(command: Command, enabled: boolean, pressed?: boolean): void {
    const control = this.buttons.get(command);
    if (!control) return;
    control.disabled = !enabled;
    if (pressed !== undefined) control.setAttribute("aria-pressed", String(enabled && pressed));
  }

  private makeGroup(name: Tool["group"]): HTMLElement {
    const made = TOOLS.filter(({ group }) => group === name).map(({ command, icon: drawn, label, wide }) => {
      const key = SHORTCUTS.find((shortcut) => shortcut.command === command)?.shown;
      const control = button(icon(drawn, 19), () => this.editor.run(command), {
        kind: "quiet",
        class: `tool ${wide ? "wide-only" : ""}`.trim(),
        testid: `tool-${command}`,
        attrs: { "aria-label": label, title: key ? `${label} (${key})` : label },
      });
      this.buttons.set(command, control);
      return control;
    });
    return h("div", { class: `tools ${name}` }, ...made);
  }

  private makeMenu(): HTMLElement {
    const menu = h("div", {
      class: "add-menu glass",
      id: freshId("add"),
      testid: "add-menu",
      attrs: { role: "menu", "aria-label": "Add" },
    });
    menu.hidden = true;
    for (const { kind, title, icon: drawn } of KINDS) {
      const item = h(
        "button",
        { class: "add-item", testid: `add-${kind}`, attrs: { type: "button", role: "menuitem" } },
        icon(drawn, 24),
        h("span", {}, title),
      );
      item.addEventListener("click", () => {
        this.closeMenu();
        this.editor.add(kind);
      });
      menu.append(item);
    }
    menu.addEventListener("keydown", (event) => this.menuKey(event));
    return menu;
  }

  private toggleMenu(): void {
    if (!this.menu.hidden) {
      this.closeMenu();
      return;
    }
    this.menu.hidden = false;
    this.adder.setAttribute("aria-expanded", "true");
    (this.menu.firstElementChild as HTMLElement | null)?.focus();
  }

  private closeMenu(): void {
    if (this.menu.hidden) return;
    const inside = this.menu.contains(document.activeElement);
    this.menu.hidden = true;
    this.adder.setAttribute("aria-expanded", "false");
    if (inside) this.adder.focus({ preventScroll: true });
  }

  private outside(event: Event): void {
    if (event.target instanceof Node && !this.element.contains(event.target)) this.closeMenu();
  }

  private menuKey(event: KeyboardEvent): void {
    const items = [...this.menu.children] as HTMLElement[];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") this.closeMenu();
    else if (step) items[(at + step + items.length) % items.length]?.focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  }
}
