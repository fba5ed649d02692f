/** A desk with one shared document on it: its wire is answered by hand. */

import { SharedDoc } from "../src/sync/document";
import { emptyMemory, type Memory } from "../src/sync/engine";
import type { Notice } from "../src/sync/types";
import type { Code, Commit, DocFetch, Operation, OpSubmit } from "../src/wire/generated";
import { ack, Clock, committed, DOCUMENT, Log, refusal, rest } from "./syncworld";

export const ME = "ada00000";
export const create = (id: string, props = {}): Operation => ({ op: "create", id, props });
export const set = (id: string, value: unknown, key = "x"): Operation => ({
  op: "set",
  id,
  path: [key],
  value,
});

/** One document, whose wire is answered by hand. */
export class Desk {
  readonly log = new Log();
  readonly clock = new Clock();
  readonly sent: (OpSubmit | DocFetch)[] = [];
  readonly notices: Notice[] = [];
  readonly changed: string[][] = [];
  readonly saved: Memory[] = [];
  readonly revisions: number[] = [];
  snapshots = 0;
  slowSave: Promise<void> | null = null;
  doc: SharedDoc;
  private others = 0;

  constructor(memory: Memory = emptyMemory(ME)) {
    this.doc = new SharedDoc(DOCUMENT, memory, {
      now: () => this.clock.at,
      random: () => 0.5,
      after: (ms, call) => this.clock.after(ms, call),
      send: (message) => this.sent.push(JSON.parse(JSON.stringify(message))) > 0,
      snapshot: async () => {
        this.snapshots += 1;
        return this.log.snapshot();
      },
      save: async (kept) => {
        this.saved.push(kept);
        await this.slowSave;
      },
    });
    this.doc.onNotice((notice) => this.notices.push(notice));
    this.doc.onChange((ids) => this.changed.push([...ids]));
    this.doc.onCommit(({ revision }) => this.revisions.push(revision));
  }

  /** Opened, in the room, and up to date. */
  async open(): Promise<this> {
    this.doc.open();
    this.doc.connected();
    await rest();
    this.answerFetch();
    return this;
  }

  get submits(): OpSubmit[] {
    return this.sent.filter((message) => message.type === "op.submit");
  }

  get fetches(): DocFetch[] {
    return this.sent.filter((message) => message.type === "doc.fetch");
  }

  answerFetch(): void {
    const fetch = this.fetches.at(-1);
    if (fetch) this.doc.receive(this.log.page(fetch, 500));
  }

  /** Commits what was submitted last, without telling. */
  commit(): Commit {
    const submit = this.submits.at(-1) as OpSubmit;
    const commit = this.log.submit(submit, "ada");
    if (typeof commit === "string") throw new Error(commit);
    return commit;
  }

  async acknowledge(): Promise<Commit> {
    await this.clock.pass(200);
    const commit = this.commit();
    this.doc.receive(ack(commit, this.submits.at(-1)?.id ?? null));
    await rest();
    return commit;
  }

  refuse(code: Code): void {
    this.doc.receive(refusal(this.submits.at(-1) as OpSubmit, code));
  }

  /** Somebody else's commit, without telling. */
  foreign(operations: Operation[], base = this.log.head): Commit {
    this.others += 1;
    const submit = {
      type: "op.submit",
      document_id: DOCUMENT,
      client: "bob00000",
      seq: this.others,
      base,
    } as const;
    return this.log.submit({ ...submit, operations }, "bob") as Commit;
  }

  hear(...commits: Commit[]): void {
    this.doc.receive(committed(commits, Math.max(...commits.map(({ revision }) => revision))));
  }

  value(id: string, key = "x"): unknown {
    return this.doc.entities.get(id)?.props[key];
  }
}

/** A desk with one entity in the log. */
export async function withLamp(): Promise<Desk> {
  const desk = new Desk();
  desk.foreign([create("bob00000.1", { x: 0, text: "hello" })]);
  return desk.open();
}
export const LAMP = "bob00000.1";
