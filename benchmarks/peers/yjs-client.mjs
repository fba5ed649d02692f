/**
 * A client of y-websocket that costs 50 of them in one process little. The server's echo is the acknowledgement.
 *
 * An update needs its author's earlier ones and what it replaces, nothing else. So what only one client writes is written
 * in a document that all of them share, each under its own name. What everybody writes, each client writes in a document
 * of its own, under a second name, brought up to date with others' shared updates before each write. The messages are
 * those that Yjs sends.
 */

import { createDecoder, readVarUint, readVarUint8Array } from "lib0/decoding";
import { createEncoder, toUint8Array, writeVarUint } from "lib0/encoding";
import { WebSocket } from "ws";
import { messageYjsSyncStep2, messageYjsUpdate, readSyncMessage, writeSyncStep1, writeUpdate } from "y-protocols/sync";
import * as Y from "yjs";
import { CLIENTS } from "./scene.mjs";
import { entityOf } from "./yscene.mjs";

const SYNC = 0;
const BACKLOG = 1000;

const isShared = (author) => author > CLIENTS;

const message = (write) => {
  const encoder = createEncoder();
  writeVarUint(encoder, SYNC);
  write(encoder);
  return toUint8Array(encoder);
};

/** Who made an update and when, from its first bytes: authors, blocks, author, clock. */
function madeBy(update) {
  const decoder = createDecoder(update);
  readVarUint(decoder);
  readVarUint(decoder);
  return [readVarUint(decoder), readVarUint(decoder)];
}

/** Where clients write: one document, brought up to date before each write. */
class Desk {
  #backlog = [];
  #clocks = new Map();

  doc = new Y.Doc();

  receive(update) {
    if (this.#backlog.push(update) >= BACKLOG) this.#catchUp();
  }

  #catchUp() {
    const updates = this.#backlog;
    this.#backlog = [];
    if (updates.length === 0) return;
    this.doc.transact(() => {
      for (const update of updates) Y.applyUpdate(this.doc, update);
    });
  }

  /** One write by `author`: its key and the update. */
  write(author, id, position) {
    this.#catchUp();
    const clock = this.#clocks.get(author) ?? 0;
    this.#clocks.set(author, clock + 1);
    let update;
    this.doc.clientID = author;
    this.doc.once("update", (made) => {
      update = made;
    });
    entityOf(this.doc, id).set("position", position);
    return [`${author}/${clock}`, update];
  }
}

const own = new Desk();
let filled = false;

/** Connects and fetches the scene; `shares` says whether this client will write what others write. */
export const connectTo = (shares) => (port, index, events) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/scene`, { perMessageDeflate: false });
    const everybodys = shares ? new Desk() : null;
    const names = [index + 1, CLIENTS + index + 1];
    const mine = new Map();

    const client = {
      set(id, position, edit, shared) {
        const [key, update] = (shared ? everybodys : own).write(names[Number(shared)], id, position);
        mine.set(key, edit);
        events.sent(key, edit);
        socket.send(message((encoder) => writeUpdate(encoder, update)));
      },
      close: () => socket.terminate(),
    };
    const updated = (update) => {
      const [author, clock] = madeBy(update);
      const key = `${author}/${clock}`;
      if (names.includes(author)) {
        const edit = mine.get(key);
        mine.delete(key);
        events.acked([edit], false);
        return;
      }
      events.seen(index, key);
      if (isShared(author)) everybodys?.receive(update);
    };
    const synced = (bytes) => {
      for (const desk of [filled ? null : own, everybodys]) {
        const decoder = createDecoder(bytes);
        readVarUint(decoder);
        if (desk) readSyncMessage(decoder, createEncoder(), desk.doc, "server");
      }
      filled = true;
      resolve(client);
    };

    socket.on("error", reject);
    socket.on("open", () => socket.send(message((encoder) => writeSyncStep1(encoder, new Y.Doc()))));
    socket.on("message", (bytes) => {
      if (bytes[0] !== SYNC) return;
      if (bytes[1] === messageYjsSyncStep2) synced(bytes);
      else if (bytes[1] === messageYjsUpdate) updated(readVarUint8Array(createDecoder(bytes.subarray(2))));
    });
  });
