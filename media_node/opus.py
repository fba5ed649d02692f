"""What an Opus packet is, as far as it can be seen without decoding it; and packets for where there is none. Pure.

RFC 6716 section 3.1 (the first byte, TOC, says bandwidth and length of a frame), 3.2 (how frames are packed, and which
packets are malformed). RFC 7845 section 4.1 has what stands where packets were lost or not sent: frames of no bytes, which
a decoder conceals. Lengths are in samples of 48 kHz.
"""

from collections.abc import Iterator
from typing import Final

RATE: Final = 48_000
GRID: Final = 120
"""2.5 ms, the shortest frame: whatever is missing is filled by multiples of it."""
_LONGEST: Final = 5760
"""120 ms: no packet is longer (section 3.2.5)."""
_CONCEALED: Final = 24_000
"""What is missing longer is silence from there on: concealment goes on from what was heard, and knows no more."""
_FRAME_BYTES: Final = 1275
_SILENCE: Final = b"\xff\xfe"
"""A frame of CELT that says no more than that it is silent."""
_SILENT_20: Final = 31 << 3
_SILENT_2_5: Final = 28 << 3
_SILK: Final = (480, 960, 1920, 2880)
_HYBRID: Final = (480, 960)
_CELT: Final = (120, 240, 480, 960)


def frame_samples(toc: int) -> int:
    """How long each frame of a packet is that begins with this byte."""
    config = toc >> 3
    if config < 12:
        return _SILK[config & 3]
    return _HYBRID[config & 1] if config < 16 else _CELT[config & 3]


def packet_samples(packet: bytes) -> int:
    """How long a packet is; 0 for one that is malformed (RFC 6716 section 3.4)."""
    if not packet:
        return 0
    code, size = packet[0] & 3, len(packet) - 1
    if code == 0:
        frames = 1 if size <= _FRAME_BYTES else 0
    elif code == 1:
        frames = 2 if size % 2 == 0 and size <= 2 * _FRAME_BYTES else 0
    elif code == 2:
        first = _length(packet, 1)
        frames = 2 if first is not None and first[0] + first[1] <= len(packet) else 0
    else:
        frames = _many(packet)
    samples = frames * frame_samples(packet[0])
    return samples if samples <= _LONGEST else 0


def _length(packet: bytes, at: int) -> tuple[int, int] | None:
    """The length of a frame that is written at a place, and the place after it (section 3.2.1)."""
    if at >= len(packet):
        return None
    if packet[at] < 252:
        return packet[at], at + 1
    if at + 1 >= len(packet):
        return None
    return packet[at] + 4 * packet[at + 1], at + 2


def _many(packet: bytes) -> int:
    """How many frames a packet of code 3 has; 0 where it is malformed (section 3.2.5)."""
    if len(packet) < 2:
        return 0
    count, at, end = packet[1] & 63, 2, len(packet)
    if packet[1] & 0x40:
        while True:
            if at >= end:
                return 0
            padding, at = packet[at], at + 1
            end -= min(padding, 254)
            if padding != 255:
                break
    if end < at or not count:
        return 0
    if not packet[1] & 0x80:
        return count if (end - at) % count == 0 else 0
    taken = 0
    for _ in range(count - 1):
        found = _length(packet, at)
        if found is None:
            return 0
        taken, at = taken + found[0], found[1]
    return count if taken <= end - at else 0


def filling(samples: int, toc: int | None) -> Iterator[tuple[bytes, int]]:
    """Packets for a time that has none, with their lengths, after a packet that began with `toc` (None: the first ones).

    `samples` is a multiple of GRID. Half a second is concealed, frame by frame as long as those before; then it is silent.
    """
    if toc is not None:
        frame = frame_samples(toc)
        concealed = min(samples, _CONCEALED) // frame
        yield from _empty(toc & 0xFC, concealed)
        samples -= concealed * frame
    if samples >= 960:
        yield bytes((_SILENT_20,)) + _SILENCE, 960
        yield from _empty(_SILENT_20, samples // 960 - 1)
    rest = samples % 960 // GRID
    if rest:
        yield bytes((_SILENT_2_5 | 3, rest)) + _SILENCE * rest, rest * GRID


def _empty(toc: int, frames: int) -> Iterator[tuple[bytes, int]]:
    """Frames of no bytes, as few packets as can be (code 3, constant bit rate)."""
    frame = frame_samples(toc)
    while frames > 0:
        count = min(frames, _LONGEST // frame)
        yield bytes((toc | 3, count)), count * frame
        frames -= count
