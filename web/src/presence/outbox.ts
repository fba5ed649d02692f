/**
 * What to send of one's own state, and when. Every update carries the whole state, so only the newest counts.
 *
 * Laws: never faster than the interval; nothing where nothing changed; the newest always goes out in the end; what
 * is not echoed by a frame within ECHO_MS is sent again. Pure: the clock is an argument.
 */

import { LIMITS, type PresenceState, type PresenceUpdate } from "../wire/generated";

const ECHO_MS = 2000;

export class Outbox {
  private newest: PresenceState | null = null;
  private newestText = "";
  private sentText = "";
  private sentAt = Number.NEGATIVE_INFINITY;
  private counter = 0;
  private awaiting = false;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  /** How long the last confirmed update took from here to a frame that came back, in ms. */
  lastEchoMs: number | null = null;

  constructor(
    private readonly epoch: number,
    private readonly intervalMs: number = 1000 / LIMITS.PRESENCE_HZ,
  ) {}

  /** The state as it is now. */
  offer(state: PresenceState): void {
    this.newest = state;
    this.newestText = JSON.stringify(state);
  }

  /** A new connection knows nothing of what the old one was told. */
  reset(): void {
    this.sentText = "";
    this.awaiting = false;
    this.pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /** The server asked for silence. */
  pause(untilMs: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, untilMs);
    this.sentText = "";
  }

  /** When `poll` may have something to send; null while there is nothing. */
  wakeAt(): number | null {
    if (this.newest === null) return null;
    if (this.newestText !== this.sentText) return Math.max(this.sentAt + this.intervalMs, this.pausedUntil);
    return this.awaiting ? Math.max(this.sentAt + ECHO_MS, this.pausedUntil) : null;
  }

  /** The update that is due, now considered sent. */
  poll(now: number): PresenceUpdate | null {
    const at = this.wakeAt();
    if (this.newest === null || at === null || now < at) return null;
    this.sentText = this.newestText;
    this.sentAt = now;
    this.awaiting = true;
    this.counter += 1;
    return { type: "presence.update", epoch: this.epoch, counter: this.counter, state: this.newest };
  }

  /** A frame brought our own state back: all up to (epoch, counter) is stored. */
  echoed(epoch: number, counter: number, now: number): void {
    if (epoch !== this.epoch || counter < this.counter) return;
    if (this.awaiting) this.lastEchoMs = Math.max(0, now - this.sentAt);
    this.awaiting = false;
  }
}
