"""What each listener is told in a tick: what changed since its last frame, without itself, within the budget."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from chalicelib.wire import limits
from chalicelib.wire.types import Vec3
from media_node.audience import Audience
from media_node.frames import HEAD_BYTES, decode, entry
from tests.fakes.relay import state_at


class Crowd:
    """An audience, and who of it is held up."""

    def __init__(self, peers: int, *, settled: bool = True) -> None:
        self.audience = Audience()
        self.tick = 0
        self.counter = 0
        self.held_up: set[int] = set()
        self.more: dict[int, bool] = {}
        for index in range(peers):
            self.audience.join(index)
        if settled:
            self.move(range(peers))
            while any(self.next().values()):
                pass

    def move(self, indices: Iterable[int], *, padding: int = 0, speaking: bool = False, at: Vec3 | None = None) -> None:
        """So many have newer states; peer n stands at n metres."""
        for index in indices:
            self.counter += 1
            place = at or (float(index), 0.0, 0.0)
            data = entry(index, self.counter, state_at(place, padding=padding))
            self.audience.update(index, data, place, speaking=speaking)

    def next(self) -> dict[int, list[int]]:
        """The next tick: whose frame names whom, in order."""
        told: dict[int, list[int]] = {}
        sizes: dict[int, int] = {}
        for index, data in self.audience.frames(self.tick, 1.0, self.held_up.__contains__):
            frame = decode(data)
            assert frame.tick == self.tick
            assert len(data) <= limits.RELAY_PART_BYTES or len(frame.entries) == 1
            told.setdefault(index, []).extend(e.index for e in frame.entries)
            sizes[index] = sizes.get(index, 0) + len(data)
            self.more[index] = frame.more
        assert all(size <= limits.RELAY_FRAME_BYTES or len(told[index]) == 1 for index, size in sizes.items())
        self.tick += 1
        return told


def test_each_gets_what_changed_but_itself() -> None:
    """One frame each; nobody hears of itself."""
    crowd = Crowd(3)
    crowd.move([0, 2])
    assert crowd.next() == {0: [2], 1: [0, 2], 2: [0]}
    assert crowd.next() == {}


def test_what_changed_twice_between_two_ticks_is_told_once_and_newest() -> None:
    """Only the newest state counts."""
    crowd = Crowd(2)
    crowd.move([0])
    crowd.move([0])
    (frame,) = (decode(data) for _, data in crowd.audience.frames(crowd.tick, 1.0, lambda _: False))
    assert [e.counter for e in frame.entries] == [crowd.counter]


def test_a_newcomer_is_told_everybody() -> None:
    """And the others of it, once it has a state."""
    crowd = Crowd(3)
    crowd.audience.join(7)
    assert crowd.next() == {7: [0, 1, 2]}
    crowd.move([7])
    assert crowd.next() == {0: [7], 1: [7], 2: [7]}


def test_who_comes_again_has_forgotten_everything() -> None:
    """A new link of the same peer is told all once more, but not itself."""
    crowd = Crowd(3)
    crowd.audience.join(1)
    assert crowd.next() == {1: [0, 2]}


def test_who_left_is_told_of_no_more_and_told_nothing() -> None:
    """Not even what changed just before."""
    crowd = Crowd(3)
    crowd.held_up = {1}
    crowd.move([0, 2])
    crowd.next()
    crowd.audience.leave(2)
    crowd.held_up = set()
    assert crowd.next() == {1: [0]}
    assert len(crowd.audience) == 2
    crowd.audience.leave(2)


def test_what_did_not_change_is_told_again_soon_and_then_less_often() -> None:
    """A frame may be lost: RELAY_REFRESH_S makes it good, and if that is lost too, what comes after twice as long."""
    crowd = Crowd(2)
    first, most = limits.RELAY_REFRESH_S * limits.RELAY_HZ, limits.RELAY_REFRESH_MAX_S * limits.RELAY_HZ
    told = [crowd.next() for _ in range(first * 3 + most * 2)]
    moments = [tick for tick, frames in enumerate(told, 2) if frames]  # before these came the first, and an empty one
    assert moments == [first, first * 3, first * 3 + most, first * 3 + most * 2]
    assert all(told[tick - 2] == {0: [1], 1: [0]} for tick in moments)
    crowd.move([1])
    moved = [crowd.next() for _ in range(1 + first)]
    assert [1 in frames.get(0, []) for frames in moved] == [True, *[False] * (first - 1), True]


def test_those_who_stand_still_are_told_again_together() -> None:
    """However spread their last moves were, a room that is still is few frames a second; nobody waits longer for it."""
    crowd = Crowd(30)
    ticks = limits.RELAY_REFRESH_MAX_S * limits.RELAY_HZ
    for index in range(30):
        crowd.move([index])
        crowd.next()
    told = [crowd.next() for _ in range(4 * ticks)]
    settled = told[2 * ticks :]
    assert sum(bool(frames) for frames in settled) == 2
    for index in range(1, 30):
        moments = [tick for tick, frames in enumerate(told) if index in frames.get(0, [])]
        assert all(after - before <= ticks for before, after in pairwise(moments))


def test_more_than_share_a_packet_are_told_again_in_several_frames() -> None:
    """None of which is longer than a packet."""
    crowd = Crowd(90)
    ticks = limits.RELAY_REFRESH_MAX_S * limits.RELAY_HZ
    for index in range(90):
        crowd.move([index])
        if index % 5 == 0:
            crowd.next()
    told = [crowd.next() for _ in range(6 * ticks)][4 * ticks :]
    frames = [frames[0] for frames in told if frames]
    assert len(frames) <= 2 * 4
    assert all(
        set(range(1, 90)) <= {index for each in told[at : at + ticks] for index in each.get(0, [])} for at in (0, ticks)
    )


def test_a_listener_whose_channel_is_full_gets_fewer_and_newer_frames() -> None:
    """Nothing queues: what it missed is told once, newest."""
    crowd = Crowd(3)
    crowd.held_up = {0}
    for _ in range(2):
        crowd.move([1, 2])
        assert 0 not in crowd.next()
    crowd.held_up = set()
    crowd.move([1])
    frames = dict(crowd.audience.frames(crowd.tick, 1.0, lambda _: False))
    assert {e.index: e.counter for e in decode(frames[0]).entries} == {1: crowd.counter, 2: crowd.counter - 1}


def test_a_listener_that_stays_slow_is_served_more_rarely() -> None:
    """Its pace halves; the others' does not."""
    crowd = Crowd(2)
    crowd.held_up = {0}
    for _ in range(4):
        crowd.move([1])
        crowd.next()
    assert (crowd.audience.divisor(0), crowd.audience.divisor(1)) == (2, 1)
    crowd.held_up = set()
    told = 0
    for _ in range(10):
        crowd.move([1])
        told += 0 in crowd.next()
    assert told == 5


@pytest.mark.parametrize("peers", [20, 60])
def test_over_budget_everybodys_turn_comes(peers: int) -> None:
    """However much changes in every tick, nobody is told of never."""
    crowd = Crowd(peers)
    seen: dict[int, int] = {}
    for tick in range(60):
        crowd.move(range(1, peers), padding=150)
        for index in crowd.next()[0]:
            seen[index] = tick
    assert set(seen) == set(range(1, peers))
    assert min(seen.values()) > 30
    assert crowd.more[0]


def test_over_budget_the_nearest_come_first() -> None:
    """In nearly every frame, while the far ones take turns."""
    crowd = Crowd(60)
    told: list[int] = []
    for _ in range(40):
        crowd.move(range(1, 60), padding=150)
        told += crowd.next()[0]
    assert all(told.count(near) >= 36 for near in (1, 2, 3, 4))
    assert all(told.count(far) <= 12 for far in (40, 50, 59))


def test_over_budget_whoever_speaks_comes_before_whoever_is_near() -> None:
    """Even from afar."""
    crowd = Crowd(60)
    told: list[int] = []
    for _ in range(40):
        crowd.move(range(1, 59), padding=150)
        crowd.move([59], padding=150, speaking=True)
        told += crowd.next()[0]
    assert told.count(59) >= 36


@pytest.mark.parametrize("most", [limits.RELAY_FRAME_BYTES_MIN, limits.RELAY_PART_BYTES])
def test_a_listener_that_wants_less_gets_shorter_frames_and_everybody_in_the_end(most: int) -> None:
    """The nearest in nearly each, and nothing is lost; the others' frames stay as they are. Who joins again wants all."""
    crowd = Crowd(110)
    crowd.audience.prefer(0, most)
    seen: set[int] = set()
    near = 0
    for _ in range(80):
        crowd.move(range(1, 110))
        frames = list(crowd.audience.frames(crowd.tick, 1.0, lambda _: False))
        crowd.tick += 1
        sizes = {who: sum(len(data) for index, data in frames if index == who) for who in (0, 109)}
        assert sizes[0] <= most
        assert sizes[109] > limits.RELAY_PART_BYTES
        told = {e.index for index, data in frames if index == 0 for e in decode(data).entries}
        near += 1 in told
        seen |= told
    assert near >= 76
    assert seen == set(range(1, 110))
    crowd.audience.join(0)
    assert len(crowd.next()[0]) == 109


def test_who_has_no_place_is_far_from_everybody() -> None:
    """And is told all the same, in its turn."""
    crowd = Crowd(30)
    crowd.audience.join(40)
    crowd.audience.update(40, entry(40, 1, state_at((0.0, 0.0, 0.0), padding=150)), None, speaking=False)
    seen: set[int] = set()
    for _ in range(60):
        crowd.move(range(30), padding=150)
        told = crowd.next()
        seen |= set(told[0])
        assert told[40]
    assert 40 in seen


def test_an_entry_larger_than_a_frame_goes_alone() -> None:
    """It is told, and delays the others by one tick."""
    crowd = Crowd(3)
    crowd.move([1], padding=4000)
    crowd.move([2])
    assert crowd.next()[0] == [1]
    assert crowd.next()[0] == [2]


def test_a_frame_with_nothing_in_it_is_not_sent() -> None:
    """Whoever moves alone hears nothing."""
    crowd = Crowd(2)
    crowd.audience.leave(1)
    crowd.move([0])
    assert crowd.next() == {}
    assert HEAD_BYTES == 14


def test_a_frame_goes_in_parts_of_a_packet_each_complete_in_itself() -> None:
    """All of one tick, none longer than a packet, together everybody but the listener, each once."""
    crowd = Crowd(100)
    crowd.move(range(100))
    parts = [decode(data) for index, data in crowd.audience.frames(crowd.tick, 1.0, lambda _: False) if index == 99]
    assert len(parts) == 2
    assert {part.tick for part in parts} == {crowd.tick}
    assert sorted(e.index for part in parts for e in part.entries) == list(range(99))
