"""The cases of `chalicelib.voice.model.channel_at` that Python and TypeScript share, written by the function itself.

Each is a walk: whoever makes it was in no channel before its first place, and is at each place in the channel that they
were found in at the one before (docs/voice.md, "Channels").
"""

from random import Random
from typing import Any, Final

import msgspec

from chalicelib.voice.model import MAIN, MAIN_ID, channel_at
from chalicelib.wire import limits
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import VoiceChannel, Zone

_SEED: Final = 5


def _channel(letter: str, zone: tuple[Vec3, Vec3] | None = None) -> VoiceChannel:
    box = None if zone is None else Zone(least=zone[0], greatest=zone[1])
    return msgspec.structs.replace(MAIN, channel_id=f"vch_{letter * 12}", name=letter, zone=box)


_HALL: Final = _channel("h", ((-10.0, 0.0, -10.0), (10.0, 4.0, 10.0)))
_BOOTH: Final = _channel("b", ((0.0, 0.0, 0.0), (2.0, 2.5, 2.0)))
_TWIN: Final = _channel("c", ((2.0, 0.0, 0.0), (4.0, 2.5, 2.0)))
_FLOOR: Final = _channel("f", ((5.0, 0.0, 5.0), (8.0, 0.0, 8.0)))
_TABLE: Final = _channel("t")
_CHANNELS: Final = (MAIN, _HALL, _BOOTH, _TWIN, _FLOOR, _TABLE)

_WALKS: Final[tuple[tuple[str, str, tuple[Vec3 | None, ...]], ...]] = (
    ("nobody knows where they stand", MAIN_ID, (None, None)),
    ("outside of everything", MAIN_ID, ((50.0, 1.6, 0.0), (10.0001, 1.6, 0.0))),
    ("put at a table, outside of every zone", _TABLE.channel_id, ((50.0, 1.6, 0.0), None)),
    ("a zone goes before where they were put", _TABLE.channel_id, ((5.0, 1.6, -5.0), (50.0, 1.6, 0.0))),
    (
        "put where there is no channel any more",
        "vch_" + "z" * 12,
        ((50.0, 1.6, 0.0), (1.0, 1.6, 1.0), (50.0, 0.0, 0.0)),
    ),
    ("put in a zone's channel without standing in it", _BOOTH.channel_id, ((50.0, 1.6, 0.0), (-5.0, 1.6, 0.0))),
    ("corners and faces are within", MAIN_ID, ((10.0, 4.0, 10.0), None, (-10.0, 0.0, -10.0), None, (10.0, 2.0, 0.0))),
    ("the smallest, where several", MAIN_ID, ((1.0, 1.6, 1.0), (-1.0, 1.6, -1.0), (1.0, 1.6, 1.0))),
    ("of one volume, the one whose id sorts first", MAIN_ID, ((2.0, 1.6, 1.0),)),
    ("it keeps whoever is in it up to the edge", MAIN_ID, ((11.0, 1.6, 0.0), (9.9, 1.6, 0.0), (10.5, 1.6, 0.0))),
    ("and lets go beyond it", MAIN_ID, ((9.9, 1.6, 0.0), (10.5000001, 1.6, 0.0), (10.4, 1.6, 0.0), (10.0, 1.6, 0.0))),
    ("from a small one into the large one around it", MAIN_ID, ((1.0, 1.6, 1.0), (-0.5, 1.6, 1.0), (-0.6, 1.6, 1.0))),
    (
        "back and forth between two side by side",
        MAIN_ID,
        ((1.0, 1.6, 1.0), (2.4, 1.6, 1.0), (2.6, 1.6, 1.0), (1.6, 1.6, 1.0)),
    ),
    ("a flat one, by its edge", MAIN_ID, ((6.0, 0.0, 6.0), (6.0, 0.5, 6.0), (6.0, 0.6, 6.0))),
    ("jumping up", MAIN_ID, ((1.0, 2.5, 1.0), (1.0, 3.0, 1.0), (1.0, 3.1, 1.0), (1.0, 4.6, 1.0))),
)


def voice_where() -> dict[str, Any]:
    """Walks through a room's channels, and where each place of them is."""
    chance = Random(_SEED)
    strolls = [(f"a stroll, {number}", MAIN_ID, _stroll(chance)) for number in range(20)]
    return {
        "edge_m": limits.VOICE_ZONE_EDGE_M,
        "channels": msgspec.to_builtins(_CHANNELS),
        "walks": [_walk(*walk) for walk in (*_WALKS, *strolls)],
    }


def _walk(name: str, put_id: str, places: tuple[Vec3 | None, ...]) -> dict[str, Any]:
    was: str | None = None
    steps = []
    for place in places:
        was = channel_at(_CHANNELS, put_id, was, place)
        steps.append({"position": place, "channel_id": was})
    return {"name": name, "put_id": put_id, "steps": steps}


def _stroll(chance: Random) -> tuple[Vec3, ...]:
    """Small steps about the edges of everything."""
    x, y, z = chance.uniform(-1, 5), chance.choice((0.0, 1.6)), chance.uniform(-1, 3)
    places = []
    for _ in range(30):
        x, z = x + chance.uniform(-0.8, 0.8), z + chance.uniform(-0.8, 0.8)
        places.append((round(x, 3), y, round(z, 3)))
    return tuple(places)
