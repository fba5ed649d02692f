/**
 * `node algebra.mjs OURS < schedule`: microseconds of CPU a round, as JSON by engine and figure. OURS is the bundle of
 * ours.mjs; the schedule is benchmarks/ot_algebra.py's. A round is one edit and the ten others' before it, which it has
 * not seen. What crosses the wire is made beforehand; Yjs alone starts from bytes, as its interface has it.
 */

import { text } from "node:stream/consumers";
import * as Y from "yjs";
import { engines } from "./engines.mjs";
import { sceneOf } from "./scene.mjs";
import { entityOf, fill } from "./yscene.mjs";

const { rounds, texts, sizes, repeats, note } = JSON.parse(await text(process.stdin));
const { typescript } = await import(process.argv[2]);

const ENOUGH_US = 1e6;

/** The scene, with a note at its first entity. */
function annotated(count) {
  const scene = sceneOf(count);
  scene.e0.text = note;
  return scene;
}

/** The median over repeats of what a round costs; `prepare` is not counted. */
function median(prepare, run, count) {
  const costs = [];
  const [fewest, most] = repeats;
  let spent = 0;
  while (costs.length < fewest || (costs.length < most && spent < ENOUGH_US)) {
    const prepared = prepare();
    const before = process.cpuUsage();
    run(prepared);
    const { user, system } = process.cpuUsage(before);
    spent += user + system;
    costs.push((user + system) / count);
  }
  return costs.sort((a, b) => a - b)[Math.floor(costs.length / 2)];
}

function measure(engine, job, make, size, applies) {
  const made = job.map(({ mine, tail }) => ({ mine: make(...mine), tail: tail.map((edit) => make(...edit)) }));
  const run = (start) => {
    let state = start;
    for (const { mine, tail } of made) {
      if (applies) for (const other of tail) state = engine.apply(state, other);
      state = engine.apply(state, tail.reduce(engine.transform, mine));
    }
  };
  return median(() => engine.state(annotated(size)), run, job.length);
}

function figuresOf(engine) {
  const [size, large] = sizes;
  const insert = (at, inserted) => engine.insert("e0", at, inserted);
  return {
    transform10_apply_us: measure(engine, rounds, engine.set, size, false),
    transform10_apply_10000_us: measure(engine, rounds, engine.set, large, false),
    merge10_us: measure(engine, rounds, engine.set, size, true),
    text_transform10_apply_us: measure(engine, texts, insert, size, false),
    text_merge10_us: measure(engine, texts, insert, size, true),
  };
}

/** Makes each round's updates on two documents that exchange what they have after it; a third applies them. */
function yjs(job, write, size) {
  const seed = fill(new Y.Doc(), size);
  entityOf(seed, "e0").set("text", new Y.Text(note));
  const start = Y.encodeStateAsUpdate(seed);
  const open = () => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, start);
    return doc;
  };
  const updateOf = (doc, edit) => {
    let made;
    doc.once("update", (update) => {
      made = update;
    });
    write(doc, ...edit);
    return made;
  };
  const [others, own] = [open(), open()];
  const made = job.map(({ mine, tail }) => {
    const updates = [...tail.map((edit) => updateOf(others, edit)), updateOf(own, mine)];
    for (const update of updates) for (const doc of [others, own]) Y.applyUpdate(doc, update);
    return updates;
  });
  const run = (doc) => {
    for (const updates of made) for (const update of updates) Y.applyUpdate(doc, update);
  };
  return median(open, run, job.length);
}

const setPosition = (doc, id, position) => entityOf(doc, id).set("position", position);
const insertText = (doc, at, inserted) => entityOf(doc, "e0").get("text").insert(at, inserted);

const found = { typescript: figuresOf(typescript) };
for (const [name, engine] of Object.entries(engines)) found[name] = figuresOf(engine);
found.yjs = {
  merge10_us: yjs(rounds, setPosition, sizes[0]),
  merge10_10000_us: yjs(rounds, setPosition, sizes[1]),
  text_merge10_us: yjs(texts, insertText, sizes[0]),
};
console.log(JSON.stringify(found));
