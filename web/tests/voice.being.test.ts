import { describe, expect, it } from "vitest";
import type { VoiceState } from "../src/wire/generated";
import { pair, scene } from "./voicescene";
import { channel, person, Talker, voiceState } from "./voiceworld";

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
