import { describe, expect, it } from "vitest";
import type { LinkView, PlaneView } from "../src/peers/types";
import { reportOf, type Sight, type SocketSight, type Standing, Watch } from "../src/peers/watch";
import { switched, type Way, waysText, wayTo } from "../src/peers/ways";
import { LIMITS } from "../src/wire/generated";

const NODE = "node_abcdefghijkl.relay";
const IDLE: SocketSight = { rttMs: 30, sentBytes: 0, receivedBytes: 0, states: 0 };

function link(peerId: string, more: Partial<LinkView> = {}): LinkView {
  return {
    peerId,
    path: "direct",
    open: true,
    rttMs: 20,
    jitterMs: 1,
    lossShare: 0,
    availableKbps: null,
    incomingKbps: null,
    protocol: "UDP",
    sentKbps: 40,
    receivedKbps: 41,
    ...more,
  };
}

function view(links: LinkView[], more: Partial<PlaneView> = {}): PlaneView {
  return {
    carrier: "mesh",
    relay: { status: "none" },
    links,
    relayed: [],
    rtcPages: links.length + 1,
    meshMax: 6,
    sendHz: 20,
    receivedHz: 60,
    ...more,
  };
}

function sight(links: LinkView[], more: Partial<Sight> = {}): Sight {
  const others = links.filter(({ peerId }) => peerId !== NODE).map(({ peerId }) => peerId);
  return { view: view(links), others, ground: "websocket", socket: IDLE, ...more };
}

const wayOf = (standing: Standing, peerId: string): Way | undefined => standing.pages.get(peerId)?.way;

describe("the way to a page", () => {
  it("is its own connection's, and without one the ground", () => {
    const seen = view([
      link("a"),
      link("b", { path: "turn" }),
      link("c", { open: false }),
      link("d", { path: "none" }),
    ]);
    const ways = ["a", "b", "c", "d", "e"].map((peerId) => wayTo(peerId, seen, "websocket"));
    expect(ways).toEqual(["direct", "turn", "websocket", "websocket", "websocket"]);
    expect(wayTo("a", null, "rest")).toBe("rest");
  });

  it("is the node's where both are on it, and not for pages that it does not carry", () => {
    const seen = view([link("a", { path: "none", open: false }), link(NODE, { path: "node" })], {
      carrier: "relay",
      relayed: ["a"],
    });
    expect(wayTo("a", seen, "websocket")).toBe("node");
    expect(wayTo("old", seen, "websocket")).toBe("websocket");
    const lost = view([link(NODE, { path: "node", open: false })], { carrier: "relay" });
    expect(wayTo("a", lost, "websocket")).toBe("websocket");
  });

  it("is told in one word, or counted where they differ", () => {
    const plain = (ways: Way[]): string => waysText(ways, "websocket").replaceAll("\u00a0", " ");
    expect(plain([])).toBe("WebSocket");
    expect(plain(["direct", "direct"])).toBe("Direct");
    expect(plain(["node"])).toBe("Media node");
    expect(plain(["websocket", "direct", "direct", "direct"])).toBe("3 direct, 1 WebSocket");
    expect(plain(["turn", "websocket", "node"])).toBe("1 through TURN, 1 by media node, 1 WebSocket");
    expect(waysText([], "none")).toBe("Not connected");
  });
});

describe("a switch", () => {
  it("for the better is said quietly, for the worse aloud", () => {
    expect(switched("websocket", "mesh", 3, "websocket")).toMatchObject({ better: true });
    expect(switched("mesh", "relay", 8, "websocket")).toMatchObject({ better: true });
    expect(switched("relay", "websocket", 8, "websocket")).toEqual({
      text: "The media node is gone. The WebSocket carries on.",
      better: false,
    });
    expect(switched("mesh", "websocket", 1, "websocket")?.text).toContain("page to page");
  });

  it("is not told where nothing switched, nobody is here, or the banner tells", () => {
    expect(switched("mesh", "mesh", 3, "websocket")).toBeNull();
    expect(switched("mesh", "websocket", 0, "websocket")).toBeNull();
    expect(switched("websocket", "rest", 3, "rest")).toBeNull();
    expect(switched("rest", "websocket", 3, "websocket")).toBeNull();
  });

  it("to a WebSocket that carries nothing is none: the banner tells", () => {
    expect(switched("mesh", "websocket", 1, "none")).toBeNull();
    expect(switched("relay", "websocket", 8, "rest")).toBeNull();
  });
});

describe("how things stand", () => {
  it("alone: the WebSocket, with its own figures", () => {
    const now = new Watch().look(sight([]), 0);
    expect(now).toMatchObject({
      carrier: "mesh",
      text: "WebSocket",
      bars: 4,
      rttMs: 30,
      sendHz: LIMITS.PRESENCE_HZ,
    });
    expect(now.links.map(({ peerId }) => peerId)).toEqual(["websocket"]);
  });

  it("in a mesh: each page by its connection, all by the middle", () => {
    const watch = new Watch();
    const now = watch.look(sight([link("a"), link("b", { rttMs: 900 }), link("c", { rttMs: 25 })]), 0);
    expect([...now.pages.values()].map(({ bars }) => bars)).toEqual([4, 1, 4]);
    expect(now).toMatchObject({ text: "Direct", short: "Direct", bars: 4, rttMs: 25, sendHz: 20 });
  });

  it("mixed: who has no connection has the WebSocket's figures, not none", () => {
    const now = new Watch().look(
      sight([link("a"), link("b", { open: false, path: "none", rttMs: null })]),
      0,
    );
    expect(wayOf(now, "b")).toBe("websocket");
    expect(now.pages.get("b")).toMatchObject({ bars: 4, rttMs: 30 });
    expect(now.short).toBe("Mixed");
  });

  it("on the relay: everybody by the node's one connection", () => {
    const seen = view([link("a", { open: false, path: "none" }), link(NODE, { path: "node", rttMs: 18 })], {
      carrier: "relay",
      relay: { status: "ready", generation: 2, peer_id: NODE },
      relayed: ["a", "b"],
    });
    const others = ["a", "b"];
    const now = new Watch().look(sight([], { view: seen, others }), 0);
    expect(now).toMatchObject({ carrier: "relay", text: "Media node", rttMs: 18 });
    expect(now.relay?.generation).toBe(2);
    expect(wayOf(now, "b")).toBe("node");
  });

  it("with nothing: no bars", () => {
    const now = new Watch().look(sight([], { ground: "none", view: null, others: ["a"] }), 0);
    expect(now).toMatchObject({ carrier: null, text: "Not connected", bars: 0, rttMs: null, sendHz: 0 });
    expect(now.socket.bars).toBe(0);
  });

  it("on REST says so", () => {
    expect(new Watch().look(sight([], { ground: "rest" }), 0)).toMatchObject({
      carrier: "rest",
      text: "REST",
    });
  });

  it("keeps a minute of round trips of each connection, and forgets whose end came", () => {
    const watch = new Watch();
    for (let n = 0; n < 240; n += 1) watch.look(sight([link("a", { rttMs: n })]), n * 500);
    const now = watch.look(sight([link("a", { rttMs: 240 })]), 120_000);
    const curve = now.pages.get("a")?.rtts ?? [];
    expect(curve).toHaveLength(60);
    expect(curve.slice(-2)).toEqual([238, 240]);
    expect(now.rtts).toEqual(curve);
    watch.look(sight([]), 121_000);
    expect(watch.look(sight([link("a")]), 122_000).pages.get("a")?.rtts).toEqual([20]);
  });

  it("counts what the WebSocket carries", () => {
    const watch = new Watch();
    let now = watch.look(sight([]), 0);
    for (let n = 1; n <= 10; n += 1) {
      const socket = { rttMs: 30, sentBytes: n * 125, receivedBytes: n * 250, states: n * 5 };
      now = watch.look(sight([], { socket }), n * 1000);
    }
    expect(now.socket.sentKbps).toBeCloseTo(1);
    expect(now.socket.receivedKbps).toBeCloseTo(2);
    expect(now.receivedHz).toBeCloseTo(65);
  });
});

describe("what follows", () => {
  it("is a relay where most links are bad, and fewer states told", () => {
    const watch = new Watch();
    const bad = sight([
      link("a", { lossShare: 0.4 }),
      link("b", { lossShare: 0.4 }),
      link("c", { lossShare: 0.4 }),
    ]);
    const demands = Array.from({ length: 20 }, (_, n) =>
      watch.demand(bad, watch.look(bad, n * 1000), n * 1000),
    );
    const frameBytes = LIMITS.RELAY_FRAME_BYTES;
    expect(demands[0]).toEqual({ relay: false, sendHz: 5, frameBytes });
    expect(demands.at(-1)).toEqual({ relay: true, sendHz: 5, frameBytes });
  });

  it("is a shorter frame of the node's where the connection to it is bad", () => {
    const bytes = [0.005, 0.06, 0.5].map((lossShare) => {
      const watch = new Watch();
      const seen = sight([link(NODE, { path: "node", lossShare })]);
      return watch.demand(seen, watch.look(seen, 0), 0).frameBytes;
    });
    expect(bytes).toEqual([LIMITS.RELAY_FRAME_BYTES, LIMITS.RELAY_PART_BYTES, LIMITS.RELAY_FRAME_BYTES_MIN]);
  });

  it("is a shorter frame where the way from the node is narrow, however wide the one there is", () => {
    const watch = new Watch();
    const seen = sight([link(NODE, { path: "node", availableKbps: 2000, incomingKbps: 30 })]);
    expect(watch.demand(seen, watch.look(seen, 0), 0).frameBytes).toBe(LIMITS.RELAY_FRAME_BYTES_MIN);
  });

  it("is the mesh at full pace where links are good, and nothing without a plane", () => {
    const watch = new Watch();
    const good = sight([link("a", { availableKbps: 900 })]);
    expect(watch.demand(good, watch.look(good, 0), 0)).toMatchObject({ relay: false, sendHz: 20 });
    const none = sight([], { view: null });
    expect(watch.demand(none, watch.look(none, 1000), 1000)).toEqual({});
  });
});

describe("a report", () => {
  it("has every connection, what is measured of it, within the wire's bounds", () => {
    const now = new Watch().look(
      sight([
        link("a", { rttMs: 90_000, availableKbps: 500 }),
        link("b", { open: false, path: "none", rttMs: null }),
      ]),
      0,
    );
    expect(reportOf(now, "tab")).toEqual({
      tab_id: "tab",
      carrier: "mesh",
      score: 1,
      links: [
        {
          peer_id: "a",
          path: "direct",
          score: 1,
          rtt_ms: 60_000,
          jitter_ms: 1,
          loss: 0,
          available_kbps: 500,
        },
        { peer_id: "b", path: "none", score: 0 },
      ],
    });
  });

  it("has no link to whom the node carries: it would count as one that could not be made", () => {
    const shut = { path: "none", open: false } as const;
    const links = [link(NODE, { path: "node" }), link("a", shut), link("b", shut), link("c")];
    const seen = sight(links, { view: view(links, { carrier: "relay", relayed: ["a", "c"] }) });
    const { links: told } = reportOf(new Watch().look(seen, 0), "tab") ?? { links: [] };
    expect(told?.map(({ peer_id, path }) => `${peer_id} ${path}`)).toEqual([
      `${NODE} node`,
      "b none",
      "c direct",
    ]);
  });

  it("has no more links than the wire takes, and is not made where nothing carries", () => {
    const many = Array.from({ length: 30 }, (_, n) => link(`p${n}`));
    expect(reportOf(new Watch().look(sight(many), 0), "tab")?.links).toHaveLength(LIMITS.LINKS_REPORTED);
    expect(reportOf(new Watch().look(sight([], { ground: "none" }), 0), "tab")).toBeNull();
  });

  it("says how voice is heard, where it is", () => {
    const now = new Watch().look(sight([link("a")]), 0);
    expect(reportOf(now, "tab", { mos: 4.1, loss: 0.01 })?.voice).toEqual({ mos: 4.1, loss: 0.01 });
    expect(reportOf(now, "tab", null)).not.toHaveProperty("voice");
  });
});
