/**
 * Who got which state when. Pure: the clock is an argument. A state that a newer one overtook within a tick is not missing;
 * what counts is that each ends with the newest of each other, and how old a state is when it comes.
 */

import { counterOf } from "./frames.mjs";
import { percentile } from "./scene.mjs";

const KEPT = 512; // of a sender's newest states: 25 s at 20 Hz
const NEAR_M = 0.00051; // half a unit of the frame, and what floats lose

export class Meter {
  constructor(count) {
    this.count = count;
    this.sent = Array.from({ length: count }, () => ({ newest: 0, at: [], position: [] }));
    this.known = Array.from({ length: count }, () => new Float64Array(count));
    this.ages = [];
    this.frames = 0;
    this.ticks = [];
    this.bytes = 0;
    this.states = 0;
    this.updates = 0;
    this.wrong = 0;
    this.recording = false;
  }

  /** `who` sends a state now; returns its counter. */
  sends(who, position, nowMs) {
    const sender = this.sent[who];
    sender.newest += 1;
    sender.at[sender.newest % KEPT] = nowMs;
    sender.position[sender.newest % KEPT] = position;
    if (this.recording) this.updates += 1;
    return sender.newest;
  }

  /** A frame came, or a part of one: those of a tick count once. */
  framed(bytes, listener, tick) {
    if (!this.recording) return;
    if (this.ticks[listener] !== tick) this.frames += 1;
    this.ticks[listener] = tick;
    this.bytes += bytes;
  }

  /** `listener` was told a state of `who`; `low` is its counter or the low 16 bits of it. */
  seen(listener, who, low, position, nowMs) {
    if (listener === who) return;
    const sender = this.sent[who];
    const counter = low < 65536 ? counterOf(low, sender.newest) : low;
    if (counter <= this.known[listener][who]) return;
    this.known[listener][who] = counter;
    if (!this.recording) return;
    this.states += 1;
    this.ages.push(nowMs - sender.at[counter % KEPT]);
    if (!position || sender.position[counter % KEPT].some((each, axis) => Math.abs(each - position[axis]) > NEAR_M))
      this.wrong += 1;
  }

  /** Of all pairs, how many know the other's newest state. */
  latest() {
    let known = 0;
    for (const [listener, row] of this.known.entries())
      for (const [who, counter] of row.entries()) if (listener !== who && counter === this.sent[who].newest) known += 1;
    return known / (this.count * (this.count - 1));
  }

  /** What a window of so many seconds says. */
  figures(seconds) {
    return {
      seconds,
      end_to_end_p50_ms: percentile(this.ages, 50),
      end_to_end_p99_ms: percentile(this.ages, 99),
      updates_sent_per_s: this.updates / seconds,
      delivered_ratio: this.states / (this.updates * (this.count - 1)),
      latest_state_delivery_ratio: this.latest(),
      wrong_states: this.wrong,
      frames_per_listener_s: this.frames / this.count / seconds,
      bytes_per_listener_s: this.bytes / this.count / seconds,
    };
  }
}
