/**
 * Who is in the room and what their newest state is, from frames in any order.
 *
 * Laws: of two states of a peer the greater (epoch, counter) wins; a full frame, once all its parts are there, names
 * everybody, so who is not in it is gone, unless a later frame named them; a state of somebody never introduced waits.
 */

import type { Peer, PeerState, PresenceFrame, Role } from "../wire/generated";

export interface Member {
  peer: Peer;
  state: PeerState | null;
}

export interface Changes {
  joined: Peer[];
  left: Peer[];
  /** Peer ids whose state is newer now. */
  moved: string[];
  /** Peer ids whose name, colour or role is another now. */
  renamed: string[];
}

interface Gathering {
  atMs: number;
  parts: Set<number>;
  named: Set<string>;
}

export class Roster {
  readonly members = new Map<string, Member>();
  private readonly namedAt = new Map<string, number>();
  private readonly orphans = new Map<string, PeerState>();
  private gathering: Gathering | null = null;

  apply(frame: PresenceFrame): Changes {
    const changes: Changes = { joined: [], left: [], moved: [], renamed: [] };
    for (const peerId of frame.left ?? []) {
      if ((this.namedAt.get(peerId) ?? 0) <= frame.at_ms) this.drop(peerId, changes);
    }
    for (const peer of frame.joined ?? []) this.introduce(peer, frame.at_ms, changes);
    for (const state of frame.states ?? []) this.take(state, frame.at_ms, changes);
    if (frame.full) this.reconcile(frame, changes);
    return changes;
  }

  /** A state that a channel brought: whose it is was verified, but it does not say that they are still in the room. */
  hear(state: PeerState): Changes {
    const changes: Changes = { joined: [], left: [], moved: [], renamed: [] };
    this.keep(state, changes);
    return changes;
  }

  /** Everybody of this user has another role. */
  setRole(userId: string, role: Role): string[] {
    const ids: string[] = [];
    for (const [peerId, member] of this.members) {
      if (member.peer.user_id !== userId || member.peer.role === role) continue;
      member.peer = { ...member.peer, role };
      ids.push(peerId);
    }
    return ids;
  }

  /** Everybody of this user is gone, at once. */
  expel(userId: string): Changes {
    const changes: Changes = { joined: [], left: [], moved: [], renamed: [] };
    for (const [peerId, member] of [...this.members]) {
      if (member.peer.user_id === userId) this.drop(peerId, changes);
    }
    return changes;
  }

  private introduce(peer: Peer, atMs: number, changes: Changes): void {
    this.name(peer.peer_id, atMs);
    const known = this.members.get(peer.peer_id);
    if (known) {
      if (known.peer.name !== peer.name || known.peer.color !== peer.color || known.peer.role !== peer.role) {
        changes.renamed.push(peer.peer_id);
      }
      known.peer = peer;
      return;
    }
    const orphan = this.orphans.get(peer.peer_id) ?? null;
    this.orphans.delete(peer.peer_id);
    this.members.set(peer.peer_id, { peer, state: orphan });
    changes.joined.push(peer);
    if (orphan) changes.moved.push(peer.peer_id);
  }

  private take(state: PeerState, atMs: number, changes: Changes): void {
    this.name(state.peer_id, atMs);
    this.keep(state, changes);
  }

  private keep(state: PeerState, changes: Changes): void {
    const member = this.members.get(state.peer_id);
    if (!member) {
      const waiting = this.orphans.get(state.peer_id);
      if (!waiting || newer(state, waiting)) this.orphans.set(state.peer_id, state);
      return;
    }
    if (member.state && !newer(state, member.state)) return;
    // Carriers' clocks differ a little: a later state is never of an earlier time.
    const at_ms = Math.max(state.at_ms, (member.state?.at_ms ?? 0) + 1);
    member.state = at_ms === state.at_ms ? state : { ...state, at_ms };
    changes.moved.push(state.peer_id);
  }

  private reconcile(frame: PresenceFrame, changes: Changes): void {
    if (!this.gathering || this.gathering.atMs !== frame.at_ms) {
      if (this.gathering && this.gathering.atMs > frame.at_ms) return;
      this.gathering = { atMs: frame.at_ms, parts: new Set(), named: new Set() };
    }
    const { parts, named } = this.gathering;
    parts.add(frame.part ?? 0);
    for (const peer of frame.joined ?? []) named.add(peer.peer_id);
    if (parts.size < (frame.parts ?? 1)) return;
    for (const peerId of [...this.members.keys()]) {
      if (!named.has(peerId) && (this.namedAt.get(peerId) ?? 0) <= frame.at_ms) this.drop(peerId, changes);
    }
    this.gathering = null;
  }

  private drop(peerId: string, changes: Changes): void {
    const member = this.members.get(peerId);
    this.orphans.delete(peerId);
    this.namedAt.delete(peerId);
    if (!member) return;
    this.members.delete(peerId);
    changes.left.push(member.peer);
  }

  private name(peerId: string, atMs: number): void {
    this.namedAt.set(peerId, Math.max(this.namedAt.get(peerId) ?? 0, atMs));
  }
}

/** Whether `a` was made after `b` by the same peer. */
export function newer(a: PeerState, b: PeerState): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.counter > b.counter);
}
