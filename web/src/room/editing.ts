/**
 * Editing in a room: makes the editor and its panels once there is a document, and takes them away again.
 *
 * The room calls `openEditor(document)` when it has joined a document; without one there is a room and no editing.
 */

import type { HistoryPorts, LockBook, Somebody } from "../edit/desk";
import { Editor } from "../edit/editor";
import type { Kind } from "../edit/kinds";
import type { Roster } from "../presence/roster";
import type { SceneDocument } from "../sync/types";
import { EditBar } from "../ui/editbar";
import { HistoryPanel } from "../ui/history";
import { ObjectsPanel } from "../ui/objects";
import { type Page, Panel } from "../ui/panel";
import { Properties } from "../ui/properties";
import type { Shell } from "../ui/shell";
import type { Toasts } from "../ui/toasts";
import type { Peer, Role, Vec3 } from "../wire/generated";
import type { World } from "./world";

/** What editing needs of the room. */
export interface EditingPorts {
  world: World;
  shell: Shell;
  toasts: Toasts;
  roster: Roster;
  you(): Peer | null;
  role(): Role;
  /** A person's name, who may have left long ago. */
  peopleName(userId: string): string;
  history: HistoryPorts | null;
  locks: LockBook | null;
}

/** A few deterministic hands for tests, as `window.__holodeck.editor`. */
export interface EditorHands {
  readonly selected: readonly string[];
  readonly revision: number;
  readonly unsynced: number;
  /** The view, as JSON would have it. */
  readonly entities: Record<string, unknown>;
  readonly past: number | null;
  /** Where something is drawn in the world, and where its middle is seen, in pixels of the stage. */
  drawn(id: string): { at: Vec3; seen: [number, number] } | null;
  select(...ids: string[]): void;
  add(kind: Kind): string | null;
  run: Editor["run"];
  edit: Editor["edit"];
}

/** Editing that is under way. */
export interface Editing {
  readonly editor: Editor;
  /** The role, or who is there, is another. */
  refresh(): void;
  dispose(): void;
}

/** Opens a document in a room. */
export function openEditor(document: SceneDocument, ports: EditingPorts): Editing {
  const { world, shell, toasts, history } = ports;
  const editor = new Editor({
    document,
    world,
    toasts,
    history,
    locks: ports.locks,
    you: ports.you,
    role: ports.role,
    peopleName: ports.peopleName,
    members: () => ports.roster.members.values(),
    others: (entity) => othersOn(ports.roster, ports.you(), entity),
  });
  const objects = new ObjectsPanel(editor);
  const past = history && new HistoryPanel(editor, history, toasts);
  const pages: Page[] = [pageOf("objects", "Objects", "layers", objects)];
  if (past) pages.push(pageOf("history", "History", "history", past));
  const dock = new Panel(pages, { name: "dock", label: "Scene" });
  const arrange = (): void => {
    shell.element.classList.toggle("with-dock", dock.open !== null);
    shell.element.classList.toggle("with-inspector", !properties.element.hidden);
    bar.render();
  };
  const narrow = matchMedia("(max-width: 760px)");
  const properties = new Properties(editor, () => {
    // On a phone both are sheets from below: there is room for one.
    if (narrow.matches && !properties.element.hidden) dock.close();
    arrange();
  });
  const bar = new EditBar(editor, () => ({
    objects: dock.open === "objects",
    history: dock.open === "history",
    properties: !properties.element.hidden,
  }));
  // Nothing of it is shown before all of it is there.
  editor.refresh();
  dock.onToggle = (open) => {
    if (open !== "history") past?.leave();
    if (open !== null && narrow.matches && !properties.element.hidden) properties.toggle(false);
    arrange();
  };
  editor.onOpen = (what) => {
    if (what === "add") bar.openMenu();
    else if (what === "properties") properties.toggle();
    else if (what === "text") properties.write();
    else dock.toggle(what);
  };
  shell.element.classList.add("editing");
  shell.element.append(dock.element, properties.element);
  shell.below.append(bar.element);
  arrange();
  if (window.__holodeck) window.__holodeck.editor = handsOf(editor, world);
  return {
    editor,
    refresh: () => editor.refresh(),
    dispose: () => {
      for (const part of [past, objects, bar, properties, editor]) part?.dispose();
      dock.element.remove();
      shell.element.classList.remove("editing", "with-dock", "with-inspector");
      if (window.__holodeck) delete window.__holodeck.editor;
    },
  };
}

function pageOf(
  name: string,
  title: string,
  icon: Page["icon"],
  panel: { element: HTMLElement; refresh(): Promise<void> },
): Page {
  return { name, title, icon, element: panel.element, refresh: () => panel.refresh() };
}

function othersOn(roster: Roster, you: Peer | null, entity: string): Somebody[] {
  return [...roster.members.values()]
    .filter(({ peer, state }) => peer.peer_id !== you?.peer_id && state?.state.selection?.includes(entity))
    .map(({ peer: { name, color } }) => ({ name, color }));
}

function handsOf(editor: Editor, world: World): EditorHands {
  return {
    get selected() {
      return editor.selection.ids;
    },
    get revision() {
      return editor.document.revision;
    },
    get unsynced() {
      return editor.document.unsynced;
    },
    get entities() {
      return Object.fromEntries(editor.view);
    },
    get past() {
      return editor.past;
    },
    drawn: (id) => {
      const [, , , , , , , , , , , , x, y, z] = editor.entities.worldOf(id)?.elements ?? [];
      if (x === undefined || y === undefined || z === undefined) return null;
      return { at: [x, y, z], seen: world.screenOf([x, y, z]) };
    },
    select: (...ids) => editor.selection.set(ids),
    add: (kind) => {
      editor.add(kind);
      return editor.selection.main;
    },
    run: (command) => editor.run(command),
    edit: (operations) => editor.edit(operations),
  };
}
