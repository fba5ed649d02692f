/**
 * A town of pages with fake peer connections: signals that are late, lost and out of order, paths that break.
 */

import { type Other, Plane } from "../src/peers/plane";
import type { RtcPorts } from "../src/peers/ports";
import { Stamps } from "../src/presence/stamps";
import type {
  ClientMessage,
  Peer,
  PeerState,
  PresenceState,
  RelayState,
  ServerMessage,
} from "../src/wire/generated";
import { Air, FakeConnection } from "./fakeconnection";
import { FakeWorld, peer, roomState } from "./world";

/** Mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A page: its plane, and what it was told. */
export class Page {
  readonly plane: Plane;
  readonly stamps: Stamps;
  readonly heard: PeerState[] = [];
  readonly sent: ClientMessage[] = [];
  readonly messages: ServerMessage[] = [];
  readonly relayed: boolean[] = [];
  paceMs = 0;
  /** Of the relay's control channel. */
  onMessage: (message: ServerMessage) => void = () => {};
  /** Of each peer. */
  newest = new Map<string, PeerState>();

  constructor(
    readonly town: Town,
    readonly peer: Peer,
    epoch: number,
  ) {
    const { world, air } = town;
    this.stamps = new Stamps(epoch);
    const ice_servers = town.turn ? [{ urls: ["turn:t.example"], username: "u", credential: "c" }] : [];
    const ice = { ice_servers, ttl_s: 3600, expires_at_ms: world.at + 3_600_000 };
    const session = { session_id: "s", topology: "mesh", mesh_max: town.meshMax, peers: [], ice } as const;
    const rtc: RtcPorts = {
      now: () => world.now(),
      random: town.random,
      after: (ms, call) => world.after(ms, call),
      connection: (configuration) => new FakeConnection(air, peer.peer_id, configuration),
    };
    const plane = new Plane(
      rtc,
      {
        routes: {
          iceServers: async () => ice,
          open: async () => ({ ...session, relay: town.relay }),
          join: async () => ({ ...session, relay: town.relay }),
          leave: async () => {},
        },
        stamps: this.stamps,
        send: (message) => {
          this.sent.push(message);
          town.route(this, message);
          return true;
        },
        pace: (ms) => {
          this.paceMs = ms;
        },
        others: () => this.others(),
        other: (peerId) => [...this.others()].find(({ peer: { peer_id } }) => peer_id === peerId) ?? null,
        onStates: (states) => {
          for (const state of states) this.take(state);
        },
        onMessage: (message) => {
          this.messages.push(message);
          this.onMessage(message);
        },
        onRelay: (open) => this.relayed.push(open),
      },
      false,
    );
    this.plane = plane;
  }

  get id(): string {
    return this.peer.peer_id;
  }

  enter(): void {
    this.plane.entered({
      ...roomState(),
      you: this.peer,
      server_time_ms: this.town.world.at,
      relay: this.town.relay,
      mesh_max: this.town.meshMax,
    });
  }

  be(state: PresenceState): void {
    this.stamps.offer(state);
  }

  open(): string[] {
    const { links } = this.plane.view();
    return links.filter(({ open }) => open).map(({ peerId }) => peerId);
  }

  private take(state: PeerState): void {
    this.heard.push(state);
    const known = this.newest.get(state.peer_id);
    if (
      !known ||
      state.epoch > known.epoch ||
      (state.epoch === known.epoch && state.counter > known.counter)
    ) {
      this.newest.set(state.peer_id, state);
    }
  }

  private *others(): Iterable<Other> {
    for (const page of this.town.pages.values()) {
      if (page !== this) yield { peer: page.peer, epoch: page.stamps.epoch, counter: 0 };
    }
    for (const peer of this.town.plain) yield { peer, epoch: 0, counter: 0 };
  }
}

/** Everybody, and the functions that route between them. */
export class Town {
  readonly world = new FakeWorld();
  readonly random: () => number;
  readonly air: Air;
  readonly pages = new Map<string, Page>();
  /** Peers without WebRTC. */
  readonly plain: Peer[] = [];
  meshMax = 6;
  /** There is a TURN server. */
  turn = false;
  relay: RelayState = { status: "none" };
  /** Of signals: share lost, share told twice, longest delay. */
  lost = 0;
  twice = 0;
  delayMs = 40;
  /** Signals to peers that are no page: a media node's. */
  elsewhere: (from: Page, message: ClientMessage) => void = () => {};

  constructor(seed = 1) {
    this.random = seeded(seed);
    this.air = new Air(this.world, this.random);
  }

  /** A page comes in; under an id that is there, it is that page loaded anew. */
  come(id: string): Page {
    const page = new Page(
      this,
      peer(id, { rtc: true, joined_at_ms: this.world.at }),
      Math.ceil(this.world.at),
    );
    this.pages.set(id, page);
    page.enter();
    return page;
  }

  leave(page: Page): void {
    page.plane.stop("left", true);
    this.pages.delete(page.id);
    for (const other of this.pages.values()) other.plane.peersChanged([page.peer]);
  }

  tellRelay(relay: RelayState): void {
    this.relay = relay;
    for (const page of this.pages.values()) page.plane.receive({ type: "relay.changed", relay });
  }

  route(from: Page, message: ClientMessage): void {
    if (!("to" in message)) {
      this.elsewhere(from, message);
      return;
    }
    const copies = this.random() < this.lost ? 0 : this.random() < this.twice ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.world.after(this.delayMs * (0.2 + this.random()), () => {
        const to = this.pages.get(message.to);
        if (to) to.plane.receive({ ...message, from: from.id } as ServerMessage);
        else this.elsewhere(from, message);
      });
    }
  }

  /** Every page is connected with every other. */
  whole(): boolean {
    return [...this.pages.values()].every((page) => page.open().length === this.pages.size - 1);
  }
}
