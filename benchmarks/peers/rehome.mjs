/**
 * `node rehome.mjs URL RATE SECONDS`: 50 participants move at 20 Hz and edit, RATE a second in all; the media node is killed.
 *
 * Prints LOADED, reads the process ids to kill from its standard input, kills them with SIGKILL, goes on for so long, then
 * holds what was acknowledged against the log. Each client does as the page: what it hears nothing from any more it leaves,
 * goes on by WebSocket, and asks for the next. Prints a line of JSON.
 */

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { documentOf } from "./document.mjs";
import { counterOf, eachEntry } from "./frames.mjs";
import { audit } from "./ledger.mjs";
import { call, enter, guest, room } from "./people.mjs";
import { Relayed } from "./relayed.mjs";
import { CLIENTS, idOf, percentile, positionOf, randomOf } from "./scene.mjs";

const [url, ...numbers] = process.argv.slice(2);
const [rate, seconds] = numbers.map(Number);
const HZ = 20;
const FALLBACK_MS = 200; // DESIGN law 2: at most 5 Hz by WebSocket
const SUBMIT_EVERY_MS = 40;
const SUBMIT_SLOWLY_MS = 100; // by WebSocket
const SILENT_MS = 2500; // web/src/peers/relay.ts
const ENTITIES_EACH = 4;
const WARM_UP_S = 5;
const DRAIN_S = 30;
const EPOCH = Date.now();

const random = randomOf(20261126);
const acked = [];
const ackAges = [];
const people = [];
const numberOf = new Map();
const commits = [];
const mark = { at: null, counters: [] };
const known = { any: new Map(), relay: new Map() };
const reached = { any: null, relay: null };

/** Whether everybody knows of everybody what was newest when the node was killed, or newer. */
function noted(by, listener, who, counter) {
  if (mark.at === null || reached[by] !== null || listener === who || counter < mark.counters[who]) return;
  known[by].set(listener * CLIENTS + who, counter);
  if (known[by].size === CLIENTS * (CLIENTS - 1)) reached[by] = performance.now();
}

class Participant {
  constructor(number) {
    Object.assign(this, { number, counter: 0, heardAt: 0, toldAt: 0, edits: 0 });
  }

  async come(session, revision) {
    const early = [];
    this.document = documentOf(
      { document_id: session.replace("ses_", "doc_"), revision, submit_every_ms: SUBMIT_EVERY_MS },
      this.number,
      { sent: () => {}, seen: () => {}, acked: (edits, rejected, at) => this.acked(edits, rejected, at) },
      { say: (message) => this.relayed.control(message) || this.entered.say(message), byCommit: true },
    );
    this.entered = await enter(url, this.person, session, `tab${String(this.number).padStart(5, "0")}`, {
      epoch: EPOCH,
      hear: (message) => (this.relayed ? this.hear(message) : early.push(message)),
    });
    numberOf.set(this.entered.peerId, this.number);
    this.ready = new Promise((opened) => {
      this.relayed = new Relayed(this.entered.say, {
        opened: () => {
          this.heardAt = performance.now();
          this.document.again(SUBMIT_EVERY_MS);
          opened();
        },
        frame: (bytes) => this.frame(bytes),
        heard: (message) => {
          this.heardAt = performance.now();
          this.document.hear(message);
        },
      });
      for (const message of early) this.hear(message);
    });
  }

  hear(message) {
    this.relayed.hear(message);
    this.document.hear(message);
    if (message.type === "doc.commits" && this.reading) this.reading(message);
    if (message.type !== "presence.frame") return;
    for (const { peer_id, counter } of message.states ?? [])
      if (numberOf.has(peer_id)) noted("any", this.number, numberOf.get(peer_id), counter);
  }

  frame(bytes) {
    this.heardAt = performance.now();
    eachEntry(bytes, (index, low) => {
      const who = numberOf.get(this.relayed.members.get(index));
      if (who === undefined) return;
      const counter = counterOf(low, people[who].counter);
      for (const by of ["any", "relay"]) noted(by, this.number, who, counter);
    });
  }

  /** Each 50 ms. */
  move(now) {
    if (this.relayed.open && now - this.heardAt > SILENT_MS) this.relayed.lost();
    if (this.carried && !this.relayed.open) this.document.again(SUBMIT_SLOWLY_MS);
    this.carried = this.relayed.open;
    if (!this.relayed.open && now - this.toldAt < FALLBACK_MS) return;
    this.counter += 1;
    const pose = { position: positionOf(random), rotation: [0, 0, 0, 1] };
    const update = { type: "presence.update", epoch: EPOCH, counter: this.counter, state: { pose } };
    if (this.relayed.presence(update)) return;
    this.toldAt = now;
    this.entered.say(update);
  }

  edit(at) {
    this.edits += 1;
    this.document.set(idOf(this.number * ENTITIES_EACH + (this.edits % ENTITIES_EACH)), positionOf(random), { at });
  }

  acked(edits, rejected, at) {
    if (rejected) return;
    acked.push(at);
    for (const edit of edits) ackAges.push(performance.now() - edit.at);
  }

  /** The log since a revision, whole, by WebSocket. */
  async read(document_id, since) {
    for (let from = since, head = Infinity; from < head; ) {
      const page = await new Promise((resolve) => {
        this.reading = (message) => message.since === from && resolve(message);
        this.entered.say({ type: "doc.fetch", document_id, since: from });
      });
      commits.push(...page.commits);
      head = page.head;
      from = page.commits.at(-1)?.revision ?? head;
    }
  }
}

for (let n = 0; n < CLIENTS; n += 1) {
  people.push(new Participant(n));
  people[n].person = await guest(url, `Person ${n}`);
}
const session = await room(url, people[0].person, CLIENTS);
const document_id = session.replace("ses_", "doc_");
const operations = Array.from({ length: CLIENTS * ENTITIES_EACH }, (_, n) => ({
  op: "create",
  id: `scene001.${idOf(n)}`,
  props: { position: [0, 0, 0] },
}));
const made = await call(url, "POST", `/documents/${document_id}/operations`, people[0].person.token, {
  client: "scene001",
  seq: 1,
  base: 0,
  operations,
});
const { revision } = made.operation;
for (const one of people) await one.come(session, revision);
await Promise.all(people.map(({ ready }) => ready));

let editing = true;
const ticks = setInterval(() => people.forEach((one) => one.move(performance.now())), 1000 / HZ);
setInterval(() => people.forEach(({ entered }) => entered.say({ type: "ping" })), 15_000).unref();
const arriving = (async () => {
  let due = performance.now();
  while (editing) {
    for (; due <= performance.now(); due += (-Math.log(1 - random()) * 1000) / rate)
      people[Math.floor(random() * CLIENTS)].edit(due);
    await sleep(Math.max(0, due - performance.now()));
  }
})();

await sleep(WARM_UP_S * 1000);
console.log("LOADED");
const [line] = await new Promise((resolve) => createInterface(process.stdin).on("line", (text) => resolve([text])));
const before = people.map(({ relayed }) => relayed.relay.generation);
for (const pid of line.split(" ")) process.kill(Number(pid), "SIGKILL");
mark.counters = people.map(({ counter }) => counter);
mark.at = performance.now();
ackAges.length = 0;
await sleep(seconds * 1000);
editing = false;
await arriving;
for (let waited = 0; waited < DRAIN_S && people.some(({ document }) => !document.idle); waited += 0.1) await sleep(100);
clearInterval(ticks);
await people[0].read(document_id, revision);

const since = (at) => (at === null ? -1 : (at - mark.at) / 1000);
console.log(
  JSON.stringify({
    rehome_s: since(reached.relay),
    last_known_s: since(reached.any),
    rehomed: people.filter(({ relayed }, n) => relayed.open && relayed.relay.generation > before[n]).length,
    ack_p50_ms: percentile(ackAges, 50),
    ack_longest_s: Math.max(0, ...ackAges) / 1000,
    unfinished: people.filter(({ document }) => !document.idle).length,
    ...audit(acked, commits),
  }),
);
process.exit(0);
