"""Voice on its way out: what goes to many in one turn of the loop leaves by one call of the kernel (sendmmsg(2)).

Why. A node's greatest work is the kernel's, a call a packet; one call for the packets to all who hear a speaker takes a
quarter less. Each packet is copied once, into memory of its own here, where libsrtp protects it and the kernel reads
it. Nothing waits longer than the turn in which it was made. Where there is no sendmmsg, and for a packet alone, for
which the other call is dearer, it is the socket's own sendto.
"""

import errno
import socket
from collections.abc import Callable
from typing import Any, Final

from media_node import kernel
from media_node.kernel import ffi
from media_node.ports import NodeStats
from media_node.srtp import ROOM_BYTES, Srtp, Tray
from media_node.stun import Address

TURN_MAX: Final = 64
"""Packets in one call."""
_NAMES_MAX: Final = 4096
_FULL: Final = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS))
_MANY: Final = kernel.call("sendmmsg")


class Outbox:
    """One socket's. `add`, and before the turn ends `flush`, which `waits` is called for; see the module."""

    def __init__(
        self, bound: socket.socket, counted: NodeStats, waits: Callable[[], None], send_many: Any = _MANY
    ) -> None:
        self.waiting = 0
        """Packets that were added since the last flush."""
        self._socket = bound
        self._descriptor = bound.fileno()
        self._family = bound.family
        self._counted = counted
        self._waits = waits
        self._send_many = send_many
        self._tray = Tray(TURN_MAX)
        self._octets = 0
        self._names: dict[Address, Any] = {}
        self._to: list[Address] = [("", 0)] * TURN_MAX
        self._messages = ffi.new("struct mmsghdr[]", TURN_MAX)
        self._pieces = ffi.new("struct iovec[]", TURN_MAX)
        self._heads = [self._messages[at].msg_hdr for at in range(TURN_MAX)]
        self._lengths = [self._pieces[at] for at in range(TURN_MAX)]
        for at in range(TURN_MAX):
            self._pieces[at].iov_base = ffi.cast("void *", self._tray.address + at * ROOM_BYTES)
            self._heads[at].msg_iov = self._pieces + at
            self._heads[at].msg_iovlen = 1
            self._heads[at].msg_namelen = kernel.name_bytes(self._family)

    def add(self, srtp: Srtp, packet: bytes, address: Address) -> bool:
        """Protects an RTP packet for a peer, and has it leave with this turn's others. False: it cannot be protected."""
        name = self._names.get(address)
        if name is None:
            name = self._name(address)
        at = self.waiting
        length = srtp.protect(self._tray, at, packet)
        if not length:
            return False
        if not at:
            self._waits()
        self._heads[at].msg_name = name
        self._lengths[at].iov_len = length
        self._to[at] = address
        self._octets += length
        self.waiting = at + 1
        if at + 1 == TURN_MAX:
            self.flush()
        return True

    def flush(self) -> None:
        """Sends what was added. What the kernel does not take is dropped: nobody waits for a slow one."""
        count, self.waiting = self.waiting, 0
        counted = self._counted
        counted.packets_out += count
        counted.rtp_out += count
        counted.bytes_out += self._octets
        self._octets = 0
        if count > 1 and self._send_many is not None:
            self._send(count)
        else:
            for at in range(count):
                self._send_one(at)

    def _send(self, count: int) -> None:
        at = 0
        while at < count:
            sent = self._send_many(self._descriptor, self._messages + at, count - at, socket.MSG_DONTWAIT)
            if sent > 0:
                at += sent
                continue
            full = ffi.errno in _FULL  # else it is this one's address alone that the kernel does not take
            for each in range(at, count if full else at + 1):
                self._dropped(self._lengths[each].iov_len)
            at = count if full else at + 1

    def _send_one(self, at: int) -> None:
        start = at * ROOM_BYTES
        datagram = self._tray.buffer[start : start + self._lengths[at].iov_len]
        try:
            self._socket.sendto(datagram, self._to[at])
        except OSError:
            self._dropped(len(datagram))

    def _dropped(self, size: int) -> None:
        self._counted.send_dropped += 1
        self._counted.packets_out -= 1
        self._counted.bytes_out -= size

    def _name(self, address: Address) -> Any:
        """The address as the kernel has it."""
        if len(self._names) >= _NAMES_MAX:
            self.flush()  # it has the addresses of what was added
            self._names.clear()
        name = self._names[address] = ffi.new("char[]", kernel.sockaddr(self._family, address))
        return name
