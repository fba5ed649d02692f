/** Finds one's own writes that somebody else's commit overrode, and how to bring them back. Pure. */

import type { Entity } from "../ot/state";
import { valueAt } from "../ot/state";
import { ALIVE, overlapping, PLACE, type Register, registerOf } from "../ot/transform";
import type { Commit, Operation } from "../wire/generated";
import type { Notice } from "./types";

const REMEMBERED = 1000;

/** One's own newest commits, by revision. */
export class OwnCommits {
  private readonly commits = new Map<number, readonly Operation[]>();

  /** One's own commit came. */
  add(commit: Commit): void {
    this.commits.set(commit.revision, commit.operations);
    const [oldest] = this.commits.keys();
    if (this.commits.size > REMEMBERED && oldest !== undefined) this.commits.delete(oldest);
  }

  /** What a commit by somebody else took away; `before` is the confirmed state that it came upon. */
  overriddenBy(commit: Commit, before: (id: string) => Entity | undefined): Notice[] {
    const notices: Notice[] = [];
    for (const { revision, entity, register } of commit.overridden ?? []) {
      const mine = this.commits.get(revision);
      if (!mine) continue;
      const lost = written(mine, entity, register) ?? standing(before(entity), entity, register);
      notices.push({ kind: "overridden", by: commit.user_id, entity, register, lost });
    }
    return notices;
  }
}

/** The last write of a transaction to a register, as an edit. */
function written(operations: readonly Operation[], id: string, register: Register): Operation | null {
  for (const operation of [...operations].reverse()) {
    const own = registerOf(operation);
    if (operation.id !== id || !own || own.length !== register.length || !overlapping(own, register))
      continue;
    if (operation.op === "add" || operation.op === "text" || operation.op === "create") return null;
    const { guard: _, ...bare } = operation;
    return bare as Operation;
  }
  return null;
}

/** What stands at a register, as an edit. */
function standing(entity: Entity | undefined, id: string, register: Register): Operation | null {
  if (!entity) return null;
  const [key] = register;
  if (key === PLACE[0]) return { op: "move", id, parent: entity.parent, order: entity.order };
  if (key === ALIVE[0]) return { op: entity.alive ? "restore" : "delete", id };
  const value = valueAt(entity.props, register);
  return value === null ? null : { op: "set", id, path: register, value };
}
