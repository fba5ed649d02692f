"""Data channels of a participant: the side that opens, on the node's association (media_node/sctp.py), which only answers."""

from random import Random
from typing import Final

from media_node import sctp_chunks as wire
from media_node.sctp import Association, State
from media_node.sctp_inbound import WINDOW_BYTES, Deliver, Inbound
from media_node.sctp_outbound import Outbound

_COOKIE: Final = 7


class Opener(Association):
    """Sends the INIT (RFC 9260 section 5.1)."""

    def __init__(self, deliver: Deliver, chance: Random) -> None:
        super().__init__(port=5000, peer_port=5000, deliver=deliver, chance=chance)
        self._handlers[wire.INIT_ACK] = self._init_acked
        self._handlers[wire.COOKIE_ACK] = self._cookie_acked
        self._theirs: bytes | None = None

    def begin(self) -> None:
        """Sends what the handshake waits for, again where it was lost."""
        if self.state is not State.NEW:
            return
        if self._theirs is None:
            self._peer_tag = 0
            self._reply(wire.init_chunk(wire.INIT, self._tag, WINDOW_BYTES, self._first_tsn))
        else:
            self._reply(wire.chunk(wire.COOKIE_ECHO, 0, self._theirs))

    def _init_acked(self, _: int, value: bytes, __: float) -> None:
        if self.state is not State.NEW or self._theirs is not None:
            return
        tag, window, tsn, partial = wire.read_init(value)
        self._peer_tag = tag
        self._inbound = Inbound(tsn, self._deliver)
        self._outbound = Outbound(self._first_tsn, window, partial=partial)
        self._theirs = cookie_of(value)
        self._reply(wire.chunk(wire.COOKIE_ECHO, 0, self._theirs))

    def _cookie_acked(self, _: int, __: bytes, now: float) -> None:
        if self.state is State.NEW:
            self.state = State.OPEN
            self._send_beat(now)


def cookie_of(value: bytes) -> bytes:
    """Of an INIT-ACK's value. Raises SctpError."""
    at = 16
    while at + 4 <= len(value):
        kind, length = int.from_bytes(value[at : at + 2], "big"), int.from_bytes(value[at + 2 : at + 4], "big")
        if length < 4:
            break
        if kind == _COOKIE:
            return value[at + 4 : at + length]
        at += length + (-length & 3)
    raise wire.SctpError("INIT-ACK without a cookie")
