/** Figures of a connection as short words, and as lines of a card. */

import { BARS_TEXT, type Bars, type Measured, median } from "../peers/quality";
import type { Row, Standing } from "../peers/watch";
import { CARRIER_TEXT, isLink, WAY_TEXT } from "../peers/ways";
import type { CarrierKind } from "../wire/generated";
import { barsText } from "./bars";
import { type Child, h } from "./dom";

const DASH = "–";

export function msText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return DASH;
  return ms < 10 ? `${ms.toFixed(1)}\u00a0ms` : `${Math.round(ms)}\u00a0ms`;
}

export function shareText(share: number | null | undefined): string {
  if (share === null || share === undefined) return DASH;
  const percent = share * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)}\u00a0%`;
}

export function kbpsText(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined) return DASH;
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}

/** How a connection goes: "Direct · UDP". */
export function wayText(row: Pick<Row, "way" | "protocol">): string {
  return row.protocol ? `${WAY_TEXT[row.way]} · ${row.protocol}` : WAY_TEXT[row.way];
}

/** What a card tells. */
interface Card extends Measured {
  readonly carrier: CarrierKind | null;
  readonly path: string;
  readonly bars: Bars | null;
}

/** The lines of a card: what carries, which way, each figure, and what they are worth. */
export function cardLines(title: string, card: Card): Child[] {
  const { carrier, path, rttMs, jitterMs, lossShare, availableKbps, incomingKbps, bars } = card;
  const lines: [string, string][] = [
    ["Carrier", carrier ? CARRIER_TEXT[carrier] : "None"],
    ["Path", path],
    ["Round trip", msText(rttMs)],
    ["Jitter", msText(jitterMs)],
    ["Loss", shareText(lossShare)],
    ...bandwidth("Bandwidth", availableKbps),
    ...bandwidth("Bandwidth to you", incomingKbps),
    ["Quality", bars === null ? barsText(null) : `${BARS_TEXT[bars]} · ${bars} of 4`],
  ];
  return [
    h("strong", {}, title),
    h("dl", {}, ...lines.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  ];
}

function bandwidth(name: string, kbps: number | null): [string, string][] {
  return kbps === null ? [] : [[name, kbpsText(kbps)]];
}

/** How one other page is reached. */
export function rowLines(title: string, carrier: CarrierKind | null, row: Row): Child[] {
  const carried = row.way === "websocket" || row.way === "rest" ? row.way : carrier;
  return cardLines(title, { ...row, carrier: row.way === "none" ? null : carried, path: wayText(row) });
}

/** This page as a whole: the figures of its connections, in the middle. */
export function standingLines(
  title: string,
  { carrier, text, bars, rttMs, links, socket }: Standing,
): Child[] {
  const own = links.filter(({ way }) => isLink(way));
  const of = own.length > 0 ? own : [socket];
  return cardLines(title, {
    carrier,
    path: text,
    bars,
    rttMs,
    jitterMs: median(of.map((row) => row.jitterMs)),
    lossShare: median(of.map((row) => row.lossShare)),
    availableKbps: median(of.map((row) => row.availableKbps)),
    incomingKbps: median(of.map((row) => row.incomingKbps)),
  });
}
