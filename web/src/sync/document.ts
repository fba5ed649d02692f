/**
 * A shared document: the shell that joins the engine, the delivery and the undo stacks to the world.
 *
 * Everything comes in by `receive`, `connected` and `disconnected`, goes out by the ports, and every way in ends in
 * `step`, which does what is due and sets the one timer. What is pending is kept before it is sent.
 */

import { invert } from "../ot/invert";
import type { Entity } from "../ot/state";
import { InvalidOperation, validate } from "../ot/validate";
import type {
  Code,
  Commit,
  DocFetch,
  Operation,
  OpRejected,
  OpSubmit,
  ServerMessage,
  Snapshot,
} from "../wire/generated";
import { meaningOf, type Refusal } from "./answers";
import { Audience } from "./audience";
import { Delivery } from "./delivery";
import { Engine, type Memory } from "./engine";
import { Opening } from "./opening";
import { OwnCommits } from "./overridden";
import type { Notice, Reverted, SceneDocument, SyncState } from "./types";
import { Undo } from "./undo";

/** What a document needs from the world. */
export interface DocumentPorts {
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Calls back after that many ms; the result cancels. */
  after(ms: number, call: () => void): () => void;
  /** False where it certainly did not go out. */
  send(message: OpSubmit | DocFetch): boolean;
  /** The newest state; rejects with something that has a `code`. */
  snapshot(): Promise<Snapshot>;
  /** Keeps what is pending; resolves when it would survive the page. */
  save(memory: Memory): Promise<void>;
}

/** Refused so often in a row for a base that does not exist, the log itself must have gone back. */
const AHEAD_MAX = 4;
const FOREVER_MS = 30_000;

/** A document that is edited here and elsewhere at once. */
export class SharedDoc extends Audience implements SceneDocument {
  private readonly engine: Engine;
  private readonly delivery: Delivery;
  private readonly stacks = new Undo();
  private readonly own = new OwnCommits();
  private readonly opening: Opening;
  private readonly born: string;
  private made = 0;
  private storing = false;
  private over = false;
  private told = "";
  private cancel: () => void = () => {};

  constructor(
    readonly documentId: string,
    memory: Memory,
    private readonly ports: DocumentPorts,
  ) {
    super();
    this.engine = new Engine(memory);
    this.born = Math.floor(ports.now()).toString(36);
    const chance = Math.floor(ports.random() * 36 ** 4).toString(36);
    this.delivery = new Delivery(`${memory.client}.${this.born}${chance}`, () => ports.random());
    this.opening = new Opening(
      ports,
      ({ revision, head, entities }, force) => this.loaded(revision, head, entities, force),
      () => {
        if (this.engine.loaded) return false;
        this.loaded(0, 0, {}, false);
        return true;
      },
    );
  }

  get state(): SyncState {
    if (!this.engine.loaded) return "loading";
    if (!this.delivery.online) return "offline";
    if (this.unsynced > 0) return "saving";
    return this.delivery.doubt ? "loading" : "synced";
  }

  get revision(): number {
    return this.engine.revision;
  }

  get unsynced(): number {
    return (this.engine.inFlight ? 1 : 0) + (this.engine.buffer.length > 0 ? 1 : 0);
  }

  get waiting(): number {
    return (this.engine.inFlight?.operations.length ?? 0) + this.engine.buffer.length;
  }

  get canUndo(): boolean {
    return this.stacks.canUndo;
  }

  get canRedo(): boolean {
    return this.stacks.canRedo;
  }

  get entities(): ReadonlyMap<string, Entity> {
    return this.engine.view;
  }

  /** The id of this editor's memory. */
  get client(): string {
    return this.engine.client;
  }

  newId(): string {
    this.made += 1;
    return `${this.engine.client}.${this.born}${this.made.toString(36).padStart(3, "0")}`;
  }

  edit(operations: readonly Operation[]): void {
    if (operations.length === 0) return;
    const valid = this.validated(operations);
    const inverse = invert(valid, this.engine.view);
    this.stacks.made(valid, inverse, this.ports.now());
    this.put(valid);
  }

  undo(): Reverted {
    return this.revert("undo");
  }

  redo(): Reverted {
    return this.revert("redo");
  }

  // -- the carrier --

  /** Reads the newest state, and tries until it has it. */
  open(): void {
    this.opening.start(false);
  }

  /** A carrier is there, again, another, or the first; it takes submissions so fast. */
  connected(submitEveryMs?: number): void {
    this.delivery.connected(submitEveryMs);
    this.step();
  }

  /** The page is not in the room any more, or not yet again. */
  disconnected(): void {
    this.delivery.online = false;
    this.step();
  }

  /** Whether a message was for this document; then it is dealt with. */
  receive(message: ServerMessage): boolean {
    if (this.over) return false;
    if (message.type === "error") return this.failed(message.id, message);
    if (!("document_id" in message) || message.document_id !== this.documentId) return false;
    if (message.type === "op.rejected") this.rejected(message);
    else if (message.type === "op.ack") this.commits([message.operation]);
    else {
      this.commits(message.commits);
      if (message.type === "op.committed") this.delivery.head = Math.max(this.delivery.head, message.head);
      else {
        const { head, commits } = message;
        const id = message.id ?? null;
        this.delivery.fetched(id, head, this.engine.low, commits.length === 0, this.ports.now());
      }
    }
    this.step();
    return true;
  }

  /** Stops for good. What is pending stays kept. */
  dispose(): void {
    this.over = true;
    this.delivery.online = false;
    this.cancel();
    this.opening.stop();
  }

  // -- what was edited here --

  /** In one piece, whatever its length: the buffer is cut where it is sent. */
  private validated(operations: readonly Operation[]): Operation[] {
    return operations.map((operation, index) => {
      try {
        return validate([operation], this.engine.client)[0] as Operation;
      } catch (thrown) {
        if (thrown instanceof InvalidOperation) throw new InvalidOperation(index, thrown.reason);
        throw thrown;
      }
    });
  }

  private put(operations: readonly Operation[]): void {
    const changed = this.engine.edit(operations);
    this.keep();
    this.tell(changed);
    this.step();
  }

  private revert(which: "undo" | "redo"): Reverted {
    const step = this.stacks.pop(which, this.engine.revision);
    const { operations, skipped } = step ?? { operations: [], skipped: [] };
    const inverse = invert(operations, this.engine.view);
    const done = inverse.length > 0;
    if (done) {
      this.stacks.reverted(which, inverse);
      this.put(operations);
    } else this.status();
    return { done, entities: [...new Set(inverse.map(({ id }) => id))], skipped };
  }

  // -- what comes from the log --

  private loaded(revision: number, head: number, entities: Snapshot["entities"], force: boolean): void {
    this.delivery.head = force ? head : Math.max(this.delivery.head, head);
    this.tell(this.engine.load(revision, entities as Record<string, Entity>, force));
    this.follow();
    this.step();
  }

  private commits(commits: readonly Commit[]): void {
    for (const commit of commits) {
      this.engine.hold(commit);
      const { inFlight, client, low } = this.engine;
      const mine = commit.client === client && commit.seq === inFlight?.seq;
      if (mine && commit.revision > low) this.delivery.acknowledged = true;
    }
    this.follow();
  }

  /** Takes all commits whose turn it is. */
  private follow(): void {
    const changed = new Set<string>();
    const notices: Notice[] = [];
    const confirmed: Commit[] = [];
    let acknowledged = false;
    for (let commit = this.engine.next(); commit; commit = this.engine.next()) {
      const foreign = commit.client !== this.engine.client;
      if (foreign) {
        notices.push(...this.own.overriddenBy(commit, (id) => this.engine.confirmedOf(id)));
        if (this.engine.rebases(commit)) this.stacks.past(commit, this.engine.pending);
      } else this.own.add(commit);
      const taken = this.engine.take(commit, changed);
      if (taken.confirmed) confirmed.push(commit);
      if (taken.acknowledged) {
        acknowledged = true;
        this.delivery.done();
        this.stacks.logged(commit.revision);
      }
      for (const { entity, register, value } of taken.replaced) {
        const lost: Operation = { op: "set", id: entity, path: register, value };
        notices.push({ kind: "overridden", by: commit.user_id, entity, register, lost });
      }
    }
    if (acknowledged) this.keep();
    this.tell(changed);
    for (const commit of confirmed) this.committed.tell(commit);
    for (const notice of notices) this.noticed.tell(notice);
  }

  // -- what was refused --

  private rejected(message: OpRejected): void {
    const { inFlight, client } = this.engine;
    if (message.client !== client || message.seq !== inFlight?.seq || this.delivery.acknowledged) return;
    if (message.id && this.delivery.asked(message.id) !== "submit") return; // an earlier attempt's
    this.refused(message.code, message.message, 0);
  }

  private failed(id: string | null | undefined, error: Refusal): boolean {
    const asked = this.delivery.asked(id);
    if (asked === null) return false;
    if (asked === "submit") this.refused(error.code, error.message, error.retry_after_ms ?? 0);
    else this.unread(error);
    this.step();
    return true;
  }

  private refused(code: Code, text: string, retryAfterMs: number): void {
    const meaning = meaningOf(code);
    if (meaning === "final") {
      this.withdraw(code, text);
      return;
    }
    const times = this.delivery.submitFailed(this.ports.now(), retryAfterMs, meaning !== "again");
    if (meaning === "too_old") this.open();
    else if (code === "operation.base_ahead" && times % AHEAD_MAX === 0) this.opening.start(true);
  }

  /** The log could not be read on. */
  private unread(error: Refusal): void {
    const { code, message } = error;
    const final = meaningOf(code) === "final";
    this.delivery.fetchFailed(this.ports.now(), final ? FOREVER_MS : (error.retry_after_ms ?? 0));
    if (!final || !this.engine.loaded || this.engine.settled || code !== "revision.unknown") return;
    // Whether what was in flight is in the log cannot be known any more; what was never sent goes on.
    if (this.engine.inFlight) this.withdraw("operation.base_too_old", message);
    this.engine.restand();
    this.keep();
  }

  private withdraw(code: string, message: string): void {
    const changed = new Set<string>();
    const operations = this.engine.withdraw(changed);
    this.stacks.refused(operations);
    this.delivery.done();
    this.keep();
    this.tell(changed);
    this.noticed.tell({ kind: "rejected", code, message, operations });
  }

  // -- what goes out --

  /** Does what is due, and sets the timer for what is due next. */
  private step(): void {
    this.cancel();
    if (this.over) return;
    for (;;) {
      const { low, loaded, settled, gap, inFlight, buffer } = this.engine;
      const facts = { low, loaded, settled, gap, inFlight: inFlight !== null, buffered: buffer.length > 0 };
      const now = this.ports.now();
      const action = this.delivery.poll(now, { ...facts, storing: this.storing });
      if (action.kind === "wait") {
        if (action.atMs !== null)
          this.cancel = this.ports.after(Math.max(1, action.atMs - now), () => this.step());
        break;
      }
      if (action.kind === "fetch") this.fetch(action.id, action.since);
      else if (action.kind === "submit") this.submit(action.id);
      else this.cut();
    }
    this.status();
  }

  private fetch(id: string, since: number): void {
    this.ports.send({ type: "doc.fetch", id, document_id: this.documentId, since });
  }

  private cut(): void {
    if (!this.engine.cut()) return;
    this.stacks.sent(this.engine.buffer);
    this.storing = true;
    const stored = (): void => {
      this.storing = false;
      this.step();
    };
    this.ports.save(this.engine.memory()).then(stored, stored);
  }

  private submit(id: string): void {
    const { client, inFlight, low: base } = this.engine;
    if (!inFlight) return;
    const { seq, operations, seen } = inFlight;
    if (operations.length === 0) {
      // All of it fell away when it was rebased: there is nothing to commit.
      this.withdrawNothing();
      return;
    }
    const overtaken = seen !== undefined && seen < base ? { seen } : {};
    const { documentId: document_id } = this;
    this.ports.send({ type: "op.submit", id, document_id, client, seq, base, operations, ...overtaken });
  }

  private withdrawNothing(): void {
    const changed = new Set<string>();
    this.engine.withdraw(changed);
    this.delivery.done();
    this.stacks.refused([]);
    this.keep();
    this.tell(changed);
  }

  private keep(): void {
    this.ports.save(this.engine.memory()).catch(() => {}); // without storage it lives as long as the page
  }

  private tell(changed: ReadonlySet<string>): void {
    if (changed.size > 0) this.changes.tell(changed);
    this.status();
  }

  private status(): void {
    const { state, revision, unsynced, waiting, canUndo, canRedo } = this;
    const now = [state, revision, unsynced, waiting, canUndo, canRedo].join(" ");
    if (now === this.told) return;
    this.told = now;
    this.statuses.tell();
  }
}
