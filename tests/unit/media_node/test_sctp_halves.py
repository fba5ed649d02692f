"""The receiving and the sending half by themselves: what a network would bring about once in a thousand."""

from random import Random

import pytest

from media_node import sctp_chunks as wire
from media_node.sctp_chunks import BEGIN, END, IMMEDIATE, M32, UNORDERED, WHOLE, read_sack
from media_node.sctp_inbound import WINDOW_BYTES, Inbound
from media_node.sctp_outbound import Outbound

Message = tuple[int, int, bytes]


@pytest.fixture
def got() -> list[Message]:
    return []


@pytest.fixture
def inbound(got: list[Message]) -> Inbound:
    """Its first TSN is 1."""
    return Inbound(1, lambda *message: got.append(message))


def said(inbound: Inbound) -> tuple[int, int, list[tuple[int, int]]]:
    """Cumulative TSN, window, gaps."""
    return read_sack(inbound.sack()[4:])


def test_tsns_wrap_around(got: list[Message]) -> None:
    """At 2^32, with messages cut across it (RFC 9260 section 1.6)."""
    inbound = Inbound(M32 - 1, lambda *message: got.append(message))
    inbound.data(END, 1, 2, 0, 53, b"d")
    inbound.data(0, 0, 2, 0, 53, b"c")
    inbound.data(BEGIN, M32 - 1, 2, 0, 53, b"a")
    inbound.data(0, M32, 2, 0, 53, b"b")
    assert got == [(2, 53, b"abcd")]
    assert said(inbound) == (1, WINDOW_BYTES, [])


def test_sequences_wrap_around(inbound: Inbound, got: list[Message]) -> None:
    """At 2^16, and may overtake each other there."""
    inbound.forward(10, [(2, 0xFFFE)])
    assert got == []
    inbound.forward(11, [(2, 0x7000)])
    inbound.forward(12, [(2, 0xE000)])
    inbound.forward(13, [(2, 0xFFFE)])
    inbound.data(WHOLE, 15, 2, 0, 51, b"second")
    inbound.data(WHOLE, 14, 2, 0xFFFF, 51, b"first")
    assert got == [(2, 51, b"first"), (2, 51, b"second")]


def test_gaps_are_told_and_duplicates_too(inbound: Inbound) -> None:
    """At once; a duplicate is told of once."""
    for tsn in (3, 4, 7, 4):
        inbound.data(WHOLE | UNORDERED, tsn, 1, 0, 53, b"x")
    assert inbound.sack_at == 0
    made = inbound.sack()
    assert read_sack(made[4:])[::2] == (0, [(3, 4), (7, 7)])
    assert made[-4:] == (4).to_bytes(4, "big")
    assert inbound.sack()[-4:] == bytes.fromhex("00070007")


def test_what_is_told_has_bounds(inbound: Inbound) -> None:
    """Gaps and duplicates fit into a packet, whatever the peer does."""
    for tsn in range(2, 1000, 2):
        for _ in range(2):
            inbound.data(WHOLE | UNORDERED, tsn, 1, 0, 53, b"x")
    assert len(inbound.sack()) <= 4 + 12 + 64 * 4 + 16 * 4


def test_a_chunk_may_ask_to_be_acknowledged_at_once(inbound: Inbound) -> None:
    """RFC 7053."""
    inbound.data(WHOLE | UNORDERED, 1, 1, 0, 53, b"x")
    inbound.packet(5.0)
    assert inbound.sack_at is not None
    assert inbound.sack_at > 5
    inbound.data(WHOLE | UNORDERED | IMMEDIATE, 2, 1, 0, 53, b"x")
    assert inbound.sack_at == 0


def test_far_ahead_and_foreign_streams_are_not_kept(inbound: Inbound, got: list[Message]) -> None:
    """The one is not acknowledged and may come again, the other is, and that is all."""
    inbound.data(WHOLE, 5000, 2, 0, 51, b"x")
    assert said(inbound) == (0, WINDOW_BYTES, [])
    inbound.data(WHOLE, 1, 2000, 0, 51, b"x")
    inbound.forward(2, [(2000, 5)])
    assert said(inbound) == (2, WINDOW_BYTES, [])
    assert got == []


def test_beyond_the_window_only_the_next_is_taken(inbound: Inbound) -> None:
    """So that what is held can come to an end (RFC 9260 section 6.2)."""
    for tsn in range(2, 300):
        inbound.data(WHOLE, tsn, 2, tsn, 51, bytes(1000))
    cumulative, window, gaps = said(inbound)
    assert (cumulative, window) == (0, 0)
    assert gaps[0][1] < 270
    inbound.data(WHOLE, 1, 2, 0, 51, b"x")
    assert said(inbound)[0] == gaps[0][1]
    assert not inbound.overflowed


def test_what_is_late_or_twice_in_its_stream_is_dropped(inbound: Inbound, got: list[Message]) -> None:
    """With TSNs that are new: nobody honest does it."""
    inbound.data(WHOLE, 1, 2, 0, 51, b"a")
    inbound.data(WHOLE, 2, 2, 0, 51, b"again")
    inbound.data(WHOLE, 3, 2, 2, 51, b"c")
    inbound.data(WHOLE, 4, 2, 2, 51, b"again")
    inbound.data(WHOLE, 5, 2, 1, 51, b"b")
    assert [data for _, _, data in got] == [b"a", b"b", b"c"]


def test_parts_that_do_not_belong_together_are_not_joined(inbound: Inbound, got: list[Message]) -> None:
    """Of two streams, or with two beginnings, or with an end before."""
    inbound.data(BEGIN, 1, 2, 0, 51, b"a")
    inbound.data(END, 2, 3, 0, 51, b"b")
    inbound.data(BEGIN, 3, 2, 0, 51, b"c")
    inbound.data(BEGIN, 4, 2, 0, 51, b"d")
    inbound.data(END, 6, 2, 0, 51, b"f")
    inbound.data(END, 7, 2, 0, 51, b"g")
    assert got == []


def test_skipping_delivers_what_was_waiting(inbound: Inbound, got: list[Message]) -> None:
    """In order: what is there before the skipped one, then what follows on it (RFC 3758 section 3.6)."""
    for tsn, sequence in ((6, 5), (4, 3), (2, 1), (9, 8)):
        inbound.data(WHOLE, tsn, 2, sequence, 51, b"%d" % sequence)
    inbound.forward(5, [(2, 4), (3, 1)])
    assert [data for _, _, data in got] == [b"1", b"3", b"5"]
    assert said(inbound)[::2] == (6, [(3, 3)])
    inbound.forward(8, [(2, 2)])
    inbound.forward(3, [])
    inbound.data(WHOLE, 9, 2, 8, 51, b"again")
    inbound.forward(10, [(2, 7)])
    assert [data for _, _, data in got] == [b"1", b"3", b"5", b"8"]
    assert said(inbound) == (10, WINDOW_BYTES, [])


def test_skipping_forgets_parts_but_not_of_a_message_that_goes_on(inbound: Inbound, got: list[Message]) -> None:
    """All of its parts up to there have come."""
    inbound.data(BEGIN | UNORDERED, 2, 1, 0, 53, b"lost")
    inbound.data(BEGIN | UNORDERED, 4, 1, 0, 53, b"a")
    inbound.data(UNORDERED, 5, 1, 0, 53, b"b")
    inbound.forward(5, [])
    inbound.data(END | UNORDERED, 6, 1, 0, 53, b"c")
    assert got == [(1, 53, b"abc")]
    inbound.data(UNORDERED, 8, 1, 0, 53, b"of one whose beginning is lost")
    inbound.forward(8, [])
    inbound.data(END | UNORDERED, 9, 1, 0, 53, b"x")
    inbound.forward(9, [])
    assert said(inbound) == (9, WINDOW_BYTES, [])


def test_a_reset_stream_begins_anew(inbound: Inbound, got: list[Message]) -> None:
    """And what was waiting in it is gone; all streams do where none is named."""
    inbound.data(WHOLE, 1, 2, 0, 51, b"a")
    inbound.data(WHOLE, 2, 2, 5, 51, b"waiting")
    inbound.reset((2, 9))
    inbound.data(WHOLE, 3, 2, 0, 51, b"b")
    inbound.reset(())
    inbound.data(WHOLE, 4, 2, 0, 51, b"c")
    assert [data for _, _, data in got] == [b"a", b"b", b"c"]
    assert said(inbound)[1] == WINDOW_BYTES


def taken(outbound: Outbound, now: float = 0.0) -> list[bytes]:
    """Everything that may go out."""
    outbound.begin()
    made = []
    while (chunk := outbound.take(1176, now)) is not None:
        made.append(chunk)
    return made


def test_a_gap_that_reaches_beyond_what_was_sent_is_not_believed() -> None:
    """The rest of the acknowledgement is."""
    outbound = Outbound(1, 100_000, partial=True)
    for _ in range(4):
        outbound.send(2, 51, b"x" * 100, ordered=True, retransmits=None)
    assert len(taken(outbound)) == 4
    outbound.sacked(1, 100_000, [(2, 2), (3, 9), (0, 1)], 0.1)
    assert outbound.timer_at is not None
    outbound.sacked(4, 100_000, [], 0.1)
    assert outbound.timer_at is None


def test_gap_blocks_are_believed_in_ascending_order_alone() -> None:
    """Else a packet full of blocks that name the same TSNs again and again costs what it likes."""
    outbound = Outbound(1, 1_000_000, partial=True)
    for _ in range(4):
        outbound.send(2, 51, b"x" * 1000, ordered=True, retransmits=None)
    sent = taken(outbound)
    for _ in range(3):
        outbound.sacked(0, 1_000_000, [(4, 4), (2, 3), (4, 4)], 0.1)
        outbound.sacked(0, 1_000_000, [(3, 2)], 0.1)
    outbound.expired(1.0)
    outbound.congestion.window = 100_000
    assert taken(outbound, 1.0) == sent[:3]


def test_who_acknowledges_all_but_the_first_gets_no_more_in_the_end() -> None:
    """What was sent after it has to be remembered for as long, and a gap is news each time."""
    outbound = Outbound(1, 1_000_000, partial=False)
    going: set[bytes] = set()
    for _ in range(4000):
        outbound.send(2, 51, b"x", ordered=True, retransmits=None)
        going.update(taken(outbound))
        if len(going) > 1:
            outbound.sacked(0, 1_000_000, [(2, len(going))], 0.1)
    assert len(going) == 2048
    assert outbound.buffered[2] == 4000 - 2048
    outbound.sacked(2048, 1_000_000, [], 0.2)
    assert taken(outbound)


def test_a_late_acknowledgement_is_nothing() -> None:
    """A newer one was there before it."""
    outbound = Outbound(1, 100_000, partial=True)
    outbound.send(2, 51, b"x", ordered=True, retransmits=None)
    taken(outbound)
    outbound.sacked(1, 5000, [], 0.1)
    outbound.sacked(0, 0, [], 0.2)
    outbound.send(2, 51, b"x" * 2000, ordered=True, retransmits=None)
    assert len(taken(outbound)) == 2


def test_three_reports_of_a_gap_send_it_again_at_once() -> None:
    """Fast retransmit (RFC 9260 section 7.2.4), once, with the window halved."""
    outbound = Outbound(1, 1_000_000, partial=True)
    for _ in range(4):
        outbound.send(2, 51, b"x" * 1000, ordered=True, retransmits=None)
    sent = taken(outbound)
    assert len(sent) == 4
    for last in (1, 2, 3):
        assert taken(outbound, 0.05) == []
        outbound.sacked(0, 1_000_000, [(2, 1 + last)], 0.1)
    assert taken(outbound, 0.1) == [sent[0]]


def test_a_skip_that_does_not_fit_waits_for_the_next_packet() -> None:
    """It is not lost."""
    outbound = Outbound(1, 100_000, partial=True)
    outbound.send(1, 51, b"x", ordered=False, retransmits=0)
    taken(outbound)
    outbound.expired(1.0)
    outbound.begin()
    assert outbound.take(4, 1.0) is None
    assert outbound.take(1176, 1.0) == wire.forward_chunk(1, [])


def test_after_an_expiry_one_packet_probes_and_the_window_grows_again() -> None:
    """RFC 9260 section 7.2.3, slow start after it, and congestion avoidance from the threshold on."""
    outbound = Outbound(1, 1_000_000, partial=True)
    chance = Random(1)
    for _ in range(120):
        outbound.send(2, 51, chance.randbytes(1100), ordered=True, retransmits=None)
    assert len(taken(outbound)) == 9
    outbound.expired(1.0)
    assert len(taken(outbound, 1.0)) == 2
    flights, acked, flying = [], 0, 2
    for step in range(14):
        acked += flying
        outbound.sacked(acked, 1_000_000, [], 1.1 + step)
        flying = len(taken(outbound, 1.1 + step))
        flights.append(flying)
        if acked + flying >= 120:
            break
    assert flights[0] < flights[3] < flights[-1]


def test_the_share_that_is_lost_is_of_the_newest_chunks() -> None:
    """Nothing is said before a hundred; of what was long ago, nothing any more."""
    outbound, number = Outbound(1, 10_000_000, partial=True), 0

    def share_after(count: int, *, lose: bool) -> float | None:
        nonlocal number
        for _ in range(count):
            outbound.send(1, 51, b"x", ordered=False, retransmits=0)
            taken(outbound)
            number += 1
            if lose:
                outbound.expired(float(number))
            outbound.sacked(number, 1_000_000, [], float(number))
        return outbound.losses.share

    assert share_after(99, lose=False) is None
    assert share_after(1, lose=False) == 0
    assert share_after(50, lose=True) == pytest.approx(1 / 3, abs=1e-4)
    assert share_after(50, lose=False) == pytest.approx(1 / 4, abs=1e-4)
    assert share_after(200, lose=False) == 0
