/**
 * The connections to the other pages of the room, one a pair: made, mended, made again, and given up in the end.
 *
 * The greater id makes the first offer, under a link id of its own choosing; the smaller waits, and offers itself only
 * where none came for long. An offer with another link replaces what there is, but for glare: there the greater id's
 * stands. A pair that cannot connect is tried ever more seldom, then left to the WebSocket until something changes:
 * the network here, a new page or an offer there.
 */

import { backoffMs } from "../presence/backoff";
import { type ClientMessage, LIMITS, type PeerOffer, type Signal } from "../wire/generated";
import { Allowance } from "./allowance";
import { FLOOD, Link, type LinkEvents, type Patience } from "./link";
import type { RtcPorts } from "./ports";
import type { LinkView } from "./types";

const PATIENCE: Patience = { pingMs: 1000, silentMs: 3500, connectMs: 20_000, mendMs: 12_000 };
const ATTEMPTS_MAX = 7;
/** How long the polite side waits for an offer before it makes one. */
const POLITE_MS = 7000;
/** A link this young belongs to the page that is there now, whatever is heard late of the one before. */
const YOUNG_MS = 5000;
const ENDED_KEPT = 128;
/** Offers of one page: those of a network that changes, not one after the other for ever. */
const OFFERS = { burst: LIMITS.OFFER_BURST, perS: LIMITS.OFFER_REFILL_PER_S };
/** Whoever flooded is on the WebSocket alone for so long. */
const SHUT_MS = 60_000;

interface Pair {
  link: Link | null;
  /** This side made the link's first offer, and nothing came of it yet. */
  offering: boolean;
  attempts: number;
  tryAtMs: number;
  epoch: number;
}

export interface MeshPorts extends RtcPorts {
  /** The configuration of new connections; null while there is none. */
  configuration(): RTCConfiguration | null;
  send(signal: ClientMessage): boolean;
}

export type MeshEvents = Omit<LinkEvents, "signal" | "ended">;

export class Mesh {
  private readonly pairs = new Map<string, Pair>();
  private readonly ended = new Set<string>();
  private readonly offers = new Map<string, Allowance>();
  private readonly shutUntil = new Map<string, number>();
  private me = "";

  constructor(
    private readonly ports: MeshPorts,
    private readonly events: MeshEvents,
  ) {}

  /** Connects to exactly these pages; who they are from now on is decided by (own id, epoch of each). */
  want(me: string, wanted: ReadonlyMap<string, number>, form: boolean): void {
    this.me = me;
    const now = this.ports.now();
    for (const [peerId, pair] of this.pairs) {
      if (wanted.has(peerId) || (pair.link && now - pair.link.madeAtMs < YOUNG_MS)) continue;
      pair.link?.close("left");
      this.pairs.delete(peerId);
    }
    if (!form) return;
    for (const [peerId, epoch] of wanted) this.tend(peerId, epoch, now);
  }

  /** A signal from another page. */
  receive(signal: Signal, from: string): void {
    const pair = this.pairs.get(from);
    if (signal.type === "peer.offer" && !this.mayOffer(from)) return; // an honest one is sent again
    if (pair?.link?.setup.link === signal.link) {
      if (signal.type === "peer.answer") pair.offering = false;
      pair.link.receive(signal);
    } else if (signal.type === "peer.offer") this.offered(signal, from, pair);
  }

  /** The functions could not deliver a signal of this link. */
  undelivered(link: string): void {
    for (const pair of this.pairs.values()) if (pair.link?.setup.link === link) this.lost(pair, pair.link);
  }

  /** The network is another: every link gets new candidates, every pair another chance. */
  networkChanged(): void {
    for (const pair of this.pairs.values()) {
      pair.attempts = 0;
      pair.tryAtMs = Math.min(pair.tryAtMs, this.ports.now());
      pair.link?.restart();
    }
  }

  reconfigure(configuration: RTCConfiguration): void {
    for (const { link } of this.pairs.values()) link?.reconfigure(configuration);
  }

  /** Somebody left, or was removed: at once. */
  drop(peerId: string): void {
    this.pairs.get(peerId)?.link?.close(null);
    this.pairs.delete(peerId);
    this.offers.delete(peerId);
  }

  closeAll(reason: string | null): void {
    for (const { link } of this.pairs.values()) link?.close(reason);
    this.pairs.clear();
  }

  *links(): Iterable<Link> {
    for (const { link } of this.pairs.values()) if (link) yield link;
  }

  isOpen(peerId: string): boolean {
    return this.pairs.get(peerId)?.link?.open ?? false;
  }

  /** Of own states, on all links. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const link of this.links()) bytes += link.open ? link.waiting("presence") : 0;
    return bytes;
  }

  get anyOpen(): boolean {
    for (const { link } of this.pairs.values()) if (link?.open) return true;
    return false;
  }

  /** What is shown of a pair, connected or not. */
  viewOf(peerId: string): LinkView {
    const none = { rttMs: null, jitterMs: null, lossShare: null, availableKbps: null, incomingKbps: null };
    return this.pairs.get(peerId)?.link?.view ?? { peerId, path: "none", open: false, ...none };
  }

  private mayOffer(from: string): boolean {
    const offers = this.offers.get(from) ?? new Allowance(OFFERS);
    this.offers.set(from, offers);
    return offers.take(0, this.ports.now());
  }

  private isShut(peerId: string): boolean {
    const until = this.shutUntil.get(peerId) ?? Number.NEGATIVE_INFINITY;
    if (until > this.ports.now()) return true;
    this.shutUntil.delete(peerId);
    return false;
  }

  private tend(peerId: string, epoch: number, now: number): void {
    let pair = this.pairs.get(peerId);
    if (!pair) {
      pair = { link: null, offering: false, attempts: 0, tryAtMs: this.firstAt(peerId, now), epoch };
      this.pairs.set(peerId, pair);
    }
    if (epoch > pair.epoch) this.reborn(peerId, pair, epoch, now);
    if (pair.link || now < pair.tryAtMs || pair.attempts >= ATTEMPTS_MAX || this.isShut(peerId)) return;
    if (this.make(peerId, pair, newLinkId(this.ports), [])) pair.offering = true;
  }

  /** The page there was loaded anew: what led to the old one leads nowhere. */
  private reborn(peerId: string, pair: Pair, epoch: number, now: number): void {
    const known = pair.epoch > 0;
    pair.epoch = epoch;
    if (!known || (pair.link && now - pair.link.madeAtMs < YOUNG_MS)) return;
    if (pair.link) this.forget(pair.link);
    pair.link = null;
    pair.attempts = 0;
    pair.tryAtMs = this.firstAt(peerId, now);
  }

  private firstAt(peerId: string, now: number): number {
    return this.me > peerId ? now : now + POLITE_MS * (1 + 0.5 * this.ports.random());
  }

  private offered(offer: PeerOffer, from: string, pair: Pair | undefined): void {
    const shut = this.isShut(from);
    if (shut || this.ended.has(offer.link)) {
      const { link } = offer;
      const reason = shut ? "refused" : "replaced";
      this.ports.send({ type: "peer.bye", id: `rtc.${link}`, to: from, link, reason });
      return;
    }
    if (pair?.link && pair.offering && this.me > from) return; // glare: ours is on its way, and is sent again
    if (pair?.link) this.forget(pair.link);
    const renewed = pair ?? { link: null, offering: false, attempts: 0, tryAtMs: 0, epoch: 0 };
    renewed.link = null;
    renewed.offering = false;
    this.pairs.set(from, renewed);
    const { attempts } = renewed;
    this.make(from, renewed, offer.link, [offer]);
    renewed.attempts = attempts; // it was the other side's
  }

  private make(peerId: string, pair: Pair, link: string, signals: readonly Signal[]): boolean {
    const configuration = this.ports.configuration();
    if (!configuration) return false;
    const to = peerId;
    const [polite, answers] = [this.me < peerId, signals.length > 0];
    const setup = { peerId, link, polite, answers, node: false, patience: PATIENCE, configuration };
    pair.attempts += 1;
    try {
      const made: Link = new Link(setup, this.ports, {
        ...this.events,
        signal: (signal) => this.ports.send({ ...signal, id: `rtc.${link}`, to, link }),
        changed: (changed) => {
          pair.offering = pair.offering && !changed.open;
          if (changed.open) pair.attempts = 0;
          this.events.changed(changed);
        },
        ended: (ended, why) => {
          if (why === FLOOD) this.shutUntil.set(peerId, this.ports.now() + SHUT_MS);
          this.lost(pair, ended);
        },
      });
      pair.link = made;
      for (const signal of signals) made.receive(signal);
      return true;
    } catch {
      pair.tryAtMs = this.ports.now() + backoffMs(pair.attempts, this.ports.random(), 1000);
      return false; // the browser makes no more of them
    }
  }

  /** An offer for it that is still on its way is not for a new one. */
  private forget(link: Link): void {
    link.close(null);
    this.ended.add(link.setup.link);
    for (const oldest of this.ended) if (this.ended.size > ENDED_KEPT) this.ended.delete(oldest);
  }

  private lost(pair: Pair, link: Link): void {
    if (pair.link !== link) return;
    this.forget(link);
    pair.link = null;
    pair.offering = false;
    const polite = link.setup.polite ? POLITE_MS : 0;
    pair.tryAtMs = this.ports.now() + polite + backoffMs(pair.attempts, this.ports.random());
    this.events.changed(link);
  }
}

/** 16 of a-z0-9. */
export function newLinkId({ random }: Pick<RtcPorts, "random">): string {
  return Array.from({ length: 16 }, () => Math.floor(random() * 36).toString(36)).join("");
}
