/**
 * Voice of this page in a room: joins membership, connections, sound and microphone to what the panels see. See docs/voice.md.
 *
 * Law: what is so is looked at again and again, ten times a second and whenever something changes, and all that follows from it is done anew; so
 * nothing that comes late, twice or out of order (a state, a slot, a connection, a device) leaves anything behind.
 */

import type { Json } from "../ot/state";
import { Listeners } from "../sync/listeners";
import { sameValue } from "../sync/same";
import type {
  ChannelId,
  PeerId,
  ServerMessage,
  UserId,
  VoicePersonChange,
  VoiceQuality,
} from "../wire/generated";
import { Blocking } from "./blocking";
import { Carrying } from "./carrying";
import { Figures, voiceQualityOf } from "./figures";
import { Membership } from "./membership";
import { Moderating } from "./moderating";
import type { VoiceLink, VoicePorts } from "./ports";
import { Preferring } from "./preferring";
import { Relations } from "./relations";
import { Returning } from "./returning";
import { SelfMute } from "./selfmute";
import { keepVoiceSettings, loadVoiceSettings, withVolume } from "./settings";
import { Slots } from "./slots";
import type {
  JoinOptions,
  Microphone,
  RoomVoice,
  Sound,
  VoiceCarrier,
  VoiceSettings,
  VoiceStatus,
  VoiceView,
} from "./types";
import { viewOf } from "./view";

const LOOK_MS = 100;
/** While this page is not in voice. */
const IDLE_MS = 500;
const FIGURES_MS = 1000;
/** A microphone is there by then; whoever is still asked about it is a listener meanwhile. */
const ASKING_MS = 1500;

export class Voice extends Moderating implements RoomVoice {
  view: VoiceView;
  private readonly membership: Membership;
  private remembered: VoiceSettings;
  private readonly selfMute: SelfMute;
  private readonly relations = new Relations();
  private readonly slots = new Slots();
  private readonly figures = new Figures();
  private readonly preferring = new Preferring();
  private readonly returning: Returning;
  private readonly carrying: Carrying;
  private readonly listeners = new Listeners<void>();
  private readonly stops: readonly (() => void)[];
  private readonly blocking: Blocking;
  private node: VoiceLink | null = null;
  /** The person wants to be in voice: sound and microphone are theirs to use. */
  private inside = false;
  private spoke = false;
  private recorded = false;
  /** What the microphone was told last. */
  private muted = false;
  private looking = false;
  private over = false;
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private figuresAtMs = Number.NEGATIVE_INFINITY;
  private cancel: () => void = () => {};

  constructor(private readonly ports: VoicePorts) {
    super(ports.routes);
    this.remembered = loadVoiceSettings(ports.shelf);
    this.returning = new Returning(ports.tab, ports.sessionId);
    this.membership = new Membership(ports, () => this.look());
    this.blocking = new Blocking(ports, () => this.look());
    this.selfMute = new SelfMute((muted) => this.changeSelf({ self_muted: muted }), ports);
    this.carrying = new Carrying(ports, this.slots, (node) => {
      this.node = node;
      this.preferring.forget();
    });
    this.view = this.seen();
    this.apply();
    this.stops = [ports.sound, ports.microphone].map((device) => device.onChange(() => this.look()));
    this.look();
  }

  get sound(): Sound {
    return this.ports.sound;
  }

  get microphone(): Microphone {
    return this.ports.microphone;
  }

  // -- what the room tells --

  /** At every `room.state`. */
  entered(): void {
    this.membership.entered();
    this.selfMute.entered();
    void this.blocking.read();
  }

  /** Whether a message was for voice; then nobody else has to look at it. */
  takes(message: ServerMessage): boolean {
    switch (message.type) {
      case "voice.changed":
        if (message.voice) this.membership.learn(message.voice);
        else this.membership.reread();
        return true;
      case "voice.slots":
        this.look(); // a connection that opened since the last look begins without names: before it names anybody
        this.slots.take(message);
        this.look();
        return true;
      case "voice.speaking":
        this.look();
        this.slots.speak(message);
        this.look();
        return true;
      default:
        return false;
    }
  }

  /** How this page hears, for the room's reports; null: nobody is heard. */
  quality(): VoiceQuality | null {
    return this.membership.joined ? voiceQualityOf(this.figures.now) : null;
  }

  /** The room is over for this page. With `leave` it says so. */
  stop(leave: boolean): void {
    if (this.over) return;
    if (leave) this.returning.outside();
    if (leave && this.inside) this.routes.leave().catch(() => {}); // the row goes with the page anyhow
    this.over = true;
    this.cancel();
    this.membership.stop();
    this.blocking.stop();
    this.release();
    for (const stop of this.stops) stop();
  }

  // -- what is shown --

  onChange(listener: () => void): () => void {
    return this.listeners.add(listener);
  }

  // -- what the person does --

  async join(channelId?: ChannelId, { listening = false }: JoinOptions = {}): Promise<void> {
    if (this.unavailable) return;
    this.returning.inside(listening);
    this.ports.sound.start().catch(() => {}); // it says itself that it is blocked
    if (!listening) void this.ask();
    const joined = this.membership.join(channelId ?? null, this.listening);
    this.inside = true; // not before: what was refused last time would end it
    this.look();
    await joined;
  }

  async leave(): Promise<void> {
    this.inside = false;
    this.returning.outside();
    this.release();
    await this.membership.leave();
  }

  stayOut(): void {
    this.returning.outside();
    this.look();
  }

  mute(muted: boolean): Promise<void> {
    const said = this.selfMute.want(muted);
    this.look();
    return said;
  }

  hold(held: boolean): void {
    this.ports.microphone.hold(held);
  }

  raiseHand(raised: boolean): Promise<void> {
    return this.changeSelf({ hand_raised: raised });
  }

  declineUnmute(): Promise<void> {
    return this.changeSelf({ unmute_requested: false });
  }

  enterChannel(channelId: ChannelId): Promise<void> {
    return this.inside ? this.changeSelf({ channel_id: channelId }) : this.join(channelId);
  }

  async openMicrophone(): Promise<void> {
    if (!this.inside) return;
    this.returning.inside(false);
    await this.ask();
  }

  volume(userId: UserId, volume: number): void {
    this.remember(withVolume(this.remembered, userId, volume));
  }

  settings(change: Partial<Omit<VoiceSettings, "volumes">>): void {
    this.remember({ ...this.remembered, ...change });
    this.apply();
  }

  block(userId: UserId, blocked: boolean): Promise<void> {
    return this.blocking.set(userId, blocked);
  }

  async consent(given: boolean): Promise<void> {
    const recording = this.membership.state?.recording;
    if (recording) await this.routes.consent(recording.recording_id, given);
  }

  level(peerId: PeerId): number {
    const slot = this.slots.of(peerId);
    return this.ports.sound.level(slot === null ? `peer:${peerId}` : `slot${slot}`);
  }

  // -- looking --

  private look(): void {
    if (this.over || this.looking) return;
    this.looking = true;
    this.cancel();
    if (this.inside && (this.unavailable || this.membership.status.kind === "failed")) this.end();
    if (this.inside) this.membership.listen(this.listening);
    this.relate();
    this.carry();
    this.show();
    this.cancel = this.ports.after(this.inside ? LOOK_MS : IDLE_MS, () => this.look());
    this.looking = false;
  }

  private relate(): void {
    const me = this.ports.me();
    const known = this.membership.state;
    if (!me || !known) return;
    const recorded = (known.recording ?? null) !== null;
    if (recorded !== this.recorded) this.ports.plane?.demand({ recorded });
    this.recorded = recorded;
    this.selfMute.learn(known, me.user_id);
    const state = this.selfMute.over(known, me.user_id);
    const muted = state.people.find(({ user_id }) => user_id === me.user_id)?.self_muted ?? false;
    if (muted !== this.muted) this.ports.microphone.mute(muted);
    this.muted = muted;
    const somebody = (peerId: string) => this.ports.somebody(peerId);
    this.relations.look({
      state,
      me,
      blocked: this.blocking.users,
      position: (id) => (id === me.peer_id ? this.ports.position() : (somebody(id)?.position ?? null)),
      peer: (id) => (id === me.peer_id ? me : (somebody(id)?.peer ?? null)),
    });
  }

  private carry(): void {
    const now = this.ports.now();
    const links = this.links();
    this.figures.follow(links, this.relations.all, this.slots);
    if (now - this.figuresAtMs >= FIGURES_MS) {
      this.figuresAtMs = now;
      this.figures.look(links, (peerId) => this.ports.hintKbps(peerId), now);
    }
    const { joined } = this.membership;
    if (joined) this.selfMute.again();
    const relations = this.relations.all;
    const speaks = relations.get(this.ports.me()?.peer_id ?? "")?.speaks ?? false;
    const { volumes } = this.remembered;
    const volume = (userId: UserId) => (Object.hasOwn(volumes, userId) ? (volumes[userId] ?? 1) : 1);
    const kbps = (peerId: string) => this.figures.kbps(peerId);
    this.carrying.look({ joined, speaks, relations, volume, kbps });
    if (joined && this.node) {
      const wish = this.preferring.due(this.figures.slots, volumes, this.membership.state);
      if (wish && this.ports.plane?.send(wish)) this.preferring.sent(wish);
    }
    const speaking = joined && speaks && this.ports.microphone.speaking;
    if (speaking !== this.spoke) this.ports.onSpeaking(speaking);
    this.spoke = speaking;
  }

  private show(): void {
    const view = this.seen();
    if (sameValue(view as unknown as Json, this.view as unknown as Json)) return;
    this.view = view;
    this.listeners.tell();
  }

  private seen(): VoiceView {
    const { membership, slots, figures, ports } = this;
    const me = ports.me();
    const state =
      membership.state && me ? this.selfMute.over(membership.state, me.user_id) : membership.state;
    const links = this.links();
    return viewOf({
      status: this.status,
      state,
      me,
      self: state?.people.find(({ user_id }) => user_id === me?.user_id) ?? null,
      relations: this.relations.all,
      carrier: this.carrier(links),
      microphone: ports.microphone,
      sound: ports.sound.state,
      settings: this.remembered,
      blocked: this.blocking.users,
      figures: membership.joined ? figures.now : null,
      returning: this.returning.offer,
      reached: (peerId) =>
        this.node !== null || links.some((link) => link.peerId === peerId && link.audio.sends),
      speaks: (peerId) => (this.node ? slots.speaks(peerId) : (ports.somebody(peerId)?.speaking ?? false)),
      quality: (peerId) => (membership.joined ? figures.of(peerId, slots) : null),
    });
  }

  private links(): VoiceLink[] {
    return [...(this.ports.plane?.voiceLinks() ?? [])];
  }

  private carrier(links: readonly VoiceLink[]): VoiceCarrier {
    if (this.node) return "relay";
    return links.some(({ open, audio, setup }) => open && !setup.node && audio.sends) ? "mesh" : "none";
  }

  /** No voice will come from here; not while a microphone is only on its way. */
  private get listening(): boolean {
    const { state } = this.ports.microphone;
    if (state !== "off" && state !== "asking") return state !== "live";
    return this.ports.now() - this.askedAtMs >= ASKING_MS;
  }

  private get status(): VoiceStatus {
    return this.unavailable ?? this.membership.status;
  }

  private get unavailable(): VoiceStatus | null {
    const { plane } = this.ports;
    if (!plane) return { kind: "unavailable", text: "This browser has no WebRTC, and so no voice." };
    if (!plane.websocketOnly) return null;
    return {
      kind: "unavailable",
      text: "Your preferences allow the WebSocket only, which carries no voice.",
    };
  }

  // -- doing --

  /** Voice is over though the person did not leave it. */
  private end(): void {
    this.inside = false;
    this.returning.outside();
    this.release();
    if (this.membership.status.kind !== "failed") this.membership.leave().catch(() => {});
  }

  private ask(): Promise<void> {
    this.askedAtMs = this.ports.now();
    return this.ports.microphone.open();
  }

  private release(): void {
    const { microphone, sound } = this.ports;
    this.carrying.stop();
    microphone.close();
    sound.stop().catch(() => {});
    if (this.spoke) this.ports.onSpeaking(false);
    this.spoke = false;
  }

  private remember(settings: VoiceSettings): void {
    this.remembered = settings;
    keepVoiceSettings(this.ports.shelf, settings);
    this.look();
  }

  private apply(): void {
    const { master, mode, equal, outputId, headphones, deviceId, processing, talking } = this.remembered;
    this.ports.sound.settings({ master, mode, equal, outputId, headphones });
    this.ports.microphone.settings({ deviceId, processing, talking });
  }

  private changeSelf(change: VoicePersonChange): Promise<void> {
    return this.change(this.ports.me()?.user_id ?? "", change);
  }
}
