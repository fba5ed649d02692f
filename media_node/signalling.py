"""A media node's WebSocket to the functions: opened with a token of its own, kept, opened anew, and what comes by it.

Law 4: the node is one more peer, so it is found and offered to by the same messages as a page, and needs no way in but
its UDP port. API Gateway ends a connection after WS_LIFETIME_S: before that the next one is opened and entered, and
only then is the old one closed, so that nothing is ever sent to nobody.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final

import aiohttp
import msgspec

from chalicelib.aws import log
from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.messages import Ping, Pong, ServerMessage
from chalicelib.wire.signals import NodeEnter, NodeState

_OPEN_S: Final = 15.0
_PING_S: Final = 5.0
"""Oftener than a page: as long as a connection is broken that seems to be there, nobody comes to any of its rooms."""
_SILENCE_S: Final = 2.5 * _PING_S
"""Without a word for so long (a `pong` is one), a connection is given up."""
_BACKOFF_S: Final = 0.25
_BACKOFF_MAX_S: Final = 10.0
_OVERLAP_S: Final = 5.0
"""How long the old connection stays beside the new one: what was sent to it is still on its way."""


class Signalling:
    """One node's connection, whichever it is at the moment."""

    def __init__(
        self,
        url: str,
        ticket: Callable[[], str],
        handle: Callable[[ServerMessage], None],
        *,
        chance: Random,
        renew_s: float = limits.NODE_RENEW_S,
        open_s: float = _OPEN_S,
    ) -> None:
        self._url = url
        self._ticket = ticket
        self._handle = handle
        self._chance = chance
        self._renew_s = renew_s
        self._open_s = open_s
        self._current: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether the functions can reach this node."""
        return self._current is not None and not self._current.closed

    async def send(self, message: msgspec.Struct) -> bool:
        """Sends, if there is a connection. False: whoever waits for it asks again."""
        current = self._current
        if current is None or current.closed:
            return False
        try:
            await current.send_str(msgspec.json.encode(message).decode())
        except (aiohttp.ClientError, OSError, RuntimeError):
            return False
        return True

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession() as http:
            try:
                while True:
                    current, reading = await self._opened(http)
                    previous, self._current = self._current, current
                    if previous is not None and not previous.closed:
                        self._start(_closed_later(previous))
                    await asyncio.wait({reading}, timeout=self._renew_s)
                    if reading.done():
                        log.warning("signalling.lost", code=current.close_code)
            finally:
                for task in self._tasks:
                    task.cancel()
                if self._current is not None:
                    await self._current.close()

    async def _opened(self, http: aiohttp.ClientSession) -> tuple[aiohttp.ClientWebSocketResponse, asyncio.Task[None]]:
        """A connection that has been entered, after as many attempts as it takes."""
        failures = 0
        while True:
            reading: asyncio.Task[None] | None = None
            try:
                async with asyncio.timeout(self._open_s):
                    socket = await http.ws_connect(self._url, params={"ticket": self._ticket()}, max_msg_size=2**20)
                    entered: asyncio.Future[NodeState] = asyncio.get_running_loop().create_future()
                    reading = self._start(self._read(socket, entered))
                    await socket.send_str(msgspec.json.encode(NodeEnter(protocol=PROTOCOL_VERSION)).decode())
                    waited: list[asyncio.Future[Any]] = [entered, reading]
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if entered.done():
                    log.event("signalling.entered", connection_id=entered.result().connection_id)
                    return socket, reading
                reason = "closed"
            except (aiohttp.ClientError, OSError) as exc:
                reason = type(exc).__name__
            if reading is not None:  # it closes its socket: one that was not entered is nobody's
                reading.cancel()
            failures += 1
            log.warning("signalling.refused", reason=reason, failures=failures)
            await asyncio.sleep(min(_BACKOFF_MAX_S, _BACKOFF_S * 2**failures) * self._chance.uniform(0.5, 1))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, entered: asyncio.Future[NodeState]) -> None:
        pinging = self._start(_pinging(socket))
        try:
            while True:
                received = await socket.receive(timeout=_SILENCE_S)
                if received.type is not aiohttp.WSMsgType.TEXT:
                    return
                self._take(received.data, entered)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return
        finally:
            pinging.cancel()
            await socket.close()

    def _take(self, data: str, entered: asyncio.Future[NodeState]) -> None:
        try:
            message = decode_server_message(data)
        except msgspec.DecodeError as exc:
            log.warning("signalling.unreadable", reason=str(exc)[:200])
            return
        if isinstance(message, NodeState):
            if not entered.done():
                entered.set_result(message)
        elif not isinstance(message, Pong):
            try:
                self._handle(message)
            except Exception:  # noqa: BLE001 - one message is not worth the connection that all rooms have
                log.failure("signalling.failed", type=type(message).__name__)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _pinging(socket: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(aiohttp.ClientError, OSError, RuntimeError):
        while True:
            await asyncio.sleep(_PING_S)
            await socket.send_str(msgspec.json.encode(Ping()).decode())


async def _closed_later(socket: aiohttp.ClientWebSocketResponse) -> None:
    await asyncio.sleep(_OVERLAP_S)
    await socket.close()
