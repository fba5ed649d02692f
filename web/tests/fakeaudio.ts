/** Web Audio without sound: nodes that know what they are connected to, and parameters that follow their events as the API's section 1.6 says. */

import type { Param } from "../src/voice/ramp";

interface ParamEvent {
  kind: "set" | "ramp";
  value: number;
  at: number;
}

export class FakeParam implements Param {
  private events: ParamEvent[] = [];
  private start: number;

  constructor(
    private readonly time: () => number = () => 0,
    start = 0,
  ) {
    this.start = start;
  }

  get value(): number {
    return this.valueAt(this.time());
  }

  set value(value: number) {
    if (this.events.length === 0) this.start = value;
    this.setValueAtTime(value, this.time());
  }

  /** Times at which something was scheduled before then: too late. */
  late = 0;

  setValueAtTime(value: number, at: number): this {
    return this.add({ kind: "set", value, at });
  }

  linearRampToValueAtTime(value: number, at: number): this {
    return this.add({ kind: "ramp", value, at });
  }

  cancelScheduledValues(at: number): this {
    this.events = this.events.filter((event) => event.at < at);
    return this;
  }

  valueAt(at: number): number {
    let from = { value: this.start, at: 0 };
    for (const event of this.events) {
      if (event.at > at) {
        if (event.kind === "set") return from.value;
        const share = (at - from.at) / (event.at - from.at);
        return from.value + (event.value - from.value) * share;
      }
      from = event;
    }
    return from.value;
  }

  private add(event: ParamEvent): this {
    if (!Number.isFinite(event.value) || !Number.isFinite(event.at)) throw new TypeError("not a number");
    if (event.at < this.time()) this.late += 1;
    const next = this.events.findIndex((other) => other.at > event.at);
    this.events.splice(next < 0 ? this.events.length : next, 0, event);
    return this;
  }
}

export class FakeNode {
  readonly outputs: FakeNode[] = [];

  constructor(
    readonly world: FakeContext,
    readonly kind: string,
  ) {}

  connect(to: FakeNode): FakeNode {
    if (!this.outputs.includes(to)) this.outputs.push(to);
    this.world.connected.add(this);
    return to;
  }

  disconnect(to?: FakeNode): void {
    if (to && !this.outputs.includes(to)) throw new Error("InvalidAccessError");
    const kept = to ? this.outputs.filter((other) => other !== to) : [];
    this.outputs.splice(0, this.outputs.length, ...kept);
    if (kept.length === 0) this.world.connected.delete(this);
  }

  /** The gain on the way to a node, along every gain node between. */
  gainTo(target: FakeNode, at: number): number {
    return this.outputs.reduce((sum, next) => {
      const own = next instanceof FakeGain ? next.gain.valueAt(at) : 1;
      return sum + (next === target ? own : own * next.gainTo(target, at));
    }, 0);
  }
}

export class FakeGain extends FakeNode {
  readonly gain = new FakeParam(() => this.world.currentTime, 1);
}

export class FakePanner extends FakeNode {
  panningModel = "equalpower";
  distanceModel = "inverse";
  rolloffFactor = 1;
  readonly positionX = new FakeParam(() => this.world.currentTime);
  readonly positionY = new FakeParam(() => this.world.currentTime);
  readonly positionZ = new FakeParam(() => this.world.currentTime);
}

export class FakeAnalyser extends FakeNode {
  fftSize = 2048;
  amplitude = 0;

  getFloatTimeDomainData(samples: Float32Array): void {
    samples.fill(this.amplitude);
  }
}

class FakeCompressor extends FakeNode {
  readonly threshold = new FakeParam();
  readonly knee = new FakeParam();
  readonly ratio = new FakeParam();
  readonly attack = new FakeParam();
  readonly release = new FakeParam();
}

class FakeDelay extends FakeNode {
  readonly delayTime = new FakeParam(() => this.world.currentTime);
}

export class FakeTrack {
  enabled = true;
  readyState: "live" | "ended" = "live";
  onended: (() => void) | null = null;

  constructor(
    readonly label = "",
    readonly kind = "audio",
    readonly deviceId = "",
  ) {}

  stop(): void {
    this.readyState = "ended";
  }

  getSettings(): MediaTrackSettings {
    return { deviceId: this.deviceId };
  }
}

export class FakeStream {
  constructor(readonly tracks: FakeTrack[]) {}

  getTracks(): FakeTrack[] {
    return this.tracks;
  }

  getAudioTracks(): FakeTrack[] {
    return this.tracks;
  }
}

class FakeDestination extends FakeNode {
  readonly stream = new FakeStream([new FakeTrack("processed")]);
}

export class FakeContext {
  currentTime = 0;
  baseLatency = 0.01;
  state: "suspended" | "running" | "closed" = "suspended";
  onstatechange: (() => void) | null = null;
  /** Nodes that are connected to something: what the browser keeps alive. */
  readonly connected = new Set<FakeNode>();
  readonly made: FakeNode[] = [];
  readonly destination = new FakeNode(this, "destination");
  readonly sinks: string[] = [];

  readonly sampleRate = 48_000;

  constructor(public mayRun = true) {}

  createBuffer(_: number, length: number): { length: number; getChannelData: () => Float32Array } {
    const samples = new Float32Array(length);
    return { length, getChannelData: () => samples };
  }

  async resume(): Promise<void> {
    if (!this.mayRun) return new Promise(() => {});
    this.become("running");
  }

  async close(): Promise<void> {
    this.become("closed");
  }

  async setSinkId(id: string): Promise<void> {
    if (id === "gone") throw new DOMException("", "NotFoundError");
    this.sinks.push(id);
  }

  become(state: FakeContext["state"]): void {
    this.state = state;
    this.onstatechange?.();
  }

  createGain(): FakeGain {
    return this.keep(new FakeGain(this, "gain"));
  }

  createPanner(): FakePanner {
    return this.keep(new FakePanner(this, "panner"));
  }

  createAnalyser(): FakeAnalyser {
    return this.keep(new FakeAnalyser(this, "analyser"));
  }

  createDelay(): FakeDelay {
    return this.keep(new FakeDelay(this, "delay"));
  }

  createDynamicsCompressor(): FakeNode {
    return this.keep(new FakeCompressor(this, "compressor"));
  }

  createChannelSplitter(): FakeNode {
    return this.keep(new FakeNode(this, "splitter"));
  }

  createMediaStreamSource(): FakeNode {
    return this.keep(new FakeNode(this, "source"));
  }

  createMediaStreamDestination(): FakeDestination {
    return this.keep(new FakeDestination(this, "stream"));
  }

  private keep<T extends FakeNode>(node: T): T {
    this.made.push(node);
    return node;
  }
}

export class FakeElement {
  muted = false;
  srcObject: unknown = null;
  playing = false;
  readonly sinks: string[] = [];

  constructor(public mayPlay = true) {}

  async play(): Promise<void> {
    if (!this.mayPlay) throw new DOMException("", "NotAllowedError");
    this.playing = true;
  }

  pause(): void {
    this.playing = false;
  }

  async setSinkId(id: string): Promise<void> {
    this.sinks.push(id);
  }
}

/** Calls that were put off, by hand: `pass` lets time go by. */
export class FakeTimers {
  now = 0;
  private waiting: { at: number; call: () => void }[] = [];

  after = (ms: number, call: () => void): void => {
    this.waiting.push({ at: this.now + ms, call });
  };

  pass(ms: number): void {
    const ends = this.now + ms;
    for (;;) {
      this.waiting.sort((a, b) => a.at - b.at);
      const next = this.waiting[0];
      if (!next || next.at > ends) break;
      this.waiting.shift();
      this.now = next.at;
      next.call();
    }
    this.now = ends;
  }
}
