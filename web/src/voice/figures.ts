/** How well voices come and go, over all connections: measured, shown, and acted on at each look. Time is an argument. */

import { LIMITS, type PeerId, type VoiceQuality } from "../wire/generated";
import { Ladder, RATES, rateFits, SLOTS, slotsFit, type VoiceConditions } from "./adapt";
import { UNHEARD } from "./hearing";
import type { VoiceLink } from "./ports";
import type { Relation } from "./relations";
import type { Slots } from "./slots";
import { together, VoiceStats } from "./stats";
import type { Hearing, VoiceFigures } from "./types";

interface Measured {
  readonly stats: VoiceStats;
  readonly rate: Ladder<number>;
  hearings: readonly Hearing[];
}

export class Figures {
  /** Null while no connection carries voice. */
  now: VoiceFigures | null = null;
  private readonly measured = new Map<PeerId, Measured>();
  private readonly slotLadder = new Ladder(SLOTS);
  private node: PeerId | null = null;

  /**
   * Whose voice comes by which connection, and in which slot: whenever that may be another. What is known of a voice that may not be heard any more is
   * forgotten at once: how it ended is not how it was heard.
   */
  follow(links: readonly VoiceLink[], relations: ReadonlyMap<PeerId, Relation>, slots: Slots): void {
    const heard = (peerId: PeerId | null): PeerId | null => {
      const relation = peerId === null ? undefined : relations.get(peerId);
      return relation?.near && relation.speaks ? peerId : null;
    };
    for (const { peerId, audio, setup } of links) {
      if (!audio.sends) continue;
      const { stats } = this.one(peerId);
      audio.incoming.forEach(({ mid }, slot) => {
        if (stats.follow(mid, heard(setup.node ? slots.in(slot) : peerId))) this.forget(peerId, slot);
      });
    }
  }

  /** About once a second. */
  look(links: readonly VoiceLink[], hintKbps: (peerId: PeerId) => number, nowMs: number): void {
    const carrying = links.filter(({ audio }) => audio.sends);
    for (const peerId of [...this.measured.keys()]) {
      if (!carrying.some((link) => link.peerId === peerId)) this.measured.delete(peerId);
    }
    this.node = carrying.find(({ setup }) => setup.node)?.peerId ?? null;
    for (const link of carrying) this.measure(link, hintKbps(link.peerId), nowMs);
    this.now = carrying.length > 0 ? this.summary() : null;
  }

  /** What the encoder of a connection is set to. */
  kbps(peerId: PeerId): number {
    return this.measured.get(peerId)?.rate.value ?? LIMITS.VOICE_KBPS_MAX;
  }

  /** How many voices at once are asked of the relay. */
  get slots(): number {
    return this.slotLadder.value;
  }

  /** How somebody is heard: by their own connection, or in their slot. */
  of(peerId: PeerId, slots: Slots): Hearing | null {
    const own = this.measured.get(peerId)?.hearings[0];
    if (own && own !== UNHEARD) return own;
    const slot = slots.of(peerId);
    const seated = slot === null || this.node === null ? null : this.measured.get(this.node)?.hearings[slot];
    return seated && seated !== UNHEARD ? seated : null;
  }

  private one(peerId: PeerId): Measured {
    const one = this.measured.get(peerId) ?? {
      stats: new VoiceStats(),
      rate: new Ladder(RATES),
      hearings: [],
    };
    this.measured.set(peerId, one);
    return one;
  }

  private forget(peerId: PeerId, slot: number): void {
    const one = this.one(peerId);
    one.hearings = one.hearings.map((hearing, n) => (n === slot ? UNHEARD : hearing));
  }

  private measure({ peerId, report, view, audio, setup }: VoiceLink, hintKbps: number, nowMs: number): void {
    const one = this.one(peerId);
    one.stats.take(report, view.rttMs, nowMs);
    one.hearings = audio.incoming.map(({ mid }) => one.stats.of(mid));
    const { outgoing } = one.stats;
    const now: VoiceConditions = {
      sentLossShare: outgoing.lossShare,
      heardLossShare: together(one.hearings).lossShare,
      rttMs: outgoing.rttMs ?? view.rttMs,
      availableKbps: view.availableKbps,
      hintKbps,
    };
    one.rate.look(rateFits(now), nowMs);
    if (setup.node) this.slotLadder.look(slotsFit(now), nowMs);
  }

  private summary(): VoiceFigures {
    const all = [...this.measured.values()];
    const known = (values: (number | null)[]): number[] => values.filter((value) => value !== null);
    const lost = known(all.map(({ stats }) => stats.outgoing.lossShare));
    const sent = known(all.map(({ stats }) => stats.outgoing.kbps));
    return {
      ...together(all.flatMap(({ hearings }) => hearings)),
      sentLossShare: lost.length > 0 ? Math.max(...lost) : null,
      sentKbps: sent.length > 0 ? sent.reduce((sum, kbps) => sum + kbps, 0) : null,
      targetKbps: Math.min(...all.map(({ rate }) => rate.value)),
      slots: this.slots,
    };
  }
}

/** What the room is told of it; null while nobody is heard. */
export function voiceQualityOf(figures: VoiceFigures | null): VoiceQuality | null {
  if (!figures || figures.mos === null) return null;
  const { mos, lossShare, jitterMs, rttMs, concealedShare } = figures;
  return {
    mos: rounded(mos),
    ...(lossShare === null ? {} : { loss: rounded(lossShare) }),
    ...(jitterMs === null ? {} : { jitter_ms: rounded(Math.min(60_000, jitterMs)) }),
    ...(rttMs === null ? {} : { rtt_ms: rounded(Math.min(60_000, rttMs)) }),
    ...(concealedShare === null ? {} : { concealed: rounded(concealedShare) }),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
