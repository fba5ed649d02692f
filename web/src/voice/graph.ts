/**
 * One source, from the samples that come in to the bus, with nothing in it that clicks:
 *
 *     input (fades in and out) -> hub -> gate -> level -> a way (HRTF panner | stereo panner | straight on) -> bus
 *                                  `-> meter
 *
 * `level` is distance and the person's volume; `gate` closes for the moment in which the source changes whose voice it is. Ways are there while
 * they are used: one more than is heard costs an HRTF's convolution. The panners only pan (rolloff 0): distance is ours, see distance.ts.
 */

import type { Vec3 } from "../wire/generated";
import type { Aim, Spread } from "./distance";
import { Meter } from "./levels";
import { Ramp } from "./ramp";

/** What time is it for this graph: when to schedule, and how to be called when all of it was heard. */
export interface Clock {
  /** The earliest moment, in the context's seconds, that the audio thread has surely not reached. */
  soon(): number;
  after(ms: number, call: () => void): void;
}

/** A switch closes and opens in so long: twice this is the 15 ms that nobody misses. */
const GATE_S = 0.0075;
/** Of a place: two frames and a half at 60 Hz, so that it never stands still between two. */
const MOVE_S = 0.04;
const FADE_S = 0.02;
/** After this everything that was faded out is silent, whatever the lead was. */
const SETTLED_MS = 250;
/** Half the power to each ear, as an equal-power panner gives to what is ahead. */
const FLAT = Math.SQRT1_2;
const STILL = 1e-4;

class Way {
  readonly gain: GainNode;
  readonly weight: Ramp;
  /** How often it was faded out: only the last time's timer may let it go. */
  fades = 0;
  private readonly panner: PannerNode | null = null;
  private readonly axes: readonly Ramp[] = [];

  constructor(
    context: BaseAudioContext,
    readonly spread: Spread,
    from: AudioNode,
    bus: AudioNode,
    towards: Vec3,
  ) {
    this.gain = context.createGain();
    this.weight = new Ramp(this.gain.gain, 0);
    from.connect(this.gain);
    if (spread === "flat") {
      this.gain.connect(bus);
      return;
    }
    this.panner = context.createPanner();
    this.panner.panningModel = spread === "hrtf" ? "HRTF" : "equalpower";
    this.panner.distanceModel = "inverse";
    this.panner.rolloffFactor = 0;
    const { positionX, positionY, positionZ } = this.panner;
    this.axes = [positionX, positionY, positionZ].map((axis, n) => new Ramp(axis, towards[n] ?? 0));
    this.gain.connect(this.panner).connect(bus);
  }

  get full(): number {
    return this.spread === "flat" ? FLAT : 1;
  }

  turn(towards: Vec3, move: (ramp: Ramp, value: number) => void): void {
    this.axes.forEach((axis, n) => {
      move(axis, towards[n] ?? 0);
    });
  }

  dispose(from: AudioNode): void {
    from.disconnect(this.gain);
    this.gain.disconnect();
    this.panner?.disconnect();
  }
}

/** What plays into a source: it fades in, and out again before it is let go. */
class Input {
  readonly fader: GainNode;
  readonly fade: Ramp;

  constructor(
    context: BaseAudioContext,
    readonly node: AudioNode,
    hub: AudioNode,
    private readonly release: () => void,
  ) {
    this.fader = context.createGain();
    this.fade = new Ramp(this.fader.gain, 0);
    node.connect(this.fader).connect(hub);
  }

  dispose(): void {
    this.node.disconnect(this.fader);
    this.fader.disconnect();
    this.release();
  }
}

export class SourceGraph {
  private readonly hub: GainNode;
  private readonly gateNode: GainNode;
  private readonly levelNode: GainNode;
  private readonly gate: Ramp;
  private readonly level: Ramp;
  private readonly meter: Meter;
  private readonly ways = new Map<Spread, Way>();
  private input: Input | null = null;
  private aimed: Aim | null = null;
  /** Until then the gate is closing for a switch: what changes, changes at that moment. */
  private switchesAt = 0;
  private ended = false;

  constructor(
    private readonly context: BaseAudioContext,
    private readonly bus: AudioNode,
    private readonly clock: Clock,
  ) {
    this.hub = context.createGain();
    this.gateNode = context.createGain();
    this.levelNode = context.createGain();
    this.gate = new Ramp(this.gateNode.gain, 1);
    this.level = new Ramp(this.levelNode.gain, 0);
    this.meter = new Meter(context);
    this.hub.connect(this.meter.node);
    this.hub.connect(this.gateNode).connect(this.levelNode);
  }

  /** What plays from now on; `release` is called when nothing of it is needed any more. */
  plug(node: AudioNode | null, release: () => void = () => {}): void {
    this.unplug();
    if (!node) return;
    this.input = new Input(this.context, node, this.hub, release);
    this.input.fade.to(1, this.clock.soon(), FADE_S);
  }

  /** In dBFS, before everything that is done to it here. */
  loudness(): number {
    return this.input ? this.meter.level() : Number.NEGATIVE_INFINITY;
  }

  /** Goes there, smoothly. Called each frame: what stays the same costs nothing. */
  aim(aim: Aim): void {
    if (this.aimed && same(this.aimed, aim)) return;
    this.aimed = aim;
    const soon = this.clock.soon();
    if (soon < this.switchesAt) this.apply(aim, this.switchesAt, jumpAt(this.switchesAt), 0);
    else this.apply(aim, soon, moveAt(soon), MOVE_S);
  }

  /** Is somebody else's from now on: closes, is there, opens. */
  switchTo(aim: Aim): void {
    const soon = this.clock.soon();
    const closing = soon < this.switchesAt;
    if (!closing) this.switchesAt = soon + GATE_S;
    if (!closing) this.gate.to(0, soon, GATE_S);
    this.aimed = aim;
    this.apply(aim, this.switchesAt, jumpAt(this.switchesAt), 0);
    this.gate.to(1, this.switchesAt, GATE_S);
  }

  /** Fades out, and lets everything go; at once where its context ends, too. */
  end(atOnce = false): void {
    if (this.ended) return;
    this.ended = true;
    this.unplug(atOnce);
    this.when(atOnce, () => {
      for (const way of this.ways.values()) way.dispose(this.levelNode);
      this.ways.clear();
      for (const node of [this.hub, this.gateNode, this.levelNode, this.meter.node]) node.disconnect();
    });
  }

  private unplug(atOnce = false): void {
    const old = this.input;
    this.input = null;
    if (!old) return;
    old.fade.to(0, this.clock.soon(), FADE_S);
    this.when(atOnce, () => old.dispose());
  }

  private when(atOnce: boolean, call: () => void): void {
    if (atOnce) call();
    else this.clock.after(SETTLED_MS, call);
  }

  private apply(aim: Aim, at: number, move: (ramp: Ramp, value: number) => void, fadeS: number): void {
    move(this.level, aim.level);
    const chosen = this.way(aim);
    chosen.turn(aim.towards, move);
    for (const way of this.ways.values()) {
      const weight = way === chosen ? way.full : 0;
      if (way.weight.target === weight) continue;
      if (fadeS > 0) way.weight.to(weight, at, fadeS);
      else way.weight.jump(weight, at);
      if (way !== chosen) this.retire(way);
    }
  }

  private retire(way: Way): void {
    way.fades += 1;
    const { fades } = way;
    this.clock.after(SETTLED_MS, () => {
      if (way.fades === fades && way.weight.target === 0) this.drop(way);
    });
  }

  private way(aim: Aim): Way {
    const known = this.ways.get(aim.spread);
    if (known) return known;
    const made = new Way(this.context, aim.spread, this.levelNode, this.bus, aim.towards);
    this.ways.set(aim.spread, made);
    return made;
  }

  private drop(way: Way): void {
    if (this.ways.get(way.spread) !== way) return;
    this.ways.delete(way.spread);
    way.dispose(this.levelNode);
  }
}

function moveAt(at: number): (ramp: Ramp, value: number) => void {
  return (ramp, value) => {
    if (ramp.target !== value) ramp.to(value, at, MOVE_S);
  };
}

function jumpAt(at: number): (ramp: Ramp, value: number) => void {
  return (ramp, value) => ramp.jump(value, at);
}

function same(a: Aim, b: Aim): boolean {
  return (
    a.spread === b.spread &&
    Math.abs(a.level - b.level) < STILL &&
    a.towards.every((value, n) => Math.abs(value - (b.towards[n] ?? 0)) < STILL)
  );
}
