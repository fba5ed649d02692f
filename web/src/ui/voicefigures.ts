/** How voices come in, as figures of the connections' panel: in all, then by whom. */

import type { Hearing, VoiceView } from "../voice/types";
import { BarsIcon, barsText } from "./bars";
import { type Child, h } from "./dom";
import { kbpsText, msText, shareText } from "./figures";
import { mosBars } from "./voicescale";
import { VOICE_CARRIER } from "./voicewords";

/** A mean opinion score: "4.2". */
export function mosText(mos: number | null | undefined): string {
  return mos === null || mos === undefined ? "–" : mos.toFixed(1);
}

/** Nothing where this page is not in voice. */
export function voiceFigures(view: VoiceView | null, nameOf: (userId: string) => string): Child[] {
  if (view?.status.kind !== "joined") return [];
  const { figures, people, carrier } = view;
  const heard = people.filter(({ quality }) => quality !== null);
  const tile = (name: string, value: string): HTMLElement =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return [
    h("h3", {}, `Voice · ${VOICE_CARRIER[carrier]}`),
    h(
      "dl",
      { class: "tiles", testid: "voice-figures" },
      tile("Quality", `${mosText(figures?.mos)} of 4.5`),
      tile("Round trip", msText(figures?.rttMs)),
      tile("Jitter", msText(figures?.jitterMs)),
      tile("Loss", shareText(figures?.lossShare)),
      tile("Gaps filled", shareText(figures?.concealedShare)),
      tile("Loss of yours", shareText(figures?.sentLossShare)),
      tile("Sent in all", kbpsText(figures?.sentKbps)),
      tile("Encoder", kbpsText(figures?.targetKbps)),
      tile("Voices at once", figures ? String(figures.slots) : "–"),
    ),
    heard.length > 0
      ? h(
          "ul",
          { class: "links", testid: "voice-hearings" },
          ...heard.map(({ userId, quality }) => hearing(nameOf(userId), quality)),
        )
      : null,
  ];
}

/** The same as the lines of a card, beside the bar's channel. */
export function voiceLines({ carrier, figures, channels }: VoiceView): Child[] {
  const bars = carrier === "none" ? null : mosBars(figures?.mos);
  const lines: [string, string][] = [
    ["Carrier", VOICE_CARRIER[carrier]],
    ["Round trip", msText(figures?.rttMs)],
    ["Jitter", msText(figures?.jitterMs)],
    ["Loss", shareText(figures?.lossShare)],
    ["Gaps filled", shareText(figures?.concealedShare)],
    ["Quality", bars === null ? barsText(null) : `${barsText(bars)} · ${mosText(figures?.mos)} of 4.5`],
  ];
  const name = channels.find(({ current }) => current)?.channel.name ?? "Voice";
  return [
    h("strong", {}, `Voice · ${name}`),
    h("dl", {}, ...lines.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)])),
  ];
}

function hearing(name: string, quality: Hearing | null): HTMLElement {
  const bars = mosBars(quality?.mos);
  const figures = [
    `loss ${shareText(quality?.lossShare)}`,
    `jitter ${msText(quality?.jitterMs)}`,
    `gaps ${shareText(quality?.concealedShare)}`,
  ];
  return h(
    "li",
    { class: "link" },
    h(
      "span",
      { class: "link-bars", attrs: { role: "img", "aria-label": barsText(bars) } },
      new BarsIcon(bars).element,
    ),
    h("div", { class: "link-words" }, h("strong", {}, name), h("span", {}, figures.join(" · "))),
    h("b", {}, mosText(quality?.mos)),
  );
}
