"""Datagrams as they come: what they are and where they are from, by one call of the kernel or by many."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from media_node.inbox import READ_MAX, Inbox

FAMILIES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


class Desk:
    """An inbox of a real socket, and two who send to it."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.node, *self.peers = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(3))
        for each in (self.node, *self.peers):
            each.bind((FAMILIES[family], 0))
        self.node.setblocking(False)
        self.inbox = Inbox(self.node)

    def send(self, peer: int, data: bytes) -> None:
        self.peers[peer].sendto(data, self.node.getsockname())

    def close(self) -> None:
        for each in (self.node, *self.peers):
            each.close()


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(request.param)
    yield made
    made.close()


@pytest.fixture(params=["many", "one by one"])
def either(request: pytest.FixtureRequest, desk: Desk) -> Desk:
    """The same, with and without recvmmsg."""
    if request.param == "one by one":
        desk.inbox = Inbox(desk.node, None)
    return desk


def test_each_comes_whole_in_its_order_and_says_where_from(either: Desk) -> None:
    sent = [(number % 2, bytes((number,)) * size) for number, size in enumerate((1, 0, 1200, 700, 2048))]
    for peer, data in sent:
        either.send(peer, data)
    names = [peer.getsockname() for peer in either.peers]
    assert list(either.inbox.read()) == [(data, names[peer]) for peer, data in sent]
    assert list(either.inbox.read()) == []


def test_so_many_at_once_and_the_rest_the_next_time(either: Desk) -> None:
    for number in range(READ_MAX + 3):
        either.send(0, bytes((number,)))
    assert [data[0] for data, _ in either.inbox.read()] == list(range(READ_MAX))
    assert [data[0] for data, _ in either.inbox.read()] == [READ_MAX, READ_MAX + 1, READ_MAX + 2]


def test_what_is_longer_than_anything_of_ours_is_cut(either: Desk) -> None:
    either.send(0, bytes(3000))
    either.send(1, b"next")
    assert [len(data) for data, _ in either.inbox.read()] == [2048, 4]


def test_what_was_read_stays_as_it_was(desk: Desk) -> None:
    """Though the next lie in the same memory."""
    desk.send(0, b"first")
    ((first, _),) = desk.inbox.read()
    desk.send(1, b"other")
    ((other, _),) = desk.inbox.read()
    assert (first, other) == (b"first", b"other")


def test_addresses_are_forgotten_where_there_are_very_many(desk: Desk) -> None:
    """Anybody may send from any address."""
    desk.inbox = Inbox(desk.node, known=1)
    for peer in (0, 1, 0):
        desk.send(peer, b"x")
    assert [address for _, address in desk.inbox.read()] == [desk.peers[peer].getsockname() for peer in (0, 1, 0)]
    assert len(desk.inbox._addresses) == 1


def test_an_error_of_the_kernels_is_nothing_that_came(desk: Desk) -> None:
    def refuses(*_arguments: Any) -> int:
        return -1

    desk.send(0, b"x")
    assert list(Inbox(desk.node, refuses).read()) == []
