/** How loud somebody is by distance, as a small curve: what a channel's distance law means. */

import { gainAt } from "../voice/distance";
import type { Distance } from "../wire/generated";
import { fill, h, svg } from "./dom";

const WIDTH = 300;
const HEIGHT = 64;
const POINTS = 90;

/** The curve's line from the listener (left) to as far as is drawn. Pure. */
export function curvePath(distance: Required<Distance>, farM: number): string {
  const points: string[] = [];
  for (let n = 0; n <= POINTS; n++) {
    const metres = (farM * n) / POINTS;
    const y = HEIGHT - 4 - gainAt(distance, metres) * (HEIGHT - 10);
    points.push(`${((WIDTH * n) / POINTS).toFixed(1)} ${y.toFixed(1)}`);
  }
  return `M${points.join("L")}`;
}

/** Half as loud (-6 dB) from there on, in metres; null where it never is. */
export function halfAt(distance: Required<Distance>): number | null {
  const steps = 400;
  for (let n = 1; n <= steps; n++) {
    const metres = (distance.max_m * n) / steps;
    if (gainAt(distance, metres) <= 0.5) return metres;
  }
  return null;
}

/** The curve with its words. */
export class DistanceCurve {
  readonly element = h("div", { class: "distance-curve", testid: "distance-curve", attrs: { role: "img" } });

  show(distance: Required<Distance>): void {
    const far = Math.max(4, distance.max_m * 1.08);
    const line = curvePath(distance, far);
    const edge = ((distance.max_m / far) * WIDTH).toFixed(1);
    const half = halfAt(distance);
    const words =
      half !== null && half < distance.max_m
        ? `Half as loud at ${metresText(half)}, silent beyond ${metresText(distance.max_m)}`
        : `As loud everywhere, silent beyond ${metresText(distance.max_m)}`;
    this.element.setAttribute("aria-label", words);
    fill(
      this.element,
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", preserveAspectRatio: "none" },
        svg("path", { class: "spark-area", d: `${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` }),
        svg("path", { class: "spark-line", d: line }),
        svg("path", { class: "curve-edge", d: `M${edge} 4V${HEIGHT}` }),
      ),
      h("span", {}, words),
    );
  }
}

/** "3.5 m", "40 m". */
export function metresText(metres: number): string {
  return `${metres < 10 ? Math.round(metres * 10) / 10 : Math.round(metres)}\u00a0m`;
}
