"""One peer on the relay, as its room knows it."""

from dataclasses import dataclass, field

from chalicelib.wire import limits
from chalicelib.wire.types import PresenceState
from media_node.model import Person
from media_node.ports import Link


@dataclass(slots=True)
class Member:
    """One peer on the relay."""

    link: Link
    person: Person
    index: int
    order: tuple[int, int] = (-1, -1)
    """(epoch, counter) of its newest state."""
    state: PresenceState = field(default_factory=PresenceState)
    state_at_ms: int = 0
    frame_bytes: int = limits.RELAY_FRAME_BYTES
    """How long its page wants frames to be at most."""
    fetches: float = limits.CHANNEL_FETCH_BURST
    """How often it may fetch at once."""
    fetched_at_ms: int = 0

    def fetch_wait_ms(self, now_ms: int) -> int:
        """0 where it may fetch now, and has: a few bytes make the node read and send very many."""
        gained = max(0, now_ms - self.fetched_at_ms) * limits.CHANNEL_FETCH_PER_S / 1000
        self.fetches, self.fetched_at_ms = min(limits.CHANNEL_FETCH_BURST, self.fetches + gained), now_ms
        if self.fetches < 1:
            return int((1 - self.fetches) * 1000 / limits.CHANNEL_FETCH_PER_S) + 1
        self.fetches -= 1
        return 0
