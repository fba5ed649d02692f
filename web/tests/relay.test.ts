import { deflateSync } from "fflate";
import { describe, expect, it } from "vitest";
import { FULL_PACE_MS } from "../src/presence/outbox";
import { type ClientMessage, LIMITS, type PeerState } from "../src/wire/generated";
import { FakeNode } from "./fakenode";
import { type Page, Town } from "./peersworld";

/** Ten pages, and a node that the functions give on demand. */
function crowd(pages = 8): { town: Town; nodes: FakeNode[]; asked: ClientMessage[]; start(): void } {
  const town = new Town(5);
  const nodes: FakeNode[] = [];
  const asked: ClientMessage[] = [];
  let generation = 0;
  const start = (): void => {
    generation += 1;
    const node = new FakeNode(town, `node_${generation}.relay`);
    nodes.push(node);
    town.tellRelay({ status: "ready", generation, peer_id: node.id });
  };
  town.elsewhere = (from, message) => {
    for (const node of nodes) void node.receive(from, message);
    if (message.type !== "relay.request") return;
    asked.push(message);
    const lost = message.reason === "lost" && message.generation === generation;
    if (lost && nodes.at(-1)?.dead) start();
    else if (generation === 0 && town.relay.status === "none")
      town.tellRelay({ status: "starting", generation: 0 });
    else from.plane.receive({ type: "relay.changed", relay: town.relay });
  };
  for (let n = 0; n < pages; n++) town.come(`gst_p${n}.tab0000${n}`);
  return { town, nodes, asked, start };
}

const carriers = (town: Town): Set<string> =>
  new Set([...town.pages.values()].map((page) => page.plane.view().carrier));

async function relayed(): Promise<ReturnType<typeof crowd> & { page: Page; node: FakeNode }> {
  const made = crowd();
  await made.town.world.pass(3000);
  made.start();
  await made.town.world.pass(4000);
  const page = made.town.pages.get("gst_p3.tab00003");
  const node = made.nodes[0];
  if (!page || !node) throw new Error("there is nobody");
  return { ...made, page, node };
}

describe("a room with more pages than a mesh carries", () => {
  it("asks for a node, once for all; the mesh of the first carries until it is there", async () => {
    const { town, asked } = crowd();
    await town.world.pass(5000);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(4);
    expect(asked[0]).toMatchObject({ type: "relay.request", reason: "count", generation: 0 });
    expect(carriers(town)).toEqual(new Set(["mesh", "websocket"]));
  });

  it("goes over to the node: everybody tells it, the mesh ends, the WebSocket goes slow", async () => {
    const { town, node, page } = await relayed();
    expect(carriers(town)).toEqual(new Set(["relay"]));
    expect(node.links.size).toBe(8);
    expect([...page.plane.mesh.links()]).toEqual([]);
    expect(page.paceMs).toBe(LIMITS.COVERED_UPDATE_S * 1000);
    expect(page.relayed).toEqual([true]);
    page.be({ activity: "idle" });
    await town.world.pass(200);
    expect(node.links.get(page.id)?.heard.at(-1)).toContain('"activity":"idle"');
  });

  it("has nobody without a channel in between: before the mesh ends, the node carries", async () => {
    const { town, start, nodes } = crowd(6);
    await town.world.pass(4000);
    expect(town.whole()).toBe(true);
    town.come("gst_p6.tab00006");
    await town.world.pass(2000);
    start();
    for (let n = 0; n < 200; n++) {
      await town.world.pass(20);
      for (const page of [...town.pages.values()].slice(0, 6)) {
        expect(page.plane.relay.open || page.open().length > 0).toBe(true);
      }
    }
    expect(nodes[0]?.links.size).toBe(7);
  });
});

describe("a page on the relay", () => {
  it("does not take it for carrying before the whole roster came", async () => {
    const { town, start, nodes } = crowd();
    await town.world.pass(3000);
    start();
    const node = nodes[0];
    if (node) node.listing = false;
    await town.world.pass(3000);
    expect(carriers(town).has("relay")).toBe(false);
    for (const page of town.pages.values()) node?.list(page);
    await town.world.pass(100);
    expect(carriers(town)).toEqual(new Set(["relay"]));
  });

  it("knows by the roster whose a frame's states are, and widens their counters", async () => {
    const { town, node, page } = await relayed();
    const hex = "010000286bee00b847c129ac79420700010200d20400400600a8e4ff000208e0";
    const frame = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    node.bytes(page, "presence", frame);
    await town.world.pass(50);
    const told = page.heard.at(-1) as PeerState;
    expect(told).toMatchObject({ peer_id: "gst_far.ffffffff", epoch: 5, counter: 2 });
    expect(told.state.pose?.position[0]).toBeCloseTo(1.234, 6);
    const count = page.heard.length;
    node.tell(page, { type: "relay.roster", full: false, members: [], left: [7], tick_hz: 20 });
    await town.world.pass(50);
    node.bytes(page, "presence", frame);
    node.bytes(page, "presence", frame.slice(0, 20));
    await town.world.pass(50);
    expect(page.heard.length).toBe(count);
  });

  it("sends documents by the control channel, and reads what is deflated", async () => {
    const { town, node, page } = await relayed();
    const fetch = { type: "doc.fetch", id: "f1", document_id: "doc_x", since: 3 } as const;
    expect(page.plane.send(fetch)).toBe(true);
    await town.world.pass(50);
    expect(node.links.get(page.id)?.heard).toContain(JSON.stringify(fetch));
    const commits = {
      type: "doc.commits",
      id: "f1",
      document_id: "doc_x",
      since: 3,
      head: 3,
      commits: [],
    } as const;
    node.bytes(page, "control", deflateSync(new TextEncoder().encode(JSON.stringify(commits))));
    node.bytes(page, "control", new Uint8Array([1, 2, 3]));
    await town.world.pass(50);
    expect(page.messages.at(-1)).toEqual(commits);
    const large = { ...fetch, document_id: "x".repeat(LIMITS.CHANNEL_MESSAGE_BYTES) };
    expect(page.plane.send(large)).toBe(false);
  });

  it("is told by the node what is lost on the way here, and what that carries while it is full", async () => {
    const { town, node, page } = await relayed();
    const told = (): unknown => {
      const seen = page.plane.view().links.find(({ path }) => path === "node");
      return [seen?.lossShare, seen?.incomingKbps, seen?.availableKbps];
    };
    expect(told()).toEqual([null, null, null]);
    Object.assign(node, { loss: 0.08, kbps: 90.5 });
    await town.world.pass(1500);
    expect(told()).toEqual([0.08, 90.5, null]);
    for (const nonsense of [-1, 7, "0.5", null]) {
      Object.assign(node, { loss: nonsense, kbps: typeof nonsense === "number" ? -1 : nonsense });
      await town.world.pass(1500);
      expect(told()).toEqual([0.08, null, null]);
    }
  });

  it("tells the node how long frames may be: on change, and every new one", async () => {
    const { town, node, page, nodes } = await relayed();
    const asked = (one?: FakeNode): string[] =>
      (one?.links.get(page.id)?.heard ?? []).filter((text) => text.includes("relay.prefer"));
    page.plane.demand({ frameBytes: LIMITS.RELAY_FRAME_BYTES });
    await town.world.pass(100);
    expect(asked(node)).toEqual([]);
    for (let n = 0; n < 3; n++) page.plane.demand({ frameBytes: 600 });
    await town.world.pass(100);
    expect(asked(node)).toEqual(['{"type":"relay.prefer","frame_bytes":600}']);
    node.die();
    await town.world.pass(6000);
    expect(nodes.length).toBe(2);
    expect(asked(nodes[1])).toEqual(['{"type":"relay.prefer","frame_bytes":600}']);
    page.plane.demand({ frameBytes: LIMITS.RELAY_FRAME_BYTES });
    await town.world.pass(100);
    expect(asked(nodes[1]).length).toBe(2);
  });

  it("is back on the WebSocket at once when the node dies, says so, and is on the next one within seconds", async () => {
    const { town, node, page, asked, nodes } = await relayed();
    await town.world.pass(3000);
    const before = asked.length;
    node.die();
    await town.world.pass(2800);
    expect(page.paceMs).toBe(FULL_PACE_MS);
    expect(page.relayed).toEqual([true, false]);
    expect(page.plane.send({ type: "ping" })).toBe(false);
    await town.world.pass(2000);
    expect(asked.slice(before)[0]).toMatchObject({ reason: "lost", generation: 1 });
    expect(nodes.length).toBe(2);
    expect(carriers(town)).toEqual(new Set(["relay"]));
    expect(nodes[1]?.links.size).toBe(8);
    expect(page.relayed).toEqual([true, false, true]);
  });

  it("comes back to the same node where only its own connection was lost", async () => {
    const { town, node, page, nodes } = await relayed();
    node.links.get(page.id)?.connection.close();
    await town.world.pass(4000);
    expect(page.plane.view().carrier).toBe("relay");
    expect(nodes.length).toBe(1);
  });

  it("goes at once when the node drains, and nobody else does before they are told", async () => {
    const { town, node, page, asked } = await relayed();
    const link = node.links.get(page.id)?.link ?? "";
    const before = asked.length;
    page.plane.receive({ type: "peer.bye", to: page.id, link, reason: "draining", from: node.id });
    await town.world.pass(250);
    expect(asked.slice(before)).toMatchObject([{ reason: "lost", generation: 1 }]);
    expect(page.relayed).toEqual([true, false]);
  });

  it("is silent for a moment only before the node is taken for lost", async () => {
    const { town, node, page } = await relayed();
    node.silent = true;
    await town.world.pass(3300);
    expect(page.relayed[1]).toBe(false);
  });

  it("leaves it for the mesh when the room has been small for long, without a gap", async () => {
    const { town, node } = await relayed();
    for (const page of [...town.pages.values()].slice(3)) town.leave(page);
    await town.world.pass(25_000);
    expect(carriers(town)).toEqual(new Set(["relay"]));
    for (let n = 0; n < 1000; n++) {
      await town.world.pass(20);
      for (const page of town.pages.values()) {
        expect(page.plane.relay.open || page.open().length === 2).toBe(true);
      }
    }
    expect(carriers(town)).toEqual(new Set(["mesh"]));
    expect(node.links.size).toBe(0);
  });
});

describe("an older word about the relay", () => {
  it("does not undo a newer one", async () => {
    const { page } = await relayed();
    page.plane.receive({ type: "relay.changed", relay: { status: "none", generation: 0 } });
    expect(page.plane.view().relay).toMatchObject({ status: "ready", generation: 1 });
  });
});

describe("a page that hides its address where there is no TURN", () => {
  it("is carried by a node, which it asks for, and so are the others as far as it goes", async () => {
    const { town, nodes, asked, start } = crowd(3);
    await town.world.pass(2000);
    expect(town.whole()).toBe(true);
    const shy = town.pages.get("gst_p1.tab00001");
    if (!shy) throw new Error("there is nobody");
    expect(shy.plane.view().nodeOnly).toBe(false);
    shy.plane.demand({ hideAddress: true });
    await town.world.pass(8000);
    expect(asked[0]).toMatchObject({ type: "relay.request", reason: "uplink" });
    expect(shy.plane.view()).toMatchObject({ carrier: "websocket", nodeOnly: true });
    start();
    await town.world.pass(4000);
    expect(carriers(town)).toEqual(new Set(["relay"]));
    expect([...(nodes[0]?.links.keys() ?? [])].sort()).toEqual([...town.pages.keys()].sort());
    shy.plane.demand({ hideAddress: false });
    await town.world.pass(60_000);
    expect(carriers(town)).toEqual(new Set(["mesh"]));
  });

  it("stays on its node when it begins to hide", async () => {
    const { town, page } = await relayed();
    const link = page.plane.relay.link;
    page.plane.demand({ hideAddress: true });
    await town.world.pass(3000);
    expect(page.plane.view().carrier).toBe("relay");
    expect(page.plane.relay.link).toBe(link);
  });
});
