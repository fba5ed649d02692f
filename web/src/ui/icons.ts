/** Line icons on a 24 px grid, drawn by hand for this page. */

import { svg } from "./dom";

const PATHS = {
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.8 20c.4-3.600 2.900-5.800 6.200-5.800s5.800 2.200 6.200 5.800M16 4.400a3.300 3.300 0 0 1 0 6.300M18 14.800c1.900.8 3.100 2.500 3.300 5.200",
  link: "M10 14a4.500 4.500 0 0 0 6.600.3l2.700-2.700a4.500 4.500 0 0 0-6.400-6.400L11.500 6.600M14 10a4.500 4.500 0 0 0-6.600-.3l-2.700 2.700a4.500 4.500 0 0 0 6.400 6.400l1.400-1.400",
  activity: "M3 12h4l3-8 4 16 3-8h4",
  room: "M4 20V9l8-5 8 5v11M9.500 20v-6h5v6M2.500 20h19",
  tune: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5",
  leave: "M14 4h4.500A1.500 1.500 0 0 1 20 5.500v13a1.500 1.500 0 0 1-1.500 1.500H14M4 12h11M11 8l4 4-4 4",
  close: "M6 6l12 12M18 6 6 18",
  help: "M9.200 9.200a2.900 2.900 0 1 1 4.300 2.500c-1 .6-1.500 1.200-1.500 2.300M12 17.600v.1M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19Z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h10.500v10.500H9zM5.500 15H4.500V4.500H15v1",
  trash: "M4.500 7h15M9.500 7V4.500h5V7M6.500 7l.9 12.500h9.200L17.500 7M10 11v5M14 11v5",
  check: "m5 12.500 4.500 4.500L19 7.500",
  arrow: "M5 12h14M13 6l6 6-6 6",
  walk: "M13 5.200h.01M10.500 21l2-5.500-2.500-2.500.9-4.500 2.600-.2 2 2.700 2.500 1M8.500 21l1.500-4M7.500 12.500l.8-3 2.600-1M13 15.500l2.500 2 .8 3.500",
  orbit:
    "M12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM3.500 14.500c-2-3.500 1.500-6.500 7-7s10.500 2 10.500 5-4.500 5-9 5M9.500 15l2.500 2.500-2.500 2.500",
  wave: "M3 15c2.500-4 4.500-4 6.500 0s4 4 6 0 3.500-4 5.500-2",
  user: "M12 11.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.6-4 3.500-6 7.500-6s6.900 2 7.500 6",
  globe:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3.500 12h17M12 3c2.500 2.500 3.600 5.500 3.600 9s-1.100 6.500-3.600 9c-2.500-2.500-3.600-5.500-3.600-9S9.500 5.500 12 3Z",
  lock: "M6 11h12v9.500H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  find: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l4.500 4.500",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName, size = 20): SVGElement {
  const heavy = name === "more" ? 3 : 1.7;
  return svg(
    "svg",
    { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: "icon" },
    svg("path", {
      d: PATHS[name],
      fill: "none",
      stroke: "currentColor",
      "stroke-width": heavy,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
    }),
  );
}

/** The mark of Holodeck: a sun rising inside an armillary ring. */
export function mark(size = 30): SVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 32 32", width: size, height: size, "aria-hidden": "true", class: "mark" },
    svg("circle", { cx: 16, cy: 16, r: 13, fill: "none", stroke: "currentColor", "stroke-width": 1.8 }),
    svg("ellipse", {
      cx: 16,
      cy: 16,
      rx: 13,
      ry: 5,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.6,
      transform: "rotate(-24 16 16)",
    }),
    svg("circle", { cx: 16, cy: 16, r: 4.6, class: "mark-sun" }),
  );
}
