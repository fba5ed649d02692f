/** When the table of `choice.ts` is asked, by what facts, and when the functions are asked for a node. Pure: time is an argument. */

import { backoffMs } from "../presence/backoff";
import { LIMITS, type RelayReason, type RelayState } from "../wire/generated";
import { type Choice, choose, OVERLAP_MS, type Situation } from "./choice";

/** What is known at a look, beside how long it has been so. */
export interface Facts {
  pages: number;
  meshMax: number;
  relay: RelayState;
  relayOpenSinceMs: number | null;
  relayDownSinceMs: number;
  relayLost: boolean;
  demanded: boolean;
  recorded: boolean;
  meshComplete: boolean;
}

/** How long nobody asks at first, so that one of all is enough. */
const SPREAD_MS: Record<RelayReason, number> = { lost: 200, count: 1000, uplink: 1000, recording: 1000 };
const AGAIN_MS = 1500;

export class Steering {
  private smallSinceMs: number | null = null;
  private startingSinceMs: number | null = null;
  private coveredSinceMs: number | null = null;
  private generation = -1;
  private asks = 0;
  /** When to ask for a node; null: there is no reason. */
  askAtMs: number | null = null;

  constructor(private readonly random: () => number) {}

  decide(facts: Facts, now: number): Choice {
    this.smallSinceMs = facts.pages > LIMITS.MESH_LEAVE ? null : (this.smallSinceMs ?? now);
    this.startingSinceMs = facts.relay.status === "starting" ? (this.startingSinceMs ?? now) : null;
    const lasted = (since: number | null): number => (since === null ? 0 : now - since);
    const situation: Situation = {
      pages: facts.pages,
      meshMax: facts.meshMax,
      relay: facts.relay.status,
      relayOpenMs: facts.relayOpenSinceMs === null ? null : now - facts.relayOpenSinceMs,
      relayDownMs: now - facts.relayDownSinceMs,
      relayLost: facts.relayLost,
      demanded: facts.demanded,
      recorded: facts.recorded,
      smallMs: lasted(this.smallSinceMs),
      startingMs: lasted(this.startingSinceMs),
      meshComplete: facts.meshComplete,
    };
    return choose(situation);
  }

  /** Whether to ask now; ever more seldom while nothing comes of it. */
  asksNow(reason: RelayReason | null, generation: number, now: number): boolean {
    if (!reason || generation !== this.generation) {
      this.askAtMs = null;
      this.asks = 0;
      this.generation = generation;
      if (!reason) return false;
    }
    this.askAtMs ??= now + this.random() * SPREAD_MS[reason];
    if (now < this.askAtMs) return false;
    this.asks += 1;
    this.askAtMs = now + backoffMs(this.asks, this.random(), AGAIN_MS);
    return true;
  }

  /** How often the WebSocket tells: seldom once everybody has long enough been told by channels, fast at once where not. */
  slow(covered: boolean, now: number): boolean {
    this.coveredSinceMs = covered ? (this.coveredSinceMs ?? now) : null;
    return this.coveredSinceMs !== null && now - this.coveredSinceMs >= OVERLAP_MS;
  }
}
