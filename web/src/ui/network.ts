/** The panel of connections: this page's, live; and the room's, as everybody reports theirs. */

import { type Bars, median } from "../peers/quality";
import type { Row, Standing } from "../peers/watch";
import { CARRIER_TEXT, isLink } from "../peers/ways";
import type { RoomContext } from "../room/context";
import type { VoiceView } from "../voice/types";
import { ApiError } from "../wire/client";
import type { PeerQuality, QualityTotals, RelayState, WebRtcStats } from "../wire/generated";
import { BarsIcon, barsText, sparkline } from "./bars";
import { busy, button, type Child, fill, h, svg } from "./dom";
import { kbpsText, msText, shareText, wayText } from "./figures";
import { ago, plural } from "./format";
import { voiceFigures } from "./voicefigures";

/** What the panel is told of the page. */
export interface Network {
  standing(): Standing | null;
  /** Frames a second that are drawn. */
  fps(): number | null;
}

const REREAD_MS = 15_000;

export class NetworkPanel {
  readonly element = h("div", { class: "panel-page network", testid: "network-panel" });
  private readonly own = h("section", { class: "own-links", attrs: { "aria-label": "Your connections" } });
  private readonly everybody = h("section", {
    class: "room-links",
    testid: "room-stats",
    attrs: { "aria-label": "The room's connections" },
  });
  /** How voices come in; null where voice is not there. */
  voice: VoiceView | null = null;
  private stats: WebRtcStats | null = null;
  private readAtMs = Number.NEGATIVE_INFINITY;
  private reading = false;

  constructor(
    private readonly room: RoomContext,
    private readonly network: Network,
  ) {
    fill(this.element, this.own, this.everybody);
  }

  /** Shown: everything anew. */
  async refresh(): Promise<void> {
    this.render();
    await this.read();
  }

  /** Live; the room's are read again from time to time. */
  tick(nowMs: number): void {
    this.render();
    if (nowMs - this.readAtMs >= REREAD_MS) void this.read();
  }

  // -- one's own --

  private render(): void {
    const standing = this.network.standing();
    if (!standing) return;
    const { carrier, text, bars, rttMs, links, pages, nodeOnly } = standing;
    const shown = links
      .filter((row) => isLink(row.way) || row.peerId === "websocket")
      .sort((a, b) => rank(a) - rank(b) || this.name(a).localeCompare(this.name(b)));
    fill(
      this.own,
      h(
        "div",
        { class: "own-head", testid: "own-connection" },
        new BarsIcon(bars).element,
        h(
          "div",
          {},
          h("strong", {}, text),
          h("span", {}, carrier === null ? "Nothing carries now" : barsText(bars)),
        ),
        h("b", { class: "own-rtt" }, msText(rttMs)),
      ),
      this.curve(standing),
      h("dl", { class: "tiles", testid: "own-figures" }, ...this.tiles(standing)),
      ...voiceFigures(this.voice, (userId) => this.personName(userId)),
      h("h3", {}, "Your connections"),
      pages.size === 0 && carrier !== null
        ? h(
            "p",
            { class: "note", testid: "network-alone" },
            "You are alone here. Others appear when they come in.",
          )
        : null,
      nodeOnly ? h("p", { class: "note", testid: "node-only" }, NODE_ONLY) : null,
      h("ul", { class: "links", testid: "links" }, ...shown.map((row) => this.link(row, standing))),
    );
  }

  private curve({ rtts, rttMs }: Standing): Child {
    const curve = sparkline(rtts, 310, 54);
    const most = rtts.length > 1 ? `up to ${msText(Math.max(...rtts))}` : "";
    const words =
      rttMs === null ? "Round trip: not measured yet" : `Round trip ${msText(rttMs)}, the last minute`;
    return h(
      "div",
      { class: "curve", testid: "rtt-curve", attrs: { role: "img", "aria-label": words } },
      h("span", {}, "Round trip, the last minute"),
      h("span", {}, most),
      curve,
    );
  }

  private tiles({ links, sendHz, receivedHz }: Standing): HTMLElement[] {
    const tile = (name: string, value: string): HTMLElement =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value));
    const perS = (value: number | null): string => (value === null ? "–" : `${Math.round(value)} / s`);
    return [
      tile("Sent", total(links.map(({ sentKbps }) => sentKbps))),
      tile("Received", total(links.map(({ receivedKbps }) => receivedKbps))),
      tile("Loss", shareText(median(links.map(({ lossShare }) => lossShare)))),
      tile("States told", sendHz > 0 ? `≤ ${perS(sendHz)}` : perS(0)),
      tile("States heard", perS(receivedHz)),
      tile("Frames drawn", perS(this.network.fps())),
    ];
  }

  private link(row: Row, standing: Standing): HTMLElement {
    const name = this.name(row);
    const attrs = { "data-peer": row.peerId, "data-way": row.way };
    return h(
      "li",
      { class: "link", testid: "link", attrs },
      h(
        "span",
        { class: "link-bars", attrs: { role: "img", "aria-label": barsText(row.bars) } },
        new BarsIcon(row.bars).element,
      ),
      h(
        "div",
        { class: "link-words" },
        h("strong", {}, name),
        h("span", {}, ...this.linkText(row, standing)),
      ),
      h("span", { class: "link-curve" }, sparkline(row.rtts, 56, 22)),
      h("b", {}, msText(row.rttMs)),
    );
  }

  private linkText(row: Row, { pages }: Standing): Child[] {
    const carried = [...pages.values()].filter(({ way }) => way === row.way);
    const names = [...new Set(carried.map(({ peerId }) => this.nameOf(peerId)))];
    const carries = names.length > 0 ? `Carries ${listed(names)}` : null;
    if (row.peerId === "websocket") {
      if (row.way === "none") return ["Not connected"];
      return [row.way === "rest" ? "Lost; REST helps out" : (carries ?? "Ready if all else fails")];
    }
    const figures = [
      ...(row.jitterMs === null ? [] : [`jitter ${msText(row.jitterMs)}`]),
      ...(row.lossShare === null ? [] : [`loss ${shareText(row.lossShare)}`]),
    ];
    const protocol = row.protocol ? ` · ${row.protocol}` : "";
    const way = row.way === "node" ? `Carries ${carried.length}${protocol}` : wayText(row);
    return [way, figures.length > 0 ? h("small", {}, figures.join(" · ")) : null];
  }

  private name(row: Row): string {
    if (row.peerId === "websocket") return "WebSocket";
    return this.nameOf(row.peerId);
  }

  private nameOf(peerId: string): string {
    if (peerId.endsWith(".relay")) return "Media node";
    return this.room.roster.members.get(peerId)?.peer.name ?? "Somebody";
  }

  private personName(userId: string): string {
    for (const { peer } of this.room.roster.members.values()) if (peer.user_id === userId) return peer.name;
    return "Somebody";
  }

  // -- the room's --

  private async read(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    this.readAtMs = Date.now();
    this.everybody.setAttribute("aria-busy", "true");
    if (!this.stats) fill(this.everybody, h("h3", {}, "The room"), ...skeleton());
    try {
      this.stats = await this.room.api.webRtcStats(this.room.sessionId);
      this.show(this.stats);
    } catch (thrown) {
      this.stats = null;
      this.failed(thrown);
    } finally {
      this.reading = false;
      this.everybody.removeAttribute("aria-busy");
    }
  }

  private failed(thrown: unknown): void {
    const detail =
      thrown instanceof ApiError ? [thrown.code, thrown.correlationId].filter(Boolean).join(" · ") : "";
    const again: HTMLButtonElement = button("Try again", () => void busy(again, () => this.read()), {
      testid: "stats-again",
    });
    fill(
      this.everybody,
      h("h3", {}, "The room"),
      h(
        "div",
        { class: "conflict", testid: "stats-error", attrs: { role: "alert" } },
        h("p", {}, "The room's figures could not be read."),
        detail ? h("p", { class: "hint" }, detail) : null,
        again,
      ),
    );
  }

  private show(stats: WebRtcStats): void {
    const own = this.room.me()?.peer_id;
    const others = stats.peers.filter(({ peer_id }) => peer_id !== own);
    fill(
      this.everybody,
      h("h3", {}, "The room"),
      h("p", { class: "relay-line", testid: "relay-line" }, ...relayWords(stats.relay)),
      others.length > 0
        ? h(
            "ul",
            { class: "links", testid: "room-peers" },
            ...others.map((peer) => this.peer(peer, stats.at_ms)),
          )
        : h("p", { class: "note", testid: "stats-empty" }, "Nobody else has reported yet."),
      ...hours(stats.hours),
    );
  }

  private peer(peer: PeerQuality, nowMs: number): HTMLElement {
    const bars = peer.score as Bars;
    return h(
      "li",
      { class: "link", testid: "room-peer" },
      h(
        "span",
        { class: "link-bars", attrs: { role: "img", "aria-label": barsText(bars) } },
        new BarsIcon(bars).element,
      ),
      h(
        "div",
        { class: "link-words" },
        h("strong", {}, this.nameOf(peer.peer_id)),
        h("span", {}, `${CARRIER_TEXT[peer.carrier]} · ${ago(peer.reported_at_ms, nowMs)}`),
      ),
      h("b", {}, msText(median(peer.links.map(({ rtt_ms }) => rtt_ms ?? null)))),
    );
  }
}

const NODE_ONLY =
  "Your address is hidden, and no TURN server is set up: pages cannot connect to yours. A media node carries instead, once there is one.";

function listed(names: readonly string[]): string {
  const [first = "", second] = names;
  if (second === undefined) return first;
  return names.length === 2 ? `${first} and ${second}` : `${first} and ${names.length - 1} more`;
}

function rank({ peerId, way }: Row): number {
  if (peerId === "websocket") return 3;
  return way === "node" ? 0 : way === "direct" || way === "turn" ? 1 : 2;
}

function total(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? kbpsText(known.reduce((sum, value) => sum + value, 0)) : "–";
}

function relayWords({ status, peer_id, generation }: RelayState): Child[] {
  if (status === "starting") return ["A media node is starting. Until then, everything goes on as it is."];
  if (status === "none" || !peer_id) return ["No media node: pages connect to each other."];
  return ["Media node ", h("code", {}, peer_id.replace(/\.relay$/, "")), ` · generation ${generation ?? 0}`];
}

/** The last hours as columns: as high as the mean of bars. */
function hours(totals: readonly QualityTotals[]): Child[] {
  const known = totals.filter(({ score_mean }) => score_mean !== null);
  if (known.length === 0) return [];
  const sorted = [...known].sort((a, b) => a.hour_ms - b.hour_ms);
  const latest = sorted.at(-1)?.hour_ms ?? 0;
  const columns = sorted.map(({ hour_ms, score_mean }) => {
    const n = 23 - Math.round((latest - hour_ms) / 3_600_000);
    const height = Math.max(3, ((score_mean ?? 0) / 4) * 44);
    return svg("rect", {
      x: n * 13 + 1,
      y: 46 - height,
      width: 10,
      height,
      rx: 2.5,
      "data-bars": Math.round(score_mean ?? 0),
    });
  });
  const { rtt_mean_ms: rtt, loss_mean: loss, reports } = sorted.at(-1) ?? { reports: 0 };
  const figures = [
    ...(rtt ? [`${msText(rtt)} round trip`] : []),
    ...(typeof loss === "number" ? [`${shareText(loss)} loss`] : []),
    plural(reports, "report"),
  ];
  const words = `Last hour: ${figures.join(", ")}`;
  return [
    h("h3", {}, "The last 24 hours"),
    h(
      "div",
      { class: "hours", testid: "hours", attrs: { role: "img", "aria-label": words } },
      svg("svg", { viewBox: "0 0 312 47", width: "100%", height: 47, "aria-hidden": "true" }, ...columns),
    ),
    h("p", { class: "hint" }, words),
  ];
}

function skeleton(): HTMLElement[] {
  return [1, 2].map(() => h("div", { class: "skeleton", attrs: { "aria-hidden": "true" } }));
}
