/** A document without a server: edits take effect here, and what others do is played by hand. */

import { apply, applyAll } from "../src/ot/apply";
import { invert } from "../src/ot/invert";
import type { Entity } from "../src/ot/state";
import { registerOf } from "../src/ot/transform";
import { validate } from "../src/ot/validate";
import type { Notice, Reverted, SceneDocument, SyncState } from "../src/sync/types";
import type { Commit, Operation } from "../src/wire/generated";

interface Step {
  operations: Operation[];
  revision: number;
}

export const ME = "client00";

export class LocalDocument implements SceneDocument {
  readonly documentId = "doc_aaaaaaaaaaaaaaaaaaaa";
  readonly entities = new Map<string, Entity>();
  readonly commits: Commit[] = [];
  state: SyncState = "synced";
  unsynced = 0;
  waiting = 0;
  private readonly writers = new Map<string, number>();
  private undos: Step[] = [];
  private redos: Step[] = [];
  private made = 0;
  private readonly changes = new Set<(ids: ReadonlySet<string>) => void>();
  private readonly statuses = new Set<() => void>();
  private readonly notices = new Set<(notice: Notice) => void>();
  private readonly heard = new Set<(commit: Commit) => void>();

  constructor(readonly userId = "gst_me") {}

  get revision(): number {
    return this.commits.length;
  }

  get canUndo(): boolean {
    return this.undos.length > 0;
  }

  get canRedo(): boolean {
    return this.redos.length > 0;
  }

  newId(): string {
    this.made += 1;
    return `${ME}.${this.made}`;
  }

  edit(operations: readonly Operation[]): void {
    const valid = validate(operations, ME);
    const inverse = invert(valid, this.entities, this.revision + 1);
    this.commit(valid, this.userId);
    this.undos.push({ operations: inverse, revision: this.revision });
    this.redos = [];
    this.status();
  }

  /** Somebody else's transaction. */
  remote(operations: readonly Operation[], by = "usr_ada"): void {
    this.commit(operations, by);
    this.status();
  }

  undo(): Reverted {
    return this.revert(this.undos, this.redos);
  }

  redo(): Reverted {
    return this.revert(this.redos, this.undos);
  }

  tell(notice: Notice): void {
    for (const listener of this.notices) listener(notice);
  }

  /** The state after so many commits. */
  at(revision: number): Map<string, Entity> {
    const entities = new Map<string, Entity>();
    for (const commit of this.commits.slice(0, revision)) applyAll(entities, commit.operations);
    return entities;
  }

  onChange = (listener: (ids: ReadonlySet<string>) => void) => subscribe(this.changes, listener);
  onStatus = (listener: () => void) => subscribe(this.statuses, listener);
  onNotice = (listener: (notice: Notice) => void) => subscribe(this.notices, listener);
  onCommit = (listener: (commit: Commit) => void) => subscribe(this.heard, listener);

  private revert(from: Step[], to: Step[]): Reverted {
    const step = from.pop();
    if (!step) return { done: false, entities: [], skipped: [] };
    const free: Operation[] = [];
    const skipped: { entity: string; register: readonly string[] }[] = [];
    for (const operation of step.operations) {
      const register = registerOf(operation)?.join("/") ?? "";
      const wrote = this.writers.get(`${operation.id}/${register}`) ?? 0;
      const guard = "guard" in operation ? operation.guard : null;
      if (guard != null && wrote > guard)
        skipped.push({ entity: operation.id, register: register.split("/") });
      else free.push("guard" in operation ? { ...operation, guard: null } : operation);
    }
    if (free.length > 0) {
      const inverse = invert(free, this.entities, this.revision + 1);
      this.commit(free, this.userId);
      to.push({ operations: inverse, revision: this.revision });
    }
    this.status();
    return { done: free.length > 0, entities: free.map(({ id }) => id), skipped };
  }

  private commit(operations: readonly Operation[], by: string): void {
    const took = operations.filter((operation) => apply(this.entities, operation) === null);
    const revision = this.commits.length + 1;
    for (const operation of took) {
      this.writers.set(`${operation.id}/${registerOf(operation)?.join("/") ?? ""}`, revision);
    }
    const commit: Commit = {
      revision,
      client: ME,
      seq: revision,
      user_id: by,
      at_ms: 1_700_000_000_000 + revision * 60_000,
      operations: took,
      base: revision - 1,
    };
    this.commits.push(commit);
    const ids = new Set(took.map(({ id }) => id));
    for (const listener of this.changes) listener(ids);
    for (const listener of this.heard) listener(commit);
  }

  private status(): void {
    for (const listener of this.statuses) listener();
  }
}

function subscribe<T>(to: Set<T>, listener: T): () => void {
  to.add(listener);
  return () => to.delete(listener);
}
