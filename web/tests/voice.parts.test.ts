import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OPUS_FMTP, refined } from "../src/peers/sdp";
import { Blocking } from "../src/voice/blocking";
import { Preferring } from "../src/voice/preferring";
import { placementOf, type Relation, Relations } from "../src/voice/relations";
import { SelfMute } from "../src/voice/selfmute";
import { Slots } from "../src/voice/slots";
import { channelAt, maySpeak } from "../src/voice/where";
import { LIMITS, type Role, type Vec3, type VoiceChannel, type VoicePerson } from "../src/wire/generated";
import { channel, person, voiceState } from "./voiceworld";
import { FakeWorld, peer, settle } from "./world";

const vectors = (name: string) => JSON.parse(readFileSync(`../tests/vectors/${name}`, "utf8"));

describe("A description as it is told", () => {
  const made = readFileSync("../tests/vectors/sdp/chromium_voice.sdp", "utf8").replaceAll(/\r?\n/g, "\r\n");
  const sections = refined(made).split(/^(?=m=)/m);
  const audio = sections.filter((one) => one.startsWith("m=audio "));

  it("has Opus alone in every audio section, with NACK, FEC and DTX, and the level as the only extension", () => {
    expect(audio).toHaveLength(5);
    for (const section of audio) {
      expect(section).toMatch(/^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 111\r\n/);
      expect(section.match(/^a=(rtpmap|fmtp|rtcp-fb|extmap):.*$/gm)?.sort()).toEqual([
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        `a=fmtp:111 ${OPUS_FMTP}`,
        "a=rtcp-fb:111 nack",
        "a=rtpmap:111 opus/48000/2",
      ]);
    }
  });

  it("keeps everything else as the browser made it, and is short enough to be a signal", () => {
    const rest = (sdp: string) => sdp.split(/^(?=m=)/m).filter((one) => !one.startsWith("m=audio "));
    expect(rest(refined(made))).toEqual(rest(made));
    for (const line of ["a=mid:", "a=ice-ufrag:", "a=fingerprint:", "a=setup:", "a=rtcp-mux"]) {
      for (const section of audio) expect(section).toContain(line);
    }
    expect(refined(made).length).toBeLessThan(LIMITS.SDP_CHARS);
    expect(refined(refined(made))).toBe(refined(made));
  });

  it("is left alone where there is no Opus", () => {
    const rejected = "v=0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=inactive\r\n";
    expect(refined(rejected)).toBe(rejected);
    expect(refined("v=0\r\n")).toBe("v=0\r\n");
  });
});

describe("Whom one blocks", () => {
  function blocked() {
    const world = new FakeWorld();
    const kept = new Set(["bob"]);
    const calls = { blocks: 0, away: 0 };
    const all = () => ({ blocked: [...kept] });
    const late = new Set<string>();
    const routes = {
      blocks: async () => {
        calls.blocks += 1;
        if (calls.away-- > 0) throw new Error("away");
        const now = all();
        await new Promise<void>((resolve) => world.after(50, resolve));
        return now;
      },
      block: async (userId: string) => {
        kept.add(userId);
        const now = all();
        if (late.has(userId)) await new Promise<void>((resolve) => world.after(300, resolve));
        return now;
      },
      unblock: async (userId: string) => void kept.delete(userId),
    };
    const random = () => world.random();
    const blocking = new Blocking({ routes, random, after: (ms, call) => world.after(ms, call) }, () => {});
    return { world, blocking, calls, late };
  }

  it("is read again until it is known", async () => {
    const { world, blocking, calls } = blocked();
    calls.away = 4;
    void blocking.read();
    await world.pass(50);
    expect([...blocking.users]).toEqual([]);
    await world.pass(20_000);
    expect([[...blocking.users], calls.blocks]).toEqual([["bob"], 5]);
  });

  it("is not what was read before somebody more was blocked here", async () => {
    const { world, blocking } = blocked();
    void blocking.read();
    await blocking.set("cleo", true);
    await world.pass(200);
    expect([...blocking.users].sort()).toEqual(["bob", "cleo"]);
    void blocking.read();
    await blocking.set("bob", false);
    await world.pass(200);
    expect([...blocking.users]).toEqual(["cleo"]);
  });

  it("is as the server has it after all of several that are blocked at once, whichever answer comes last", async () => {
    const { world, blocking, calls, late } = blocked();
    late.add("cleo");
    void blocking.set("cleo", true);
    await blocking.set("dan", true);
    await world.pass(1000);
    expect([...blocking.users].sort()).toEqual(["bob", "cleo", "dan"]);
    const { blocks } = calls;
    await blocking.set("eve", true);
    await world.pass(1000);
    expect(calls.blocks).toBe(blocks); // one alone is known by its answer
  });

  it("is not read any more once the room is over", async () => {
    const { world, blocking, calls } = blocked();
    calls.away = 1000;
    void blocking.read();
    await world.pass(1000);
    blocking.stop();
    const before = calls.blocks;
    await world.pass(60_000);
    expect(calls.blocks).toBe(before);
  });
});

describe("Where somebody is", () => {
  const { walks, channels, edge_m } = vectors("voice_where.json") as {
    edge_m: number;
    channels: VoiceChannel[];
    walks: { name: string; put_id: string; steps: { position: Vec3 | null; channel_id: string }[] }[];
  };

  it("is measured with the edge that the functions and the node have", () => {
    expect(LIMITS.VOICE_ZONE_EDGE_M).toBe(edge_m);
  });

  it.each(walks)("is what Python says: $name", ({ put_id, steps }) => {
    let was: string | null = null;
    for (const { position, channel_id } of steps) {
      was = channelAt(channels, put_id, was, position);
      expect(was).toBe(channel_id);
    }
  });

  it("says who may speak there", () => {
    const may = (speakers: VoiceChannel["speakers"], role: Role, who: Partial<VoicePerson> = {}) =>
      maySpeak(person("u", who), channel("main", { speakers, speaker_ids: ["n"] }), role);
    expect(may("everyone", "guest")).toBe(true);
    expect(["owner", "editor", "viewer", "guest"].map((role) => may("editors", role as Role))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(may("named", "editor")).toBe(false);
    expect(may("named", "owner")).toBe(true);
    expect(may("named", "guest", { user_id: "n" })).toBe(true);
    expect(may("everyone", "owner", { muted: true })).toBe(false);
    expect(may("everyone", "owner", { self_muted: true })).toBe(false);
    expect(maySpeak(null, channel("main"), "owner")).toBe(false);
  });
});

describe("Slots", () => {
  it("are who was named there last, whatever else is said", () => {
    const slots = new Slots();
    slots.take({ type: "voice.slots", slots: [{ slot: 1, peer_id: "a.1" }] });
    slots.take({ type: "voice.slots", slots: [{ slot: 0, peer_id: "b.1" }] });
    expect([slots.in(0), slots.in(1), slots.in(2), slots.in(99)]).toEqual(["b.1", "a.1", null, null]);
    expect([slots.of("a.1"), slots.of("z.1")]).toEqual([1, null]);
    slots.take({
      type: "voice.slots",
      slots: [
        { slot: 1, peer_id: null },
        { slot: 77, peer_id: "x.1" },
        { slot: -1, peer_id: "x.1" },
      ],
    });
    expect([slots.of("a.1"), slots.of("x.1")]).toEqual([null, null]);
    slots.speak({ type: "voice.speaking", peers: ["b.1"] });
    expect([slots.speaks("b.1"), slots.speaks("a.1")]).toEqual([true, false]);
    slots.reset();
    expect([slots.in(0), slots.speaks("b.1")]).toEqual([null, false]);
  });

  it("are asked for once, and again when it is another wish or another node", () => {
    const preferring = new Preferring();
    const state = voiceState([person("b"), person("a"), person("c")]);
    const due = (volumes: Record<string, number>) => preferring.due(4, volumes, state);
    const wish = due({ a: 0, b: 0, gone: 0, c: 0.5 });
    expect(wish).toEqual({ type: "voice.prefer", slots: 4, silenced: ["a", "b"] });
    if (wish) preferring.sent(wish);
    expect(due({ a: 0, b: 0 })).toBeNull();
    expect(due({ a: 0 })?.silenced).toEqual(["a"]);
    preferring.forget();
    expect(due({ a: 0, b: 0 })).not.toBeNull();
  });
});

describe("Who hears whom", () => {
  const places: Record<string, Vec3> = { "me.1": [0, 1.6, 0], "far.1": [90, 1.6, 0], "zone.1": [5, 1, 5] };
  const booth = channel("vch_bbbbbbbbbbbb", {
    zone: { least: [4, 0, 4], greatest: [6, 3, 6] },
    speakers: "named",
  });
  const state = voiceState(
    [person("me"), person("far"), person("zone"), person("foe"), person("loud", { priority: true })],
    [channel("main"), booth],
  );
  const relations = (me: string, blocked: string[] = []) => {
    const made = new Relations();
    made.look({
      state,
      me: peer(me),
      blocked: new Set(blocked),
      position: (id) => places[id] ?? null,
      peer: (id) => peer(id, { role: "guest" }),
    });
    return made.all;
  };

  it("is decided by channel, zone and block; nobody hears themselves", () => {
    const all = relations("me.1", ["foe"]);
    const near = [...all].filter(([, one]) => one.near).map(([id]) => id);
    expect(near).toEqual(["far.1", "loud.1"]);
    expect(all.get("zone.1")).toMatchObject({ near: false, speaks: false, channel: booth });
    expect(all.get("foe.1")).toMatchObject({ near: false, apart: true, speaks: true });
    expect(all.get("me.1")).toMatchObject({ apart: true, speaks: true });
  });

  it("knows who stands in the area of their channel, and who was only put there", () => {
    const put = { ...person("put"), channel_id: booth.channel_id };
    const both = { ...person("both"), channel_id: booth.channel_id };
    const made = new Relations();
    made.look({
      state: voiceState([person("me"), person("zone"), put, both], [channel("main"), booth]),
      me: peer("me.1"),
      blocked: new Set(),
      position: (id) => (id === "both.1" ? [5, 1, 5] : (places[id] ?? null)),
      peer: (id) => peer(id),
    });
    const standing = [...made.all].filter(([, one]) => one.inArea).map(([id]) => id);
    expect(standing).toEqual(["zone.1", "both.1"]);
    expect(made.all.get("put.1")?.channel).toBe(booth);
  });

  it("is nobody while this page is not in voice", () => {
    expect([...relations("other.1").values()].some(({ near }) => near)).toBe(false);
  });

  it("places a voice where its speaker stands, and not at all beyond the channel's end", () => {
    const relation = relations("me.1").get("far.1") as Relation;
    const at = (theirs: Vec3 | null, of = relation) =>
      placementOf("far.1", of, { own: [0, 1.6, 0], theirs }, 0.5);
    expect(at([10, 1.6, 0])).toEqual({
      who: "far.1",
      position: [10, 1.6, 0],
      distance: { model: "inverse", reference_m: 1.5, rolloff: 1, max_m: 40 },
      kind: "spatial",
      gain: 0.5,
    });
    expect(at([41, 1.6, 0])).toBeNull();
    const stage = { ...relation, channel: channel("main", { kind: "stage" }) };
    expect(at([90, 1.6, 0], stage)?.kind).toBe("stage");
    const first = { ...relation, person: person("far", { priority: true }) };
    expect(at([90, 1.6, 0], first)?.distance.rolloff).toBe(0);
  });
});

describe("The own mute", () => {
  const still = { now: () => 0, random: () => 0.5 };

  it("is so at once, in the order it was chosen, until the room says the same", async () => {
    const said: boolean[] = [];
    const mute = new SelfMute(async (muted) => void said.push(muted), still);
    const room = (self_muted: boolean) => voiceState([person("me", { self_muted })]);
    const shown = (self_muted: boolean) => mute.over(room(self_muted), "me").people[0]?.self_muted;
    const all = [mute.want(true), mute.want(false), mute.want(true)];
    expect(shown(false)).toBe(true);
    await Promise.all(all);
    expect(said).toEqual([true, true]);
    mute.learn(room(false), "me");
    expect(shown(false)).toBe(true);
    mute.learn(room(true), "me");
    expect(shown(false)).toBe(false);
  });

  it("stays muted here where telling fails, and never unmuted", async () => {
    const mute = new SelfMute(() => Promise.reject(new Error("no")), still);
    const shown = (self_muted: boolean) =>
      mute.over(voiceState([person("me", { self_muted })]), "me").people[0]?.self_muted;
    await expect(mute.want(true)).rejects.toThrow("no");
    expect(shown(false)).toBe(true);
    await expect(mute.want(false)).rejects.toThrow("no");
    await settle();
    expect(shown(true)).toBe(true);
  });

  /** Tells what comes of it in turn: a code of refusal, or null. */
  const telling = (...answers: (string | null)[]) => {
    const clock = { atMs: 0 };
    const said: boolean[] = [];
    const tell = async (muted: boolean) => {
      said.push(muted);
      const code = answers.shift() ?? null;
      if (code) throw Object.assign(new Error(code), { code });
    };
    return { clock, said, mute: new SelfMute(tell, { now: () => clock.atMs, random: () => 0.5 }) };
  };

  it("is told again where that failed: after a while, at once in a room that is entered again, until it is known", async () => {
    const { clock, said, mute } = telling("network", "network");
    await expect(mute.want(true)).rejects.toThrow("network");
    mute.again();
    expect(said).toHaveLength(1);
    clock.atMs = 1000;
    mute.again();
    mute.again();
    await settle();
    expect(said).toHaveLength(2);
    mute.entered();
    mute.again();
    await settle();
    expect(said).toEqual([true, true, true]);
    clock.atMs = 100_000;
    mute.entered();
    mute.again();
    expect(said).toHaveLength(3);
  });

  it("is not told again once the person speaks again, or once it is refused for good", async () => {
    const spoke = telling("network", null);
    await expect(spoke.mute.want(true)).rejects.toThrow("network");
    await spoke.mute.want(false);
    const refused = telling("session.ended");
    await expect(refused.mute.want(true)).rejects.toThrow("session.ended");
    for (const { clock, mute } of [spoke, refused]) {
      clock.atMs = 100_000;
      mute.entered();
      mute.again();
    }
    await settle();
    expect([spoke.said, refused.said]).toEqual([[true, false], [true]]);
  });
});
