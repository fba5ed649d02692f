/**
 * `node join.mjs URL SITTING JOINS`: how long it takes to come into a room that so many sit in, one after the other.
 *
 * Timed from the POST that takes the seat to the first presence frame of the media node that names somebody, and to the
 * first that comes by WebSocket. Who came leaves again. Prints a line of JSON.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { eachEntry } from "./frames.mjs";
import { call, enter, guest, room } from "./people.mjs";
import { Relayed } from "./relayed.mjs";
import { percentile } from "./scene.mjs";

const [url, ...numbers] = process.argv.slice(2);
const [sitting, joins] = numbers.map(Number);
const HZ = 10;
const PATIENCE_MS = 20_000;
const STEPS = ["entered", "answered", "opened", "relay", "websocket"];

const state = { pose: { position: [0, 1.6, 0], rotation: [0, 0, 0, 1] } };

/** Comes in; resolves with when what had happened, in ms from the seat on, and how to leave. */
async function come(person, session, tab) {
  const started = performance.now();
  const steps = {};
  let told;
  const all = new Promise((resolve) => {
    told = resolve;
  });
  const step = (name) => {
    steps[name] ??= performance.now() - started;
    if (STEPS.every((each) => each in steps)) told();
  };
  let relayed = null;
  const early = [];
  const epoch = Date.now();
  const entered = await enter(url, person, session, tab, {
    epoch,
    hear(message) {
      if (message.type === "presence.frame" && message.full) step("websocket");
      if (message.type === "peer.answer") step("answered");
      if (relayed) relayed.hear(message);
      else early.push(message);
    },
  });
  step("entered");
  let counter = 0;
  const move = () => relayed.presence({ type: "presence.update", epoch, counter: (counter += 1), state });
  relayed = new Relayed(entered.say, {
    heard: () => {},
    opened: () => {
      step("opened");
      move();
    },
    frame: (bytes) => eachEntry(bytes, (index) => relayed.members.has(index) && step("relay")),
  });
  for (const message of early) relayed.hear(message);
  return { all, steps, move, entered, leave: () => (relayed.close(), entered.close()) };
}

const owner = await guest(url, "Owner");
const session = await room(url, owner, sitting + joins);
const seated = [];
for (let n = 0; n < sitting; n += 1) {
  const person = n === 0 ? owner : await guest(url, `Sitting ${n}`);
  const one = await come(person, session, `tab${String(n).padStart(5, "0")}`);
  seated.push(one);
}
for (const [n, one] of seated.entries()) await within(one.all, `sitting ${n}`, one.steps);
setInterval(() => seated.forEach(({ move }) => move()), 1000 / HZ);
setInterval(() => seated.forEach(({ entered }) => entered.say({ type: "ping" })), 15_000);

const found = Object.fromEntries(STEPS.map((name) => [name, []]));
for (let n = 0; n < joins; n += 1) {
  const person = await guest(url, `Coming ${n}`);
  const one = await come(person, session, `new${String(n).padStart(5, "0")}`);
  await within(one.all, `coming ${n}`, one.steps);
  for (const name of STEPS) found[name].push(one.steps[name]);
  one.leave();
  await call(url, "POST", `/sessions/${session}/leave`, person.token, {});
  await sleep(50);
}

function within(promise, who, steps) {
  const late = sleep(PATIENCE_MS).then(() => {
    throw new Error(`${who} got no further than ${JSON.stringify(steps)}`);
  });
  return Promise.race([promise, late]);
}

const figures = { joins };
for (const [name, values] of Object.entries(found))
  for (const p of [50, 99]) figures[`${name}_p${p}_ms`] = percentile(values, p);
console.log(JSON.stringify(figures));
process.exit(0);
