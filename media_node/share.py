"""What one peer may take of the core that all share: so many datagrams a second, and so much of each second. Pure."""

from typing import Final

from chalicelib.wire import limits

_SECOND_S: Final = 1.0


class Share:
    """One peer's, by LINK_DATAGRAMS_PER_S and LINK_BUSY_S."""

    __slots__ = ("_began_at", "_heard", "busy_s")

    def __init__(self) -> None:
        self.busy_s = 0.0
        """Spent on it in this second; whoever does something for it adds what that took."""
        self._heard = 0
        self._began_at = float("-inf")

    def spent(self, now: float) -> bool:
        """Counts one more datagram: is it too much? What is, is not even deciphered."""
        if now - self._began_at >= _SECOND_S:
            self._began_at, self._heard, self.busy_s = now, 0, 0.0
        self._heard += 1
        return self._heard > limits.LINK_DATAGRAMS_PER_S or self.busy_s > limits.LINK_BUSY_S
