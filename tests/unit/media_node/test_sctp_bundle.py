"""What is in one packet, and in which order."""

import random

from media_node import sctp_chunks as wire
from media_node.sctp import Association, State

PEER_TAG = 7
NOW = 100.0


def opened() -> Association:
    association = Association(port=5000, peer_port=5000, deliver=lambda *_: None, chance=random.Random(1))

    def say(piece: bytes, tag: int) -> list[tuple[int, int, bytes]]:
        association.receive(wire.seal(5000, 5000, tag, [piece]), NOW)
        return [each for packet in association.flush(NOW) for each in wire.unseal(packet)[1]]

    ((_, _, answer),) = say(wire.init_chunk(wire.INIT, PEER_TAG, 100_000, 1), 0)
    tag = int.from_bytes(answer[:4], "big")
    cookie = next(content for kind, content in wire._parameters(answer[16:]) if kind == wire._COOKIE)
    say(wire.chunk(wire.COOKIE_ECHO, 0, cookie), tag)
    assert association.state is State.OPEN
    say(wire.data_chunk(wire.WHOLE, 1, 2, 0, 51, b"one"), tag)
    return association


def test_an_acknowledgement_that_rides_on_data_comes_before_it() -> None:
    """RFC 9260 section 6.10. usrsctp, which is Firefox's, ends the association otherwise."""
    association = opened()
    association.send(1, 53, b"frame", ordered=False, retransmits=0)
    (packet,) = association.flush(NOW)
    assert [kind for kind, _, _ in wire.unseal(packet)[1]] == [wire.SACK, wire.DATA]
