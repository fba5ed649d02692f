/**
 * Watches how this page is connected: each look turns what the plane and the sockets measure into bars, words and curves
 * for the eye, a demand for the plane, and a report for the room. Pure: time is an argument.
 */

import {
  type CarrierKind,
  LIMITS,
  type LinkPath,
  type QualityReport,
  type RelayState,
  type VoiceQuality,
} from "../wire/generated";
import { Chooser, effortOf } from "./adaptation";
import { ratePerS } from "./getstats";
import { type Bars, Gauge, Gauges, type Measured, median, overall } from "./quality";
import type { Demand, LinkView, PlaneView } from "./types";
import { carries, type Ground, isLink, type Way, waysText, wayTo } from "./ways";

/** What a look needs to know. */
export interface Sight {
  readonly view: PlaneView | null;
  /** The other pages in the room. */
  readonly others: readonly string[];
  readonly ground: Ground;
  readonly socket: SocketSight;
}

/** The WebSocket: its round trip, and what it carried since the page began. */
export interface SocketSight {
  readonly rttMs: number | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Others' states that it brought. */
  readonly states: number;
}

/** One connection as it is shown. */
export interface Row extends Measured {
  readonly peerId: string;
  readonly way: Way;
  /** 0: not connected; null: not measured yet. */
  readonly bars: Bars | null;
  readonly protocol: string | null;
  readonly sentKbps: number | null;
  readonly receivedKbps: number | null;
  /** Round trips of the last minute, a second apart; the newest last. */
  readonly rtts: readonly number[];
}

/** All of it at one moment. */
export interface Standing {
  readonly carrier: CarrierKind | null;
  readonly text: string;
  /** The same where there is little room. */
  readonly short: string;
  readonly bars: Bars | null;
  readonly rttMs: number | null;
  /** As of a row. */
  readonly rtts: readonly number[];
  /** By peer: how each other page is reached. */
  readonly pages: ReadonlyMap<string, Row>;
  /** The connections themselves: pages, the node, the WebSocket last. */
  readonly links: readonly Row[];
  readonly socket: Row;
  readonly relay: RelayState | null;
  /** The address is hidden and there is no TURN: only a media node can carry. */
  readonly nodeOnly: boolean;
  readonly sendHz: number;
  readonly receivedHz: number;
}

const SOCKET = "websocket";
/** The curve of all: the middle of them. */
const ALL = "all";
const FLOW_MS = 3000;
const CURVE_POINTS = 60;
const CURVE_EVERY_MS = 1000;
const UNKNOWN: Measured = {
  rttMs: null,
  jitterMs: null,
  lossShare: null,
  availableKbps: null,
  incomingKbps: null,
};

export class Watch {
  private readonly gauges = new Gauges();
  private readonly socketGauge = new Gauge();
  private readonly chooser = new Chooser();
  private readonly flow = new Flow();
  private readonly curves = new Map<string, number[]>();
  private curveAtMs = Number.NEGATIVE_INFINITY;

  /** Looks; how things stand. */
  look(sight: Sight, nowMs: number): Standing {
    const { view, others, ground } = sight;
    const open = (view?.links ?? []).filter(carries);
    this.gauges.add(open, nowMs);
    const socketNow = ground === "websocket" ? { ...UNKNOWN, rttMs: sight.socket.rttMs } : UNKNOWN;
    this.socketGauge.add(socketNow, nowMs);
    this.draw(open, socketNow.rttMs, nowMs);
    this.flow.look(sight.socket, nowMs);
    const socket = this.socketRow(ground);
    const links = (view?.links ?? []).map((link) => this.linkRow(link, ground));
    const node = links.find(({ way }) => way === "node");
    const pages = new Map<string, Row>();
    for (const peerId of others) {
      const way = wayTo(peerId, view, ground);
      const own = isLink(way) ? links.find((row) => row.peerId === peerId && isLink(row.way)) : undefined;
      const row = own ?? (way === "node" && node ? node : socket);
      pages.set(peerId, { ...row, peerId, way });
    }
    const used = [
      ...new Set([...pages.values()].map(({ way, peerId }) => (way === "node" ? "node" : peerId))),
    ]
      .map((key) => (key === "node" ? node : pages.get(key)))
      .filter((row): row is Row => row !== undefined);
    const shown = used.length > 0 ? used : [socket];
    const ways = [...pages.values()].map(({ way }) => way);
    return {
      carrier: ground === "none" ? null : ground === "rest" ? "rest" : (view?.carrier ?? "websocket"),
      text: waysText(ways, ground),
      short: new Set(ways).size > 1 ? "Mixed" : waysText(ways, ground),
      bars: ground === "none" && open.length === 0 ? 0 : overall(shown.map(({ bars }) => bars)),
      rttMs: median(shown.map(({ rttMs }) => rttMs)),
      rtts: this.curves.get(ALL) ?? [],
      pages,
      links: [...links, socket],
      socket,
      relay: view?.relay ?? null,
      nodeOnly: view?.nodeOnly ?? false,
      sendHz: open.length > 0 ? (view?.sendHz ?? 0) : ground === "websocket" ? LIMITS.PRESENCE_HZ : 0,
      receivedHz: (view?.receivedHz ?? 0) + this.flow.statesHz,
    };
  }

  /** What adaptation asks for, after a look. */
  demand(sight: Sight, standing: Standing, nowMs: number): Demand {
    const { view } = sight;
    if (!view) return {};
    const mesh = view.links.filter((link) => carries(link) && link.path !== "node");
    const known = mesh.map(({ peerId }) => this.gauges.of(peerId)?.bars ?? null);
    const uplinks = mesh.map(({ availableKbps }) => availableKbps).filter((kbps) => kbps !== null);
    const conditions = {
      pages: view.rtcPages,
      meshMax: view.meshMax,
      bars: known.filter((bars): bars is Bars => bars !== null),
      uplinkKbps: uplinks.length > 0 ? uplinks.reduce((total, kbps) => total + kbps, 0) : null,
      waitingBytes: view.waitingBytes ?? 0,
    };
    const wanted = this.chooser.look(conditions, nowMs);
    const open = standing.links.filter(({ way }) => isLink(way));
    const node = open.find(({ way }) => way === "node");
    return {
      relay: wanted === "relay",
      sendHz: effortOf(overall(open.map(({ bars }) => bars))).sendHz,
      frameBytes: effortOf(node?.bars ?? null).frameBytes,
    };
  }

  private linkRow(link: LinkView, ground: Ground): Row {
    const open = carries(link);
    const gauge = open ? this.gauges.of(link.peerId) : null;
    return {
      peerId: link.peerId,
      way: open && link.path !== "none" ? link.path : ground,
      bars: open ? (gauge?.bars ?? null) : 0,
      ...(gauge?.measured ?? UNKNOWN),
      protocol: open ? (link.protocol ?? null) : null,
      sentKbps: open ? (link.sentKbps ?? null) : null,
      receivedKbps: open ? (link.receivedKbps ?? null) : null,
      rtts: this.curves.get(link.peerId) ?? [],
    };
  }

  private socketRow(ground: Ground): Row {
    return {
      peerId: SOCKET,
      way: ground,
      bars: ground === "none" ? 0 : this.socketGauge.bars,
      ...(ground === "none" ? UNKNOWN : this.socketGauge.measured),
      protocol: null,
      sentKbps: ground === "websocket" ? this.flow.sentKbps : null,
      receivedKbps: ground === "websocket" ? this.flow.receivedKbps : null,
      rtts: this.curves.get(SOCKET) ?? [],
    };
  }

  private draw(open: readonly LinkView[], socketRttMs: number | null, nowMs: number): void {
    if (nowMs - this.curveAtMs < CURVE_EVERY_MS - 50) return;
    this.curveAtMs = nowMs;
    const now = new Map<string, number | null>(open.map(({ peerId, rttMs }) => [peerId, rttMs]));
    now.set(ALL, median(open.length > 0 ? open.map(({ rttMs }) => rttMs) : [socketRttMs]));
    now.set(SOCKET, socketRttMs);
    for (const peerId of this.curves.keys()) if (!now.has(peerId)) this.curves.delete(peerId);
    for (const [peerId, rttMs] of now) {
      if (rttMs === null) continue;
      this.curves.set(peerId, [...(this.curves.get(peerId) ?? []), rttMs].slice(-CURVE_POINTS));
    }
  }
}

/** What the WebSocket carries, over the last seconds. */
class Flow {
  private kept: (SocketSight & { readonly atMs: number })[] = [];

  look(socket: SocketSight, atMs: number): void {
    this.kept = [...this.kept.filter((one) => one.atMs > atMs - FLOW_MS), { ...socket, atMs }];
  }

  get sentKbps(): number {
    return this.perS(({ sentBytes }) => sentBytes) / 125;
  }

  get receivedKbps(): number {
    return this.perS(({ receivedBytes }) => receivedBytes) / 125;
  }

  get statesHz(): number {
    return this.perS(({ states }) => states);
  }

  private perS(of: (socket: SocketSight) => number): number {
    const [first, last] = [this.kept[0], this.kept.at(-1)];
    return first && last ? ratePerS(of(first), of(last), last.atMs - first.atMs) : 0;
  }
}

/**
 * What the room is told of this page's connections; null while nothing carries. Whom the node carries is in its link: one
 * of their own is not missing.
 */
export function reportOf(
  standing: Standing,
  tabId: string,
  voice: VoiceQuality | null = null,
): QualityReport | null {
  const { carrier, bars, links, pages } = standing;
  if (carrier === null) return null;
  const own = links
    .filter(({ peerId }) => peerId !== SOCKET && pages.get(peerId)?.way !== "node")
    .slice(0, LIMITS.LINKS_REPORTED);
  return {
    tab_id: tabId,
    carrier,
    score: bars ?? 0,
    ...(voice ? { voice } : {}),
    links: own.map(({ peerId, way, bars: score, rttMs, jitterMs, lossShare, availableKbps }) => ({
      peer_id: peerId,
      path: pathOf(way),
      score: score ?? 0,
      ...(rttMs === null ? {} : { rtt_ms: bounded(rttMs, 60_000) }),
      ...(jitterMs === null ? {} : { jitter_ms: bounded(jitterMs, 60_000) }),
      ...(lossShare === null ? {} : { loss: bounded(lossShare, 1) }),
      ...(availableKbps === null ? {} : { available_kbps: bounded(availableKbps, 10_000_000) }),
    })),
  };
}

function pathOf(way: Way): LinkPath {
  return way === "direct" || way === "turn" || way === "node" ? way : "none";
}

function bounded(value: number, most: number): number {
  return Math.round(Math.min(most, Math.max(0, value)) * 1000) / 1000;
}
