/** How this page is connected, as the room shows and tells it: the badge, the panel, announcements, reports. */

import type { Demand, PeerPlane, PlaneEvent } from "../peers/types";
import { type Row, reportOf, type Sight, type Standing, Watch } from "../peers/watch";
import { type Ground, type Switched, switched } from "../peers/ways";
import type { Traffic } from "../presence/browser";
import type { Roster } from "../presence/roster";
import { Details } from "../ui/details";
import type { Network } from "../ui/network";
import type { Preferences } from "../ui/preferences";
import {
  type CarrierKind,
  LIMITS,
  type Peer,
  type QualityReport,
  type VoiceQuality,
} from "../wire/generated";

export interface ConnectionPorts {
  readonly roster: Roster;
  readonly tabId: string;
  me(): Peer | null;
  /** What carries where no peer connection does. */
  ground(): Ground;
  socketRttMs(): number | null;
  traffic: Traffic;
  fps(): number | null;
  /** How the page hears the others; null: nobody is heard. */
  voice(): VoiceQuality | null;
  report(report: QualityReport): Promise<void>;
  /** Something else carries now. */
  onSwitch(told: Switched): void;
}

/** What switches to and fro within this is not told. */
const SETTLED_MS = 1500;
const FIRST_REPORT_MS = 5000;

export class Connection implements Network {
  readonly details = new Details();
  private readonly watch = new Watch();
  private plane: PeerPlane | null = null;
  private stopListening: () => void = () => {};
  private now: Standing | null = null;
  private states = 0;
  private told: CarrierKind = "websocket";
  private heard: { carrier: CarrierKind; atMs: number } | null = null;
  private reportAtMs: number | null = null;
  private demanded: Demand = {};
  private asked = { hideAddress: false, websocketOnly: false };
  private wishes = { hideAddress: false, websocketOnly: false };

  constructor(private readonly ports: ConnectionPorts) {}

  /** The real-time plane is there. */
  use(plane: PeerPlane): void {
    this.plane = plane;
    this.stopListening = plane.onEvent((event) => this.event(event));
    this.ask();
  }

  /** What the person wants of it. */
  prefer({ hideAddress, realtime }: Preferences): void {
    this.wishes = { hideAddress, websocketOnly: realtime === "websocket" };
    this.ask();
  }

  standing(): Standing | null {
    return this.now;
  }

  fps(): number | null {
    return this.ports.fps();
  }

  /** How somebody is reached: the best of their pages. Null where they have none but this one. */
  of(userId: string): Row | null {
    let best: Row | null = null;
    for (const { peer } of this.ports.roster.members.values()) {
      if (peer.user_id !== userId) continue;
      const row = this.now?.pages.get(peer.peer_id);
      if (row && (best === null || (row.bars ?? 0) > (best.bars ?? 0))) best = row;
    }
    return best;
  }

  /** Looks again; about twice a second. */
  look(nowMs: number): Standing {
    const sight = this.sight();
    const standing = this.watch.look(sight, nowMs);
    this.now = standing;
    this.adapt(this.watch.demand(sight, standing, nowMs));
    this.settle(nowMs, sight);
    this.tell(standing, nowMs);
    this.details.refresh();
    return standing;
  }

  /** So many states came by the WebSocket. */
  heardStates(count: number): void {
    this.states += count;
  }

  dispose(): void {
    this.stopListening();
    this.plane = null;
  }

  private sight(): Sight {
    const own = this.ports.me()?.peer_id;
    const others = [...this.ports.roster.members.values()]
      .map(({ peer }) => peer.peer_id)
      .filter((peerId) => peerId !== own);
    const { sentBytes, receivedBytes } = this.ports.traffic;
    const socket = { rttMs: this.ports.socketRttMs(), sentBytes, receivedBytes, states: this.states };
    return { view: this.plane?.view() ?? null, others, ground: this.ports.ground(), socket };
  }

  /** Says what differs from what was asked last: the address of the page may ask for hiding too. */
  private ask(): void {
    const { hideAddress, websocketOnly } = this.wishes;
    if (!this.plane) return;
    if (hideAddress !== this.asked.hideAddress) this.plane.demand({ hideAddress });
    if (websocketOnly !== this.asked.websocketOnly) this.plane.demand({ websocketOnly });
    this.asked = this.wishes;
  }

  private adapt(demand: Demand): void {
    const { relay, sendHz, frameBytes } = this.demanded;
    if (demand.relay === relay && demand.sendHz === sendHz && demand.frameBytes === frameBytes) return;
    this.demanded = demand;
    this.plane?.demand(demand);
  }

  private event(event: PlaneEvent): void {
    if (event.kind === "carrier") this.heard = { carrier: event.to, atMs: Date.now() };
  }

  private settle(nowMs: number, { others, ground }: Sight): void {
    if (!this.heard || nowMs - this.heard.atMs < SETTLED_MS) return;
    const told = switched(this.told, this.heard.carrier, others.length, ground);
    this.told = this.heard.carrier;
    this.heard = null;
    // Who asked for the WebSocket knows.
    if (told && !this.wishes.websocketOnly) this.ports.onSwitch(told);
  }

  private tell(standing: Standing, nowMs: number): void {
    const report = reportOf(standing, this.ports.tabId, this.ports.voice());
    if (!report || standing.carrier === "rest") return;
    this.reportAtMs ??= nowMs + FIRST_REPORT_MS;
    if (nowMs < this.reportAtMs) return;
    this.reportAtMs = nowMs + LIMITS.QUALITY_REPORT_S * 1000;
    // A report that is lost is made good by the next one.
    this.ports.report(report).catch(() => {});
  }
}
