/**
 * How a source gets into two ears: by HRTF, between two loudspeakers, or straight on. Each fades in and out by its `weight`, and turns without a click.
 *
 * Theory: Chromium's HRTF panner crossfades to another direction by itself, but with a convolver that has not run for a while and a delay that steps: -33 dBFS
 * for a tone of -12 dBFS (tests/e2e/test_voice_sound.py, `walked`). So a direction here never changes while it is heard: a second panner, at weight nothing, is given the
 * new one, settles, and is faded over to. It has input only for that time.
 */

import type { Vec3 } from "../wire/generated";
import type { Spread } from "./distance";
import { Ramp } from "./ramp";

/** What time is it for this graph: when to schedule, and how to be called when all of it was heard. */
export interface Clock {
  /** The earliest moment, in the context's seconds, that the audio thread has surely not reached. */
  soon(): number;
  after(ms: number, call: () => void): void;
}

/** The audio thread is at most so far ahead of `currentTime`; a device with large buffers says more. */
const LEAD_S = 0.012;

/** The clock of a context that plays now. */
export function clockOf(context: AudioContext, ports: Pick<Clock, "after">): Clock {
  const lead = Math.max(LEAD_S, 1.5 * (context.baseLatency || 0));
  return { soon: () => context.currentTime + lead, after: (ms, call) => ports.after(ms, call) };
}

export interface Way {
  readonly spread: Spread;
  readonly weight: Ramp;
  /** Its weight when it alone is heard. */
  readonly full: number;
  turn(towards: Vec3): void;
  dispose(): void;
}

/** Half the power to each ear, as an equal-power panner gives to what is ahead. */
const FLAT = Math.SQRT1_2;
/** Two frames and a half at 60 Hz, so that it never stands still between two. */
export const MOVE_S = 0.04;
/** An HRTF panner has its new direction after 2,048 samples, 43 ms. */
const SETTLE_S = 0.055;
const CROSS_S = 0.04;
/** The impulse responses are 1.9 degrees from each other. */
const COS_SAME = Math.cos((1.5 * Math.PI) / 180);

export function wayOf(
  context: BaseAudioContext,
  spread: Spread,
  [from, bus]: readonly [AudioNode, AudioNode],
  towards: Vec3,
  clock: Clock,
): Way {
  const gain = context.createGain();
  from.connect(gain);
  switch (spread) {
    case "flat":
      return new Straight(gain, from, bus);
    case "stereo":
      return new Loudspeakers(gain, from, bus, context.createPanner(), towards, clock);
    case "hrtf":
      return new Head(
        gain,
        from,
        [headphone(context, bus, towards, 1), headphone(context, bus, towards, 0)],
        clock,
      );
  }
}

class Straight implements Way {
  readonly spread = "flat";
  readonly full = FLAT;
  readonly weight: Ramp;

  constructor(
    private readonly gain: GainNode,
    private readonly from: AudioNode,
    bus: AudioNode,
  ) {
    this.weight = new Ramp(gain.gain, 0);
    gain.connect(bus);
  }

  turn(): void {}

  dispose(): void {
    this.from.disconnect(this.gain);
    this.gain.disconnect();
  }
}

class Loudspeakers implements Way {
  readonly spread = "stereo";
  readonly full = 1;
  readonly weight: Ramp;
  private readonly axes: readonly Ramp[];

  constructor(
    private readonly gain: GainNode,
    private readonly from: AudioNode,
    bus: AudioNode,
    private readonly panner: PannerNode,
    towards: Vec3,
    private readonly clock: Clock,
  ) {
    this.weight = new Ramp(gain.gain, 0);
    this.axes = only(panner, "equalpower").map((axis, n) => new Ramp(axis, towards[n] ?? 0));
    gain.connect(panner).connect(bus);
  }

  turn(towards: Vec3): void {
    const soon = this.clock.soon();
    this.axes.forEach((axis, n) => {
      const value = towards[n] ?? 0;
      if (axis.target !== value) axis.to(value, soon, MOVE_S);
    });
  }

  dispose(): void {
    this.from.disconnect(this.gain);
    this.gain.disconnect();
    this.panner.disconnect();
  }
}

interface Headphone {
  panner: PannerNode;
  mixNode: GainNode;
  mix: Ramp;
  towards: Vec3;
}

class Head implements Way {
  readonly spread = "hrtf";
  readonly full = 1;
  readonly weight: Ramp;
  private wanted: Vec3;
  private busyUntil = 0;
  private waits = false;
  private disposed = false;

  /** `pair`: the one that is heard first. */
  constructor(
    private readonly gain: GainNode,
    private readonly from: AudioNode,
    private pair: readonly [Headphone, Headphone],
    private readonly clock: Clock,
  ) {
    this.weight = new Ramp(gain.gain, 0);
    this.wanted = pair[0].towards;
    gain.connect(pair[0].panner);
  }

  turn(towards: Vec3): void {
    this.wanted = towards;
    if (this.clock.soon() >= this.busyUntil) this.next();
  }

  dispose(): void {
    this.disposed = true;
    this.from.disconnect(this.gain);
    this.gain.disconnect();
    for (const { panner, mixNode } of this.pair) {
      panner.disconnect();
      mixNode.disconnect();
    }
  }

  private next(): void {
    const [heard, idle] = this.pair;
    if (cos(heard.towards, this.wanted) > COS_SAME) return;
    const soon = this.clock.soon();
    idle.towards = this.wanted;
    const { panner } = idle;
    [panner.positionX, panner.positionY, panner.positionZ].forEach((axis, n) => {
      axis.setValueAtTime(idle.towards[n] ?? 0, soon);
    });
    this.gain.connect(panner);
    idle.mix.to(1, soon + SETTLE_S, CROSS_S);
    heard.mix.to(0, soon + SETTLE_S, CROSS_S);
    this.pair = [idle, heard];
    this.busyUntil = soon + SETTLE_S + CROSS_S;
    this.later();
  }

  private later(): void {
    if (this.waits) return;
    this.waits = true;
    this.clock.after((2 * SETTLE_S + CROSS_S) * 1000, () => this.rest());
  }

  /** The direction may be another by now; or else one panner is enough again. */
  private rest(): void {
    this.waits = false;
    if (this.disposed) return;
    if (this.clock.soon() >= this.busyUntil) this.next();
    if (this.clock.soon() < this.busyUntil) this.later();
    else this.gain.disconnect(this.pair[1].panner);
  }
}

function headphone(context: BaseAudioContext, bus: AudioNode, towards: Vec3, weight: number): Headphone {
  const panner = context.createPanner();
  only(panner, "HRTF").forEach((axis, n) => {
    axis.value = towards[n] ?? 0;
  });
  const mixNode = context.createGain();
  const mix = new Ramp(mixNode.gain, weight);
  panner.connect(mixNode).connect(bus);
  return { panner, mixNode, mix, towards };
}

/** Pans only: distance is ours, see distance.ts. */
function only(panner: PannerNode, model: PanningModelType): readonly AudioParam[] {
  panner.panningModel = model;
  panner.distanceModel = "inverse";
  panner.rolloffFactor = 0;
  return [panner.positionX, panner.positionY, panner.positionZ];
}

function cos(a: Vec3, b: Vec3): number {
  return (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (Math.hypot(...a) * Math.hypot(...b));
}
