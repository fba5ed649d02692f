/** The dawn behind the lobby: sky, sun, hills and the plaza's arches, as one quiet picture without any 3D. */

import { h, svg } from "./dom";

function gradient(id: string, stops: [number, string][], vertical = true): SVGElement {
  const element = svg("linearGradient", { id, x1: 0, y1: 0, x2: vertical ? 0 : 1, y2: vertical ? 1 : 0 });
  element.append(...stops.map(([at, color]) => svg("stop", { offset: at, "stop-color": color })));
  return element;
}

function ridge(base: number, rise: number, seed: number, fill: string): SVGElement {
  let path = `M-20 900 L-20 ${base}`;
  for (let x = 0; x <= 1640; x += 90) {
    const lift = Math.abs(Math.sin(x * 0.0047 + seed) * 0.6 + Math.sin(x * 0.013 + seed * 2.3) * 0.4);
    path += ` L${x} ${(base - lift * rise).toFixed(1)}`;
  }
  return svg("path", { d: `${path} L1660 900 Z`, fill });
}

function arch(x: number, floor: number, scale: number): SVGElement {
  const width = 74 * scale;
  const height = 190 * scale;
  const thick = 13 * scale;
  const r = width / 2;
  const outer = `M${x} ${floor} V${floor - height} a${r} ${r} 0 0 1 ${width} 0 V${floor}`;
  const inner = `h${-thick} V${floor - height} a${r - thick} ${r - thick} 0 0 0 ${-(width - 2 * thick)} 0 V${floor} Z`;
  return svg("path", { d: `${outer} ${inner}` });
}

export function backdrop(): HTMLElement {
  const arches = svg("g", { fill: "url(#bd-arch)" });
  for (let n = 0; n < 9; n++) {
    const off = n - 4;
    arches.append(
      arch(720 + off * 62 - 37, 716 + Math.abs(off) * Math.abs(off) * 1.1, 1 - Math.abs(off) * 0.045),
    );
  }
  const rings = svg("g", { fill: "none", stroke: "#ffdcae", "stroke-opacity": 0.5 });
  for (const [rx, width] of [
    [150, 2],
    [290, 1.4],
    [440, 1.2],
    [620, 1],
  ] as const) {
    rings.append(svg("ellipse", { cx: 720, cy: 806, rx, ry: rx * 0.2, "stroke-width": width }));
  }
  const picture = svg(
    "svg",
    { viewBox: "0 0 1600 900", preserveAspectRatio: "xMidYMax slice", "aria-hidden": "true" },
    svg(
      "defs",
      {},
      gradient("bd-sky", [
        [0, "#2c2d63"],
        [0.34, "#6e5a9a"],
        [0.6, "#d98a92"],
        [0.78, "#f6b48c"],
        [0.9, "#ffd9a6"],
      ]),
      gradient("bd-floor", [
        [0, "#e6a98d"],
        [1, "#6a4a74"],
      ]),
      gradient("bd-arch", [
        [0, "#fbe3cd"],
        [1, "#c88d87"],
      ]),
      svg(
        "radialGradient",
        { id: "bd-glow" },
        svg("stop", { offset: 0, "stop-color": "#fff3d6", "stop-opacity": 0.95 }),
        svg("stop", { offset: 0.16, "stop-color": "#ffdca6", "stop-opacity": 0.6 }),
        svg("stop", { offset: 1, "stop-color": "#ffb98a", "stop-opacity": 0 }),
      ),
    ),
    svg("rect", { width: 1600, height: 900, fill: "url(#bd-sky)" }),
    svg("circle", { cx: 720, cy: 560, r: 420, fill: "url(#bd-glow)", class: "bd-glow" }),
    svg("circle", { cx: 720, cy: 560, r: 62, fill: "#fff4dc" }),
    ridge(690, 90, 1.3, "#c98d9d"),
    ridge(712, 60, 4.1, "#b07b9a"),
    svg("path", { d: "M-20 900 V742 Q720 690 1620 742 V900 Z", fill: "url(#bd-floor)" }),
    arches,
    rings,
  );
  return h("div", { class: "backdrop", attrs: { "aria-hidden": "true" } }, picture);
}
