"""A slot's RTP stream towards one listener, made of whoever is in the slot: their packets under numbers that go on. Pure.

Theory of operation. A listener's decoder knows one stream a slot: one SSRC, sequence numbers without gaps, timestamps that
never jump. While a speaker is in the slot, each packet's numbers are the speaker's plus two offsets, so a gap or a
reordering of theirs stays one, and a packet that was lost on its way to the node and came again has its place. When
another comes into the slot, the offsets are chosen anew at that one's first packet: the sequence goes on by one, the
timestamp by the time that has passed, and the marker is set. Whatever of a speaker is older than the packet that they
began with is not sent, and whoever has left the slot has left it: nothing late of theirs comes among the next one's
packets.

Because numbers are offsets, nothing is kept of what was sent: a number that a listener misses is looked for in the
stretches of the last speakers, and the packet in that speaker's own ring.
"""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from chalicelib.wire import limits
from media_node.rtp import HEADER, MARKER, VERSION
from media_node.source import Kept, Stream

CLOCK_HZ: Final = 48_000
"""Of Opus in RTP, always (RFC 7587 section 4.1)."""
_FRAME: Final = CLOCK_HZ * limits.VOICE_FRAME_MS // 1000
_STRETCHES: Final = 4
_pack: Final = HEADER.pack


class Budget:
    """How many packets a listener may be sent: as many as its slots can bring. What is more is dropped, never queued."""

    __slots__ = ("_at", "_burst", "_per_s", "dropped", "tokens")

    def __init__(self, slots: int, now: float) -> None:
        self._at = now
        self.dropped = 0
        self.allow(slots)

    def allow(self, slots: int) -> None:
        """So many slots from now on."""
        self._per_s = slots * limits.VOICE_PACKETS_PER_S
        self._burst = slots * limits.VOICE_PACKETS_BURST
        self.tokens = float(self._burst)

    def refill(self, now: float) -> None:
        """By the time that passed: each tick, not each packet."""
        tokens = self.tokens + (now - self._at) * self._per_s
        self.tokens, self._at = min(tokens, self._burst), now


class _Stretch:
    """What of one stream went out in a slot, from `first` to `last`, by the stream's own numbers."""

    __slots__ = ("first", "last", "sequence_offset", "stream", "timestamp_offset")

    def __init__(self, stream: Stream, first: int, last: int, offsets: tuple[int, int]) -> None:
        self.stream, self.first, self.last = stream, first, last
        self.sequence_offset, self.timestamp_offset = offsets


class Line:
    """See the module. `payload_type` is the listener's; `send` takes a packet."""

    __slots__ = (
        "_last_at",
        "_last_sequence",
        "_last_timestamp",
        "_stretches",
        "budget",
        "first",
        "octets",
        "packets",
        "payload_type",
        "reported",
        "send",
        "sequence_offset",
        "ssrc",
        "stream",
        "timestamp_offset",
    )

    def __init__(
        self, ssrc: int, payload_type: int, send: Callable[[bytes], None], budget: Budget, chance: Random
    ) -> None:
        self.ssrc, self.payload_type, self.send, self.budget = ssrc, payload_type, send, budget
        self.stream: Stream | None = None
        self.first = 0
        self.sequence_offset = self.timestamp_offset = 0
        self.packets = self.octets = 0
        self.reported = 0
        """`packets` at the last report."""
        self._last_sequence = chance.randrange(2**15)  # far from the wrap: SRTP's counter of wraps begins with ours
        self._last_timestamp = chance.randrange(2**32)
        self._last_at: float | None = None
        self._stretches: deque[_Stretch] = deque(maxlen=_STRETCHES)

    def begin(self, stream: Stream, sequence: int, timestamp: int, now: float) -> None:
        """The slot is a stream's from this packet of it on."""
        passed = _FRAME if self._last_at is None else max(_FRAME, round((now - self._last_at) * CLOCK_HZ))
        self.stream, self.first = stream, sequence
        self.sequence_offset = self._last_sequence + 1 - sequence
        self.timestamp_offset = self._last_timestamp + passed - timestamp

    def end(self) -> None:
        """The stream is in the slot no more; what it got stays its."""
        stream = self.stream
        if stream is None:
            return
        offsets = self.sequence_offset, self.timestamp_offset
        self._stretches.append(_Stretch(stream, self.first, stream.newest, offsets))
        self._last_sequence = stream.newest + self.sequence_offset
        self._last_timestamp = (stream.timestamp + self.timestamp_offset) & 0xFFFFFFFF
        self._last_at = stream.at
        self.stream = None

    def change(self, payload_type: int) -> None:
        """The listener calls Opus so from now on; nobody is in the slot at the moment.

        What went out before is not sent again: it would be other bytes.
        """
        if payload_type != self.payload_type:
            self._stretches.clear()
            self.payload_type = payload_type

    def again(self, sequence: int) -> bytes | None:
        """A packet that went out under this number, or would have; None where nobody has it any more."""
        newest = self._newest
        wanted = newest + ((sequence - newest + 0x8000) & 0xFFFF) - 0x8000
        for stretch in self._all():
            own = wanted - stretch.sequence_offset
            if stretch.first <= own <= stretch.last:
                kept = stretch.stream.kept(own)
                return None if kept is None else self._packet(kept, stretch)
        return None

    def forget(self, owner: object) -> None:
        """Keeps nothing of somebody who has gone."""
        if self.stream is not None and self.stream.owner is owner:
            self.end()
        if any(stretch.stream.owner is owner for stretch in self._stretches):
            others = [stretch for stretch in self._stretches if stretch.stream.owner is not owner]
            self._stretches = deque(others, maxlen=_STRETCHES)

    @property
    def stretches(self) -> int:
        """How many stretches of earlier speakers are known."""
        return len(self._stretches)

    @property
    def _newest(self) -> int:
        return self._last_sequence if self.stream is None else self.stream.newest + self.sequence_offset

    def _all(self) -> "Iterable[_Stretch]":
        if self.stream is not None:
            offsets = self.sequence_offset, self.timestamp_offset
            yield _Stretch(self.stream, self.first, self.stream.newest, offsets)
        yield from reversed(self._stretches)

    def _packet(self, kept: Kept, stretch: _Stretch) -> bytes:
        marker = MARKER if kept.sequence == stretch.first else kept.marker
        header = _pack(
            VERSION,
            self.payload_type | marker,
            (kept.sequence + stretch.sequence_offset) & 0xFFFF,
            (kept.timestamp + stretch.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
        )
        return header + kept.payload


def forward(lines: Iterable[Line], kept: Kept) -> None:
    """A packet to all who hear its sender: the next one of a stream. This runs for each packet and listener."""
    sequence, timestamp, marker, payload = kept.sequence, kept.timestamp, kept.marker, kept.payload
    size = len(payload)
    for line in lines:
        budget = line.budget
        if budget.tokens < 1:
            budget.dropped += 1
            continue
        budget.tokens -= 1
        line.packets += 1
        line.octets += size
        line.send(
            _pack(
                VERSION,
                line.payload_type | marker,
                (sequence + line.sequence_offset) & 0xFFFF,
                (timestamp + line.timestamp_offset) & 0xFFFFFFFF,
                line.ssrc,
            )
            + payload
        )


def forward_late(lines: Iterable[Line], kept: Kept) -> None:
    """A packet that others of its stream have overtaken: to whom the stream was in the slot then already."""
    forward([line for line in lines if kept.sequence >= line.first], kept)
