"""A recording's parts, put together: one Opus stream a page, and the timeline. Pure.

Theory of operation. Parts come one after another, and bytes of Ogg go out; what is in between is a second and a half of each
page's packets, in which those that came late or twice find their place. Where a packet stands is its RTP timestamp, counted
on from its run's first packet, which stands where it came. A run ends where the sender begins anew (its SSRC), or its
timestamps and the time that passed are too far apart: what a sender says moves its own words by AHEAD_MS at most, and makes
no file longer than the recording, and whoever sends more than that has time for is not written meanwhile: no more of theirs
waits than comes at once. Clocks differ: a run whose words have come to lie DRIFT_MS off begins anew in a silence.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from chalicelib.wire import limits
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import TimelineEvent
from media_node.ogg import PRE_SKIP, Writer
from media_node.opus import GRID, packet_samples
from media_node.recorder import EVENT, HEARD, MAGIC, PACKET, RECORD, TRACK, TrackOf
from media_node.rtp import SILENT

_PER_MS: Final = 48
LATE_MS: Final = 1500
"""A packet may come so much later than one that follows it: it was asked for again."""
AHEAD_MS: Final = 500
BEHIND_MS: Final = 4000
BURST_MS: Final = limits.VOICE_PACKETS_BURST * limits.VOICE_FRAME_MS
"""So much may come at once, of what was held up on its way: what stands later than that has not been said yet."""
DRIFT_MS: Final = 100
_PAUSE_MS: Final = 300
"""A silence: what is before and after it may be moved apart, or together."""
_HANGS_MS: Final = limits.VOICE_HOLD_MS
_SILENT_LEVEL: Final = round(limits.VOICE_SILENCE_DB)

_event: Final = msgspec.json.Decoder(TimelineEvent)
_track: Final = msgspec.json.Decoder(TrackOf)


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet as it was written."""

    track: int
    at_ms: int
    sequence: int
    timestamp: int
    ssrc: int
    level: int
    opus: bytes


Record = tuple[int, TrackOf] | Heard | TimelineEvent


def records(part: bytes) -> Iterator[Record]:
    """What is in a part. ValueError: it is none, or damaged from there on."""
    if not part.startswith(MAGIC):
        raise ValueError("this is no part of a recording")
    at = len(MAGIC)
    while at < len(part):
        if len(part) - at < RECORD.size:
            raise ValueError("a part ends within a record")
        kind, size = RECORD.unpack_from(part, at)
        at += RECORD.size
        body = part[at : at + size]
        if len(body) < size:
            raise ValueError("a part ends within a record")
        at += size
        yield _record(kind, body)


def _record(kind: int, body: bytes) -> Record:
    try:
        if kind == PACKET:
            track, at_ms, sequence, timestamp, ssrc, level = HEARD.unpack_from(body)
            return Heard(track, at_ms, sequence, timestamp, ssrc, level, body[HEARD.size :])
        if kind == TRACK:
            return int.from_bytes(body[:2]), _track.decode(body[2:])
        if kind == EVENT:
            return _event.decode(body)
    except Exception as exc:  # struct.error, msgspec's: all that is not as it was written
        raise ValueError("a record is damaged") from exc
    raise ValueError("a record of no known kind")


class Run:
    """Where a page's packets stand, in samples after the recording's start."""

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._timestamp = self._position = 0
        self._end = 0

    def place(self, heard: Heard, samples: int) -> int | None:
        """Of a packet that is so long; None: there is no place for it, for there has been no time for so much."""
        now = heard.at_ms * _PER_MS // GRID * GRID
        if heard.ssrc == self._ssrc:
            passed = (heard.timestamp - self._timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
            position = self._position + passed
            off_ms = (position - now) / _PER_MS
            paused = position - self._end >= _PAUSE_MS * _PER_MS
            near = -BEHIND_MS <= off_ms <= AHEAD_MS and position % GRID == 0
            if near and not (paused and abs(off_ms) > DRIFT_MS):
                if passed > 0:
                    self._timestamp, self._position = heard.timestamp, position
                self._end = max(self._end, position + samples)
                return position
        position = max(now, self._end)
        if position - now > BURST_MS * _PER_MS:
            return None
        self._ssrc, self._timestamp, self._position = heard.ssrc, heard.timestamp, position
        self._end = position + samples
        return position


class TrackWriter:
    """One page's file, as a stream of bytes."""

    def __init__(self, number: int) -> None:
        self.from_samples: int | None = None
        self.size_bytes = 0
        self._run = Run()
        self._late: list[tuple[int, int, bytes, int]] = []
        self._ogg = Writer(number + 1, channels=1)
        self._count = 0

    @property
    def duration_ms(self) -> int:
        """Of what is written so far."""
        return max(0, self._ogg.samples - PRE_SKIP) // _PER_MS

    @property
    def from_ms(self) -> int:
        """When it begins, after the recording's start."""
        return (self.from_samples or 0) // _PER_MS

    def hear(self, heard: Heard) -> None:
        """One more packet, as it came; one that is no Opus, or for which there was no time, is left out."""
        samples = packet_samples(heard.opus)
        position = self._run.place(heard, samples) if samples else None
        if position is not None:
            self._count += 1
            heapq.heappush(self._late, (position, self._count, heard.opus, samples))

    def take(self, at_ms: int | None) -> bytes:
        """What can be written by then (None: all of it), because nothing comes before it any more."""
        before = None if at_ms is None else (at_ms - LATE_MS) * _PER_MS
        while self._late and (before is None or self._late[0][0] < before):
            position, _, opus, samples = heapq.heappop(self._late)
            self._write(position, opus, samples)
        done = self._ogg.take() if before is not None else self._ogg.end()
        self.size_bytes += len(done)
        return done

    def _write(self, position: int, opus: bytes, samples: int) -> None:
        if self.from_samples is None:
            self.from_samples = position
        missing = position - self.from_samples - self._ogg.samples
        if missing < 0:  # it came twice, or stands where another one does
            return
        self._ogg.gap(missing)
        self._ogg.packet(opus, samples)


@dataclass(slots=True)
class _Voice:
    """Whether a page speaks."""

    of: TrackOf
    heard_at_ms: int | None = None
    """The last packet with a voice in it; None: it is silent."""


class Timeline:
    """Events by time: those that were written, and who speaks when, by what came."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._waiting: list[tuple[int, int, bytes]] = []
        self._count = 0
        self._named: set[str] = set()

    def tell(self, event: TimelineEvent) -> None:
        """One that was written."""
        if event.name is not None and event.peer_id in self._named:
            event = msgspec.structs.replace(event, name=None)
        self._named.add(event.peer_id)
        if event.event == "left":
            self._hush(event.peer_id, event.at_ms)
        self._add(event)

    def hear(self, of: TrackOf, heard: Heard) -> None:
        """A packet: with more in it than silence has (DTX: two bytes), at a level that is heard, or SILENT: untold."""
        if len(heard.opus) <= 2 or _SILENT_LEVEL <= heard.level < SILENT:
            return
        voice = self._voices.setdefault(of.peer_id, _Voice(of))
        if voice.heard_at_ms is not None and voice.heard_at_ms + _HANGS_MS < heard.at_ms:
            self._hush(of.peer_id, heard.at_ms)
        if voice.heard_at_ms is None:
            self._add(TimelineEvent(at_ms=heard.at_ms, peer_id=of.peer_id, user_id=of.user_id, event="speaks"))
        voice.heard_at_ms = max(heard.at_ms, voice.heard_at_ms or 0)

    def take(self, at_ms: int | None) -> bytes:
        """The lines that are certain by then (None: all of them)."""
        for peer_id, voice in self._voices.items():
            if voice.heard_at_ms is not None and (at_ms is None or voice.heard_at_ms + _HANGS_MS < at_ms):
                self._hush(peer_id, voice.heard_at_ms + _HANGS_MS)
        lines: list[bytes] = []
        while self._waiting and (at_ms is None or self._waiting[0][0] < at_ms - LATE_MS):
            lines.append(heapq.heappop(self._waiting)[2])
        return b"".join(lines)

    def _hush(self, peer_id: str, by_ms: int) -> None:
        voice = self._voices.get(peer_id)
        if voice is not None and voice.heard_at_ms is not None:
            at_ms, voice.heard_at_ms = min(by_ms, voice.heard_at_ms + _HANGS_MS), None
            self._add(TimelineEvent(at_ms=at_ms, peer_id=peer_id, user_id=voice.of.user_id, event="silent"))

    def _add(self, event: TimelineEvent) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (event.at_ms, self._count, msgspec.json.encode(event) + b"\n"))


@dataclass(slots=True)
class Middle:
    """Where somebody stood on the whole: the mean of their places, each by how long they stood there."""

    _at_ms: int = 0
    _here: Vec3 | None = None
    _sum: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    _weight: float = 0.0

    def stand(self, position: Vec3 | None, at_ms: int) -> None:
        """From then on there; None: nowhere."""
        if self._here is not None:
            stood = max(1.0, float(at_ms - self._at_ms))
            self._sum = [total + stood * each for total, each in zip(self._sum, self._here, strict=True)]
            self._weight += stood
        self._here, self._at_ms = position, at_ms

    def mean(self, at_ms: int) -> Vec3 | None:
        """Until then."""
        self.stand(None, at_ms)
        if not self._weight:
            return None
        x, y, z = (total / self._weight for total in self._sum)
        return x, y, z
