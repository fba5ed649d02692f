/** States that come by channels: checked, attributed to the peer that signalling verified, counted. */

import type { PeerState } from "../wire/generated";
import { presenceOf } from "./decode";
import type { Link } from "./link";
import { Rate } from "./rate";

export class Reception {
  private readonly rates = new Map<string, Rate>();

  constructor(
    private readonly now: () => number,
    /** What the server's clock says now. */
    private readonly serverNow: () => number,
    private readonly onStates: (states: readonly PeerState[]) => void,
  ) {}

  /** A message on the presence channel of a page. Whoever it says it is from, it is of the page the channel leads to. */
  heard(link: Link, data: unknown): void {
    const told = presenceOf(data);
    if (!told || (told.claimed !== null && !link.peerId.startsWith(`${told.claimed}.`))) return;
    const { epoch, counter, state } = told;
    link.gaps.add(epoch, counter);
    const at_ms = Math.max(0, Math.round(this.serverNow()));
    this.take([{ peer_id: link.peerId, epoch, counter, at_ms, state }]);
  }

  take(states: readonly PeerState[]): void {
    if (states.length === 0) return;
    const now = this.now();
    for (const { peer_id } of states) {
      const rate = this.rates.get(peer_id) ?? new Rate();
      this.rates.set(peer_id, rate);
      rate.add(now);
    }
    this.onStates(states);
  }

  forget(peerId: string): void {
    this.rates.delete(peerId);
  }

  /** States that came of one peer, or of all, a second. */
  perSecond(peerId?: string): number {
    const now = this.now();
    if (peerId !== undefined) return this.rates.get(peerId)?.perSecond(now) ?? 0;
    let all = 0;
    for (const rate of this.rates.values()) all += rate.perSecond(now);
    return all;
  }
}
