import { beforeEach, describe, expect, it } from "vitest";
import { Carrier, type Over } from "../src/presence/carrier";
import type { State } from "../src/presence/states";
import type { PresenceState, ServerMessage } from "../src/wire/generated";
import { FakeWorld, settle } from "./world";

let world: FakeWorld;
let states: State[];
let over: Over | null;
let entered: number;
let heard: ServerMessage[];
let carrier: Carrier;

const at = (x: number): PresenceState => ({ pose: { position: [x, 1.6, 0], rotation: [0, 0, 0, 1] } });

beforeEach(() => {
  world = new FakeWorld();
  states = [];
  over = null;
  entered = 0;
  heard = [];
  carrier = new Carrier(world, 77, {
    onState: (state, reason) => {
      states.push(state);
      over = reason;
    },
    onEntered: () => {
      entered += 1;
    },
    onMessage: (message) => heard.push(message),
  });
});

async function live(): Promise<void> {
  carrier.start();
  await settle();
  world.last.welcome();
  await settle();
}

function echo(counter: number): void {
  const state = { peer_id: "gst_me.tab00000", epoch: 77, counter, at_ms: world.at, state: at(0) };
  world.last.tell({ type: "presence.frame", at_ms: world.at, states: [state] });
}

describe("entering", () => {
  it("asks for a ticket, connects with it, and enters with its protocol and epoch", async () => {
    await live();
    expect(world.last.url).toBe("/ws?ticket=t%2F1");
    expect(world.last.sent[0]).toMatchObject({ type: "room.enter", protocol: 1, epoch: 77 });
    expect(states).toEqual(["connecting", "live"]);
    expect(entered).toBe(1);
  });

  it("keeps what arrives between the room's state and its own readiness", async () => {
    carrier.start();
    await settle();
    world.last.welcome();
    world.last.tell({ type: "presence.frame", at_ms: 5, full: true });
    await settle();
    expect(heard.map(({ type }) => type)).toEqual(["room.state", "presence.frame"]);
  });

  it("takes a seat first when it is told that it has none", async () => {
    world.ticketProblem = { code: "participant.not_joined" };
    await live();
    expect(world.joins).toBe(1);
    expect(carrier.state).toBe("live");
  });

  it.each(["session.full", "session.ended", "participant.banned", "session.unknown"])(
    "stops for good when the room answers %s",
    async (code) => {
      world.ticketProblem = { code, message: "no" };
      carrier.start();
      await settle();
      await world.pass(120_000);
      expect(carrier.state).toBe("over");
      expect(over?.code).toBe(code);
      expect(world.tickets).toBe(1);
    },
  );

  it("can be started again after the end", async () => {
    world.ticketProblem = { code: "session.full" };
    carrier.start();
    await settle();
    world.ticketProblem = null;
    await live();
    expect(carrier.state).toBe("live");
  });

  it("is refused over the socket by a newer protocol", async () => {
    carrier.start();
    await settle();
    world.last.onopen?.();
    world.last.tell({
      type: "error",
      id: "enter",
      code: "protocol.unsupported",
      message: "",
      correlation_id: "c",
    });
    await settle();
    expect(over).toMatchObject({ kind: "refused", code: "protocol.unsupported" });
  });
});

describe("reconnecting", () => {
  it("comes back with a fresh ticket after the connection dropped, as the same peer", async () => {
    await live();
    world.last.drop();
    expect(carrier.state).toBe("waiting");
    await world.pass(1000);
    world.last.welcome();
    await settle();
    expect(world.tickets).toBe(2);
    expect(carrier.state).toBe("live");
  });

  it("waits longer after each failure, within the ceiling, spread by chance", async () => {
    world.ticketProblem = { code: "network" };
    world.chance = 0.999;
    carrier.start();
    const waits: number[] = [];
    for (let n = 0; n < 9; n++) {
      await settle();
      waits.push(carrier.retryAtMs - world.at);
      await world.pass(carrier.retryAtMs - world.at);
    }
    expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(20_000);
    world.chance = 0;
    await settle();
    await world.pass(25_000);
    expect(carrier.retryAtMs - world.at).toBeLessThanOrEqual(100);
  });

  it("joins again when handshakes keep being refused, for the seat may be gone", async () => {
    carrier.start();
    for (let n = 0; n < 2; n++) {
      await settle();
      world.last.drop();
      await settle();
      await world.pass(carrier.retryAtMs - world.at);
    }
    expect(world.joins).toBe(1);
  });

  it("gives a connection up that falls silent", async () => {
    await live();
    await world.pass(34_000);
    expect(states.slice(2)).toContain("waiting");
    expect(world.sockets[0]?.closedWith).toBe(4000);
  });

  it("pings every 20 s and measures the way there and back", async () => {
    await live();
    expect(world.last.sent.filter(({ type }) => type === "ping")).toHaveLength(1);
    world.at += 30;
    world.last.tell({ type: "pong", id: "ping-1", at_ms: world.at - 30, server_time_ms: 1 });
    expect(carrier.rttMs).toBe(30);
    await world.pass(20_000);
    expect(world.last.sent.filter(({ type }) => type === "ping")).toHaveLength(2);
  });

  it("waits while the browser is offline and returns the moment it is not", async () => {
    await live();
    carrier.offline();
    expect(carrier.state).toBe("offline");
    carrier.online();
    await settle();
    world.last.welcome();
    await settle();
    expect(carrier.state).toBe("live");
  });

  it("ignores what a connection it has left behind still says", async () => {
    await live();
    const old = world.last;
    old.drop();
    await world.pass(1000);
    world.last.welcome();
    await settle();
    old.drop();
    expect(carrier.state).toBe("live");
  });
});

describe("renewing", () => {
  it("opens the next connection before the limit and closes the old one after", async () => {
    await live();
    const old = world.last;
    for (let n = 0; n < 7000; n++) {
      await world.pass(1000);
      const ping = world.sockets[0]?.sent.at(-1);
      old.tell({ type: "pong", at_ms: Number(ping?.at_ms ?? 0), server_time_ms: 1 });
      if (world.sockets.length > 1) break;
    }
    expect(carrier.state).toBe("renewing");
    expect(old.closedWith).toBeNull();
    world.last.welcome();
    await settle();
    expect(old.closedWith).toBe(1000);
    expect(carrier.state).toBe("live");
    expect(states).not.toContain("waiting");
  });

  it("is not disturbed when the server closes the old connection first", async () => {
    await live();
    carrier.renew();
    await settle();
    world.sockets[0]?.drop(1000);
    world.last.welcome();
    await settle();
    expect(states).toEqual(["connecting", "live", "renewing", "connecting", "live"]);
    expect(world.sockets).toHaveLength(2);
  });

  it("keeps the serving connection where the next one fails, and tries later", async () => {
    await live();
    carrier.renew();
    await settle();
    world.last.drop();
    await settle();
    expect(carrier.state).toBe("live");
    expect(world.sockets[0]?.closedWith).toBeNull();
  });
});

describe("telling the own state", () => {
  it("sends at most five a second and the newest in the end", async () => {
    await live();
    for (let n = 0; n < 50; n++) {
      carrier.offer(at(n));
      await world.pass(20);
    }
    await world.pass(400);
    const sent = world.last.sent.filter(({ type }) => type === "presence.update");
    expect(sent.length).toBeLessThanOrEqual(7);
    expect(sent.at(-1)).toMatchObject({ epoch: 77, state: at(49) });
  });

  it("sends nothing while nothing changes and it was confirmed", async () => {
    await live();
    carrier.offer(at(1));
    echo(1);
    await world.pass(5000);
    carrier.offer(at(1));
    expect(world.last.updates()).toEqual([1]);
    expect(carrier.outbox.lastEchoMs).toBe(0);
  });

  it("sends again what no frame brought back within two seconds", async () => {
    await live();
    carrier.offer(at(1));
    await world.pass(2100);
    expect(world.last.updates()).toEqual([1, 2]);
  });

  it("tells everything again on a new connection", async () => {
    await live();
    carrier.offer(at(1));
    echo(1);
    world.last.drop();
    await world.pass(1000);
    world.last.welcome();
    await settle();
    expect(world.last.updates()).toEqual([2]);
  });

  it("is silent as long as the server asks when it was too fast, then tells the newest", async () => {
    await live();
    carrier.offer(at(1));
    world.last.tell({
      type: "error",
      code: "rate.limited",
      message: "",
      correlation_id: "c",
      retry_after_ms: 900,
    });
    carrier.offer(at(2));
    await world.pass(800);
    expect(world.last.updates()).toEqual([1]);
    await world.pass(200);
    expect(world.last.updates()).toEqual([1, 2]);
    expect(carrier.state).toBe("live");
  });
});

describe("the end", () => {
  it("leaves at once, saying so", async () => {
    await live();
    carrier.stop();
    expect(world.last.sent.at(-1)).toEqual({ type: "room.leave" });
    expect(world.last.closedWith).toBe(1000);
    expect(over?.kind).toBe("left");
  });

  it("stays out after it was removed, and says whether for good", async () => {
    await live();
    world.last.tell({ type: "participant.removed", user_id: "gst_me", banned: true, by: "gst_owner" });
    await world.pass(60_000);
    expect(over).toMatchObject({ kind: "removed", code: "participant.banned" });
    expect(world.sockets).toHaveLength(1);
  });

  it("goes on when somebody else is removed", async () => {
    await live();
    world.last.tell({ type: "participant.removed", user_id: "gst_other", banned: false, by: "gst_owner" });
    expect(carrier.state).toBe("live");
  });

  it("ends with the session", async () => {
    await live();
    world.last.tell({ type: "session.ended", session_id: "ses_aaaaaaaaaaaaaaaaaaaa" });
    expect(over?.kind).toBe("ended");
  });

  it("takes its seat again when it is told in the middle that it has none", async () => {
    await live();
    world.last.tell({ type: "error", code: "participant.not_joined", message: "", correlation_id: "c" });
    await settle();
    expect(world.joins).toBe(1);
    world.last.welcome();
    await settle();
    expect(carrier.state).toBe("live");
  });

  it("is not ended by bytes it cannot read", async () => {
    await live();
    world.last.onmessage?.({ data: "{" });
    world.last.onmessage?.({ data: new ArrayBuffer(2) });
    expect(carrier.state).toBe("live");
  });
});
