/** `window.__holodeck`: the room's live figures and a few deterministic hands, for tests and the curious. */

import type { Plane } from "../peers/plane";
import type { Carrier } from "../presence/carrier";
import type { Roster } from "../presence/roster";
import type { State } from "../presence/states";
import type { RoomVoice } from "../voice/types";
import type { CarrierKind, LinkPath, Peer, RelayState, Vec3 } from "../wire/generated";
import type { EditorHands } from "./editing";
import type { Fallback } from "./fallback";
import { type VoiceFigures, voiceFigures } from "./hearing";
import { type DocumentFigures, documentFigures, type Scene } from "./scene";
import type { World } from "./world";

export interface LivePeer {
  peer_id: string;
  name: string;
  /** As displayed now, not as last told. */
  position: Vec3 | null;
  cursor: Vec3 | null;
  target: string | null;
}

export interface LiveLink {
  peer_id: string;
  path: LinkPath;
  open: boolean;
  rtt_ms: number | null;
  /** Of this peer, by channels. */
  received_hz: number;
}

export interface Holodeck {
  readonly fps: number;
  readonly rtt_ms: number | null;
  readonly participants: number;
  readonly peers: readonly LivePeer[];
  /** What brings the others' states. */
  readonly carrier: CarrierKind | "none";
  readonly links: readonly LiveLink[];
  readonly relay: RelayState | null;
  /** States that came by channels, a second. */
  readonly received_hz: number;
  readonly connection: State;
  readonly me: { peer_id: string; position: Vec3; selection: readonly string[] } | null;
  readonly frames_received: number;
  readonly last_echo_ms: number | null;
  readonly quality: string;
  readonly document: DocumentFigures;
  readonly voice: VoiceFigures;
  /** Stands there at once; y is the eyes' height. */
  moveTo(position: Vec3): void;
  /** Points there until the mouse moves; null points nowhere. */
  pointAt(position: Vec3 | null): void;
  /** Turns the view towards a place. */
  lookAt(position: Vec3): void;
  select(entity: string | null): void;
  renew(): void;
  /** Speaks and hears, as the panels do. */
  speech(): RoomVoice;
  /** While a document is open. */
  editor?: EditorHands;
}

declare global {
  interface Window {
    __holodeck?: Holodeck;
  }
}

/** Frames a second, over the last second. */
export class FrameRate {
  fps = 0;
  private frames = 0;
  private since = 0;

  /** True once a second, when `fps` is new. */
  tick(nowMs: number): boolean {
    this.frames += 1;
    if (this.since === 0) this.since = nowMs;
    const elapsed = nowMs - this.since;
    if (elapsed < 1000) return false;
    this.fps = Math.round((this.frames * 10_000) / elapsed) / 10;
    this.frames = 0;
    this.since = nowMs;
    return true;
  }
}

export interface Sources {
  world: World;
  carrier: Carrier;
  plane: Plane | null;
  voice: RoomVoice;
  fallback: Fallback;
  roster: Roster;
  scene: Scene;
  me(): Peer | null;
  frames(): number;
}

/** Live: each reading asks the source. */
export function figuresOf({
  world,
  carrier,
  plane,
  voice,
  fallback,
  roster,
  scene,
  me,
  frames,
}: Sources): Holodeck {
  return {
    get fps() {
      return world.rate.fps;
    },
    get rtt_ms() {
      return carrier.rttMs;
    },
    get participants() {
      return new Set([...roster.members.values()].map(({ peer }) => peer.user_id)).size;
    },
    get peers() {
      return world.crowd.shown().map(({ peerId, ...rest }) => ({ peer_id: peerId, ...rest }));
    },
    get carrier() {
      const view = plane?.view();
      if (view && view.carrier !== "websocket") return view.carrier;
      if (carrier.state === "live" || carrier.state === "renewing") return "websocket" as const;
      return fallback.serving ? ("rest" as const) : ("none" as const);
    },
    get links() {
      return (plane?.view().links ?? []).map(({ peerId, path, open, rttMs }) => ({
        peer_id: peerId,
        path,
        open,
        rtt_ms: rttMs,
        received_hz: plane?.reception.perSecond(peerId) ?? 0,
      }));
    },
    get relay() {
      return plane?.relay.state ?? null;
    },
    get received_hz() {
      return plane?.reception.perSecond() ?? 0;
    },
    get connection() {
      return carrier.state;
    },
    get me() {
      const you = me();
      return you && { peer_id: you.peer_id, position: world.position, selection: world.selection.ids };
    },
    get frames_received() {
      return frames();
    },
    get last_echo_ms() {
      return carrier.outbox.lastEchoMs;
    },
    get quality() {
      return world.level;
    },
    get document() {
      return documentFigures(scene);
    },
    get voice() {
      return voiceFigures(voice);
    },
    moveTo: (position) => world.moveTo(position),
    pointAt: (position) => world.pointAt(position),
    lookAt: (position) => world.lookAt(position),
    select: (entity) => world.select(entity),
    renew: () => carrier.renew(),
    speech: () => voice,
  };
}

/** The same, for the corner of the screen. */
export function figuresText(figures: Holodeck): string {
  const { fps, quality, rtt_ms, last_echo_ms, frames_received, participants } = figures;
  return [
    `${fps} fps · ${quality}`,
    `rtt ${rtt_ms ?? "–"} ms · echo ${last_echo_ms ?? "–"} ms`,
    `${frames_received} frames · ${participants} here`,
  ].join("\n");
}
