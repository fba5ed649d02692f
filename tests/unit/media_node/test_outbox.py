"""Packets that leave together: to whom they are for, whatever the kernel takes of them."""

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pylibsrtp import Policy, Session

from media_node.outbox import TURN_MAX, Outbox, _ffi, sockaddr
from media_node.ports import NodeStats
from media_node.rtp import build
from media_node.srtp import Srtp
from media_node.stun import Address

FAMILIES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
KEY = os.urandom(30)


def session(direction: int) -> Session:
    return Session(Policy(key=KEY, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80))


class Post:
    """An outbox of a real socket, and two who get what it sends."""

    def __init__(self, family: socket.AddressFamily, send_many: Any = None) -> None:
        self.node = socket.socket(family, socket.SOCK_DGRAM)
        self.node.bind((FAMILIES[family], 0))
        self.peers = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        for peer in self.peers:
            peer.bind((FAMILIES[family], 0))
            peer.setblocking(False)
        self.counted = NodeStats()
        self.outbox = Outbox(self.node, self.counted, send_many)
        self.srtp = Srtp(session(Policy.SSRC_ANY_INBOUND), session(Policy.SSRC_ANY_OUTBOUND))
        self.plain = session(Policy.SSRC_ANY_INBOUND)
        self.sequence = 0

    def add(self, peer: int, payload: bytes = b"sound") -> bool:
        self.sequence += 1
        address: Address = self.peers[peer].getsockname()
        return self.outbox.add(self.srtp, build(111, self.sequence, 0, 7, payload), address)

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


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    made = Post(request.param)
    yield made
    made.close()


def test_each_gets_what_is_for_them_and_nothing_before_the_turn_ends(post: Post) -> None:
    for peer in (0, 1, 0):
        assert post.add(peer)
    assert post.got(0) == []
    post.outbox.flush()
    assert (post.got(0), post.got(1)) == ([1, 3], [2])
    assert (post.counted.packets_out, post.counted.send_dropped) == (3, 0)
    post.outbox.flush()
    assert post.got(0) == []


def test_one_alone_leaves_as_well(post: Post) -> None:
    post.add(1)
    post.outbox.flush()
    assert post.got(1) == [1]
    assert (post.counted.packets_out, post.counted.bytes_out) == (1, 12 + 5 + 10)


def test_a_turn_of_very_many_leaves_in_parts(post: Post) -> None:
    for _ in range(TURN_MAX + 1):
        post.add(0)
    assert post.got(0) == list(range(1, TURN_MAX + 1))
    assert post.outbox.waiting == 1
    post.outbox.flush()
    assert post.got(0) == [TURN_MAX + 1]


def test_what_cannot_be_protected_is_told_and_not_sent(post: Post) -> None:
    assert not post.add(0, bytes(1500))
    assert not post.outbox.add(post.srtp, b"short", post.peers[0].getsockname())
    post.outbox.flush()
    assert post.got(0) == []
    assert post.counted.packets_out == 0


def test_what_one_outbox_protects_the_other_way_protects_alike(post: Post) -> None:
    twin = Srtp(session(Policy.SSRC_ANY_INBOUND), session(Policy.SSRC_ANY_OUTBOUND))
    post.add(0)
    post.outbox.flush()
    assert post.peers[0].recv(2048) == twin.protect(build(111, 1, 0, 7, b"sound"))


def kernel(answers: list[tuple[int, int]], asked: list[int]) -> Callable[[int, Any, int, int], int]:
    """Answers so: how many it took, and the error."""

    def send_many(_descriptor: int, _messages: Any, count: int, _flags: int) -> int:
        asked.append(count)
        taken, _ffi.errno = answers.pop(0)
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


def test_addresses_are_as_the_kernel_has_them() -> None:
    four = sockaddr(socket.AF_INET, ("192.0.2.7", 0x1234))
    assert (len(four), four[2:8]) == (16, bytes((0x12, 0x34, 192, 0, 2, 7)))
    six = sockaddr(socket.AF_INET6, ("fe80::1%eth0", 0x1234, 5, 3))
    assert (len(six), six[2:8]) == (28, bytes((0x12, 0x34, 0, 0, 0, 5)))
    assert six[8:24] == socket.inet_pton(socket.AF_INET6, "fe80::1")
    assert int.from_bytes(six[24:], sys.byteorder) == 3
    assert sockaddr(socket.AF_INET6, ("::1", 1))[24:] == bytes(4)
