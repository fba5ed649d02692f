/**
 * The connection to the room's media node: made, watched closely, made again when the room has another node.
 *
 * It carries once both channels are open and the whole roster came. A node that is silent for a moment is lost: the
 * WebSocket carries at once, the functions are asked who relays the room now, and that node is connected to, be it the same.
 */

import { inflateSync } from "fflate";
import { backoffMs } from "../presence/backoff";
import type { ClientMessage, PeerState, RelayState, ServerMessage, Signal } from "../wire/generated";
import { LIMITS } from "../wire/generated";
import { parse } from "./decode";
import { frameOf } from "./frames";
import { Link, type Patience } from "./link";
import { type Known, Listing } from "./listing";
import { newLinkId } from "./mesh";
import type { RtcPorts } from "./ports";

const PATIENCE: Patience = { pingMs: 500, silentMs: 2500, connectMs: 8000, mendMs: 0 };
const MESSAGE_CHARS = 4 * 1024 * 1024;
/** Nobody comes to a new node in the same moment as all others. */
const SPREAD_MS = 150;

export interface RelayPorts extends RtcPorts {
  configuration(): RTCConfiguration | null;
  send(signal: ClientMessage): boolean;
  /** What the server's clock says now. */
  serverNow(): number;
  known: Known;
}

export interface RelayEvents {
  /** It carries now, or does not any more. */
  changed(): void;
  states(states: readonly PeerState[]): void;
  message(message: ServerMessage): void;
}

export class Relay {
  link: Link | null = null;
  state: RelayState = { status: "none" };
  /** This page lost the node that the room has. */
  lost = false;
  openSinceMs: number | null = null;
  downSinceMs: number;
  private listing = new Listing();
  private wanted = false;
  private attempts = 0;
  private tryAtMs = 0;
  /** How long frames are wanted to be at most, and what the node knows of it. */
  private frameBytes: number = LIMITS.RELAY_FRAME_BYTES;
  private toldBytes: number = LIMITS.RELAY_FRAME_BYTES;

  constructor(
    private readonly ports: RelayPorts,
    private readonly events: RelayEvents,
  ) {
    this.downSinceMs = ports.now();
  }

  /** It carries. */
  get open(): boolean {
    return this.openSinceMs !== null;
  }

  /** Who relays the room, as the functions say. */
  learn(state: RelayState): void {
    const another =
      (state.generation ?? 0) !== (this.state.generation ?? 0) || state.peer_id !== this.state.peer_id;
    this.state = state;
    if (!another && state.status === "ready") return;
    this.lost = false;
    this.attempts = 0;
    this.tryAtMs = this.ports.now() + SPREAD_MS * this.ports.random();
    this.letGo("replaced");
  }

  /** Connects where that is wanted and due; lets go where it is not. */
  tend(wanted: boolean): void {
    if (wanted !== this.wanted) this.downSinceMs = this.ports.now();
    this.wanted = wanted;
    if (!wanted || this.state.status !== "ready") this.letGo("left");
    else if (!this.link && this.ports.now() >= this.tryAtMs) this.connect(this.state.peer_id ?? "");
  }

  /** A signal of the node. */
  receive(signal: Signal): void {
    if (this.link && this.link.setup.link === signal.link) this.link.receive(signal);
  }

  undelivered(link: string): void {
    if (this.link?.setup.link === link) this.gone();
  }

  restart(): void {
    this.link?.restart();
    this.tryAtMs = Math.min(this.tryAtMs, this.ports.now());
  }

  /** On the control channel; false where it does not carry. */
  send(message: ClientMessage): boolean {
    const text = JSON.stringify(message);
    if (!this.open || new TextEncoder().encode(text).length > LIMITS.CHANNEL_MESSAGE_BYTES) return false;
    return this.link?.send("control", text) ?? false;
  }

  /** Frames are no longer than this from now on, by this node and the next. */
  prefer(frameBytes: number): void {
    this.frameBytes = frameBytes;
    if (frameBytes === this.toldBytes) return;
    if (this.send({ type: "relay.prefer", frame_bytes: frameBytes })) this.toldBytes = frameBytes;
  }

  stop(reason: string | null): void {
    this.wanted = false;
    this.letGo(reason);
  }

  private connect(peerId: string): void {
    const configuration = this.ports.configuration();
    if (!configuration || !peerId) return;
    const link = newLinkId(this.ports);
    const setup = {
      peerId,
      link,
      polite: false,
      answers: false,
      node: true,
      patience: PATIENCE,
      configuration,
    };
    this.listing = new Listing();
    this.toldBytes = LIMITS.RELAY_FRAME_BYTES;
    this.attempts += 1;
    try {
      this.link = new Link(setup, this.ports, {
        signal: (signal) => this.ports.send({ ...signal, id: `rtc.${link}`, to: peerId, link }),
        changed: (changed) => this.changed(changed),
        presence: (_, data) => this.frame(data),
        control: (_, data) => this.control(data),
        ended: (ended) => this.link === ended && this.gone(),
      });
    } catch {
      this.gone(); // the browser makes no more of them
    }
  }

  private changed(link: Link): void {
    if (link !== this.link) return;
    if (link.open) this.look();
    else if (this.open) this.gone();
  }

  /** Whom the node carries, while it carries. */
  get peers(): readonly string[] {
    return this.open ? this.listing.peers : [];
  }

  /** The channels are open and the roster is there. */
  private look(): void {
    if (this.open || !this.link?.open || !this.listing.full) return;
    this.openSinceMs = this.ports.now();
    this.attempts = 0;
    this.lost = false;
    this.prefer(this.frameBytes);
    this.events.changed();
  }

  private gone(): void {
    this.lost = true;
    this.tryAtMs = this.ports.now() + backoffMs(this.attempts, this.ports.random(), 700);
    this.letGo(null);
  }

  /** Ends the connection; where it is wanted, there will be another. */
  letGo(reason: string | null): void {
    const was = this.open;
    this.link?.close(reason);
    this.link = null;
    this.openSinceMs = null;
    if (was) this.downSinceMs = this.ports.now();
    if (was) this.events.changed();
  }

  private frame(data: unknown): void {
    const frame = data instanceof ArrayBuffer ? frameOf(data) : null;
    if (!frame) return;
    const { ports } = this;
    this.events.states(this.listing.statesOf(frame, ports.now(), ports.serverNow(), ports.known));
  }

  private control(data: unknown): void {
    const message = parse(data instanceof ArrayBuffer ? inflated(data) : data, MESSAGE_CHARS);
    if (message?.type === "relay.roster") {
      this.listing.apply(message as unknown as Parameters<Listing["apply"]>[0]);
      this.look();
    } else if (message) this.events.message(message as unknown as ServerMessage);
  }
}

function inflated(data: ArrayBuffer): string | null {
  try {
    return new TextDecoder().decode(inflateSync(new Uint8Array(data)));
  } catch {
    return null;
  }
}
