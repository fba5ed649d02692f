/** The room's voice: the page's sound and microphone, its connections, who is here and where they stand. */

import { voiceKbps } from "../peers/adaptation";
import type { Plane } from "../peers/plane";
import type { Timers } from "../presence/browser";
import type { Roster } from "../presence/roster";
import { browserAudio } from "../voice/browser";
import type { Somebody, VoiceRoutes } from "../voice/ports";
import { Voice } from "../voice/voice";
import type { Api } from "../wire/api";
import type { PeerId } from "../wire/generated";
import type { RoomContext } from "./context";
import type { World } from "./world";

export interface VoiceSetup {
  readonly room: Pick<RoomContext, "api" | "sessionId" | "roster" | "connection" | "me">;
  readonly plane: Plane | null;
  readonly tabId: string;
  readonly timers: Timers;
  world(): World | null;
}

export function openVoice({ room, plane, tabId, timers, world }: VoiceSetup): Voice {
  return new Voice({
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, call) => timers.after(ms, call),
    routes: voiceRoutes(room.api, room.sessionId, tabId),
    plane,
    ...browserAudio((ms, call) => void timers.after(ms, call)),
    shelf: localStorage,
    tab: sessionStorage,
    sessionId: room.sessionId,
    me: () => room.me(),
    position: () => world()?.position ?? null,
    somebody: (peerId) => somebodyOf(room.roster, peerId),
    hintKbps: (peerId) =>
      voiceKbps(room.connection.standing()?.links.find((link) => link.peerId === peerId) ?? null),
    onSpeaking: (speaking) => world()?.speak(speaking),
  });
}

function somebodyOf(roster: Roster, peerId: PeerId): Somebody | null {
  const member = roster.members.get(peerId);
  if (!member) return null;
  const { pose, activity } = member.state?.state ?? {};
  return { peer: member.peer, position: pose?.position ?? null, speaking: activity === "speaking" };
}

function voiceRoutes(api: Api, sessionId: string, tabId: string): VoiceRoutes {
  return {
    state: () => api.voice(sessionId),
    join: (channelId, listening) =>
      api.joinVoice(sessionId, { tab_id: tabId, channel_id: channelId, listening }),
    leave: () => api.leaveVoice(sessionId, tabId),
    change: (userId, change) => api.changeVoicePerson(sessionId, userId, change),
    createChannel: (settings) => api.createVoiceChannel(sessionId, settings),
    changeChannel: (channelId, settings) => api.changeVoiceChannel(sessionId, channelId, settings),
    deleteChannel: (channelId) => api.deleteVoiceChannel(sessionId, channelId),
    blocks: () => api.voiceBlocks(sessionId),
    block: (userId) => api.blockVoice(sessionId, userId),
    unblock: (userId) => api.unblockVoice(sessionId, userId),
    consent: async (recordingId, consent) =>
      void (await api.changeRecording(sessionId, recordingId, { consent })),
  };
}
