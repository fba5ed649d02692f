/**
 * Presence frames: many peers' states in one binary message, as docs/webrtc.md lays it out. Pure.
 *
 * `media_node/frames.py` encodes; tests/vectors/relay_frames.json holds both together. Law: whatever bytes come, a frame or
 * null, never an exception.
 */

import { type Activity, LIMITS, type PresenceState, type Quat, type Vec3 } from "../wire/generated";
import { isObject, stateOf } from "./decode";

export interface FrameEntry {
  index: number;
  /** The low 16 bits. */
  counter: number;
  state: PresenceState;
}

export interface Frame {
  tick: number;
  /** The node's clock. */
  atMs: number;
  /** Over budget: the rest comes in the next frames. */
  more: boolean;
  entries: readonly FrameEntry[];
}

const VERSION = 1;
const ACTIVITIES: readonly Activity[] = ["active", "idle", "editing", "speaking", "away"];
const POSE = 1;
const CURSOR = 2;
const MORE = 4;
const POSE_WIDE = 8;
const CURSOR_WIDE = 16;
const FIELDS = POSE | CURSOR | MORE | POSE_WIDE | CURSOR_WIDE;
const STEPS = 1023;
/** Sums of binary fractions: a wide place may be a hair past the edge of the world. */
const FRACTION = 1 / LIMITS.FRAME_POSITION_M;

const text = new TextDecoder("utf-8", { fatal: true });

/** A frame; null for anything else. */
export function frameOf(data: ArrayBuffer): Frame | null {
  try {
    return read(new Reader(new DataView(data)));
  } catch {
    return null; // cut short (RangeError), or what it says is not allowed
  }
}

/** The counter nearest to a known one that ends with these 16 bits; never below 0. */
export function fullCounter(known: number, low: number): number {
  const apart = (((low - known + 0x8000) % 0x10000) + 0x10000) % 0x10000;
  const nearest = known + apart - 0x8000;
  return nearest >= 0 ? nearest : nearest + 0x10000;
}

function read(from: Reader): Frame {
  if (from.u8() !== VERSION) throw new RangeError("version");
  const flags = from.u8();
  const tick = from.u32();
  const atMs = from.f64();
  const entries: FrameEntry[] = [];
  while (!from.done) entries.push(entryOf(from));
  return { tick, atMs, more: (flags & 1) !== 0, entries };
}

function entryOf(from: Reader): FrameEntry {
  const head = from.u16();
  const fields = from.u8();
  const counter = from.u16();
  const activity = ACTIVITIES[(head >> 10) & 7];
  if (head >> 13 || activity === undefined || fields & ~FIELDS) throw new RangeError("entry");
  const pose = fields & POSE ? placed(from, fields & POSE_WIDE) : null;
  const cursor = fields & CURSOR ? placed(from, fields & CURSOR_WIDE) : null;
  const more = fields & MORE ? moreOf(from) : {};
  const { target, ...lists } = more;
  if ((target !== undefined && !cursor) || (!pose && fields & POSE_WIDE) || (!cursor && fields & CURSOR_WIDE))
    throw new RangeError("fields");
  const state = stateOf({
    ...(pose ? { pose } : {}),
    ...(cursor ? { cursor: { ...cursor, target: target ?? null } } : {}),
    ...(activity === "active" ? {} : { activity }),
    ...lists,
  });
  if (!state) throw new RangeError("state");
  return { index: head & 0x3ff, counter, state };
}

function placed(from: Reader, wide: number): { position: Vec3; rotation: Quat } {
  const axis = (): number => (wide ? from.i32() : from.i24()) / FRACTION;
  return { position: [axis(), axis(), axis()], rotation: turnOf(from.u32()) };
}

/** A quaternion of its smallest three; the fourth is what makes its length 1. */
function turnOf(bits: number): Quat {
  const part = (shift: number): number => ((((bits >>> shift) & STEPS) / STEPS) * 2 - 1) / Math.SQRT2;
  const [a, b, c] = [part(20), part(10), part(0)];
  const rest = Math.sqrt(Math.max(0, 1 - a * a - b * b - c * c));
  const turns: readonly Quat[] = [
    [rest, a, b, c],
    [a, rest, b, c],
    [a, b, rest, c],
    [a, b, c, rest],
  ];
  return turns[bits >>> 30] as Quat;
}

function moreOf(from: Reader): Record<string, unknown> {
  const value: unknown = JSON.parse(text.decode(from.bytes(from.u16())));
  if (!isObject(value)) throw new RangeError("more");
  const { selection, drag, target } = value;
  return {
    ...(selection === undefined ? {} : { selection }),
    ...(drag === undefined ? {} : { drag }),
    ...(target === undefined ? {} : { target }),
  };
}

/** Little-endian; past the end it throws a RangeError. */
class Reader {
  private at = 0;

  constructor(private readonly view: DataView) {}

  get done(): boolean {
    return this.at >= this.view.byteLength;
  }

  u8(): number {
    return this.view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.skip(8), true);
  }

  i24(): number {
    const low = this.u16();
    return low | (this.view.getInt8(this.skip(1)) << 16);
  }

  bytes(length: number): Uint8Array {
    if (this.at + length > this.view.byteLength) throw new RangeError("cut short");
    const at = this.skip(length);
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, length);
  }

  private skip(length: number): number {
    const at = this.at;
    this.at += length;
    return at;
  }
}
