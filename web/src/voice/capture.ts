/**
 * The way of the own voice, from a device to the one track that is sent:
 *
 *     device -> fader -> entry -+-> plain ---------------------+-> capture -> look-ahead -> gate -> the track
 *                               `-> RNNoise ------------------'      `- how loud: the gate's, and the meter's
 *
 * RNNoise as it is called here leaves a voice as loud as it was (tests/e2e/test_voice_sound.py): nothing has to be made up for. The track stays the same whatever happens before it: another device, other processing. What changes fades over.
 */

import { Ramp } from "./ramp";
import type { Clock } from "./ways";

/** What the capture worklet says of each 10 ms. */
export interface Block {
  levelDb: number;
  samples?: Float32Array;
}

/** RNNoise, while it is used. */
export interface Denoiser {
  node: AudioNode;
  free(): void;
}

/** So much later the voice comes to the gate than to who decides about it: a word that opens it is not cut. Block, message and lead are 25 ms. */
export const LOOK_AHEAD_S = 0.025;
const OPEN_S = 0.005;
const CLOSE_S = 0.015;
const FADE_S = 0.02;
const SETTLED_MS = 250;
interface Device {
  stream: MediaStream;
  node: MediaStreamAudioSourceNode;
  fader: GainNode;
  fade: Ramp;
}

export class CaptureGraph {
  /** Of every 10 ms. */
  onBlock: (block: Block) => void = () => {};
  private readonly entry: GainNode;
  private readonly plainNode: GainNode;
  private readonly cleanNode: GainNode;
  private readonly plain: Ramp;
  private readonly clean: Ramp;
  private readonly delay: DelayNode;
  private readonly ahead: Ramp;
  private readonly gateNode: GainNode;
  private readonly gate: Ramp;
  private readonly end: MediaStreamAudioDestinationNode;
  private device: Device | null = null;
  private denoiser: Denoiser | null = null;

  constructor(
    readonly context: AudioContext,
    private readonly capture: AudioWorkletNode,
    private readonly clock: Clock,
  ) {
    this.entry = context.createGain();
    this.plainNode = context.createGain();
    this.cleanNode = context.createGain();
    this.delay = context.createDelay(1);
    this.gateNode = context.createGain();
    this.end = context.createMediaStreamDestination();
    this.plain = new Ramp(this.plainNode.gain, 1);
    this.clean = new Ramp(this.cleanNode.gain, 0);
    this.ahead = new Ramp(this.delay.delayTime, 0);
    this.gate = new Ramp(this.gateNode.gain, 0);
    this.entry.connect(this.plainNode).connect(capture);
    this.cleanNode.connect(capture);
    capture.connect(this.delay).connect(this.gateNode).connect(this.end);
    capture.port.onmessage = ({ data }: MessageEvent<Block>) => this.onBlock(data);
  }

  get track(): MediaStreamTrack | null {
    return this.end.stream.getAudioTracks()[0] ?? null;
  }

  get stream(): MediaStream | null {
    return this.device?.stream ?? null;
  }

  get denoises(): boolean {
    return this.denoiser !== null;
  }

  /** Listens to that from now on; what was listened to before is let go. Null: to nothing. */
  listen(stream: MediaStream | null): void {
    const old = this.device;
    this.device = stream && this.open(stream);
    if (!old) return;
    old.fade.to(0, this.clock.soon(), FADE_S);
    this.clock.after(SETTLED_MS, () => close(old));
  }

  denoise(denoiser: Denoiser | null): void {
    const old = this.denoiser;
    this.denoiser = denoiser;
    if (denoiser) {
      this.entry.connect(denoiser.node);
      denoiser.node.connect(this.cleanNode);
    }
    const soon = this.clock.soon();
    this.plain.to(denoiser ? 0 : 1, soon, FADE_S);
    this.clean.to(denoiser ? 1 : 0, soon, FADE_S);
    if (old) this.clock.after(SETTLED_MS, () => this.drop(old));
  }

  gateOpen(open: boolean): void {
    const target = open ? 1 : 0;
    if (this.gate.target !== target) this.gate.to(target, this.clock.soon(), open ? OPEN_S : CLOSE_S);
  }

  lookAhead(wanted: boolean): void {
    const target = wanted ? LOOK_AHEAD_S : 0;
    if (this.ahead.target !== target) this.ahead.to(target, this.clock.soon(), 10 * LOOK_AHEAD_S);
  }

  record(wanted: boolean): void {
    this.capture.port.postMessage(wanted ? "record" : "listen");
  }

  async close(): Promise<void> {
    this.onBlock = () => {};
    if (this.device) close(this.device);
    this.device = null;
    if (this.denoiser) this.drop(this.denoiser);
    this.denoiser = null;
    this.capture.port.postMessage("end");
    this.track?.stop();
    const nodes = [this.entry, this.plainNode, this.cleanNode, this.capture, this.delay, this.gateNode];
    for (const node of nodes) node.disconnect();
    await this.context.close().catch(() => {});
  }

  private open(stream: MediaStream): Device {
    const node = this.context.createMediaStreamSource(stream);
    const fader = this.context.createGain();
    const fade = new Ramp(fader.gain, 0);
    node.connect(fader).connect(this.entry);
    fade.to(1, this.clock.soon(), FADE_S);
    return { stream, node, fader, fade };
  }

  private drop(denoiser: Denoiser): void {
    denoiser.node.disconnect();
    this.entry.disconnect(denoiser.node);
    denoiser.free();
  }
}

function close(device: Device): void {
  device.node.disconnect();
  device.fader.disconnect();
  for (const track of device.stream.getTracks()) track.stop();
}
