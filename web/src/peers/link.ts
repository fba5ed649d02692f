/**
 * One peer connection from its making to its end: its two channels, whether it carries, and how well.
 *
 * Law: `open` is true only while both channels are open and something was heard lately; nothing else decides whether
 * this link carries. A link mends itself by an ICE restart (RFC 8445 section 9) for a while; what cannot be mended
 * ends exactly once, and is told.
 */

import { LIMITS, type LinkPath, type Signal } from "../wire/generated";
import { Allowance } from "./allowance";
import { LinkAudio } from "./audio";
import { isCount, parse } from "./decode";
import {
  Gaps,
  type LinkStats,
  linkStats,
  NO_STATS,
  Pings,
  RoundTrips,
  ratePerS,
  type Stat,
} from "./getstats";
import { Negotiator } from "./negotiator";
import type { ChannelLike, ConnectionLike, RtcPorts } from "./ports";
import { refined } from "./sdp";
import type { LinkView } from "./types";

const LOOK_MS = 250;
const STATS_EVERY_MS = 2000;
const MEND_EVERY_MS = 3000;
/** The polite side asks the other for an offer first, and makes one itself where none comes. */
const MEND_ALONE_MS = 4000;
const PING_ID_CHARS = 64;
/** A page that was stopped for a moment may bring so many at once that are skipped; who brings more floods. */
const SKIPPED_MAX = 10 * LIMITS.CHANNEL_BURST;
/** Why a link ended whose other side is not to be connected to again soon. */
export const FLOOD = "flood";

/** What is told apart between a page and the node: how soon silence is noticed. */
export interface Patience {
  pingMs: number;
  silentMs: number;
  /** How long it may take to open, and to be mended once it was. */
  connectMs: number;
  mendMs: number;
}

export interface LinkSetup {
  peerId: string;
  link: string;
  polite: boolean;
  /** Made for an offer that came. */
  answers: boolean;
  node: boolean;
  patience: Patience;
  configuration: RTCConfiguration;
}

/** A signal before it has a name on it. */
type Bare<S> = S extends Signal ? Omit<S, "to" | "link" | "id"> : never;

export interface LinkEvents {
  signal(signal: Bare<Signal>): void;
  /** `open` is another now. */
  changed(link: Link): void;
  presence(link: Link, data: unknown): void;
  /** Not pings nor pongs. */
  control(link: Link, data: unknown): void;
  ended(link: Link, why: string): void;
}

export class Link {
  open = false;
  readonly madeAtMs: number;
  readonly gaps = new Gaps();
  readonly audio: LinkAudio;
  /** The newest statistics as they came. */
  report: readonly Stat[] = [];
  private readonly connection: ConnectionLike;
  private readonly negotiator: Negotiator;
  private readonly presence: ChannelLike;
  private readonly control: ChannelLike;
  private readonly pings = new Pings();
  private readonly checks = new RoundTrips();
  private readonly allowance = new Allowance({
    burst: LIMITS.CHANNEL_BURST,
    perS: LIMITS.CHANNEL_REFILL_PER_S,
    bytesBurst: LIMITS.CHANNEL_BYTES_BURST,
    bytesPerS: LIMITS.CHANNEL_BYTES_PER_S,
  });
  private over = false;
  private everOpen = false;
  private downSinceMs: number;
  private heardAtMs = Number.NEGATIVE_INFINITY;
  private pingAtMs = 0;
  private statsAtMs = 0;
  private measuredAtMs = 0;
  private restartAtMs = Number.NEGATIVE_INFINITY;
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private stats: LinkStats = NO_STATS;
  /** Of the way from the node, as it says: nothing in its frames tells. */
  private nodeLoss: number | null = null;
  private nodeKbps: number | null = null;
  private kbps: { sent: number; received: number } | null = null;
  private cancel: () => void = () => {};

  constructor(
    readonly setup: LinkSetup,
    private readonly ports: RtcPorts,
    private readonly events: LinkEvents,
  ) {
    this.madeAtMs = this.downSinceMs = ports.now();
    this.connection = ports.connection(setup.configuration);
    this.negotiator = new Negotiator(ports, this.connection, setup.polite, setup.answers, {
      offer: (sdp) => events.signal({ type: "peer.offer", sdp: refined(sdp) }),
      answer: (sdp) => events.signal({ type: "peer.answer", sdp: refined(sdp) }),
      candidates: (candidates) => events.signal({ type: "peer.candidate", candidates }),
      answering: () => this.audio.answering(),
      failed: (why) => this.end(why),
    });
    this.connection.oniceconnectionstatechange = () => this.moved();
    const made = (label: string, options: RTCDataChannelInit): ChannelLike =>
      this.connection.createDataChannel(label, { ...options, negotiated: true });
    this.presence = made("presence", { id: LIMITS.PRESENCE_CHANNEL, ordered: false, maxRetransmits: 0 });
    this.control = made("control", { id: LIMITS.CONTROL_CHANNEL, ordered: true });
    this.audio = new LinkAudio(this.connection, setup.node);
    this.presence.onmessage = ({ data }) => this.heard(data, () => events.presence(this, data));
    this.control.onmessage = ({ data }) => this.heard(data, () => this.controlled(data));
    for (const channel of [this.presence, this.control]) {
      channel.onopen = () => this.look();
      channel.onclose = () => this.look();
    }
    this.watch();
  }

  get peerId(): string {
    return this.setup.peerId;
  }

  get view(): LinkView {
    const { open, pings, checks, stats, gaps, kbps } = this;
    return {
      peerId: this.peerId,
      path: this.path,
      open,
      rttMs: stats.rttMs ?? pings.rttMs,
      jitterMs: stats.rttMs === null ? pings.jitterMs : checks.jitterMs,
      lossShare: this.setup.node ? this.nodeLoss : gaps.lossShare,
      availableKbps: stats.availableKbps,
      incomingKbps: this.nodeKbps,
      protocol: stats.protocol,
      sentKbps: kbps?.sent ?? null,
      receivedKbps: kbps?.received ?? null,
    };
  }

  get path(): LinkPath {
    if (!this.open) return "none";
    if (this.setup.node) return "node";
    return this.stats.path === "none" ? "direct" : this.stats.path;
  }

  /** A signal for this link, of the peer it leads to. */
  receive(signal: Signal): void {
    if (signal.type === "peer.offer") this.negotiator.offered(signal.sdp);
    else if (signal.type === "peer.answer") this.negotiator.accepted(signal.sdp);
    else if (signal.type === "peer.candidate") this.negotiator.candidates(signal.candidates);
    else if (signal.type === "peer.restart") this.restart();
    else this.end(signal.reason ?? "bye");
  }

  /** New ICE credentials, by a new offer: the network changed. */
  restart(): void {
    if (this.over || this.ports.now() - this.restartAtMs < 1000) return;
    this.restartAtMs = this.ports.now();
    this.negotiator.restart();
  }

  reconfigure(configuration: RTCConfiguration): void {
    if (!this.over) this.connection.setConfiguration(configuration);
  }

  /** How much waits to be sent on a channel, in bytes. */
  waiting(channel: "presence" | "control"): number {
    return this[channel].bufferedAmount;
  }

  /** False where it certainly did not go out. */
  send(channel: "presence" | "control", text: string): boolean {
    if (this.over || this[channel].readyState !== "open") return false;
    try {
      this[channel].send(text);
      return true;
    } catch {
      return false; // its buffer is full, or it has just closed
    }
  }

  /** Ends it from here; the other side is told where there is a reason. */
  close(reason: string | null): void {
    if (this.over) return;
    if (reason) this.events.signal({ type: "peer.bye", reason });
    this.release();
  }

  private heard(data: unknown, act: () => void): void {
    if (this.over || !this.mayCome(data)) return;
    this.heardAtMs = this.ports.now();
    if (!this.open) this.look();
    act();
  }

  /** Another page may bring as much as a node would take of it; the rest is not read. */
  private mayCome(data: unknown): boolean {
    if (this.setup.node || this.allowance.take(sizeOf(data), this.ports.now())) return true;
    if (this.allowance.refused > SKIPPED_MAX) {
      this.events.signal({ type: "peer.bye", reason: "refused" });
      this.end(FLOOD);
    }
    return false;
  }

  private controlled(data: unknown): void {
    const message = parse(data, LIMITS.CHANNEL_MESSAGE_BYTES);
    const now = this.ports.now();
    if (message?.type === "ping") {
      const { id, at_ms } = message;
      if (typeof id !== "string" || id.length > PING_ID_CHARS || !isCount(at_ms)) return;
      this.send("control", JSON.stringify({ type: "pong", id, at_ms, server_time_ms: Math.round(now) }));
    } else if (message?.type === "pong") {
      if (typeof message.id === "string") this.pings.answered(message.id, now);
      if (this.setup.node) this.told(message.loss, message.available_kbps);
    } else this.events.control(this, data);
  }

  private told(loss: unknown, availableKbps: unknown): void {
    if (typeof loss === "number" && loss >= 0 && loss <= 1) this.nodeLoss = loss;
    this.nodeKbps = typeof availableKbps === "number" && availableKbps >= 0 ? availableKbps : null;
  }

  private moved(): void {
    const state = this.connection.iceConnectionState;
    if (this.over) return;
    if (state === "failed" || state === "disconnected") this.mend();
    this.look();
  }

  /** Only one side offers anew at first, so that both do not do the same; where it does not, the other does. */
  private mend(): void {
    const now = this.ports.now();
    if (now - Math.max(this.restartAtMs, this.askedAtMs) < MEND_EVERY_MS) return;
    if (!this.setup.polite || (!this.open && now - this.downSinceMs > MEND_ALONE_MS)) this.restart();
    else {
      this.askedAtMs = now;
      this.events.signal({ type: "peer.restart" });
    }
  }

  private watch(): void {
    if (this.over) return;
    this.cancel = this.ports.after(LOOK_MS, () => this.watch());
    this.look();
    const now = this.ports.now();
    const channelsOpen = this.presence.readyState === "open" && this.control.readyState === "open";
    if (channelsOpen && now >= this.pingAtMs) {
      this.pingAtMs = now + this.setup.patience.pingMs;
      this.send(
        "control",
        JSON.stringify({ type: "ping", id: this.pings.sent(now), at_ms: Math.round(now) }),
      );
    }
    if (channelsOpen && now >= this.statsAtMs) {
      this.statsAtMs = now + STATS_EVERY_MS;
      void this.measure();
    }
    if (this.open || this.over) return;
    const down = now - this.downSinceMs;
    const { mendMs, connectMs } = this.setup.patience;
    if (down > (this.everOpen ? mendMs : connectMs)) this.end("unreachable");
    else if (this.everOpen && down > 1000) this.mend();
  }

  /** Whether it carries, now. */
  private look(): void {
    if (this.over) return;
    const now = this.ports.now();
    const [presence, control] = [this.presence.readyState, this.control.readyState];
    const open = presence === "open" && control === "open";
    if (open && !this.everOpen) {
      this.heardAtMs = now;
      this.everOpen = true;
    }
    const carries = open && now - this.heardAtMs < this.setup.patience.silentMs;
    if (carries !== this.open) {
      this.open = carries;
      this.downSinceMs = now;
      this.events.changed(this);
    }
    if (presence === "closed" || control === "closed") this.end("closed");
  }

  private async measure(): Promise<void> {
    try {
      const report = await this.connection.stats();
      const stats = linkStats(report, this.setup.node);
      if (this.over) return;
      this.report = report;
      const [before, last, now] = [this.path, this.stats, this.ports.now()];
      const kbps = (was: number, is: number): number => ratePerS(was, is, now - this.measuredAtMs) / 125;
      this.kbps = {
        sent: kbps(last.bytesSent, stats.bytesSent),
        received: kbps(last.bytesReceived, stats.bytesReceived),
      };
      this.measuredAtMs = now;
      if (stats.rttMs !== null && stats.checks !== last.checks) this.checks.add(stats.rttMs);
      this.stats = stats;
      if (this.path !== before) this.events.changed(this);
    } catch {
      // It has just closed.
    }
  }

  private end(why: string): void {
    if (this.over) return;
    this.release();
    this.events.ended(this, why);
  }

  private release(): void {
    this.over = true;
    this.open = false;
    this.cancel();
    this.negotiator.close();
    this.connection.oniceconnectionstatechange = null;
    for (const channel of [this.presence, this.control]) {
      channel.onopen = channel.onclose = channel.onmessage = null;
    }
    this.connection.close();
  }
}

/** About, for text: it is counted before it is read. */
function sizeOf(data: unknown): number {
  if (typeof data === "string") return data.length;
  return data instanceof ArrayBuffer ? data.byteLength : 0;
}
