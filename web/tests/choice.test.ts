import { describe, expect, it } from "vitest";
import {
  type Choice,
  choose,
  GIVE_UP_MS,
  meshOf,
  OVERLAP_MS,
  type Situation,
  SMALL_MS,
} from "../src/peers/choice";
import { Steering } from "../src/peers/steering";
import { LIMITS } from "../src/wire/generated";

const few: Situation = {
  pages: 3,
  meshMax: 6,
  relay: "none",
  relayOpenMs: null,
  relayDownMs: 0,
  relayLost: false,
  demanded: false,
  recorded: false,
  smallMs: 0,
  startingMs: 0,
  meshComplete: false,
};
const many = { ...few, pages: 9 };

const ROWS: [string, Situation, Choice][] = [
  ["few pages are a mesh", few, { mesh: "form", relay: false, ask: null }],
  [
    "alone nothing is asked for",
    { ...few, pages: 1, demanded: true },
    { mesh: "form", relay: false, ask: null },
  ],
  ["too many ask for a node", many, { mesh: "form", relay: false, ask: "count" }],
  ["a poor uplink asks for one", { ...few, demanded: true }, { mesh: "form", relay: false, ask: "uplink" }],
  [
    "while it starts, the mesh carries",
    { ...many, relay: "starting" },
    { mesh: "form", relay: false, ask: null },
  ],
  [
    "one that does not come up is asked for again",
    { ...many, relay: "starting", startingMs: LIMITS.NODE_START_S * 1000 },
    { mesh: "form", relay: false, ask: "count" },
  ],
  [
    "a node that is there is connected to",
    { ...many, relay: "ready" },
    { mesh: "keep", relay: true, ask: null },
  ],
  [
    "both carry for a moment",
    { ...many, relay: "ready", relayOpenMs: OVERLAP_MS - 1 },
    { mesh: "keep", relay: true, ask: null },
  ],
  [
    "then the node alone",
    { ...many, relay: "ready", relayOpenMs: OVERLAP_MS },
    { mesh: "none", relay: true, ask: null },
  ],
  [
    "who loses it says so",
    { ...many, relay: "ready", relayLost: true },
    { mesh: "keep", relay: true, ask: "lost" },
  ],
  [
    "who cannot reach it for long forms the mesh, and goes on trying",
    { ...many, relay: "ready", relayLost: true, relayDownMs: GIVE_UP_MS },
    { mesh: "form", relay: true, ask: "lost" },
  ],
  [
    "a room that has just become small stays",
    { ...few, relay: "ready", relayOpenMs: 9e9, smallMs: SMALL_MS - 1 },
    { mesh: "none", relay: true, ask: null },
  ],
  [
    "one that is small for long forms the mesh beside the node",
    { ...few, relay: "ready", relayOpenMs: 9e9, smallMs: SMALL_MS },
    { mesh: "form", relay: true, ask: null },
  ],
  [
    "and leaves the node when the mesh is complete",
    { ...few, relay: "ready", relayOpenMs: 9e9, smallMs: SMALL_MS, meshComplete: true },
    { mesh: "form", relay: false, ask: null },
  ],
  [
    "one that is recorded goes to its node, however few it has been for how long",
    { ...few, relay: "ready", recorded: true, smallMs: 9e9, meshComplete: true },
    { mesh: "keep", relay: true, ask: null },
  ],
  [
    "so does a page that is alone in it",
    { ...few, pages: 1, relay: "ready", recorded: true, smallMs: 9e9, meshComplete: true },
    { mesh: "keep", relay: true, ask: null },
  ],
  [
    "and stays there",
    { ...few, relay: "ready", relayOpenMs: 9e9, recorded: true, smallMs: 9e9 },
    { mesh: "none", relay: true, ask: null },
  ],
  [
    "the functions give a recording its node: no page asks for one",
    { ...few, recorded: true },
    { mesh: "form", relay: false, ask: null },
  ],
  [
    "between the thresholds a room with a node stays on it",
    { ...few, pages: LIMITS.MESH_LEAVE + 1, relay: "ready", relayOpenMs: 9e9, smallMs: 9e9 },
    { mesh: "none", relay: true, ask: null },
  ],
];

describe("what carries", () => {
  for (const [name, situation, choice] of ROWS) {
    it(name, () => expect(choose(situation)).toEqual(choice));
  }

  it("is chosen the same on every page: who is in a mesh that is too small for all", () => {
    const pages = [9, 3, 7, 3, 1].map((joinedAtMs, n) => ({ peerId: `p${n}`, joinedAtMs }));
    expect(meshOf(pages, 3)).toEqual(new Set(["p4", "p1", "p3"]));
    expect(meshOf([...pages].reverse(), 3)).toEqual(new Set(["p4", "p1", "p3"]));
  });
});

describe("asking for a node", () => {
  it("waits a moment, asks ever more seldom, and begins anew with another generation", () => {
    const steering = new Steering(() => 0.5);
    const asked: number[] = [];
    for (let now = 0; now < 60_000; now += 50) if (steering.asksNow("count", 0, now)) asked.push(now);
    expect(asked[0]).toBe(500);
    expect(asked.length).toBeLessThan(12);
    expect(steering.asksNow("lost", 1, 60_000)).toBe(false);
    expect(steering.asksNow("lost", 1, 60_100)).toBe(true);
    expect(steering.asksNow(null, 1, 60_200)).toBe(false);
    expect(steering.askAtMs).toBeNull();
  });
});
