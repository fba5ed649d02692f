/** Who is heard in which slot of the relay, and who speaks, as the node says on its control channel. Pure. */

import { LIMITS, type PeerId, type VoiceSlots, type VoiceSpeaking } from "../wire/generated";

const PEERS_MAX = 1000;

export class Slots {
  private seats: (PeerId | null)[] = empty();
  private voices: ReadonlySet<PeerId> = new Set();

  /** Who is named sits there from now on; slots that are not named stay as they are. */
  take({ slots }: VoiceSlots): void {
    for (const { slot, peer_id } of slots) {
      if (Number.isInteger(slot) && slot >= 0 && slot < this.seats.length) this.seats[slot] = peer_id;
    }
  }

  speak({ peers }: VoiceSpeaking): void {
    this.voices = new Set(peers.slice(0, PEERS_MAX));
  }

  /** Another connection: nobody sits anywhere yet. */
  reset(): void {
    this.seats = empty();
    this.voices = new Set();
  }

  in(slot: number): PeerId | null {
    return this.seats[slot] ?? null;
  }

  /** The slot that brings somebody; null: none does. */
  of(peerId: PeerId): number | null {
    const slot = this.seats.indexOf(peerId);
    return slot < 0 ? null : slot;
  }

  speaks(peerId: PeerId): boolean {
    return this.voices.has(peerId);
  }
}

function empty(): (PeerId | null)[] {
  return Array.from({ length: LIMITS.VOICE_SLOTS }, () => null);
}
