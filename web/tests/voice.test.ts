import { describe, expect, it } from "vitest";
import type { PeerId, VoiceState } from "../src/wire/generated";
import { Town } from "./peersworld";
import { channel, FakeVoiceRoom, person, Talker, voiceState } from "./voiceworld";

interface Scene {
  town: Town;
  room: FakeVoiceRoom;
  talkers: Map<PeerId, Talker>;
  come(id: string): Talker;
}

function scene(seed = 1): Scene {
  const town = new Town(seed);
  const room = new FakeVoiceRoom();
  const talkers = new Map<PeerId, Talker>();
  return { town, room, talkers, come: (id) => new Talker(town.come(id), room, talkers) };
}

/** Two pages that are connected, and in voice. */
async function pair(): Promise<Scene & { ada: Talker; bob: Talker }> {
  const made = scene();
  const [ada, bob] = [made.come("ada.1"), made.come("bob.1")];
  await made.town.world.pass(4000);
  for (const one of [ada, bob]) void one.voice.join();
  await made.town.world.pass(1500);
  return { ...made, ada, bob };
}

describe("Two pages", () => {
  it("hear each other once both are in voice, with one section that the greater id added", async () => {
    const { ada, bob, town } = await pair();
    expect(ada.sound.heard()).toEqual({ "peer:bob.1": "bob.1" });
    expect(bob.sound.heard()).toEqual({ "peer:ada.1": "ada.1" });
    expect(ada.sendsTo("bob.1")).toBe(ada.microphone.track);
    for (const one of [ada, bob]) {
      expect(one.connection(one === ada ? "bob.1" : "ada.1")?.transceivers).toHaveLength(1);
      expect(one.voice.view).toMatchObject({ status: { kind: "joined" }, carrier: "mesh" });
      expect(one.voice.view.people[0]).toMatchObject({ audible: true, maySpeak: true });
    }
    const offers = [ada, bob].map(({ page }) => page.sent.filter(({ type }) => type === "peer.offer").length);
    expect(offers).toEqual([0, 2]);
    expect(town.air.connections.filter(({ closed }) => !closed)).toHaveLength(2);
  });

  it("have the section when only the polite one is in voice, and nothing is sent to who is not", async () => {
    const { town, come } = scene();
    const [ada, bob] = [come("ada.1"), come("bob.1")];
    await town.world.pass(4000);
    void ada.voice.join();
    await town.world.pass(1500);
    expect(bob.connection("ada.1")?.transceivers[0]?.currentDirection).toBe("sendrecv");
    expect(ada.sendsTo("bob.1")).toBeNull();
    expect(bob.sound.tracks.size).toBe(0);
    expect(bob.voice.view.people.map(({ userId }) => userId)).toEqual(["ada"]);
  });

  it("talk, mute and speak again without another description", async () => {
    const { ada, bob, town } = await pair();
    const offers = () => bob.page.sent.length + ada.page.sent.length;
    const before = offers();
    const muted = ada.voice.mute(true);
    expect(ada.sendsTo("bob.1")).not.toBeNull();
    expect(ada.microphone.muted).toBe(true);
    await town.world.pass(300);
    await muted;
    expect(ada.sendsTo("bob.1")).toBeNull();
    expect(bob.sound.heard()).toEqual({});
    expect(ada.voice.view.own).toMatchObject({ selfMuted: true, silentBecause: "You are muted." });
    await Promise.all([ada.voice.mute(false), town.world.pass(300)]);
    expect(ada.sendsTo("bob.1")).toBe(ada.microphone.track);
    expect(bob.sound.heard()).toEqual({ "peer:ada.1": "ada.1" });
    expect(offers()).toBe(before);
  });

  it("are not heard when a moderator muted them, whatever they send", async () => {
    const { ada, bob, room, town } = await pair();
    room.set("ada", { muted: true });
    await town.world.pass(300);
    expect(ada.sendsTo("bob.1")).toBeNull();
    expect(bob.sound.heard()).toEqual({});
    expect(ada.voice.view.own.silentBecause).toBe("A moderator muted you.");
    expect(bob.voice.view.people[0]).toMatchObject({ muted: true, maySpeak: false });
  });

  it("that block are heard by neither, and only the blocker knows", async () => {
    const { ada, bob, town } = await pair();
    await Promise.all([ada.voice.block("bob", true), town.world.pass(300)]);
    expect(ada.sendsTo("bob.1")).toBeNull();
    expect(ada.sound.heard()).toEqual({});
    expect(ada.voice.view.people[0]).toMatchObject({ blocked: true, audible: false });
    expect(bob.voice.view.people[0]?.blocked).toBe(false);
    await Promise.all([ada.voice.block("bob", false), town.world.pass(300)]);
    expect(bob.sound.heard()).toEqual({ "peer:ada.1": "ada.1" });
  });

  it("in different channels hear nothing of each other; a zone is walked into", async () => {
    const { ada, bob, room, town } = await pair();
    const booth = channel("vch_booth", { zone: { least: [4, 0, -1], greatest: [6, 3, 1] } });
    room.become({ channels: [channel("main"), booth] });
    ada.position = [5, 1.6, 0];
    await town.world.pass(300);
    expect(ada.sendsTo("bob.1")).toBeNull();
    expect(bob.sound.heard()).toEqual({});
    expect(ada.voice.view.own.channelId).toBe("vch_booth");
    expect(bob.voice.view.channels.map(({ userIds, current }) => [userIds, current])).toEqual([
      [["bob"], true],
      [["ada"], false],
    ]);
    bob.position = [4.5, 1.6, 0];
    await town.world.pass(300);
    expect(bob.sound.placed.get("peer:ada.1")).toMatchObject({ who: "ada.1", position: [5, 1.6, 0] });
  });

  it("are as loud as the listener wants, and silent at no volume; it is remembered", async () => {
    const { ada, town } = await pair();
    ada.voice.volume("bob", 0.5);
    expect(ada.sound.placed.get("peer:bob.1")?.gain).toBe(0.5);
    ada.voice.volume("bob", 0);
    expect(ada.sound.placed.get("peer:bob.1")).toBeNull();
    expect(ada.shelf.kept.get("holodeck.voice")).toContain('"bob":0');
    await town.world.pass(200);
    expect(ada.voice.view.people[0]?.volume).toBe(0);
  });

  it("say when they speak, and stop saying so when they leave", async () => {
    const { ada, bob, town } = await pair();
    ada.microphone.speak(true);
    await town.world.pass(200);
    expect(ada.spoke).toEqual([true]);
    expect(bob.voice.view.people[0]?.speaking).toBe(true);
    await Promise.all([ada.voice.leave(), town.world.pass(500)]);
    expect(ada.spoke).toEqual([true, false]);
    expect(ada.microphone.state).toBe("off");
    expect(ada.sound.state).toBe("off");
    expect(bob.voice.view.people).toEqual([]);
    expect(bob.sound.heard()).toEqual({});
  });

  it("send at what was measured, from the first moment on", async () => {
    const { ada, town } = await pair();
    const sender = ada.connection("bob.1")?.transceivers[0]?.sender;
    expect(sender?.kbps).toBe(48);
    ada.hintKbps = 24;
    await town.world.pass(7000);
    expect(sender?.kbps).toBe(24);
    expect(ada.voice.view.figures).toMatchObject({ targetKbps: 24, slots: 4 });
  });

  it("hear each other again after the connection was made anew", async () => {
    const { ada, bob, town } = await pair();
    town.air.break("ada.1", "bob.1");
    await town.world.pass(30_000);
    expect(ada.sound.heard()).toEqual({});
    town.air.mend("ada.1", "bob.1");
    await town.world.pass(60_000);
    expect(ada.sound.heard()).toEqual({ "peer:bob.1": "bob.1" });
    expect(bob.sound.heard()).toEqual({ "peer:ada.1": "ada.1" });
  });

  it("of one person do not hear each other", async () => {
    const { town, come } = scene();
    const [one, two] = [come("ada.1"), come("ada.2")];
    await town.world.pass(4000);
    for (const talker of [one, two]) void talker.voice.join();
    await town.world.pass(1500);
    expect([one.sound.heard(), two.sound.heard()]).toEqual([{}, {}]);
    expect(one.sendsTo("ada.2")).toBeNull();
  });
});

describe("Any number of pages", () => {
  it("all hear all, in whatever order they come, join and are told", async () => {
    for (const seed of [3, 4, 5]) {
      const { town, come, talkers } = scene(seed);
      town.lost = 0.1;
      town.twice = 0.1;
      for (const id of ["c.1", "a.1", "d.1", "b.1"]) {
        void come(id).voice.join();
        await town.world.pass(300);
      }
      await town.world.pass(40_000);
      for (const one of talkers.values()) {
        const others = [...talkers.keys()].filter((id) => id !== one.id).sort();
        expect(Object.values(one.sound.heard()).sort()).toEqual(others);
      }
    }
  });
});

describe("Being in voice", () => {
  it("is as a listener where there is no microphone, and with one as soon as it is there", async () => {
    const { town, room, come } = scene();
    const ada = come("ada.1");
    ada.microphone.answer = "denied";
    void ada.voice.join();
    await town.world.pass(1000);
    expect(ada.voice.view.status.kind).toBe("joined");
    expect(ada.voice.view.own).toMatchObject({ microphone: "denied", listening: true });
    expect(ada.voice.view.own.silentBecause).toContain("may not use the microphone");
    expect(room.state.people[0]?.listening).toBe(true);
    ada.microphone.answer = "live";
    void ada.voice.openMicrophone();
    await town.world.pass(1000);
    expect(room.state.people[0]?.listening).toBe(false);
  });

  it("does not wait for the person's answer about the microphone", async () => {
    const { town, room, come } = scene();
    const ada = come("ada.1");
    ada.microphone.answer = "asking";
    void ada.voice.join();
    await town.world.pass(500);
    expect(ada.voice.view.status.kind).toBe("joined");
    await town.world.pass(1500);
    expect(room.state.people[0]?.listening).toBe(true);
    ada.microphone.become("live");
    await town.world.pass(500);
    expect(room.state.people[0]?.listening).toBe(false);
  });

  it("to listen asks for no microphone, until the person wants one", async () => {
    const { town, room, come } = scene();
    const ada = come("ada.1");
    void ada.voice.join(undefined, { listening: true });
    await town.world.pass(500);
    expect(ada.microphone.state).toBe("off");
    expect(room.state.people[0]).toMatchObject({ user_id: "ada", listening: true });
    void ada.voice.openMicrophone();
    await town.world.pass(500);
    expect(room.state.people[0]?.listening).toBe(false);
  });

  it("lasts through a reconnect, and rows that are new", async () => {
    const { ada, bob, room, town } = await pair();
    room.telling = false;
    room.leave("ada.1");
    room.telling = true;
    ada.voice.entered();
    await town.world.pass(500);
    expect(ada.voice.view.status.kind).toBe("joined");
    expect(bob.sound.heard()).toEqual({ "peer:ada.1": "ada.1" });
  });

  it("is taken again when a state no longer names this page, and not when it was removed", async () => {
    const { ada, room, town } = await pair();
    room.leave("ada.1");
    await town.world.pass(3000);
    expect(ada.voice.view.status.kind).toBe("joined");
    expect(room.state.people.some(({ user_id }) => user_id === "ada")).toBe(true);
    await ada.voice.remove("ada", true);
    await town.world.pass(3000);
    expect(ada.voice.view.status).toMatchObject({ kind: "failed", code: "voice.removed" });
    expect([ada.microphone.state, ada.sound.state]).toEqual(["off", "off"]);
    expect(ada.sound.tracks.size).toBe(0);
  });

  it("is tried again where the server could not, and given up with the reason where it would not", async () => {
    const { town, room, come } = scene();
    const ada = come("ada.1");
    await town.world.pass(100);
    room.refusals.push("upstream.unavailable", "rate.limited");
    void ada.voice.join();
    await town.world.pass(10_000);
    expect(ada.voice.view.status.kind).toBe("joined");
    const bob = come("bob.1");
    await town.world.pass(100);
    room.refusals.push("voice.full");
    await expect(Promise.all([bob.voice.join(), town.world.pass(2000)])).rejects.toMatchObject({
      code: "voice.full",
    });
    await town.world.pass(200);
    expect(bob.voice.view.status).toMatchObject({ kind: "failed", code: "voice.full" });
    void bob.voice.join();
    await town.world.pass(1000);
    expect(bob.voice.view).toMatchObject({ status: { kind: "joined" }, own: { listening: false } });
    expect(room.state.people.map(({ listening }) => listening ?? false)).toEqual([false, false]);
  });

  it("is left for good by a page that was loaded anew and did not join", async () => {
    const { town, room, come } = scene();
    room.become({ people: [person("ada")] });
    come("ada.1");
    await town.world.pass(500);
    expect(room.state.people).toEqual([]);
  });

  it("is offered again to a tab that was loaded anew in voice, and done when its person says so", async () => {
    const { ada, room, town, talkers } = await pair();
    ada.voice.stop(false);
    const again = new Talker(ada.page, room, talkers, ada.page.plane, ada.tab);
    await town.world.pass(1000);
    expect(again.voice.view).toMatchObject({ status: { kind: "out" }, returning: { listening: false } });
    expect([again.microphone.state, again.sound.state]).toEqual(["off", "off"]);
    void again.voice.join(undefined, again.voice.view.returning ?? {});
    await town.world.pass(1500);
    expect(again.voice.view).toMatchObject({ status: { kind: "joined" }, returning: null });
    expect(again.microphone.state).toBe("live");
  });

  it("is offered as it was, and no more to whoever left, said no, was refused, or is elsewhere", async () => {
    const { town, room, talkers } = scene();
    const page = town.come("ada.1");
    const load = async (tab?: Talker["tab"]) => {
      const made = new Talker(page, room, talkers, page.plane, tab);
      await town.world.pass(1000);
      return made;
    };
    const joined = async (tab?: Talker["tab"]) => {
      const made = await load(tab);
      void made.voice.join(undefined, { listening: true });
      await town.world.pass(1000);
      return made;
    };
    const first = await joined();
    first.voice.stop(false);
    const second = await load(first.tab);
    expect(second.voice.view.returning).toEqual({ listening: true });
    second.voice.stayOut();
    expect(second.voice.view.returning).toBeNull();
    expect((await load(second.tab)).voice.view.returning).toBeNull();
    const third = await joined(second.tab);
    await Promise.all([third.voice.leave(), town.world.pass(500)]);
    expect((await load(third.tab)).voice.view.returning).toBeNull();
    const gone = await joined(third.tab);
    gone.voice.stop(true);
    expect((await load(gone.tab)).voice.view.returning).toBeNull();
    const fourth = await load(gone.tab);
    room.refusals.push("voice.full");
    await expect(Promise.all([fourth.voice.join(), town.world.pass(1000)])).rejects.toMatchObject({});
    expect((await load(fourth.tab)).voice.view.returning).toBeNull();
    fourth.tab.setItem("holodeck.voice.inside", '{"session_id":"another","listening":false}');
    expect((await load(fourth.tab)).voice.view.returning).toBeNull();
    fourth.tab.setItem("holodeck.voice.inside", "7");
    expect((await load(fourth.tab)).voice.view.returning).toBeNull();
  });

  it("shows who was taken out until they are let back in, and all whom one blocks, though they are not there", async () => {
    const { ada, bob, town } = await pair();
    await Promise.all([ada.voice.remove("bob", true), ada.voice.block("bob", true), town.world.pass(500)]);
    expect(ada.voice.view).toMatchObject({ people: [], removed: ["bob"], blocked: ["bob"] });
    expect(bob.voice.view.blocked).toEqual([]);
    await Promise.all([ada.voice.remove("bob", false), ada.voice.block("bob", false), town.world.pass(500)]);
    expect(ada.voice.view).toMatchObject({ removed: [], blocked: [] });
  });

  it("keeps the newest state, whichever way it came", async () => {
    const { town, come } = scene();
    const ada = come("ada.1");
    await town.world.pass(100);
    const told = (state: VoiceState) => ada.voice.takes({ type: "voice.changed", voice: state });
    told(voiceState([person("new")], [channel("main")], 9));
    told(voiceState([person("old")], [channel("main")], 8));
    await town.world.pass(600);
    expect(ada.voice.view).toMatchObject({ revision: 9, people: [{ userId: "new" }] });
    expect(ada.voice.takes({ type: "pong", id: "x", at_ms: 1, server_time_ms: 1 })).toBe(false);
  });

  it("reads a state that no message carries, once for all that changed meanwhile", async () => {
    const { ada, room, town } = await pair();
    room.telling = false;
    room.become({ people: [...room.state.people, person("many")] });
    const reads = () => room.calls.filter((call) => call === "ada state").length;
    const before = reads();
    for (let n = 0; n < 20; n++) ada.voice.takes({ type: "voice.changed" });
    await town.world.pass(3000);
    expect(reads()).toBe(before + 1);
    expect(ada.voice.view.people.map(({ userId }) => userId)).toContain("many");
    ada.voice.takes({ type: "voice.changed" });
    await town.world.pass(3000);
    expect(reads()).toBe(before + 2);
  });

  it("cannot be without WebRTC, or where the person wants the WebSocket only", async () => {
    const { town, room, talkers } = scene();
    const ada = new Talker(town.come("ada.1"), room, talkers, null);
    await ada.voice.join();
    expect(ada.voice.view.status).toMatchObject({ kind: "unavailable" });
    expect(ada.microphone.state).toBe("off");
    const bob = new Talker(town.come("bob.1"), room, talkers);
    void bob.voice.join();
    await town.world.pass(1000);
    bob.page.plane.demand({ websocketOnly: true });
    await town.world.pass(1000);
    expect(bob.voice.view.status).toMatchObject({ kind: "unavailable" });
    expect(room.state.people).toEqual([]);
    expect(bob.microphone.state).toBe("off");
  });

  it("ends with the room, and leaves nothing behind", async () => {
    const { ada, room, town } = await pair();
    ada.voice.stop(true);
    await town.world.pass(1000);
    expect([ada.microphone.state, ada.sound.state, ada.sound.tracks.size]).toEqual(["off", "off", 0]);
    expect(room.state.people.map(({ user_id }) => user_id)).toEqual(["bob"]);
  });

  it("a hundred times leaves nothing behind either", async () => {
    const { ada, bob, room, town } = await pair();
    for (let n = 0; n < 100; n++) {
      await Promise.all([ada.voice.leave(), town.world.pass(150)]);
      await Promise.all([ada.voice.join(), town.world.pass(150)]);
    }
    await town.world.pass(500);
    expect(room.state.people).toHaveLength(2);
    expect(ada.connection("bob.1")?.transceivers).toHaveLength(1);
    expect(bob.sound.tracks.size).toBe(1);
    expect(bob.sound.heard()).toEqual({ "peer:ada.1": "ada.1" });
  });

  it("tells hand, channel, consent, and what moderators do", async () => {
    const { ada, room, town } = await pair();
    room.become({
      recording: { recording_id: "rec_1", channel_id: "main", started_by: "bob", started_at_ms: 1 },
    });
    const { voice } = ada;
    const settings = { name: "Booth" };
    await Promise.all([
      voice.raiseHand(true),
      voice.declineUnmute(),
      voice.enterChannel("main"),
      voice.consent(true),
      voice.muteOther("bob", true),
      voice.requestUnmute("bob"),
      voice.move("bob", "main"),
      voice.setPriority("bob", true),
      voice.lowerHand("bob"),
      voice.createChannel(settings),
      voice.changeChannel("vch_x", settings),
      voice.deleteChannel("vch_x"),
      town.world.pass(500),
    ]);
    expect(room.calls.filter((call) => call.startsWith("ada")).slice(-12)).toEqual([
      'ada change {"hand_raised":true}',
      'ada change {"unmute_requested":false}',
      'ada change {"channel_id":"main"}',
      "ada consent rec_1 true",
      'ada change {"muted":true}',
      'ada change {"unmute_requested":true}',
      'ada change {"channel_id":"main"}',
      'ada change {"priority":true}',
      'ada change {"hand_raised":false}',
      "ada createChannel",
      "ada changeChannel",
      "ada deleteChannel",
    ]);
    expect(voice.view.own.handRaisedAtMs).toBe(1);
    expect(voice.view.people[0]).toMatchObject({ muted: true, priority: true, handRaisedAtMs: null });
  });
});

describe("An offer with more sections than a voice needs", () => {
  it("has its first audio taken, and everything else refused", async () => {
    const { town, come } = scene();
    const [ada] = [come("ada.1")];
    const zed = town.come("zed.1");
    await town.world.pass(4000);
    const theirs = town.air.connections.find(({ owner, closed }) => owner === "zed.1" && !closed);
    for (let n = 0; n < 5; n++) theirs?.addTransceiver("audio", { direction: "sendrecv" });
    await town.world.pass(2000);
    const ours = ada.connection("zed.1")?.transceivers ?? [];
    expect(ours.map(({ currentDirection }) => currentDirection)).toEqual([
      "sendrecv",
      ...Array.from({ length: 4 }, () => "stopped"),
    ]);
    void ada.voice.join();
    await town.world.pass(1500);
    expect(ada.sound.heard()).toEqual({});
    expect(zed.open()).toEqual(["ada.1"]);
  });
});
