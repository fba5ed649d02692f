/** Values of voice for tests, and hand-written fakes of what makes and hears sound. */

import type { Shelf } from "../src/identity/keeping";
import { Listeners } from "../src/sync/listeners";
import type { VoicePlane, VoiceRoutes } from "../src/voice/ports";
import type {
  Microphone,
  MicrophoneSettings,
  MicrophoneState,
  Placement,
  Sound,
  SoundSettings,
  SourceId,
} from "../src/voice/types";
import { Voice } from "../src/voice/voice";
import type {
  ChannelId,
  Code,
  Peer,
  PeerId,
  UserId,
  Vec3,
  VoiceChannel,
  VoiceJoined,
  VoicePerson,
  VoicePersonChange,
  VoiceState,
} from "../src/wire/generated";
import { type FakeConnection, fakeTrack } from "./fakeconnection";
import type { Page } from "./peersworld";

export function channel(channelId: ChannelId, more: Partial<VoiceChannel> = {}): VoiceChannel {
  return {
    channel_id: channelId,
    name: channelId,
    kind: "spatial",
    capacity: 200,
    speakers: "everyone",
    speaker_ids: [],
    distance: {},
    zone: null,
    ...more,
  };
}

/** With one page, `<user>.1`. */
export function person(userId: UserId, more: Partial<VoicePerson> = {}): VoicePerson {
  return { user_id: userId, channel_id: "main", peers: [`${userId}.1`], ...more };
}

export function voiceState(
  people: readonly VoicePerson[],
  channels: readonly VoiceChannel[] = [channel("main")],
  revision = 1,
): VoiceState {
  return { revision, channels, people };
}

/** What is played, and how. */
export class FakeSound implements Sound {
  state: Sound["state"] = "off";
  readonly fellBack = false;
  readonly tracks = new Map<SourceId, MediaStreamTrack>();
  readonly placed = new Map<SourceId, Placement | null>();
  wanted: SoundSettings | null = null;
  private readonly listeners = new Listeners<void>();

  async start(): Promise<void> {
    this.become("running");
  }

  async stop(): Promise<void> {
    this.become("off");
  }

  track(id: SourceId, track: MediaStreamTrack | null): void {
    this.placed.delete(id);
    if (track) this.tracks.set(id, track);
    else this.tracks.delete(id);
  }

  feed(): void {}

  context(): null {
    return null;
  }

  place(id: SourceId, placement: Placement | null): void {
    if (!this.tracks.has(id)) throw new Error(`there is no source ${id}`);
    this.placed.set(id, placement);
  }

  listener(): void {}

  settings(settings: SoundSettings): void {
    this.wanted = settings;
  }

  level(id: SourceId): number {
    return this.tracks.has(id) ? -20 : Number.NEGATIVE_INFINITY;
  }

  output(): readonly [number, number] {
    return [-20, -20];
  }

  onChange(listener: () => void): () => void {
    return this.listeners.add(listener);
  }

  /** Who is heard now, and from which source. */
  heard(): Record<SourceId, string | null> {
    const heard = [...this.placed].filter(([, placement]) => placement !== null);
    return Object.fromEntries(heard.map(([id, placement]) => [id, placement?.who ?? null]));
  }

  private become(state: Sound["state"]): void {
    this.state = state;
    this.listeners.tell();
  }
}

/** A microphone that does what a test says. */
export class FakeMicrophone implements Microphone {
  state: MicrophoneState = "off";
  track: MediaStreamTrack | null = null;
  speaking = false;
  held = false;
  muted = false;
  readonly device = null;
  readonly notice = null;
  wanted: MicrophoneSettings | null = null;
  /** What comes of asking; "asking" never answers. */
  answer: MicrophoneState = "live";
  private readonly listeners = new Listeners<void>();

  constructor(readonly owner: string) {}

  async open(): Promise<void> {
    this.become(this.answer);
    if (this.answer === "asking") await new Promise<void>(() => {});
  }

  close(): void {
    this.become("off");
  }

  become(state: MicrophoneState): void {
    this.state = state;
    this.track = state === "live" ? (this.track ?? fakeTrack(this.owner)) : null;
    this.listeners.tell();
  }

  speak(speaking: boolean): void {
    this.speaking = speaking;
    this.listeners.tell();
  }

  hold(held: boolean): void {
    this.held = held;
    this.listeners.tell();
  }

  mute(muted: boolean): void {
    this.muted = muted;
  }

  dismiss(): void {}

  settings(settings: MicrophoneSettings): void {
    this.wanted = settings;
  }

  level(): number {
    return -20;
  }

  async inputs(): Promise<[]> {
    return [];
  }

  async outputs(): Promise<[]> {
    return [];
  }

  async test(): Promise<null> {
    return null;
  }

  onChange(listener: () => void): () => void {
    return this.listeners.add(listener);
  }
}

class Refusal extends Error {
  readonly retryAfterMs = 0;

  constructor(readonly code: Code) {
    super(code);
  }
}

/** The functions: one room's voice, told to every page that is there. */
export class FakeVoiceRoom {
  state: VoiceState = voiceState([]);
  readonly calls: string[] = [];
  readonly blocks = new Map<UserId, Set<UserId>>();
  /** The next calls are refused so. */
  readonly refusals: Code[] = [];
  readonly removed = new Set<UserId>();
  telling = true;
  private readonly pages = new Set<(state: VoiceState) => void>();

  tellTo(page: (state: VoiceState) => void): () => void {
    this.pages.add(page);
    return () => this.pages.delete(page);
  }

  /** Voice is so from now on. */
  become(change: Partial<VoiceState>): void {
    this.state = { ...this.state, ...change, revision: this.state.revision + 1 };
    if (this.telling) for (const page of [...this.pages]) page(this.state);
  }

  set(userId: UserId, change: Partial<VoicePerson>): void {
    const people = this.state.people.map((one) => (one.user_id === userId ? { ...one, ...change } : one));
    this.become({ people });
  }

  routes(me: Peer): VoiceRoutes {
    const { user_id, peer_id } = me;
    const call = async <T>(name: string, act: () => T): Promise<T> => {
      this.calls.push(`${user_id} ${name}`);
      await Promise.resolve();
      const refusal = this.refusals.shift();
      if (refusal) throw new Refusal(refusal);
      return act();
    };
    return {
      state: () => call("state", () => this.state),
      join: (channelId, listening) => call(`join ${listening}`, () => this.join(me, channelId, listening)),
      leave: () => call("leave", () => this.leave(peer_id)),
      change: (userId, change) => call(`change ${JSON.stringify(change)}`, () => this.change(userId, change)),
      createChannel: (settings) => call("createChannel", () => channel("vch_new", settings)),
      changeChannel: (id, settings) => call("changeChannel", () => channel(id, settings)),
      deleteChannel: () => call("deleteChannel", () => {}),
      blocks: () => call("blocks", () => ({ blocked: [...this.blocksOf(user_id)] })),
      block: (userId) => call("block", () => ({ blocked: [...this.blocksOf(user_id).add(userId)] })),
      unblock: (userId) => call("unblock", () => void this.blocksOf(user_id).delete(userId)),
      consent: (id, given) => call(`consent ${id} ${given}`, () => {}),
    };
  }

  /** A page has gone, or its row is another. */
  leave(peerId: PeerId): void {
    const people = this.state.people
      .map((one) => ({ ...one, peers: one.peers.filter((id) => id !== peerId) }))
      .filter(({ peers }) => peers.length > 0);
    this.become({ people });
  }

  private join(me: Peer, channelId: ChannelId | null, listening: boolean): VoiceJoined {
    if (this.removed.has(me.user_id)) throw new Refusal("voice.removed");
    const known = this.state.people.find(({ user_id }) => user_id === me.user_id);
    const one: VoicePerson = {
      ...(known ?? person(me.user_id)),
      peers: [...new Set([...(known?.peers ?? []), me.peer_id])],
      channel_id: channelId ?? known?.channel_id ?? "main",
      listening,
    };
    const others = this.state.people.filter(({ user_id }) => user_id !== me.user_id);
    this.become({ people: [...others, one] });
    return {
      success: true,
      message: "",
      peer_connection_id: "pc_1",
      session_id: "s",
      channel: channel(one.channel_id),
      carrier: "mesh",
      slots: 4,
      relay: { status: "none" },
      ice: { ice_servers: [], ttl_s: 60, expires_at_ms: 0 },
      voice: this.state,
    };
  }

  private change(userId: UserId, { hand_raised, removed, ...change }: VoicePersonChange): VoicePerson {
    const known = Object.entries(change).filter(([, value]) => value !== null && value !== undefined);
    const hand = hand_raised === undefined ? {} : { hand_raised_at_ms: hand_raised ? 1 : null };
    if (removed) this.removed.add(userId);
    else if (removed === false) this.removed.delete(userId);
    const left = this.state.people.filter(({ user_id }) => !this.removed.has(user_id));
    if (typeof removed === "boolean") this.become({ people: left, removed: [...this.removed] });
    else this.set(userId, { ...Object.fromEntries(known), ...hand });
    return this.state.people.find(({ user_id }) => user_id === userId) ?? person(userId);
  }

  private blocksOf(userId: UserId): Set<UserId> {
    const blocks = this.blocks.get(userId) ?? new Set();
    this.blocks.set(userId, blocks);
    return blocks;
  }
}

/** What a device remembers, in memory. */
export function shelf(): Shelf & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

/** A page of a town with voice. */
export class Talker {
  readonly sound = new FakeSound();
  readonly microphone: FakeMicrophone;
  readonly voice: Voice;
  readonly shelf = shelf();
  readonly tab: Shelf;
  readonly spoke: boolean[] = [];
  position: Vec3 = [0, 1.6, 0];
  hintKbps = 48;

  constructor(
    readonly page: Page,
    readonly room: FakeVoiceRoom,
    /** Everybody, by page. */
    readonly talkers: Map<PeerId, Talker>,
    plane: VoicePlane | null = page.plane,
    /** What its tab remembers: of another page's, where that was loaded anew. */
    tab: Shelf = shelf(),
  ) {
    this.tab = tab;
    const { world, random } = page.town;
    this.microphone = new FakeMicrophone(page.id);
    talkers.set(page.id, this);
    this.voice = new Voice({
      now: () => world.now(),
      random,
      after: (ms, call) => world.after(ms, call),
      routes: room.routes(page.peer),
      plane,
      sound: this.sound,
      microphone: this.microphone,
      shelf: this.shelf,
      tab,
      sessionId: "s",
      me: () => page.peer,
      position: () => this.position,
      somebody: (peerId) => {
        const other = talkers.get(peerId);
        return other
          ? { peer: other.page.peer, position: other.position, speaking: other.spoke.at(-1) ?? false }
          : null;
      },
      hintKbps: () => this.hintKbps,
      onSpeaking: (speaking) => this.spoke.push(speaking),
    });
    room.tellTo((voice) => void this.voice.takes({ type: "voice.changed", voice }));
    page.onMessage = (message) => void this.voice.takes(message);
    this.voice.entered();
  }

  get id(): PeerId {
    return this.page.id;
  }

  get userId(): UserId {
    return this.page.peer.user_id;
  }

  /** The own connection to somebody. */
  connection(to: PeerId): FakeConnection | undefined {
    const { connections } = this.page.town.air;
    return connections.find((one) => !one.closed && one.owner === this.id && one.paired?.owner === to);
  }

  /** What it sends them now. */
  sendsTo(to: PeerId): MediaStreamTrack | null {
    return this.connection(to)?.transceivers[0]?.sender.track ?? null;
  }
}
