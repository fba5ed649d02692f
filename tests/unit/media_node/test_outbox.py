"""Packets that leave together: to whom they are for, whatever the kernel takes of them."""

import errno
import itertools
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pylibsrtp import Policy, Session

from media_node.kernel import ffi
from media_node.outbox import TURN_MAX, Outbox
from media_node.ports import NodeStats
from media_node.rtp import build
from media_node.srtp import PROTECT_MAX, Srtp
from media_node.stun import Address

FAMILIES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
KEY = os.urandom(30)


def session(direction: int) -> Session:
    return Session(Policy(key=KEY, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80))


class Post:
    """An outbox of a real socket, and two who get what it sends."""

    def __init__(self, family: socket.AddressFamily, *send_many: Any) -> None:
        self.node = socket.socket(family, socket.SOCK_DGRAM)
        self.node.bind((FAMILIES[family], 0))
        self.peers = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        for peer in self.peers:
            peer.bind((FAMILIES[family], 0))
            peer.setblocking(False)
        self.counted = NodeStats()
        self.called = 0
        self.outbox = Outbox(self.node, self.counted, self.waits, *send_many)
        self.srtp = Srtp(session(Policy.SSRC_ANY_INBOUND), session(Policy.SSRC_ANY_OUTBOUND))
        self.plain = session(Policy.SSRC_ANY_INBOUND)
        self.sequence = 0
        self.ways = [self.outbox.way() for _ in self.peers]
        for number in range(len(self.peers)):
            self.lead(number, number)

    def lead(self, way: int, peer: int) -> None:
        """One's packets go to somebody from now on."""
        address: Address = self.peers[peer].getsockname()
        self.ways[way].lead(self.srtp, address)

    def add(self, peer: int, payload: bytes = b"sound") -> None:
        self.sequence += 1
        self.ways[peer](build(111, self.sequence, 0, 7, payload))

    def waits(self) -> None:
        """A flush is asked for."""
        self.called += 1

    def got(self, peer: int) -> list[int]:
        """Sequence numbers of what came, deciphered."""
        found: list[int] = []
        while True:
            try:
                data = self.peers[peer].recv(2048)
            except BlockingIOError:
                return found
            found.append(int.from_bytes(self.plain.unprotect(data)[2:4], "big"))

    def close(self) -> None:
        for each in (self.node, *self.peers):
            each.close()


WAYS: dict[str, tuple[Any, ...]] = {"many": (), "one by one": (None,)}
"""With sendmmsg, and where there is none."""


@pytest.fixture(params=itertools.product(FAMILIES, WAYS), ids=lambda both: f"{both[0].name} {both[1]}")
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    family, way = request.param
    made = Post(family, *WAYS[way])
    yield made
    made.close()


def test_each_gets_what_is_for_them_and_nothing_before_the_turn_ends(post: Post) -> None:
    for peer in (0, 1, 0):
        post.add(peer)
    assert post.got(0) == []
    post.outbox.flush()
    assert (post.got(0), post.got(1)) == ([1, 3], [2])
    assert (post.counted.packets_out, post.counted.rtp_out, post.counted.send_dropped) == (3, 3, 0)
    post.outbox.flush()
    assert post.got(0) == []


def test_a_flush_is_asked_for_once_a_turn_and_for_something(post: Post) -> None:
    post.add(0, bytes(1500))
    assert post.called == 0
    for _ in range(3):
        post.add(0)
    assert post.called == 1
    post.outbox.flush()
    post.add(0)
    assert post.called == 2


def test_one_alone_leaves_as_well(post: Post) -> None:
    post.add(1)
    post.outbox.flush()
    assert post.got(1) == [1]
    assert (post.counted.packets_out, post.counted.bytes_out) == (1, 12 + 5 + 10)


def test_a_turn_of_very_many_leaves_in_parts(post: Post) -> None:
    for _ in range(TURN_MAX + 1):
        post.add(0)
    assert post.got(0) == list(range(1, TURN_MAX + 1))
    assert post.got(0) == []
    post.outbox.flush()
    assert post.got(0) == [TURN_MAX + 1]


def test_what_cannot_be_protected_is_told_and_not_sent(post: Post) -> None:
    post.add(0, bytes(1500))
    post.ways[0](b"short")
    post.outbox.flush()
    assert post.got(0) == []
    assert (post.counted.packets_out, post.counted.srtp_errors) == (0, 2)


def test_the_longest_that_can_be_protected_is_sent(post: Post) -> None:
    longest = bytes(PROTECT_MAX - 12)
    post.add(0, longest)
    post.add(0, longest + b"!")
    post.outbox.flush()
    assert post.got(0) == [1]
    assert post.counted.srtp_errors == 1


def test_a_way_that_moved_or_was_closed(post: Post) -> None:
    """What waits goes where the peer is now; a closed one takes nothing, and that is no error."""
    for _ in range(2):
        post.add(0)
    post.lead(0, 1)
    post.outbox.flush()
    assert (post.got(0), post.got(1)) == ([], [1, 2])
    post.ways[0].close()
    post.add(0)
    post.outbox.flush()
    assert (post.got(1), post.counted.srtp_errors, post.counted.packets_out) == ([], 0, 2)


def test_what_it_sends_is_what_libsrtp_makes_of_a_packet(post: Post) -> None:
    """By its own binding, another session of the same key."""
    post.add(0)
    post.outbox.flush()
    assert post.peers[0].recv(2048) == session(Policy.SSRC_ANY_OUTBOUND).protect(build(111, 1, 0, 7, b"sound"))


def kernel(answers: list[tuple[int, int]], asked: list[int]) -> Callable[[int, Any, int, int], int]:
    """Answers so: how many it took, and the error."""

    def send_many(_descriptor: int, _messages: Any, count: int, _flags: int) -> int:
        asked.append(count)
        taken, ffi.errno = answers.pop(0)
        return taken

    return send_many


@pytest.mark.parametrize(
    ("answers", "asked", "dropped"),
    [
        ([(3, 0)], [3], 0),
        ([(2, 0), (1, 0)], [3, 1], 0),
        ([(1, 0), (-1, errno.EAGAIN)], [3, 2], 2),
        ([(-1, errno.EPERM), (2, 0)], [3, 2], 1),
        ([(1, 0), (-1, errno.ECONNREFUSED), (-1, errno.ENOBUFS)], [3, 2, 1], 2),
        ([(0, errno.EAGAIN)], [3], 3),
    ],
)
def test_what_the_kernel_does_not_take_is_dropped_and_counted(
    answers: list[tuple[int, int]], asked: list[int], dropped: int
) -> None:
    counts: list[int] = []
    post = Post(socket.AF_INET, kernel(answers, counts))
    for _ in range(3):
        post.add(0)
    post.outbox.flush()
    post.close()
    assert counts == asked
    assert (post.counted.packets_out, post.counted.send_dropped) == (3 - dropped, dropped)
    assert post.counted.bytes_out == (3 - dropped) * 27
