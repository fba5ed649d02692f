/**
 * Who is on the relay, by the numbers that stand for them in frames; and when a frame was, on the page's clock. Pure.
 */

import type { PeerState, RelayRoster } from "../wire/generated";
import { type Frame, fullCounter } from "./frames";

interface Listed {
  peerId: string;
  epoch: number;
  counter: number;
}

/** What is known of a peer from elsewhere. */
export type Known = (peerId: string) => { epoch: number; counter: number } | null;

export class Listing {
  /** All of it came once. */
  full = false;
  private readonly listed = new Map<number, Listed>();
  private leastDelayMs = Number.POSITIVE_INFINITY;

  /** Whom the node carries. */
  get peers(): readonly string[] {
    return [...this.listed.values()].map(({ peerId }) => peerId);
  }

  apply(roster: RelayRoster): void {
    if (roster.full) this.listed.clear();
    this.full ||= roster.full ?? false;
    for (const index of roster.left ?? []) this.listed.delete(index);
    for (const { index, peer_id, epoch } of roster.members ?? []) {
      this.listed.set(index, { peerId: peer_id, epoch, counter: 0 });
    }
  }

  has(peerId: string): boolean {
    for (const listed of this.listed.values()) if (listed.peerId === peerId) return true;
    return false;
  }

  /** The states in a frame that came now; of an index nobody told, nothing. `serverMs`: what the server's clock says now. */
  statesOf(frame: Frame, nowMs: number, serverMs: number, known: Known): PeerState[] {
    const delay = nowMs - frame.atMs;
    this.leastDelayMs = Math.min(delay, this.leastDelayMs + 0.05);
    const at_ms = Math.round(serverMs - (delay - this.leastDelayMs));
    const states: PeerState[] = [];
    for (const { index, counter: low, state } of frame.entries) {
      const listed = this.listed.get(index);
      if (!listed) continue;
      const { peerId: peer_id, epoch } = listed;
      const elsewhere = known(peer_id);
      const newest = Math.max(listed.counter, elsewhere?.epoch === epoch ? elsewhere.counter : 0);
      const counter = newest > 0 ? fullCounter(newest, low) : low;
      listed.counter = Math.max(listed.counter, counter);
      states.push({ peer_id, epoch, counter, at_ms, state });
    }
    return states;
  }
}
