"""One connection of a participant: its socket, ICE, DTLS, SRTP and data channels; and all of them on one epoll.

`Network` loses datagrams, with a seed, after they were made and before they are read, once it is told to; connectivity
checks are never lost, for what is measured is voice, not ICE.

When a datagram came is the kernel's word (SO_TIMESTAMPNS, socket(7)): how long it then waited for this process to read it,
among all that others of the room were sent in the same moment, is the load's own time and no server's.
"""

import asyncio
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Final

from pylibsrtp import Error

from benchmarks.voices import ice, sdp
from benchmarks.voices.channels import Opener
from benchmarks.voices.dtls import Dtls
from media_node.channels import BINARY, TEXT
from media_node.dtls import Identity
from media_node.sctp import State
from media_node.sctp_chunks import SctpError
from media_node.srtp import is_control

_TICK_S: Final = 0.05
_CHECK_S: Final = 2.5
_SOCKET_BYTES: Final = 1024 * 1024
_CONNECT_S: Final = 60.0
_BEGIN_S: Final = 0.5
_TURNS: Final = 64  # of the epoll, before asyncio has its own
_TIMESTAMPNS: Final = 35  # of <asm-generic/socket.h>: asked for, and given with each datagram, under the same number
_TIMESPEC: Final = struct.Struct("@qq")
_STAMP_BYTES: Final = socket.CMSG_SPACE(_TIMESPEC.size)
now_s = time.perf_counter


class Network:
    """Every socket of this process."""

    def __init__(self, address: str, seed: int) -> None:
        self.address = address
        self.loss = 0.0
        self.identity = Identity()
        self.chance = Random(seed)
        self.links: dict[int, Link] = {}
        self.epoll = select.epoll()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.epoll.fileno(), self._readable)
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def lost(self) -> bool:
        """Whether this one is."""
        return self.loss > 0 and self.chance.random() < self.loss

    def close(self) -> None:
        """All of them."""
        for link in tuple(self.links.values()):
            link.close()
        self._timer.cancel()
        self._loop.remove_reader(self.epoll.fileno())
        self.epoll.close()

    def _readable(self) -> None:
        poll, links = self.epoll.poll, self.links
        for _ in range(_TURNS):
            ready = poll(0)
            if not ready:
                return
            for descriptor, _event in ready:
                link = links.get(descriptor)
                if link is not None:
                    link.readable()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK_S, self._tick)
        now = now_s()
        for link in tuple(self.links.values()):
            link.tick(now)


class Link:
    """A connection. `media` and `control` get RTP and RTCP in clear, `message` what comes by data channels."""

    def __init__(self, network: Network, *, data: bool) -> None:
        self.ssrc = secrets.randbelow(2**31) + 1
        self.media: Callable[[bytes, float], None] = lambda _packet, _now: None
        self.control: Callable[[bytes, float], None] = lambda _packet, _now: None
        self.message: Callable[[int, bytes], None] = lambda _stream, _data: None
        self.theirs: sdp.Theirs | None = None
        self.ended = False
        self._network = network
        self._controlling = True
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self._socket.bind((network.address, 0))
        self._dtls: Dtls | None = None
        self._opener = Opener(self._delivered, network.chance) if data else None
        self._ready = asyncio.get_running_loop().create_future()
        self._check_at = self._begin_at = 0.0
        network.links[self._socket.fileno()] = self
        network.epoll.register(self._socket.fileno(), select.EPOLLIN)

    # -- the beginning --

    def ours(self) -> sdp.Ours:
        """What descriptions say of us."""
        host, port = self._socket.getsockname()
        return sdp.Ours(host, port, self._ufrag, self._password, self._network.identity.fingerprint, self.ssrc)

    async def connect(self, theirs: sdp.Theirs, *, controlling: bool = True) -> None:
        """Returns once everything is open. TimeoutError, RuntimeError."""
        self.theirs, self._controlling = theirs, controlling
        self._socket.connect((theirs.address, theirs.port))
        self._dtls = Dtls(self._network.identity, theirs.fingerprint, self.send)
        self._check(now_s())
        async with asyncio.timeout(_CONNECT_S):
            await self._ready

    @property
    def profile(self) -> str:
        """Of SRTP."""
        return self._dtls.profile if self._dtls else ""

    # -- what participants do --

    def send_rtp(self, packet: bytes) -> bytes:
        """Sends; returns what to give `send` again."""
        assert self._dtls is not None
        protected = self._dtls.outbound.protect(packet)
        self.send(protected)
        return protected

    def send(self, protected: bytes) -> None:
        """A datagram, which may be lost; the same once more, too."""
        if not self._network.lost():
            self._emit(protected)

    def send_rtcp(self, packet: bytes) -> None:
        """Sends a compound."""
        assert self._dtls is not None
        self.send(self._dtls.outbound.protect_rtcp(packet))

    def send_message(self, stream: int, data: str | bytes, *, reliable: bool) -> None:
        """By a data channel."""
        if self._opener is None:
            return
        protocol, content = (TEXT, data.encode()) if isinstance(data, str) else (BINARY, data)
        self._opener.send(stream, protocol, content, ordered=reliable, retransmits=None if reliable else 0)
        self._flush()

    def close(self) -> None:
        """Ends it."""
        if self.ended:
            return
        self.ended = True
        if self._opener is not None:
            self._opener.abort()
            self._flush()
        if self._dtls is not None:
            self._dtls.close()
        self._network.epoll.unregister(self._socket.fileno())
        del self._network.links[self._socket.fileno()]
        self._socket.close()

    # -- what the network tells --

    def readable(self) -> None:
        """One datagram."""
        try:
            data, stamps, _, _ = self._socket.recvmsg(2048, _STAMP_BYTES)
        except OSError:
            return
        now = now_s() - _waited_s(stamps)
        first = data[0] if data else 255
        if first < 4:
            self._checked(data)
        elif not self._network.lost():
            if 127 < first < 192:
                self._srtp(data, now)
            elif self._dtls is not None:
                self._dtls_datagram(data, now)

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self.theirs is None or self.ended:
            return
        if now >= self._check_at:
            self._check(now)
        if self._dtls is not None and not self._dtls.open:
            self._dtls.again()
        if self._opener is not None and self._dtls is not None and self._dtls.open:
            if self._opener.state is State.NEW and now >= self._begin_at:
                self._begin(now)
            elif self._opener.deadline <= now:
                self._opener.tick(now)
            self._flush()

    # -- within --

    def _emit(self, datagram: bytes) -> None:
        with suppress(OSError):
            self._socket.send(datagram)

    def _check(self, now: float) -> None:
        assert self.theirs is not None
        self._check_at = now + (_CHECK_S if self._dtls is not None and self._dtls.open else 0.2)
        username = f"{self.theirs.ufrag}:{self._ufrag}"
        self._emit(ice.check(username, self.theirs.password, controlling=self._controlling))

    def _checked(self, data: bytes) -> None:
        if data[:2] == ice.REQUEST and self.theirs is not None:
            reply = ice.answer(data, (self.theirs.address, self.theirs.port), self._password)
            if reply is not None:
                self._emit(reply)
        elif data[:2] == ice.SUCCESS and self._dtls is not None and not self._dtls.begun:
            self._dtls.begin()

    def _srtp(self, data: bytes, now: float) -> None:
        dtls = self._dtls
        if dtls is None or not dtls.open:
            return
        try:
            if is_control(data):
                self.control(dtls.inbound.unprotect_rtcp(data), now)
            else:
                self.media(dtls.inbound.unprotect(data), now)
        except Error:
            return  # played again, or not ours

    def _dtls_datagram(self, data: bytes, now: float) -> None:
        assert self._dtls is not None
        was_open = self._dtls.open
        packets = self._dtls.receive(data)
        if self._opener is None:
            if self._dtls.open:
                self._opened()
            return
        if self._dtls.open and not was_open:
            self._begin(now)
        for packet in packets:
            with suppress(SctpError):
                self._opener.receive(packet, now)
        if self._opener.state is State.OPEN:
            self._opened()
        self._flush()

    def _begin(self, now: float) -> None:
        assert self._opener is not None
        self._begin_at = now + _BEGIN_S
        self._opener.begin()

    def _opened(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _flush(self) -> None:
        if self._opener is None or self._dtls is None or not self._dtls.open:
            return
        for packet in self._opener.flush(now_s()):
            self._dtls.send(packet)

    def _delivered(self, stream: int, _protocol: int, data: bytes) -> None:
        self.message(stream, data)


def _waited_s(stamps: Sequence[tuple[int, int, bytes]]) -> float:
    """How long ago a datagram came."""
    for _, kind, stamp in stamps:
        if kind == _TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(stamp)
            waited: float = time.time() - seconds - nanoseconds / 1e9
            return max(0.0, waited)
    return 0.0
