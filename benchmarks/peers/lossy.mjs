/**
 * `node lossy.mjs LOSS RTT_MS SEED`: a bad network for UDP, without root: a middle man that loses each packet with a
 * probability, either way, and holds it for half a round trip. Forked by `lossy()`, so that it delays nobody else's timers.
 */

import { fork } from "node:child_process";
import { createSocket } from "node:dgram";
import { randomOf } from "./scene.mjs";

/** Between a participant and what its answer names; `{ through(sdp), close() }`. Without loss and delay there is nothing. */
export function lossy({ loss = 0, rttMs = 0, seed = 1 }) {
  if (!loss && !rttMs) return { through: (sdp) => sdp, close: () => {} };
  const middle = fork(new URL(import.meta.url).pathname, [loss, rttMs, seed].map(String));
  const asked = new Map();
  let count = 0;
  middle.on("message", ({ id, port }) => asked.get(id)(port));
  return {
    async through(sdp) {
      const { host, port } = candidateOf(sdp);
      const id = (count += 1);
      const ours = await new Promise((resolve) => {
        asked.set(id, resolve);
        middle.send({ id, host, port });
      });
      return redirected(sdp, "127.0.0.1", ours);
    },
    close: () => middle.kill(),
  };
}

const CANDIDATE = /^(a=candidate:\S+ 1 udp \d+) (\S+) (\d+) typ host/im;

/** Where an answer's first host candidate is. */
export function candidateOf(sdp) {
  const [, , host, port] = CANDIDATE.exec(sdp);
  return { host, port: Number(port) };
}

/** The answer with that candidate elsewhere, and no other. */
export function redirected(sdp, host, port) {
  const lines = sdp.split("\r\n");
  const first = lines.findIndex((line) => CANDIDATE.test(line));
  const kept = lines.filter((line, at) => !line.startsWith("a=candidate:") || at === first);
  return kept.map((line) => line.replace(CANDIDATE, `$1 ${host} ${port} typ host`)).join("\r\n");
}

function middleMan(loss, rttMs, seed) {
  const random = randomOf(seed);
  const pass = (send) => {
    if (random() < loss) return;
    if (rttMs) setTimeout(send, rttMs / 2);
    else send();
  };
  process.on("message", ({ id, host, port }) => {
    const front = createSocket("udp4");
    const back = createSocket("udp4");
    let client = null;
    front.on("message", (data, from) => {
      client = from;
      pass(() => back.send(data, port, host));
    });
    back.on("message", (data) => pass(() => client && front.send(data, client.port, client.address)));
    for (const socket of [front, back]) socket.on("error", () => {});
    back.bind(0);
    front.bind(0, "127.0.0.1", () => process.send({ id, port: front.address().port }));
  });
  process.on("disconnect", () => process.exit());
}

if (process.argv[1] === new URL(import.meta.url).pathname && process.send) middleMan(...process.argv.slice(2).map(Number));
