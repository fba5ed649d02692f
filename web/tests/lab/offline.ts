/** The real Sound, rendered as fast as the machine can: what happens at a moment is done while rendering is suspended there. */

import { soundPorts } from "../../src/voice/browser";
import { WebSound } from "../../src/voice/sound";
import { type Heard, heardOf, RATE } from "./measure";

export interface Moment {
  atS: number;
  call: (sound: WebSound, context: OfflineAudioContext) => void;
}

/** Chromium's offline contexts sometimes never come back from a suspension on a busy machine: then it is rendered anew. */
const STALLED_MS = 30_000;

/**
 * Renders so long; the moments in their order, and where there are later ones, ten a second more in which what was put off may be due.
 * An offline context has no streams: the way by which echo cancellers hear is a dead end here.
 */
export async function render(seconds: number, moments: readonly Moment[]): Promise<Heard> {
  for (let n = 0; n < 4; n++) {
    const stalled = new Promise<null>((resolve) => setTimeout(() => resolve(null), STALLED_MS));
    const heard = await Promise.race([rendered(seconds, moments), stalled]);
    if (heard) return heard;
  }
  throw new Error("rendering never ends");
}

async function rendered(seconds: number, moments: readonly Moment[]): Promise<Heard> {
  const context = new OfflineAudioContext(2, seconds * RATE, RATE);
  const offline = Object.assign(context, {
    baseLatency: 0,
    createMediaStreamDestination: () => Object.assign(context.createGain(), { stream: new MediaStream() }),
    close: async () => {},
  });
  const waiting: { atS: number; call: () => void }[] = [];
  const after = (ms: number, call: () => void): void => {
    waiting.push({ atS: context.currentTime + ms / 1000, call });
  };
  const sound = new WebSound({ ...soundPorts(after), context: () => offline as unknown as AudioContext });
  const started = sound.start();
  due(waiting, Number.POSITIVE_INFINITY);
  await started;
  for (const { call } of moments.filter(({ atS }) => atS === 0)) call(sound, context);
  for (const [quantum, all] of later(seconds, moments)) {
    void context.suspend((quantum * 128) / RATE).then(() => {
      due(waiting, context.currentTime);
      for (const { call } of all) call(sound, context);
      void context.resume();
    });
  }
  return heardOf(await context.startRendering());
}

/** By the number of the render quantum. */
function later(seconds: number, moments: readonly Moment[]): Map<number, Moment[]> {
  const times = new Map<number, Moment[]>();
  const told = moments.filter(({ atS }) => atS > 0);
  if (told.length === 0) return times;
  const frames = Array.from({ length: seconds * 10 - 1 }, (_, n) => ({ atS: (n + 1) / 10, call: () => {} }));
  for (const moment of [...told, ...frames]) {
    const quantum = Math.round((moment.atS * RATE) / 128);
    times.set(quantum, [...(times.get(quantum) ?? []), moment]);
  }
  return times;
}

function due(waiting: { atS: number; call: () => void }[], nowS: number): void {
  const now = waiting.filter(({ atS }) => atS <= nowS);
  waiting.splice(0, waiting.length, ...waiting.filter(({ atS }) => atS > nowS));
  for (const { call } of now) call();
}

export function tone(context: BaseAudioContext, hz: number, amplitude: number): AudioNode {
  const oscillator = context.createOscillator();
  oscillator.frequency.value = hz;
  const gain = context.createGain();
  gain.gain.value = amplitude;
  oscillator.connect(gain);
  oscillator.start();
  return gain;
}
