"""What is said in a room while it is recorded, as parts that are stored while it goes on. Pure.

The law: nobody waits for a recording. A packet that comes is a few bytes more in memory; each RECORDING_PART_S they become a
part, which is whole by itself (it says again who its tracks are), so that one that is lost is no more than its own seconds.
Parts wait for a slow bucket up to WAITING_BYTES; then the oldest is lost, and that is told.

A part is MAGIC and records: kind (1 byte), length of what follows (2), and
- TRACK: number (2), then JSON of `TrackOf`;
- PACKET: track (2), when it came (4, ms after the recording's start), sequence (2), timestamp (4), SSRC (4), level (1), Opus;
- EVENT: JSON of `wire.voice.TimelineEvent`.
Numbers have the network's byte order.
"""

import struct
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import msgspec

from chalicelib.wire import limits
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import TimelineEvent
from media_node.rtp import SILENT, Rtp

MAGIC: Final = b"HOLOPART1\n"
TRACK, PACKET, EVENT = 1, 2, 3
RECORD: Final = struct.Struct("!BH")
HEARD: Final = struct.Struct("!HIHIIB")
_PACKET: Final = struct.Struct("!BHHIHIIB")
PART_BYTES: Final = 1 << 20
"""A part is stored earlier where it has grown so large."""
WAITING_BYTES: Final = 16 << 20
"""What waits for the bucket at most, of one recording: with a room of ordinary size, minutes."""
_STEP_M: Final = 0.2
"""Whoever moves less has not moved."""

_encode: Final = msgspec.json.Encoder().encode


class TrackOf(msgspec.Struct, frozen=True):
    """Whose a track is."""

    peer_id: str
    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes to store. `at_ms` is when it begins, after the recording's start."""

    number: int
    at_ms: int
    data: bytes


@dataclass(slots=True)
class _Track:
    number: int
    said: bytes
    """Its record, for each part that it is in."""
    part: int = -1
    """The last one that has it."""
    position: Vec3 | None = None


class Recorder:
    """One recording on one node."""

    def __init__(self) -> None:
        self.packets = 0
        self._tracks: dict[str, _Track] = {}
        self._pages: Counter[str] = Counter()
        """How many tracks somebody has."""
        self._data = bytearray(MAGIC)
        self._number = 0
        self._from_ms: int | None = None

    def join(self, of: TrackOf, position: Vec3 | None, at_ms: int) -> bool:
        """A page that is written from now on; False where there are too many, or too many of that person."""
        track = self._tracks.get(of.peer_id)
        if track is None:
            number = len(self._tracks)
            if number >= limits.RECORDING_TRACKS_MAX or self._pages[of.user_id] >= limits.RECORDING_TRACKS_OF_ONE:
                return False
            self._pages[of.user_id] += 1
            body = number.to_bytes(2) + _encode(of)
            track = self._tracks[of.peer_id] = _Track(number, RECORD.pack(TRACK, len(body)) + body)
        track.position = position
        self._event(of.peer_id, of.user_id, "joined", position, at_ms, of.name)
        return True

    def hear(self, peer_id: str, packet: Rtp, at_ms: int) -> None:
        """A page's packet; one of nothing is nothing. Where it tells no level, SILENT stands for that."""
        opus = packet.payload
        if not opus:
            return
        track = self._tracks[peer_id]
        if track.part != self._number:
            track.part = self._number
            self._data += track.said
        if self._from_ms is None:
            self._from_ms = at_ms
        size = HEARD.size + len(opus)
        level = SILENT if packet.level is None else packet.level
        self._data += _PACKET.pack(
            PACKET, size, track.number, at_ms, packet.sequence, packet.timestamp, packet.ssrc, level
        )
        self._data += opus
        self.packets += 1

    def move(self, of: TrackOf, position: Vec3, at_ms: int) -> None:
        """Where a page stands now."""
        track = self._tracks[of.peer_id]
        if track.position is None or _far(track.position, position):
            track.position = position
            self._event(of.peer_id, of.user_id, "moved", position, at_ms)

    def leave(self, of: TrackOf, at_ms: int) -> None:
        """A page that is not written any more; it may come again."""
        self._event(of.peer_id, of.user_id, "left", None, at_ms)

    @property
    def large(self) -> bool:
        """Whether the part is to be cut before its time."""
        return len(self._data) >= PART_BYTES

    def cut(self) -> Part | None:
        """What came since the last time; None: nothing."""
        if self._from_ms is None:
            return None
        part = Part(self._number, self._from_ms, bytes(self._data))
        self._number += 1
        self._data = bytearray(MAGIC)
        self._from_ms = None
        return part

    def _event(
        self, peer_id: str, user_id: str, event: str, position: Vec3 | None, at_ms: int, name: str | None = None
    ) -> None:
        told = TimelineEvent(at_ms=at_ms, peer_id=peer_id, user_id=user_id, name=name, event=event, position=position)
        body = _encode(told)
        if self._from_ms is None:
            self._from_ms = at_ms
        self._data += RECORD.pack(EVENT, len(body)) + body


class Waiting:
    """Parts that the bucket does not have yet, the oldest first."""

    def __init__(self, most_bytes: int = WAITING_BYTES) -> None:
        self.lost = 0
        """Parts, so far."""
        self._most_bytes = most_bytes
        self._parts: deque[Part] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._parts)

    def put(self, part: Part) -> int:
        """One more; how many older ones are lost for it."""
        self._parts.append(part)
        self._size += len(part.data)
        lost = 0
        while self._size > self._most_bytes and len(self._parts) > 1:
            self._size -= len(self._parts.popleft().data)
            lost += 1
        self.lost += lost
        return lost

    def first(self) -> Part | None:
        """The oldest; it stays until it is `done`, or lost."""
        return self._parts[0] if self._parts else None

    def done(self, part: Part) -> None:
        """The bucket has it."""
        if self._parts and self._parts[0] is part:
            self._parts.popleft()
            self._size -= len(part.data)


def _far(a: Vec3, b: Vec3) -> bool:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) >= _STEP_M**2
