/**
 * The own voice: asks for a device, keeps one, decides when it goes out. See docs/voice.md, "The own voice".
 *
 * Every trouble is a state in which the person goes on as a listener. What takes time is done one after another: a device that is chosen while another opens is
 * opened after it, and `close` makes whatever is still under way end in nothing.
 */

import { Listeners } from "../sync/listeners";
import { type Block, CaptureGraph, type Denoiser } from "./capture";
import { constraintsOf, devicesOf, isMissing, noticeOf, sameCapture, stateOf } from "./devices";
import { Rehearsal } from "./rehearsal";
import { AT_FIRST } from "./settings";
import { TalkingGate } from "./talking";
import type {
  Device,
  MicrophoneNotice,
  MicrophoneSettings,
  MicrophoneState,
  Microphone as VoiceMicrophone,
} from "./types";
import { clockOf } from "./ways";

export type Media = Pick<
  MediaDevices,
  "getUserMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener"
>;

export interface MicrophonePorts {
  now(): number;
  after(ms: number, call: () => void): void;
  /** Null where the page is not secure. */
  media: Media | null;
  context(): AudioContext;
  /** The worklet that says how loud it is. */
  capture(context: AudioContext): Promise<AudioWorkletNode>;
  denoiser(context: AudioContext): Promise<Denoiser>;
}

const FALL_DB = 1.5;

export class WebMicrophone implements VoiceMicrophone {
  state: MicrophoneState = "off";
  notice: MicrophoneNotice | null = null;
  speaking = false;
  private readonly listeners = new Listeners<void>();
  private readonly talking = new TalkingGate(AT_FIRST.talking);
  private set: MicrophoneSettings = AT_FIRST;
  private graph: CaptureGraph | null = null;
  private rehearsal: Rehearsal | null = null;
  private shownDb = Number.NEGATIVE_INFINITY;
  private usedLabel: string | null = null;
  private usedId: string | null = null;
  /** What is opened, or changed, one after another; another stay makes the rest of it end. */
  private work: Promise<void> = Promise.resolve();
  private stay = 0;

  constructor(private readonly ports: MicrophonePorts) {}

  get track(): MediaStreamTrack | null {
    return this.state === "live" ? (this.graph?.track ?? null) : null;
  }

  get held(): boolean {
    return this.talking.held;
  }

  get device(): string | null {
    return this.state === "live" ? this.usedLabel : null;
  }

  /** An echo canceller is at work on it: it has to hear what is played. */
  get cancelsEcho(): boolean {
    return this.state === "live" && this.set.processing.echo;
  }

  open(): Promise<void> {
    if (!this.ports.media) {
      this.become("insecure");
      return Promise.resolve();
    }
    wake(this.graph?.context);
    if (this.state === "asking") return this.work;
    if (this.state === "live" && this.notice?.kind !== "returned") return Promise.resolve();
    this.notice = null;
    this.ports.media.addEventListener("devicechange", this.devicesChanged);
    if (this.state !== "live") this.become("asking");
    return this.next((stay) => this.acquire(stay));
  }

  close(): void {
    this.stay += 1;
    // A prompt that nobody answers keeps nothing waiting.
    this.work = Promise.resolve();
    this.ports.media?.removeEventListener("devicechange", this.devicesChanged);
    this.breakOff();
    void this.graph?.close();
    this.graph = null;
    this.usedLabel = null;
    this.usedId = null;
    this.notice = null;
    this.shownDb = Number.NEGATIVE_INFINITY;
    this.speaking = false;
    this.become("off");
  }

  hold(held: boolean): void {
    wake(this.graph?.context);
    if (this.talking.held === held) return;
    this.talking.hold(held, this.ports.now());
    this.decide(true);
  }

  mute(muted: boolean): void {
    wake(this.graph?.context);
    this.talking.mute(muted);
    this.decide();
  }

  dismiss(): void {
    this.notice = null;
    this.tell();
  }

  settings(settings: MicrophoneSettings): void {
    const before = this.set;
    this.set = settings;
    this.talking.change(settings.talking);
    this.graph?.lookAhead(settings.talking.mode === "activation");
    this.decide();
    if (this.state !== "live" && this.state !== "asking") return;
    const moved = before.deviceId !== settings.deviceId;
    if (moved) this.notice = null;
    if (!sameCapture(before, settings)) void this.next((stay) => this.acquire(stay));
    else if (before.processing.noise !== settings.processing.noise)
      void this.next((stay) => this.process(stay));
  }

  level(): number {
    return this.shownDb;
  }

  async inputs(): Promise<readonly Device[]> {
    return devicesOf(await this.listed(), "audioinput");
  }

  async outputs(): Promise<readonly Device[]> {
    return devicesOf(await this.listed(), "audiooutput");
  }

  test(ms: number): Promise<AudioBuffer | null> {
    this.breakOff();
    const { graph } = this;
    if (!graph || this.state !== "live") return Promise.resolve(null);
    return new Promise((done) => {
      this.rehearsal = new Rehearsal(graph.context, ms, done);
      graph.record(true);
    });
  }

  onChange(listener: () => void): () => void {
    return this.listeners.add(listener);
  }

  private next(work: (stay: number) => Promise<void>): Promise<void> {
    const { stay } = this;
    this.work = this.work.then(() => (stay === this.stay ? work(stay) : undefined));
    return this.work;
  }

  /** Opens the device as the settings are now, and listens to it. What was listened to goes on until then, and if nothing comes of it. */
  private async acquire(stay: number): Promise<void> {
    try {
      const stream = await this.ask();
      if (stay !== this.stay) return stop(stream);
      const graph = this.graph ?? (await this.build(stay, stream));
      if (stay !== this.stay) {
        stop(stream);
        void graph?.close();
        return;
      }
      if (!graph) return;
      this.graph = graph;
      this.use(graph, stream);
      await this.process(stay);
    } catch (thrown) {
      if (stay === this.stay) this.refused(thrown);
    }
  }

  /** What is in use stays so; where nothing is, the state says why. */
  private refused(thrown: unknown): void {
    if (this.state !== "live") {
      this.become(stateOf(thrown));
      return;
    }
    this.notice = { kind: "kept", label: this.usedLabel ?? "" };
    this.tell();
  }

  private async ask(): Promise<MediaStream> {
    const media = this.ports.media as Media;
    const { set } = this;
    try {
      return await media.getUserMedia({ audio: constraintsOf(set) });
    } catch (thrown) {
      if (!set.deviceId || !isMissing(thrown)) throw thrown;
      const stream = await media.getUserMedia({ audio: constraintsOf({ ...set, deviceId: null }) });
      this.notice = { kind: "fell_back", label: "" };
      return stream;
    }
  }

  private async build(stay: number, stream: MediaStream): Promise<CaptureGraph | null> {
    const context = this.ports.context();
    try {
      const capture = await this.ports.capture(context);
      if (stay !== this.stay) throw new Error("closed");
      const graph = new CaptureGraph(context, capture, clockOf(context, this.ports));
      graph.onBlock = (block) => this.heard(block);
      graph.lookAhead(this.set.talking.mode === "activation");
      context.onstatechange = () => wake(context);
      wake(context);
      return graph;
    } catch (thrown) {
      stop(stream);
      await context.close().catch(() => {});
      if (stay !== this.stay) return null;
      throw thrown;
    }
  }

  private use(graph: CaptureGraph, stream: MediaStream): void {
    graph.listen(stream);
    const [track] = stream.getAudioTracks();
    this.usedLabel = track?.label ?? "";
    this.usedId = track?.getSettings().deviceId ?? null;
    if (track) track.onended = () => this.lost(stream);
    this.become("live");
    this.decide();
    this.tell();
  }

  /** The device is gone, or the permission is: the system's device may still be there. */
  private lost(stream: MediaStream): void {
    if (this.graph?.stream !== stream) return;
    const label = this.usedLabel ?? "";
    void this.next(async (stay) => {
      try {
        const other = await (this.ports.media as Media).getUserMedia({
          audio: constraintsOf({ ...this.set, deviceId: null }),
        });
        if (stay !== this.stay || !this.graph) return stop(other);
        this.notice = { kind: "fell_back", label };
        this.use(this.graph, other);
      } catch (thrown) {
        if (stay === this.stay) this.fail(thrown);
      }
    });
  }

  private fail(thrown: unknown): void {
    this.graph?.listen(null);
    this.breakOff();
    this.usedId = null;
    this.shownDb = Number.NEGATIVE_INFINITY;
    this.become(stateOf(thrown) === "denied" ? "denied" : "ended");
    this.decide();
  }

  /** RNNoise as it is wanted now. Where it cannot be had, the voice goes out as it is, and the person is told. */
  private async process(stay: number): Promise<void> {
    const { graph } = this;
    if (!graph) return;
    const wanted = this.set.processing.noise === "rnnoise";
    if (!wanted && graph.denoises) graph.denoise(null);
    if (!wanted || graph.denoises) return;
    try {
      const denoiser = await this.ports.denoiser(graph.context);
      if (stay === this.stay && this.set.processing.noise === "rnnoise") graph.denoise(denoiser);
      else denoiser.free();
    } catch {
      if (stay !== this.stay) return;
      this.notice = { kind: "plain" };
      this.tell();
    }
  }

  private heard({ levelDb, samples }: Block): void {
    if (this.state !== "live") return;
    this.shownDb = Math.max(levelDb, this.shownDb - FALL_DB);
    this.talking.hear(levelDb, this.ports.now());
    this.decide();
    if (samples) this.record(samples);
  }

  private record(samples: Float32Array): void {
    if (!this.rehearsal?.hear(samples)) return;
    this.rehearsal = null;
    this.graph?.record(false);
  }

  private breakOff(): void {
    this.rehearsal?.breakOff();
    this.rehearsal = null;
    this.graph?.record(false);
  }

  /** Opens or closes the gate, as it is to be now. */
  private decide(changed = false): void {
    const now = this.ports.now();
    const live = this.state === "live";
    this.graph?.gateOpen(live && this.talking.gate(now) !== "closed");
    const speaking = live && this.talking.speaking(now);
    if (speaking === this.speaking && !changed) return;
    this.speaking = speaking;
    this.tell();
  }

  private readonly devicesChanged = (): void => {
    void this.inputs().then((inputs) => {
      this.notice =
        this.state === "off" ? null : noticeOf(this.set.deviceId, this.usedId, inputs, this.notice);
      this.tell();
    });
  };

  private async listed(): Promise<readonly MediaDeviceInfo[]> {
    return (await this.ports.media?.enumerateDevices().catch(() => [])) ?? [];
  }

  private become(state: MicrophoneState): void {
    if (this.state === state) return;
    this.state = state;
    this.tell();
  }

  private tell(): void {
    this.listeners.tell();
  }
}

/** A context that the system put to sleep, or that waits for a gesture. */
function wake(context: AudioContext | undefined): void {
  if (context?.state === "suspended") void context.resume().catch(() => {});
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
