/**
 * Holodeck's document on the WebSocket, and on the relay: there by WebRTC to the room's media node. HOLODECK_ROOM names a
 * file with the document, and who comes to it.
 */

import { readFileSync } from "node:fs";
import { documentOf } from "./document.mjs";
import { enter } from "./people.mjs";
import { Relayed } from "./relayed.mjs";

const PING_MS = 15_000;
const roomOf = () => JSON.parse(readFileSync(process.env.HOLODECK_ROOM, "utf8"));

async function come({ url, session_id, people }, index, options) {
  const entered = await enter(url, people[index], session_id, people[index].tab, options);
  setInterval(() => entered.say({ type: "ping" }), PING_MS).unref();
  return entered;
}

export function connectTo() {
  const room = roomOf();
  return async (_port, index, events) => {
    let say = null;
    const document = documentOf(room, index, events, { say: (message) => say(message) });
    const entered = await come(room, index, { hear: (message) => document.hear(message), rtc: false });
    say = entered.say;
    return { set: document.set, close: entered.close };
  };
}

export function connectByRelay() {
  const room = roomOf();
  return async (_port, index, events) => {
    let relayed = null;
    const document = documentOf(room, index, events, { say: (message) => relayed.control(message), byCommit: true });
    const entered = await come(room, index, {
      hear(message) {
        relayed?.hear(message);
        document.hear(message); // a function that still commits for the document answers here
      },
    });
    const ready = new Promise((opened) => {
      relayed = new Relayed(entered.say, { opened, frame: () => {}, heard: (message) => document.hear(message) });
      relayed.hear(entered.state);
    });
    return { set: document.set, ready, close: entered.close };
  };
}
