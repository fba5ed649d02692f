import { describe, expect, it } from "vitest";
import { LIMITS, type PeerId, type VoicePrefer } from "../src/wire/generated";
import { FakeNode } from "./fakenode";
import { Town } from "./peersworld";
import { FakeVoiceRoom, person, Talker } from "./voiceworld";

interface Relayed {
  town: Town;
  room: FakeVoiceRoom;
  node: FakeNode;
  talkers: Map<PeerId, Talker>;
  come(id: string): Talker;
  /** What a page asked of the node, the newest last. */
  asked(one: Talker): VoicePrefer[];
}

/** A room on a node: two pages want it. */
function relayed(): Relayed {
  const town = new Town(7);
  const room = new FakeVoiceRoom();
  const node = new FakeNode(town, "node-1");
  const talkers = new Map<PeerId, Talker>();
  town.elsewhere = (from, message) => void node.receive(from, message);
  town.relay = { status: "ready", peer_id: "node-1", generation: 1 };
  town.meshMax = 1;
  const come = (id: string): Talker => new Talker(town.come(id), room, talkers);
  const asked = (one: Talker) =>
    (node.links.get(one.id)?.heard ?? [])
      .map((text) => JSON.parse(text))
      .filter(({ type }) => type === "voice.prefer");
  return { town, room, node, talkers, come, asked };
}

async function three(): Promise<Relayed & { ada: Talker; bob: Talker; cleo: Talker }> {
  const made = relayed();
  const [ada, bob, cleo] = [made.come("ada.1"), made.come("bob.1"), made.come("cleo.1")];
  for (const one of [ada, bob, cleo]) void one.voice.join();
  await made.town.world.pass(4000);
  return { ...made, ada, bob, cleo };
}

/** The node's word, as the page's control channel brings it. */
async function tell(made: Relayed, to: Talker, seats: Record<number, PeerId | null>): Promise<void> {
  const slots = Object.entries(seats).map(([slot, peer_id]) => ({ slot: Number(slot), peer_id }));
  made.node.tell(to.page, { type: "voice.slots", slots });
  await made.town.world.pass(300);
}

describe("A page on the relay", () => {
  it("offers one section that sends and one for each slot, from the first offer on", async () => {
    const { ada } = await three();
    const sections = ada.connection("node-1")?.transceivers ?? [];
    expect(sections.map(({ direction }) => direction)).toEqual([
      "sendonly",
      ...Array.from({ length: LIMITS.VOICE_SLOTS }, () => "recvonly"),
    ]);
    const offers = ada.page.sent.filter(({ type }) => type === "peer.offer");
    expect(offers).toHaveLength(1);
    expect(ada.sendsTo("node-1")).toBe(ada.microphone.track);
    expect(ada.voice.view).toMatchObject({
      carrier: "relay",
      people: [{ audible: true }, { audible: true }],
    });
  });

  it("speaks as well as ever where only the way here is narrow", async () => {
    const { ada, node, town } = await three();
    const sender = ada.connection("node-1")?.transceivers[0]?.sender;
    Object.assign(node, { kbps: 20 });
    await town.world.pass(20_000);
    expect(sender?.kbps).toBe(48);
  });

  it("hears whoever the node says is in a slot, and nobody while it says nothing", async () => {
    const made = await three();
    const { ada } = made;
    expect(ada.sound.tracks.size).toBe(LIMITS.VOICE_SLOTS);
    expect(ada.sound.heard()).toEqual({});
    await tell(made, ada, { 0: "bob.1", 2: "cleo.1" });
    expect(ada.sound.heard()).toEqual({ slot0: "bob.1", slot2: "cleo.1" });
    const tracks = [...ada.sound.tracks];
    await tell(made, ada, { 0: "cleo.1", 2: null });
    expect(ada.sound.heard()).toEqual({ slot0: "cleo.1" });
    expect([...ada.sound.tracks]).toEqual(tracks);
    expect(ada.voice.level("cleo.1")).toBe(-20);
    expect(ada.voice.level("bob.1")).toBe(Number.NEGATIVE_INFINITY);
  });

  it("hears whom the node names before anything else, as the connection opens", async () => {
    const made = relayed();
    const { node, town, come } = made;
    const list = node.list.bind(node);
    node.list = (page) => {
      list(page);
      node.tell(page, { type: "voice.slots", slots: [{ slot: 0, peer_id: "bob.1" }] });
      node.tell(page, { type: "voice.speaking", peers: ["bob.1"] });
    };
    const talkers = ["ada.1", "bob.1", "cleo.1"].map(come);
    for (const one of talkers) void one.voice.join();
    await town.world.pass(4000);
    const [ada, , cleo] = talkers;
    for (const one of [ada, cleo]) {
      expect(one?.sound.heard()).toEqual({ slot0: "bob.1" });
      expect(one?.voice.view.people.find(({ userId }) => userId === "bob")?.speaking).toBe(true);
    }
  });

  it("does not hear whom its person blocks, whatever the node does, nor itself", async () => {
    const made = await three();
    const { ada, town } = made;
    await Promise.all([ada.voice.block("bob", true), town.world.pass(300)]);
    await tell(made, ada, { 0: "bob.1", 1: "ada.1", 2: "nobody.1", 3: "cleo.1" });
    expect(ada.sound.heard()).toEqual({ slot3: "cleo.1" });
  });

  it("shows who speaks as the node says, heard or not", async () => {
    const { ada, node, town } = await three();
    node.tell(ada.page, { type: "voice.speaking", peers: ["cleo.1"] });
    await town.world.pass(300);
    expect(ada.voice.view.people.map(({ userId, speaking }) => [userId, speaking])).toEqual([
      ["bob", false],
      ["cleo", true],
    ]);
  });

  it("tells the node once what it wants: how many slots, and whose voice not", async () => {
    const made = await three();
    const { ada, town, asked } = made;
    expect(asked(ada)).toEqual([{ type: "voice.prefer", slots: 4, silenced: [] }]);
    ada.voice.volume("bob", 0);
    await town.world.pass(500);
    expect(asked(ada).slice(1)).toEqual([{ type: "voice.prefer", slots: 4, silenced: ["bob"] }]);
  });

  it("asks for fewer slots where what comes is broken, and rates nobody who may not be heard any more", async () => {
    const made = await three();
    const { ada, asked, town, room } = made;
    const connection = ada.connection("node-1");
    await tell(made, ada, { 0: "bob.1", 1: "cleo.1" });
    for (let second = 2; second < 20; second += 2) {
      if (connection) {
        connection.statistics = connection.transceivers.slice(1).map(({ mid }) => ({
          id: `i${mid}`,
          type: "inbound-rtp",
          kind: "audio",
          mid: mid ?? "",
          packetsReceived: 80 * second,
          packetsLost: 20 * second,
          totalSamplesReceived: 96_000 * second,
          concealedSamples: 9600 * second,
          silentConcealedSamples: 0,
        }));
      }
      await town.world.pass(2000);
    }
    expect(asked(ada).at(-1)?.slots).toBeLessThan(4);
    expect(ada.voice.view.figures).toMatchObject({ lossShare: 0.2, concealedShare: 0.1 });
    expect(ada.voice.quality()?.mos).toBeLessThan(3.5);
    room.set("bob", { muted: true });
    await tell(made, ada, { 1: null });
    const qualities = ada.voice.view.people.map(({ userId, quality }) => [userId, quality]);
    expect(qualities).toEqual([
      ["bob", null],
      ["cleo", null],
    ]);
    await town.world.pass(1000);
    expect(ada.voice.quality()).toBeNull();
  });

  it("sends nothing while it may not speak", async () => {
    const { ada, room, town } = await three();
    room.set("ada", { muted: true });
    await town.world.pass(300);
    expect(ada.sendsTo("node-1")).toBeNull();
    room.set("ada", { muted: false });
    await town.world.pass(300);
    expect(ada.sendsTo("node-1")).toBe(ada.microphone.track);
  });
});

describe("A room that is recorded", () => {
  const recording = { recording_id: "rec_1", channel_id: "main", started_by: "ada", started_at_ms: 1 };

  it("is on its node for as long as it is, however few they are, and however long they have been", async () => {
    for (const ids of [["ada.1"], ["ada.1", "bob.1"]]) {
      const { town, room, node, come } = relayed();
      const relay = town.relay;
      town.relay = { status: "none" };
      town.meshMax = LIMITS.MESH_MAX;
      const talkers = ids.map(come);
      for (const one of talkers) void one.voice.join();
      await town.world.pass(60_000);
      room.become({ recording });
      town.tellRelay(relay);
      const sent = () => talkers.map((one) => one.sendsTo("node-1"));
      const own = talkers.map(({ microphone }) => microphone.track);
      await town.world.pass(3000);
      expect(sent()).toEqual(own);
      await town.world.pass(60_000);
      expect(sent()).toEqual(own);
      for (const one of talkers) expect(one.voice.view.carrier).toBe("relay");
      room.become({ recording: null });
      await town.world.pass(10_000);
      expect(node.links.size).toBe(0);
    }
  });

  it("has those on its node, too, who are not in voice, and are told only when they enter", async () => {
    const { town, room, node, come } = relayed();
    town.meshMax = LIMITS.MESH_MAX;
    room.become({ recording });
    const ada = come("ada.1");
    await town.world.pass(60_000);
    expect(node.links.has("ada.1")).toBe(true);
    expect(ada.voice.view.status.kind).toBe("out");
  });
});

describe("A room that changes its carrier", () => {
  it("goes from the mesh to the relay and back with its voices, each heard once at a time", async () => {
    const made = relayed();
    const { town, come, node } = made;
    const relay = town.relay;
    town.relay = { status: "none" };
    town.meshMax = 6;
    const [ada, bob] = [come("ada.1"), come("bob.1")];
    for (const one of [ada, bob]) void one.voice.join();
    await town.world.pass(4000);
    expect(ada.sound.heard()).toEqual({ "peer:bob.1": "bob.1" });
    town.meshMax = 1;
    for (const one of [ada, bob]) one.page.plane.demand({ relay: true });
    town.tellRelay(relay);
    let heard = 0;
    for (let n = 0; n < 60; n++) {
      await town.world.pass(100);
      if (node.links.get("ada.1") && n === 30)
        node.tell(ada.page, { type: "voice.slots", slots: [{ slot: 1, peer_id: "bob.1" }] });
      heard = Math.max(heard, Object.values(ada.sound.heard()).filter((who) => who === "bob.1").length);
    }
    expect(heard).toBe(1);
    expect(ada.sound.heard()).toEqual({ slot1: "bob.1" });
    expect(ada.voice.view.carrier).toBe("relay");
    node.die();
    await town.world.pass(20_000);
    expect(ada.sound.heard()).toEqual({ "peer:bob.1": "bob.1" });
    expect(ada.voice.view).toMatchObject({ status: { kind: "joined" }, carrier: "mesh" });
  });

  it("forgets who sat where when another node relays it", async () => {
    const made = await three();
    const { ada, town } = made;
    await tell(made, ada, { 0: "bob.1" });
    const second = new FakeNode(town, "node-2");
    town.elsewhere = (from, message) => void second.receive(from, message);
    town.tellRelay({ status: "ready", peer_id: "node-2", generation: 2 });
    await town.world.pass(3000);
    expect(ada.connection("node-2")?.transceivers).toHaveLength(5);
    expect(ada.sound.heard()).toEqual({});
    second.tell(ada.page, { type: "voice.slots", slots: [{ slot: 0, peer_id: "cleo.1" }] });
    await town.world.pass(300);
    expect(ada.sound.heard()).toEqual({ slot0: "cleo.1" });
    expect(second.links.get("ada.1")?.heard.some((text) => text.includes("voice.prefer"))).toBe(true);
  });

  it("does not know a speaker whom the room's voice does not name yet", async () => {
    const made = await three();
    const { ada, room, town } = made;
    await tell(made, ada, { 0: "dora.1" });
    expect(ada.sound.heard()).toEqual({});
    room.become({ people: [...room.state.people, person("dora")] });
    await town.world.pass(300);
    expect(ada.sound.heard()).toEqual({ slot0: "dora.1" });
  });
});
