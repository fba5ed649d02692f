"""Everybody of a recording in one stereo signal, from where they stood. Pure: positions and samples in, samples out.

A listener who was not there stands in the middle of the speakers, turned so that they are spread from left to right. Each
voice is panned by where it is to the sides, with equal power (cos, sin), and falls with distance as the channel's law has it,
by FLOOR_DB at most: nobody is so far away that they are not in the recording. On a stage all are in the middle, and the same.
Gains move in ramps of a block. What all of them are together is held below CEILING by a limiter that looks one block ahead.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import ChannelKind, Distance
from media_node.gain import law_of

Samples = NDArray[np.float32]

BLOCK: Final = 4800
"""100 ms: people do not walk faster than ears follow."""
CEILING: Final = 0.89
"""-1 dB of full scale."""
FLOOR_DB: Final = -15.0
_NEAR_M: Final = 0.5
"""Whoever is nearer is on both sides."""
_WIDEST: Final = 0.9
"""Nobody is on one side alone."""
_CENTRE: Final = (math.sqrt(0.5), math.sqrt(0.5))
_RELEASE: Final = 1.12
"""The limiter lets go by 1 dB a block."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where they stand, and which way is right, on the ground."""

    position: Vec3 = (0.0, 0.0, 0.0)
    right: tuple[float, float] = (1.0, 0.0)


def listener(places: Iterable[Vec3]) -> Listener:
    """In the middle of where people stood. Their longest axis is left to right, seen from where one looks along -Z."""
    found = list(places)
    if not found:
        return Listener()
    x, y, z = (math.fsum(axis) / len(found) for axis in zip(*found, strict=True))
    xx = math.fsum((p[0] - x) ** 2 for p in found)
    zz = math.fsum((p[2] - z) ** 2 for p in found)
    xz = math.fsum((p[0] - x) * (p[2] - z) for p in found)
    angle = 0.5 * math.atan2(2 * xz, xx - zz)
    return Listener((x, y, z), (math.cos(angle), math.sin(angle)))


def loudness(distance_m: float, law: Distance) -> float:
    """The gain at a distance by the channel's law, no less than FLOOR_DB."""
    return max(law_of(law)(distance_m), 10 ** (FLOOR_DB / 20))


def ears(position: Vec3 | None, of: Listener, kind: ChannelKind, law: Distance) -> tuple[float, float]:
    """The gains left and right of a voice that is there; None: nobody knows where."""
    if kind is ChannelKind.STAGE or position is None:
        return _CENTRE
    x, y, z = (a - b for a, b in zip(position, of.position, strict=True))
    distance = math.sqrt(x * x + y * y + z * z)
    side = (x * of.right[0] + z * of.right[1]) / max(distance, _NEAR_M)
    angle = (1 + _WIDEST * max(-1.0, min(1.0, side))) * math.pi / 4
    gain = loudness(distance, law)
    return gain * math.cos(angle), gain * math.sin(angle)


class Bus:
    """Adds voices up, a block at a time."""

    def __init__(self) -> None:
        self._gains: dict[str, tuple[float, float]] = {}
        self._block = np.zeros((2, BLOCK), np.float32)

    def add(self, who: str, voice: Samples, gains: tuple[float, float]) -> None:
        """A voice's next block, and where its gains are at the end of it."""
        before = self._gains.get(who, gains)
        self._gains[who] = gains
        for side in (0, 1):
            if before[side] == gains[side]:
                self._block[side] += voice * np.float32(gains[side])
            else:
                self._block[side] += voice * _ramp(before[side], gains[side])

    def take(self) -> Samples:
        """The block."""
        done, self._block = self._block, np.zeros((2, BLOCK), np.float32)
        return done


class Limiter:
    """Holds a signal below CEILING, without a jump: what a block needs is known one block before it."""

    def __init__(self) -> None:
        self._held: Samples | None = None
        self._held_needs = 1.0
        self._gain = 1.0

    def put(self, block: Samples | None) -> Samples | None:
        """The block before, held; None at the first. `block` None: the last one has been."""
        needs = 1.0
        if block is not None:
            peak = float(np.max(np.abs(block)))
            needs = min(1.0, CEILING / peak) if peak > 0 else 1.0
        held, self._held = self._held, block
        before, self._held_needs = self._held_needs, needs
        if held is None:
            self._gain = needs
            return None
        ends = min(before, needs, self._gain * _RELEASE)
        starts, self._gain = self._gain, ends
        return held if starts == ends == 1.0 else held * _ramp(starts, ends)


def _ramp(before: float, after: float) -> Samples:
    return np.linspace(before, after, BLOCK, dtype=np.float32)
