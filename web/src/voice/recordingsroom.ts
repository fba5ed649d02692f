/** A room's recordings in the browser: its media elements, its fetches, its clock. */

import type { RoomContext } from "../room/context";
import type { PlayerPorts } from "./player";
import { Recordings } from "./recordings";
import { LAW } from "./relations";

export function recordingsOf({
  api,
  sessionId,
  voice,
}: Pick<RoomContext, "api" | "sessionId" | "voice">): Recordings {
  return new Recordings({
    api,
    sessionId,
    text: async (url) => {
      const reply = await fetch(url, { credentials: "omit" });
      if (!reply.ok) throw new Error(`The recording's timeline could not be read (${reply.status}).`);
      return reply.text();
    },
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    player: browserPlayer(voice),
    law: (channelId) => {
      const channel = voice.view.channels.find((each) => each.channel.channel_id === channelId)?.channel;
      return { kind: channel?.kind ?? "spatial", distance: { ...LAW, ...channel?.distance } };
    },
  });
}

function browserPlayer({ sound }: RoomContext["voice"]): Omit<PlayerPorts, "renew" | "law"> {
  return {
    sound,
    element: () => {
      const element = new Audio();
      element.crossOrigin = "anonymous";
      element.preload = "auto";
      return element;
    },
    context: () => sound.context(),
    node: (element) =>
      element instanceof HTMLMediaElement
        ? (sound.context()?.createMediaElementSource(element) ?? null)
        : null,
    nowMs: () => performance.now(),
    every: (ms, call) => {
      const timer = setInterval(call, ms);
      return () => clearInterval(timer);
    },
  };
}
