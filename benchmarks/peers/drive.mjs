/**
 * The job of a shared scene, from 50 clients in this one process, by WebSocket or (relay) WebRTC.
 *
 * node drive.mjs sharedb-json0|sharedb-json1|yjs|holodeck|relay PORT closed|open RATE SHARED SECONDS WARM_UP_S
 *
 * Closed loop: each client has one edit in flight. Open loop: edits arrive at exponential intervals, RATE a second over
 * all clients, and are timed from when they were to arrive. An edit sets the position of one of the client's own 20
 * entities or, with probability SHARED, of one of 10 that everybody edits. Every client receives every edit; each is
 * timed at one other client; one that was never answered counts with the time it has waited. Prints WINDOW_START, WINDOW_END and a line of JSON.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { connectByRelay, connectTo as connectToHolodeck } from "./holodeck-client.mjs";
import { CLIENTS, HOT, hotId, idOf, OWN, percentile, positionOf, randomOf } from "./scene.mjs";
import { connectTo as connectToShareDB } from "./sharedb-client.mjs";
import { connectTo as connectToYjs } from "./yjs-client.mjs";

const [kind, port, loop, ...numbers] = process.argv.slice(2);
const [rate, shared, seconds, warmUp] = numbers.map(Number);
const DRAIN_S = 3;

const connect = {
  yjs: () => connectToYjs(shared > 0),
  holodeck: () => connectToHolodeck(),
  relay: () => connectByRelay(),
}[kind]?.() ?? connectToShareDB(kind.replace("sharedb-", ""));
const random = randomOf(20261123);
const acks = [];
const others = [];
const watched = new Map();
const clients = [];
let from = Infinity;
let until = Infinity;
let ops = 0;
let arrived = 0;
let acknowledged = 0;
let rejected = 0;
const unacked = new Set();
const unseen = new Set();
let stopped = false;

const events = {
  sent(key, edit) {
    const witness = (edit.client + 1 + Math.floor(random() * (CLIENTS - 1))) % CLIENTS;
    const watch = watched.get(key);
    if (watch) watch.edits.push(edit);
    else watched.set(key, { witness, edits: [edit] });
  },
  seen(client, key) {
    const watch = watched.get(key);
    if (watch?.witness !== client) return;
    watched.delete(key);
    const now = performance.now();
    for (const edit of watch.edits) if (unseen.delete(edit)) others.push(now - edit.at);
  },
  acked(edits, wasRejected) {
    const now = performance.now();
    for (const edit of edits) {
      if (now >= from && now < until) {
        if (wasRejected) rejected += 1;
        else ops += 1;
      }
      if (unacked.delete(edit) && !wasRejected) {
        acknowledged += 1;
        acks.push(now - edit.at);
      }
      if (wasRejected) unseen.delete(edit);
      if (loop === "closed" && !stopped) act(edit.client, now);
    }
  },
};

function act(client, at) {
  const hot = random() < shared;
  const id = hot ? hotId(Math.floor(random() * HOT)) : idOf(client * OWN + Math.floor(random() * OWN));
  const edit = { client, at };
  if (at >= from && at < until) {
    arrived += 1;
    unacked.add(edit);
    unseen.add(edit);
  }
  clients[client].set(id, positionOf(random), edit, hot);
}

async function arrive() {
  let due = performance.now();
  while (!stopped) {
    const now = performance.now();
    while (due <= now && !stopped) {
      act(Math.floor(random() * CLIENTS), due);
      due += (-Math.log(1 - random()) * 1000) / rate;
    }
    await sleep(Math.max(0, due - performance.now()));
  }
}

for (let index = 0; index < CLIENTS; index += 1) clients.push(await connect(Number(port), index, events));
await Promise.all(clients.map(({ ready }) => ready));
if (loop === "closed") for (let index = 0; index < CLIENTS; index += 1) act(index, performance.now());
const arriving = loop === "open" ? arrive() : null;

await sleep(warmUp * 1000);
from = performance.now();
console.log("WINDOW_START");
await sleep(seconds * 1000);
until = performance.now();
console.log("WINDOW_END");
stopped = true;
await arriving;
for (let waited = 0; waited < DRAIN_S && unacked.size + unseen.size > 0; waited += 0.1) await sleep(100);
const end = performance.now();
for (const client of clients) client.close();

for (const edit of unacked) acks.push(end - edit.at);
for (const edit of unseen) others.push(end - edit.at);

console.log(
  JSON.stringify({
    ops,
    seconds: (until - from) / 1000,
    acked_ratio: acknowledged / arrived,
    rejected,
    unfinished: unacked.size,
    ack_p50_ms: percentile(acks, 50),
    ack_p99_ms: percentile(acks, 99),
    op_to_other_p50_ms: percentile(others, 50),
    op_to_other_p99_ms: percentile(others, 99),
  }),
);
process.exit(0);
