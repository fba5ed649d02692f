"""HTTP/1.1 to one origin over kept-alive connections: httptools parses, asyncio carries, and little is in between.

For small signed requests to AWS endpoints, hundreds a second from one container. aiohttp's client costs 240 us of CPU a
request, this 60 (docs/adr/0005-lean-clients.md). No redirects, cookies, proxies or compression: AWS's APIs need none.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Final, cast
from urllib.parse import urlsplit

import httptools

_CONNECTIONS_MAX: Final = 128
_KEPT_IDLE_S: Final = 50.0
"""How long an idle connection is trusted; AWS's endpoints close theirs after 60 s or more."""


class HttpError(OSError):
    """No answer: the connection broke, or what came is not HTTP. Whether the request was carried out is unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: status and body."""

    status: int
    body: bytes


class _Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since_s = 0.0
        self._parser: httptools.HttpResponseParser | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._body: list[bytes] = []

    def exchange(self, request: bytes) -> asyncio.Future[Reply]:
        """Sends a request; the future is its answer."""
        assert self.transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self._waiter = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiter

    def reusable(self, now_s: float) -> bool:
        """Whether another request may be sent on it."""
        open_ = self.transport is not None and not self.transport.is_closing()
        return open_ and now_s - self.idle_since_s < _KEPT_IDLE_S

    def close(self) -> None:
        """Gives it up, whatever is under way on it."""
        if self.transport is not None:
            self.transport.abort()

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by its class

    def data_received(self, data: bytes) -> None:
        """A part of an answer; anything that nobody asked for ends the connection."""
        if self._parser is None:
            return self.close()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(HttpError(f"not HTTP: {exc}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over; so is what was under way."""
        self._fail(HttpError(str(exc) if exc else "closed by the other side"))

    # -- httptools --

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        parser, waiter = self._parser, self._waiter
        self._parser = self._waiter = None
        assert parser is not None
        if not parser.should_keep_alive():
            self.close()
        if waiter is not None and not waiter.done():
            waiter.set_result(Reply(parser.get_status_code(), b"".join(self._body)))

    def _fail(self, exc: HttpError) -> None:
        waiter, self._waiter, self._parser = self._waiter, None, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(exc)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class HttpClient:
    """Requests to one origin (`https://host` or `http://host:port`), from one event loop."""

    def __init__(self, origin: str, timeout_s: float) -> None:
        parts = urlsplit(origin)
        self.host = parts.netloc
        self._address = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._timeout_s = timeout_s
        self._idle: list[_Connection] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS_MAX)

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """One request; `path` is as it goes on the wire, `headers` include host. Raises OSError: TimeoutError, HttpError."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode("latin-1")
        async with self._slots, asyncio.timeout(self._timeout_s):
            connection = self._take() or await self._open()
            try:
                reply = await connection.exchange(head + body)
            except BaseException:
                connection.close()
                raise
            connection.idle_since_s = time.monotonic()
            self._idle.append(connection)
            return reply

    async def close(self) -> None:
        """Closes what is idle; the next request opens anew."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> _Connection | None:
        """The connection that was used last: the others may grow old and go."""
        now_s = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable(now_s):
                return connection
            connection.close()
        return None

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()
        tls = _tls() if self._secure else None
        _, connection = await loop.create_connection(_Connection, self._address, self._port, ssl=tls)
        return connection
