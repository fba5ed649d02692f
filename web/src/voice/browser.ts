/** The browser's side of sound: contexts at 48 kHz, elements, worklets and RNNoise, which is fetched only when somebody wants it. */

import plainWasm from "@sapphi-red/web-noise-suppressor/rnnoise.wasm?url";
import simdWasm from "@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url";
import type { Denoiser } from "./capture";
import captureWorklet from "./capture.worklet?worker&url";
import { devicesOf } from "./devices";
import { WebMicrophone } from "./microphone";
import denoiserWorklet from "./rnnoise.worklet?worker&url";
import { type SoundPorts, WebSound } from "./sound";

/** Opus' rate and RNNoise's: nothing is resampled on the way. */
const RATE = 48_000;
/** A function of WebAssembly that uses a 128-bit register: valid only where there is SIMD. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98,
  11,
];

const MONO: AudioWorkletNodeOptions = {
  numberOfInputs: 1,
  numberOfOutputs: 1,
  outputChannelCount: [1],
  channelCount: 1,
  channelCountMode: "explicit",
};

type After = (ms: number, call: () => void) => void;

/** What a person hears and what they say, joined where they have to be: what is played is led by where an echo canceller hears it, while one is at work. */
export function browserAudio(after: After): { sound: WebSound; microphone: WebMicrophone } {
  const sound = browserSound(after);
  const microphone = browserMicrophone(after);
  microphone.onChange(() => sound.cancelEcho(microphone.cancelsEcho));
  return { sound, microphone };
}

export function browserSound(after: After): WebSound {
  return new WebSound(soundPorts(after));
}

export function soundPorts(after: After): SoundPorts {
  return {
    context: () => new AudioContext({ sampleRate: RATE, latencyHint: "interactive" }),
    stream: (track) => new MediaStream([track]),
    element: () => new Audio(),
    connection: () => new RTCPeerConnection(),
    outputs,
    after,
  };
}

function outputs(call: (ids: readonly string[]) => void): () => void {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  const tell = async (): Promise<void> => {
    const listed = (await media?.enumerateDevices().catch(() => [])) ?? [];
    call(devicesOf(listed, "audiooutput").map(({ id }) => id));
  };
  const changed = (): void => void tell();
  changed();
  media?.addEventListener("devicechange", changed);
  return () => media?.removeEventListener("devicechange", changed);
}

export function browserMicrophone(after: After): WebMicrophone {
  return new WebMicrophone({
    now: () => performance.now(),
    after,
    media: navigator.mediaDevices ?? null,
    context: () => new AudioContext({ sampleRate: RATE, latencyHint: "interactive" }),
    capture,
    denoiser,
  });
}

async function capture(context: AudioContext): Promise<AudioWorkletNode> {
  await context.audioWorklet.addModule(captureWorklet);
  return new AudioWorkletNode(context, "holodeck-capture", MONO);
}

/** Rejects where it cannot be fetched or does not run. */
export async function denoiser(context: BaseAudioContext): Promise<Denoiser> {
  const url = WebAssembly.validate(new Uint8Array(SIMD)) ? simdWasm : plainWasm;
  const [response] = await Promise.all([fetch(url), context.audioWorklet.addModule(denoiserWorklet)]);
  if (!response.ok) throw new Error(`RNNoise: ${response.status}`);
  const processorOptions = await response.arrayBuffer();
  const node = new AudioWorkletNode(context, "holodeck-rnnoise", { ...MONO, processorOptions });
  await new Promise<void>((resolve, reject) => {
    node.port.onmessage = ({ data }) =>
      data === "loaded" ? resolve() : reject(new Error("RNNoise does not run"));
    node.onprocessorerror = () => reject(new Error("RNNoise does not run"));
  });
  return { node, free: () => node.port.postMessage("free") };
}
