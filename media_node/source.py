"""What one sender's packets are, as a node receives them: their order, what is missing, how well they come. Pure.

A stream is a run of packets whose numbers go on: it ends where the sender begins anew (another SSRC, a jump), and
where the node took nothing for a while (muted, too fast), so that numbers which were never to be forwarded are nobody's
loss. RFC 3550 appendix A.1 (order), A.3 (loss), A.8 (jitter).

Missing packets are asked for at once, and once more if they do not come: later they would come too late to be heard.
"""

from typing import Final

import msgspec

from chalicelib.wire import limits
from media_node.rtcp import Block
from media_node.rtp import Rtp

BEGINS: Final = 0x10000
STRAY: Final = -0x10000
_JUMP: Final = 3000
_MISORDER: Final = 100
_RING: Final = limits.VOICE_RING_PACKETS
_ASKED_MAX: Final = 32
"""Packets in one gap that are asked for: of a longer one the newest, which may still be in time."""
_AGAIN_S: Final = 0.06
"""After so long a packet is asked for once more."""
_CLOCK_HZ: Final = 48_000
_WRAPPED: Final = 0x80000000
"""A timestamp that changed its distance to the clock by so much has gone round."""


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A packet in a ring. `sequence` counts on past 16 bits; `marker` is rtp.MARKER or 0."""

    sequence: int
    timestamp: int
    marker: int
    payload: bytes


class Stream:
    """See the module. `owner` is whose it is."""

    __slots__ = (
        "_base",
        "_before",
        "_jitter",
        "_jumped_to",
        "_missing",
        "_received",
        "_ring",
        "_transit",
        "at",
        "newest",
        "owner",
        "ssrc",
        "timestamp",
    )

    def __init__(self, owner: object, packet: Rtp, now: float) -> None:
        self.owner = owner
        self.ssrc = packet.ssrc
        self.newest = packet.sequence - 1
        self.timestamp = packet.timestamp
        self.at = now
        self._base = packet.sequence
        self._received = 0
        self._before = (0, 0)
        """Expected and received at the last report."""
        self._jitter = 0.0
        self._transit = now * _CLOCK_HZ - packet.timestamp
        self._ring: list[Kept | None] = [None] * _RING
        self._missing: dict[int, float] = {}
        """What was asked for once, and when."""
        self._jumped_to: int | None = None

    def ahead(self, packet: Rtp) -> int:
        """By how many a packet goes beyond the newest (not above 0: it is late), STRAY, or BEGINS.

        One that is too old is astray, and one that jumped; the next one after that begins another stream.
        """
        if packet.ssrc != self.ssrc:
            return BEGINS
        ahead = ((packet.sequence - self.newest + 0x8000) & 0xFFFF) - 0x8000
        if -_RING < ahead < _JUMP:
            return ahead
        if -_MISORDER < ahead < 0:
            return STRAY
        begins = self._jumped_to == packet.sequence
        self._jumped_to = (packet.sequence + 1) & 0xFFFF
        return BEGINS if begins else STRAY

    def take(self, packet: Rtp, ahead: int, now: float) -> Kept | None:
        """The packet, with its whole number; None: it was there already."""
        sequence, timestamp, ring = self.newest + ahead, packet.timestamp, self._ring
        place = sequence % _RING
        there = ring[place]
        if there is not None and there.sequence >= sequence:
            return None
        kept = ring[place] = Kept(sequence, timestamp, packet.marker, packet.payload)
        self._received += 1
        if ahead > 0:
            transit = now * _CLOCK_HZ - timestamp
            change = abs(transit - self._transit)
            if change < _WRAPPED:
                self._jitter += (change - self._jitter) / 16
            self._transit = transit
            self.newest, self.timestamp, self.at = sequence, timestamp, now
        elif self._missing:
            self._missing.pop(sequence, None)
        return kept

    def kept(self, sequence: int) -> Kept | None:
        """A packet by its whole number, while the ring has it."""
        there = self._ring[sequence % _RING]
        return there if there is not None and there.sequence == sequence else None

    def gap(self, ahead: int, now: float) -> list[int]:
        """What is missing just before the newest, which went so far ahead: to be asked for now."""
        missing = list(range(self.newest - min(ahead - 1, _ASKED_MAX), self.newest))
        self._missing.update(dict.fromkeys(missing, now))
        return missing

    @property
    def awaits(self) -> bool:
        """Whether anything was asked for once and did not come."""
        return bool(self._missing)

    def overdue(self, now: float, rtt_s: float) -> list[int]:
        """What was asked for and should be here: to be asked for once more, and then no more."""
        wait_s = max(_AGAIN_S, rtt_s)
        late = [sequence for sequence, asked_at in self._missing.items() if now - asked_at >= wait_s]
        for sequence in late:
            del self._missing[sequence]
        return late

    def report(self, last_sr: int, delay: int) -> Block:
        """How it has been received, for a receiver report; the fraction is since the last one."""
        expected = self.newest - self._base + 1
        wanted, got = expected - self._before[0], self._received - self._before[1]
        self._before = expected, self._received
        fraction = max(0, wanted - got) * 256 // wanted if wanted > 0 else 0
        lost = max(-0x800000, min(0x7FFFFF, expected - self._received))
        return Block(self.ssrc, min(255, fraction), lost, self.newest, int(self._jitter), last_sr, delay)


class Bucket:
    """A token bucket: so many at once, and so many a second on."""

    __slots__ = ("_at", "_burst", "_per_s", "_tokens")

    def __init__(self, burst: float, per_s: float, now: float) -> None:
        self._burst, self._per_s, self._tokens, self._at = burst, per_s, burst, now

    def take(self, now: float) -> bool:
        """Whether one more may pass."""
        tokens, burst = self._tokens + (now - self._at) * self._per_s, self._burst
        self._at = now
        tokens = tokens if tokens < burst else burst
        if tokens < 1:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1
        return True
