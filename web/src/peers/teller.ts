/**
 * Tells the own state on channels: the newest only, often, and once more after the last change, for a channel may lose it.
 *
 * Law: a channel on which something still waits is told nothing; what it is told next is the newest then.
 */

import type { Stamps } from "../presence/stamps";
import { LIMITS } from "../wire/generated";
import type { Link } from "./link";

/** More than this waiting in a channel: it is slower than we are. */
const WAITING_MAX_BYTES = 2 * 1024;
const REPEATS_AFTER_MS = [150, 600];

interface Told {
  counter: number;
  repeats: number;
  repeatAtMs: number;
}

export class Teller {
  private readonly told = new WeakMap<Link, Told>();
  private counter = -1;
  private text = "";

  constructor(private readonly stamps: Stamps) {}

  /** Brings every link up to date. */
  tell(links: Iterable<Link>, nowMs: number): void {
    let fresh = false;
    for (const link of links) {
      if (!link.open) continue;
      if (!fresh) this.encode(nowMs);
      fresh = true;
      this.update(link, nowMs);
    }
  }

  private encode(nowMs: number): void {
    const update = this.stamps.take(nowMs, 0);
    if (!update || update.counter === this.counter) return;
    this.counter = update.counter;
    this.text = JSON.stringify(update);
  }

  private update(link: Link, nowMs: number): void {
    if (this.text === "" || this.text.length > LIMITS.PRESENCE_MESSAGE_BYTES) return;
    if (link.waiting("presence") > WAITING_MAX_BYTES) return;
    const told = this.told.get(link);
    const repeats = told && told.counter === this.counter;
    if (repeats && (told.repeats >= REPEATS_AFTER_MS.length || nowMs < told.repeatAtMs)) return;
    if (!link.send("presence", this.text)) return;
    const count = repeats ? told.repeats + 1 : 0;
    const repeatAtMs = nowMs + (REPEATS_AFTER_MS[count] ?? 0);
    this.told.set(link, { counter: this.counter, repeats: count, repeatAtMs });
  }
}
