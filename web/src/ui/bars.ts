/** Four bars that say how good a connection is, and a curve of its round trips. */

import { BARS_TEXT, type Bars } from "../peers/quality";
import { svg } from "./dom";

/** In words, for who does not see bars. */
export function barsText(bars: Bars | null): string {
  return bars === null ? "Not measured yet" : BARS_TEXT[bars];
}

export class BarsIcon {
  readonly element: SVGElement;
  private shown: Bars | null | undefined;

  constructor(bars: Bars | null = null) {
    const columns = [0, 1, 2, 3].map((n) =>
      svg("rect", { x: 1 + n * 5, y: 11 - n * 3.2, width: 3.4, height: 4 + n * 3.2, rx: 1.1 }),
    );
    const cross = svg("path", { d: "M2 2.500 7 7.500M7 2.500 2 7.500", class: "bars-cross" });
    this.element = svg(
      "svg",
      { viewBox: "0 0 21 16", width: 20, height: 15, "aria-hidden": "true", class: "bars" },
      ...columns,
      cross,
    );
    this.show(bars);
  }

  show(bars: Bars | null): void {
    if (bars === this.shown) return;
    this.shown = bars;
    this.element.setAttribute("data-bars", bars === null ? "unknown" : String(bars));
  }
}

/** A curve of the last minute: the newest at the right; the top is the greatest, or `least` where all are smaller. */
export function sparkline(values: readonly number[], width: number, height: number, least = 50): SVGElement {
  const top = Math.max(least, ...values) * 1.1;
  const step = width / 59;
  const at = (value: number, n: number): string => {
    const x = width - (values.length - 1 - n) * step;
    return `${x.toFixed(1)} ${(height - 1.5 - (value / top) * (height - 3)).toFixed(1)}`;
  };
  const line = values.length > 1 ? `M${values.map(at).join("L")}` : "";
  const left = (width - (values.length - 1) * step).toFixed(1);
  return svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      class: "sparkline",
      "aria-hidden": "true",
      preserveAspectRatio: "none",
    },
    svg("path", { class: "spark-area", d: line ? `${line}L${width} ${height}L${left} ${height}Z` : "" }),
    svg("path", { class: "spark-line", d: line }),
  );
}
