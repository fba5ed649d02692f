import { describe, expect, it } from "vitest";
import type { Shelf } from "../src/identity/keeping";
import {
  AT_FIRST,
  keepVoiceSettings,
  loadVoiceSettings,
  VOLUMES_KEPT,
  voiceSettingsOf,
  withVolume,
} from "../src/voice/settings";
import { VOLUME_MAX } from "../src/voice/types";

function shelf(text: string | null = null): Shelf {
  let kept = text;
  return {
    getItem: () => kept,
    setItem: (_, value) => {
      kept = value;
    },
    removeItem: () => {
      kept = null;
    },
  };
}

const OTHER = {
  master: 0.4,
  mode: "stereo",
  equal: true,
  outputId: "speakers",
  headphones: true,
  deviceId: "headset",
  processing: { echo: false, noise: "rnnoise", gain: false },
  talking: { mode: "activation", thresholdDb: -38, hangMs: 450 },
  volumes: { usr_a: 0, usr_b: 2 },
} as const;

describe("What a device remembers of voice", () => {
  it("is what was kept, in every part", () => {
    const place = shelf();
    keepVoiceSettings(place, OTHER);
    expect(loadVoiceSettings(place)).toEqual(OTHER);
  });

  it("is as at first where nothing, or no JSON, is there", () => {
    expect(loadVoiceSettings(shelf())).toEqual(AT_FIRST);
    expect(loadVoiceSettings(shelf("{"))).toEqual(AT_FIRST);
  });

  it.each([null, 7, "text", [], { processing: 3, talking: null, volumes: "all" }])(
    "is as at first for %j",
    (found) => {
      expect(voiceSettingsOf(found)).toEqual(AT_FIRST);
    },
  );

  it("takes no value that is none: the rest stays", () => {
    const spoilt = {
      ...OTHER,
      master: Number.NaN,
      mode: "surround",
      equal: 1,
      outputId: "",
      deviceId: "x".repeat(513),
      processing: { ...OTHER.processing, noise: "all" },
      talking: { ...OTHER.talking, mode: "shout", hangMs: "long" },
    };
    expect(voiceSettingsOf(spoilt)).toEqual({
      ...OTHER,
      master: 1,
      mode: "hrtf",
      equal: false,
      outputId: null,
      deviceId: null,
      processing: { ...OTHER.processing, noise: "browser" },
      talking: { ...OTHER.talking, mode: "open", hangMs: 300 },
    });
  });

  it("bounds numbers", () => {
    const read = voiceSettingsOf({
      master: 9,
      talking: { thresholdDb: 20, hangMs: -5 },
      volumes: { a: 99, b: -1, c: "1" },
    });
    expect(read.master).toBe(1);
    expect(read.talking).toEqual({ mode: "open", thresholdDb: -10, hangMs: 0 });
    expect(read.volumes).toEqual({ a: VOLUME_MAX, b: 0 });
  });

  it("makes nobody's volume a prototype", () => {
    const read = voiceSettingsOf(JSON.parse('{"volumes":{"__proto__":2,"constructor":0.5}}'));
    expect(Object.entries(read.volumes)).toEqual([["constructor", 0.5]]);
    expect(Object.getPrototypeOf(read.volumes)).toBe(Object.prototype);
  });
});

describe("A person's volume", () => {
  it("is remembered until it is as at first again", () => {
    const louder = withVolume(AT_FIRST, "usr_a", 1.5);
    expect(louder.volumes).toEqual({ usr_a: 1.5 });
    expect(withVolume(louder, "usr_a", 1).volumes).toEqual({});
  });

  it("is within its bounds", () => {
    expect(withVolume(AT_FIRST, "usr_a", 50).volumes).toEqual({ usr_a: VOLUME_MAX });
  });

  it("pushes out the one that was changed longest ago", () => {
    let settings = AT_FIRST;
    for (let n = 0; n < VOLUMES_KEPT; n++) settings = withVolume(settings, `usr_${n}`, 0.5);
    settings = withVolume(settings, "usr_0", 0.6);
    settings = withVolume(settings, "usr_new", 0.7);
    expect(Object.keys(settings.volumes)).toHaveLength(VOLUMES_KEPT);
    expect(settings.volumes).toMatchObject({ usr_0: 0.6, usr_new: 0.7 });
    expect(settings.volumes.usr_1).toBeUndefined();
  });
});
