/**
 * The optimistic editor, pure: confirmed state, one transaction in flight, a buffer, and the view of all three.
 *
 * Laws: the view is the confirmed state with the pending operations applied to it, in order. Commits are taken strictly
 * in the log's order; early ones are held. `base` is the revision that the pending operations stand on: the same as
 * `revision`, but for a memory that was restored or a document that was read anew; until they meet, nothing is sent.
 * Only the entities that a commit or a rebase touched are computed anew.
 */

import { apply, applyAll } from "../ot/apply";
import { compose } from "../ot/compose";
import { invert } from "../ot/invert";
import type { Entity, Json } from "../ot/state";
import { rebase } from "../ot/transform";
import type { Commit, Operation } from "../wire/generated";
import { cut } from "./cut";
import { same } from "./same";

/** A transaction that was, or is about to be, sent. */
export interface InFlight {
  seq: number;
  operations: readonly Operation[];
  /** The revision that the person saw when making the oldest of it. */
  seen?: number;
}

/** What has to outlive the page: everything that is not acknowledged. `base` is null where it was never known. */
export interface Memory {
  client: string;
  nextSeq: number;
  base: number | null;
  inFlight: InFlight | null;
  buffer: readonly Operation[];
  /** The revision that the person saw when making the oldest of the buffer. */
  seen?: number;
}

/** An own edit that fell away because somebody replaced what it edited. */
export interface Lost {
  entity: string;
  register: readonly string[];
  value: Json;
}

/** What taking a commit did. */
export interface Taken {
  /** It was the transaction in flight. */
  acknowledged: boolean;
  /** It reached the confirmed state. */
  confirmed: boolean;
  replaced: Lost[];
}

const HELD = 5000;

const structural = (operation: Operation): boolean => operation.op === "move" || operation.op === "create";

/** A client's memory with nothing in it. */
export function emptyMemory(client: string): Memory {
  return { client, nextSeq: 1, base: null, inFlight: null, buffer: [] };
}

/** The editor of one document by one client. */
export class Engine {
  readonly view = new Map<string, Entity>();
  readonly client: string;
  revision = 0;
  loaded = false;
  inFlight: InFlight | null;
  buffer: readonly Operation[];
  private seen: number | undefined;
  private base: number | null;
  private nextSeq: number;
  private readonly confirmed = new Map<string, Entity>();
  private readonly early = new Map<number, Commit>();

  constructor(memory: Memory) {
    this.client = memory.client;
    this.nextSeq = memory.nextSeq;
    this.base = memory.base;
    this.inFlight = memory.inFlight;
    this.buffer = memory.buffer;
    this.seen = memory.seen;
    applyAll(this.view, this.pending);
  }

  /** In flight and buffer, in order. */
  get pending(): readonly Operation[] {
    return this.inFlight ? [...this.inFlight.operations, ...this.buffer] : this.buffer;
  }

  /** All commits up to here were seen by the confirmed state and by the pending operations. */
  get low(): number {
    return Math.min(this.revision, this.base ?? this.revision);
  }

  /** Whether pending and confirmed stand at the same revision, so that something may be sent. */
  get settled(): boolean {
    return this.loaded && this.base === this.revision;
  }

  /** Whether commits wait for others that come before them. */
  get gap(): boolean {
    return this.early.size > 0;
  }

  /** What has to be kept now. */
  memory(): Memory {
    const { client, nextSeq, base, inFlight, buffer, seen } = this;
    return { client, nextSeq, base, inFlight, buffer, ...(seen === undefined ? {} : { seen }) };
  }

  /** An entity as it is confirmed. */
  confirmedOf(id: string): Entity | undefined {
    return this.confirmed.get(id);
  }

  /**
   * Takes a whole state. Older than what is known it changes nothing, unless `force` says that the log itself went
   * back. Returns what changed in the view.
   */
  load(revision: number, entities: Readonly<Record<string, Entity>>, force = false): Set<string> {
    if (this.loaded && revision < this.revision && !force) return new Set();
    const ids = new Set([...this.view.keys(), ...this.confirmed.keys(), ...Object.keys(entities)]);
    this.confirmed.clear();
    for (const [id, entity] of Object.entries(entities)) this.confirmed.set(id, entity);
    const nothing = this.inFlight === null && this.buffer.length === 0;
    if (this.base === null || nothing || (force && revision < this.base)) this.base = revision;
    this.revision = revision;
    this.loaded = true;
    this.forget();
    return this.repair(ids);
  }

  /** Puts a valid transaction on top of the pending ones. Returns what changed in the view. */
  edit(operations: readonly Operation[]): Set<string> {
    if (this.buffer.length === 0) this.seen = this.loaded ? this.revision : undefined;
    this.buffer = compose(this.buffer, operations);
    const changed = new Set<string>();
    for (const operation of operations) if (apply(this.view, operation) === null) changed.add(operation.id);
    // Edits beyond a text's end do not compose to what they do one by one: the pending ones are the truth.
    const texts = new Set(operations.filter(({ op }) => op === "text").map(({ id }) => id));
    if (texts.size > 0) for (const id of this.repair(texts, false)) changed.add(id);
    return changed;
  }

  /** Moves as much of the buffer as may be sent at once in flight; null where there is nothing to send. */
  cut(): InFlight | null {
    if (this.inFlight || this.buffer.length === 0) return null;
    const [operations, rest] = cut(this.buffer);
    const { seen } = this;
    this.inFlight = { seq: this.nextSeq, operations, ...(seen === undefined ? {} : { seen }) };
    this.buffer = rest;
    this.nextSeq += 1;
    return this.inFlight;
  }

  /** Keeps a commit until it is its turn. Known ones are ignored. */
  hold(commit: Commit): void {
    const known = this.loaded && commit.revision <= this.low;
    if (!known && this.early.size < HELD) this.early.set(commit.revision, commit);
  }

  /** The commit whose turn it is, if it is here. */
  next(): Commit | null {
    return (this.loaded && this.early.get(this.low + 1)) || null;
  }

  /** Whether taking the next commit rebases what is pending. */
  rebases(commit: Commit): boolean {
    return this.base !== null && commit.revision === this.base + 1 && !this.acknowledges(commit);
  }

  /** Takes the commit that `next` gave. `changed` collects what changed in the view. */
  take(commit: Commit, changed: Set<string>): Taken {
    const taken: Taken = { acknowledged: false, confirmed: false, replaced: [] };
    const ids = new Set(commit.operations.map(({ id }) => id));
    const structure = commit.operations.some(structural);
    this.early.delete(commit.revision);
    if (commit.client === this.client) this.nextSeq = Math.max(this.nextSeq, commit.seq + 1);
    if (this.base === null || commit.revision === this.base + 1) {
      if (this.acknowledges(commit)) {
        for (const { id } of this.inFlight?.operations ?? []) ids.add(id);
        this.inFlight = null;
        taken.acknowledged = true;
      } else this.rebase(commit, ids, taken.replaced);
      this.base = commit.revision;
    }
    if (commit.revision === this.revision + 1) {
      applyAll(this.confirmed, commit.operations);
      this.revision = commit.revision;
      taken.confirmed = true;
    }
    if (this.inFlight === null && this.buffer.length === 0 && this.base < this.revision) this.restand();
    for (const id of this.repair(ids, structure)) changed.add(id);
    return taken;
  }

  /**
   * Takes the transaction in flight back, and what was built upon it. Returns all that fell away, in order.
   */
  withdraw(changed: Set<string>): Operation[] {
    const gone = [...(this.inFlight?.operations ?? [])];
    const ids = new Set(this.pending.map(({ id }) => id));
    const created = new Set(gone.filter(({ op }) => op === "create").map(({ id }) => id));
    const inverse = invert(gone, this.confirmed);
    const rebased = rebase(this.buffer, inverse, 0, false).operations;
    const kept: Operation[] = [];
    rebased.forEach((operation, index) => {
      const old = this.buffer[index] as Operation;
      const beneath = structural(old) && "parent" in old && created.has(old.parent ?? "");
      if (old.op === "create" && beneath) created.add(old.id);
      if (created.has(old.id) || beneath || operation === null) gone.push(old);
      else kept.push(operation);
    });
    this.inFlight = null;
    this.buffer = kept;
    for (const id of this.repair(ids, true)) changed.add(id);
    return gone;
  }

  /** Stands the pending operations on the confirmed state as they are: what lies between cannot be read any more. */
  restand(): void {
    this.base = this.revision;
    this.forget();
  }

  private acknowledges(commit: Commit): boolean {
    return commit.client === this.client && this.inFlight?.seq === commit.seq;
  }

  /** Moves what is pending past a commit. Adds the ids of what became different to `ids`. */
  private rebase(commit: Commit, ids: Set<string>, replaced: Lost[]): void {
    const { pending } = this;
    if (!pending.some(({ id }) => ids.has(id))) return;
    const foreign = commit.client !== this.client;
    const { operations, dropped } = rebase(pending, commit.operations, commit.revision, foreign);
    for (const [index, why] of dropped) {
      const old = pending[index];
      if (why !== "replaced" || old?.op !== "text") continue;
      const entity = this.view.get(old.id);
      if (entity) replaced.push({ entity: old.id, register: old.path, value: textAt(entity, old.path) });
    }
    const sent = this.inFlight?.operations.length ?? 0;
    const left = (some: readonly (Operation | null)[]) => some.filter((one) => one !== null);
    if (this.inFlight) this.inFlight = { ...this.inFlight, operations: left(operations.slice(0, sent)) };
    this.buffer = left(operations.slice(sent));
  }

  /** Computes these entities of the view anew. A changed place may open or close a circle for every pending move. */
  private repair(ids: Set<string>, structure = true): Set<string> {
    const { pending } = this;
    if (structure || pending.some((operation) => structural(operation) && ids.has(operation.id))) {
      for (const operation of pending) if (structural(operation)) ids.add(operation.id);
    }
    const before = new Map<string, Entity | undefined>();
    for (const id of ids) {
      before.set(id, this.view.get(id));
      const entity = this.confirmed.get(id);
      if (entity) this.view.set(id, entity);
      else this.view.delete(id);
    }
    for (const operation of pending) if (ids.has(operation.id)) apply(this.view, operation);
    const changed = new Set<string>();
    for (const [id, old] of before) {
      const now = this.view.get(id);
      if (old && now && same(old, now)) this.view.set(id, old);
      else if (old !== now) changed.add(id);
    }
    return changed;
  }

  private forget(): void {
    for (const revision of this.early.keys()) if (revision <= this.low) this.early.delete(revision);
  }
}

function textAt(entity: Entity, path: readonly string[]): Json {
  let found: Json | undefined = entity.props;
  for (const key of path) {
    found = typeof found === "object" && found !== null ? (found as Record<string, Json>)[key] : undefined;
  }
  return found ?? null;
}
