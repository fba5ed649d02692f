/** The real Sound and Microphone, in real time, on the browser's fake devices. */

import { browserMicrophone, browserSound, soundPorts } from "../../src/voice/browser";
import { rmsDb } from "../../src/voice/levels";
import { AT_FIRST } from "../../src/voice/settings";
import { WebSound } from "../../src/voice/sound";
import type { MicrophoneSettings } from "../../src/voice/types";
import { tone } from "./offline";

const after = (ms: number, call: () => void): void => void setTimeout(call, ms);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until<T>(ask: () => T | undefined | false, ms = 10_000): Promise<T> {
  const ends = performance.now() + ms;
  for (;;) {
    const answer = ask();
    if (answer) return answer;
    if (performance.now() > ends) throw new Error(`not within ${ms} ms: ${ask}`);
    await pause(20);
  }
}

/** The loudest third of a second of a stream within a second and a half, left and right in dBFS: the fake microphone beeps once a second. */
async function listen(stream: MediaStream): Promise<readonly number[]> {
  const context = new AudioContext({ sampleRate: 48_000 });
  await context.resume();
  const splitter = context.createChannelSplitter(2);
  context.createMediaStreamSource(stream).connect(splitter);
  const ears = [0, 1].map((channel) => {
    const analyser = new AnalyserNode(context, { fftSize: 16_384 });
    splitter.connect(analyser, channel);
    return analyser;
  });
  const levels = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const samples = new Float32Array(16_384);
  for (let n = 0; n < 6; n++) {
    await pause(300);
    ears.forEach((ear, channel) => {
      ear.getFloatTimeDomainData(samples);
      levels[channel] = Math.max(levels[channel] ?? 0, rmsDb(samples));
    });
  }
  await context.close();
  return levels;
}

/** What goes out by the way that echo cancellers hear, left and right in dBFS, of a tone on the right. */
export async function loopback(): Promise<readonly number[]> {
  const elements: HTMLAudioElement[] = [];
  const element = (): HTMLAudioElement => {
    elements.push(new Audio());
    return elements.at(-1) as HTMLAudioElement;
  };
  const sound = new WebSound({ ...soundPorts(after), element });
  await sound.start();
  sound.settings({ ...AT_FIRST, mode: "stereo" });
  sound.feed("play:a", tone(sound.context() as AudioContext, 500, 0.25));
  sound.place("play:a", {
    who: null,
    position: [1, 0, 0],
    distance: { model: "inverse", reference_m: 1.5, rolloff: 1, max_m: 40 },
    kind: "spatial",
    gain: 1,
  });
  sound.cancelEcho(true);
  const playing = await until(() =>
    elements.find((one) => one.srcObject && !one.paused && one.currentTime > 0),
  );
  await pause(500);
  const heard = await listen(playing.srcObject as MediaStream);
  await sound.stop();
  return [...heard, elements.filter((one) => one.srcObject).length];
}

function settings(more: Partial<MicrophoneSettings>): MicrophoneSettings {
  const { deviceId, processing, talking } = AT_FIRST;
  return { deviceId, processing, talking, ...more };
}

/** The life of a microphone: what it says, how loud its track is with the gate open and shut, what a test records. */
export async function microphone(): Promise<Record<string, unknown>> {
  const mine = browserMicrophone(after);
  mine.settings(settings({ processing: { echo: false, noise: "off", gain: false } }));
  await mine.open();
  const track = mine.track as MediaStreamTrack;
  await until(() => mine.level() > -60);
  const open = Math.max(...(await listen(new MediaStream([track]))));
  const tested = await mine.test(1200);
  mine.mute(true);
  await pause(200);
  const muted = Math.max(...(await listen(new MediaStream([track]))));
  mine.mute(false);
  mine.settings(settings({ processing: { echo: true, noise: "rnnoise", gain: false } }));
  await pause(1500);
  const told = {
    state: mine.state,
    same: mine.track === track,
    device: mine.device,
    notice: mine.notice,
    inputs: (await mine.inputs()).length,
    open,
    muted,
    testedS: tested?.duration ?? 0,
    testedDb: tested ? rmsDb(tested.getChannelData(0)) : null,
  };
  mine.close();
  return { ...told, closed: mine.state, ended: track.readyState };
}

/** What a microphone says that may not be used. */
export async function refused(): Promise<string> {
  const mine = browserMicrophone(after);
  await mine.open();
  return mine.state;
}

/** What Sound says of itself before a person touched the page, and after they clicked on it. */
export async function gesture(): Promise<readonly string[]> {
  const sound = browserSound(after);
  await sound.start();
  const before = sound.state;
  await new Promise((resolve) => document.addEventListener("click", resolve, { once: true }));
  await sound.start();
  return [before, sound.state];
}
