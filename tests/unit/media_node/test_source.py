"""What a sender's packets are as a node receives them."""

from random import Random

import pytest

from chalicelib.wire import limits
from media_node.rtp import Rtp, parse
from media_node.source import BEGINS, STRAY, Bucket, Stream
from tests.fakes.talk import LEVEL_ID, Mouth, weather

OWNER = object()


def packet(data: bytes) -> Rtp:
    """As it is read."""
    found = parse(data, LEVEL_ID)
    assert found is not None
    return found


def numbered(sequence: int, ssrc: int = 77, timestamp: int = 0) -> Rtp:
    """One of a number."""
    return Rtp(111, 0, sequence, timestamp, ssrc, 25, b"opus")


class Reception:
    """A stream, and what came of each packet."""

    def __init__(self, *sequences: int) -> None:
        self.stream = Stream(OWNER, numbered(sequences[0]), 0.0)
        self.got = [self.take(sequence) for sequence in sequences]

    def take(self, sequence: int, now: float = 0.0) -> tuple[int, int] | None:
        """Its whole number and how far ahead it went."""
        ahead = self.stream.ahead(numbered(sequence))
        kept = self.stream.take(numbered(sequence), ahead, now) if ahead != STRAY else None
        return None if kept is None else (kept.sequence, ahead)


def test_numbers_go_on_past_their_wrap() -> None:
    """Also those that come late across it."""
    assert Reception(65_534, 65_535, 1, 0, 2).got == [(65_534, 1), (65_535, 1), (65_537, 2), (65_536, -1), (65_538, 1)]


def test_what_was_there_and_what_is_too_old_is_nothing() -> None:
    """Too old is what the ring has no place for."""
    reception = Reception(1000, 1001, 1001, 1000)
    assert reception.got[2:] == [None, None]
    assert reception.take(1001 + limits.VOICE_RING_PACKETS) is not None
    assert reception.take(1001) is None
    assert reception.stream.kept(1001) is None
    assert reception.stream.kept(1001 + limits.VOICE_RING_PACKETS) is not None


@pytest.mark.parametrize("jump", [3000, 30_000, -200, -30_000])
def test_a_jump_begins_a_stream_only_where_the_next_packet_follows_it(jump: int) -> None:
    """One packet that is out of everything is nobody's (RFC 3550 appendix A.1)."""
    stream = Reception(30_000).stream
    stray = numbered((30_000 + jump) & 0xFFFF)
    assert stream.ahead(stray) == STRAY
    assert stream.ahead(numbered(30_001)) == 1
    assert stream.ahead(stray) == STRAY
    assert stream.ahead(numbered((30_001 + jump) & 0xFFFF)) == BEGINS


def test_packets_that_are_merely_too_old_begin_nothing() -> None:
    """However many of them come in a row."""
    reception = Reception(1000, 1100)
    assert [reception.take(sequence) for sequence in range(1005, 1030)] == [None] * 25


def test_another_ssrc_is_another_stream() -> None:
    """Whatever its numbers."""
    assert Reception(5).stream.ahead(numbered(6, ssrc=78)) == BEGINS


def test_a_gap_is_asked_for_at_once_and_once_more() -> None:
    """And no more than that; what came meanwhile is not."""
    reception = Reception(10)
    taken = reception.take(14, 1.0)
    assert taken == (14, 4)
    assert reception.stream.gap(4, 1.0) == [11, 12, 13]
    reception.take(12, 1.01)
    assert reception.stream.overdue(1.05, 0.0) == []
    assert reception.stream.overdue(1.07, 0.2) == []
    assert reception.stream.overdue(1.25, 0.2) == [11, 13]
    assert reception.stream.overdue(9.0, 0.2) == []


def test_of_a_long_gap_the_newest_are_asked_for() -> None:
    """The others are too late to be heard."""
    reception = Reception(10)
    reception.take(110)
    assert reception.stream.gap(100, 1.0) == list(range(78, 110))


def test_a_report_says_what_was_lost_since_the_last_and_in_all() -> None:
    """RFC 3550 appendix A.3; what came again is not lost."""
    reception = Reception(0, 1, 2, 4)
    first = reception.stream.report(7, 8)
    assert (first.ssrc, first.lost, first.fraction, first.highest, first.last_sr, first.delay) == (77, 1, 51, 4, 7, 8)
    reception.take(3)
    for sequence in range(5, 10):
        reception.take(sequence)
    second = reception.stream.report(0, 0)
    assert (second.lost, second.fraction, second.highest) == (0, 0, 9)
    assert reception.stream.report(0, 0).fraction == 0


def test_jitter_is_what_rfc_3550_says() -> None:
    """Appendix A.8: a sixteenth of each change of the transit time; none where packets come as they were sent."""
    stream = Stream(OWNER, numbered(0), 0.0)
    for sequence in range(100):
        stream.take(numbered(sequence, timestamp=sequence * 960), 1, sequence * 0.02)
    assert stream.report(0, 0).jitter == 0
    stream.take(numbered(100, timestamp=96_000), 1, 2.0 + 0.016)
    assert stream.report(0, 0).jitter == 48


def test_a_timestamp_that_wraps_is_no_jitter() -> None:
    """Which is each day once."""
    stream = Stream(OWNER, numbered(0), 0.0)
    for step in range(10):
        stream.take(numbered(step, timestamp=(2**32 - 4800 + step * 960) & 0xFFFFFFFF), 1, step * 0.02)
    assert stream.report(0, 0).jitter == 0


@pytest.mark.parametrize(("seed", "loss", "jitter_s"), [(1, 0.05, 0.0), (2, 0.1, 0.03), (3, 0.0, 0.2), (4, 0.3, 0.1)])
def test_in_any_weather_each_packet_that_came_in_time_is_kept_once(seed: int, loss: float, jitter_s: float) -> None:
    """Seeded: loss, and reordering by up to ten packets."""
    chance, mouth = Random(seed), Mouth("ada")
    sent = [(number * 0.02, mouth.say()) for number in range(3000)]
    came = [(at, packet(data)) for at, data in weather(sent, chance, loss=loss, jitter_s=jitter_s)]
    stream = Stream(OWNER, came[0][1], came[0][0])
    kept = []
    for at, each in came:
        taken = stream.take(each, stream.ahead(each), at)
        assert taken is not None
        kept.append(taken.sequence)
        assert stream.take(each, stream.ahead(each), at) is None
    assert len(set(kept)) == len(came)
    block = stream.report(0, 0)
    assert block.lost == stream.newest - min(kept[:1]) + 1 - len(came)
    assert block.fraction == pytest.approx(256 * loss, abs=6)


def test_a_bucket_gives_its_burst_and_then_so_many_a_second() -> None:
    """However long it was left alone."""
    bucket = Bucket(3, 10, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.11), bucket.take(0.11)] == [True, False]
    assert sum(bucket.take(99.0) for _ in range(10)) == 3
