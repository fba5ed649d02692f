/**
 * A client of ShareDB, as light as its protocol allows: it keeps the version and not the scene, so that 50 of them in one
 * process don't hold the server up. Like ShareDB's own client it has one message in flight and composes what waits.
 */

import json0 from "ot-json0";
import json1 from "ot-json1";
import { WebSocket } from "ws";

const DOCUMENT = { c: "scenes", d: "one" };
const BUILD = {
  json0: (id, position) => [{ p: [id, "position"], od: [0, 0, 0], oi: position }],
  json1: (id, position) => json1.replaceOp([id, "position"], true, position),
};
const COMPOSE = { json0: json0.type.compose, json1: json1.type.compose };

/** Connects and subscribes; `events` are acked(edits, rejected) and seen(client, key). Keys name messages. */
export function connectTo(type) {
  return (port, index, events) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
      const say = (message) => socket.send(JSON.stringify(message));
      let src = "";
      let version = 0;
      let seq = 1;
      let flying = null;
      let waiting = null;

      const send = () => {
        if (flying || !waiting) return;
        flying = waiting;
        waiting = null;
        for (const edit of flying.edits) events.sent(`${src}/${seq}`, edit);
        say({ a: "op", ...DOCUMENT, v: version, src, seq, x: {}, op: flying.op });
        seq += 1;
      };
      const landed = (rejected) => {
        const { edits } = flying;
        flying = null;
        events.acked(edits, rejected);
        send();
      };
      const client = {
        set(id, position, edit) {
          const op = BUILD[type](id, position);
          if (waiting) {
            waiting.op = COMPOSE[type](waiting.op, op);
            waiting.edits.push(edit);
          } else waiting = { op, edits: [edit] };
          send();
        },
        close: () => socket.terminate(),
      };

      socket.on("error", reject);
      socket.on("open", () => say({ a: "hs", id: null, protocol: 1, protocolMinor: 2 }));
      socket.on("message", (data) => {
        const message = JSON.parse(data);
        if (message.a === "op") {
          if (message.error) landed(true);
          else {
            version = Math.max(version, message.v + 1);
            if (message.src === src) landed(false);
            else events.seen(index, `${message.src}/${message.seq}`);
          }
        } else if (message.a === "hs") {
          src = message.id;
          say({ a: "s", ...DOCUMENT });
        } else if (message.a === "s") {
          version = message.data.v;
          resolve(client);
        }
      });
    });
}
