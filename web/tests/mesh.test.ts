import { describe, expect, it } from "vitest";
import { FULL_PACE_MS } from "../src/presence/outbox";
import { LIMITS, type PresenceState } from "../src/wire/generated";
import { type Page, Town } from "./peersworld";
import { peer } from "./world";

const SEED = Number(process.env.HOLODECK_SEED ?? 1);
const ROUNDS = Number(process.env.HOLODECK_SEEDS ?? 25);

const at = (x: number): PresenceState => ({ pose: { position: [x, 1.6, 0], rotation: [0, 0, 0, 1] } });
const offers = (page: Page): number => page.sent.filter(({ type }) => type === "peer.offer").length;

async function pair(town: Town): Promise<[Page, Page]> {
  const ada = town.come("gst_ada.aaaaaaaa");
  const bob = town.come("gst_bob.bbbbbbbb");
  await town.world.pass(2000);
  expect(town.whole()).toBe(true);
  return [ada, bob];
}

describe("two pages", () => {
  it("connect by one offer, which the greater id makes", async () => {
    const [ada, bob] = await pair(new Town());
    expect([offers(ada), offers(bob)]).toEqual([0, 1]);
    expect(ada.plane.view().carrier).toBe("mesh");
    expect(ada.plane.view().links.map(({ path }) => path)).toEqual(["direct"]);
  });

  it("send candidates in batches", async () => {
    const [ada] = await pair(new Town());
    const batches = ada.sent.filter(({ type }) => type === "peer.candidate");
    expect(batches.map((batch) => "candidates" in batch && batch.candidates.length)).toEqual([3]);
  });

  it("tell each other where they are many times a second, and again once what changed may be lost", async () => {
    const town = new Town();
    const [ada, bob] = await pair(town);
    const before = bob.heard.length;
    for (let n = 0; n < 100; n++) {
      ada.be(at(n));
      await town.world.pass(16);
    }
    expect(bob.heard.length - before).toBeGreaterThan(25);
    town.air.loss = 1;
    ada.be(at(500));
    await town.world.pass(60);
    town.air.loss = 0;
    await town.world.pass(1000);
    expect(bob.newest.get(ada.id)?.state).toEqual(at(500));
    const quiet = bob.heard.length;
    await town.world.pass(5000);
    expect(bob.heard.length).toBe(quiet);
  });

  it("are believed to be who signalling says, whatever they write", async () => {
    const town = new Town();
    const [ada, bob] = await pair(town);
    const link = [...ada.plane.mesh.links()][0];
    const update = { type: "presence.update", epoch: 9e12, counter: 1, state: at(7) };
    link?.send("presence", JSON.stringify({ ...update, user_id: "gst_eve" }));
    await town.world.pass(100);
    expect(bob.newest.get(ada.id)?.epoch).not.toBe(9e12);
    link?.send("presence", JSON.stringify({ ...update, user_id: "gst_ada" }));
    await town.world.pass(100);
    expect(bob.newest.get(ada.id)?.epoch).toBe(9e12);
    expect([...bob.newest.keys()]).toEqual([ada.id]);
  });

  it("slow the WebSocket down once everybody is covered, after an overlap, and never while one is not", async () => {
    const town = new Town();
    const [ada] = await pair(town);
    await town.world.pass(3000);
    expect(ada.paceMs).toBe(LIMITS.COVERED_UPDATE_S * 1000);
    town.plain.push(peer("gst_old.oooooooo"));
    await town.world.pass(600);
    expect(ada.paceMs).toBe(FULL_PACE_MS);
    town.plain.pop();
    await town.world.pass(1000);
    expect(ada.paceMs).toBe(FULL_PACE_MS);
    await town.world.pass(1500);
    expect(ada.paceMs).toBe(LIMITS.COVERED_UPDATE_S * 1000);
  });

  it("are mended by an ICE restart when their path breaks and another is there", async () => {
    const town = new Town();
    const [ada, bob] = await pair(town);
    const events: string[] = [];
    ada.plane.onEvent((event) => events.push(event.kind === "carrier" ? event.to : event.kind));
    const before = [...bob.plane.mesh.links()][0];
    town.air.break(ada.id, bob.id);
    await town.world.pass(4500);
    expect([ada.paceMs, ada.open()]).toEqual([FULL_PACE_MS, []]);
    town.air.mend(ada.id, bob.id);
    await town.world.pass(6000);
    expect(town.whole()).toBe(true);
    expect([...bob.plane.mesh.links()][0]).toBe(before);
    expect(offers(bob)).toBeGreaterThan(1);
    const asked = ada.sent.filter(({ type }) => type === "peer.restart").length;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(4);
    expect(events).toEqual(["link", "websocket", "link", "mesh"]);
  });

  it("restart when the network of either changes", async () => {
    const town = new Town();
    const [ada, bob] = await pair(town);
    await town.world.pass(2000);
    for (const page of [ada, bob]) {
      page.plane.networkChanged();
      await town.world.pass(3000);
      expect(town.whole()).toBe(true);
    }
    expect(offers(ada) + offers(bob)).toBe(3);
  });

  it("stay on the WebSocket where they cannot connect, after ever rarer attempts, until something changes", async () => {
    const town = new Town();
    town.air.break("gst_ada.aaaaaaaa", "gst_bob.bbbbbbbb");
    const ada = town.come("gst_ada.aaaaaaaa");
    const bob = town.come("gst_bob.bbbbbbbb");
    await town.world.pass(600_000);
    const tried = offers(ada) + offers(bob);
    expect(tried).toBeLessThan(40);
    await town.world.pass(600_000);
    expect(offers(ada) + offers(bob)).toBe(tried);
    expect(ada.plane.view()).toMatchObject({ carrier: "websocket", links: [{ path: "none", open: false }] });
    expect(ada.paceMs).toBe(FULL_PACE_MS);
    town.air.mend(ada.id, bob.id);
    ada.plane.networkChanged();
    bob.plane.networkChanged();
    await town.world.pass(20_000);
    expect(town.whole()).toBe(true);
  });

  it("come together again when the connection of one is killed", async () => {
    const town = new Town();
    const [ada, bob] = await pair(town);
    await town.world.pass(6000);
    for (const connection of town.air.connections) if (connection.owner === ada.id) connection.close();
    await town.world.pass(300);
    expect(ada.open()).toEqual([]);
    await town.world.pass(15_000);
    expect(town.whole()).toBe(true);
    expect(bob.plane.mesh.isOpen(ada.id)).toBe(true);
  });

  it("connect anew when either page is loaded anew, with or without a word of farewell", async () => {
    for (const id of ["gst_ada.aaaaaaaa", "gst_bob.bbbbbbbb"]) {
      for (const farewell of [true, false]) {
        const town = new Town();
        await pair(town);
        await town.world.pass(8000);
        const old = town.pages.get(id);
        old?.plane.stop(farewell ? "left" : null, false);
        await town.world.pass(300);
        town.come(id);
        await town.world.pass(12_000);
        expect(town.whole()).toBe(true);
      }
    }
  });

  it("close when one leaves", async () => {
    const town = new Town();
    const [ada, bob] = await pair(town);
    town.leave(bob);
    expect(ada.open()).toEqual([]);
    await town.world.pass(1000);
    expect(town.air.connections.every(({ closed }) => closed)).toBe(true);
  });

  it("use the WebSocket only where a person wants that, and the mesh again where not", async () => {
    const town = new Town();
    const [ada] = await pair(town);
    ada.plane.demand({ websocketOnly: true });
    await town.world.pass(2000);
    expect(ada.plane.view().carrier).toBe("websocket");
    ada.plane.demand({ websocketOnly: false });
    await town.world.pass(25_000);
    expect(town.whole()).toBe(true);
  });

  it("tell only relayed addresses from when a person wants that", async () => {
    const town = new Town();
    town.turn = true;
    const [ada] = await pair(town);
    ada.plane.demand({ hideAddress: true });
    await town.world.pass(20_000);
    expect(town.whole()).toBe(true);
    const policies = town.air.connections
      .filter(({ closed, owner }) => !closed && owner === ada.id)
      .map(({ configuration }) => configuration.iceTransportPolicy);
    expect(policies).toEqual(["relay"]);
  });
});

describe("a mesh", () => {
  it("connects every two of six, and a seventh stays out while there is no relay", async () => {
    const town = new Town(3);
    for (let n = 0; n < 7; n++) {
      town.come(`gst_p${n}.tab0000${n}`);
      await town.world.pass(100);
    }
    await town.world.pass(5000);
    const open = [...town.pages.values()].map((page) => page.open().length);
    expect(open).toEqual([5, 5, 5, 5, 5, 5, 0]);
  });

  it("comes up whatever becomes of its signals: lost, told twice, late and out of order", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const town = new Town(SEED + round);
      town.lost = 0.1;
      town.twice = 0.1;
      town.delayMs = 400;
      const names = ["gst_a.aaaaaaaa", "gst_b.bbbbbbbb", "gst_c.cccccccc", "gst_d.dddddddd"];
      for (const name of names) {
        town.come(name);
        await town.world.pass(400 * town.random());
      }
      for (let fault = 0; fault < 6; fault++) {
        const [a, b] = [0, 1].map(() => names[Math.floor(town.random() * names.length)] ?? "");
        const page = town.pages.get(a ?? "");
        const which = Math.floor(town.random() * 4);
        if (which === 0) page?.plane.networkChanged();
        else if (which === 1 && a && b && a !== b) {
          town.air.break(a, b);
          await town.world.pass(20_000 * town.random());
          town.air.mend(a, b);
        } else if (which === 2 && page && a) {
          page.plane.stop(town.random() < 0.5 ? "left" : null, false);
          town.come(a);
        } else
          town.air.connections
            .filter(({ owner }) => owner === a)
            .at(-1)
            ?.close();
        await town.world.pass(6000 * town.random());
      }
      town.lost = 0;
      for (const page of town.pages.values()) page.plane.networkChanged();
      for (let s = 0, whole = 0; s < 120 && whole < 5; s++) {
        await town.world.pass(1000);
        whole = town.whole() ? whole + 1 : 0;
      }
      expect(town.whole(), `seed ${SEED + round}`).toBe(true);
      for (const page of town.pages.values()) page.be(at(round + page.id.charCodeAt(4)));
      await town.world.pass(2000);
      for (const page of town.pages.values()) {
        for (const other of town.pages.values()) {
          if (page === other) continue;
          expect(page.newest.get(other.id)?.state, `seed ${SEED + round}`).toEqual(
            at(round + other.id.charCodeAt(4)),
          );
        }
      }
      for (const page of town.pages.values()) page.plane.stop(null, false);
    }
  }, 120_000);
});
