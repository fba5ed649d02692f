/** `node open.mjs ENTITIES OPERATIONS`: what Yjs needs to open a scene after so many sets by 50 people, from its bytes. */

import * as Y from "yjs";
import { CLIENTS, idOf, positionOf, randomOf } from "./scene.mjs";
import { entityOf, fill } from "./yscene.mjs";

const [entities, operations] = process.argv.slice(2).map(Number);
const random = randomOf(20261123);
const doc = fill(new Y.Doc(), entities);
for (let done = 0; done < operations; done += 1) {
  doc.clientID = 1 + (done % CLIENTS);
  entityOf(doc, idOf(Math.floor(random() * entities))).set("position", positionOf(random));
}
const bytes = Y.encodeStateAsUpdate(doc);
const started = performance.now();
Y.applyUpdate(new Y.Doc(), bytes);
console.log(JSON.stringify({ decode_s: (performance.now() - started) / 1000, stored_bytes: bytes.length }));
