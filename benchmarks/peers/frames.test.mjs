import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { counterOf, eachEntry, headOf, placeAt } from "./frames.mjs";

const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/relay_frames.json", import.meta.url)));

for (const { name, frame, hex } of vectors.frames)
  test(`a frame is read as it was meant: ${name}`, () => {
    const bytes = Buffer.from(hex, "hex");
    assert.deepEqual(headOf(bytes), { more: frame.more, tick: frame.tick, atMs: frame.at_ms });
    const found = [];
    const whole = eachEntry(bytes, (index, counter, poseAt, wide) =>
      found.push({ index, counter, position: poseAt < 0 ? undefined : placeAt(bytes, poseAt, wide) }),
    );
    assert.ok(whole);
    assert.deepEqual(
      found.map(({ index, counter }) => [index, counter]),
      frame.entries.map(({ index, counter }) => [index, counter]),
    );
    for (const [n, { state }] of frame.entries.entries())
      assert.deepEqual(found[n].position?.map(millimetres), state.pose?.position.map(millimetres));
  });

/** What hangs on an entry is skipped here, not read. */
const NOT_READ = ["what is no JSON"];

for (const { name, hex } of vectors.malformed.filter(({ name }) => !NOT_READ.includes(name)))
  test(`what is no frame is not taken for one: ${name}`, () => {
    assert.equal(eachEntry(Buffer.from(hex, "hex"), () => {}), false);
  });

for (const { low, known, full } of vectors.counters)
  test(`${low} after ${known} is ${full}`, () => assert.equal(counterOf(low, known), full));

function millimetres(metres) {
  return Math.round(metres * 1000);
}
