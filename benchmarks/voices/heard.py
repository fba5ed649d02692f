"""What one source sounds like at one listener: what came, what is missing, what to ask for again. Pure.

Missing packets are asked for as soon as a later one came, and once more if they are still missing after AGAIN_S. What came
because it was asked for is told apart: it is late by at least the packet after it.
"""

from typing import Final

from media_node.rtcp import Block

AGAIN_S: Final = 0.1
GIVEN_UP_S: Final = 1.0
ROUND_TRIP_S: Final = 0.008
"""What reports make of the round trip, for Janus keeps packets to send again only once it measured one of whole milliseconds,
and here there is none. The same for all servers."""
M16: Final = 0xFFFF
_FAR: Final = 1000
"""A jump by more is another start."""
_MISSING_MAX: Final = 256


class Heard:
    """A source. `take` each packet; `due` says which are to be asked for by now."""

    __slots__ = ("_last_sr", "_last_sr_at", "_told", "expected", "missing", "next", "of", "taken")

    def __init__(self, of: int) -> None:
        self.of = of
        self.next = -1
        self.missing: dict[int, list[float]] = {}
        """When each was found missing, and when last asked for (before 0: not yet)."""
        self.taken = 0
        self.expected = 0
        self._told = (0, 0)
        self._last_sr, self._last_sr_at = 0, 0.0

    def take(self, sequence: int, now: float) -> bool:
        """A packet came; whether it was asked for, or is a double."""
        if sequence == self.next:
            self.next = (sequence + 1) & M16
            self.taken += 1
            self.expected += 1
            return False
        ahead = (sequence - self.next) & M16
        if self.next < 0 or _FAR < ahead < 65536 - _FAR:
            self.missing.clear()
            ahead = 0
        if ahead < 32768:
            self._skip(ahead, sequence, now)
            self.next = (sequence + 1) & M16
            self.taken += 1
            self.expected += ahead + 1
            return False
        if self.missing.pop(sequence, None) is not None:
            self.taken += 1
        return True

    def due(self, now: float) -> list[int]:
        """What is to be asked for now."""
        asked: list[int] = []
        for sequence, moments in list(self.missing.items()):
            found, last = moments
            if now - found > GIVEN_UP_S:
                del self.missing[sequence]
            elif last < 0 or (last - found < AGAIN_S / 2 and now - last >= AGAIN_S):
                moments[1] = now
                asked.append(sequence)
        return asked

    def sender_reported(self, middle: int, now: float) -> None:
        """Its sender report came (RFC 3550 section 6.4.1: LSR and DLSR)."""
        self._last_sr, self._last_sr_at = middle, now

    def block(self, now: float) -> Block:
        """What to report of it since the last report."""
        expected, taken = self.expected - self._told[0], self.taken - self._told[1]
        self._told = self.expected, self.taken
        lost = max(0, expected - taken)
        delay = int(max(0.0, now - self._last_sr_at - ROUND_TRIP_S) * 65536) if self._last_sr else 0
        fraction = 256 * lost // expected if expected else 0
        highest = (self.next - 1) & M16
        return Block(self.of, min(255, fraction), self.expected - self.taken, highest, 0, self._last_sr, delay)

    def _skip(self, ahead: int, sequence: int, now: float) -> None:
        for back in range(min(ahead, _MISSING_MAX), 0, -1):
            self.missing[(sequence - back) & M16] = [now, -1.0]
