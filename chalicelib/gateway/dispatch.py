"""$default: one message in, decoded, allowed, handed to the room that answers it. The table is made by wiring.

Whatever goes wrong is said to the sender as an `error` with its request id; the connection stays, unless it keeps
breaking the rules. API Gateway runs the messages of one connection concurrently and in any order.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from chalicelib.gateway.lifecycle import Log, Run
from chalicelib.presence.model import Caller, Connection, NodeConnection
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message, is_signal, request_id_of
from chalicelib.wire.errors import AppError
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.messages import ClientMessage, ErrorMessage
from chalicelib.wire.types import Delivery

Handler = Callable[[Connection, Any], Awaitable[None]]
NodeHandler = Callable[[NodeConnection, Any], Awaitable[None]]


class Sender(Protocol):
    """Posts to connections, and closes them."""

    async def post(self, connection_id: str, data: bytes) -> Delivery: ...
    async def disconnect(self, connection_id: str) -> Delivery: ...


class Connections(Protocol):
    """Finds whose a connection is; CONNECTION_GONE."""

    async def caller(self, connection_id: str) -> Caller: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """A bucket each: signals come all at once when a mesh begins, and must not eat what presence and edits need."""

    messages: Limiter
    signals: Limiter
    nodes: Limiter
    """Of media nodes' signals, which answer whole rooms."""


class Dispatch:
    """The tables from message type to handler: what participants may send, and what media nodes may."""

    def __init__(
        self,
        table: dict[type[Any], Handler],
        node_table: dict[type[Any], NodeHandler],
        connections: Connections,
        sender: Sender,
        limits: Limits,
        *,
        run: Run,
        now_ms: Callable[[], int],
        log: Log,
        log_failure: Log,
        correlate: Callable[[str], object],
    ) -> None:
        self._table = table
        self._node_table = node_table
        self._connections = connections
        self._sender = sender
        self._limits = limits
        self._run = run
        self._now_ms = now_ms
        self._log = log
        self._log_failure = log_failure
        self._correlate = correlate

    def message(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answers one message event."""
        context = event["requestContext"]
        connection_id = str(context["connectionId"])
        correlation = str(context.get("requestId") or context.get("messageId") or "-")
        self._run(self._serve(connection_id, event.get("body") or "", correlation))
        return {"statusCode": 200}

    async def _serve(self, connection_id: str, body: str, correlation: str) -> None:
        request_id: str | None = None
        self._correlate(correlation)
        try:
            limiter = await self._limiter(connection_id, body)
            verdict = limiter.take(connection_id, self._now_ms())
            if verdict.wait_ms:
                request_id = request_id_of(body)
                if verdict.abusive:
                    await self._close(connection_id)
                    return
                raise AppError(Code.RATE_LIMITED, retry_after_ms=verdict.wait_ms)
            message = self._decode(body)
            request_id = message.id
            await self._handle(await self._connections.caller(connection_id), message)
        except AppError as exc:
            await self._refuse(connection_id, exc, request_id or request_id_of(body), correlation)
        except Exception:  # noqa: BLE001 - the shell's edge: logged and mapped once
            self._log_failure("message.failed", connection_id=connection_id)
            await self._refuse(connection_id, AppError(Code.INTERNAL), request_id, correlation)

    async def _limiter(self, connection_id: str, body: str) -> Limiter:
        if not is_signal(body):
            return self._limits.messages
        caller = await self._connections.caller(connection_id)
        return self._limits.nodes if isinstance(caller, NodeConnection) else self._limits.signals

    async def _handle(self, caller: Caller, message: ClientMessage) -> None:
        """ROLE_INSUFFICIENT for what only media nodes may send, or only participants."""
        if isinstance(caller, NodeConnection):
            node_handler = self._node_table.get(type(message))
            if node_handler is None:
                raise AppError(Code.ROLE_INSUFFICIENT)
            await node_handler(caller, message)
            return
        handler = self._table.get(type(message))
        if handler is None:
            raise AppError(Code.ROLE_INSUFFICIENT)
        await handler(caller, message)

    def _decode(self, body: str) -> ClientMessage:
        return decode_client_message(body)

    async def _refuse(self, connection_id: str, exc: AppError, request_id: str | None, correlation: str) -> None:
        self._log("message.refused", connection_id=connection_id, code=exc.code)
        error = ErrorMessage(
            id=request_id,
            code=exc.code,
            message=exc.message,
            correlation_id=correlation,
            retry_after_ms=exc.retry_after_ms,
        )
        await self._sender.post(connection_id, msgspec.json.encode(error))
        if exc.code is Code.CONNECTION_GONE or (
            exc.status == 400 and self._limits.messages.violation(connection_id, self._now_ms())
        ):
            await self._close(connection_id)

    async def _close(self, connection_id: str) -> None:
        self._log("connection.expelled", connection_id=connection_id)
        for limiter in (self._limits.messages, self._limits.signals, self._limits.nodes):
            limiter.forget(connection_id)
        await self._sender.disconnect(connection_id)
