/**
 * That this tab was in a room's voice before its page was loaded anew. It is offered again, and not done by itself: no microphone is opened, and nobody
 * begins to be heard, without a gesture. A tab remembers it, not the device: another tab of the person was not there.
 */

import { read, type Shelf, write } from "../identity/keeping";
import type { SessionId } from "../wire/generated";
import type { Returning as Offer } from "./types";

const KEY = "holodeck.voice.inside";

export class Returning {
  /** How they were in it; null: they were not, or have answered. */
  offer: Offer | null;

  constructor(
    private readonly tab: Shelf,
    private readonly sessionId: SessionId,
  ) {
    const found = read<{ session_id?: unknown; listening?: unknown } | null>(tab, KEY);
    this.offer = found?.session_id === sessionId ? { listening: found.listening === true } : null;
  }

  /** In voice from now on: what would be offered. */
  inside(listening: boolean): void {
    this.offer = null;
    write(this.tab, KEY, { session_id: this.sessionId, listening });
  }

  /** Not in voice, and by choice, or refused. */
  outside(): void {
    this.offer = null;
    write(this.tab, KEY, null);
  }
}
