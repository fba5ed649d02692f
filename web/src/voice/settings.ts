/**
 * What this device remembers of how one hears and speaks. Read as if a stranger had written it: what is not as it should be is as at first.
 */

import { read, type Shelf, write } from "../identity/keeping";
import { clamp } from "../motion/maths";
import { type MicrophoneSettings, type SoundSettings, VOLUME_MAX, type VoiceSettings } from "./types";

const KEY = "holodeck.voice";
/** People whose volume is remembered: those last changed. */
export const VOLUMES_KEPT = 200;
const ID_CHARS = 512;

export const THRESHOLD_DB = { least: -80, most: -10, start: -45 } as const;
export const HANG_MS = { least: 0, most: 2000, start: 300 } as const;

export const AT_FIRST: VoiceSettings = {
  master: 1,
  mode: "hrtf",
  equal: false,
  outputId: null,
  headphones: false,
  deviceId: null,
  processing: { echo: true, noise: "browser", gain: true },
  talking: { mode: "open", thresholdDb: THRESHOLD_DB.start, hangMs: HANG_MS.start },
  volumes: {},
};

export function loadVoiceSettings(shelf: Shelf): VoiceSettings {
  return voiceSettingsOf(read<unknown>(shelf, KEY));
}

export function keepVoiceSettings(shelf: Shelf, settings: VoiceSettings): void {
  write(shelf, KEY, settings);
}

/** Somebody's volume, as the one last changed; the oldest beyond VOLUMES_KEPT are forgotten, and so is one that is as at first. */
export function withVolume(settings: VoiceSettings, userId: string, volume: number): VoiceSettings {
  const others = Object.entries(settings.volumes).filter(([id]) => id !== userId);
  const kept = volume === 1 ? others : [...others, [userId, clamp(volume, 0, VOLUME_MAX)] as const];
  return { ...settings, volumes: Object.fromEntries(kept.slice(-VOLUMES_KEPT)) };
}

export function voiceSettingsOf(found: unknown): VoiceSettings {
  const said = record(found);
  return { ...soundOf(said), ...microphoneOf(said), volumes: volumesOf(said.volumes) };
}

function soundOf(said: Record<string, unknown>): SoundSettings {
  return {
    master: within(said.master, 0, 1, AT_FIRST.master),
    mode: oneOf(said.mode, ["hrtf", "stereo", "mono"], AT_FIRST.mode),
    equal: flag(said.equal, AT_FIRST.equal),
    outputId: id(said.outputId),
    headphones: flag(said.headphones, AT_FIRST.headphones),
  };
}

function microphoneOf(said: Record<string, unknown>): MicrophoneSettings {
  const [processing, talking] = [record(said.processing), record(said.talking)];
  return {
    deviceId: id(said.deviceId),
    processing: {
      echo: flag(processing.echo, AT_FIRST.processing.echo),
      noise: oneOf(processing.noise, ["off", "browser", "rnnoise"], AT_FIRST.processing.noise),
      gain: flag(processing.gain, AT_FIRST.processing.gain),
    },
    talking: {
      mode: oneOf(talking.mode, ["open", "push", "activation"], AT_FIRST.talking.mode),
      thresholdDb: within(talking.thresholdDb, THRESHOLD_DB.least, THRESHOLD_DB.most, THRESHOLD_DB.start),
      hangMs: within(talking.hangMs, HANG_MS.least, HANG_MS.most, HANG_MS.start),
    },
  };
}

function volumesOf(said: unknown): Record<string, number> {
  const known = Object.entries(record(said)).filter(
    (entry): entry is [string, number] =>
      entry[0] !== "__proto__" &&
      entry[0].length <= ID_CHARS &&
      typeof entry[1] === "number" &&
      Number.isFinite(entry[1]),
  );
  return Object.fromEntries(known.slice(-VOLUMES_KEPT).map(([who, at]) => [who, clamp(at, 0, VOLUME_MAX)]));
}

function record(said: unknown): Record<string, unknown> {
  return typeof said === "object" && said !== null ? (said as Record<string, unknown>) : {};
}

function within(said: unknown, least: number, most: number, start: number): number {
  return typeof said === "number" && Number.isFinite(said) ? clamp(said, least, most) : start;
}

function oneOf<T extends string>(said: unknown, known: readonly T[], start: T): T {
  return known.find((one) => one === said) ?? start;
}

function flag(said: unknown, start: boolean): boolean {
  return typeof said === "boolean" ? said : start;
}

function id(said: unknown): string | null {
  return typeof said === "string" && said.length > 0 && said.length <= ID_CHARS ? said : null;
}
