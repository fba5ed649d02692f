"""Token buckets, one a connection or a page, in a process's memory. Pure: the clock is an argument.

Functions share no memory, so with n containers a client gets up to n times the rate; the stage's own throttle bounds
the sum, and what goes out is bounded by the tick, whatever comes in. Exactness here would cost a write a message.
"""

from dataclasses import dataclass
from typing import Final

from chalicelib.wire import limits

_KEYS_MAX: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_ms: int
    refused: int = 0
    window_ms: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait_ms` is 0 where the message may pass; `abusive` when the connection should be closed."""

    wait_ms: int
    abusive: bool = False


class Limiter:
    """`rate` messages a second, `burst` at once, for each key."""

    def __init__(self, *, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str, now_ms: int) -> Verdict:
        """Takes one token if there is one."""
        bucket = self._bucket(key, now_ms)
        gained = max(0, now_ms - bucket.at_ms) * self._rate / 1000
        bucket.tokens = min(self._burst, bucket.tokens + gained)
        bucket.at_ms = now_ms
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return Verdict(0)
        wait_ms = int((1 - bucket.tokens) * 1000 / self._rate) + 1
        return Verdict(wait_ms, abusive=self._count(bucket, now_ms))

    def violation(self, key: str, now_ms: int) -> bool:
        """Counts a message that could not be understood; True when the connection should be closed."""
        return self._count(self._bucket(key, now_ms), now_ms)

    def forget(self, key: str) -> None:
        """The connection is over."""
        self._buckets.pop(key, None)

    def _bucket(self, key: str, now_ms: int) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _KEYS_MAX:
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(tokens=self._burst, at_ms=now_ms, window_ms=now_ms)
        return bucket

    def _count(self, bucket: _Bucket, now_ms: int) -> bool:
        if now_ms - bucket.window_ms > limits.VIOLATION_WINDOW_S * 1000:
            bucket.window_ms, bucket.refused = now_ms, 0
        bucket.refused += 1
        return bucket.refused > limits.VIOLATIONS_MAX
