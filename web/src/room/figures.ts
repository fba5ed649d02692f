/** `window.__holodeck`: the room's live figures and a few deterministic hands, for tests and the curious. */

import type { State } from "../presence/states";
import type { Vec3 } from "../wire/generated";

export interface LivePeer {
  peer_id: string;
  name: string;
  /** As displayed now, not as last told. */
  position: Vec3 | null;
  cursor: Vec3 | null;
  target: string | null;
}

export interface Holodeck {
  readonly fps: number;
  readonly rtt_ms: number | null;
  readonly participants: number;
  readonly peers: readonly LivePeer[];
  readonly carrier: "websocket" | "rest" | "none";
  readonly connection: State;
  readonly me: { peer_id: string; position: Vec3; selection: readonly string[] } | null;
  readonly frames_received: number;
  readonly last_echo_ms: number | null;
  readonly quality: string;
  /** Stands there at once; y is the eyes' height. */
  moveTo(position: Vec3): void;
  /** Points there until the mouse moves; null points nowhere. */
  pointAt(position: Vec3 | null): void;
  /** Turns the view towards a place. */
  lookAt(position: Vec3): void;
  select(entity: string | null): void;
  renew(): void;
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
