/**
 * Who hears whom, as this page sees it: by the room's state, where everybody stands, and whom its person blocks. Pure but for what it remembers of zones.
 *
 * The same rules as the node's, for the mesh has nobody between: what may not be heard is not played here, and what may not be sent is not sent from here.
 */

import { distance } from "../motion/maths";
import type {
  ChannelId,
  Peer,
  PeerId,
  UserId,
  Vec3,
  VoiceChannel,
  VoicePerson,
  VoiceState,
} from "../wire/generated";
import type { Placement } from "./types";
import { channelAt, MAIN_ID, maySpeak } from "./where";

/** The channel's law where nothing of it is known: as the wire has it. */
export const LAW = { model: "inverse", reference_m: 1.5, rolloff: 1, max_m: 40 } as const;

/** A page in voice, and what it is to this one. */
export interface Relation {
  readonly person: VoicePerson;
  readonly channel: VoiceChannel;
  /** This page's own person, or one whom they block. */
  readonly apart: boolean;
  /** In this page's channel, and not apart: each hears the other, where both may speak. */
  readonly near: boolean;
  /** They stand in the channel's area: until they walk out of it, it counts before where they were put. */
  readonly inArea: boolean;
  /** The room lets them speak there. */
  readonly speaks: boolean;
}

/** What is known at this moment. */
export interface Moment {
  readonly state: VoiceState;
  readonly me: Peer;
  readonly blocked: ReadonlySet<UserId>;
  position(peerId: PeerId): Vec3 | null;
  peer(peerId: PeerId): Peer | null;
}

export class Relations {
  /** Of every page in voice, this one too. */
  all: ReadonlyMap<PeerId, Relation> = new Map();
  private was: ReadonlyMap<PeerId, ChannelId> = new Map();

  look({ state, me, blocked, position, peer }: Moment): void {
    const channels = new Map(state.channels.map((channel) => [channel.channel_id, channel] as const));
    const now = new Map<PeerId, ChannelId>();
    const inArea = new Set<PeerId>();
    for (const { channel_id, peers } of state.people) {
      for (const id of peers) {
        const from = (putId: ChannelId) =>
          channelAt(state.channels, putId, this.was.get(id) ?? null, position(id));
        const there = from(channel_id);
        now.set(id, there);
        if (there !== MAIN_ID && from(MAIN_ID) === there) inArea.add(id);
      }
    }
    this.was = now;
    const here = now.get(me.peer_id);
    const relations = new Map<PeerId, Relation>();
    for (const person of state.people) {
      const apart = person.user_id === me.user_id || blocked.has(person.user_id);
      for (const id of person.peers) {
        const channel = channels.get(now.get(id) ?? MAIN_ID);
        if (!channel) continue;
        const near = !apart && here !== undefined && now.get(id) === here;
        relations.set(id, {
          person,
          channel,
          apart,
          near,
          inArea: inArea.has(id),
          speaks: maySpeak(person, channel, roleOf(peer(id))),
        });
      }
    }
    this.all = relations;
  }
}

/** How somebody is heard; null: not at all. Whoever has priority is heard everywhere in the channel, from where they stand. */
export function placementOf(
  peerId: PeerId,
  { person, channel }: Relation,
  place: { own: Vec3 | null; theirs: Vec3 | null },
  gain: number,
): Placement | null {
  const law = { ...LAW, ...channel.distance };
  const everywhere = channel.kind === "stage" || person.priority;
  if (!everywhere && place.own && place.theirs && distance(place.own, place.theirs) > law.max_m) return null;
  const heard = person.priority ? { ...law, rolloff: 0, max_m: Number.MAX_VALUE } : law;
  return { who: peerId, position: place.theirs, distance: heard, kind: channel.kind, gain };
}

function roleOf(peer: Peer | null): Peer["role"] {
  return peer?.role ?? "guest";
}
