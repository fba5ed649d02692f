/**
 * Presence frames of a media node as docs/webrtc.md lays them out, read by someone who did not write them. Entries are
 * told to a function and not made into objects: the load generator reads 50,000 a second beside what it measures.
 */

const VERSION = 1;
const HEAD_BYTES = 14;
const POSE = 1;
const CURSOR = 2;
const MORE = 4;
const WIDE_POSE = 8;
const WIDE_CURSOR = 16;
const UNIT_M = 0.001;
const TURN_BYTES = 4;
const LAST_ACTIVITY = 4;

/** The head of a frame, `{ more, tick, atMs }`; null where it is none. */
export function headOf(bytes) {
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION) return null;
  return { more: (bytes[1] & 1) === 1, tick: bytes.readUInt32LE(2), atMs: bytes.readDoubleLE(6) };
}

/**
 * Calls `take(named & 0x3ff, counter, poseAt, wide)` for each entry; `poseAt` is where its pose is, -1 without one. Returns
 * whether the frame ended where an entry ended.
 */
export function eachEntry(bytes, take) {
  if (headOf(bytes) === null) return false;
  let at = HEAD_BYTES;
  while (at + 5 <= bytes.length) {
    const named = bytes.readUInt16LE(at);
    const fields = bytes[at + 2];
    if (named & 0xe000 || ((named >> 10) & 7) > LAST_ACTIVITY || fields & 0xe0) return false;
    const counter = bytes.readUInt16LE(at + 3);
    at += 5;
    const poseAt = fields & POSE ? at : -1;
    if (fields & POSE) at += (fields & WIDE_POSE ? 12 : 9) + TURN_BYTES;
    if (fields & CURSOR) at += (fields & WIDE_CURSOR ? 12 : 9) + TURN_BYTES;
    if (fields & MORE) {
      if (at + 2 > bytes.length) return false;
      at += 2 + bytes.readUInt16LE(at);
    }
    if (at > bytes.length) return false;
    take(named & 0x3ff, counter, poseAt, (fields & WIDE_POSE) !== 0);
  }
  return at === bytes.length;
}

/** The position at a place in a frame, in metres. */
export function placeAt(bytes, at, wide) {
  const step = wide ? 4 : 3;
  return [0, 1, 2].map((axis) => bytes.readIntLE(at + axis * step, step) * UNIT_M);
}

/** The full counter nearest to the one last known whose low 16 bits these are; never below 0. */
export function counterOf(low, known) {
  const ahead = (((low - known + 0x8000) % 0x10000) + 0x10000) % 0x10000;
  const nearest = known + ahead - 0x8000;
  return nearest >= 0 ? nearest : nearest + 0x10000;
}
