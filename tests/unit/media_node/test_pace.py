"""A pace halves for who cannot keep up, recovers for who can, and does not flap."""

from media_node.pace import SLOWEST, Pace


def _judge(pace: Pace, *, held_up: bool, times: int) -> list[int]:
    """The divisors after each of so many judgements."""
    seen = []
    for _ in range(times):
        pace.judge(held_up=held_up)
        seen.append(pace.divisor)
    return seen


def test_once_or_twice_held_up_changes_nothing() -> None:
    """A hiccup is no trend."""
    pace = Pace()
    assert _judge(pace, held_up=True, times=2) == [1, 1]
    assert _judge(pace, held_up=False, times=3) == [1, 1, 1]
    assert _judge(pace, held_up=True, times=2) == [1, 1]


def test_who_is_held_up_again_and_again_is_told_ever_less_often_but_told() -> None:
    """1, 2, 4, 8, and no slower."""
    assert _judge(Pace(), held_up=True, times=15) == [1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8, SLOWEST]


def test_who_keeps_up_again_gets_all_its_frames_again() -> None:
    """Step by step, each after a while."""
    pace = Pace()
    _judge(pace, held_up=True, times=6)
    seen = _judge(pace, held_up=False, times=400)
    assert sorted(set(seen), reverse=True) == [4, 2, 1]
    assert seen == sorted(seen, reverse=True)


def test_a_recovery_that_does_not_last_makes_the_next_one_wait_longer() -> None:
    """Nothing flaps between two paces."""

    def recovery(pace: Pace) -> int:
        _judge(pace, held_up=True, times=3)
        return _judge(pace, held_up=False, times=2000).index(1)

    pace = Pace()
    waits = []
    for _ in range(3):
        _judge(pace, held_up=True, times=3)
        seen = 0
        while pace.divisor > 1:
            pace.judge(held_up=False)
            seen += 1
        waits.append(seen)
    assert waits[0] < waits[1] < waits[2]
    for _ in range(20):
        _judge(pace, held_up=True, times=3)
        while pace.divisor > 1:
            pace.judge(held_up=False)
    assert recovery(pace) <= 640


def test_a_long_calm_forgets_the_past() -> None:
    """Who has kept up for long recovers as quickly as at first."""
    pace = Pace()
    for _ in range(4):
        _judge(pace, held_up=True, times=3)
        while pace.divisor > 1:
            pace.judge(held_up=False)
    _judge(pace, held_up=False, times=5000)
    _judge(pace, held_up=True, times=3)
    assert _judge(pace, held_up=False, times=100).index(1) < 41


def test_the_frames_of_one_pace_are_spread_over_the_ticks() -> None:
    """Two listeners of half pace have their turns in turn; of full pace, always."""
    half = Pace()
    _judge(half, held_up=True, times=3)
    assert [half.due(tick, 0) for tick in range(4)] == [True, False, True, False]
    assert [half.due(tick, 1) for tick in range(4)] == [False, True, False, True]
    assert all(Pace().due(tick, 5) for tick in range(4))
