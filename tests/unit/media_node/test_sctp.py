"""Associations carry messages whole, in order where asked, and give up where asked; over networks good and bad."""

from contextlib import suppress
from random import Random

import pytest

from media_node import sctp_chunks as wire
from media_node.sctp import Association, State
from media_node.sctp_chunks import M32, PACKET_BYTES, PAYLOAD_BYTES, SctpError
from tests.unit.media_node.associations import Network

SEEDS = range(6)


def packets_of(network: Network, whose: int, kind: int) -> int:
    """How many chunks of a kind an end has sent."""
    return sum(k == kind for end, packet in network.sent if end == whose for k, _, _ in wire.unseal(packet)[1])


def test_both_sides_come_to_be_open_and_know_the_round_trip() -> None:
    """By heartbeats, from the beginning."""
    network = Network(1).open()
    assert network.node.rtt_s == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("seed", SEEDS)
def test_they_come_to_be_open_whatever_is_lost(seed: int) -> None:
    """INIT, INIT-ACK, COOKIE-ECHO, COOKIE-ACK and heartbeats may each be lost, and late ones come twice."""
    Network(seed, loss=0.4, reorder=0.3).open()


@pytest.mark.parametrize("size", [1, 3, PAYLOAD_BYTES, PAYLOAD_BYTES + 1, 30_000, 120_000])
def test_messages_arrive_whole(size: int) -> None:
    """Of any size, either way, ordered or not."""
    network = Network(size).open()
    data = network.chance.randbytes(size)
    for end in network.ends:
        end.send(2, 53, data)
        end.send(1, 51, data, ordered=False)
    network.run(lambda: all(len(each) == 2 for each in network.got))
    for got in network.got:
        assert sorted(got) == [(1, 51, data), (2, 53, data)]
    assert max(len(packet) for _, packet in network.sent) <= PACKET_BYTES


@pytest.mark.parametrize("loss", [0.02, 0.1])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_reliable_channel_delivers_everything_in_order(seed: int, loss: float) -> None:
    """Whatever is lost and overtaken, and at what time it is said."""
    network = Network(seed, loss=loss, reorder=0.2).open()
    said = [network.chance.randbytes(network.chance.choice([1, 40, 900, 1500, 9000])) for _ in range(120)]
    for data in said:
        for end in network.ends:
            end.send(2, 53, data)
        network.run_for(network.chance.random() * 0.01)
    network.run(lambda: all(len(each) == len(said) for each in network.got))
    for got in network.got:
        assert [data for _, _, data in got] == said
    for end in network.ends:
        assert end.buffered(2) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_an_unreliable_channel_goes_on_and_sends_nothing_twice(seed: int) -> None:
    """maxRetransmits 0: what is lost is given up, told by FORWARD-TSN, and the rest arrives."""
    network = Network(seed, loss=0.1, reorder=0.1).open()
    began = len(network.sent)
    for index in range(300):
        network.node.send(1, 53, index.to_bytes(2, "big") * 800, ordered=False, retransmits=0)
        network.run_for(0.05)
    network.loss = 0.0
    network.node.send(2, 53, b"the end")
    network.run(lambda: (2, 53, b"the end") in network.got[0])
    network.run_for(2)
    frames = [data for stream, _, data in network.got[0] if stream == 1]
    assert 180 < len(frames) < 300
    assert len(set(frames)) == len(frames)
    tsns = [
        wire.DATA_FIELDS.unpack_from(value)[:2]
        for end, packet in network.sent[began:]
        if end == 1
        for kind, _, value in wire.unseal(packet)[1]
        if kind == wire.DATA and wire.DATA_FIELDS.unpack_from(value)[1] == 1
    ]
    assert len(set(tsns)) == len(tsns)
    assert packets_of(network, 1, wire.FORWARD_TSN) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_both_kinds_share_an_association(seed: int) -> None:
    """Frames that are given up do not stop what has to arrive, and nothing of them is kept."""
    network = Network(seed, loss=0.1, reorder=0.1).open()
    for index in range(150):
        for end in network.ends:
            end.send(1, 53, bytes(2300), ordered=False, retransmits=0)
            end.send(2, 51, str(index).encode())
        network.run_for(0.02)
    network.run(lambda: all(sum(s == 2 for s, _, _ in each) == 150 for each in network.got))
    for got in network.got:
        assert [int(data) for stream, _, data in got if stream == 2] == list(range(150))
    network.loss = 0.0
    network.run_for(20)
    for end in network.ends:
        assert (end._inbound._held, end._outbound._flight, end._outbound._lost) == (0, 0, 0)
        assert not end._outbound._sent


def test_what_is_given_up_before_it_was_all_sent_is_skipped_whole() -> None:
    """A long unreliable message, whose first parts are lost: its other parts are never sent, nothing waits for them."""
    network = Network(3).open()
    network.dark = True
    network.node.send(1, 53, bytes(60_000), ordered=False, retransmits=0)
    network.run_for(0.1)
    assert network.node.buffered(1) > 40_000
    network.run_for(1)
    assert network.node.buffered(1) == 0
    network.dark = False
    network.node.send(2, 51, b"on")
    network.run(lambda: network.got[0] == [(2, 51, b"on")])


def test_ordered_messages_may_be_given_up_too() -> None:
    """The receiver is told which sequence to go on after."""
    network = Network(4).open()
    network.dark = True
    network.node.send(2, 51, b"lost", retransmits=0)
    network.run_for(0.01)
    network.dark = False
    network.node.send(2, 51, b"found", retransmits=0)
    network.run(lambda: network.got[0] == [(2, 51, b"found")])
    network.node.send(2, 51, b"next")
    network.run(lambda: len(network.got[0]) == 2)


def test_a_peer_without_partial_reliability_gets_everything() -> None:
    """Nothing can be skipped there, so it is sent again."""
    network = Network(5, partial=False).open()
    network.dark = True
    network.node.send(1, 53, b"frame", ordered=False, retransmits=0)
    network.run_for(0.01)
    network.dark = False
    network.run(lambda: network.got[0] == [(1, 53, b"frame")])
    assert packets_of(network, 1, wire.FORWARD_TSN) == 0


def test_small_messages_share_packets_and_acknowledgements_ride_along() -> None:
    """Ten messages within a turn are one packet; an answer carries the acknowledgement of the question."""
    network = Network(6).open()
    began = len(network.sent)
    for index in range(10):
        network.opener.send(2, 51, f"question {index}".encode())
    network.run(lambda: len(network.got[1]) == 10)
    network.node.send(2, 51, b"answer")
    network.run(lambda: len(network.got[0]) == 1)
    assert [end for end, _ in network.sent[began:]] == [0, 1]
    assert [kind for kind, _, _ in wire.unseal(network.sent[-1][1])[1]] in (
        [wire.DATA, wire.SACK],
        [wire.SACK, wire.DATA],
    )


def test_every_second_packet_is_acknowledged_at_once_and_a_single_one_soon() -> None:
    """RFC 9260 section 6.2; one that asks for it (RFC 7053) is acknowledged at once."""
    network = Network(7).open()
    before = packets_of(network, 1, wire.SACK)
    network.opener.send(2, 53, bytes(2 * PAYLOAD_BYTES))
    network.run_for(0.02)
    assert packets_of(network, 1, wire.SACK) == before + 1
    network.opener.send(2, 53, b"x")
    network.run_for(0.05)
    assert packets_of(network, 1, wire.SACK) == before + 1
    network.run_for(0.1)
    assert packets_of(network, 1, wire.SACK) == before + 2


def test_a_long_message_does_not_hold_the_other_channel_up() -> None:
    """Queues take turns, a message each."""
    network = Network(8).open()
    for _ in range(5):
        network.node.send(2, 53, bytes(60_000))
    network.node.send(1, 53, b"frame", ordered=False, retransmits=0)
    network.run(lambda: (1, 53, b"frame") in network.got[0])
    assert sum(stream == 2 for stream, _, _ in network.got[0]) <= 1
    network.run(lambda: len(network.got[0]) == 6)


def test_a_slow_reader_is_sent_no_more_than_its_window() -> None:
    """And what waits is told truly."""
    network = Network(9).open()
    network.node._outbound._peer_window = 4000
    network.node.send(2, 53, bytes(100_000))
    network.node.flush(network.now)
    assert network.node.buffered(2) > 100_000 - 4000


def test_silence_ends_it_after_so_many_tries() -> None:
    """RFC 9260 section 8.1."""
    network = Network(10).open()
    network.node.send(2, 51, b"anybody?")
    network.dark = True
    network.run(lambda: network.node.state is State.CLOSED)
    assert 30 < network.now - 100 < 120


@pytest.mark.parametrize("end", [wire.ABORT, wire.SHUTDOWN])
def test_the_peer_may_end_it(end: int) -> None:
    """By ABORT, or in good order."""
    network = Network(11).open()
    network.node.receive(
        wire.seal(5000, 5000, network.node._tag, [wire.chunk(end, 0, bytes(4) if end == wire.SHUTDOWN else b"")]),
        network.now,
    )
    assert network.node.state is State.CLOSED
    answer = [kind for packet in network.node.flush(network.now) for kind, _, _ in wire.unseal(packet)[1]]
    assert answer == ([wire.SHUTDOWN_ACK] if end == wire.SHUTDOWN else [])
    network.node.send(2, 51, b"too late")
    assert network.node.flush(network.now) == []


def test_a_peer_that_never_knew_us_may_end_it_by_its_own_tag() -> None:
    """The T bit (RFC 9260 section 8.5.1)."""
    network = Network(12).open()
    network.node.receive(wire.seal(5000, 5000, network.node._peer_tag, [wire.chunk(wire.ABORT, 1)]), network.now)
    assert network.node.state is State.CLOSED


def test_an_abort_of_ours_is_told_once() -> None:
    """And nothing is due after it."""
    network = Network(13).open()
    network.node.abort()
    network.node.abort()
    network.run_for(1)
    assert network.opener.state is State.CLOSED
    assert network.node.deadline == float("inf")


def test_closing_a_channel_is_answered_and_told() -> None:
    """RFC 6525: first in progress, while data before it is missing, then done."""
    network = Network(14).open()
    node = network.node

    def reset(last: int, request: int) -> list[bytes]:
        other = b"\0\x11\0\x0c" + bytes(8)
        head = b"\0\x0d\0\x12" + request.to_bytes(4, "big") + bytes(4)
        value = other + head + last.to_bytes(4, "big") + b"\0\2"
        node.receive(wire.seal(5000, 5000, node._tag, [wire.chunk(wire.RE_CONFIG, 0, value)]), network.now)
        return [
            value
            for packet in node.flush(network.now)
            for kind, _, value in wire.unseal(packet)[1]
            if kind == wire.RE_CONFIG
        ]

    cumulative = node._inbound.cumulative
    assert reset((cumulative + 1) & M32, 7) == [bytes.fromhex("0010000c0000000700000006")]
    assert node.resets == set()
    assert reset(cumulative, 7) == [bytes.fromhex("0010000c0000000700000001")]
    assert node.resets == {2}


def test_late_beginnings_change_nothing() -> None:
    """An INIT or a cookie that comes again when it is open; the cookie is acknowledged again."""
    network = Network(15)
    network.open()
    first = network.sent[0][1]
    network.node.receive(first, network.now)
    assert network.node.flush(network.now) == []
    echo = wire.seal(5000, 5000, network.node._tag, [wire.chunk(wire.COOKIE_ECHO, 0, network.node._cookie)])
    network.node.receive(echo, network.now)
    assert [wire.unseal(each)[1][0][0] for each in network.node.flush(network.now)] == [wire.COOKIE_ACK]
    network.opener.send(2, 51, b"still here")
    network.run(lambda: network.got[1] == [(2, 51, b"still here")])


def test_heartbeats_are_answered_but_not_without_bounds() -> None:
    """As many as fit between two flushes, and only short ones."""
    network = Network(16).open()
    node = network.node
    beat = wire.chunk(wire.HEARTBEAT, 0, bytes(200))
    for _ in range(20):
        node.receive(
            wire.seal(5000, 5000, node._tag, [beat] * 5 + [wire.chunk(wire.HEARTBEAT, 0, bytes(300))]), network.now
        )
    packets = node.flush(network.now)
    assert sum(len(wire.unseal(each)[1]) for each in packets) == 16
    assert max(map(len, packets)) <= PACKET_BYTES


def test_chunks_that_are_not_known_are_passed_over_or_end_the_packet() -> None:
    """By the upper bits of their type (RFC 9260 section 3.2)."""
    network = Network(17).open()
    node, beat = network.node, wire.chunk(wire.HEARTBEAT, 0, b"beat")
    for kind, answered in ((0x3F, 0), (0x7F, 0), (0xBF, 1), (0xFF, 1), (wire.ERROR, 1), (wire.COOKIE_ACK, 1)):
        node.receive(wire.seal(5000, 5000, node._tag, [wire.chunk(kind), beat]), network.now)
        assert len(node.flush(network.now)) == answered


def test_data_before_it_is_open_is_nothing() -> None:
    """Nor is anything else."""
    node = Association(port=5000, peer_port=5000, deliver=lambda *_: pytest.fail("delivered"), chance=Random(0))
    chunks = [
        wire.data_chunk(3, 1, 2, 0, 51, b"x"),
        wire.sack_chunk(0, 0, [], []),
        wire.forward_chunk(1, []),
        wire.chunk(wire.HEARTBEAT, 0, b"x"),
        wire.chunk(wire.SHUTDOWN, 0, bytes(4)),
    ]
    node.receive(wire.seal(5000, 5000, node._tag, chunks), 0.0)
    assert node.flush(0.0) == []


@pytest.mark.parametrize(
    "chunks",
    [
        [wire.chunk(wire.COOKIE_ECHO, 0, b"another's")],
        [wire.chunk(wire.SACK, 0, b"short")],
        [wire.chunk(wire.SACK, 0, bytes(10) + b"\0\7")],
        [wire.chunk(wire.FORWARD_TSN, 0, b"abc")],
        [wire.chunk(wire.DATA, 3, bytes(12))],
        [wire.chunk(wire.RE_CONFIG, 0, b"\0\x0d\0\x05\0")],
        [wire.chunk(wire.RE_CONFIG, 0, b"\0\x0d\0\x50\0")],
    ],
)
def test_a_chunk_that_cannot_be_is_refused(chunks: list[bytes]) -> None:
    """And the association goes on."""
    network = Network(18).open()
    with pytest.raises(SctpError):
        network.node.receive(wire.seal(5000, 5000, network.node._tag, chunks), network.now)
    network.opener.send(2, 51, b"on")
    network.run(lambda: network.got[1] == [(2, 51, b"on")])


def test_acknowledging_what_was_never_sent_is_refused() -> None:
    """It would make us forget what is still to be sent again."""
    network = Network(19).open()
    beyond = (network.node._first_tsn + 5) & M32
    sack = wire.sack_chunk(beyond, 1000, [], [])
    with pytest.raises(SctpError):
        network.node.receive(wire.seal(5000, 5000, network.node._tag, [sack]), network.now)


@pytest.mark.parametrize(
    ("tag", "chunk"),
    [
        (1, wire.chunk(wire.ABORT)),
        (0, wire.chunk(wire.ABORT)),
        (0, wire.chunk(wire.INIT, 0, b"short")),
        (0, wire.chunk(wire.INIT, 0, bytes(16))),
        (0, wire.chunk(wire.INIT, 0, bytes(3) + b"\1" + bytes(4) + b"\0\1\0\1" + bytes(4) + b"\0\1\0\2")),
    ],
)
def test_packets_for_another_association_are_refused(tag: int, chunk: bytes) -> None:
    """By their tag; an INIT that names none, or is cut, likewise."""
    node = Association(port=5000, peer_port=5000, deliver=lambda *_: None, chance=Random(0))
    with pytest.raises(SctpError):
        node.receive(wire.seal(5000, 5000, tag, [chunk]), 0.0)


def test_a_peer_that_never_ends_a_message_ends_its_own_association() -> None:
    """What is held has a bound, and what goes beyond it is no mistake."""
    network = Network(20).open()
    node = network.node
    tsn = node._inbound.cumulative
    for index in range(700):
        tsn = (tsn + 1) & M32
        part = wire.data_chunk(wire.BEGIN if index == 0 else 0, tsn, 2, 0, 53, bytes(1000))
        node.receive(wire.seal(5000, 5000, node._tag, [part]), network.now)
        if node.state is State.CLOSED:
            break
    assert 400 < index < 600


def test_only_declared_errors_escape_whatever_arrives() -> None:
    """Seeded: real packets with bytes changed, and the checksum made right again; other associations never notice."""
    for seed in range(4):
        network = Network(seed, reorder=0.2).open()
        for end in network.ends:
            end.send(2, 53, bytes(5000))
            end.send(1, 53, bytes(50), ordered=False, retransmits=0)
        network.run_for(0.5)
        real = [packet for end, packet in network.sent if end == 0]
        for _ in range(1500):
            packet = bytearray(network.chance.choice(real))
            for _ in range(network.chance.randrange(1, 5)):
                packet[network.chance.randrange(12, len(packet))] = network.chance.randrange(256)
            body = bytes(packet[12:])
            tag = network.chance.choice([0, network.node._tag, network.node._tag, network.node._tag, 7])
            with suppress(SctpError):
                network.node.receive(wire.seal(5000, 5000, tag, [body]), network.now)
            network.node.flush(network.now)
            network.now += 0.01
            network.node.tick(network.now)
        with pytest.raises(SctpError):
            network.node.receive(network.chance.randbytes(100), network.now)
        with pytest.raises(SctpError):
            network.node.receive(b"short", network.now)
