/**
 * One source, from the samples that come in to the bus, with nothing in it that clicks:
 *
 *     input (fades in and out) -> hub -> gate -> level -> a way (HRTF panner | stereo panner | straight on) -> bus
 *                                  `-> meter
 *
 * `level` is distance and the person's volume; `gate` closes for the moment in which the source changes whose voice it is. A way (ways.ts) is there while it is used:
 * each costs an HRTF's convolution.
 */

import type { Aim } from "./distance";
import { Meter } from "./levels";
import { Ramp } from "./ramp";
import { type Clock, MOVE_S, type Way, wayOf } from "./ways";

/** A switch closes and opens in so long: twice this is the 15 ms that nobody misses. */
const GATE_S = 0.0075;
const FADE_S = 0.02;
/** After this everything that was faded out is silent, whatever the lead was. */
const SETTLED_MS = 250;
const STILL = 1e-4;

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
  private way: Way | null = null;
  /** Faded out, and not yet let go. */
  private readonly retired = new Set<Way>();
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
    const switching = soon < this.switchesAt;
    if (switching) this.level.jump(aim.level, this.switchesAt);
    else if (this.level.target !== aim.level) this.level.to(aim.level, soon, MOVE_S);
    if (this.way?.spread === aim.spread) this.way.turn(aim.towards);
    else if (switching) this.take(aim, (weight, value) => weight.jump(value, this.switchesAt));
    else this.take(aim, (weight, value) => weight.to(value, soon, MOVE_S));
  }

  /** Is somebody else's from now on: closes, is there, opens. */
  switchTo(aim: Aim): void {
    const soon = this.clock.soon();
    const closing = soon < this.switchesAt;
    if (!closing) this.switchesAt = soon + GATE_S;
    if (!closing) this.gate.to(0, soon, GATE_S);
    this.aimed = aim;
    this.level.jump(aim.level, this.switchesAt);
    // A new way has the new direction at once: one that is in use would have to turn there.
    this.take(aim, (weight, value) => weight.jump(value, this.switchesAt));
    this.gate.to(1, this.switchesAt, GATE_S);
  }

  /** Fades out, and lets everything go; at once where its context ends, too. */
  end(atOnce = false): void {
    if (this.ended) return;
    this.ended = true;
    this.unplug(atOnce);
    this.when(atOnce, () => {
      for (const way of [...this.retired, this.way]) way?.dispose();
      this.retired.clear();
      this.way = null;
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

  private take(aim: Aim, weigh: (weight: Ramp, value: number) => void): void {
    const old = this.way;
    this.way = wayOf(this.context, aim.spread, [this.levelNode, this.bus], aim.towards, this.clock);
    weigh(this.way.weight, this.way.full);
    if (!old) return;
    weigh(old.weight, 0);
    this.retired.add(old);
    this.clock.after(SETTLED_MS, () => {
      if (this.retired.delete(old)) old.dispose();
    });
  }
}

function same(a: Aim, b: Aim): boolean {
  return (
    a.spread === b.spread &&
    Math.abs(a.level - b.level) < STILL &&
    a.towards.every((value, n) => Math.abs(value - (b.towards[n] ?? 0)) < STILL)
  );
}
