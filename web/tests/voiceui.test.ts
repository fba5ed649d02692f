/** What voice says and in which order: words, scales, hands, channels' areas, muting everybody, keys. */

import { describe, expect, it } from "vitest";
import { recordingLabel, recordingLines } from "../src/ui/recordingwords";
import { zoneAround } from "../src/ui/voicechannelform";
import { areaOf, wayWords, zoneWords } from "../src/ui/voicechannels";
import { curvePath, halfAt } from "../src/ui/voicecurve";
import { holdTo, talkKey } from "../src/ui/voicekeys";
import { micAction, micLabels } from "../src/ui/voicemic";
import { muteAll } from "../src/ui/voicemoderation";
import { handsOf, signsOf, zonesOf } from "../src/ui/voiceorder";
import { clockText, meterOf, mosBars, percentOf, volumeOf } from "../src/ui/voicescale";
import { choices } from "../src/ui/voicesetup";
import {
  channelWords,
  deviceWords,
  microphoneTrouble,
  moderatedWords,
  noticesOf,
  outputWords,
  ownWords,
  personWords,
} from "../src/ui/voicewords";
import { AT_FIRST } from "../src/voice/settings";
import type { MicrophoneState, OwnView, VoiceView } from "../src/voice/types";
import { ApiError } from "../src/wire/client";
import { FakeVoice, MAIN, nothing, person } from "./fakevoice";

function joined(own: Partial<OwnView> = {}, change: Partial<VoiceView> = {}): VoiceView {
  const view = nothing();
  return {
    ...view,
    status: { kind: "joined" },
    sound: "running",
    own: { ...view.own, microphone: "live", ...own },
    ...change,
  };
}

const kinds = (view: VoiceView, listens = false): string[] =>
  noticesOf(view, () => "Ada", listens).map(({ kind }) => kind);

describe("the own state", () => {
  it("is live while nothing keeps the voice from being heard", () => {
    expect(ownWords(joined())).toMatchObject({ tone: "live", icon: "mic", title: "Microphone on" });
    expect(ownWords(joined({ speaking: true })).title).toBe("Speaking");
  });

  it("names a moderator's mute before one's own and before the microphone", () => {
    const words = ownWords(joined({ muted: true, selfMuted: true, microphone: "denied", listening: true }));
    expect(words).toMatchObject({ tone: "bad", title: "Muted by a moderator" });
  });

  it("has another short word for a moderator's mute than for one's own", () => {
    expect(ownWords(joined({ selfMuted: true })).short).toBe("Muted");
    expect(ownWords(joined({ muted: true })).short).toBe("Silenced");
  });

  it("says whether anybody hears one who speaks", () => {
    const hint = (...people: VoiceView["people"]) => ownWords(joined({ speaking: true }, { people })).hint;
    expect(hint()).toBe("Nobody else is in voice to hear you.");
    expect(hint(person("a", { audible: false }))).toBe("Nobody hears you here.");
    expect(hint(person("a", { audible: false }), person("b"))).toBe("The others near you hear you.");
  });

  it.each<[MicrophoneState, string]>([
    ["denied", "Microphone not allowed"],
    ["none", "No microphone found"],
    ["busy", "Microphone in use"],
    ["ended", "Microphone is gone"],
    ["insecure", "Microphone needs https"],
  ])("says what %s means and that the others are heard", (microphone, title) => {
    const words = ownWords(joined({ microphone, listening: true }));
    expect(words.title).toBe(title);
    expect(words.hint).toContain("You hear the others.");
    expect(microphoneTrouble(microphone)?.hint).not.toContain("You hear"); // before one joined, too
  });

  it("tells why a channel does not let one speak", () => {
    const words = ownWords(joined({ silentBecause: "Only owners and editors speak here." }));
    expect(words).toMatchObject({ tone: "quiet", hint: "Only owners and editors speak here." });
  });

  it("asks to hold where one talks by holding, and is live only then", () => {
    const settings = { ...AT_FIRST, talking: { ...AT_FIRST.talking, mode: "push" as const } };
    expect(ownWords(joined({}, { settings }))).toMatchObject({ tone: "quiet", title: "Hold to speak" });
    expect(ownWords(joined({ held: true }, { settings }))).toMatchObject({ tone: "live", title: "Speaking" });
  });
});

describe("the microphone's button", () => {
  const own = (change: Partial<OwnView>) => joined(change).own;

  it("raises the hand of whom a moderator muted, and never mutes them besides", () => {
    for (const more of [{}, { selfMuted: true }, { listening: true }])
      for (const push of [true, false]) {
        expect(micAction(own({ ...more, muted: true }), push)).toBe("ask");
        expect(micAction(own({ ...more, muted: true, handRaisedAtMs: 1 }), push)).toBe("wait");
      }
    expect(micLabels("ask", "Muted by a moderator")).toEqual({
      label: "Raise your hand to ask to speak. Muted by a moderator",
      title: "Muted by a moderator. Raise your hand to ask to speak (M)",
    });
  });

  it("else opens, mutes, unmutes, or is held", () => {
    expect(micAction(own({ listening: true, selfMuted: true }), true)).toBe("open");
    expect(micAction(own({ selfMuted: true }), true)).toBe("unmute");
    expect(micAction(own({}), false)).toBe("mute");
    expect(micLabels(micAction(own({}), true), "Hold to speak").title).toBe("Hold to speak (B)");
  });
});

describe("a moderator's mute", () => {
  const told = (before: boolean, change: Partial<OwnView>) => moderatedWords(before, joined(change).own);

  it("is told when it comes, with the hand to raise, and when it is over", () => {
    expect(told(false, { muted: true })).toEqual({
      text: "A moderator muted you: nobody hears you.",
      ask: true,
    });
    expect(told(false, { muted: true, handRaisedAtMs: 1 })?.ask).toBe(false);
    expect(told(true, {})?.text).toBe("You may speak again.");
    expect(told(true, { selfMuted: true })?.text).toContain("once you unmute yourself");
    expect([told(true, { muted: true }), told(false, {})]).toEqual([null, null]);
  });
});

describe("what asks for an answer", () => {
  it("is nothing outside of voice", () => {
    expect(kinds({ ...joined({ microphone: "denied" }), status: { kind: "out" } })).toEqual([]);
  });

  it("is whether to come back, of whom this tab had in voice before it was loaded anew", () => {
    const view = { ...joined(), status: { kind: "out" as const } };
    expect(kinds({ ...view, returning: { listening: false } })).toEqual(["return"]);
    expect(kinds(view)).toEqual([]);
  });

  it("asks to unmute only whom that would let speak", () => {
    expect(kinds(joined({ unmuteRequested: true }))).toEqual([]);
    expect(kinds(joined({ unmuteRequested: true, selfMuted: true }))).toEqual(["unmute"]);
    expect(kinds(joined({ unmuteRequested: true, selfMuted: true, muted: true }))).toEqual([]);
  });

  it("asks for consent until there is an answer, either one", () => {
    const recording = { recording_id: "rec_1", channel_id: "main", started_by: "usr_0", started_at_ms: 0 };
    expect(kinds(joined({}, { recording }))).toEqual(["consent"]);
    for (const consent of ["given", "declined"] as const)
      expect(kinds(joined({}, { recording, consent }))).toEqual([]);
  });

  it("puts held back sound first, for nothing else is heard of", () => {
    const view = joined({ microphone: "none", listening: true }, { sound: "blocked" });
    expect(kinds(view)).toEqual(["blocked", "microphone"]);
    expect(kinds(view, true)).toEqual(["blocked"]);
  });
});

describe("others", () => {
  it("are described by what matters most", () => {
    expect(personWords(person("a", { blocked: true, speaking: true }), true)).toBe("Blocked");
    expect(personWords(person("a", { speaking: true }), true)).toBe("Speaking");
    expect(personWords(person("a", { muted: true, selfMuted: true }), true)).toBe("Muted by a moderator");
    expect(personWords(person("a", { volume: 0 }), true)).toBe("Muted for you");
    expect(personWords(person("a", { audible: false }), true)).toBe("Too far away to hear");
    expect(personWords(person("a", { audible: false }), false)).toBe("Microphone on");
  });

  it("have their hands in the order in which they went up, one's own among them", () => {
    const people = [person("b", { handRaisedAtMs: 30 }), person("a", { handRaisedAtMs: 10 }), person("c")];
    const hands = handsOf(joined({ handRaisedAtMs: 20 }, { people }));
    expect(hands.map(({ userId }) => userId)).toEqual(["a", "usr_me", "b"]);
  });

  it("carry their signs on every page that they have", () => {
    const people = [person("a", { handRaisedAtMs: 1, muted: true, peerIds: ["a.1", "a.2"] }), person("b")];
    expect([...signsOf({ people })]).toEqual([
      ["a.1", ["hand", "micOff"]],
      ["a.2", ["hand", "micOff"]],
    ]);
  });
});

describe("channels", () => {
  it("say how many, how it sounds, who speaks", () => {
    expect(channelWords(MAIN, 1)).toBe("1 person · Spatial · Everyone speaks");
    expect(channelWords({ ...MAIN, capacity: 8, kind: "stage", speakers: "named" }, 3)).toBe(
      "3 of 8 · Stage · Chosen people speak",
    );
  });

  it("may be where one stands", () => {
    const zone = zoneAround([1.004, 1.62, -3], 4);
    expect(zone).toEqual({ least: [-3, -1, -7], greatest: [5, 4, 1] });
    expect(zoneWords({ zone })).toBe("Whoever stands in its 8 × 8 m area");
  });
});

describe("standing in an area", () => {
  const booth = { ...MAIN, channel_id: "vch_booth", name: "Booth", zone: zoneAround([0, 0, 0], 2) };
  const lecture = { ...MAIN, channel_id: "vch_lecture", name: "Lecture" };
  const channels = [MAIN, booth, lecture].map((channel) => ({
    channel,
    userIds: [],
    full: false,
    current: channel === booth,
  }));
  const way = (channel: typeof MAIN, own: Partial<OwnView>): string | null =>
    wayWords(channel, joined({ channelId: "vch_booth", ...own }, { channels }));

  it("is what is in the way of the channel that one chose, and of no other", () => {
    const own = { putId: "main", inArea: true };
    expect([MAIN, booth, lecture].map((channel) => way(channel, own))).toEqual([
      "Walk out of Booth to be here",
      null,
      null,
    ]);
  });

  it("is in nobody's way who stands in none, or was put where they stand", () => {
    expect(way(MAIN, { putId: "main", inArea: false, channelId: "main" })).toBeNull();
    expect(way(booth, { putId: "vch_booth", inArea: true })).toBeNull();
    expect(way(MAIN, { putId: "vch_booth", inArea: true })).toBeNull();
  });

  it("is not being put in an area's channel", () => {
    expect(areaOf(person("a", { channelId: "vch_booth", inArea: true }), channels)?.name).toBe("Booth");
    expect(areaOf(person("a", { channelId: "vch_booth", inArea: false }), channels)).toBeNull();
  });
});

describe("a recording of one channel", () => {
  const booth = { ...MAIN, channel_id: "vch_booth", name: "Booth" };
  const channels = [MAIN, booth].map((channel) => ({ channel, userIds: [], full: false, current: false }));
  const recording = {
    recording_id: "rec_1",
    channel_id: "vch_booth",
    started_by: "usr_0",
    started_at_ms: 0,
    consented: ["usr_0"],
  };
  const ada = (): string => "Ada";
  const seen = (channelId: string | null, consent: VoiceView["consent"]): VoiceView =>
    joined({ channelId }, { channels, recording, consent });
  const label = (channelId: string | null, consent: VoiceView["consent"]): string =>
    recordingLabel(seen(channelId, consent), recording, ada);

  it("names it, and says of the own voice what is so where one is", () => {
    expect(label("vch_booth", "given")).toBe(
      "The channel Booth is recorded, by Ada. Your voice is in it while you are in Booth.",
    );
    for (const elsewhere of ["main", null])
      expect(label(elsewhere, "given")).toBe(
        "The channel Booth is recorded, by Ada. Your voice is in it while you are in Booth. You are not there now.",
      );
    for (const consent of ["declined", null] as const)
      expect(label("vch_booth", consent)).toBe(
        "The channel Booth is recorded, by Ada. Your voice is not recorded.",
      );
  });

  it("asks for consent by the channel's name", () => {
    const [asked] = noticesOf(seen("main", null), ada, false);
    expect(asked).toMatchObject({ kind: "consent", title: "Ada records Booth" });
    expect(asked?.text).toBe("May your voice be in it while you are in Booth? Until you say yes, it is not.");
  });

  it("says what stays in it where all have taken their consent back", () => {
    const lines = recordingLines(
      seen("vch_booth", "declined"),
      { ...recording, consented: [], declined: ["usr_0"] },
      ada,
      0,
    );
    expect(lines).toEqual([
      "Ada started it just now. Only what those who agreed say in Booth is written.",
      "Nobody agrees any more: nothing more is written. What was written before is still in it.",
      "Your voice is not recorded.",
    ]);
  });
});

describe("areas on the floor", () => {
  it("are those of channels that have one, for whoever is in voice", () => {
    const nook = { ...MAIN, channel_id: "vch_1", name: "Nook", zone: zoneAround([0, 0, 0], 2) };
    const channels = [MAIN, nook].map((channel, n) => ({
      channel,
      userIds: [],
      full: false,
      current: n === 1,
    }));
    expect(zonesOf(joined({}, { channels }))).toEqual([{ name: "Nook", ...nook.zone, here: true }]);
    expect(zonesOf({ channels, status: { kind: "out" } })).toEqual([]);
  });
});

describe("scales", () => {
  it("volumes survive the slider", () => {
    for (const percent of [0, 5, 50, 100, 150, 200]) expect(percentOf(volumeOf(percent))).toBe(percent);
    expect(volumeOf(200)).toBe(4);
  });

  it("a meter is empty at silence and full at full scale", () => {
    expect(meterOf(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(meterOf(-30)).toBe(0.5);
    expect(meterOf(3)).toBe(1);
  });

  it("bars follow the steps of G.107", () => {
    expect([4.2, 3.7, 3.2, 2.4, null].map((mos) => mosBars(mos))).toEqual([4, 3, 2, 1, null]);
  });

  it("a curve begins at full loudness, and knows where half of it is left", () => {
    const law = { model: "inverse", reference_m: 1, rolloff: 1, max_m: 20 } as const;
    expect(curvePath(law, 20)).toMatch(/^M0\.0 6\.0L/);
    expect(halfAt(law)).toBeCloseTo(2, 1);
    expect(halfAt({ ...law, rolloff: 0 })).toBeNull();
  });

  it("time is minutes and seconds", () => {
    expect([0, 187_900, 3_600_000].map(clockText)).toEqual(["0:00", "3:07", "60:00"]);
  });
});

describe("devices", () => {
  it("keep a chosen one that is not connected in the list", () => {
    const { options } = choices([{ id: "a", label: "" }], "gone", "Microphone");
    expect(options).toEqual([
      ["", "The system's own"],
      ["a", "Microphone 1"],
      ["gone", "Microphone that is not connected"],
    ]);
  });

  it("that come back are used only when the person says so", () => {
    expect(deviceWords({ kind: "returned", device: { id: "a", label: "Jabra" } }).use).toBe(true);
    expect(deviceWords({ kind: "fell_back", label: "Jabra" })).toEqual({
      text: "Jabra is gone. The system's own is used.",
      use: false,
    });
  });
});

describe("a speaker that is gone", () => {
  it("is told of once, and that it is used again", () => {
    expect(outputWords(null, null, "headset")).toBeNull();
    expect(outputWords(null, "headset", "headset")).toContain("not there");
    expect(outputWords("headset", "headset", "headset")).toBeNull();
    expect(outputWords("headset", null, "headset")).toContain("used again");
  });

  it("is not said to be back where another is used by choice", () => {
    expect(outputWords("headset", null, "speakers")).toBeNull();
    expect(outputWords("headset", null, null)).toBeNull();
    expect(outputWords("headset", "earphones", "earphones")).toContain("not there");
  });
});

describe("muting everybody", () => {
  const slowed = new ApiError("rate.limited", "Slower.", 429, "", 700);

  it("leaves alone who is muted, and waits where it is slowed down", async () => {
    const voice = new FakeVoice();
    voice.refusal = slowed;
    const waits: number[] = [];
    await muteAll(voice, [person("a"), person("b", { muted: true }), person("c")], async (ms) => {
      waits.push(ms);
    });
    expect(voice.asked.map(([, userId]) => userId)).toEqual(["a", "a", "c"]);
    expect(waits).toEqual([700]);
  });

  it("stops at a refusal", async () => {
    const voice = new FakeVoice();
    voice.refusal = new ApiError("role.forbidden" as never, "No.", 403, "", 0);
    await expect(muteAll(voice, [person("a"), person("c")], async () => {})).rejects.toThrow("No.");
    expect(voice.asked).toHaveLength(1);
  });
});

describe("the key to talk with", () => {
  it("is B, or the space bar while nothing else has it", () => {
    expect(talkKey("KeyB", false)).toBe(true);
    expect(talkKey("Space", true)).toBe(true);
    expect(talkKey("Space", false)).toBe(false);
    expect(talkKey("KeyV", true)).toBe(false);
  });

  it("opens the microphone only where one talks so, and closes it whatever became of that meanwhile", () => {
    const voice = new FakeVoice();
    const push = { ...AT_FIRST, talking: { ...AT_FIRST.talking, mode: "push" as const } };
    holdTo(voice, true);
    voice.change({ status: { kind: "joined" } });
    holdTo(voice, true);
    expect(voice.asked).toEqual([]);
    for (const meanwhile of [{ status: { kind: "joining" as const } }, { settings: AT_FIRST }]) {
      voice.change({ status: { kind: "joined" }, settings: push });
      holdTo(voice, true);
      expect(voice.view.own.held).toBe(true);
      voice.change(meanwhile);
      holdTo(voice, false);
      expect(voice.view.own.held).toBe(false);
    }
  });
});
