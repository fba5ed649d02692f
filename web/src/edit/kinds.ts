/** What an entity is and looks like, read from properties that anybody may have written. Nothing here trusts them. */

import { type Entity, type Json, own } from "../ot/state";
import type { IconName } from "../ui/icons";
import type { Quat, Vec3 } from "../wire/generated";

/** What the page can add. */
export type Kind = "box" | "sphere" | "cylinder" | "plane" | "text" | "light" | "group";

/** How a kind begins. */
export interface Beginning {
  readonly kind: Kind;
  readonly title: string;
  readonly icon: IconName;
  readonly props: Readonly<Record<string, Json>>;
  /** Metres from the floor to its middle. */
  readonly liftM: number;
  /** Whether it has a front that should face who adds it. */
  readonly faces: boolean;
}

/** Every kind that the menu offers, in its order. */
export const KINDS: readonly Beginning[] = [
  { kind: "box", title: "Box", icon: "box", props: { color: "#f0745a" }, liftM: 0.5, faces: false },
  { kind: "sphere", title: "Sphere", icon: "sphere", props: { color: "#4fa79a" }, liftM: 0.5, faces: false },
  {
    kind: "cylinder",
    title: "Cylinder",
    icon: "cylinder",
    props: { color: "#7d6cd0" },
    liftM: 0.5,
    faces: false,
  },
  {
    kind: "plane",
    title: "Plane",
    icon: "plane",
    props: { color: "#f4e9e2", scale: [1.6, 1.2, 1] },
    liftM: 1.1,
    faces: true,
  },
  {
    kind: "text",
    title: "Note",
    icon: "note",
    props: { color: "#ffe7a3", text: "" },
    liftM: 1.5,
    faces: true,
  },
  {
    kind: "light",
    title: "Light",
    icon: "light",
    props: { color: "#ffd9a0", intensity: 3 },
    liftM: 2.2,
    faces: false,
  },
  { kind: "group", title: "Group", icon: "group", props: {}, liftM: 0, faces: false },
];

/** The brightest that a light is drawn and offered. */
export const INTENSITY_MAX = 20;
/** What is scaled to nothing could never be taken hold of again. */
export const SCALE_MIN = 0.01;

const NEUTRAL = "#cfc5d6";

/** How a kind begins, or null where the page cannot make such a thing. */
export function beginningOf(type: string): Beginning | null {
  return KINDS.find(({ kind }) => kind === type) ?? null;
}

/** Its `type`; "unknown" where there is none. */
export function typeOf(entity: Entity): string {
  const type = own(entity.props, "type");
  return typeof type === "string" && type !== "" ? type : "unknown";
}

/** Its name, or what it is. */
export function nameOf(entity: Entity): string {
  const name = own(entity.props, "name");
  if (typeof name === "string" && name.trim() !== "") return name;
  const type = typeOf(entity);
  return beginningOf(type)?.title ?? type.replaceAll("_", " ");
}

/** Its icon in lists. */
export function iconOf(entity: Entity): IconName {
  return beginningOf(typeOf(entity))?.icon ?? "thing";
}

/** Its colour as #rrggbb. */
export function colorOf(entity: Entity): string {
  const color = own(entity.props, "color");
  if (typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color)) return color.toLowerCase();
  const first = beginningOf(typeOf(entity))?.props.color;
  return typeof first === "string" ? first : NEUTRAL;
}

/** Its text; empty where there is none. */
export function textOf(entity: Entity): string {
  const text = own(entity.props, "text");
  return typeof text === "string" ? text : "";
}

/** How bright a light is, from 0 to INTENSITY_MAX. */
export function intensityOf(entity: Entity): number {
  const intensity = own(entity.props, "intensity");
  return isNumber(intensity) ? Math.min(INTENSITY_MAX, Math.max(0, intensity)) : 3;
}

/** Where it is beneath its parent, in metres. */
export function positionOf(entity: Entity): Vec3 {
  const [x, y, z] = numbers(own(entity.props, "position"), 3) ?? [0, 0, 0];
  return [x ?? 0, y ?? 0, z ?? 0];
}

/** How it is turned beneath its parent: a unit quaternion. */
export function rotationOf(entity: Entity): Quat {
  const [x = 0, y = 0, z = 0, w = 1] = numbers(own(entity.props, "rotation"), 4) ?? [0, 0, 0, 1];
  const length = Math.hypot(x, y, z, w);
  return length < 1e-6 ? [0, 0, 0, 1] : [x / length, y / length, z / length, w / length];
}

/** Its size beneath its parent; no factor is 0. */
export function scaleOf(entity: Entity): Vec3 {
  const [x = 1, y = 1, z = 1] = numbers(own(entity.props, "scale"), 3) ?? [1, 1, 1];
  return [atLeast(x), atLeast(y), atLeast(z)];
}

/** A factor that leaves something to be seen. */
export function atLeast(factor: number): number {
  if (Math.abs(factor) >= SCALE_MIN) return factor;
  return factor < 0 ? -SCALE_MIN : SCALE_MIN;
}

function isNumber(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function numbers(value: Json | undefined, count: number): number[] | null {
  if (!Array.isArray(value) || value.length !== count) return null;
  return value.every((item: Json) => isNumber(item) && Math.abs(item) < 1e6) ? (value as number[]) : null;
}
