/**
 * What the parts of voice know of each other, and what the rest of the page sees of it. See docs/voice.md.
 *
 * `Sound` alone makes sound and `Microphone` alone listens to one; `Voice` (voice.ts) joins both to the connections and to the room, and is what the
 * panels see: a `VoiceModel` to show and `VoiceActions` to take. Nothing here knows Web Audio, sockets or the DOM but by types.
 */

import type {
  ActiveRecording,
  ChannelId,
  ChannelKind,
  Distance,
  PeerId,
  Pose,
  UserId,
  Vec3,
  VoiceChannel,
  VoiceChannelSettings,
} from "../wire/generated";

// -- sound --

/** A source of sound: "slot0" to "slot3" (the relay's), "peer:<peer_id>" (the mesh's), "play:<track>" (a recording's). */
export type SourceId = string;

/** How a source sounds from now on. */
export interface Placement {
  /** Who is heard: another name than before is another voice in the same source, which fades over. Null: nobody in particular. */
  who: string | null;
  /** Where they are, as in the scene; null: from no direction. */
  position: Vec3 | null;
  distance: Required<Distance>;
  /** On a stage neither place nor distance counts. */
  kind: ChannelKind;
  /** The person's own volume: 1 as they speak, 0 silent, up to VOLUME_MAX. */
  gain: number;
}

/** A person's volume at most: +12 dB. */
export const VOLUME_MAX = 4;

export type SoundMode = "hrtf" | "stereo" | "mono";

/** How all of it sounds; remembered on the device. */
export interface SoundSettings {
  /** 0 to 1. */
  master: number;
  mode: SoundMode;
  /** Hear everyone equally: no distance, no direction. */
  equal: boolean;
  /** The device that plays; null: the system's. */
  outputId: string | null;
  /** Nothing that is played gets into the microphone: it need not go the longer way on which echo cancellers hear it. */
  headphones: boolean;
}

/** What a person hears. The only user of Web Audio for output. */
export interface Sound {
  /** `blocked`: the browser waits for a gesture; call `start` on one. */
  readonly state: "off" | "running" | "blocked";
  /** The chosen device is not there, or does not play: the system's is used until it does. */
  readonly fellBack: boolean;
  /** Begins to play; on a gesture. Harmless when it plays already. */
  start(): Promise<void>;
  /** Silence, and the devices let go; `start` begins again. */
  stop(): Promise<void>;
  /** What a source plays; null ends the source. */
  track(id: SourceId, track: MediaStreamTrack | null): void;
  /** The same for what is played from a file; null ends the source. Made by `context()`. */
  feed(id: SourceId, node: AudioNode | null): void;
  /** The context of nodes for `feed`; null before `start`. */
  context(): AudioContext | null;
  /** How it sounds; every change is ramped. Null: silent, as every source is at first. */
  place(id: SourceId, placement: Placement | null): void;
  /** Where the listener's head is: each rendered frame. */
  listener(pose: Pose): void;
  settings(settings: SoundSettings): void;
  /** How loud a source is as it comes, before its volume and its place, in dBFS; -Infinity is silence. */
  level(id: SourceId): number;
  /** How loud what is played is, left and right, in dBFS. */
  output(): readonly [number, number];
  /** `state` or `fellBack` is another now. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

// -- microphone --

/**
 * `none`: there is no microphone; `busy`: another program has it; `ended`: it was unplugged, or the system took it; `insecure`: browsers give
 * microphones to pages of https (and localhost) only. In every one of them a person hears the others.
 */
export type MicrophoneState = "off" | "asking" | "live" | "denied" | "none" | "busy" | "ended" | "insecure";

export type NoiseSuppression = "off" | "browser" | "rnnoise";

/** What is done to the own voice before it is sent; remembered on the device. */
export interface Processing {
  echo: boolean;
  noise: NoiseSuppression;
  gain: boolean;
}

/** When the own voice is sent: always, while a key is held, or while it is loud enough. */
export type TalkingMode = "open" | "push" | "activation";

/** Remembered on the device. */
export interface Talking {
  mode: TalkingMode;
  /** dBFS; from there on it is speech. */
  thresholdDb: number;
  /** The gate stays open so long after it fell silent. */
  hangMs: number;
}

export interface MicrophoneSettings {
  /** The device; null: the system's. */
  deviceId: string | null;
  processing: Processing;
  talking: Talking;
}

/** An audio device, as the browser lists it. */
export interface Device {
  id: string;
  label: string;
}

/**
 * What the system changed by itself. `fell_back`: the device in use (`label`) is gone, the system's is used. `returned`: the device that was chosen is there
 * again, and used once the person says so, by `open`. `kept`: what was chosen could not be opened; the device before it (`label`) is still in use. `plain`: RNNoise could not be loaded; the browser's suppression does its work.
 */
export type MicrophoneNotice =
  | { kind: "fell_back"; label: string }
  | { kind: "returned"; device: Device }
  | { kind: "kept"; label: string }
  | { kind: "plain" };

/** The own voice. The only user of getUserMedia for sound. */
export interface Microphone {
  readonly state: MicrophoneState;
  /** After processing and gate: sent as it is. The same track from `open` to `close`, whatever device is behind it. Null while nothing is open. */
  readonly track: MediaStreamTrack | null;
  /** The gate is open and the voice is above the threshold. */
  readonly speaking: boolean;
  /** Push to talk: the key, or the button, is held. */
  readonly held: boolean;
  /** Asks the person where needed; `state` says what came of it. Never rejects. */
  open(): Promise<void>;
  close(): void;
  hold(held: boolean): void;
  /** Self mute: the gate closes, without a click, and stays closed; `level` goes on. */
  mute(muted: boolean): void;
  /** The label of the device in use; null while there is none. */
  readonly device: string | null;
  /** What to tell the person; null: nothing (any more). */
  readonly notice: MicrophoneNotice | null;
  /** The person has seen it. */
  dismiss(): void;
  settings(settings: MicrophoneSettings): void;
  /** Before the gate, in dBFS, for a meter; -Infinity is silence. */
  level(): number;
  /** What there is to choose from; labels are empty before the person allowed any. */
  inputs(): Promise<readonly Device[]>;
  outputs(): Promise<readonly Device[]>;
  /** Records the own voice as it would be sent, for so long; then something that plays. Null where it cannot. */
  test(ms: number): Promise<AudioBuffer | null>;
  /** `state`, `track`, `speaking`, `held`, `notice` or the devices are others now. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

// -- what is shown --

/** All that is remembered on the device of how one hears and speaks. */
export interface VoiceSettings extends SoundSettings, MicrophoneSettings {
  /** By user id; who is not in it is at 1. */
  volumes: Readonly<Record<UserId, number>>;
}

/** Whether this page is in voice. `text` is for a person. */
export type VoiceStatus =
  | { kind: "out" }
  | { kind: "joining" }
  | { kind: "joined" }
  /** It was refused or did not succeed; `again` by the person may do. */
  | { kind: "failed"; code: string; text: string }
  /** It cannot be: no WebRTC, or the person wants none. */
  | { kind: "unavailable"; text: string };

/** What brings voices now. `none`: nothing is connected (yet), or nobody else is there. */
export type VoiceCarrier = "mesh" | "relay" | "none";

export interface ChannelView {
  channel: VoiceChannel;
  /** People who are in it now, by zone or by choice. */
  userIds: readonly UserId[];
  full: boolean;
  /** This page's person is in it. */
  current: boolean;
}

/** Somebody else who is in voice. */
export interface PersonView {
  userId: UserId;
  peerIds: readonly PeerId[];
  channelId: ChannelId;
  /** Where they went, or were put: in it wherever they stand in no area. */
  putId: ChannelId;
  /** They stand in the area of `channelId`, and are in it until they walk out. */
  inArea: boolean;
  /** In the own channel, and neither blocked nor out of reach: they can be heard as soon as they speak. */
  audible: boolean;
  /** Has no microphone, or came to listen. */
  listening: boolean;
  /** They muted themselves. */
  selfMuted: boolean;
  /** A moderator muted them. */
  muted: boolean;
  /** Neither muted nor only listening, and the channel lets them. */
  maySpeak: boolean;
  speaking: boolean;
  priority: boolean;
  handRaisedAtMs: number | null;
  /** Here only: 0 to VOLUME_MAX. */
  volume: number;
  blocked: boolean;
  /** How they are heard here; null while they are not. On the relay: of the slot that they have. */
  quality: Hearing | null;
}

/** This page's person. */
export interface OwnView {
  userId: UserId;
  channelId: ChannelId | null;
  /** Where they went, or were put: in it wherever they stand in no area. */
  putId: ChannelId | null;
  /** They stand in the area of `channelId`, and are in it until they walk out. */
  inArea: boolean;
  microphone: MicrophoneState;
  /** No voice goes out from here: there is no microphone, or none was wanted. */
  listening: boolean;
  selfMuted: boolean;
  muted: boolean;
  unmuteRequested: boolean;
  /** What keeps the own voice from being heard, for a person; null: nothing does. */
  silentBecause: string | null;
  speaking: boolean;
  held: boolean;
  priority: boolean;
  handRaisedAtMs: number | null;
  /** May change channels, mute, move and remove others. */
  moderates: boolean;
}

/** How one voice comes in, over the last seconds; null: not measured yet. */
export interface Hearing {
  /** Packets that never came, 0 to 1. */
  lossShare: number | null;
  jitterMs: number | null;
  /** Of what was played, made up because it was missing, 0 to 1. Silence that was made up does not count. */
  concealedShare: number | null;
  rttMs: number | null;
  /** 1 to 4.5, by the E-model (ITU-T G.107). */
  mos: number | null;
}

/** How this page hears in all, and what it sends. */
export interface VoiceFigures extends Hearing {
  /** Of the own voice, as the other side reports it. */
  sentLossShare: number | null;
  /** To all to whom it goes; in a mesh that is each of the others. */
  sentKbps: number | null;
  /** What the encoder is set to. */
  targetKbps: number;
  /** How many voices at once are asked of the relay. */
  slots: number;
}

/** How a page was in voice before it was loaded anew. */
export interface Returning {
  listening: boolean;
}

/** Everything there is to show, at one moment; another object at every change. */
export interface VoiceView {
  status: VoiceStatus;
  carrier: VoiceCarrier;
  /** Grows with every change by anybody; 0: nothing is known yet. */
  revision: number;
  channels: readonly ChannelView[];
  /** As the state lists them, without this page's person. */
  people: readonly PersonView[];
  /** Who was taken out of voice and not let back in; nobody of `people`. */
  removed: readonly UserId[];
  /** All whom this page's person blocks, in voice or not. */
  blocked: readonly UserId[];
  own: OwnView;
  /** Was in voice when this tab's page was last left, and has not said yet whether to be again; null otherwise. */
  returning: Returning | null;
  recording: ActiveRecording | null;
  /** Of the own voice in that recording; null: nothing is recorded, or nothing was answered. */
  consent: "given" | "declined" | null;
  figures: VoiceFigures | null;
  settings: VoiceSettings;
  sound: Sound["state"];
}

/** What there is to show. */
export interface VoiceModel {
  readonly view: VoiceView;
  /** After every change of `view`. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** How to come in. */
export interface JoinOptions {
  /** To hear only: nobody is asked for a microphone. */
  listening?: boolean;
}

/** What a person may do. A promise rejects with an `ApiError` where the server refused; nothing else changed then. */
export interface VoiceActions {
  /** On a gesture: begins to hear, asks for the microphone, and joins. Without a microphone, as a listener. */
  join(channelId?: ChannelId, options?: JoinOptions): Promise<void>;
  leave(): Promise<void>;
  /** Does not come back into voice: `returning` is answered. */
  stayOut(): void;
  /** At once here; everybody is told. */
  mute(muted: boolean): Promise<void>;
  /** Push to talk. */
  hold(held: boolean): void;
  raiseHand(raised: boolean): Promise<void>;
  /** Stays muted though a moderator asked. */
  declineUnmute(): Promise<void>;
  enterChannel(channelId: ChannelId): Promise<void>;
  /** Asks for the microphone (once more): after `denied`, `none`, `busy` or `ended`, or having come to listen. */
  openMicrophone(): Promise<void>;
  volume(userId: UserId, volume: number): void;
  settings(change: Partial<Omit<VoiceSettings, "volumes">>): void;
  /** Neither hears the other from now on, in every room; or they do again. */
  block(userId: UserId, blocked: boolean): Promise<void>;
  /** Whether the own voice may be in what is recorded now; may be changed while it is. */
  consent(given: boolean): Promise<void>;

  // -- moderators' --

  muteOther(userId: UserId, muted: boolean): Promise<void>;
  /** Asks them to unmute themselves. */
  requestUnmute(userId: UserId): Promise<void>;
  move(userId: UserId, channelId: ChannelId): Promise<void>;
  setPriority(userId: UserId, priority: boolean): Promise<void>;
  /** Out of voice, until `removed` is false. */
  remove(userId: UserId, removed: boolean): Promise<void>;
  lowerHand(userId: UserId): Promise<void>;
  createChannel(settings: VoiceChannelSettings): Promise<VoiceChannel>;
  changeChannel(channelId: ChannelId, settings: VoiceChannelSettings): Promise<VoiceChannel>;
  deleteChannel(channelId: ChannelId): Promise<void>;
}

/** Voice, as the room's context gives it to the panels: what is shown, what may be done, and the two devices for meters and tests. */
export interface RoomVoice extends VoiceModel, VoiceActions {
  readonly sound: Sound;
  readonly microphone: Microphone;
  /** How loud another page's voice comes in now, in dBFS, for rings and meters; -Infinity while it is not heard here. */
  level(peerId: PeerId): number;
}
