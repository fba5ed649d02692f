import { describe, expect, it } from "vitest";
import { Alternation } from "../src/peers/alternation";
import { Announcer } from "../src/peers/announcer";
import { ServerClock } from "../src/peers/clock";
import { Enrolment } from "../src/peers/enrolment";
import { Ice } from "../src/peers/ice";
import { Rate } from "../src/peers/rate";
import type { PlaneEvent } from "../src/peers/types";
import type { IceServers, WebRtcSession } from "../src/wire/generated";
import { FakeWorld, settle } from "./world";

const TURN = { urls: ["turn:t.example"], username: "u", credential: "c" };

describe("ICE servers", () => {
  const servers = (world: FakeWorld, username: string): IceServers => ({
    ice_servers: [{ urls: ["stun:s.example"] }, { ...TURN, username }],
    ttl_s: 3600,
    expires_at_ms: world.at + 3_600_000,
  });

  it("are fetched anew before their credentials end, and again where that fails", async () => {
    const world = new FakeWorld();
    let fetched = 0;
    const fresh: (string | undefined)[] = [];
    const ice = new Ice(
      world,
      async () => {
        fetched += 1;
        if (fetched === 1) throw { code: "network" };
        return servers(world, `u${fetched}`);
      },
      false,
      () => fresh.push(ice.configuration?.iceServers?.[1]?.username),
    );
    expect(ice.configuration).toBeNull();
    ice.take(servers(world, "u0"));
    await world.pass(3_500_000);
    expect(fresh).toEqual(["u0", "u2"]);
    ice.stop();
    await world.pass(9_000_000);
    expect(fetched).toBe(2);
  });

  it("are asked for by their lifetime where this page's clock is wrong", async () => {
    const world = new FakeWorld();
    let fetched = 0;
    const fetch = async (): Promise<IceServers> => {
      fetched += 1;
      return { ...servers(world, "u"), expires_at_ms: world.at + 90_000_000 };
    };
    const ice = new Ice(world, fetch, false, () => {});
    ice.take({ ...servers(world, "u"), expires_at_ms: world.at + 90_000_000 });
    await world.pass(3_600_000);
    expect(fetched).toBe(1);
  });

  it("stand beside the policy that a person chose", () => {
    const world = new FakeWorld();
    const ice = new Ice(
      world,
      async () => servers(world, "u"),
      true,
      () => {},
    );
    ice.take(servers(world, "u"));
    expect(ice.configuration).toEqual({
      iceServers: [{ urls: ["stun:s.example"] }, { ...TURN, username: "u" }],
      iceTransportPolicy: "relay",
    });
    expect(ice.nodeConfiguration).toEqual({ ...ice.configuration, iceTransportPolicy: "all" });
    expect(ice.nodeOnly).toBe(false);
    ice.take({ ...servers(world, "u"), ice_servers: [{ urls: ["stun:s.example"] }] });
    expect(ice.nodeOnly).toBe(true);
    ice.hideAddress = false;
    expect(ice.nodeOnly).toBe(false);
    ice.stop();
  });
});

describe("enrolment", () => {
  const session = { session_id: "s" } as unknown as WebRtcSession;
  const enrol = (
    world: FakeWorld,
    problems: string[],
  ): { got: WebRtcSession[]; calls: string[]; it: Enrolment } => {
    const got: WebRtcSession[] = [];
    const calls: string[] = [];
    const call = (name: string) => async (): Promise<WebRtcSession> => {
      calls.push(name);
      const code = problems.shift();
      if (code) throw { code };
      return session;
    };
    const routes = {
      open: call("open"),
      join: call("join"),
      iceServers: async () => session.ice,
      leave: async () => {},
    };
    return { got, calls, it: new Enrolment(world, routes, (joined) => got.push(joined)) };
  };

  it("opens once and joins at every entering", async () => {
    const world = new FakeWorld();
    const { got, calls, it: enrolment } = enrol(world, []);
    enrolment.start();
    await settle();
    enrolment.start();
    await settle();
    expect(calls).toEqual(["open", "join", "join"]);
    expect(got).toEqual([session, session]);
  });

  it("tries again where waiting may cure it, not for ever, and not where it was refused for good", async () => {
    const world = new FakeWorld();
    const once = enrol(world, ["network", "", "peer.unknown"]);
    once.it.start();
    await world.pass(60_000);
    expect(once.calls).toEqual(["open", "open", "join", "join"]);
    const never = enrol(
      world,
      Array.from({ length: 99 }, () => "network"),
    );
    never.it.start();
    await world.pass(600_000);
    expect(never.calls.length).toBe(9);
    const refused = enrol(world, ["session.ended"]);
    refused.it.start();
    await world.pass(600_000);
    expect(refused.calls).toEqual(["open"]);
  });
});

describe("a document's messages", () => {
  it("go by the relay first, and by the other way where they go again", () => {
    const alternation = new Alternation();
    const submit = (seq: number): boolean =>
      alternation.choose({ type: "op.submit", document_id: "d", client: "c", seq, base: 1, operations: [] });
    const fetch = (since: number): boolean =>
      alternation.choose({ type: "doc.fetch", document_id: "d", since });
    expect([submit(1), submit(1), submit(1), submit(2)]).toEqual([true, false, true, true]);
    expect([fetch(1), submit(2), fetch(1), fetch(3)]).toEqual([true, false, false, true]);
    expect(alternation.choose({ type: "ping" })).toBe(true);
  });
});

describe("the rest of the plane", () => {
  it("tells each change once: carrier, connections, relay", () => {
    const announcer = new Announcer();
    const events: PlaneEvent[] = [];
    const stop = announcer.listen((event) => events.push(event));
    const none = { status: "none" } as const;
    announcer.see("websocket", none, new Map([["a.1", "none"]]));
    announcer.see("mesh", none, new Map([["a.1", "direct"]]));
    announcer.see("mesh", none, new Map([["a.1", "turn"]]));
    announcer.see("mesh", { status: "starting" }, new Map([["a.1", "turn"]]));
    announcer.see("websocket", { status: "starting" }, new Map());
    stop();
    announcer.see("mesh", none, new Map([["a.1", "direct"]]));
    expect(events).toEqual([
      { kind: "link", peerId: "a.1", path: "direct" },
      { kind: "carrier", from: "websocket", to: "mesh" },
      { kind: "link", peerId: "a.1", path: "turn" },
      { kind: "relay", relay: { status: "starting" } },
      { kind: "link", peerId: "a.1", path: "none" },
      { kind: "carrier", from: "mesh", to: "websocket" },
    ]);
  });

  it("believes the quickest round trip about the server's clock, for two minutes", () => {
    const clock = new ServerClock();
    clock.heard(10_500, 0, 1000);
    clock.heard(20_060, 10_000, 10_100);
    clock.heard(30_900, 20_000, 20_900);
    expect(clock.now(50_000)).toBe(60_010);
    clock.heard(200_450, 190_000, 190_900);
    expect(clock.now(200_000)).toBe(210_000);
  });

  it("counts what came a second, over the last seconds", () => {
    const rate = new Rate();
    for (let now = 0; now <= 6000; now += 50) rate.add(now);
    expect(rate.perSecond(6000)).toBe(20);
    expect(rate.perSecond(20_000)).toBe(0);
  });
});
