"""Addresses, and a beat, as the kernel has them."""

import select
import socket
import sys

import pytest

from media_node import kernel
from media_node.kernel import Beat, address_of, sockaddr
from media_node.stun import Address


def test_addresses_are_as_the_kernel_has_them() -> None:
    four = sockaddr(socket.AF_INET, ("192.0.2.7", 0x1234))
    assert (len(four), four[2:8]) == (16, bytes((0x12, 0x34, 192, 0, 2, 7)))
    six = sockaddr(socket.AF_INET6, ("fe80::1%eth0", 0x1234, 5, 3))
    assert (len(six), six[2:8]) == (28, bytes((0x12, 0x34, 0, 0, 0, 5)))
    assert six[8:24] == socket.inet_pton(socket.AF_INET6, "fe80::1")
    assert int.from_bytes(six[24:], sys.byteorder) == 3
    assert sockaddr(socket.AF_INET6, ("::1", 1))[24:] == bytes(4)


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("192.0.2.7", 65_535)),
        (socket.AF_INET6, ("fe80::1", 0x1234, 5, 3)),
        (socket.AF_INET6, ("::ffff:192.0.2.7", 1, 0, 0)),
    ],
)
def test_an_address_is_the_same_there_and_back(family: socket.AddressFamily, address: Address) -> None:
    assert address_of(family, sockaddr(family, address)) == address


def test_what_the_kernel_has_not_is_nothing() -> None:
    assert kernel.call("sendmmmmsg") is None


def test_a_beat_comes_again_and_again_until_it_is_switched_off() -> None:
    beat = Beat(0.002)

    def waits_s(seconds: float) -> bool:
        return bool(select.select([beat.descriptor], [], [], seconds)[0])

    assert not waits_s(0.01)
    beat.switch(on=True)
    for _ in range(3):
        assert waits_s(5.0)
        beat.taken()
    beat.switch(on=False)
    beat.taken()
    assert not waits_s(0.01)
    beat.close()


def test_where_there_is_no_beat_that_is_said() -> None:
    with pytest.raises(OSError, match="timerfd"):
        Beat(0.002, find=lambda _name: None)
