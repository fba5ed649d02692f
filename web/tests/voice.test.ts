import { describe, expect, it } from "vitest";
import { pair, scene } from "./voicescene";
import { channel } from "./voiceworld";

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

  it("whose mute could not be told are not heard, and the others see it once it can be", async () => {
    const { ada, bob, room, town } = await pair();
    room.refusals.push("internal");
    await Promise.all([expect(ada.voice.mute(true)).rejects.toThrow("internal"), town.world.pass(90)]);
    expect(ada.voice.view.own.selfMuted).toBe(true);
    expect(ada.sendsTo("bob.1")).toBeNull();
    expect(bob.voice.view.people[0]?.selfMuted).toBe(false);
    ada.voice.entered();
    await town.world.pass(500);
    expect(bob.voice.view.people[0]?.selfMuted).toBe(true);
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
