/**
 * Holodeck's document on the WebSocket, and on the relay: there by WebRTC to the room's media node. HOLODECK_ROOM names a
 * file with the document, and each one's handshake, token and tab.
 */

import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { documentOf } from "./document.mjs";
import { connectable } from "./people.mjs";
import { Relayed } from "./relayed.mjs";

const PING_MS = 15_000;

function socketTo(handshake, hear) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(handshake, { perMessageDeflate: false });
    const say = (message) => socket.send(JSON.stringify(message));
    socket.on("error", reject);
    socket.on("open", () => say({ type: "room.enter", protocol: 1, epoch: 1 }));
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.type === "room.state") resolve({ socket, say, state: message });
      hear(message);
    });
    setInterval(() => say({ type: "ping" }), PING_MS).unref();
  });
}

export function connectTo() {
  const room = JSON.parse(readFileSync(process.env.HOLODECK_ROOM, "utf8"));
  return async (_port, index, events) => {
    let say = null;
    const document = documentOf(room, index, events, { say: (message) => say(message) });
    const entered = await socketTo(room.handshakes[index], (message) => document.hear(message));
    say = entered.say;
    return { set: document.set, close: () => entered.socket.terminate() };
  };
}

export function connectByRelay() {
  const room = JSON.parse(readFileSync(process.env.HOLODECK_ROOM, "utf8"));
  return async (_port, index, events) => {
    let relayed = null;
    const document = documentOf(room, index, events, { say: (message) => relayed.control(message), byCommit: true });
    const entered = await socketTo(room.handshakes[index], (message) => {
      relayed?.hear(message);
      document.hear(message); // a function that still commits for the document answers here
    });
    const { url, session_id, people } = room;
    connectable(url, people[index].token, session_id, people[index].tab_id);
    const ready = new Promise((opened) => {
      relayed = new Relayed(entered.say, { opened, frame: () => {}, heard: (message) => document.hear(message) });
      relayed.hear(entered.state);
      if (relayed.relay.status !== "ready") relayed.ask("count");
    });
    return { set: document.set, ready, close: () => entered.socket.terminate() };
  };
}
