import assert from "node:assert/strict";
import test from "node:test";
import { audit } from "./ledger.mjs";

const one = { client: "a", seq: 1, revision: 5 };
const two = { client: "b", seq: 1, revision: 6 };

test("what is in the log where it was said to be is not lost", () => {
  assert.deepEqual(audit([one, two], [one, two]), {
    acknowledged: 2,
    acknowledged_lost: 0,
    applied_twice: 0,
    log_gaps: 0,
  });
});

test("what is missing, or elsewhere, is lost", () => {
  assert.equal(audit([one, two], [one]).acknowledged_lost, 1);
  assert.equal(audit([one], [{ ...one, revision: 6 }]).acknowledged_lost, 1);
});

test("one transaction at two revisions was applied twice", () => {
  assert.equal(audit([one], [one, { ...one, revision: 6 }]).applied_twice, 1);
});

test("a revision that is left out is a gap", () => {
  assert.equal(audit([], [one, { ...two, revision: 7 }]).log_gaps, 1);
});
