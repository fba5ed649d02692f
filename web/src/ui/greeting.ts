/** Who came and who left, in a toast each, or in one for many. */

import type { Changes } from "../presence/roster";
import type { Peer } from "../wire/generated";
import type { Toasts } from "./toasts";

export function greet(toasts: Toasts, { joined, left }: Changes, ownUserId: string | undefined): void {
  const others = (peers: Peer[]): Peer[] => peers.filter((peer) => peer.user_id !== ownUserId);
  for (const [peers, one, many] of [
    [others(joined), "came in", "people came in"],
    [others(left), "left", "people left"],
  ] as const) {
    const first = peers[0];
    if (first && peers.length <= 2) {
      for (const peer of peers) toasts.show(`${peer.name} ${one}`, { color: peer.color });
    } else if (first) toasts.show(`${peers.length} ${many}`, { color: first.color });
  }
}
