"""SCTP for data channels (RFC 8831): one association, the passive side of it. Pure: packets and time in, packets out.

Why not aiortc's: it makes an object a chunk, a task a message, a packet an acknowledgement, and never bundles; see
docs/adr/0007 for what that costs. The peer, who offers, always sends the INIT, as the DTLS client that it is;
inside DTLS nobody else can, so the cookie needs no signature (RFC 9260 section 5.1.3 defends against strangers).

States: NEW -(INIT)-> NEW -(COOKIE-ECHO)-> OPEN -(SHUTDOWN, ABORT, resets, too many errors)-> CLOSED.
"""

from collections.abc import Callable
from enum import Enum
from random import Random
from typing import Final

from media_node import sctp_chunks as wire
from media_node.sctp_chunks import M32, PACKET_BYTES, SctpError
from media_node.sctp_inbound import WINDOW_BYTES, Deliver, Inbound
from media_node.sctp_outbound import ERRORS_MAX, Outbound

HEARTBEAT_S: Final = 5.0
_FIRST_BEAT_S: Final = 0.5  # until one was answered
_LEAST_RTT_S: Final = 0.001
_NEVER: Final = float("inf")
_ROOM: Final = PACKET_BYTES - wire.HEADER_BYTES
_SACK_BYTES: Final = 16  # without gaps, which are told at once
_REPLIES_MAX: Final = 16  # between two flushes; whoever asks more often is not answered
_HEARTBEAT_BYTES: Final = 256  # of what a peer may have us send back


class State(Enum):
    """Of an association."""

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


class Association:
    """One SCTP association. Call `flush` after anything else, and `tick` when `deadline` has come."""

    def __init__(self, *, port: int, peer_port: int, deliver: Deliver, chance: Random) -> None:
        self.state = State.NEW
        self.rtt_s: float | None = None
        """Smoothed, by heartbeats: they are answered at once, acknowledgements when it suits."""
        self.resets: set[int] = set()
        """Streams that the peer has closed."""
        self._ports = (port, peer_port)
        self._deliver = deliver
        self._tag = chance.randrange(1, M32)
        self._peer_tag = 0
        self._first_tsn = chance.randrange(M32)
        self._cookie = chance.randbytes(16)
        self._inbound = Inbound(0, deliver)
        self._outbound = Outbound(self._first_tsn, 0, partial=False)
        self._replies: list[bytes] = []
        self._beat_at = _NEVER
        self._beat: tuple[bytes, float] | None = None
        self._beats = 0
        self._handlers: dict[int, Callable[[int, bytes, float], None]] = {
            wire.SACK: self._sack,
            wire.FORWARD_TSN: self._forward,
            wire.HEARTBEAT: self._heartbeat,
            wire.HEARTBEAT_ACK: self._heartbeat_ack,
            wire.COOKIE_ECHO: self._cookie_echo,
            wire.RE_CONFIG: self._re_config,
            wire.SHUTDOWN: self._shutdown,
        }

    @property
    def deadline(self) -> float:
        """When `tick` wants to be called, at the latest."""
        if self.state is State.CLOSED:
            return _NEVER
        timer, sack = self._outbound.timer_at, self._inbound.sack_at
        return min(self._beat_at, _NEVER if timer is None else timer, _NEVER if sack is None else sack)

    @property
    def loss(self) -> float | None:
        """The share of what was sent lately that was lost; None where too little was."""
        return self._outbound.losses.share

    def available_kbps(self, now: float) -> float | None:
        """What the way carries: a window a round trip. None while less than that is sent, for then nobody knows."""
        if self.rtt_s is None or not self._outbound.limited(now):
            return None
        return round(self._outbound.congestion.window * 0.008 / max(self.rtt_s, _LEAST_RTT_S), 1)

    def buffered(self, stream: int) -> int:
        """Bytes of a stream that are not on the wire yet."""
        return self._outbound.buffered.get(stream, 0)

    def send(
        self, stream: int, protocol: int, data: bytes, *, ordered: bool = True, retransmits: int | None = None
    ) -> None:
        """Queues a message, which is not empty; does nothing unless open."""
        if self.state is State.OPEN:
            self._outbound.send(stream, protocol, data, ordered=ordered, retransmits=retransmits)

    def receive(self, packet: bytes, now: float) -> None:
        """Takes a packet. Raises SctpError where it is none, or says what cannot be."""
        tag, chunks = wire.unseal(packet)
        if tag != self._tag:
            self._other_tag(tag, chunks)
            return
        for kind, flags, value in chunks:
            if kind == wire.DATA:
                if self.state is State.OPEN:
                    if len(value) < 13:
                        raise SctpError("DATA without data")
                    tsn, stream, sequence, protocol = wire.DATA_FIELDS.unpack_from(value)
                    self._inbound.data(flags, tsn, stream, sequence, protocol, value[12:])
            elif kind == wire.ABORT:
                self.state = State.CLOSED
            else:
                handler = self._handlers.get(kind)
                if handler is not None:
                    handler(flags, value, now)
                elif kind & 0xC0 in (0, 0x40) and kind not in _PASSED_OVER:
                    break  # RFC 9260 section 3.2: the rest of the packet is not looked at
            if self.state is State.CLOSED:
                break
        self._inbound.packet(now)
        if self._inbound.overflowed:
            self.state = State.CLOSED

    def flush(self, now: float) -> list[bytes]:
        """Packets to send now: answers, then acknowledgements, then data, as many to a packet as fit."""
        outbound, inbound = self._outbound, self._inbound
        packets: list[bytes] = []
        pieces, self._replies = self._replies, []
        if inbound.sack_at is not None and (inbound.sack_at <= now or pieces):
            pieces.append(inbound.sack())
        bundle: list[bytes] = []
        room = _ROOM
        for piece in pieces:
            if len(piece) > room:
                packets.append(self._seal(bundle))
                bundle, room = [], _ROOM
            bundle.append(piece)
            room -= len(piece)
        if self.state is State.OPEN:
            outbound.begin()
            while (made := outbound.take(room, now)) is not None or bundle:
                if made is None:
                    packets.append(self._seal(bundle))
                    bundle, room = [], _ROOM
                    continue
                bundle.append(made)
                room -= len(made)
                if inbound.sack_at is not None and room >= _SACK_BYTES:  # one that could have waited
                    bundle.insert(0, inbound.sack())  # RFC 9260 section 6.10: before DATA; usrsctp aborts otherwise
                    room -= _SACK_BYTES
        elif bundle:
            packets.append(self._seal(bundle))
        return packets

    def tick(self, now: float) -> None:
        """Time has passed."""
        outbound = self._outbound
        if outbound.timer_at is not None and outbound.timer_at <= now:
            outbound.expired(now)
            if outbound.errors > ERRORS_MAX:
                self.abort()
        if self._beat_at <= now and self.state is State.OPEN:
            self._send_beat(now)

    def abort(self) -> None:
        """Ends it at once; the peer is told by the next `flush`."""
        if self.state is State.OPEN:
            self._replies = [wire.chunk(wire.ABORT)]
        self.state = State.CLOSED
        self._inbound.sack_at = None

    def _reply(self, piece: bytes) -> None:
        if len(self._replies) < _REPLIES_MAX:
            self._replies.append(piece)

    def _seal(self, bundle: list[bytes]) -> bytes:
        return wire.seal(*self._ports, self._peer_tag, bundle)

    def _other_tag(self, tag: int, chunks: list[tuple[int, int, bytes]]) -> None:
        if tag == 0 and len(chunks) == 1 and chunks[0][0] == wire.INIT:
            self._init(chunks[0][2])
        elif tag == self._peer_tag and chunks[0][0] in (wire.ABORT, wire.SHUTDOWN_COMPLETE) and chunks[0][1] & 1:
            self.state = State.CLOSED  # RFC 9260 section 8.5.1: the T bit, our tag was not known to it
        else:
            raise SctpError("tag")

    def _init(self, value: bytes) -> None:
        tag, window, tsn, partial = wire.read_init(value)
        if self.state is not State.NEW:
            return  # late, or a new association, which a new DTLS association would come with
        self._peer_tag = tag
        self._inbound = Inbound(tsn, self._deliver)
        self._outbound = Outbound(self._first_tsn, window, partial=partial)
        self._reply(wire.init_chunk(wire.INIT_ACK, self._tag, WINDOW_BYTES, self._first_tsn, self._cookie))

    def _cookie_echo(self, _: int, value: bytes, now: float) -> None:
        if value != self._cookie or not self._peer_tag:
            raise SctpError("cookie")
        self._reply(wire.chunk(wire.COOKIE_ACK))
        if self.state is State.NEW:
            self.state = State.OPEN
            self._send_beat(now)

    def _sack(self, _: int, value: bytes, now: float) -> None:
        cumulative, window, gaps = wire.read_sack(value)
        if self.state is State.OPEN:
            self._outbound.sacked(cumulative, window, gaps, now)

    def _forward(self, _: int, value: bytes, __: float) -> None:
        cumulative, skipped = wire.read_forward(value)
        if self.state is State.OPEN:
            self._inbound.forward(cumulative, skipped)

    def _heartbeat(self, _: int, value: bytes, __: float) -> None:
        if self.state is State.OPEN and len(value) <= _HEARTBEAT_BYTES:
            self._reply(wire.chunk(wire.HEARTBEAT_ACK, 0, value))

    def _heartbeat_ack(self, _: int, value: bytes, now: float) -> None:
        if self._beat is not None and value == self._beat[0]:
            took = now - self._beat[1]
            self.rtt_s = took if self.rtt_s is None else self.rtt_s + (took - self.rtt_s) / 4
            self._beat = None

    def _send_beat(self, now: float) -> None:
        self._beats += 1
        self._beat = (b"\0\1\0\x0c" + self._beats.to_bytes(8, "big"), now)  # RFC 9260 section 3.3.5
        self._reply(wire.chunk(wire.HEARTBEAT, 0, self._beat[0]))
        self._beat_at = now + (_FIRST_BEAT_S if self.rtt_s is None else HEARTBEAT_S)

    def _re_config(self, _: int, value: bytes, __: float) -> None:
        for request, last, streams in wire.read_resets(value):
            arrived = (self._inbound.cumulative - last) & M32 < wire.HALF
            self._reply(wire.reset_response(request, wire.RESET_DONE if arrived else wire.RESET_IN_PROGRESS))
            if arrived:
                self._inbound.reset(streams)
                self.resets.update(streams)

    def _shutdown(self, _: int, __: bytes, ___: float) -> None:
        if self.state is State.OPEN:
            self._reply(wire.chunk(wire.SHUTDOWN_ACK))
        self.state = State.CLOSED


_PASSED_OVER: Final = frozenset((wire.INIT_ACK, wire.SHUTDOWN_ACK, wire.ERROR, wire.COOKIE_ACK, wire.SHUTDOWN_COMPLETE))
