/** Everybody else in the room, from whatever carrier tells of them: the roster, their bodies, and who comes and goes. */

import type { Changes, Roster } from "../presence/roster";
import { greet } from "../ui/greeting";
import { aRole } from "../ui/person";
import type { Toasts } from "../ui/toasts";
import type { Peer, PeerState, PresenceFrame, Role } from "../wire/generated";
import type { World } from "./world";

export class Company {
  /** Once there is one. */
  world: World | null = null;
  private greeted = false;

  constructor(
    private readonly roster: Roster,
    private readonly toasts: Toasts,
    private readonly you: () => Peer | null,
    /** Somebody came, left, or has another name or role. */
    private readonly onPeople: (changes: Changes) => void,
  ) {}

  /** A frame of the WebSocket, or what REST makes of a list. */
  take(frame: PresenceFrame): void {
    this.told(this.roster.apply(frame));
    this.greeted = true;
  }

  /** States that came by channels. */
  hear(states: readonly PeerState[]): void {
    for (const state of states) this.told(this.roster.hear(state));
  }

  /** States read by REST: they move bodies, and are not kept. */
  glimpse(states: readonly PeerState[]): void {
    for (const state of states) this.world?.crowd.take(state, Date.now());
  }

  expel(userId: string): void {
    this.told(this.roster.expel(userId));
  }

  /** Somebody has another role, this page's person too. */
  roleChanged(userId: string, role: Role): void {
    for (const peerId of this.roster.setRole(userId, role)) this.world?.crowd.rename(peerId);
    if (userId === this.you()?.user_id) {
      this.toasts.show(`You are ${aRole(role)} now`, { tone: "good" });
      return;
    }
    const name = [...this.roster.members.values()].find(({ peer }) => peer.user_id === userId)?.peer.name;
    if (name) this.toasts.show(`${name} is ${aRole(role)} now`);
  }

  private told(changes: Changes): void {
    const own = this.you()?.peer_id;
    const now = Date.now();
    const crowd = this.world?.crowd;
    for (const { peer_id } of changes.left) crowd?.leave(peer_id);
    for (const { peer_id } of changes.joined) {
      const member = this.roster.members.get(peer_id);
      if (member && peer_id !== own) crowd?.join(member);
    }
    for (const peerId of changes.renamed) crowd?.rename(peerId);
    for (const peerId of changes.moved) {
      const state = this.roster.members.get(peerId)?.state;
      if (state && peerId !== own) crowd?.take(state, now);
    }
    if (changes.joined.length + changes.left.length + changes.renamed.length === 0) return;
    this.onPeople(changes);
    if (this.greeted) greet(this.toasts, changes, this.you()?.user_id);
  }
}
