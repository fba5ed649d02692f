/** The browser's side of the real-time plane: RTCPeerConnection, and what says that the network changed. */

import type { Timers } from "../presence/browser";
import type { Api } from "../wire/api";
import type { Stat } from "./getstats";
import type { ChannelLike, ConnectionLike, PlaneRoutes, RtcPorts } from "./ports";

/** False in browsers and policies without WebRTC: the WebSocket carries then. */
export function hasWebRtc(): boolean {
  return typeof RTCPeerConnection === "function";
}

/** Adapts a connection: channels in bytes, statistics as a list. */
export function connectionOf(configuration: RTCConfiguration): ConnectionLike {
  const made = new RTCPeerConnection(configuration);
  return Object.assign(made, {
    stats: async (): Promise<Stat[]> => [
      ...((await made.getStats()) as unknown as Map<string, Stat>).values(),
    ],
    createDataChannel: (label: string, options: RTCDataChannelInit): ChannelLike => {
      const channel = RTCPeerConnection.prototype.createDataChannel.call(made, label, options);
      channel.binaryType = "arraybuffer";
      return channel as ChannelLike;
    },
  }) as unknown as ConnectionLike;
}

export function rtcPorts(timers: Timers): RtcPorts {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, call) => timers.after(ms, call),
    connection: connectionOf,
  };
}

export function planeRoutes(api: Api, sessionId: string, tabId: string): PlaneRoutes {
  return {
    iceServers: () => api.iceServers(),
    open: () => api.openWebRtc(sessionId),
    join: () => api.joinWebRtc(sessionId, { tab_id: tabId }),
    leave: () => api.leaveWebRtc(sessionId, { tab_id: tabId }),
  };
}

/** Calls when the network is another: back, or by another interface, where the browser tells which it is. */
export function onNetworkChange(call: () => void, signal: AbortSignal): void {
  window.addEventListener("online", call, { signal });
  const { connection } = navigator as { connection?: EventTarget & { type?: string } };
  let kind = connection?.type;
  const changed = (): void => {
    // It also tells each new estimate of the same network's speed.
    if (connection?.type === kind) return;
    kind = connection?.type;
    call();
  };
  connection?.addEventListener("change", changed, { signal });
}
