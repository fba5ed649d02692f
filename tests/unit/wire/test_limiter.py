"""The token buckets."""

from chalicelib.wire import limits
from chalicelib.wire.limiter import Limiter


def test_burst_then_rate() -> None:
    """A burst passes, then one message for each refill."""
    limiter = Limiter(rate=10, burst=3)
    assert [limiter.take("c", 0).wait_ms for _ in range(4)] == [0, 0, 0, 101]
    assert limiter.take("c", 100).wait_ms == 0
    assert limiter.take("c", 150).wait_ms == 51


def test_keys_are_apart_and_forgotten() -> None:
    """One connection's flood is not another's, and a closed one leaves nothing."""
    limiter = Limiter(rate=1, burst=1)
    assert limiter.take("a", 0).wait_ms == 0
    assert limiter.take("b", 0).wait_ms == 0
    assert limiter.take("a", 0).wait_ms
    limiter.forget("a")
    limiter.forget("a")
    assert limiter.take("a", 0).wait_ms == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Time may not be turned back for more tokens."""
    limiter = Limiter(rate=10, burst=1)
    limiter.take("c", 1000)
    assert limiter.take("c", 0).wait_ms


def test_abuse_is_counted_in_a_window() -> None:
    """Past so many refusals within the window a connection is abusive; a new window begins anew."""
    limiter = Limiter(rate=0.001, burst=1)
    limiter.take("c", 0)
    verdicts = [limiter.take("c", 1).abusive for _ in range(limits.VIOLATIONS_MAX + 1)]
    assert verdicts == [False] * limits.VIOLATIONS_MAX + [True]
    assert not limiter.violation("c", limits.VIOLATION_WINDOW_S * 1000 + 1)


def test_memory_is_bounded() -> None:
    """Very many keys are forgotten rather than kept for ever."""
    limiter = Limiter(rate=1, burst=1)
    for i in range(10_001):
        limiter.take(str(i), 0)
    assert len(limiter._buckets) == 1
