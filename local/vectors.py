"""The cases of presence frames that Python and TypeScript share, written by the codec of `media_node.frames`.

What is in the file is what the node sends: bytes, and what a page must read in them. Both sides' tests read the same file; a
change of the codec shows in it (docs/webrtc.md, "Presence frames").
"""

from typing import Any, Final

import msgspec

from chalicelib.wire.types import Activity, Held, Pointer, Pose, PresenceState
from media_node import frames

_AT_MS: Final = 1_764_201_600_123.5
_HALF: Final = 0.7071067811865476
_STATES: Final[dict[str, PresenceState]] = {
    "nothing but being there": PresenceState(),
    "a pose": PresenceState(pose=Pose(position=(1.2345, 1.6, -7.0), rotation=(0.0, 0.0, 0.0, 1.0))),
    "a turned head, w left out": PresenceState(
        pose=Pose(position=(0.0, 0.0, 0.0), rotation=(0.1, 0.2, 0.3, 0.9273618))
    ),
    "x is left out, and negative": PresenceState(
        pose=Pose(position=(0.0, 0.0, 0.0), rotation=(-0.9273618, 0.1, -0.2, 0.3))
    ),
    "y is left out": PresenceState(pose=Pose(position=(0.0, 0.0, 0.0), rotation=(0.0, 1.0, 0.0, 0.0))),
    "z is left out; two are as great": PresenceState(
        pose=Pose(position=(0.0, 0.0, 0.0), rotation=(0.0, 0.0, _HALF, -_HALF))
    ),
    "a pose and a cursor": PresenceState(
        pose=Pose(position=(-3.0005, 0.0, 8.25), rotation=(0.0, _HALF, 0.0, _HALF)),
        cursor=Pointer(position=(0.0015, -0.0015, 4.0), rotation=(0.5, 0.5, 0.5, 0.5)),
        activity=Activity.EDITING,
    ),
    "the edge of 24 bits": PresenceState(
        pose=Pose(position=(8388.607, -8388.607, 0.001), rotation=(0.0, 0.0, 0.0, 1.0))
    ),
    "past it, wide": PresenceState(
        pose=Pose(position=(8388.608, 0.0, 0.0), rotation=(0.0, 0.0, 0.0, 1.0)),
        cursor=Pointer(position=(-100_000.0, 100_000.0, 12.5)),
        activity=Activity.IDLE,
    ),
    "a cursor on a thing": PresenceState(
        cursor=Pointer(position=(1.0, 2.0, 3.0), target="c0ffee00.12"), activity=Activity.SPEAKING
    ),
    "a selection and what is in a hand": PresenceState(
        pose=Pose(position=(1.0, 2.0, 3.0), rotation=(0.0, 0.0, 0.0, 1.0)),
        selection=("c0ffee00.12", "c0ffee00.7"),
        activity=Activity.EDITING,
        drag=(
            Held(id="c0ffee00.12", position=(0.25, 1.5, -2.0), rotation=(0.0, 0.0, 0.0, 1.0), scale=(1.0, 1.0, 2.5)),
        ),
    ),
    "away": PresenceState(activity=Activity.AWAY),
}
_COUNTERS: Final = (
    (0, 0),
    (0, 65535),
    (1, 2),
    (65535, 0),
    (65536, 65535),
    (1_000_000, 16960),
    (1_000_000, 16959),
    (32768, 0),
    (32767, 65535),
    (2**53 - 40_000, 5),
)


def relay_frames() -> dict[str, Any]:
    """Frames and what is in them, counters and what they stand for, bytes that are no frame."""
    cases = [_case(name, [(7, 65_538, state)]) for name, state in _STATES.items()]
    everybody = [(100 * number, number, state) for number, state in enumerate(list(_STATES.values())[:10])]
    cases.append(_case("many at once, and more to come", [*everybody, (1023, 65_535, PresenceState())], more=True))
    cases.append(_case("nobody", []))
    whole = bytes.fromhex(cases[6]["hex"])
    return {
        "frames": cases,
        "counters": [{"known": known, "low": low, "full": frames.full_counter(known, low)} for known, low in _COUNTERS],
        "malformed": [
            {"name": "empty", "hex": ""},
            {"name": "a head cut short", "hex": whole[:13].hex()},
            {"name": "another version", "hex": (b"\x02" + whole[1:]).hex()},
            {"name": "a place cut short", "hex": whole[:27].hex()},
            {"name": "an entry cut short", "hex": whole[:-1].hex()},
            {"name": "a reserved bit of the index", "hex": _with(whole, 15, 0x80).hex()},
            {"name": "an activity that there is not", "hex": _with(whole, 15, 0x14).hex()},
            {"name": "a reserved bit of the fields", "hex": _with(whole, 16, 0x20).hex()},
            {"name": "JSON cut short", "hex": (frames.head(1, 0, more=False) + b"\x01\x00\x04\x01\x00\x02\x00{").hex()},
            {
                "name": "what is no JSON",
                "hex": (frames.head(1, 0, more=False) + b"\x01\x00\x04\x01\x00\x01\x00{").hex(),
            },
        ],
    }


def _case(name: str, peers: list[tuple[int, int, PresenceState]], *, more: bool = False) -> dict[str, Any]:
    data = frames.head(4_000_000_000, _AT_MS, more=more) + b"".join(frames.entry(*peer) for peer in peers)
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(frames.decode(data)))
    return {"name": name, "hex": data.hex(), "frame": read}


def _with(data: bytes, at: int, bits: int) -> bytes:
    return data[:at] + bytes([data[at] | bits]) + data[at + 1 :]
