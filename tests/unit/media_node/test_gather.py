"""When a socket is read together with what comes a moment later: while there is much, and not else."""

from media_node.gather import Gather


def second_of(gather: Gather, per_s: int, now: float) -> bool:
    """A second in which so many come, one by one."""
    for count in range(per_s):
        on = gather.came(1, now + count / per_s)
    return on


def test_few_are_read_as_they_come_and_many_are_gathered() -> None:
    gather = Gather()
    assert not second_of(gather, 800, 0.0)
    assert second_of(gather, 2500, 1.0)
    assert gather.on


def test_it_ends_when_there_is_little_and_not_at_the_edge() -> None:
    gather = Gather()
    assert second_of(gather, 1200, 0.0)
    assert second_of(gather, 950, 1.0)
    assert not second_of(gather, 750, 2.0)
    assert not second_of(gather, 950, 3.0)


def test_nothing_for_a_long_while_ends_it_with_the_next_look() -> None:
    gather = Gather()
    assert second_of(gather, 2500, 0.0)
    assert not gather.came(0, 9.0)
