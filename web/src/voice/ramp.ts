/**
 * An AudioParam that never jumps unless it is told to: straight ramps that may be interrupted at any moment.
 *
 * Theory: the audio thread is a few milliseconds ahead of what `currentTime` says to the page, and what is scheduled into
 * its past is applied late, as a step, which clicks. So everything is scheduled a lead ahead, and what the value will be by
 * then is known from the ramp's own knots, not asked of the browser. `cancelScheduledValues` removes the ramp that is
 * under way, too, and with it the part before the cut: a ramp to the value at the cut retraces exactly that part (Web Audio
 * API, section 1.6.3).
 */

/** The part of an AudioParam that is used. */
export interface Param {
  value: number;
  setValueAtTime(value: number, at: number): unknown;
  linearRampToValueAtTime(value: number, at: number): unknown;
  cancelScheduledValues(at: number): unknown;
}

interface Knot {
  at: number;
  value: number;
}

export class Ramp {
  /** By time; straight between them, constant before the first and after the last. Two at one time are a step. */
  private knots: Knot[];

  constructor(
    private readonly param: Param,
    value: number,
  ) {
    param.value = value;
    this.knots = [{ at: 0, value }];
  }

  /** What it will come to rest at. */
  get target(): number {
    return this.knots[this.knots.length - 1]?.value ?? 0;
  }

  valueAt(at: number): number {
    let before: Knot | null = null;
    for (const knot of this.knots) {
      if (knot.at > at) return before ? between(before, knot, at) : knot.value;
      before = knot;
    }
    return before?.value ?? 0;
  }

  /** Goes to a value in so many seconds from then on, from wherever it will be; all that was planned after is off. */
  to(value: number, at: number, seconds: number): void {
    const from = this.cut(at);
    this.param.linearRampToValueAtTime(value, at + seconds);
    this.knots.push({ at, value: from }, { at: at + seconds, value });
  }

  /** Steps to a value: only where nothing can be heard. */
  jump(value: number, at: number): void {
    const from = this.cut(at);
    this.param.setValueAtTime(value, at);
    this.knots.push({ at, value: from }, { at, value });
  }

  /** Takes back what was planned from then on; what is under way goes on up to there. Returns the value there. */
  private cut(at: number): number {
    const value = this.valueAt(at);
    const settled = (this.knots[this.knots.length - 1]?.at ?? 0) < at;
    const left = this.upTo(at);
    this.param.cancelScheduledValues(at);
    if (!settled) this.param.linearRampToValueAtTime(left, at);
    if (settled || left !== value) this.param.setValueAtTime(value, at);
    const past = this.knots.filter((knot) => knot.at < at);
    this.knots = past.filter((knot, n) => knot.at > at - PAST_S || n === past.length - 1);
    if (left !== value) this.knots.push({ at, value: left });
    return value;
  }

  /** The value just before that time: another one only where it steps. */
  private upTo(at: number): number {
    let before: Knot | null = null;
    for (const knot of this.knots) {
      if (knot.at >= at) return before ? between(before, knot, at) : knot.value;
      before = knot;
    }
    return before?.value ?? 0;
  }
}

/** Nothing is planned further ahead: an earlier cut than the last one needs no older knots. */
const PAST_S = 0.5;

function between(before: Knot, after: Knot, at: number): number {
  const share = (at - before.at) / (after.at - before.at);
  return before.value + (after.value - before.value) * share;
}
