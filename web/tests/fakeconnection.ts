/**
 * Fake peer connections and the air between them.
 *
 * `FakeConnection` keeps the rules of RTCPeerConnection that matter: the signalling states with rollback, descriptions that
 * name a connection and its ICE credentials, candidates that belong to credentials. Two are connected while each has
 * the other's current description and a candidate of it, and the air between them is clear.
 */

import type { Stat } from "../src/peers/getstats";
import type {
  CandidateLike,
  ChannelLike,
  ConnectionLike,
  DescriptionLike,
  SenderLike,
  TransceiverLike,
} from "../src/peers/ports";
import type { FakeWorld } from "./world";

interface Described {
  type: "offer" | "answer";
  number: number;
  ufrag: string;
}

function read({ type, sdp }: DescriptionLike): Described {
  const [, number = "0", ufrag = ""] = /o=- (\d+) .*ufrag:(\S+)/s.exec(sdp) ?? [];
  return { type: type as "offer" | "answer", number: Number(number), ufrag };
}

class FakeChannel implements ChannelLike {
  readyState = "connecting";
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(
    private readonly owner: FakeConnection,
    readonly label: string,
  ) {}

  send(text: string): void {
    if (this.readyState !== "open") throw new Error("InvalidStateError");
    this.owner.carry(this.label, text);
  }
}

/** What a person said into it is told apart by identity alone. */
export function fakeTrack(id: string): MediaStreamTrack {
  return { id, kind: "audio" } as MediaStreamTrack;
}

class FakeSender implements SenderLike {
  track: MediaStreamTrack | null = null;
  kbps = 0;
  replaced = 0;

  async replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    await Promise.resolve();
    this.track = track;
    this.replaced += 1;
  }

  getParameters(): RTCRtpSendParameters {
    return { encodings: [{}] } as RTCRtpSendParameters;
  }

  async setParameters({ encodings }: RTCRtpSendParameters): Promise<void> {
    this.kbps = (encodings[0]?.maxBitrate ?? 0) / 1000;
  }
}

/** An audio section: its direction is agreed by descriptions, `a=audio:<mid> <direction>` in them. */
export class FakeTransceiver implements TransceiverLike {
  mid: string | null = null;
  currentDirection: RTCRtpTransceiverDirection | null = null;
  stopped = false;
  readonly sender = new FakeSender();
  readonly receiver: { track: MediaStreamTrack };

  constructor(
    owner: FakeConnection,
    public direction: RTCRtpTransceiverDirection,
  ) {
    this.receiver = { track: fakeTrack(`${owner.owner} hears ${owner.number}.${owner.transceivers.length}`) };
  }

  stop(): void {
    this.stopped = true;
    this.direction = "inactive";
  }
}

const TURNED = {
  sendrecv: "sendrecv",
  sendonly: "recvonly",
  recvonly: "sendonly",
  inactive: "inactive",
  stopped: "stopped",
} as const;

export class FakeConnection implements ConnectionLike {
  signalingState = "stable";
  iceConnectionState = "new";
  localDescription: DescriptionLike | null = null;
  remoteDescription: DescriptionLike | null = null;
  onnegotiationneeded: (() => void) | null = null;
  onicecandidate: ((event: { candidate: CandidateLike | null }) => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  readonly channels = new Map<string, FakeChannel>();
  readonly transceivers: FakeTransceiver[] = [];
  /** What `stats` reports. */
  statistics: readonly Stat[] = [];
  readonly number: number;
  closed = false;
  heardUfrags = new Set<string>();
  /** Whom it reaches; that lasts through a restart. */
  paired: FakeConnection | null = null;
  /** Credentials whose pair of candidates died. */
  deadUfrag = "";
  /** Of whose certificate the first description was: another is never trusted. */
  fingerprint = 0;
  private versions = 1;
  private needs = false;
  private restarting = false;
  private stableLocal: DescriptionLike | null = null;
  private offered = new Map<string, RTCRtpTransceiverDirection>();

  constructor(
    readonly air: Air,
    readonly owner: string,
    readonly configuration: RTCConfiguration,
  ) {
    this.number = air.connections.push(this);
  }

  /** It may use TURN only, and has none. */
  get confined(): boolean {
    const { iceTransportPolicy, iceServers = [] } = this.configuration;
    return iceTransportPolicy === "relay" && !iceServers.some(({ urls }) => String(urls).includes("turn"));
  }

  createDataChannel(label: string): FakeChannel {
    const channel = new FakeChannel(this, label);
    if (this.channels.size === 0) this.need();
    this.channels.set(label, channel);
    return channel;
  }

  async setLocalDescription(): Promise<void> {
    this.alive();
    await this.air.pause();
    this.alive();
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    const before = this.localDescription ? read(this.localDescription).ufrag : "";
    const theirs = this.remoteDescription ? read(this.remoteDescription).ufrag : "";
    const renewed = before === "" || this.restarting || (type === "answer" && !this.heardUfrags.has(theirs));
    const ufrag = renewed ? `u${this.number}x${this.versions}` : before;
    this.versions += 1;
    this.stableLocal = type === "offer" ? this.localDescription : null;
    const sdp = `v=0\r\no=- ${this.number} ${this.versions} IN IP4 0\r\na=ufrag:${ufrag}\r\n${this.sections(type)}`;
    this.localDescription = { type, sdp };
    this.signalingState = type === "offer" ? "have-local-offer" : "stable";
    if (type === "answer") this.restarting = false;
    this.needs = false;
    if (renewed) {
      for (const n of [1, 2, 3]) {
        const candidate = {
          candidate: `candidate:${n}`,
          sdpMid: "0",
          sdpMLineIndex: 0,
          usernameFragment: ufrag,
        };
        this.air.world.after(10 * n, () => this.onicecandidate?.({ candidate }));
      }
      this.air.world.after(60, () => this.onicecandidate?.({ candidate: null }));
    }
    this.air.check();
  }

  async setRemoteDescription(description: DescriptionLike): Promise<void> {
    this.alive();
    await this.air.pause();
    this.alive();
    if (description.type === "answer" && this.signalingState !== "have-local-offer")
      throw new Error("wrong state");
    if (description.type === "offer" && this.signalingState === "have-local-offer") {
      this.localDescription = this.stableLocal;
      this.needs = true;
    }
    this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
    if (description.type === "answer") this.restarting = false;
    this.remoteDescription = description;
    this.agree(description);
    this.fingerprint ||= read(description).number;
    this.air.check();
    if (this.signalingState === "stable" && this.needs) this.need();
  }

  async addIceCandidate(candidate: CandidateLike): Promise<void> {
    if (!this.remoteDescription) throw new Error("no description");
    if (candidate.usernameFragment !== read(this.remoteDescription).ufrag) throw new Error("of none");
    this.heardUfrags.add(candidate.usernameFragment);
    this.air.check();
  }

  restartIce(): void {
    this.restarting = true;
    this.need();
  }

  setConfiguration(): void {}

  addTransceiver(_: "audio", { direction }: { direction: RTCRtpTransceiverDirection }): FakeTransceiver {
    const transceiver = new FakeTransceiver(this, direction);
    this.transceivers.push(transceiver);
    if (this.transceivers.length === 1) this.need();
    return transceiver;
  }

  getTransceivers(): readonly FakeTransceiver[] {
    return this.transceivers;
  }

  async stats(): Promise<readonly Stat[]> {
    return this.statistics;
  }

  /** The audio sections of a description of ours; an answer agrees on them. */
  private sections(type: "offer" | "answer"): string {
    return this.transceivers
      .map((one, at) => {
        one.mid ??= String(at);
        if (type === "answer") {
          const theirs = this.offered.get(one.mid) ?? "inactive";
          one.currentDirection = one.stopped ? "stopped" : met(one.direction, theirs);
        }
        return `a=audio:${one.mid} ${one.stopped ? "stopped" : one.direction}\r\n`;
      })
      .join("");
  }

  /** Takes the sections of a description of theirs: an offer makes them, an answer settles them. */
  private agree({ type, sdp }: DescriptionLike): void {
    this.offered = new Map(
      [...sdp.matchAll(/^a=audio:(\S+) (\S+)\r$/gm)].map(([, mid = "", way = ""]) => [
        mid,
        TURNED[way as keyof typeof TURNED],
      ]),
    );
    for (const [mid, way] of this.offered) {
      let one = this.transceivers.find(
        (known) => known.mid === mid || (type === "answer" && known.mid === null),
      );
      if (!one) {
        one = new FakeTransceiver(this, "recvonly");
        this.transceivers.push(one);
      }
      one.mid = mid;
      if (type === "answer") one.currentDirection = way === "stopped" ? "stopped" : met(one.direction, way);
    }
  }

  close(): void {
    this.closed = true;
    this.signalingState = "closed";
    for (const channel of this.channels.values()) channel.readyState = "closed";
    this.air.world.after(30, () => this.air.check());
  }

  carry(label: string, text: string): void {
    const other = this.air.counterpart(this);
    if (!other || (label === "presence" && this.air.random() < this.air.loss)) return;
    this.air.world.after(5 + 10 * this.air.random(), () =>
      other.channels.get(label)?.onmessage?.({ data: text }),
    );
  }

  become(connected: FakeConnection | null): void {
    if (!connected && this.paired)
      this.deadUfrag = this.localDescription ? read(this.localDescription).ufrag : "";
    this.paired = connected;
    const state = connected ? "connected" : this.iceConnectionState === "new" ? "new" : "disconnected";
    if (connected) {
      for (const channel of this.channels.values()) {
        if (channel.readyState !== "connecting") continue;
        channel.readyState = "open";
        channel.onopen?.();
      }
    }
    if (state === this.iceConnectionState) return;
    this.iceConnectionState = state;
    this.oniceconnectionstatechange?.();
  }

  private need(): void {
    this.needs = true;
    queueMicrotask(() => {
      if (!this.closed && this.needs && this.signalingState === "stable") this.onnegotiationneeded?.();
    });
  }

  private alive(): void {
    if (this.closed) throw new Error("closed");
  }
}

/** What two sides' wishes come to, seen from the first; `theirs` is turned already. */
function met(
  own: RTCRtpTransceiverDirection,
  theirs: RTCRtpTransceiverDirection,
): RTCRtpTransceiverDirection {
  const sends = own.startsWith("send") && theirs.startsWith("send");
  const hears =
    own.endsWith("recv") || own === "recvonly" ? theirs.endsWith("recv") || theirs === "recvonly" : false;
  return sends ? (hears ? "sendrecv" : "sendonly") : hears ? "recvonly" : "inactive";
}

/** What is between the pages. */
export class Air {
  readonly connections: FakeConnection[] = [];
  /** Of what goes on presence channels. */
  loss = 0;
  /** Pairs of owners between which nothing goes, as "a b" both ways. */
  readonly broken = new Set<string>();

  constructor(
    readonly world: FakeWorld,
    readonly random: () => number,
  ) {}

  break(a: string, b: string): void {
    this.broken.add(`${a} ${b}`).add(`${b} ${a}`);
    this.check();
  }

  mend(a: string, b: string): void {
    this.broken.delete(`${a} ${b}`);
    this.broken.delete(`${b} ${a}`);
    this.check();
  }

  async pause(): Promise<void> {
    for (let n = Math.floor(this.random() * 4); n > 0; n--) await Promise.resolve();
  }

  counterpart(one: FakeConnection): FakeConnection | null {
    if (!one.remoteDescription || !one.localDescription || one.closed || one.confined) return null;
    if (one.paired) {
      const { paired } = one;
      return paired.closed || this.broken.has(`${one.owner} ${paired.owner}`) ? null : paired;
    }
    const theirs = read(one.remoteDescription);
    const other = this.connections[theirs.number - 1];
    if (!other?.localDescription || !other.remoteDescription || other.closed || other.confined) return null;
    const known = one.fingerprint === other.number && other.fingerprint === one.number;
    const stale = one.deadUfrag === read(one.localDescription).ufrag || other.deadUfrag === theirs.ufrag;
    const agreed =
      known &&
      !stale &&
      read(other.localDescription).ufrag === theirs.ufrag &&
      read(one.localDescription).ufrag === read(other.remoteDescription).ufrag;
    const met = one.heardUfrags.has(theirs.ufrag) || other.heardUfrags.has(read(one.localDescription).ufrag);
    return agreed && met && !this.broken.has(`${one.owner} ${other.owner}`) ? other : null;
  }

  check(): void {
    for (const one of this.connections) if (!one.closed) one.become(this.counterpart(one));
  }
}
