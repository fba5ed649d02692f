"""Verified bearers, remembered, so that a call costs one SHA-256 and no signature (an ES256 check is 0.2 ms).

Safe because a token is immutable: what it proves depends on its bytes, our keys and the clock, and on nothing that can be
revoked. The key here is the SHA-256 of all its bytes, signature included, so only the very token that was verified is
recalled; its expiry is looked at each time; and after five minutes it is verified anew, so a withdrawn key stops
working. The tokens themselves are not kept. Bounded: the least recently used goes.
"""

import hashlib
import threading
from collections import OrderedDict

from chalicelib.users.model import Verified
from chalicelib.wire import limits


class Identities:
    """An LRU of what was verified. Safe to use from several threads."""

    def __init__(self, size: int = limits.IDENTITIES_REMEMBERED) -> None:
        self._size = size
        self._known: OrderedDict[bytes, tuple[Verified, int]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, token: str, now_s: int) -> Verified | None:
        """What this very token proved, while it is valid and was verified lately."""
        digest = _digest(token)
        with self._lock:
            known, until_s = self._known.get(digest, (None, 0))
            if known is None:
                return None
            if now_s >= until_s:
                del self._known[digest]
                return None
            self._known.move_to_end(digest)
            return known

    def remember(self, token: str, verified: Verified, now_s: int) -> None:
        """Keeps what a token proved, until it expires and for five minutes at most."""
        until_s = min(verified.expires_at_s, now_s + limits.IDENTITY_REMEMBERED_S)
        with self._lock:
            self._known[_digest(token)] = (verified, until_s)
            if len(self._known) > self._size:
                self._known.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
