/**
 * When no WebSocket gets through, the room is still seen and pointed in, by REST: slower, never stale for long.
 *
 * Reads who is connected every few seconds; states read this way move the avatars but are not kept in the roster,
 * whose order by (epoch, counter) belongs to the frames.
 */

import type { Api } from "../wire/api";
import type { Peer, PeerState, PresenceFrame, PresenceList } from "../wire/generated";

const PATIENCE_MS = 3000;
const POLL_MS = 2500;

/** A list read by REST as a full frame that introduces everybody, and the states apart. */
export function frameOf(list: PresenceList): { frame: PresenceFrame; states: PeerState[] } {
  const joined: Peer[] = list.peers.map(({ peer_id, user_id, name, color, role, joined_at_ms }) => ({
    peer_id,
    user_id,
    name,
    color,
    role,
    kind: user_id.startsWith("gst_") ? "guest" : "account",
    joined_at_ms,
  }));
  const states = list.peers.map(({ peer_id, seen_at_ms, state }) => ({
    peer_id,
    epoch: 0,
    counter: 0,
    at_ms: seen_at_ms,
    state,
  }));
  return { frame: { type: "presence.frame", at_ms: list.at_ms, full: true, joined }, states };
}

export class Fallback {
  /** Whether the last read succeeded. */
  serving = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly api: Api,
    private readonly sessionId: string,
    private readonly onList: (list: PresenceList) => void,
  ) {}

  start(): void {
    this.timer ??= setTimeout(() => void this.read(), PATIENCE_MS);
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.serving = false;
  }

  private async read(): Promise<void> {
    try {
      const list = await this.api.presence(this.sessionId);
      if (this.timer === null) return;
      this.serving = true;
      this.onList(list);
    } catch {
      this.serving = false;
    }
    if (this.timer !== null) this.timer = setTimeout(() => void this.read(), POLL_MS);
  }
}
