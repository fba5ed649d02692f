"""How a drainer goes about it: a function briefly and rarely, a media node for as long as a document is busy. Pure."""

from typing import Final

from msgspec import Struct

from chalicelib.wire import limits


class Pace(Struct, frozen=True, kw_only=True):
    """Times of one kind of drainer. Telling is what costs, so rounds are rarer where many are told."""

    tick_ms: float
    """Rounds are at least so far apart,"""
    per_listener_ms: float
    """or so far for each who is told,"""
    tick_max_ms: float
    """but no farther."""
    lease_ms: int
    linger_ms: int
    """How long the holder stays after the last submission."""
    longest_s: float | None
    """Then it leaves the rest to the next holder; None: there is no such time."""
    ahead_ms: float = 0
    """The queue is read so long before a round; 0: when the round begins."""
    insists: bool = False
    """Whether another holder is asked to leave: this one serves everybody better."""
    snapshot_ms: int = 0
    """While it stays, the document's snapshots are kept up no more often than this; 0: when it leaves."""

    def between_ms(self, listeners: int) -> float:
        """From round to round, with so many to tell."""
        return min(self.tick_max_ms, max(self.tick_ms, listeners * self.per_listener_ms))


FUNCTION: Final = Pace(
    tick_ms=limits.DRAIN_TICK_MS,
    per_listener_ms=limits.DRAIN_TICK_PER_LISTENER_MS,
    tick_max_ms=limits.DRAIN_TICK_MAX_MS,
    lease_ms=limits.DRAIN_LEASE_MS,
    linger_ms=500,
    longest_s=limits.BROADCAST_LONGEST_S,
)
NODE: Final = Pace(
    tick_ms=limits.RELAY_GATHER_MS,
    per_listener_ms=limits.RELAY_GATHER_PER_LISTENER_MS,
    tick_max_ms=limits.RELAY_GATHER_MAX_MS,
    lease_ms=limits.RELAY_LEASE_MS,
    linger_ms=limits.RELAY_LINGER_MS,
    longest_s=None,
    ahead_ms=limits.RELAY_GATHER_MS,
    insists=True,
    snapshot_ms=1000,
)
