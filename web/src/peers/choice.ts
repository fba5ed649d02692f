/**
 * What carries, as a table: mesh or relay, what to build up, what to let go, and whether to ask for a media node. Pure.
 *
 * Every page decides by the same facts of the room, so all come to the same. Whatever is not up yet, the one before goes
 * on, and beneath all of it the WebSocket: a row never lets go of what carries before what follows does.
 */

import { LIMITS, type RelayReason, type RelayStatus } from "../wire/generated";

/** What counts. Times are how long something has been so. */
export interface Situation {
  /** Pages that can be connected to, this one too. */
  pages: number;
  meshMax: number;
  relay: RelayStatus;
  /** The connection to the node: since when it carries, or does not; null: does not. */
  relayOpenMs: number | null;
  relayDownMs: number;
  /** The node that the room has was lost by this page, and none has taken over. */
  relayLost: boolean;
  /** This page's uplink asks for a relay. */
  demanded: boolean;
  /** The room's voice is recorded, which only its node can: however few there are, all go there and stay. */
  recorded: boolean;
  smallMs: number;
  startingMs: number;
  /** Every page that can be connected to is, by the mesh. */
  meshComplete: boolean;
}

export interface Choice {
  /** `form`: connect to all; `keep`: what there is stays, nothing is begun; `none`: let go. */
  mesh: "form" | "keep" | "none";
  /** Connect to the room's node, or stay there. */
  relay: boolean;
  ask: RelayReason | null;
}

/** Both carriers run so long at least when one follows the other. */
export const OVERLAP_MS = 1500;
/** A room that has become small stays on its relay for so long. */
export const SMALL_MS = 30_000;
/** A node that cannot be reached for so long: the mesh is formed again. */
export const GIVE_UP_MS = 6000;
const START_MS = (LIMITS.NODE_START_S / 3) * 1000;

export function choose(now: Situation): Choice {
  const many = now.pages > now.meshMax;
  const some = now.relay === "ready" && (now.pages > LIMITS.MESH_LEAVE || now.smallMs < SMALL_MS);
  const wanted = now.pages > 1 && (many || some || now.demanded);
  const carried = wanted || now.recorded;
  const reason = many ? "count" : "uplink";
  switch (now.relay) {
    case "none":
      return { mesh: "form", relay: false, ask: wanted ? reason : null };
    case "starting":
      return { mesh: "form", relay: false, ask: wanted && now.startingMs > START_MS ? reason : null };
    case "ready":
      if (!carried) return { mesh: "form", relay: !now.meshComplete, ask: null };
      if (now.relayOpenMs === null) {
        const mesh = now.relayDownMs < GIVE_UP_MS ? "keep" : "form";
        return { mesh, relay: true, ask: now.relayLost ? "lost" : null };
      }
      return { mesh: now.relayOpenMs < OVERLAP_MS ? "keep" : "none", relay: true, ask: null };
  }
}

/** A page, as far as it matters who is in the mesh. */
export interface Page {
  peerId: string;
  joinedAtMs: number;
}

/** Who is in the mesh: all, or where they are too many the same first ones on every page. */
export function meshOf(pages: readonly Page[], meshMax: number): ReadonlySet<string> {
  const order = (a: Page, b: Page): number =>
    a.joinedAtMs - b.joinedAtMs || (a.peerId < b.peerId ? -1 : a.peerId > b.peerId ? 1 : 0);
  return new Set(
    [...pages]
      .sort(order)
      .slice(0, meshMax)
      .map(({ peerId }) => peerId),
  );
}
