/** The scene as a tree: who is beneath whom, in which order, and what of it is to be seen. Pure. */

import { compare } from "../ot/points";
import type { Entity } from "../ot/state";

/** A document's view. */
export type View = ReadonlyMap<string, Entity>;

/** One line of the tree as it is shown. */
export interface Row {
  readonly id: string;
  readonly depth: number;
  readonly children: number;
  readonly open: boolean;
  /** Its place among its siblings, from 1, and how many they are. */
  readonly place: number;
  readonly siblings: number;
}

/** Whoever is alive, by parent (null: at the top), in order. */
export function childrenOf(view: View): Map<string | null, string[]> {
  const children = new Map<string | null, string[]>();
  for (const [id, { alive, parent }] of view) {
    if (!alive) continue;
    const beside = children.get(parent);
    if (beside) beside.push(id);
    else children.set(parent, [id]);
  }
  for (const ids of children.values()) ids.sort((one, other) => inOrder(view, one, other));
  return children;
}

/** The lines from top to bottom, without what is beneath a closed one. */
export function rowsOf(view: View, closed: ReadonlySet<string>): Row[] {
  const children = childrenOf(view);
  const rows: Row[] = [];
  const walk = (parent: string | null, depth: number): void => {
    const ids = children.get(parent) ?? [];
    ids.forEach((id, index) => {
      const count = children.get(id)?.length ?? 0;
      const open = count > 0 && !closed.has(id);
      rows.push({ id, depth, children: count, open, place: index + 1, siblings: ids.length });
      if (open) walk(id, depth + 1);
    });
  };
  walk(null, 0);
  return rows;
}

/** Whoever is beneath, at any depth, dead or alive; itself not. */
export function beneath(view: View, id: string): string[] {
  const byParent = new Map<string, string[]>();
  for (const [child, { parent }] of view) {
    if (parent === null) continue;
    const beside = byParent.get(parent);
    if (beside) beside.push(child);
    else byParent.set(parent, [child]);
  }
  const found: string[] = [];
  const waiting = [id];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const ids = byParent.get(next) ?? [];
    found.push(...ids);
    waiting.push(...ids);
  }
  return found;
}

/** Whether `id` is somewhere beneath `above`. */
export function isBeneath(view: View, id: string, above: string): boolean {
  let parent = view.get(id)?.parent ?? null;
  while (parent !== null) {
    if (parent === above) return true;
    parent = view.get(parent)?.parent ?? null;
  }
  return false;
}

/** Those of `ids` that are not beneath another of them: moving these moves all. */
export function topmost(view: View, ids: readonly string[]): string[] {
  return ids.filter((id) => !ids.some((other) => other !== id && isBeneath(view, id, other)));
}

/** Deleted ones whose restoring would show something: all above them is there. The newest last. */
export function deleted(view: View): string[] {
  return [...view]
    .filter(([, entity]) => {
      if (entity.alive) return false;
      let parent = entity.parent;
      while (parent !== null) {
        const above = view.get(parent);
        if (!above?.alive) return false;
        parent = above.parent;
      }
      return true;
    })
    .map(([id]) => id);
}

function inOrder(view: View, one: string, other: string): number {
  return compare(view.get(one)?.order ?? "", view.get(other)?.order ?? "") || compare(one, other);
}
