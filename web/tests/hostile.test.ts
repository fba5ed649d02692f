import { describe, expect, it } from "vitest";
import { Allowance } from "../src/peers/allowance";
import type { Link } from "../src/peers/link";
import { LIMITS, type PresenceState, type ServerMessage } from "../src/wire/generated";
import { type Page, Town } from "./peersworld";

const at = (x: number): PresenceState => ({ pose: { position: [x, 1.6, 0], rotation: [0, 0, 0, 1] } });
const told = (counter: number): string =>
  JSON.stringify({ type: "presence.update", epoch: 9e12, counter, state: at(counter % 9) });
const signals = (page: Page, type: string): number => page.sent.filter((sent) => sent.type === type).length;

/** Ada and Bob are honest; Eve's page does as she likes. */
async function three(): Promise<{ town: Town; ada: Page; bob: Page; eve: Page; link: Link }> {
  const town = new Town();
  const [ada, bob] = [town.come("gst_ada.aaaaaaaa"), town.come("gst_bob.bbbbbbbb")];
  const eve = town.come("gst_eve.eeeeeeee");
  await town.world.pass(3000);
  expect(town.whole()).toBe(true);
  const link = [...eve.plane.mesh.links()].find(({ peerId }) => peerId === ada.id);
  if (!link) throw new Error("no link");
  return { town, ada, bob, eve, link };
}

describe("an allowance", () => {
  it("lets a burst in and what is refilled, in messages and in bytes", () => {
    const allowance = new Allowance({ burst: 3, perS: 2, bytesBurst: 1000, bytesPerS: 100 });
    const takes = (bytes: number, ms: number): boolean => allowance.take(bytes, ms);
    expect([1, 1, 1, 1].map((bytes) => takes(bytes, 0))).toEqual([true, true, true, false]);
    expect([takes(1, 499), takes(1, 500), takes(1, 500)]).toEqual([false, true, false]);
    expect([takes(2000, 60_000), takes(900, 60_000), takes(200, 60_000)]).toEqual([false, true, false]);
  });

  it("counts what it refused since it last let everything in for a while", () => {
    const allowance = new Allowance({ burst: 1, perS: 1, bytesBurst: 10, bytesPerS: 10 });
    for (let n = 0; n < 5; n++) allowance.take(1, 0);
    expect(allowance.refused).toBe(4);
    allowance.take(1, 20_000);
    expect(allowance.refused).toBe(0);
  });
});

describe("a page that floods", () => {
  it("is read no more than a channel may bring, and is let go of; the others stay", async () => {
    const { town, ada, bob, eve, link } = await three();
    const before = ada.heard.length;
    for (let n = 1; n <= 1600; n++) link.send("presence", told(n));
    await town.world.pass(1000);
    expect(ada.heard.length - before).toBeLessThan(LIMITS.CHANNEL_BURST + LIMITS.CHANNEL_REFILL_PER_S * 2);
    expect(ada.open()).toEqual([bob.id]);
    expect(eve.open()).toEqual([bob.id]);
    const made = town.air.connections.length;
    await town.world.pass(45_000);
    expect(ada.open()).toEqual([bob.id]);
    expect(town.air.connections.length - made).toBeLessThan(20);
    await town.world.pass(120_000);
    expect(ada.open().sort()).toEqual([bob.id, eve.id]);
  });

  it("is let go of for pings as well", async () => {
    const { town, ada, bob, link } = await three();
    for (let n = 1; n <= 1600; n++) link.send("control", '{"type":"ping","id":"q1","at_ms":1}');
    await town.world.pass(1000);
    expect(ada.open()).toEqual([bob.id]);
  });

  it("is told from one that was away for a moment: what is over is skipped, the link stays", async () => {
    const { town, ada, bob, eve, link } = await three();
    for (let n = 1; n <= 400; n++) link.send("presence", told(n));
    await town.world.pass(2000);
    expect(ada.open().sort()).toEqual([bob.id, eve.id]);
    link.send("presence", told(401));
    await town.world.pass(100);
    expect(ada.newest.get(eve.id)?.counter).toBe(401);
  });

  it("makes this page make few connections, however many it offers", async () => {
    const { town, ada, bob, eve } = await three();
    const made = town.air.connections.length;
    const offer = {
      type: "peer.offer",
      to: ada.id,
      from: eve.id,
      sdp: "v=0\r\no=- 99 1 IN IP4 0\r\na=ufrag:x\r\n",
    };
    for (let n = 0; n < 400; n++) {
      const link = `evil${n}`.padEnd(16, "0");
      ada.plane.receive({ ...offer, link } as ServerMessage);
      await town.world.pass(50);
    }
    expect(town.air.connections.length - made).toBeLessThan(60);
    expect(ada.open()).toContain(bob.id);
  });

  it("makes this page take few candidates of one connection", async () => {
    const { town, ada, bob, eve, link } = await three();
    const candidates = Array.from({ length: 16 }, (_, n) => ({ candidate: `candidate:${n}`, sdp_mid: "0" }));
    const message = { type: "peer.candidate", to: ada.id, from: eve.id, link: link.setup.link, candidates };
    for (let n = 0; n < 100; n++) {
      ada.plane.receive(message as ServerMessage);
      await town.world.pass(20);
    }
    const links = [...ada.plane.mesh.links()].map(({ setup }) => setup.link);
    expect(links).not.toContain(link.setup.link);
    expect(ada.open()).toContain(bob.id);
  });
});

describe("nonsense", () => {
  it("on the control channel is skipped", async () => {
    const { town, ada, bob, eve, link } = await three();
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    for (const text of [
      '{"type":"ping","id":{"toString":1},"at_ms":{}}',
      `{"type":"ping","id":${deep},"at_ms":1}`,
      `{"type":"ping","id":"${"x".repeat(30_000)}","at_ms":1}`,
      '{"type":"ping"}',
      '{"type":"pong","id":{"toString":1},"at_ms":1}',
      '{"type":"pong"}',
      '{"type":"relay.roster","members":5}',
    ]) {
      link.send("control", text);
    }
    await town.world.pass(3000);
    expect(ada.open().sort()).toEqual([bob.id, eve.id]);
    expect(ada.messages).toEqual([]);
  });

  it("in a description of very many sections ends that connection only", async () => {
    const { town, ada, bob, eve, link } = await three();
    const sdp = `v=0\r\no=- 7 99 IN IP4 0\r\n${"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(300)}`;
    const offer = { type: "peer.offer", to: ada.id, from: eve.id, link: link.setup.link, sdp };
    ada.plane.receive(offer as ServerMessage);
    await town.world.pass(100);
    expect(ada.open()).toEqual([bob.id]);
    expect(signals(ada, "peer.answer")).toBeGreaterThan(0);
  });
});
