/** A voice without sound: a model that is told what to show, and remembers what was asked of it. */

import { AT_FIRST } from "../src/voice/settings";
import type {
  Microphone,
  MicrophoneNotice,
  PersonView,
  RoomVoice,
  Sound,
  VoiceSettings,
  VoiceView,
} from "../src/voice/types";
import type { VoiceChannel, VoiceChannelSettings } from "../src/wire/generated";

export const MAIN: VoiceChannel = {
  channel_id: "main",
  name: "Main",
  kind: "spatial",
  capacity: 200,
  speakers: "everyone",
  speaker_ids: [],
  distance: { model: "inverse", reference_m: 1.5, rolloff: 1, max_m: 40 },
  zone: null,
};

/** Somebody who talks freely in `main`, but for what is given. */
export function person(userId: string, change: Partial<PersonView> = {}): PersonView {
  return {
    userId,
    peerIds: [`${userId}.tab`],
    channelId: "main",
    putId: "main",
    inArea: false,
    audible: true,
    listening: false,
    selfMuted: false,
    muted: false,
    maySpeak: true,
    speaking: false,
    priority: false,
    handRaisedAtMs: null,
    volume: 1,
    blocked: false,
    quality: null,
    ...change,
  };
}

/** A page that is not in voice, alone. */
export function nothing(): VoiceView {
  return {
    status: { kind: "out" },
    carrier: "none",
    revision: 1,
    channels: [{ channel: MAIN, userIds: [], full: false, current: false }],
    people: [],
    removed: [],
    blocked: [],
    returning: null,
    own: {
      userId: "usr_me",
      channelId: null,
      putId: null,
      inArea: false,
      microphone: "off",
      listening: false,
      selfMuted: false,
      muted: false,
      unmuteRequested: false,
      silentBecause: null,
      speaking: false,
      held: false,
      priority: false,
      handRaisedAtMs: null,
      moderates: false,
    },
    recording: null,
    consent: null,
    figures: null,
    settings: AT_FIRST,
    sound: "off",
  };
}

export class FakeVoice implements RoomVoice {
  view: VoiceView = nothing();
  /** What was asked, in order: the action's name and its arguments. */
  readonly asked: [string, ...unknown[]][] = [];
  /** The next action is refused with this. */
  refusal: Error | null = null;
  readonly levels = new Map<string, number>();
  notice: MicrophoneNotice | null = null;
  fellBack = false;
  levelDb = Number.NEGATIVE_INFINITY;
  readonly sound: Sound;
  readonly microphone: Microphone;
  private readonly listeners = new Set<() => void>();

  constructor() {
    this.sound = this.makeSound();
    this.microphone = this.makeMicrophone();
  }

  /** Something else is so now. */
  change(change: Partial<Omit<VoiceView, "own">> & { own?: Partial<VoiceView["own"]> }): void {
    this.view = { ...this.view, ...change, own: { ...this.view.own, ...change.own } };
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  level(peerId: string): number {
    return this.levels.get(peerId) ?? Number.NEGATIVE_INFINITY;
  }

  join = (...all: unknown[]): Promise<void> =>
    this.did("join", ...all).then(() => this.change({ status: { kind: "joined" }, returning: null }));
  stayOut = (): void => {
    this.asked.push(["stayOut"]);
    this.change({ returning: null });
  };
  leave = (): Promise<void> => this.did("leave").then(() => this.change({ status: { kind: "out" } }));
  mute = (muted: boolean): Promise<void> =>
    this.did("mute", muted).then(() => this.change({ own: { selfMuted: muted } }));
  hold = (held: boolean): void => {
    this.asked.push(["hold", held]);
    this.change({ own: { held, speaking: held } });
  };
  raiseHand = (raised: boolean): Promise<void> =>
    this.did("raiseHand", raised).then(() =>
      this.change({ own: { handRaisedAtMs: raised ? Date.now() : null } }),
    );
  declineUnmute = (): Promise<void> =>
    this.did("declineUnmute").then(() => this.change({ own: { unmuteRequested: false } }));
  enterChannel = (channelId: string): Promise<void> => this.did("enterChannel", channelId);
  openMicrophone = (): Promise<void> => this.did("openMicrophone");
  volume = (userId: string, volume: number): void => {
    this.asked.push(["volume", userId, volume]);
    const people = this.view.people.map((one) => (one.userId === userId ? { ...one, volume } : one));
    this.change({ people });
  };
  settings = (change: Partial<Omit<VoiceSettings, "volumes">>): void => {
    this.asked.push(["settings", change]);
    this.change({ settings: { ...this.view.settings, ...change } });
  };
  block = (userId: string, blocked: boolean): Promise<void> => this.did("block", userId, blocked);
  consent = (given: boolean): Promise<void> =>
    this.did("consent", given).then(() => this.change({ consent: given ? "given" : "declined" }));
  muteOther = (userId: string, muted: boolean): Promise<void> => this.did("muteOther", userId, muted);
  requestUnmute = (userId: string): Promise<void> => this.did("requestUnmute", userId);
  move = (userId: string, channelId: string): Promise<void> => this.did("move", userId, channelId);
  setPriority = (userId: string, priority: boolean): Promise<void> =>
    this.did("setPriority", userId, priority);
  remove = (userId: string, removed: boolean): Promise<void> => this.did("remove", userId, removed);
  lowerHand = (userId: string): Promise<void> => this.did("lowerHand", userId);
  createChannel = (settings: VoiceChannelSettings): Promise<VoiceChannel> =>
    this.did("createChannel", settings).then(() => MAIN);
  changeChannel = (channelId: string, settings: VoiceChannelSettings): Promise<VoiceChannel> =>
    this.did("changeChannel", channelId, settings).then(() => MAIN);
  deleteChannel = (channelId: string): Promise<void> => this.did("deleteChannel", channelId);

  private async did(name: string, ...all: unknown[]): Promise<void> {
    this.asked.push([name, ...all]);
    const { refusal } = this;
    this.refusal = null;
    if (refusal) throw refusal;
  }

  private makeSound(): Sound {
    const fake = this;
    return {
      state: "running",
      get fellBack() {
        return fake.fellBack;
      },
      start: async () => {
        fake.asked.push(["sound.start"]);
        fake.change({ sound: "running" });
      },
      stop: async () => {},
      track: () => {},
      feed: () => {},
      context: () => null,
      place: () => {},
      listener: () => {},
      settings: () => {},
      level: () => Number.NEGATIVE_INFINITY,
      output: () => [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      onChange: (listener) => fake.onChange(listener),
    };
  }

  private makeMicrophone(): Microphone {
    const fake = this;
    return {
      get state() {
        return fake.view.own.microphone;
      },
      track: null,
      get speaking() {
        return fake.view.own.speaking;
      },
      get held() {
        return fake.view.own.held;
      },
      open: async () => {
        fake.asked.push(["microphone.open"]);
      },
      close: () => {
        fake.asked.push(["microphone.close"]);
      },
      mute: () => {},
      hold: () => {},
      device: null,
      get notice() {
        return fake.notice;
      },
      dismiss: () => {
        fake.notice = null;
      },
      settings: () => {},
      level: () => fake.levelDb,
      inputs: async () => [
        { id: "a1", label: "Headset (Jabra Evolve2)" },
        { id: "a2", label: "Built-in microphone" },
      ],
      outputs: async () => [{ id: "o1", label: "Headset (Jabra Evolve2)" }],
      test: async () => null,
      onChange: (listener) => fake.onChange(listener),
    };
  }
}
