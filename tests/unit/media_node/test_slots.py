"""Who gets a slot, and how loud somebody is believed to be."""

from collections.abc import Sequence
from math import log10
from random import Random

import pytest

from media_node.slots import LOUDEST_DB, QUIET, STICKY, Loudness, choose


def spoken(levels: Sequence[int | None], *, size: int = 60, packets: int = 5) -> Loudness:
    """A speaker after so many turns of a tenth of a second, each of packets that say this level."""
    loudness = Loudness()
    for turn, level in enumerate(levels):
        for _ in range(packets):
            loudness.hear(level, size)
        loudness.settle(turn / 10)
    return loudness


def decibels(loudness: Loudness) -> float:
    """Below full scale."""
    return -20 * log10(loudness.amplitude)


def test_the_mean_comes_to_the_level_within_a_second() -> None:
    """Speech at one level."""
    assert decibels(spoken([30] * 10)) == pytest.approx(30, abs=0.2)


def test_whoever_claims_to_be_louder_than_a_voice_is_as_loud_as_one() -> None:
    """0 dBov for ever is LOUDEST_DB; a normal voice is within what its slot counts for."""
    liar, normal = spoken([0] * 50), spoken([26] * 50)
    assert decibels(liar) == pytest.approx(LOUDEST_DB, abs=0.1)
    assert normal.amplitude * STICKY > liar.amplitude


def test_pauses_do_not_make_a_speaker_quieter() -> None:
    """Nor does one who never makes any become louder by that."""
    pausing = spoken([25, 25, 25, 127, 127] * 6 + [25])
    assert decibels(pausing) == pytest.approx(decibels(spoken([25] * 30)), abs=0.5)


@pytest.mark.parametrize(("size", "packets"), [(3, 5), (8, 5), (60, 1), (60, 0)])
def test_whoever_sends_no_speech_is_silent_whatever_it_claims(size: int, packets: int) -> None:
    """Packets of DTX, or as few as DTX has."""
    liar = spoken([0] * 20, size=size, packets=packets)
    assert (liar.speaking, liar.amplitude) == (False, QUIET)


def test_a_click_is_no_voice() -> None:
    """One loud moment is far below whoever talks."""
    assert decibels(spoken([0])) > decibels(spoken([26] * 5)) + 6


def test_silence_counts_after_the_hold() -> None:
    """Six tenths of a second; then the next word begins from below."""
    loudness = spoken([25] * 10)
    loudness.settle(1.4)
    assert loudness.speaking
    loudness.settle(1.51)
    assert (loudness.speaking, loudness.amplitude) == (False, QUIET)


def test_a_packet_that_says_no_level_counts_for_a_quiet_voice() -> None:
    """Somebody whose client does not measure is heard, behind those who do."""
    assert decibels(spoken([None] * 20)) == pytest.approx(40, abs=0.5)


def test_the_loudest_get_the_slots_and_keep_their_places() -> None:
    """Whoever comes takes a free place; nobody moves."""
    held = choose([None, None], {"a": 0.1, "b": 0.3, "c": 0.2}, 2)
    assert held == ["b", "c"]
    assert choose(held, {"c": 0.5}, 2) == [None, "c"]
    assert choose([None, "c"], {"a": 0.1, "b": 0.3, "c": 0.9}, 2) == ["b", "c"]


def test_who_has_a_slot_keeps_it_unless_another_is_much_louder() -> None:
    """Six decibels: twice."""
    assert choose(["a"], {"a": 0.1, "b": 0.199}, 1) == ["a"]
    assert choose(["a"], {"a": 0.1, "b": 0.2}, 1) == ["b"]


def test_a_listener_may_want_fewer() -> None:
    """The loudest stay where they are."""
    assert choose(["a", "b", "c"], {"a": 0.1, "b": 0.3, "c": 0.2}, 1) == [None, "b", None]
    assert choose(["a", "b"], {"a": 0.1, "b": 0.3}, 0) == [None, None]


def test_of_two_as_loud_whoever_is_earlier() -> None:
    """The same in, the same out."""
    assert choose([None], {"b": 0.2, "a": 0.2}, 1) == ["b"]


def test_whatever_happens_the_slots_are_who_may_be_heard_each_once() -> None:
    """Seeded: loudness that wanders, people who come and go."""
    chance = Random(3)
    held: list[str | None] = [None] * 4
    for _ in range(2000):
        heard = {name: chance.random() for name in "abcdefgh" if chance.random() < 0.6}
        before, held = held, choose(held, heard, 4)
        there = [name for name in held if name is not None]
        assert len(set(there)) == len(there) == min(4, len(heard))
        assert set(there) <= heard.keys()
        assert all(held.index(name) == before.index(name) for name in there if name in before)
