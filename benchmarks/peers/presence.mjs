/**
 * 20 Hz of poses and cursors from 50 participants in this one process.
 *
 * node presence.mjs relay|star URL SECONDS WARM_UP_S [LOSS RTT_MS]
 *
 * `relay` goes by WebRTC to a room's media node; `star` by WebSocket and JSON to star.mjs, which merges as the node does.
 * An age is from the moment a state is handed to the stack to the moment the frame with it is read at another. Prints
 * WINDOW_START, WINDOW_END and a line of JSON.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { eachEntry, headOf, placeAt } from "./frames.mjs";
import { lossy } from "./lossy.mjs";
import { Meter } from "./meter.mjs";
import { enter, guest, room } from "./people.mjs";
import { Relayed } from "./relayed.mjs";
import { positionOf, randomOf } from "./scene.mjs";

const [kind, url, ...numbers] = process.argv.slice(2);
const [seconds, warmUp, loss, rttMs] = numbers.map(Number);
const PEOPLE = Number(process.env.PEOPLE ?? 50);
const HZ = Number(process.env.HZ ?? 20);
const SETTLE_S = 3;
const REPEATS_AFTER_MS = [150, 450]; // the last state, for a channel may lose it (web/src/peers/teller.ts)
const AT_ONCE = 10; // come in together: far away, each needs a second
const EPOCH = Date.now();

const meter = new Meter(PEOPLE);
const random = randomOf(20261126);
const network = lossy({ loss, rttMs });
const turn = [0, 0, 0, 1];

const stateOf = (position) => ({
  pose: { position, rotation: turn },
  cursor: { position: position.map((each) => each + 1), rotation: turn },
});

async function byRelay() {
  const people = [];
  for (let n = 0; n < PEOPLE; n += 1) people.push(await guest(url, `Person ${n}`));
  const session = await room(url, people[0], PEOPLE);
  const numberOf = new Map(); // peer id -> participant
  const enterRoom = async (listener) => {
    let opened;
    const open = new Promise((resolve) => {
      opened = resolve;
    });
    let relayed = null;
    const early = [];
    const hear = (message) => (relayed ? relayed.hear(message) : early.push(message));
    const { peerId, say } = await enter(url, people[listener], session, `tab${String(listener).padStart(5, "0")}`, {
      hear,
      epoch: EPOCH,
    });
    numberOf.set(peerId, listener);
    relayed = new Relayed(say, {
      opened,
      heard: (message) => message.type === "error" && process.stderr.write(`${message.code}\n`),
      through: network.through,
      frame(bytes) {
        const now = performance.now();
        meter.framed(bytes.length, listener, headOf(bytes)?.tick);
        eachEntry(bytes, (index, low, poseAt, wide) => {
          const who = numberOf.get(relayed.members.get(index));
          if (who !== undefined)
            meter.seen(listener, who, low, poseAt < 0 ? null : placeAt(bytes, poseAt, wide), now);
        });
      },
    });
    for (const message of early) relayed.hear(message);
    setInterval(() => say({ type: "ping" }), 15_000).unref();
    return { open, send: (message) => relayed.presence(message) };
  };
  const senders = [];
  while (senders.length < PEOPLE) {
    const few = Array.from({ length: Math.min(AT_ONCE, PEOPLE - senders.length) }, (_, n) => senders.length + n);
    senders.push(...(await Promise.all(few.map(enterRoom))));
  }
  await Promise.all(senders.map(({ open }) => open)); // the first wait until there are enough for a media node
  return senders.map(({ send }) => send);
}

async function byStar() {
  const senders = [];
  for (let listener = 0; listener < PEOPLE; listener += 1) {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    socket.on("message", (data) => {
      const now = performance.now();
      meter.framed(data.length, listener, now);
      for (const { id, counter, state } of JSON.parse(data)) meter.seen(listener, id, counter, state.pose.position, now);
    });
    senders.push(({ counter, state }) => socket.send(JSON.stringify({ id: listener, counter, state })));
  }
  return senders;
}

let stopped = false;
async function move(who, send) {
  let due = performance.now() + (random() * 1000) / HZ;
  let update = null;
  while (!stopped) {
    await sleep(Math.max(0, due - performance.now()));
    const position = positionOf(random);
    const counter = meter.sends(who, position, performance.now());
    update = { type: "presence.update", epoch: EPOCH, counter, state: stateOf(position) };
    send(update);
    due += 1000 / HZ;
  }
  for (const laterMs of REPEATS_AFTER_MS) {
    await sleep(laterMs);
    send(update);
  }
}

const senders = await (kind === "relay" ? byRelay() : byStar());
console.log("ENTERED");
const moving = senders.map((send, who) => move(who, send));
await sleep(warmUp * 1000);
meter.recording = true;
const from = performance.now();
console.log("WINDOW_START");
await sleep(seconds * 1000);
meter.recording = false;
const measured = (performance.now() - from) / 1000;
console.log("WINDOW_END");
stopped = true;
await Promise.all(moving);
await sleep(SETTLE_S * 1000);
console.log(JSON.stringify(meter.figures(measured)));
network.close();
process.exit(0);
