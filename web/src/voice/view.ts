/** What is shown of voice, from what is so. Pure. */

import type { ActiveRecording, ChannelId, Peer, PeerId, VoicePerson, VoiceState } from "../wire/generated";
import type { Relation } from "./relations";
import type {
  ChannelView,
  Hearing,
  Microphone,
  MicrophoneState,
  OwnView,
  PersonView,
  Returning,
  Sound,
  VoiceCarrier,
  VoiceFigures,
  VoiceSettings,
  VoiceStatus,
  VoiceView,
} from "./types";

/** All that a view is made of. */
export interface Facts {
  readonly status: VoiceStatus;
  readonly state: VoiceState | null;
  readonly me: Peer | null;
  /** This page's person, as they made themselves here. */
  readonly self: VoicePerson | null;
  readonly relations: ReadonlyMap<PeerId, Relation>;
  readonly carrier: VoiceCarrier;
  readonly microphone: Pick<Microphone, "state" | "speaking" | "held">;
  readonly sound: Sound["state"];
  readonly settings: VoiceSettings;
  readonly blocked: ReadonlySet<string>;
  readonly figures: VoiceFigures | null;
  readonly returning: Returning | null;
  /** Whether there is a connection that brings them. */
  reached(peerId: PeerId): boolean;
  speaks(peerId: PeerId): boolean;
  quality(peerId: PeerId): Hearing | null;
}

export function viewOf(facts: Facts): VoiceView {
  const { status, state, me, carrier, settings, sound, figures } = facts;
  const recording = state?.recording ?? null;
  return {
    status,
    carrier,
    revision: state?.revision ?? 0,
    channels: state ? channelsOf(state, facts) : [],
    people: (state?.people ?? [])
      .filter(({ user_id }) => user_id !== me?.user_id)
      .map((person) => personOf(person, facts)),
    removed: state?.removed ?? [],
    blocked: [...facts.blocked],
    own: ownOf(facts),
    returning: status.kind === "out" ? facts.returning : null,
    recording,
    consent: consentOf(recording, me),
    figures,
    settings,
    sound,
  };
}

function channelsOf(state: VoiceState, { relations, self }: Facts): ChannelView[] {
  const people = new Map<ChannelId, Set<string>>();
  for (const { person, channel } of relations.values()) {
    const there = people.get(channel.channel_id) ?? new Set();
    people.set(channel.channel_id, there.add(person.user_id));
  }
  return state.channels.map((channel) => {
    const userIds = [...(people.get(channel.channel_id) ?? [])];
    const current = self !== null && userIds.includes(self.user_id);
    return { channel, userIds, full: userIds.length >= channel.capacity, current };
  });
}

function personOf(person: VoicePerson, facts: Facts): PersonView {
  const { settings, blocked } = facts;
  const userId = person.user_id;
  const pages = person.peers.map((peerId) => ({ peerId, relation: facts.relations.get(peerId) }));
  const reached = pages.filter(({ peerId, relation }) => relation?.near && facts.reached(peerId));
  const listening = person.listening ?? false;
  return {
    userId,
    peerIds: person.peers,
    channelId: pages[0]?.relation?.channel.channel_id ?? person.channel_id,
    putId: person.channel_id,
    inArea: pages[0]?.relation?.inArea ?? false,
    audible: reached.length > 0,
    listening,
    selfMuted: person.self_muted ?? false,
    muted: person.muted ?? false,
    maySpeak: !listening && pages.some(({ relation }) => relation?.speaks),
    speaking: pages.some(({ peerId, relation }) => relation?.speaks && facts.speaks(peerId)),
    priority: person.priority ?? false,
    handRaisedAtMs: person.hand_raised_at_ms ?? null,
    volume: settings.volumes[userId] ?? 1,
    blocked: blocked.has(userId),
    quality: pages.map(({ peerId }) => facts.quality(peerId)).find((one) => one !== null) ?? null,
  };
}

function ownOf(facts: Facts): OwnView {
  const { me, self, microphone, relations, status } = facts;
  const relation = me ? relations.get(me.peer_id) : undefined;
  const joined = status.kind === "joined";
  return {
    userId: me?.user_id ?? "",
    channelId: joined ? (relation?.channel.channel_id ?? self?.channel_id ?? null) : null,
    putId: joined ? (self?.channel_id ?? null) : null,
    inArea: joined && (relation?.inArea ?? false),
    microphone: microphone.state,
    listening: microphone.state !== "live",
    selfMuted: self?.self_muted ?? false,
    muted: self?.muted ?? false,
    unmuteRequested: self?.unmute_requested ?? false,
    silentBecause: joined ? silence(facts, relation) : null,
    speaking: joined && microphone.speaking && (relation?.speaks ?? false),
    held: microphone.held,
    priority: self?.priority ?? false,
    handRaisedAtMs: self?.hand_raised_at_ms ?? null,
    moderates: me?.role === "owner",
  };
}

const NO_MICROPHONE: Record<MicrophoneState, string | null> = {
  live: null,
  off: "The microphone is off: you are listening.",
  asking: "The browser asks whether this page may use the microphone.",
  denied:
    "This page may not use the microphone: you are listening. The browser's settings of this page can change that.",
  none: "There is no microphone: you are listening.",
  busy: "Another program has the microphone: you are listening.",
  insecure: "This page has no https, and so no microphone: you are listening.",
  ended: "The microphone is gone: you are listening.",
};

function silence({ self, microphone }: Facts, relation: Relation | undefined): string | null {
  const absent = NO_MICROPHONE[microphone.state];
  if (absent !== null) return absent;
  if (self?.muted) return "A moderator muted you.";
  if (self?.self_muted) return "You are muted.";
  if (relation && !relation.speaks) return `In ${relation.channel.name} only some may speak.`;
  return null;
}

function consentOf(recording: ActiveRecording | null, me: Peer | null): "given" | "declined" | null {
  if (!recording || !me) return null;
  if (recording.consented?.includes(me.user_id)) return "given";
  return recording.declined?.includes(me.user_id) ? "declined" : null;
}
