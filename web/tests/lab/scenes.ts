/** Scenes that are rendered, each with what is to be measured of it. */

import { denoiser } from "../../src/voice/browser";
import { lawAt } from "../../src/voice/distance";
import { rmsDb } from "../../src/voice/levels";
import { AT_FIRST } from "../../src/voice/settings";
import type { Placement, SoundMode } from "../../src/voice/types";
import type { DistanceModel, Pose, Vec3 } from "../../src/wire/generated";
import { hiss, voice } from "../sounds";
import { click, loudness, part, peak, RATE, sides } from "./measure";
import { type Moment, render, tone } from "./offline";

const LAW = { model: "inverse", reference_m: 1.5, rolloff: 1, max_m: 40 } as const;

function at(who: string | null, position: Vec3 | null, more: Partial<Placement> = {}): Placement {
  return { who, position, distance: LAW, kind: "spatial", gain: 1, ...more };
}

function pose(position: Vec3): Pose {
  return { position, rotation: [0, 0, 0, 1] };
}

/** A tone plays in slot0 from the beginning, placed so. */
function begin(placement: Placement, hz = 440, amplitude = 0.25): Moment {
  return {
    atS: 0,
    call: (sound, context) => {
      sound.listener(pose([0, 0, 0]));
      sound.feed("slot0", tone(context, hz, amplitude));
      sound.place("slot0", placement);
    },
  };
}

/** Left and right in dBFS of a tone so far to a side. */
export async function side(mode: SoundMode, x: number, hz: number): Promise<readonly [number, number]> {
  const set: Moment = { atS: 0, call: (sound) => sound.settings({ ...AT_FIRST, mode }) };
  return sides(await render(1, [set, begin(at("per_a", [x, 0, 0]), hz)]), 0.5, 1);
}

/** By how much the measured gain differs from the law's, at each distance, in dB. */
export async function distances(model: DistanceModel, metres: readonly number[]): Promise<readonly number[]> {
  const law = { ...LAW, model };
  const heardAt = async (m: number): Promise<number> =>
    loudness(await render(1, [begin(at("per_a", [0, 0, -m], { distance: law }))]), 0.5, 1);
  const reference = await heardAt(LAW.reference_m);
  const off: number[] = [];
  for (const m of metres) off.push((await heardAt(m)) - reference - 20 * Math.log10(lawAt(law, m)));
  return off;
}

/** The loudest that is heard above 2 kHz of tones of 440 Hz while a slot becomes somebody else's, on the other side and further away. */
export async function switched(mode: SoundMode): Promise<number> {
  const moments: Moment[] = [
    { atS: 0, call: (sound) => sound.settings({ ...AT_FIRST, mode }) },
    begin(at("per_a", [-1.5, 0, 0])),
    { atS: 1, call: (sound) => sound.place("slot0", at("per_b", [3, 0, 1])) },
    { atS: 1.5, call: (sound) => sound.place("slot0", at("per_c", [0, 0, -1.5], { kind: "stage" })) },
    { atS: 2, call: (sound) => sound.place("slot0", at("per_d", [-1.5, 0, 0])) },
  ];
  return click(await render(2.5, moments), 2000, 0.7, 2.5);
}

/** The same where everything steps at once, as it would without ramps: what the measure makes of a real click. */
export async function stepped(): Promise<number> {
  const context = new OfflineAudioContext(2, RATE, RATE);
  const gain = context.createGain();
  tone(context, 440, 0.25).connect(gain).connect(context.destination);
  gain.gain.setValueAtTime(0, 0.5003);
  const buffer = await context.startRendering();
  return click({ left: buffer.getChannelData(0), right: buffer.getChannelData(1) }, 2000, 0.3, 0.8);
}

/** The loudest above 2 kHz while the listener walks past, and through the head of, who speaks, at 60 frames a second. */
export async function walked(mode: SoundMode): Promise<number> {
  const moments: Moment[] = [
    { atS: 0, call: (sound) => sound.settings({ ...AT_FIRST, mode }) },
    begin(at("per_a", [0, 0, 0])),
  ];
  for (let n = 0; n < 120; n++) {
    const x = -3 + n / 20;
    moments.push({ atS: 0.5 + n / 60, call: (sound) => sound.listener(pose([x, 0, 0])) });
  }
  return click(await render(3, moments), 2000, 0.4, 3);
}

/** The loudest above 2 kHz while volumes and modes change, a track is replaced, and somebody falls silent. */
export async function changed(): Promise<number> {
  const set = (atS: number, mode: SoundMode, master: number, equal = false): Moment => ({
    atS,
    call: (sound) => sound.settings({ ...AT_FIRST, mode, master, equal }),
  });
  const moments: Moment[] = [
    begin(at("per_a", [1, 0, 0])),
    set(0.6, "hrtf", 0.3),
    set(0.8, "stereo", 1),
    set(1, "mono", 1),
    set(1.2, "hrtf", 1),
    set(1.4, "hrtf", 1, true),
    { atS: 1.6, call: (sound) => sound.place("slot0", at("per_a", [1, 0, 0], { gain: 0.2 })) },
    { atS: 1.8, call: (sound, context) => sound.feed("slot0", tone(context, 440, 0.25)) },
    { atS: 2, call: (sound) => sound.place("slot0", null) },
  ];
  return click(await render(2.5, moments), 2000, 0.5, 2.5);
}

/** In dBFS, a third of a second after it: no placement, no volume, master at nothing, beyond the end of the law. */
export async function silences(): Promise<readonly number[]> {
  const ways: ((sound: Parameters<Moment["call"]>[0]) => void)[] = [
    (sound) => sound.place("slot0", null),
    (sound) => sound.place("slot0", at("per_a", [1, 0, 0], { gain: 0 })),
    (sound) => sound.settings({ ...AT_FIRST, master: 0 }),
    (sound) => sound.place("slot0", at("per_a", [0, 0, -41])),
    (sound) => sound.feed("slot0", null),
  ];
  const heard = ways.map((call) => render(1.5, [begin(at("per_a", [1, 0, 0])), { atS: 1, call }]));
  return (await Promise.all(heard)).map((one) => loudness(one, 1.35, 1.5));
}

/** The highest sample of so many loud voices at one place, and by how much one voice alone is louder or softer than it came, in dB. */
export async function crowd(voices: number): Promise<{ peak: number; aloneDb: number }> {
  const moments = Array.from(
    { length: voices },
    (_, n): Moment => ({
      atS: 0,
      call: (sound, context) => {
        sound.feed(`peer:${n}`, tone(context, 200 + 37 * n, 0.5));
        sound.place(`peer:${n}`, at(`per_${n}`, null));
      },
    }),
  );
  const all = await render(2, moments);
  const alone = await render(1, [begin(at("per_a", null), 440, 0.25)]);
  const came = 20 * Math.log10(0.25 / Math.SQRT2);
  return {
    peak: Math.max(peak(part(all.left, 1, 2)), peak(all.right)),
    aloneDb: loudness(alone, 0.5, 1) - came,
  };
}

/** What RNNoise, as the microphone has it, does to the noise behind a voice, and to a voice, in dB. */
export async function denoised(): Promise<{ noiseDb: number; voiceDb: number }> {
  const [noise, speech] = [hiss(0.02), voice()];
  const change = async (sound: (n: number) => number, fromS: number): Promise<number> => {
    const context = new OfflineAudioContext(1, 5 * RATE, RATE);
    const buffer = context.createBuffer(1, 5 * RATE, RATE);
    const samples = buffer.getChannelData(0);
    for (let n = 0; n < samples.length; n++) samples[n] = sound(n);
    const source = new AudioBufferSourceNode(context, { buffer });
    const made = await denoiser(context);
    source.connect(made.node).connect(context.destination);
    source.start();
    const heard = (await context.startRendering()).getChannelData(0);
    return rmsDb(part(heard, fromS, 5)) - rmsDb(part(samples, fromS, 5));
  };
  return {
    noiseDb: await change((n) => noise() + (n < 2 * RATE ? speech(n) : 0), 2.5),
    voiceDb: await change(speech, 1),
  };
}
