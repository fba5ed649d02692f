/** The room's real-time plane: made where the browser has WebRTC, and joined to the roster, the carrier and the scene. */

import { Alternation } from "../peers/alternation";
import { hasWebRtc, onNetworkChange, planeRoutes, rtcPorts } from "../peers/browser";
import { type Other, Plane } from "../peers/plane";
import type { Timers } from "../presence/browser";
import type { Carrier } from "../presence/carrier";
import type { Member, Roster } from "../presence/roster";
import type { Api } from "../wire/api";
import type { ClientMessage, PeerState, ServerMessage } from "../wire/generated";

export interface PlanePorts {
  api: Api;
  sessionId: string;
  tabId: string;
  timers: Timers;
  carrier: Carrier;
  roster: Roster;
  /** Ends with the room. */
  signal: AbortSignal;
  onStates(states: readonly PeerState[]): void;
  /** Of documents, by the relay. */
  onMessage(message: ServerMessage): void;
  /** The relay carries documents now, or does not any more. */
  onRelay(open: boolean): void;
}

/** Null where there is no WebRTC: the WebSocket carries. `?ice=relay` in the address hides the page's own from the others. */
export function openPlane(ports: PlanePorts): Plane | null {
  if (!hasWebRtc()) return null;
  const { api, carrier, roster, signal } = ports;
  const hide = new URLSearchParams(location.search).get("ice") === "relay";
  const plane = new Plane(
    rtcPorts(ports.timers),
    {
      routes: planeRoutes(api, ports.sessionId, ports.tabId),
      stamps: carrier.outbox.stamps,
      send: (message) => carrier.send(message),
      pace: (intervalMs) => carrier.pace(intervalMs),
      *others() {
        for (const member of roster.members.values()) yield otherOf(member);
      },
      other: (peerId) => {
        const member = roster.members.get(peerId);
        return member ? otherOf(member) : null;
      },
      onStates: ports.onStates,
      onMessage: ports.onMessage,
      onRelay: ports.onRelay,
    },
    hide,
  );
  onNetworkChange(() => plane.networkChanged(), signal);
  window.addEventListener("pagehide", () => plane.stop("left", false), { signal });
  return plane;
}

/** How documents' messages go out: by the relay while it carries, what went unanswered by the other way, else by WebSocket. */
export function documentsBy(
  plane: () => Plane | null,
  carrier: Carrier,
): (message: ClientMessage) => boolean {
  const alternation = new Alternation();
  return (message) => {
    const relay = plane();
    if (!relay?.relay.open) return carrier.send(message);
    return alternation.choose(message)
      ? relay.send(message) || carrier.send(message)
      : carrier.send(message) || relay.send(message);
  };
}

function otherOf({ peer, state }: Member): Other {
  return { peer, epoch: state?.epoch ?? 0, counter: state?.counter ?? 0 };
}
