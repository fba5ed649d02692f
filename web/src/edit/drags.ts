/**
 * What others hold in their hands: where each thing is drawn until they let go. Pure: times are arguments.
 *
 * A hand tells where its things are five times a second, as part of its presence, and nothing of it is kept: the
 * document learns of a drag once, by the commit on its release. Law: however a drag ends, what was dragged glides from
 * where it was last seen to where the document has it. It ends with the commit of whoever held it; where none comes, a
 * moment after they let go; when they leave, may not edit any more, or are silent for long.
 */

import { lerp, normalize, slerp } from "../motion/maths";
import { Track } from "../motion/track";
import type { Member } from "../presence/roster";
import { type Commit, type Held, LIMITS, type PeerState, type Vec3 } from "../wire/generated";
import { atLeast, positionOf, rotationOf, scaleOf } from "./kinds";
import type { Placement } from "./placement";
import type { View } from "./tree";

/** Nothing is heard of a hand for so long: it holds nothing any more. */
const SILENCE_MS = 10_000;
/** A hand has let go, and the commit may still be on its way. */
const COMMIT_WITHIN_MS = 900;
const GLIDE_MS = 180;
const TICK_MS = 200;
const FAR_M = 400;
const LEVEL = [0, 0, 0, 1] as const;

interface Grip {
  readonly userId: string;
  readonly peerId: string;
  readonly places: Track;
  readonly sizes: Track;
  shown: Placement;
  heardAtMs: number;
  /** Since when the hand is open; null while it holds. */
  openSinceMs: number | null;
  glideSinceMs: number | null;
}

/** What is told of a thing in one's own hand; null where it is too far away, or too large, to be told. */
export function heldOf(id: string, { position, rotation, scale }: Placement): Held | null {
  const near = [...position, ...scale].every((value) => Math.abs(value) <= LIMITS.WORLD_M);
  return near ? { id, position, rotation, scale } : null;
}

/** Whether somebody may move a thing here. */
export type MayHold = (member: Member, entity: string) => boolean;

/** All the hands of the others. */
export class Drags {
  private readonly grips = new Map<string, Grip>();
  private readonly seen = new WeakSet<PeerState>();
  /** By user and entity: states up to that time (the server's) were before the commit that ended the drag. */
  private readonly ended = new Map<string, number>();

  /** Whoever is there, with their newest states. */
  see(members: Iterable<Member>, view: View, may: MayHold, nowMs: number): void {
    const held = new Set<string>();
    for (const member of members) {
      const { state, peer } = member;
      if (!state) continue;
      const fresh = !this.seen.has(state);
      this.seen.add(state);
      for (const thing of state.state.drag ?? []) {
        if (!view.get(thing.id)?.alive || !may(member, thing.id)) continue;
        if (this.over(peer.user_id, thing.id, state.at_ms)) continue;
        if (fresh) this.take(member, state, thing, view, nowMs);
        if (this.grips.get(thing.id)?.peerId === peer.peer_id) held.add(thing.id);
      }
    }
    for (const [id, grip] of this.grips) {
      const silent = nowMs - grip.heardAtMs > SILENCE_MS;
      if (held.has(id) && !silent) continue;
      grip.openSinceMs ??= nowMs;
      if (silent || nowMs - grip.openSinceMs > COMMIT_WITHIN_MS) grip.glideSinceMs ??= nowMs;
    }
  }

  /** A commit: what its author held and has put somewhere is let go. */
  committed({ user_id, operations, at_ms }: Commit, nowMs: number): void {
    for (const operation of operations) {
      const grip = this.grips.get(operation.id);
      if (grip?.userId !== user_id) continue;
      this.ended.set(`${user_id} ${operation.id}`, at_ms);
      grip.openSinceMs ??= nowMs;
      grip.glideSinceMs ??= nowMs;
    }
  }

  /** Where what is held is to be drawn now, beneath its parent. */
  shown(view: View, nowMs: number): Map<string, Placement> {
    const shown = new Map<string, Placement>();
    for (const [id, grip] of this.grips) {
      const place = placeOf(grip, view, id, nowMs);
      if (place) shown.set(id, place);
      else this.grips.delete(id);
    }
    return shown;
  }

  private over(userId: string, entity: string, atMs: number): boolean {
    const key = `${userId} ${entity}`;
    if (atMs <= (this.ended.get(key) ?? 0)) return true;
    this.ended.delete(key);
    return false;
  }

  private take({ peer }: Member, state: PeerState, thing: Held, view: View, nowMs: number): void {
    let grip = this.grips.get(thing.id);
    if (grip && grip.peerId !== peer.peer_id && grip.openSinceMs === null) return;
    if (!grip || grip.openSinceMs !== null || grip.peerId !== peer.peer_id) {
      grip = begun(
        peer.user_id,
        peer.peer_id,
        grip?.shown ?? placementOf(view, thing.id),
        state.at_ms,
        nowMs,
      );
      this.grips.set(thing.id, grip);
    }
    const size: Vec3 = [atLeast(thing.scale[0]), atLeast(thing.scale[1]), atLeast(thing.scale[2])];
    grip.places.push(state.at_ms, thing.position, normalize(thing.rotation), nowMs);
    grip.sizes.push(state.at_ms, size, LEVEL, nowMs);
    grip.heardAtMs = nowMs;
  }
}

function begun(userId: string, peerId: string, from: Placement, atMs: number, nowMs: number): Grip {
  const places = new Track({ teleportM: FAR_M });
  const sizes = new Track({ teleportM: FAR_M });
  places.push(atMs - TICK_MS, from.position, from.rotation, nowMs - TICK_MS);
  sizes.push(atMs - TICK_MS, from.scale, LEVEL, nowMs - TICK_MS);
  const times = { heardAtMs: nowMs, openSinceMs: null, glideSinceMs: null };
  return { userId, peerId, places, sizes, shown: from, ...times };
}

function placeOf(grip: Grip, view: View, id: string, nowMs: number): Placement | null {
  if (!view.get(id)?.alive) return null;
  if (grip.glideSinceMs === null) {
    const place = grip.places.show(nowMs);
    const size = grip.sizes.show(nowMs);
    if (place && size) grip.shown = { ...place, scale: size.position };
    return grip.shown;
  }
  const t = (nowMs - grip.glideSinceMs) / GLIDE_MS;
  if (t >= 1) return null;
  const to = placementOf(view, id);
  const eased = t * t * (3 - 2 * t);
  return {
    position: lerp(grip.shown.position, to.position, eased),
    rotation: slerp(grip.shown.rotation, to.rotation, eased),
    scale: lerp(grip.shown.scale, to.scale, eased),
  };
}

function placementOf(view: View, id: string): Placement {
  const entity = view.get(id);
  if (!entity) return { position: [0, 0, 0], rotation: LEVEL, scale: [1, 1, 1] };
  return { position: positionOf(entity), rotation: rotationOf(entity), scale: scaleOf(entity) };
}
