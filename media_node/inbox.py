"""Datagrams on their way in: what has come by now is read by one call of the kernel (recvmmsg(2)), into memory of its own.

Why. A packet of voice costs less to decipher than to be read by a call of its own, which makes a string and a tuple of
the address that it comes from, again and again the same few. Where there is no recvmmsg it is the socket's own recvfrom.
"""

import contextlib
import socket
from typing import Any, Final

from media_node import kernel
from media_node.kernel import ffi
from media_node.stun import Address

READ_MAX: Final = 64
"""Datagrams that are read at once, so that ticks and the WebSocket get their turn."""
_ROOM_BYTES: Final = 2048
_NAME_BYTES: Final = 32
_NAMES_MAX: Final = 4096
_MANY: Final = kernel.call("recvmmsg")


class Inbox:
    """One socket's, which does not block; `known` is how many addresses it remembers."""

    def __init__(self, bound: socket.socket, receive_many: Any = _MANY, known: int = _NAMES_MAX) -> None:
        self._socket = bound
        self._descriptor = bound.fileno()
        self._family = bound.family
        self._receive_many = receive_many
        self._known = known
        self._addresses: dict[bytes, Address] = {}
        self._name_bytes = kernel.name_bytes(bound.family)
        memory, names = ffi.new("char[]", READ_MAX * _ROOM_BYTES), ffi.new("char[]", READ_MAX * _NAME_BYTES)
        self._data, self._from = ffi.buffer(memory), ffi.buffer(names)
        self._pieces = ffi.new("struct iovec[]", READ_MAX)
        self._messages = ffi.new("struct mmsghdr[]", READ_MAX)
        for at in range(READ_MAX):
            self._pieces[at].iov_base = memory + at * _ROOM_BYTES
            self._pieces[at].iov_len = _ROOM_BYTES
            head = self._messages[at].msg_hdr
            head.msg_name, head.msg_namelen = names + at * _NAME_BYTES, self._name_bytes
            head.msg_iov, head.msg_iovlen = self._pieces + at, 1
        self._sizes = memoryview(ffi.buffer(self._messages)).cast("I")[14::16]
        """Of what was read last: `msg_len` of each."""

    def read(self) -> list[tuple[bytes, Address]]:
        """What there is, up to READ_MAX; from where. An error that waits on the socket ends it, and counts for nothing."""
        if self._receive_many is None:
            return self._one_by_one()
        count = self._receive_many(self._descriptor, self._messages, READ_MAX, socket.MSG_DONTWAIT, ffi.NULL)
        data, names, length, known = self._data, self._from, self._name_bytes, self._addresses
        came: list[tuple[bytes, Address]] = []
        for at in range(count):
            name = names[at * _NAME_BYTES : at * _NAME_BYTES + length]
            start = at * _ROOM_BYTES
            came.append((data[start : start + self._sizes[at]], known.get(name) or self._address(name)))
        return came

    def _address(self, name: bytes) -> Address:
        if len(self._addresses) >= self._known:
            self._addresses.clear()
        address = self._addresses[name] = kernel.address_of(self._family, name)
        return address

    def _one_by_one(self) -> list[tuple[bytes, Address]]:
        came: list[tuple[bytes, Address]] = []
        with contextlib.suppress(OSError):
            while len(came) < READ_MAX:
                came.append(self._socket.recvfrom(_ROOM_BYTES))
        return came
