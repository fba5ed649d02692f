"""Voice on its way out: what goes to many in one turn of the loop leaves by one call of the kernel (sendmmsg(2)).

Why. A node's greatest work is the kernel's, a call a packet; one call for the packets to all who hear a speaker takes a
quarter less. Each packet is copied once, into memory of its own here, where libsrtp protects it and the kernel reads
it. Nothing waits longer than the turn in which it was made. Where there is no sendmmsg, and for a packet alone, for
which the other call is dearer, it is the socket's own sendto.
"""

import errno
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

from media_node import kernel
from media_node.kernel import ffi
from media_node.ports import NodeStats
from media_node.srtp import PROTECT, PROTECT_MAX, ROOM_BYTES, Srtp, Tray
from media_node.stun import Address

TURN_MAX: Final = 64
"""Packets in one call."""
_FULL: Final = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS))
_MANY: Final = kernel.call("sendmmsg")


_MESSAGE_BYTES: Final = ffi.sizeof("struct mmsghdr")
_PIECE_BYTES: Final = ffi.sizeof("struct iovec")


class Way:
    """Where one peer's packets go and what they are protected by, while there are both. Called, it takes an RTP packet:
    that is protected and leaves with this turn's others, now or never.
    """

    __slots__ = ("_box", "_name", "_srtp", "address", "at", "outbound")

    def __init__(self, box: "Outbox") -> None:
        self._box = box
        self._name = ffi.new("char[]", kernel.name_bytes(box.family))
        """The address as the kernel has it: always in this place, for what waits to be sent has only that."""
        self.at: Any = int(ffi.cast("uintptr_t", self._name))
        self.address: Address = ("", 0)
        self._srtp: Srtp | None = None
        self.outbound: Any = None
        """See `Srtp.outbound`, which is there as long as that is; None: nothing is sent."""

    def lead(self, srtp: Srtp, address: Address) -> None:
        """There, from now on, and so protected."""
        name = kernel.sockaddr(self._box.family, address)
        self._name[0 : len(name)] = name
        self.address, self._srtp, self.outbound = address, srtp, srtp.outbound

    def close(self) -> None:
        """Nowhere."""
        self._srtp = self.outbound = None

    def __call__(self, packet: bytes) -> None:
        """See the class."""
        if self.outbound is not None:
            self._box.add(self, packet)


class Outbox:
    """One socket's. What a `way` took leaves before the turn ends, by `flush`, which `waits` asks for; see the module."""

    def __init__(
        self, bound: socket.socket, counted: NodeStats, waits: Callable[[], None], send_many: Any = _MANY
    ) -> None:
        self._socket = bound
        self._descriptor = bound.fileno()
        self.family = bound.family
        self._counted = counted
        self._waits = waits
        self._send_many = send_many
        tray = Tray(TURN_MAX)
        self._memory, self._places = tray.buffer, tray.places
        self._ways: list[Way] = []
        """Of what was added since the last flush, by place: the kernel is given their names as bare addresses of memory."""
        self._messages = ffi.new("struct mmsghdr[]", TURN_MAX)
        self._pieces = ffi.new("struct iovec[]", TURN_MAX)
        for at in range(TURN_MAX):
            self._pieces[at].iov_base = ffi.cast("void *", tray.address + at * ROOM_BYTES)
            head = self._messages[at].msg_hdr
            head.msg_iov, head.msg_iovlen = self._pieces + at, 1
            head.msg_namelen = kernel.name_bytes(self.family)
        self._names = memoryview(ffi.buffer(self._messages)).cast("Q")[:: _MESSAGE_BYTES // 8]
        """`msg_name` of each."""
        self._lengths = memoryview(ffi.buffer(self._pieces)).cast("Q")[1 :: _PIECE_BYTES // 8]
        """`iov_len` of each."""
        lower = sys.byteorder == "big"
        self._sizes = [ffi.cast("int *", ffi.addressof(piece, "iov_len")) + lower for piece in self._pieces]
        """The same as libsrtp takes it, and makes it longer in its place: the lower half."""

    def way(self) -> Way:
        """For a peer."""
        return Way(self)

    def add(self, way: Way, packet: bytes) -> None:
        """An RTP packet that goes this way, which is open. This runs for each packet and listener."""
        ways, length = self._ways, len(packet)
        at = len(ways)
        if length > PROTECT_MAX:
            self._counted.srtp_errors += 1
            return
        start = at * ROOM_BYTES
        self._memory[start : start + length] = packet
        self._lengths[at] = length
        if PROTECT(way.outbound, self._places[at], self._sizes[at]):
            self._counted.srtp_errors += 1
            return
        if not at:
            self._waits()
        self._names[at] = way.at
        ways.append(way)
        if at == TURN_MAX - 1:
            self.flush()

    def flush(self) -> None:
        """Sends what was added. What the kernel does not take is dropped: nobody waits for a slow one."""
        count, counted = len(self._ways), self._counted
        counted.packets_out += count
        counted.rtp_out += count
        counted.bytes_out += sum(self._lengths[:count].tolist())
        if count > 1 and self._send_many is not None:
            self._send(count)
        else:
            for at, way in enumerate(self._ways):
                self._send_one(at, way)
        self._ways.clear()

    def _send(self, count: int) -> None:
        at = 0
        while at < count:
            sent = self._send_many(self._descriptor, self._messages + at, count - at, socket.MSG_DONTWAIT)
            if sent > 0:
                at += sent
                continue
            full = ffi.errno in _FULL  # else it is this one's address alone that the kernel does not take
            for each in range(at, count if full else at + 1):
                self._dropped(self._lengths[each])
            at = count if full else at + 1

    def _send_one(self, at: int, way: Way) -> None:
        start = at * ROOM_BYTES
        datagram = self._memory[start : start + self._lengths[at]]
        try:
            self._socket.sendto(datagram, way.address)
        except OSError:
            self._dropped(len(datagram))

    def _dropped(self, size: int) -> None:
        self._counted.send_dropped += 1
        self._counted.packets_out -= 1
        self._counted.bytes_out -= size
