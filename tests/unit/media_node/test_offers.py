"""A page offers to a node so many times at once, and so often on."""

from chalicelib.wire import limits
from media_node.offers import Offers


def test_so_many_at_once_and_so_many_on() -> None:
    """What is refused takes nothing; another page has its own."""
    offers = Offers()
    taken = [offers.take("ada", 1000) for _ in range(limits.OFFER_BURST + 3)]
    assert taken == [True] * limits.OFFER_BURST + [False] * 3
    assert offers.take("bob", 1000)
    again_ms = 1000 + int(1000 / limits.OFFER_REFILL_PER_S)
    assert not offers.take("ada", again_ms - 1)
    assert [offers.take("ada", again_ms) for _ in range(2)] == [True, False]


def test_whoever_may_do_all_again_is_forgotten() -> None:
    """Memory does not grow with pages that have gone; a clock that is set back gives nobody more."""
    offers = Offers()
    for number in range(50):
        offers.take(f"page {number}", 1_000_000)
    assert len(offers) == 50
    later_ms = 1_000_000 + int(1000 * limits.OFFER_BURST / limits.OFFER_REFILL_PER_S)
    for _ in range(limits.OFFER_BURST):
        assert offers.take("ada", later_ms)
    assert len(offers) == 1
    assert not offers.take("ada", later_ms - 500_000)
