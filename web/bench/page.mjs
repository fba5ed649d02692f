/**
 * What a page's main thread does for others' edits, bundled by Vite: messages as text in, three.js matrices out. No renderer.
 *
 * Prints JSON: milliseconds a frame, for EDITS others' edits in each of FRAMES frames on a scene of ENTITIES, and for a
 * group of all of them that moves in each frame.
 */

import { Scene } from "three";
import { SceneEntities } from "../src/scene/entities.ts";
import { SharedDoc } from "../src/sync/document.ts";
import { emptyMemory } from "../src/sync/engine.ts";

const [entities, edits, frames] = process.argv.slice(2).map(Number);
const DOCUMENT = `doc_${"a".repeat(20)}`;
const idOf = (number) => `other000.${number}`;
const GROUP = idOf("group");

function snapshot() {
  const all = {
    [GROUP]: { alive: true, parent: null, order: "V", props: { type: "group", position: [0, 0, 0] } },
  };
  for (let number = 0; number < entities; number += 1) {
    const position = [(number % 32) - 16, 0.5, Math.floor(number / 32) - 16];
    const props = { type: ["box", "sphere", "cylinder"][number % 3], color: "#8899aa", position };
    all[idOf(number)] = { alive: true, parent: GROUP, order: "V", props };
  }
  return { document: {}, revision: 0, head: 0, entities: all };
}

async function page() {
  const doc = new SharedDoc(DOCUMENT, emptyMemory("mine0000"), {
    now: () => performance.now(),
    random: Math.random,
    after: () => () => {},
    send: () => true,
    snapshot: async () => snapshot(),
    save: async () => {},
  });
  doc.open();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const shown = new SceneEntities(doc.entities);
  const scene = new Scene();
  scene.add(shown.group);
  doc.onChange((ids) => shown.sync(ids));
  return { doc, shown, scene };
}

const text = (revision, operations) => {
  const commits = operations.map((operation, index) => ({
    revision: revision + index,
    client: "other000",
    seq: revision + index,
    user_id: "usr_other",
    at_ms: 1,
    base: revision + index - 1,
    operations: [operation],
  }));
  return JSON.stringify({
    type: "op.committed",
    document_id: DOCUMENT,
    head: commits.at(-1).revision,
    commits,
  });
};
const move = (id, n) => ({
  op: "set",
  id,
  path: ["position"],
  value: [Math.sin(n) * 9, 0.5, Math.cos(n) * 9],
});

/** Milliseconds of each frame; the first tenth warms the compiler up. */
async function measured(made) {
  const { doc, shown, scene } = await page();
  const times = [];
  let revision = 1;
  for (let frame = 0; frame < frames; frame += 1) {
    const operations = made(frame);
    const message = text(revision, operations);
    revision += operations.length;
    const started = performance.now();
    doc.receive(JSON.parse(message));
    shown.update();
    scene.updateMatrixWorld();
    times.push(performance.now() - started);
  }
  if (doc.revision !== revision - 1) throw new Error(`it is at ${doc.revision}, not at ${revision - 1}`);
  return times.slice(frames / 10);
}

const few = await measured((frame) =>
  Array.from({ length: edits }, (_, n) => move(idOf((frame * 31 + n * 17) % entities), frame + n)),
);
const all = await measured((frame) => [move(GROUP, frame)]);
console.log(JSON.stringify({ edits_ms: few, group_ms: all }));
process.exit(0);
