/**
 * What to send of one's own state on the WebSocket, and when. Every update carries the whole state, so only the newest
 * counts.
 *
 * Laws: never faster than the interval; nothing where nothing changed; the newest always goes out in the end; what
 * is not echoed by a frame within ECHO_MS is sent again. Pure: the clock is an argument.
 */

import { LIMITS, type PresenceState, type PresenceUpdate } from "../wire/generated";
import { Stamps } from "./stamps";

const ECHO_MS = 2000;
/** A stamp that another carrier has just made is taken over. */
const FRESH_MS = 1000 / LIMITS.MESH_HZ;

export const FULL_PACE_MS = 1000 / LIMITS.PRESENCE_HZ;

export class Outbox {
  readonly stamps: Stamps;
  private sentText = "";
  private sentAt = Number.NEGATIVE_INFINITY;
  private sentCounter = 0;
  private awaiting = false;
  private pausedUntil = Number.NEGATIVE_INFINITY;
  /** How long the last confirmed update took from here to a frame that came back, in ms. */
  lastEchoMs: number | null = null;

  constructor(
    epoch: number,
    private intervalMs: number = FULL_PACE_MS,
  ) {
    this.stamps = new Stamps(epoch);
  }

  /** The state as it is now. */
  offer(state: PresenceState): void {
    this.stamps.offer(state);
  }

  /** Tells so often at most from now on; what waits goes out by the new interval. */
  pace(intervalMs: number): void {
    this.intervalMs = intervalMs;
  }

  /** A new connection knows nothing of what the old one was told. */
  reset(): void {
    this.sentText = "";
    this.awaiting = false;
    this.pausedUntil = Number.NEGATIVE_INFINITY;
    this.sentAt = Math.min(this.sentAt, this.sentAt + FULL_PACE_MS - this.intervalMs);
  }

  /** The server asked for silence. */
  pause(untilMs: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, untilMs);
    this.sentText = "";
  }

  /** When `poll` may have something to send; null while there is nothing. */
  wakeAt(): number | null {
    const { text } = this.stamps;
    if (text === "") return null;
    if (text !== this.sentText) return Math.max(this.sentAt + this.intervalMs, this.pausedUntil);
    return this.awaiting ? Math.max(this.sentAt + ECHO_MS, this.pausedUntil) : null;
  }

  /** The update that is due, now considered sent. */
  poll(now: number): PresenceUpdate | null {
    const at = this.wakeAt();
    if (at === null || now < at) return null;
    let update = this.stamps.take(now, FRESH_MS);
    if (update && update.counter <= this.sentCounter) update = this.stamps.again(now);
    if (!update) return null;
    this.sentText = this.stamps.told;
    this.sentAt = now;
    this.sentCounter = update.counter;
    this.awaiting = true;
    return update;
  }

  /** A frame brought our own state back: all up to (epoch, counter) is stored. */
  echoed(epoch: number, counter: number, now: number): void {
    if (epoch !== this.stamps.epoch || counter < this.sentCounter) return;
    if (this.awaiting) this.lastEchoMs = Math.max(0, now - this.sentAt);
    this.awaiting = false;
  }
}
