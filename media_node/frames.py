"""Presence frames: the binary form of many peers' states, as docs/webrtc.md lays it out. Pure.

A frame is a head and entries, one a peer. Entries do not depend on who reads them, so each is encoded once, when its
state comes, and every listener's frame is made of the same bytes. Both directions are here: the node encodes, tests and
native clients decode; `web/src/peers` decodes in TypeScript, held to this file by tests/vectors/relay_frames.json.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final

import msgspec

from chalicelib.wire import limits
from chalicelib.wire.types import Activity, EntityId, Held, Pointer, Pose, PresenceState, Quat, Vec3

VERSION: Final = 1
_MORE_TO_COME: Final = 1
_POSE, _CURSOR, _MORE, _POSE_WIDE, _CURSOR_WIDE = 1, 2, 4, 8, 16
_FIELDS: Final = _POSE | _CURSOR | _MORE | _POSE_WIDE | _CURSOR_WIDE

_HEAD: Final = struct.Struct("<BBId")
_ENTRY: Final = struct.Struct("<HBH")
_WIDE: Final = struct.Struct("<iii")
_U32: Final = struct.Struct("<I")
_U16: Final = struct.Struct("<H")
HEAD_BYTES: Final = _HEAD.size

_ACTIVITIES: Final = (Activity.ACTIVE, Activity.IDLE, Activity.EDITING, Activity.SPEAKING, Activity.AWAY)
_NUMBER: Final = {activity: number for number, activity in enumerate(_ACTIVITIES)}
_SCALE: Final = 1 / limits.FRAME_POSITION_M
_I24: Final = 2**23 - 1
_I32: Final = 2**31 - 1
_STEPS: Final = 1023
_SQRT2: Final = math.sqrt(2)
_IDENTITY: Final[Quat] = (0.0, 0.0, 0.0, 1.0)


class FrameError(ValueError):
    """Bytes that are no frame."""


class _More(msgspec.Struct, omit_defaults=True):
    """What of a state has no fixed size."""

    selection: tuple[EntityId, ...] = ()
    drag: tuple[Held, ...] = ()
    target: EntityId | None = None


_encoder: Final = msgspec.json.Encoder()
_more: Final = msgspec.json.Decoder(_More)


@dataclass(frozen=True, slots=True)
class Entry:
    """A peer's newest state, by its index. `counter` is the low 16 bits."""

    index: int
    counter: int
    state: PresenceState


@dataclass(frozen=True, slots=True)
class Frame:
    """What a listener is told in a tick. `more`: over budget, the rest comes in the next ones."""

    tick: int
    at_ms: float
    more: bool
    entries: tuple[Entry, ...]


def head(tick: int, at_ms: float, *, more: bool) -> bytes:
    """The first HEAD_BYTES of a frame."""
    return _HEAD.pack(VERSION, _MORE_TO_COME if more else 0, tick & 0xFFFFFFFF, at_ms)


def entry(index: int, counter: int, state: PresenceState) -> bytes:
    """One peer's state, whole."""
    fields = 0
    parts = [b""]
    pose, cursor = state.pose, state.cursor
    if pose is not None:
        place, wide = _place(pose.position)
        fields |= _POSE | _POSE_WIDE if wide else _POSE
        parts += (place, _turn(pose.rotation))
    target = None
    if cursor is not None:
        place, wide = _place(cursor.position)
        fields |= _CURSOR | _CURSOR_WIDE if wide else _CURSOR
        parts += (place, _turn(cursor.rotation))
        target = cursor.target
    if target is not None or state.selection or state.drag:
        more = _encoder.encode(_More(state.selection, state.drag, target))
        fields |= _MORE
        parts += (_U16.pack(len(more)), more)
    parts[0] = _ENTRY.pack(index | _NUMBER[state.activity] << 10, fields, counter & 0xFFFF)
    return b"".join(parts)


def decode(data: bytes) -> Frame:
    """A frame; FrameError for anything else."""
    try:
        version, flags, tick, at_ms = _HEAD.unpack_from(data)
        if version != VERSION:
            raise FrameError(f"version {version}")
        entries = []
        at = HEAD_BYTES
        while at < len(data):
            found, at = _read_entry(data, at)
            entries.append(found)
    except (struct.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise FrameError(str(exc)) from exc
    return Frame(tick, at_ms, bool(flags & _MORE_TO_COME), tuple(entries))


def full_counter(known: int, low: int) -> int:
    """The counter nearest to a known one that ends with these 16 bits; never below 0."""
    nearest = known + ((low - known + 0x8000) & 0xFFFF) - 0x8000
    return nearest if nearest >= 0 else nearest + 0x10000


def _place(position: Vec3) -> tuple[bytes, bool]:
    """Three numbers of 24 bits, or where one needs it, of 32."""
    x, y, z = (round(metres * _SCALE) for metres in position)
    if -_I24 <= x <= _I24 and -_I24 <= y <= _I24 and -_I24 <= z <= _I24:
        return (x & 0xFFFFFF | (y & 0xFFFFFF) << 24 | (z & 0xFFFFFF) << 48).to_bytes(9, "little"), False
    return _WIDE.pack(*(max(-_I32, min(_I32, number)) for number in (x, y, z))), True


def _turn(rotation: Quat) -> bytes:
    """The smallest three of a quaternion. One that is none (all zero) is no turn."""
    x, y, z, w = rotation
    norm = math.sqrt(x * x + y * y + z * z + w * w)
    if norm < 1e-6:
        (x, y, z, w), norm = _IDENTITY, 1.0
    sizes = (abs(x), abs(y), abs(z), abs(w))
    left_out = sizes.index(max(sizes))
    scale = (1.0 if (x, y, z, w)[left_out] > 0 else -1.0) / norm * _SQRT2
    a, b, c = ((y, z, w), (x, z, w), (x, y, w), (x, y, z))[left_out]
    return _U32.pack(left_out << 30 | _step(a * scale) << 20 | _step(b * scale) << 10 | _step(c * scale))


def _step(part: float) -> int:
    """A number of -1 to 1 in 10 bits."""
    return max(0, min(_STEPS, math.floor((part + 1) / 2 * _STEPS + 0.5)))


def _read_entry(data: bytes, at: int) -> tuple[Entry, int]:
    who, fields, counter = _ENTRY.unpack_from(data, at)
    at += _ENTRY.size
    number = who >> 10
    if number >= len(_ACTIVITIES) or fields & ~_FIELDS:
        raise FrameError("a reserved bit is set")
    pose = cursor = None
    if fields & _POSE:
        position, at = _read_place(data, at, wide=bool(fields & _POSE_WIDE))
        rotation, at = _read_turn(data, at)
        pose = Pose(position=position, rotation=rotation)
    if fields & _CURSOR:
        position, at = _read_place(data, at, wide=bool(fields & _CURSOR_WIDE))
        rotation, at = _read_turn(data, at)
        cursor = Pointer(position=position, rotation=rotation)
    more = _More()
    if fields & _MORE:
        (length,) = _U16.unpack_from(data, at)
        at += _U16.size
        if at + length > len(data):
            raise FrameError("cut short")
        more = _more.decode(data[at : at + length])
        at += length
    if cursor is not None and more.target is not None:
        cursor = Pointer(position=cursor.position, rotation=cursor.rotation, target=more.target)
    state = PresenceState(
        pose=pose, cursor=cursor, selection=more.selection, activity=_ACTIVITIES[number], drag=more.drag
    )
    return Entry(who & limits.RELAY_INDEX_MAX, counter, state), at


def _read_place(data: bytes, at: int, *, wide: bool) -> tuple[Vec3, int]:
    if wide:
        x, y, z = _WIDE.unpack_from(data, at)
        at += _WIDE.size
    else:
        if at + 9 > len(data):
            raise FrameError("cut short")
        x, y, z = (int.from_bytes(data[at + i : at + i + 3], "little", signed=True) for i in (0, 3, 6))
        at += 9
    return (x / _SCALE, y / _SCALE, z / _SCALE), at


def _read_turn(data: bytes, at: int) -> tuple[Quat, int]:
    (packed,) = _U32.unpack_from(data, at)
    a, b, c = (((packed >> shift & _STEPS) / _STEPS * 2 - 1) / _SQRT2 for shift in (20, 10, 0))
    greatest = math.sqrt(max(0.0, 1 - a * a - b * b - c * c))
    turn: tuple[Quat, ...] = ((greatest, a, b, c), (a, greatest, b, c), (a, b, greatest, c), (a, b, c, greatest))
    return turn[packed >> 30], at + _U32.size
