/** Three people, a bad network, reloads: everybody ends with the same document, and every edit is in the log once. */

import { describe, expect, it } from "vitest";
import { applyAll } from "../src/ot/apply";
import { canonicalState } from "../src/ot/canonical";
import type { Entity } from "../src/ot/state";
import { SharedDoc } from "../src/sync/document";
import type { Engine } from "../src/sync/engine";
import { Keeper, type Kept, type Store } from "../src/sync/keeping";
import type { Code, DocFetch, Operation, OpSubmit, ServerMessage } from "../src/wire/generated";
import { ack, Clock, committed, DOCUMENT, Log, refusal, rest, seeded } from "./syncworld";

const LEDGER = "ledger00.1";

class MemoryStore implements Store {
  readonly kept = new Map<string, string>();

  async list(): Promise<Kept[]> {
    return [...this.kept.values()].map((text) => JSON.parse(text));
  }

  async put(kept: Kept): Promise<void> {
    this.kept.set(kept.client, JSON.stringify(kept));
  }

  async drop(_: string, client: string): Promise<void> {
    this.kept.delete(client);
  }
}

class Room {
  readonly log = new Log();
  readonly clock = new Clock();
  readonly people: Person[] = [];
  calm = false;

  constructor(readonly random: () => number) {}

  chance(share: number): boolean {
    return !this.calm && this.random() < share;
  }

  delay(): number {
    return this.calm ? 10 : this.random() * (this.random() < 0.1 ? 6000 : 300);
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)] as T;
  }

  tellAll(from: number): void {
    const commits = this.log.commits.slice(from);
    const parts = this.random() < 0.5 ? [commits] : commits.map((commit) => [commit]);
    for (const person of this.people) {
      for (const part of parts) person.tell(committed(this.chance(0.1) ? [] : part, this.log.head));
    }
  }
}

class Person {
  doc: SharedDoc;
  expected = 0;
  private readonly refused = new Set<number>();
  private connection = 0;
  private connected = false;
  private readonly store = new MemoryStore();

  constructor(
    private readonly room: Room,
    readonly name: string,
  ) {
    const client = name.padEnd(8, "0");
    this.doc = this.make({ client, nextSeq: 1, base: null, inFlight: null, buffer: [] });
  }

  private make(memory: ConstructorParameters<typeof SharedDoc>[1]): SharedDoc {
    const { room } = this;
    const keeper = new Keeper(this.store, DOCUMENT, this.name, memory, true, () => {});
    const doc = new SharedDoc(DOCUMENT, memory, {
      now: () => room.clock.at,
      random: room.random,
      after: (ms, call) => room.clock.after(ms, call),
      send: (message) => this.send(message),
      snapshot: async () => {
        if (room.chance(0.3)) throw { code: "network" };
        return room.log.snapshot(
          Math.max(1, room.log.head - (room.calm ? 0 : Math.floor(room.random() * 8))),
        );
      },
      save: (kept) => keeper.save(kept),
    });
    doc.onNotice((notice) => {
      if (notice.kind !== "rejected") return;
      for (const operation of notice.operations) {
        if (operation.op === "add" && operation.id === LEDGER) this.expected -= operation.by;
      }
    });
    watch((doc as unknown as { engine: Engine }).engine);
    doc.open();
    return doc;
  }

  connect(): void {
    this.connection += 1;
    this.connected = true;
    this.doc.connected();
  }

  drop(): void {
    this.connection += 1;
    this.connected = false;
    this.doc.disconnected();
  }

  async reload(): Promise<void> {
    await rest();
    this.doc.dispose();
    this.connection += 1;
    this.connected = false;
    const { client } = this.doc;
    const text = this.store.kept.get(client);
    const nextSeq = this.engine.memory().nextSeq;
    this.doc = this.make(
      text ? JSON.parse(text) : { client, nextSeq, base: null, inFlight: null, buffer: [] },
    );
  }

  get engine(): Engine {
    return (this.doc as unknown as { engine: Engine }).engine;
  }

  tell(message: ServerMessage): void {
    const { connection, room } = this;
    if (!this.connected || room.chance(0.15)) return;
    const text = JSON.stringify(message);
    for (let copies = room.chance(0.15) ? 2 : 1; copies > 0; copies -= 1) {
      room.clock.after(room.delay(), () => {
        if (connection === this.connection) this.doc.receive(JSON.parse(text));
      });
    }
  }

  /** What was sent may still reach the server after the connection is gone. */
  private send(message: OpSubmit | DocFetch): boolean {
    const { room } = this;
    if (!this.connected) return false;
    const text = JSON.stringify(message);
    expect(text.length).toBeLessThan(32_768);
    if (room.chance(0.1)) return true;
    for (let copies = room.chance(0.1) ? 2 : 1; copies > 0; copies -= 1) {
      room.clock.after(room.delay(), () => this.arrived(JSON.parse(text)));
    }
    return true;
  }

  private arrived(message: OpSubmit | DocFetch): void {
    const { room } = this;
    if (message.type === "doc.fetch") {
      if (room.chance(0.1)) this.tell(problem(message.id ?? "", "rate.limited"));
      else this.tell(room.log.page(message, room.calm ? 500 : 7));
      return;
    }
    const refuse = (code: Code): void => this.tell(refusal(message, code));
    if (room.chance(0.05)) {
      refuse("upstream.unavailable");
      return;
    }
    const known = room.log.commits.some(
      ({ client, seq }) => client === message.client && seq === message.seq,
    );
    // A transaction that is refused for good is refused every time: the lock does not go away.
    if (!known && room.chance(0.02)) this.refused.add(message.seq);
    if (this.refused.has(message.seq)) {
      refuse("lock.held");
      return;
    }
    const head = room.log.head;
    const answer = room.log.submit(message, this.name);
    if (typeof answer === "string") {
      refuse(answer);
      return;
    }
    // Committed, but it looks to the client as if it was not.
    if (room.chance(0.05)) refuse("internal");
    else this.tell(ack(answer, message.id ?? null));
    if (room.log.head > head) room.tellAll(head);
  }

  ledger(): number {
    const { props } = this.doc.entities.get(LEDGER) ?? { props: {} };
    return Number((props as Record<string, unknown>)[this.name] ?? 0);
  }

  act(): void {
    const before = this.ledger();
    const what = this.room.random();
    if (what < 0.12) this.doc.undo();
    else if (what < 0.2) this.doc.redo();
    else this.doc.edit(this.edit());
    this.expected += this.ledger() - before;
  }

  private edit(): Operation[] {
    const { room } = this;
    const operations: Operation[] = [{ op: "add", id: LEDGER, path: [this.name], by: 1 }];
    const ids = [...this.doc.entities.keys()].filter((id) => id !== LEDGER);
    for (let count = Math.floor(room.random() * 3); count >= 0; count -= 1) {
      operations.push(this.operation(ids));
    }
    return operations;
  }

  private operation(ids: string[]): Operation {
    const { room } = this;
    const id = ids.length > 0 ? room.pick(ids) : null;
    const what = Math.floor(room.random() * 9);
    if (id === null || what === 0)
      return { op: "create", id: this.doc.newId(), props: { n: 1, text: "abc" } };
    const path = room.pick([["a"], ["a", "b"], ["n"], ["text"]]);
    if (what === 1) return { op: "set", id, path, value: room.pick([1, "x", "long text", { b: 2 }]) };
    if (what === 2) return { op: "set", id, path, absent: true };
    if (what === 3) return { op: "add", id, path: room.pick([["n"], ["a", "b"]]), by: 1 };
    if (what === 4)
      return { op: "move", id, parent: room.pick([null, ...ids.filter((one) => one !== id)]), order: "M" };
    if (what === 5) return { op: room.pick(["delete", "restore"] as const), id };
    // Not every edit fits the text that it meets.
    const edit = room.pick([["+"], [1, "in"], [{ d: 1 }], [2, "x", { d: 2 }]]);
    return { op: "text", id, path: room.pick([["text"], ["a"]]), edit };
  }

  /** The view is what it should be: confirmed, and then what is pending. */
  check(): void {
    const { engine } = this;
    const entities = new Map<string, Entity>();
    const confirmed = (engine as unknown as { confirmed: Map<string, Entity> }).confirmed;
    for (const [id, entity] of confirmed) entities.set(id, entity);
    applyAll(entities, engine.pending);
    expect(canonicalState(engine.view)).toBe(canonicalState(entities));
  }
}

/** The editor had made of its transaction what the log made of it. */
function watch(engine: Engine): void {
  const take = engine.take.bind(engine);
  engine.take = (commit, changed) => {
    const mine = engine.inFlight;
    const taken = take(commit, changed);
    if (taken.acknowledged) expect(mine?.operations).toEqual(commit.operations);
    return taken;
  };
}

function problem(id: string, code: Code): ServerMessage {
  return { type: "error", id, code, message: code, correlation_id: "c", retry_after_ms: 50 };
}

async function play(seed: number, rounds: number): Promise<void> {
  const room = new Room(seeded(seed));
  room.log.submit(
    {
      type: "op.submit",
      document_id: DOCUMENT,
      client: "ledger00",
      seq: 1,
      base: 0,
      operations: [{ op: "create", id: LEDGER }],
    },
    "ledger",
  );
  if (seed % 3 === 0) room.log.rebaseMost = 6;
  for (const name of ["ada", "bob", "cyd"]) room.people.push(new Person(room, name));
  await room.clock.pass(room.delay());
  for (let round = 0; round < rounds; round += 1) {
    const person = room.pick(room.people);
    const what = room.random();
    if (what < 0.08) person.connect();
    else if (what < 0.12) person.drop();
    else if (what < 0.15) await person.reload();
    else if (person.doc.state !== "loading") person.act();
    await room.clock.pass(room.random() < 0.3 ? room.delay() : room.random() * 60);
    person.check();
  }
  room.calm = true;
  for (const person of room.people) person.connect();
  for (let wait = 0; wait < 40; wait += 1) {
    await room.clock.pass(5000);
    if (room.people.every(({ doc }) => doc.unsynced === 0 && doc.state === "synced")) break;
  }
  await room.clock.pass(20_000);
  const final = canonicalState(room.log.state());
  const { commits } = room.log;
  expect(new Set(commits.map(({ client, seq }) => `${client} ${seq}`)).size).toBe(commits.length);
  for (const person of room.people) {
    expect(person.doc.state).toBe("synced");
    expect(person.doc.revision).toBe(room.log.head);
    expect(canonicalState(person.doc.entities)).toBe(final);
    expect(`${person.name} ${person.ledger()}`).toBe(`${person.name} ${person.expected}`);
  }
  const created = commits.flatMap(({ operations }) => operations.filter(({ op }) => op === "create"));
  expect(new Set(created.map(({ id }) => id)).size).toBe(created.length);
}

describe("three editors on a bad network", () => {
  const first = Number(process.env.HOLODECK_SEED ?? 1);
  const count = Number(process.env.HOLODECK_SEEDS ?? 60);
  for (let seed = first; seed < first + count; seed += 1) {
    it(`converge and lose nothing (seed ${seed})`, () => play(seed, 120));
  }
});
