"""A sender's clock on the node's, by its sender reports."""

from random import Random

import pytest

from media_node import rtcp
from media_node.rtcp import SenderReport
from media_node.rtp import Rtp
from media_node.source import Stream
from media_node.speaker import Clock

STREAM = Stream(object(), Rtp(111, 0, 1, 48_000, 7, 25, b"opus"), 10.0)


def report(sent_s: float, timestamp: int, ssrc: int = 7) -> SenderReport:
    """What a sender whose clock is an hour behind says at this moment of the node's."""
    return SenderReport(ssrc, rtcp.ntp_of(sent_s - 3600), timestamp, 0, 0)


def test_before_a_report_the_newest_packet_says_what_time_it_is() -> None:
    """And where reports are of another stream."""
    clock = Clock()
    assert clock.timestamp(STREAM, 10.5, 1000.0) == 48_000 + 24_000
    clock.take(report(1000.0, 5, ssrc=8), 10.0, 1000.0)
    assert clock.timestamp(STREAM, 10.5, 1000.5) == 48_000 + 24_000
    assert (clock.last(7, 11.0), clock.last(8, 10.5)[1]) == ((0, 0), 32_768)


def test_the_reports_that_came_fastest_say_how_the_clocks_differ() -> None:
    """Seeded: each is up to a tenth of a second on its way; the fastest alone counts."""
    clock, chance = Clock(), Random(4)
    for second in range(60):
        way_s = 0.01 if second % 7 == 3 else chance.uniform(0.01, 0.1)
        sent_s = 1000.0 + second
        clock.take(report(sent_s, 48_000 * second), 10.0 + second + way_s, sent_s + way_s)
    now = clock.timestamp(STREAM, 75.0, 1065.0)
    assert now / 48_000 == pytest.approx(65.0 - 0.01, abs=0.005)


def test_a_clock_that_drifts_is_followed() -> None:
    """A tenth of a millisecond a second slower than the node's: within a few milliseconds after an hour."""
    clock = Clock()
    for second in range(3600):
        theirs_s = 1000.0 + second * (1 - 1e-4)
        clock.take(report(theirs_s, round(48_000 * second * (1 - 1e-4))), 10.0 + second, 1000.0 + second)
    assert clock.timestamp(STREAM, 3609.0, 4599.0) / 48_000 == pytest.approx(3599 * (1 - 1e-4), abs=0.005)


def test_a_stream_that_begins_anew_has_a_clock_anew() -> None:
    """Another SSRC, another relation of the two."""
    clock = Clock()
    clock.take(report(1000.0, 0), 10.0, 1000.0)
    other = Stream(object(), Rtp(111, 0, 1, 9, 9, 25, b"opus"), 11.0)
    clock.take(SenderReport(9, rtcp.ntp_of(5.0), 96_000, 0, 0), 11.0, 1001.0)
    assert clock.timestamp(other, 12.0, 1002.0) == pytest.approx(96_000 + 48_000, abs=2)
