/**
 * `node star.mjs HZ`: what one would write in an afternoon: a WebSocket server that merges what changed into one JSON
 * array a tick, makes its text once, and sends it to everybody. No identity, no encryption, no budget. Prints READY and a port.
 */

import { WebSocketServer } from "ws";

const [hz] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
const changed = new Map();

server.on("connection", (socket) => {
  socket._socket.setNoDelay(true);
  socket.on("message", (data) => {
    const state = JSON.parse(data);
    changed.set(state.id, state);
  });
});
server.on("listening", () => console.log(`READY ${server.address().port}`));
setInterval(() => {
  if (changed.size === 0) return;
  const frame = JSON.stringify([...changed.values()]);
  changed.clear();
  for (const socket of server.clients) socket.send(frame);
}, 1000 / hz);
