/**
 * What another page sent, checked by hand: it comes from a browser that nobody vouches for, past every server.
 *
 * Law: what these return is what the contract allows and shares nothing with what came; anything else is null. The
 * bounds are those of `chalicelib/wire/types.py`.
 */

import {
  type Activity,
  type Held,
  LIMITS,
  type Pointer,
  type Pose,
  type PresenceState,
  type Quat,
  type Vec3,
} from "../wire/generated";

type Unknown = Readonly<Record<string, unknown>>;

const ENTITY = /^[A-Za-z0-9_:.-]{1,64}$/;
const ACTIVITIES: ReadonlySet<string> = new Set(["active", "idle", "editing", "speaking", "away"]);
const UNIT = 1.001;

/** One peer's state with what orders it; whose it is, the connection says. */
export interface Told {
  epoch: number;
  counter: number;
  state: PresenceState;
  /** Whom the sender says it is from, which nobody believes. */
  claimed: string | null;
}

/** A message as JSON says it; null for what is too large, no object or without a type. */
export function parse(data: unknown, bytesMax: number): (Unknown & { type: string }) | null {
  if (typeof data !== "string" || data.length > bytesMax) return null;
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) && typeof value.type === "string" ? (value as Unknown & { type: string }) : null;
  } catch {
    return null;
  }
}

/** A `presence.update`; null where it is not one. */
export function presenceOf(data: unknown): Told | null {
  const message = parse(data, LIMITS.PRESENCE_MESSAGE_BYTES);
  if (message?.type !== "presence.update") return null;
  const { epoch, counter, user_id } = message;
  const state = stateOf(message.state);
  if (!isCount(epoch) || !isCount(counter) || !state) return null;
  return { epoch, counter, state, claimed: typeof user_id === "string" ? user_id : null };
}

/** A state; absent and null are the same. */
export function stateOf(value: unknown): PresenceState | null {
  if (!isObject(value)) return null;
  const pose = optional(value.pose, poseOf);
  const cursor = optional(value.cursor, pointerOf);
  const selection = optional(value.selection, (list) => listOf(list, LIMITS.SELECTION_MAX, entityOf));
  const drag = optional(value.drag, (list) => listOf(list, LIMITS.DRAG_MAX, heldOf));
  const activity = optional(value.activity, activityOf);
  if (pose === null || cursor === null || selection === null || drag === null || activity === null)
    return null;
  return {
    ...(pose ? { pose } : {}),
    ...(cursor ? { cursor } : {}),
    ...(selection ? { selection } : {}),
    ...(activity ? { activity } : {}),
    ...(drag ? { drag } : {}),
  };
}

/** Undefined for what is absent, null for what is wrong. */
function optional<T>(value: unknown, read: (value: unknown) => T | null): T | null | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function poseOf(value: unknown): Pose | null {
  if (!isObject(value)) return null;
  const position = placeOf(value.position);
  const rotation = turnOf(value.rotation);
  return position && rotation ? { position, rotation } : null;
}

function pointerOf(value: unknown): Pointer | null {
  if (!isObject(value)) return null;
  const position = placeOf(value.position);
  const rotation = optional(value.rotation, turnOf);
  const target = optional(value.target, entityOf);
  if (!position || rotation === null || target === null) return null;
  return { position, rotation: rotation ?? [0, 0, 0, 1], target: target ?? null };
}

function heldOf(value: unknown): Held | null {
  if (!isObject(value)) return null;
  const id = entityOf(value.id);
  const position = placeOf(value.position);
  const rotation = turnOf(value.rotation);
  const scale = placeOf(value.scale);
  return id && position && rotation && scale ? { id, position, rotation, scale } : null;
}

function activityOf(value: unknown): Activity | null {
  return typeof value === "string" && ACTIVITIES.has(value) ? (value as Activity) : null;
}

function entityOf(value: unknown): string | null {
  return typeof value === "string" && ENTITY.test(value) ? value : null;
}

function listOf<T>(value: unknown, most: number, read: (item: unknown) => T | null): readonly T[] | null {
  if (!Array.isArray(value) || value.length > most) return null;
  const items = value.map(read);
  return items.every((item): item is Awaited<T> & T => item !== null) ? items : null;
}

function placeOf(value: unknown): Vec3 | null {
  return numbers(value, 3, LIMITS.WORLD_M) as Vec3 | null;
}

function turnOf(value: unknown): Quat | null {
  return numbers(value, 4, UNIT) as Quat | null;
}

function numbers(value: unknown, length: number, most: number): readonly number[] | null {
  if (!Array.isArray(value) || value.length !== length) return null;
  const fine = value.every((item) => typeof item === "number" && Math.abs(item) <= most);
  return fine ? value.map(Number) : null;
}

export function isObject(value: unknown): value is Unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number that JavaScript counts exactly. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
