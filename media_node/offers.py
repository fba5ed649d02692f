"""How often a page may offer to a node. Pure: the time is an argument.

An offer costs a node far more than a message does: a description is read, a connection made, another let go of, an answer
sent by the one WebSocket that all rooms have. And each connection brings allowances of its own, which are none where there
is a new one at once. So it is the page that is counted, whatever becomes of its links.
"""

from typing import Final

from chalicelib.wire import limits

_FULL_MS: Final = 1000 * limits.OFFER_BURST / limits.OFFER_REFILL_PER_S
"""After so long, whoever was heard of may do all again: there is nothing to remember."""


class Offers:
    """Of all pages, by the key of their links."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, int]] = {}
        self._looked_at_ms = 0

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._left)

    def take(self, key: str, now_ms: int) -> bool:
        """Whether one more offer of a page is taken now."""
        self._forget(now_ms)
        left, at_ms = self._left.get(key, (float(limits.OFFER_BURST), now_ms))
        left = min(limits.OFFER_BURST, left + max(0, now_ms - at_ms) * limits.OFFER_REFILL_PER_S / 1000)
        taken = left >= 1
        self._left[key] = (left - taken, now_ms)
        return taken

    def _forget(self, now_ms: int) -> None:
        if now_ms - self._looked_at_ms >= _FULL_MS:
            self._looked_at_ms = now_ms
            self._left = {key: known for key, known in self._left.items() if now_ms - known[1] < _FULL_MS}
