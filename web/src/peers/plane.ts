/**
 * This page's real-time plane: joins the mesh, the relay and the table that chooses between them to the room.
 *
 * Laws: whose a state is, the connection says, never the message; what a channel does not certainly carry to everybody
 * goes by the WebSocket at its full pace; when one carrier follows another, both run for a moment.
 */

import { FULL_PACE_MS } from "../presence/outbox";
import type { Stamps } from "../presence/stamps";
import type {
  ClientMessage,
  LinkPath,
  Peer,
  PeerState,
  RelayState,
  RoomState,
  ServerMessage,
  Signal,
} from "../wire/generated";
import { LIMITS } from "../wire/generated";
import { Announcer } from "./announcer";
import { meshOf } from "./choice";
import { ServerClock } from "./clock";
import { Enrolment } from "./enrolment";
import { Ice } from "./ice";
import type { Link } from "./link";
import { Mesh } from "./mesh";
import type { PlaneRoutes, RtcPorts } from "./ports";
import { Reception } from "./reception";
import { Relay } from "./relay";
import { Steering } from "./steering";
import { Teller } from "./teller";
import type { Demand, LinkView, PeerPlane, PlaneEvent, PlaneView } from "./types";

const LOOK_MS = 500;
const SIGNALS_KEPT = 64;
/** About how long entering takes; the first pong knows better. */
const ENTER_MS = 500;

/** Somebody else in the room; `epoch` is 0 where nothing was heard of them yet. */
export interface Other {
  peer: Peer;
  epoch: number;
  counter: number;
}

export interface RoomPorts {
  routes: PlaneRoutes;
  stamps: Stamps;
  /** By the WebSocket; false where it certainly did not go out. */
  send(message: ClientMessage): boolean;
  /** How often the WebSocket tells the own state at most. */
  pace(intervalMs: number): void;
  others(): Iterable<Other>;
  other(peerId: string): Other | null;
  /** States came by channels. */
  onStates(states: readonly PeerState[]): void;
  /** A message came by the relay's control channel. */
  onMessage(message: ServerMessage): void;
  /** The relay carries documents now, or does not any more. */
  onRelay(open: boolean): void;
}

export class Plane implements PeerPlane {
  readonly mesh: Mesh;
  readonly relay: Relay;
  readonly clock = new ServerClock();
  readonly reception: Reception;
  private readonly ice: Ice;
  private readonly enrolment: Enrolment;
  private readonly teller: Teller;
  private readonly steering: Steering;
  private readonly announcer = new Announcer();
  private early: Signal[] = [];
  private me: Peer | null = null;
  private meshMax: number = LIMITS.MESH_MAX;
  private wanted = {
    relay: false,
    recorded: false,
    sendHz: LIMITS.MESH_HZ as number,
    websocketOnly: false,
  };
  private meshMode: "form" | "keep" | "none" = "form";
  private cancelLook: () => void = () => {};
  private cancelTell: () => void = () => {};
  private telling = false;
  private over = false;

  constructor(
    private readonly rtc: RtcPorts,
    private readonly room: RoomPorts,
    hideAddress: boolean,
  ) {
    this.teller = new Teller(room.stamps);
    this.steering = new Steering(rtc.random);
    const serverNow = () => this.clock.now(rtc.now());
    this.reception = new Reception(rtc.now, serverNow, (states) => room.onStates(states));
    this.ice = new Ice(rtc, room.routes.iceServers, hideAddress, () => {
      const { configuration, nodeConfiguration } = this.ice;
      if (configuration) this.mesh.reconfigure(configuration);
      if (nodeConfiguration) this.relay.link?.reconfigure(nodeConfiguration);
    });
    this.enrolment = new Enrolment(rtc, room.routes, ({ ice, relay, mesh_max }) => {
      this.ice.take(ice);
      this.meshMax = mesh_max;
      this.learn(relay);
      for (const signal of this.early.splice(0)) this.signalled(signal);
    });
    const ports = { ...rtc, send: (signal: ClientMessage) => room.send(signal) };
    this.mesh = new Mesh(
      { ...ports, configuration: () => this.ice.configuration },
      {
        changed: () => this.look(),
        presence: (link, data) => this.reception.heard(link, data),
        control: () => {},
      },
    );
    const known = (peerId: string) => room.other(peerId);
    this.relay = new Relay(
      { ...ports, configuration: () => this.ice.nodeConfiguration, serverNow, known },
      {
        changed: () => this.relayed(),
        states: (states) => this.reception.take(states),
        message: (message) => room.onMessage(message),
      },
    );
  }

  // -- what the room tells --

  /** At every `room.state`. */
  entered(room: RoomState): void {
    this.me = room.you;
    this.meshMax = room.mesh_max ?? LIMITS.MESH_MAX;
    this.over = false;
    this.clock.heard(room.server_time_ms, this.rtc.now() - ENTER_MS, this.rtc.now());
    if (!this.wanted.websocketOnly) this.enrolment.start();
    this.learn(room.relay ?? { status: "none" });
  }

  /** Whether a message was for the plane; then nobody else has to look at it. */
  receive(message: ServerMessage): boolean {
    switch (message.type) {
      case "relay.changed":
        this.learn(message.relay);
        return true;
      case "pong":
        this.clock.heard(message.server_time_ms, message.at_ms, this.rtc.now());
        return true;
      case "error":
        return this.refused(message.id ?? "", message.code);
      case "peer.offer":
      case "peer.answer":
      case "peer.candidate":
      case "peer.bye":
      case "peer.restart":
        this.signalled(message);
        return true;
      default:
        return false;
    }
  }

  /** Who is there is another. */
  peersChanged(left: readonly Peer[]): void {
    for (const { peer_id } of left) {
      this.mesh.drop(peer_id);
      this.reception.forget(peer_id);
    }
    this.look();
  }

  /** The network is another, or back. */
  networkChanged(): void {
    this.mesh.networkChanged();
    this.relay.restart();
    this.look();
  }

  /** On the relay's control channel; false where it does not carry. */
  send(message: ClientMessage): boolean {
    return this.relay.send(message);
  }

  /** The room is over for this page (`leave`), or the page goes away. */
  stop(reason: string | null, leave: boolean): void {
    this.over = true;
    this.cancelLook();
    this.cancelTell();
    this.telling = false;
    const enrolled = this.ice.configuration !== null;
    this.close(reason);
    if (leave && enrolled) this.room.routes.leave().catch(() => {}); // the row goes with the page anyhow
  }

  // -- what the page's other parts ask --

  view(): PlaneView {
    const links: LinkView[] = this.relay.link ? [this.relay.link.view] : [];
    for (const { peerId } of this.others()) links.push(this.mesh.viewOf(peerId));
    return {
      carrier: this.announcer.carrier,
      relay: this.relay.state,
      links,
      relayed: this.relay.peers,
      rtcPages: this.others().length + 1,
      meshMax: this.meshMax,
      nodeOnly: this.ice.nodeOnly,
      sendHz: this.wanted.sendHz,
      receivedHz: this.reception.perSecond(),
      waitingBytes: this.mesh.waitingBytes,
    };
  }

  /** Every connection that voice may go by. */
  *voiceLinks(): Iterable<Link> {
    if (this.relay.link) yield this.relay.link;
    yield* this.mesh.links();
  }

  get websocketOnly(): boolean {
    return this.wanted.websocketOnly;
  }

  demand({ hideAddress, frameBytes, ...wanted }: Demand): void {
    if (frameBytes !== undefined) this.relay.prefer(frameBytes);
    const before = this.wanted.websocketOnly;
    const sendHz = Math.min(LIMITS.MESH_HZ, Math.max(1, wanted.sendHz ?? this.wanted.sendHz));
    this.wanted = { ...this.wanted, ...wanted, sendHz };
    if (hideAddress !== undefined && hideAddress !== this.ice.hideAddress) {
      this.ice.hideAddress = hideAddress;
      this.mesh.closeAll("replaced");
    }
    if (this.wanted.websocketOnly && !before) {
      this.close("left");
      if (this.me) this.room.routes.leave().catch(() => {}); // nobody can reach us anyhow
    } else if (before && !this.wanted.websocketOnly && this.me) this.enrolment.start();
    this.look();
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    return this.announcer.listen(listener);
  }

  private close(reason: string | null): void {
    this.enrolment.stop();
    this.mesh.closeAll(reason);
    this.relay.stop(reason);
    this.ice.stop();
    this.early = [];
  }

  // -- signals --

  private signalled(signal: Signal): void {
    const from = signal.from ?? "";
    if (this.over || this.wanted.websocketOnly || !this.me || !from) return;
    if (!this.ice.configuration) this.early = [...this.early, signal].slice(-SIGNALS_KEPT);
    else if (from === this.relay.link?.peerId) this.relay.receive(signal);
    else if (signal.type === "peer.offer" && this.meshMode === "none") {
      const { link } = signal;
      this.room.send({ type: "peer.bye", id: `rtc.${link}`, to: from, link, reason: "refused" });
    } else this.mesh.receive(signal, from);
  }

  /** An error that answers one of our signals. */
  private refused(id: string, code: string): boolean {
    if (!id.startsWith("rtc.")) return false;
    if (code !== "rate.limited" && code !== "upstream.unavailable") {
      this.mesh.undelivered(id.slice(4));
      this.relay.undelivered(id.slice(4));
    }
    return true;
  }

  private learn(relay: RelayState): void {
    if ((relay.generation ?? 0) >= (this.relay.state.generation ?? 0)) this.relay.learn(relay);
    this.look();
  }

  private relayed(): void {
    this.room.onRelay(this.relay.open);
    this.look();
  }

  // -- deciding --

  /** Other pages that can be connected to. */
  private others(): { peerId: string; joinedAtMs: number; epoch: number }[] {
    const others = [];
    for (const { peer, epoch } of this.room.others()) {
      const { peer_id: peerId, joined_at_ms: joinedAtMs } = peer;
      if (peer.rtc && peerId !== this.me?.peer_id) others.push({ peerId, joinedAtMs, epoch });
    }
    return others;
  }

  /** Does what is due; the timer comes back. */
  private look(): void {
    if (this.over || !this.me) return;
    this.cancelLook();
    const now = this.rtc.now();
    if (this.ice.configuration && !this.wanted.websocketOnly) this.decide(this.me, now);
    const slow = this.steering.slow(this.covered(), now);
    this.room.pace(slow ? LIMITS.COVERED_UPDATE_S * 1000 : FULL_PACE_MS);
    this.announce();
    const next = Math.min(LOOK_MS, Math.max(20, (this.steering.askAtMs ?? now + LOOK_MS) - now));
    this.cancelLook();
    this.cancelLook = this.rtc.after(next, () => this.look());
    if (!this.telling) this.tell();
  }

  private decide(me: Peer, now: number): void {
    const others = this.others();
    const { relay, mesh } = this;
    const choice = this.steering.decide(
      {
        pages: others.length + 1,
        meshMax: this.meshMax,
        relay: relay.state,
        relayOpenSinceMs: relay.openSinceMs,
        relayDownSinceMs: relay.downSinceMs,
        relayLost: relay.lost,
        demanded: this.wanted.relay || this.ice.nodeOnly,
        recorded: this.wanted.recorded,
        meshComplete: others.every(({ peerId }) => mesh.isOpen(peerId)),
      },
      now,
    );
    this.meshMode = choice.mesh;
    const mine = { peerId: me.peer_id, joinedAtMs: me.joined_at_ms };
    const chosen = choice.mesh === "none" ? new Set() : meshOf([mine, ...others], this.meshMax);
    const inMesh = chosen.has(me.peer_id) ? others.filter(({ peerId }) => chosen.has(peerId)) : [];
    mesh.want(
      me.peer_id,
      new Map(inMesh.map(({ peerId, epoch }) => [peerId, epoch])),
      choice.mesh === "form",
    );
    relay.tend(choice.relay);
    const generation = relay.state.generation ?? 0;
    if (this.steering.asksNow(choice.ask, generation, now) && choice.ask) {
      this.room.send({ type: "relay.request", id: "rtc.relay", reason: choice.ask, generation });
    }
  }

  /** Whether everybody gets the own state by a channel. Alone, the row is what newcomers see: it is kept fresh. */
  private covered(): boolean {
    let somebody = false;
    for (const { peer } of this.room.others()) {
      if (peer.peer_id === this.me?.peer_id) continue;
      somebody = true;
      if (!this.relay.open && !this.mesh.isOpen(peer.peer_id)) return false;
    }
    return somebody;
  }

  private announce(): void {
    const { relay, mesh } = this;
    const carrier = relay.open ? "relay" : mesh.anyOpen ? "mesh" : "websocket";
    const paths = new Map<string, LinkPath>([...mesh.links()].map(({ peerId, path }) => [peerId, path]));
    if (relay.link) paths.set(relay.link.peerId, relay.link.path);
    this.announcer.see(carrier, relay.state, paths);
  }

  /** Again and again while a channel is open. */
  private tell(): void {
    this.telling = !this.over && this.announcer.carrier !== "websocket";
    if (!this.telling) return;
    this.cancelTell = this.rtc.after(1000 / this.wanted.sendHz, () => this.tell());
    const links = [...this.mesh.links()];
    if (this.relay.open && this.relay.link) links.push(this.relay.link);
    this.teller.tell(links, this.rtc.now());
  }
}
