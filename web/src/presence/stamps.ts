/**
 * The own state and the (epoch, counter) that orders it, one for all carriers.
 *
 * Law: of two stamps the greater counter was made later, whichever carrier took it; what was stamped is not changed. A
 * carrier that is slower than another sends what that one has just stamped, so counters do not run away.
 */

import type { PresenceState, PresenceUpdate } from "../wire/generated";

export class Stamps {
  /** The newest state as text: two states are the same where their texts are. */
  text = "";
  private state: PresenceState | null = null;
  private counter = 0;
  private atMs = Number.NEGATIVE_INFINITY;
  private stamped: PresenceUpdate | null = null;
  private stampedText = "";

  constructor(readonly epoch: number) {}

  /** The state as it is now. */
  offer(state: PresenceState): void {
    this.state = state;
    this.text = JSON.stringify(state);
  }

  /** The newest, stamped; what was stamped within `freshMs` is new enough. Null before the first `offer`. */
  take(nowMs: number, freshMs: number): PresenceUpdate | null {
    const fresh = this.stampedText === this.text || nowMs - this.atMs < freshMs;
    return this.stamped && fresh ? this.stamped : this.again(nowMs);
  }

  /** The newest under a counter of its own, though nothing changed. */
  again(nowMs: number): PresenceUpdate | null {
    if (!this.state) return null;
    this.counter += 1;
    this.atMs = nowMs;
    this.stampedText = this.text;
    this.stamped = { type: "presence.update", epoch: this.epoch, counter: this.counter, state: this.state };
    return this.stamped;
  }

  /** The text of what was stamped last. */
  get told(): string {
    return this.stampedText;
  }
}
