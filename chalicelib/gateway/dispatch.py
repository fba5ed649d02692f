"""$default: one message in, decoded, allowed, handed to the room that answers it. The table is made by wiring.

Whatever goes wrong is said to the sender as an `error` with its request id; the connection stays, unless it keeps
breaking the rules. API Gateway runs the messages of one connection concurrently and in any order.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from chalicelib.gateway.lifecycle import Log, Run
from chalicelib.gateway.limiter import Limiter
from chalicelib.presence.model import Connection
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message, request_id_of
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ClientMessage, ErrorMessage
from chalicelib.wire.types import Delivery

Handler = Callable[[Connection, Any], Awaitable[None]]


class Sender(Protocol):
    """Posts to connections, and closes them."""

    async def post(self, connection_id: str, data: bytes) -> Delivery: ...
    async def disconnect(self, connection_id: str) -> Delivery: ...


class Connections(Protocol):
    """Finds what a connection was opened for; CONNECTION_GONE."""

    async def connection(self, connection_id: str) -> Connection: ...


class Dispatch:
    """The table from message type to handler."""

    def __init__(
        self,
        table: dict[type[Any], Handler],
        connections: Connections,
        sender: Sender,
        limiter: Limiter,
        *,
        run: Run,
        now_ms: Callable[[], int],
        log: Log,
        log_failure: Log,
        correlate: Callable[[str], object],
    ) -> None:
        self._table = table
        self._connections = connections
        self._sender = sender
        self._limiter = limiter
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
            verdict = self._limiter.take(connection_id, self._now_ms())
            if verdict.wait_ms:
                request_id = request_id_of(body)
                if verdict.abusive:
                    await self._close(connection_id)
                    return
                raise AppError(Code.RATE_LIMITED, retry_after_ms=verdict.wait_ms)
            message = self._decode(body)
            request_id = message.id
            connection = await self._connections.connection(connection_id)
            await self._table[type(message)](connection, message)
        except AppError as exc:
            await self._refuse(connection_id, exc, request_id or request_id_of(body), correlation)
        except Exception:  # noqa: BLE001 - the shell's edge: logged and mapped once
            self._log_failure("message.failed", connection_id=connection_id)
            await self._refuse(connection_id, AppError(Code.INTERNAL), request_id, correlation)

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
            exc.status == 400 and self._limiter.violation(connection_id, self._now_ms())
        ):
            await self._close(connection_id)

    async def _close(self, connection_id: str) -> None:
        self._log("connection.expelled", connection_id=connection_id)
        self._limiter.forget(connection_id)
        await self._sender.disconnect(connection_id)
