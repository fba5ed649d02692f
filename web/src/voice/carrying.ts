/**
 * Brings the own voice to whoever may hear it, and every voice that comes to its source: what is wanted now, of each connection, again and again.
 *
 * Laws: who may not hear is sent nothing; who may not speak, is blocked, or is heard by the relay already, is not played. While mesh and relay both run
 * (one follows the other) a voice comes by both, and is played once: from its slot where it has one, else from its own connection.
 */

import type { PeerId } from "../wire/generated";
import type { VoiceLink, VoicePorts } from "./ports";
import { placementOf, type Relation } from "./relations";
import type { Slots } from "./slots";
import type { Placement, SourceId } from "./types";

/** What is so for this page now. */
export interface Own {
  readonly joined: boolean;
  /** Neither muted nor only listening, and the channel lets this page's person. */
  readonly speaks: boolean;
  readonly relations: ReadonlyMap<PeerId, Relation>;
  /** 0 to VOLUME_MAX. */
  volume(userId: string): number;
  kbps(peerId: PeerId): number;
}

type Ports = Pick<VoicePorts, "plane" | "sound" | "microphone" | "position" | "somebody">;

export class Carrying {
  private readonly sources = new Map<SourceId, MediaStreamTrack>();
  private node: VoiceLink | null = null;

  constructor(
    private readonly ports: Ports,
    private readonly slots: Slots,
    /** Another connection to a node carries, or none does. */
    private readonly onNode: (link: VoiceLink | null) => void,
  ) {}

  look(own: Own): void {
    const links = [...(this.ports.plane?.voiceLinks() ?? [])];
    this.see(links.find(({ setup, open, audio }) => setup.node && open && audio.sends) ?? null);
    const wanted = new Map<SourceId, { track: MediaStreamTrack; placement: Placement | null }>();
    for (const link of links) {
      this.send(link, own);
      if (!own.joined) continue;
      link.audio.incoming.forEach(({ track }, slot) => {
        if (!link.setup.node)
          wanted.set(`peer:${link.peerId}`, { track, placement: this.meshed(link.peerId, own) });
        else if (link === this.node) wanted.set(`slot${slot}`, { track, placement: this.seated(slot, own) });
      });
    }
    this.play(wanted);
  }

  /** Nothing is sent and nothing is played any more. */
  stop(): void {
    for (const link of this.ports.plane?.voiceLinks() ?? []) link.audio.send(null);
    this.play(new Map());
    this.see(null);
  }

  private see(node: VoiceLink | null): void {
    if (node === this.node) return;
    this.node = node;
    this.slots.reset();
    this.onNode(node);
  }

  private send({ peerId, setup, open, audio }: VoiceLink, own: Own): void {
    const { track } = this.ports.microphone;
    const sent = own.joined && own.speaks ? track : null;
    if (setup.node) audio.send(sent);
    else {
      const theirs = own.relations.get(peerId);
      if (open && !setup.polite && (own.joined || theirs)) audio.add();
      audio.send(theirs?.near ? sent : null);
    }
    audio.tune(own.kbps(peerId));
  }

  private meshed(peerId: PeerId, own: Own): Placement | null {
    const relation = own.relations.get(peerId);
    if (!relation?.near || !relation.speaks || this.slots.of(peerId) !== null) return null;
    return this.placed(peerId, relation, own);
  }

  /** The node decides who is in a slot; who is blocked here is heard from none. */
  private seated(slot: number, own: Own): Placement | null {
    const peerId = this.slots.in(slot);
    const relation = peerId === null ? undefined : own.relations.get(peerId);
    return peerId === null || !relation || relation.apart ? null : this.placed(peerId, relation, own);
  }

  private placed(peerId: PeerId, relation: Relation, own: Own): Placement | null {
    const gain = own.volume(relation.person.user_id);
    if (gain <= 0) return null;
    const place = { own: this.ports.position(), theirs: this.ports.somebody(peerId)?.position ?? null };
    return placementOf(peerId, relation, place, gain);
  }

  private play(
    wanted: ReadonlyMap<SourceId, { track: MediaStreamTrack; placement: Placement | null }>,
  ): void {
    const { sound } = this.ports;
    for (const id of [...this.sources.keys()]) {
      if (wanted.has(id)) continue;
      sound.place(id, null);
      sound.track(id, null);
      this.sources.delete(id);
    }
    for (const [id, { track, placement }] of wanted) {
      if (this.sources.get(id) !== track) {
        sound.track(id, track);
        this.sources.set(id, track);
      }
      sound.place(id, placement);
    }
  }
}
