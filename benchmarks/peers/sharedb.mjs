/**
 * `node sharedb.mjs json0|json1`: a ShareDB server in memory, one document with the whole scene. Prints READY and a port.
 */

import { createServer } from "node:http";
import WebSocketJSONStream from "@teamwork/websocket-json-stream";
import json1 from "ot-json1";
import ShareDB from "sharedb";
import { WebSocketServer } from "ws";
import { sceneOf } from "./scene.mjs";

ShareDB.types.register(json1.type);
ShareDB.logger.setMethods({ info: () => {}, warn: () => {} });

const backend = new ShareDB();
const http = createServer();
new WebSocketServer({ server: http }).on("connection", (socket) => {
  socket._socket.setNoDelay(true);
  backend.listen(new WebSocketJSONStream(socket));
});

backend
  .connect()
  .get("scenes", "one")
  .create(sceneOf(), process.argv[2], (error) => {
    if (error) throw error;
    http.listen(0, "127.0.0.1", () => console.log(`READY ${http.address().port}`));
  });
