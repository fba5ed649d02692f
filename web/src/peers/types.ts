/**
 * What the rest of the page knows of the real-time plane: its connections, what carries, and what may be asked of it.
 *
 * `plane.ts` is the real one; the figures are reduced by `getstats.ts`. Whoever scores quality or adapts reads `view()` and answers by `demand`; nobody else
 * touches a connection.
 */

import type { CarrierKind, LinkPath, RelayState } from "../wire/generated";

/** One peer connection as this page measures it; null where nothing was measured yet. */
export interface LinkView {
  /** Whom it leads to: a page, or the room's media node (`path` is `node` then). */
  peerId: string;
  /** `none`: there is no connection now, the WebSocket carries to them. Pages that cannot connect have one too. */
  path: LinkPath;
  /** Both channels are open and something was heard lately: it carries. */
  open: boolean;
  rttMs: number | null;
  /** Mean deviation of the round trip. */
  jitterMs: number | null;
  /** Of what they sent on the unreliable channel, 0 to 1; of the node's, on both, as it says itself. */
  lossShare: number | null;
  /** What the way there carries, as the browser estimates it while media is sent. */
  availableKbps: number | null;
  /** What the way from the node here carries, as it says itself while that is full. */
  incomingKbps: number | null;
  /** "UDP", "TCP" or "TLS", of the selected pair. */
  protocol?: string | null;
  /** What the connection carried lately, each way; left out where it is not measured. */
  sentKbps?: number | null;
  receivedKbps?: number | null;
}

/** The plane at this moment. */
export interface PlaneView {
  /** What brings the others' states: `mesh` where at least one page is connected, `websocket` where nothing is. */
  carrier: CarrierKind;
  relay: RelayState;
  /** Every other page that can be connected to, and the node where there is a connection to it. */
  links: readonly LinkView[];
  /** The pages that the node carries too, while there is a connection to it. */
  relayed: readonly string[];
  /** Pages in the room that can connect (`peer.rtc`), this one too. */
  rtcPages: number;
  meshMax: number;
  /** The page hides its address and there is no TURN: only a media node can carry, and is asked for. */
  nodeOnly?: boolean;
  /** What others get of the own state on channels, at most, a second. */
  sendHz: number;
  /** States that came by channels, a second, over the last seconds. */
  receivedHz: number;
  /** Bytes that wait to be sent on the presence channels, in all. */
  waitingBytes?: number;
}

/** What adaptation asks for; left out: as it was. */
export interface Demand {
  /** This page's uplink does not carry a mesh (with hysteresis): the room's media node is asked for, or no longer needed. */
  relay?: boolean;
  /** The room's voice is recorded: its node, which the functions give it for that, carries as long as it is. */
  recorded?: boolean;
  /** The own state is told on channels at most so often; never more than MESH_HZ. */
  sendHz?: number;
  /** A frame of the media node's is no longer than this. */
  frameBytes?: number;
  /** Other pages are told TURN's addresses only, never this page's own (`iceTransportPolicy: "relay"`); the node tells nobody. */
  hideAddress?: boolean;
  /** No connections at all: the WebSocket carries. */
  websocketOnly?: boolean;
}

/** Something that a person may be told. */
export type PlaneEvent =
  | { kind: "carrier"; from: CarrierKind; to: CarrierKind }
  /** A pair is connected (`path` not `none`), or not any more. */
  | { kind: "link"; peerId: string; path: LinkPath }
  | { kind: "relay"; relay: RelayState };

/** The page's part of the real-time plane. */
export interface PeerPlane {
  view(): PlaneView;
  demand(wanted: Demand): void;
  /** After every event. Returns how to stop. */
  onEvent(listener: (event: PlaneEvent) => void): () => void;
}
