import assert from "node:assert/strict";
import test from "node:test";
import { candidateOf, redirected } from "./lossy.mjs";

const ANSWER = [
  "v=0",
  "a=ice-lite",
  "a=candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host",
  "a=candidate:2 1 UDP 1694498815 198.51.100.7 40001 typ srflx",
  "a=end-of-candidates",
  "",
].join("\r\n");

test("an answer's host candidate is found, and moved to the middle man alone", () => {
  assert.deepEqual(candidateOf(ANSWER), { host: "192.0.2.7", port: 40000 });
  const moved = redirected(ANSWER, "127.0.0.1", 5);
  assert.deepEqual(candidateOf(moved), { host: "127.0.0.1", port: 5 });
  assert.ok(!moved.includes("srflx"));
});
