/**
 * A client of Holodeck, as light as its protocol allows: it keeps the revision and not the scene. Like the page's it has one
 * transaction in flight and composes what waits. HOLODECK_ROOM names a file with the document and a handshake for each.
 */

import { readFileSync } from "node:fs";
import { WebSocket } from "ws";

export function connectTo() {
  const room = JSON.parse(readFileSync(process.env.HOLODECK_ROOM, "utf8"));
  return (_port, index, events) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(room.handshakes[index], { perMessageDeflate: false });
      const say = (message) => socket.send(JSON.stringify(message));
      const document_id = room.document_id;
      const name = `bench${String(index).padStart(3, "0")}`;
      const early = new Map();
      let revision = room.revision;
      let seq = 1;
      let flying = null;
      let landedAt = 0;
      let waiting = null;
      let lastMs = 0;
      let timer = null;
      let fetching = false;

      const send = () => {
        if (flying || !waiting || revision < landedAt) return; // a transaction is made on one's own last one
        const dueMs = lastMs + room.submit_every_ms - performance.now();
        if (dueMs > 0) {
          timer ??= setTimeout(() => {
            timer = null;
            send();
          }, dueMs);
          return;
        }
        lastMs = performance.now();
        flying = waiting;
        waiting = null;
        for (const edit of flying.edits) events.sent(`${name}/${seq}`, edit);
        const operations = [...flying.positions].map(([id, value]) => ({
          op: "set",
          id: `scene001.${id}`,
          path: ["position"],
          value,
        }));
        say({ type: "op.submit", id: `${seq}`, document_id, client: name, seq, base: revision, operations });
      };
      const landed = (answered, rejected, at = 0) => {
        if (!flying || answered !== seq) return;
        landedAt = at;
        const { edits } = flying;
        flying = null;
        seq += 1;
        events.acked(edits, rejected);
        send();
      };
      const take = (commits, head) => {
        for (const commit of commits) if (commit.revision > revision) early.set(commit.revision, commit);
        for (let next = early.get(revision + 1); next; next = early.get(revision + 1)) {
          revision += 1;
          early.delete(revision);
          if (next.client !== name) events.seen(index, `${next.client}/${next.seq}`);
        }
        if (revision < head && !fetching) {
          fetching = true;
          setTimeout(() => {
            fetching = false;
            if (revision < head) say({ type: "doc.fetch", document_id, since: revision });
          }, 500);
        }
      };
      const client = {
        set(id, position, edit) {
          waiting ??= { positions: new Map(), edits: [] };
          waiting.positions.set(id, position);
          waiting.edits.push(edit);
          send();
        },
        close: () => socket.terminate(),
      };

      socket.on("error", reject);
      socket.on("open", () => say({ type: "room.enter", protocol: 1, epoch: 1 }));
      socket.on("message", (data) => {
        const message = JSON.parse(data);
        if (message.type === "op.committed" || message.type === "doc.commits") {
          take(message.commits, message.head);
          send();
        }
        else if (message.type === "op.ack") landed(message.operation.seq, false, message.operation.revision);
        else if (message.type === "op.rejected") {
          process.stderr.write(`${message.code}\n`);
          landed(message.seq, true);
        }
        else if (message.type === "room.state") resolve(client);
        else if (message.type === "error") process.stderr.write(`${message.code}\n`);
      });
    });
}
