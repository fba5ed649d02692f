/** Devices that are plugged in and out by hand, and a page that may use them or not. */

import type { Denoiser } from "../src/voice/capture";
import { WebMicrophone } from "../src/voice/microphone";
import { FakeContext, FakeNode, FakeStream, FakeTimers, FakeTrack } from "./fakeaudio";

export class FakeWorklet extends FakeNode {
  readonly port = {
    said: [] as string[],
    onmessage: null as ((event: { data: unknown }) => void) | null,
    postMessage: (text: string): void => {
      this.port.said.push(text);
    },
  };
}

export class FakeMedia {
  devices: { deviceId: string; kind: string; label: string }[] = [
    input("a", "Built in"),
    input("b", "Headset"),
  ];
  allowed = true;
  busy = new Set<string>();
  readonly asked: MediaTrackConstraints[] = [];
  readonly opened: FakeTrack[] = [];
  private changed = new Set<() => void>();
  /** Set: answers wait until it is called. */
  answer: (() => void) | null = null;
  slow = false;

  async getUserMedia({ audio }: { audio: MediaTrackConstraints }): Promise<FakeStream> {
    this.asked.push(audio);
    if (this.slow) {
      await new Promise<void>((resolve) => {
        this.answer = resolve;
      });
    }
    if (!this.allowed) throw new DOMException("", "NotAllowedError");
    const wanted = (audio.deviceId as { exact: string } | undefined)?.exact;
    const inputs = this.devices.filter(({ kind }) => kind === "audioinput");
    const found = wanted ? inputs.find(({ deviceId }) => deviceId === wanted) : inputs[0];
    if (!found) throw new DOMException("", wanted ? "OverconstrainedError" : "NotFoundError");
    if (this.busy.has(found.deviceId)) throw new DOMException("", "NotReadableError");
    const track = new FakeTrack(found.label, "audio", found.deviceId);
    this.opened.push(track);
    return new FakeStream([track]);
  }

  async enumerateDevices(): Promise<unknown[]> {
    return this.devices;
  }

  addEventListener(_: string, call: () => void): void {
    this.changed.add(call);
  }

  removeEventListener(_: string, call: () => void): void {
    this.changed.delete(call);
  }

  get listeners(): number {
    return this.changed.size;
  }

  get live(): FakeTrack[] {
    return this.opened.filter(({ readyState }) => readyState === "live");
  }

  unplug(deviceId: string): void {
    this.devices = this.devices.filter((device) => device.deviceId !== deviceId);
    for (const track of this.live.filter((one) => one.deviceId === deviceId)) {
      track.readyState = "ended";
      track.onended?.();
    }
    for (const call of this.changed) call();
  }

  plug(deviceId: string, label: string): void {
    this.devices.push(input(deviceId, label));
    for (const call of this.changed) call();
  }
}

function input(deviceId: string, label: string): { deviceId: string; kind: string; label: string } {
  return { deviceId, kind: "audioinput", label };
}

export class Desk {
  readonly timers = new FakeTimers();
  readonly media = new FakeMedia();
  readonly contexts: FakeContext[] = [];
  readonly worklets: FakeWorklet[] = [];
  readonly denoisers: { node: FakeNode; freed: boolean }[] = [];
  rnnoise = true;
  readonly microphone: WebMicrophone;

  constructor(secure = true) {
    this.microphone = new WebMicrophone({
      now: () => this.timers.now,
      after: this.timers.after,
      media: secure ? (this.media as unknown as MediaDevices) : null,
      context: () => {
        const made = new FakeContext();
        this.contexts.push(made);
        return made as unknown as AudioContext;
      },
      capture: async (context) => {
        const made = new FakeWorklet(context as unknown as FakeContext, "capture");
        this.worklets.push(made);
        return made as unknown as AudioWorkletNode;
      },
      denoiser: async (context) => this.denoiser(context as unknown as FakeContext),
    });
  }

  get context(): FakeContext {
    return this.contexts.at(-1) as FakeContext;
  }

  /** The gate, some time after everything was scheduled. */
  get gate(): number {
    const worklet = this.worklets.at(-1) as FakeWorklet;
    const delay = worklet.outputs[0] as FakeNode;
    const sink = this.context.made.find(({ kind }) => kind === "stream") as FakeNode;
    return delay.gainTo(sink, this.context.currentTime + 1);
  }

  /** 10 ms of sound come by. */
  hear(levelDb: number, samples?: Float32Array): void {
    this.timers.pass(10);
    this.context.currentTime += 0.01;
    const data = samples ? { levelDb, samples } : { levelDb };
    this.worklets.at(-1)?.port.onmessage?.({ data });
  }

  /** Lets everything that was begun come to its end. */
  async settle(): Promise<void> {
    for (let n = 0; n < 50; n++) await Promise.resolve();
    this.timers.pass(500);
  }

  private denoiser(context: FakeContext): Denoiser {
    if (!this.rnnoise) throw new Error("not there");
    const made = { node: new FakeNode(context, "rnnoise"), freed: false };
    this.denoisers.push(made);
    return {
      node: made.node as unknown as AudioNode,
      free: () => {
        made.freed = true;
      },
    };
  }
}
