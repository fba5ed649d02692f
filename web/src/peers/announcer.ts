/** Tells what changed of the plane to whoever listens: the carrier, the connections, the relay. */

import type { CarrierKind, LinkPath, RelayState } from "../wire/generated";
import type { PlaneEvent } from "./types";

export class Announcer {
  carrier: CarrierKind = "websocket";
  private readonly listeners = new Set<(event: PlaneEvent) => void>();
  private paths = new Map<string, LinkPath>();
  private relay = "";

  listen(listener: (event: PlaneEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** How it is now; what is not as before is told. */
  see(carrier: CarrierKind, relay: RelayState, paths: ReadonlyMap<string, LinkPath>): void {
    const events: PlaneEvent[] = [];
    const before = this.paths;
    this.paths = new Map([...paths].filter(([, path]) => path !== "none"));
    for (const [peerId, path] of this.paths) {
      if (before.get(peerId) !== path) events.push({ kind: "link", peerId, path });
    }
    for (const peerId of before.keys()) {
      if (!this.paths.has(peerId)) events.push({ kind: "link", peerId, path: "none" });
    }
    const known = `${relay.status} ${relay.generation ?? 0}`;
    if (this.relay !== "" && known !== this.relay) events.push({ kind: "relay", relay });
    this.relay = known;
    if (carrier !== this.carrier) events.push({ kind: "carrier", from: this.carrier, to: carrier });
    this.carrier = carrier;
    for (const event of events) for (const listener of this.listeners) listener(event);
  }
}
