import assert from "node:assert/strict";
import test from "node:test";
import { Meter } from "./meter.mjs";

const HERE = [1.2344, 0, 0];

function recording() {
  const meter = new Meter(3);
  meter.recording = true;
  return meter;
}

test("an age is from the sending of just that state", () => {
  const meter = recording();
  const first = meter.sends(0, HERE, 100);
  meter.sends(0, HERE, 150);
  meter.seen(1, 0, first, HERE, 160);
  assert.equal(meter.figures(1).end_to_end_p99_ms, 60);
});

test("a state that comes again, or late, or back to its sender counts for nothing", () => {
  const meter = recording();
  meter.sends(0, HERE, 100);
  meter.sends(0, HERE, 150);
  meter.seen(1, 0, 2, HERE, 160);
  meter.seen(1, 0, 2, HERE, 170);
  meter.seen(1, 0, 1, HERE, 180);
  meter.seen(0, 0, 2, HERE, 180);
  assert.equal(meter.states, 1);
});

test("the low bits of a counter are enough", () => {
  const meter = recording();
  meter.sent[0].newest = 65_535;
  const counter = meter.sends(0, HERE, 100);
  meter.seen(1, 0, counter & 0xffff, HERE, 130);
  assert.equal(meter.known[1][0], 65_536);
  assert.equal(meter.ages[0], 30);
});

test("a position beyond half a millimetre is wrong, within it is not", () => {
  const meter = recording();
  const counter = meter.sends(0, HERE, 100);
  meter.seen(1, 0, counter, [1.234, 0, 0], 130);
  meter.seen(2, 0, counter, [1.236, 0, 0], 130);
  assert.equal(meter.wrong, 1);
});

test("whether all know the newest of all is said at the end", () => {
  const meter = new Meter(2);
  meter.sends(0, HERE, 100);
  meter.sends(1, HERE, 100);
  meter.seen(1, 0, 1, HERE, 130);
  assert.equal(meter.latest(), 0.5);
});
