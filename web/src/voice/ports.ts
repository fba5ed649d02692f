/** What voice needs from the page: its connections, its routes, who is in the room and where. The room gives it, tests give their own. */

import type { Shelf } from "../identity/keeping";
import type { Stat } from "../peers/getstats";
import type { LinkView } from "../peers/types";
import type {
  ChannelId,
  ClientMessage,
  Peer,
  PeerId,
  RecordingId,
  SessionId,
  UserId,
  Vec3,
  VoiceBlocks,
  VoiceChannel,
  VoiceChannelSettings,
  VoiceJoined,
  VoicePerson,
  VoicePersonChange,
  VoiceState,
} from "../wire/generated";
import type { Microphone, Sound } from "./types";

/** One connection's audio (peers/audio.ts). */
export interface VoiceAudio {
  add(): void;
  readonly sends: boolean;
  readonly incoming: readonly { mid: string | null; track: MediaStreamTrack }[];
  send(track: MediaStreamTrack | null): void;
  tune(kbps: number): void;
}

/** A peer connection, as voice sees it. */
export interface VoiceLink {
  readonly peerId: PeerId;
  readonly open: boolean;
  readonly setup: { readonly polite: boolean; readonly node: boolean };
  readonly audio: VoiceAudio;
  /** The newest statistics; another array for each reading. */
  readonly report: readonly Stat[];
  readonly view: LinkView;
}

/** The page's connections. */
export interface VoicePlane {
  /** To the other pages, and to the node. */
  voiceLinks(): Iterable<VoiceLink>;
  /** The person wants no peer connections. */
  readonly websocketOnly: boolean;
  /** Whether the room's voice is recorded, which only a node can. */
  demand(wanted: { recorded: boolean }): void;
  /** On the node's control channel; false where it does not carry. */
  send(message: ClientMessage): boolean;
}

/** Each rejects with something that has a `code`. */
export interface VoiceRoutes {
  state(): Promise<VoiceState>;
  join(channelId: ChannelId | null, listening: boolean): Promise<VoiceJoined>;
  leave(): Promise<void>;
  change(userId: UserId, change: VoicePersonChange): Promise<VoicePerson>;
  createChannel(settings: VoiceChannelSettings): Promise<VoiceChannel>;
  changeChannel(channelId: ChannelId, settings: VoiceChannelSettings): Promise<VoiceChannel>;
  deleteChannel(channelId: ChannelId): Promise<void>;
  blocks(): Promise<VoiceBlocks>;
  block(userId: UserId): Promise<VoiceBlocks>;
  unblock(userId: UserId): Promise<void>;
  consent(recordingId: RecordingId, given: boolean): Promise<void>;
}

/** Somebody in the room. */
export interface Somebody {
  readonly peer: Peer;
  /** Where they stand, as last heard; null: nothing was heard. */
  readonly position: Vec3 | null;
  /** They say of themselves that they speak. */
  readonly speaking: boolean;
}

export interface VoicePorts {
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Calls back after that many ms; the result cancels. */
  after(ms: number, call: () => void): () => void;
  routes: VoiceRoutes;
  /** Null where the browser has no WebRTC. */
  plane: VoicePlane | null;
  sound: Sound;
  microphone: Microphone;
  /** The device's memory. */
  shelf: Shelf;
  /** The tab's, which lasts through a reload. */
  tab: Shelf;
  sessionId: SessionId;
  me(): Peer | null;
  /** Where this page's person stands. */
  position(): Vec3 | null;
  somebody(peerId: PeerId): Somebody | null;
  /** What a connection allows the encoder. */
  hintKbps(peerId: PeerId): number;
  /** The own voice begins or ends. */
  onSpeaking(speaking: boolean): void;
}
