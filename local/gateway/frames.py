"""API Gateway's limit on a frame, which is smaller than its limit on a message.

aiohttp joins a message's frames before it hands them over, so the limit is watched below it: on the connection's bytes.
"""

import asyncio
from collections.abc import Callable
from typing import cast


class FrameScanner:
    """Follows the frames of one direction (RFC 6455 section 5.2) and tells when one announces too much."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = bytearray()
        self._payload_left = 0

    def too_large(self, data: bytes) -> bool:
        """Whether a frame that begins in these next bytes is larger than allowed."""
        found, at = False, 0
        while at < len(data):
            if self._payload_left:
                step = min(self._payload_left, len(data) - at)
                self._payload_left -= step
            else:
                step = min(self._head_missing(), len(data) - at)
                self._head += data[at : at + step]
                if not self._head_missing():
                    self._payload_left = self._length()
                    self._head.clear()
                    found = found or self._payload_left > self._limit
            at += step
        return found

    def _head_missing(self) -> int:
        if len(self._head) < 2:
            return 2 - len(self._head)
        mask = 4 if self._head[1] & 0x80 else 0
        return 2 + {126: 2, 127: 8}.get(self._head[1] & 0x7F, 0) + mask - len(self._head)

    def _length(self) -> int:
        short = self._head[1] & 0x7F
        extended = {126: 2, 127: 8}.get(short, 0)
        return int.from_bytes(self._head[2 : 2 + extended]) if extended else short


class FrameGuard(asyncio.Protocol):
    """Stands before a connection's protocol and calls `on_too_large` before it passes a frame on that is too large."""

    def __init__(self, inner: asyncio.Protocol, limit: int, on_too_large: Callable[[], None]) -> None:
        self._inner = inner
        self._scanner = FrameScanner(limit)
        self._on_too_large = on_too_large

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._scanner.too_large(data):
            self._on_too_large()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """The client sends no more."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._inner.resume_writing()


def guard(transport: asyncio.Transport, limit: int, on_too_large: Callable[[], None]) -> None:
    """Watches a connection from now on."""
    inner = cast(asyncio.Protocol, transport.get_protocol())
    transport.set_protocol(FrameGuard(inner, limit, on_too_large))
