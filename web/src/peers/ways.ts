/** By which way each person is reached, and how a person is told so. Pure. */

import type { CarrierKind, LinkPath } from "../wire/generated";
import type { LinkView, PlaneView } from "./types";

/** How what somebody does comes here. */
export type Way = "direct" | "turn" | "node" | "websocket" | "rest" | "none";

export const WAY_TEXT: Record<Way, string> = {
  direct: "Direct",
  turn: "Through TURN",
  node: "Media node",
  websocket: "WebSocket",
  rest: "REST",
  none: "Not connected",
};

export const CARRIER_TEXT: Record<CarrierKind, string> = {
  mesh: "Page to page",
  relay: "Media node",
  websocket: "WebSocket",
  rest: "REST",
};

/** What carries where no peer connection does. */
export type Ground = "websocket" | "rest" | "none";

/** The way to a page: its own connection, else the node's where both are on it, else the ground. */
export function wayTo(peerId: string, view: PlaneView | null, ground: Ground): Way {
  const link = view?.links.find((candidate) => candidate.peerId === peerId);
  if (link && carries(link)) return wayOf(link.path);
  const node = view?.links.some((other) => other.path === "node" && carries(other)) ?? false;
  if (node && view?.relayed.includes(peerId)) return "node";
  return ground;
}

/** Whether it is a peer connection. */
export function isLink(way: Way): boolean {
  return way === "direct" || way === "turn" || way === "node";
}

/** Whether a connection brings anything. */
export function carries(link: LinkView): boolean {
  return link.open && link.path !== "none";
}

function wayOf(path: LinkPath): Way {
  return path === "none" ? "websocket" : path;
}

const ORDER: readonly Way[] = ["direct", "turn", "node", "websocket", "rest", "none"];
/** In a mixed room, after a number; a line does not break within. */
const COUNTED: Record<Way, string> = {
  ...WAY_TEXT,
  direct: "direct",
  turn: "through TURN",
  node: "by media node",
};

/** All ways in short: "Direct", or "3 direct, 1 WebSocket"; the ground where nobody else is here. */
export function waysText(ways: readonly Way[], ground: Ground): string {
  const used = ORDER.filter((way) => ways.includes(way));
  const [only] = used;
  if (only === undefined) return WAY_TEXT[ground];
  if (used.length === 1) return WAY_TEXT[only];
  const count = (way: Way): string => `${ways.filter((each) => each === way).length} ${COUNTED[way]}`;
  return used.map((way) => count(way).replaceAll(" ", "\u00a0")).join(", ");
}

/** Something else carries now, in words; what got better is said quietly. */
export interface Switched {
  readonly text: string;
  readonly better: boolean;
}

/** What to say of it; null: nothing (nobody is here to notice, or the banner says it). */
export function switched(
  from: CarrierKind,
  to: CarrierKind,
  others: number,
  ground: Ground,
): Switched | null {
  if (from === to || others === 0 || to === "rest") return null;
  if (to === "mesh") return { text: "Now connected page to page.", better: true };
  if (to === "relay") return { text: "Now connected through a media node.", better: true };
  if (from === "rest" || ground !== "websocket") return null;
  const lost = from === "relay" ? "The media node is gone." : "Not connected page to page any more.";
  return { text: `${lost} The WebSocket carries on.`, better: false };
}
