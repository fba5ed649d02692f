/** `node yjs.mjs`: y-websocket's own server in memory, one document with the whole scene. Prints READY and a port. */

import { createServer } from "node:http";
import { getYDoc, setupWSConnection } from "@y/websocket-server/utils";
import { WebSocketServer } from "ws";
import { fill } from "./yscene.mjs";

fill(getYDoc("scene"));

const http = createServer();
new WebSocketServer({ server: http }).on("connection", (socket, request) => {
  request.socket.setNoDelay(true);
  setupWSConnection(socket, request, { docName: "scene" });
});
http.listen(0, "127.0.0.1", () => console.log(`READY ${http.address().port}`));
