"""Voice on its way out: what goes to many in one turn of the loop leaves by one call of the kernel (sendmmsg(2)).

Why. A node's greatest work is the kernel's, a call a packet; one call for the packets to all who hear a speaker takes a
quarter less. Each packet is copied once, into memory of its own here, where libsrtp protects it and the kernel reads
it. Nothing waits longer than the turn in which it was made. Where there is no sendmmsg, and for a packet alone, for
which the other call is dearer, it is the socket's own sendto.
"""

import errno
import socket
import sys
from typing import Any, Final

import cffi  # type: ignore[import-untyped]

from media_node.ports import NodeStats
from media_node.srtp import ROOM_BYTES, Srtp, Tray
from media_node.stun import Address

TURN_MAX: Final = 64
"""Packets in one call."""
_NAMES_MAX: Final = 4096
_FULL: Final = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS))
_ffi: Final = cffi.FFI()
_ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name; uint32_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
    void *msg_control; size_t msg_controllen; int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
""")  # as Linux lays them out on 64 bits


def _sendmmsg() -> Any:
    try:
        return _ffi.dlopen(None).sendmmsg
    except (AttributeError, OSError):
        return None


class Outbox:
    """One socket's. `add`, and before the turn ends `flush`; see the module."""

    def __init__(self, bound: socket.socket, counted: NodeStats, send_many: Any = None) -> None:
        self.waiting = 0
        """Packets that were added since the last flush."""
        self._socket = bound
        self._descriptor = bound.fileno()
        self._family = bound.family
        self._counted = counted
        self._send_many = send_many or _sendmmsg()
        self._tray = Tray(TURN_MAX)
        self._octets = 0
        self._names: dict[Address, Any] = {}
        self._to: list[Address] = [("", 0)] * TURN_MAX
        self._messages = _ffi.new("struct mmsghdr[]", TURN_MAX)
        self._pieces = _ffi.new("struct iovec[]", TURN_MAX)
        self._heads = [self._messages[at].msg_hdr for at in range(TURN_MAX)]
        self._lengths = [self._pieces[at] for at in range(TURN_MAX)]
        for at in range(TURN_MAX):
            self._pieces[at].iov_base = _ffi.cast("void *", self._tray.address + at * ROOM_BYTES)
            self._heads[at].msg_iov = self._pieces + at
            self._heads[at].msg_iovlen = 1
            self._heads[at].msg_namelen = 28 if self._family == socket.AF_INET6 else 16

    def add(self, srtp: Srtp, packet: bytes, address: Address) -> bool:
        """Protects an RTP packet for a peer, and has it leave with this turn's others. False: it cannot be protected."""
        name = self._names.get(address)
        if name is None:
            name = self._name(address)
        at = self.waiting
        length = srtp.protect_in(self._tray, at, packet)
        if not length:
            return False
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
        self._counted.packets_out += count
        self._counted.bytes_out += self._octets
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
            full = _ffi.errno in _FULL  # else it is this one's address alone that the kernel does not take
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
        name = self._names[address] = _ffi.new("char[]", sockaddr(self._family, address))
        return name


def sockaddr(family: int, address: Address) -> bytes:
    """sockaddr_in or sockaddr_in6, as its socket gave it (RFC 3493 section 3.3)."""
    head = int(family).to_bytes(2, sys.byteorder) + address[1].to_bytes(2, "big")
    host = address[0].partition("%")[0]
    if family == socket.AF_INET:
        return head + socket.inet_aton(host) + bytes(8)
    flow, scope = (address[2], address[3]) if len(address) == 4 else (0, 0)
    return head + flow.to_bytes(4, "big") + socket.inet_pton(socket.AF_INET6, host) + scope.to_bytes(4, sys.byteorder)
