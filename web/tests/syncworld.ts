/** A simulated log with a bad network, in virtual time: what shared documents are tested against. */

import { applyAll } from "../src/ot/apply";
import type { Entity } from "../src/ot/state";
import { rebase } from "../src/ot/transform";
import type {
  Code,
  Commit,
  DocFetch,
  Operation,
  OpSubmit,
  ServerMessage,
  Snapshot,
} from "../src/wire/generated";

export const DOCUMENT = "doc_00000000000000000000";

/** Numbers in [0, 1) that a seed decides. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A clock that is turned by hand. */
export class Clock {
  at = 1_000_000;
  private timers: { at: number; order: number; call: () => void }[] = [];
  private order = 0;

  after(ms: number, call: () => void): () => void {
    this.order += 1;
    const timer = { at: this.at + ms, order: this.order, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  async pass(ms: number): Promise<void> {
    const until = this.at + ms;
    await rest();
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= until);
      due.sort((one, other) => one.at - other.at || one.order - other.order);
      const [first] = due;
      if (!first) break;
      this.timers = this.timers.filter((other) => other !== first);
      this.at = Math.max(this.at, first.at);
      first.call();
      await rest();
    }
    this.at = until;
  }
}

/** Lets everything that only waits for promises happen. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}

/** Mirrors chalicelib/ot/commit.py. */
export function settle(submit: OpSubmit, userId: string, tail: readonly Commit[], revision: number): Commit {
  let left = [...submit.operations] as (Operation | null)[]; // this page sends no sugar
  const dropped: Commit["dropped"] = {};
  const overridden = new Map<string, NonNullable<Commit["overridden"]>[number]>();
  const conflicts: number[] = [];
  for (const entry of tail) {
    const rebased = rebase(left, entry.operations, entry.revision, entry.client !== submit.client);
    left = rebased.operations;
    for (const [index, why] of rebased.dropped) dropped[index] = why;
    if (rebased.met.length > 0) conflicts.push(entry.revision);
    for (const { otherIndex, register, overrides } of rebased.met) {
      const entity = entry.operations[otherIndex]?.id ?? "";
      const key = JSON.stringify([entry.revision, entity, register]);
      if (overrides)
        overridden.set(key, { revision: entry.revision, user_id: entry.user_id, entity, register });
    }
  }
  return {
    revision,
    client: submit.client,
    seq: submit.seq,
    user_id: userId,
    at_ms: 0,
    base: submit.base,
    operations: left.filter((operation) => operation !== null),
    conflicts_with: conflicts,
    overridden: [...overridden.values()],
    dropped,
  };
}

/** The log and its committer. */
export class Log {
  commits: Commit[] = [];
  rebaseMost = Number.POSITIVE_INFINITY;

  get head(): number {
    return this.commits.length;
  }

  state(revision = this.head): Map<string, Entity> {
    const entities = new Map<string, Entity>();
    for (const commit of this.commits.slice(0, revision)) applyAll(entities, commit.operations);
    return entities;
  }

  snapshot(revision = this.head): Snapshot {
    const entities = Object.fromEntries(this.state(revision)) as Snapshot["entities"];
    const document = {
      document_id: DOCUMENT,
      session_id: "ses_00000000000000000000",
      name: "Scene",
      kind: "scene" as const,
      created_at_ms: 0,
      created_by: "ada",
    };
    return { document, revision, head: this.head, entities };
  }

  submit(submit: OpSubmit, userId: string): Commit | Code {
    if (submit.base > this.head) return "operation.base_ahead";
    if (this.head - submit.base > this.rebaseMost) return "operation.base_too_old";
    const tail = this.commits.slice(submit.base);
    const known = tail.find(({ client, seq }) => client === submit.client && seq === submit.seq);
    if (known) return known;
    if (tail.some(({ client }) => client === submit.client)) return "operation.base_behind_own";
    const commit = settle(submit, userId, tail, this.head + 1);
    this.commits.push(commit);
    return commit;
  }

  page(fetch: DocFetch, most: number): ServerMessage {
    const commits = this.commits.slice(fetch.since, fetch.since + most);
    return {
      type: "doc.commits",
      id: fetch.id ?? null,
      ...about,
      since: fetch.since,
      head: this.head,
      commits,
    };
  }
}

const about = { document_id: DOCUMENT };

export const ack = (operation: Commit, id: string | null = null): ServerMessage => ({
  type: "op.ack",
  id,
  ...about,
  operation,
  transformed: false,
});

export const committed = (commits: readonly Commit[], head: number): ServerMessage => ({
  type: "op.committed",
  ...about,
  head,
  commits,
});

export const refusal = (submit: OpSubmit, code: Code): ServerMessage => ({
  type: "op.rejected",
  id: submit.id ?? null,
  ...about,
  client: submit.client,
  seq: submit.seq,
  code,
  message: code,
  correlation_id: "c",
  operations: submit.operations,
});
