"""The WebSocket API: one URL, $connect / $default / $disconnect, and the quotas that end a connection.

Messages of a connection are invoked concurrently and may overtake each other, as in AWS. A connection whose reader is
slow has a bounded queue; past it posts fail, and the others do not notice.
"""

import asyncio
import base64
import os
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

import msgspec
from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from chalicelib.wire.codes import Code
from local.events import Socket, connect_event, disconnect_event, message_event
from local.gateway.frames import guard
from local.gateway.invoker import InvocationFailed, Invoker
from local.gateway.rest import answer, forwarded, refusal
from local.gateway.settings import Bucket, GatewaySettings

_DROPPED: Final = 1006
_CLOSE_S: Final = 2.0
"""A client that neither reads nor answers a close frame is cut off after this."""


@dataclass(slots=True, eq=False)
class Connection:
    """An open WebSocket, and what waits to be written to it."""

    socket: Socket
    ws: web.WebSocketResponse
    transport: asyncio.Transport
    queue: asyncio.Queue[str | None]
    last_active_ms: int
    closing: tuple[int, str] | None = None
    in_flight: set[asyncio.Task[None]] = field(default_factory=set)


class Sockets:
    """Every open connection, by id."""

    def __init__(self, invoker: Invoker, settings: GatewaySettings, bucket: Bucket) -> None:
        self._invoker = invoker
        self._settings = settings
        self._bucket = bucket
        self._connects = Bucket(settings.connects_per_s, settings.connects_per_s, time.monotonic())
        self._open: dict[str, Connection] = {}

    def find(self, connection_id: str) -> Connection | None:
        """An open connection, or None."""
        return self._open.get(connection_id)

    def post(self, connection: Connection, text: str) -> bool:
        """Queues a message; False when its reader is too slow to take another."""
        try:
            connection.queue.put_nowait(text)
        except asyncio.QueueFull:
            return False
        connection.last_active_ms = _now_ms()
        return True

    def close(self, connection: Connection, code: int, reason: str) -> None:
        """Closes from the server's side, after what is queued for a client that reads it in time."""
        connection.closing = (code, reason)
        self._open.pop(connection.socket.connection_id, None)
        if connection.queue.full():
            connection.queue.get_nowait()
        connection.queue.put_nowait(None)
        asyncio.get_running_loop().call_later(_CLOSE_S, connection.transport.abort)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, from handshake to end."""
        request_id = str(uuid.uuid4())
        if not web.WebSocketResponse().can_prepare(request):
            return web.Response(status=426, text="This is a WebSocket.", headers={"Upgrade": "websocket"})
        if not self._connects.take(time.monotonic()):
            return refusal(429, Code.RATE_LIMITED, request_id)
        socket = Socket(
            connection_id=base64.b64encode(os.urandom(11)).decode(),
            connected_at_ms=_now_ms(),
            source_ip=request.remote or "127.0.0.1",
            user_agent=request.headers.get("User-Agent"),
            host=request.host,
        )
        query = request.rel_url.raw_query_string
        event = connect_event(socket, forwarded(request), query, request_id=request_id, now_s=time.time())
        try:
            result = await self._invoker.invoke("connect", event, request_id)
        except InvocationFailed:
            return refusal(502, Code.UPSTREAM_UNAVAILABLE, request_id)
        if not 200 <= int(result.get("statusCode", 200)) < 300:
            return answer({"headers": {"Content-Type": "application/json"}, **result}, request_id)
        return await self._serve(request, socket)

    async def _serve(self, request: web.Request, socket: Socket) -> web.StreamResponse:
        ws = web.WebSocketResponse(max_msg_size=self._settings.message_bytes, compress=False, autoping=True)
        await ws.prepare(request)
        transport = request.transport
        if transport is None:
            return ws
        queue: asyncio.Queue[str | None] = asyncio.Queue(self._settings.send_buffer_messages)
        connection = Connection(socket, ws, transport, queue, _now_ms())
        guard(transport, self._settings.frame_bytes, lambda: _refuse_frame(connection))
        self._open[socket.connection_id] = connection
        writer = asyncio.create_task(self._write(connection))
        try:
            await self._read(connection)
        finally:
            self._open.pop(socket.connection_id, None)
            writer.cancel()
            await self._ended(connection)
        return ws

    async def _read(self, connection: Connection) -> None:
        ends_at = time.monotonic() + self._settings.lifetime_s
        while not connection.ws.closed:
            idle_ms = _now_ms() - connection.last_active_ms
            wait_s = min(self._settings.idle_s - idle_ms / 1000, ends_at - time.monotonic())
            if wait_s <= 0:
                reason = "Connection duration limit" if time.monotonic() >= ends_at else "Idle timeout"
                connection.closing = (WSCloseCode.GOING_AWAY, reason)
                return await _shut(connection)
            try:
                message = await connection.ws.receive(timeout=wait_s)
            except TimeoutError:
                continue
            if isinstance(message.data, WebSocketError):
                connection.closing = (int(message.data.code), str(message.data))
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                return None
            if connection.closing is not None:
                return await _shut(connection)
            connection.last_active_ms = _now_ms()
            await self._take(connection, message)
        return None

    async def _take(self, connection: Connection, message: WSMessage) -> None:
        if message.type is WSMsgType.BINARY:
            connection.closing = (WSCloseCode.UNSUPPORTED_DATA, "Binary frames are not supported")
            await _shut(connection)
            return
        if message.type is not WSMsgType.TEXT:
            return
        if not self._bucket.take(time.monotonic()):
            self.post(connection, _notice(connection, "Too Many Requests", ""))
            return
        while len(connection.in_flight) >= self._settings.in_flight:
            await asyncio.wait(connection.in_flight, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._invoke(connection, str(message.data)))
        connection.in_flight.add(task)
        task.add_done_callback(connection.in_flight.discard)

    async def _invoke(self, connection: Connection, body: str) -> None:
        request_id = str(uuid.uuid4())
        event = message_event(connection.socket, body, request_id=request_id, now_s=time.time())
        try:
            await self._invoker.invoke("message", event, request_id)
        except InvocationFailed:
            self.post(connection, _notice(connection, "Internal server error", request_id))

    async def _write(self, connection: Connection) -> None:
        while (text := await connection.queue.get()) is not None:
            try:
                await connection.ws.send_str(text)
            except (ConnectionError, RuntimeError):
                return
        await _shut(connection)

    async def _ended(self, connection: Connection) -> None:
        code, reason = connection.closing or (connection.ws.close_code or _DROPPED, "")
        request_id = str(uuid.uuid4())
        event = disconnect_event(connection.socket, code, reason, request_id=request_id, now_s=time.time())
        try:
            await self._invoker.invoke("disconnect", event, request_id)
        except InvocationFailed:
            return


def _refuse_frame(connection: Connection) -> None:
    connection.closing = connection.closing or (WSCloseCode.MESSAGE_TOO_BIG, "Frame too large")


async def _shut(connection: Connection) -> None:
    """Says why, and ends it; by force where the client does not listen."""
    code, reason = connection.closing or (WSCloseCode.OK, "")
    asyncio.get_running_loop().call_later(_CLOSE_S, connection.transport.abort)
    await connection.ws.close(code=code, message=reason.encode())


def _notice(connection: Connection, message: str, request_id: str) -> str:
    """What API Gateway itself says on a connection."""
    ids = {"connectionId": connection.socket.connection_id, "requestId": request_id}
    return msgspec.json.encode({"message": message, **ids}).decode()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
