"""One peer has so much of the core in a second, however it asks for it."""

from chalicelib.wire import limits
from media_node.share import Share


def test_so_many_datagrams_in_a_second() -> None:
    """And as many again in the next one."""
    share = Share()
    for now in (5.0, 6.0):
        assert [share.spent(now) for _ in range(limits.LINK_DATAGRAMS_PER_S)] == [False] * limits.LINK_DATAGRAMS_PER_S
        assert share.spent(now + 0.9)


def test_so_much_of_a_second() -> None:
    """However few they were."""
    share = Share()
    assert not share.spent(5.0)
    share.busy_s += limits.LINK_BUSY_S
    assert not share.spent(5.1)
    share.busy_s += 0.001
    assert share.spent(5.2)
    assert not share.spent(6.1)
    assert share.busy_s == 0
