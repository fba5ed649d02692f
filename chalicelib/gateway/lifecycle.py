"""$connect and $disconnect. A ticket opens a connection, once, for one peer of one session; a token of its own a node's.

API Gateway offers no authorizer here that Chalice emits, so the ticket is verified in the handler; whatever is wrong
with it, the handshake is refused with the status that the code table gives.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

import msgspec

from chalicelib.presence.model import Caller, Connection, NodeConnection
from chalicelib.presence.service import Member, Presence
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity, NodeClaims, TicketClaims, is_nodes

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, Any]], Any]

_CLOSED_BY_CLIENT: Final = {1000, 1001}
"""RFC 6455 section 7.4.1: normal closure, going away. Anything else may be a network that drops, and resumes."""


class Tickets(Protocol):
    """Burns a ticket; TICKET_INVALID or TICKET_USED."""

    def consume(self, ticket: str) -> TicketClaims: ...


class Seats(Protocol):
    """Makes sure that a participant has a seat, and says who they are here; the sessions room's codes otherwise."""

    def ensure_seated(self, session_id: str, identity: Identity) -> Member: ...
    def confirm_seated(self, session_id: str, user_id: str) -> None: ...


class Nodes(Protocol):
    """Media nodes: honours their tokens (TICKET_INVALID, TICKET_USED), and hears of connections that are over."""

    def admit(self, token: str) -> NodeClaims: ...
    async def disconnected(self, node_id: str, connection_id: str) -> None: ...


class Log(Protocol):
    """One structured event."""

    def __call__(self, name: str, **fields: str | int | float | bool | None) -> None: ...


class Lifecycle:
    """The beginning and the end of a WebSocket."""

    def __init__(self, tickets: Tickets, seats: Seats, nodes: Nodes, presence: Presence, run: Run, log: Log) -> None:
        self._tickets = tickets
        self._seats = seats
        self._nodes = nodes
        self._presence = presence
        self._run = run
        self._log = log

    def connect(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answers $connect."""
        context = event["requestContext"]
        connection_id = str(context["connectionId"])
        try:
            connection = self._open(connection_id, event.get("queryStringParameters") or {})
        except AppError as exc:
            self._log("connection.refused", connection_id=connection_id, code=exc.code)
            return _refusal(exc, str(context.get("requestId", "-")))
        if isinstance(connection, NodeConnection):
            self._log("node.connected", connection_id=connection_id, node_id=connection.node_id)
        else:
            self._log("connection.opened", connection_id=connection_id, session_id=connection.session_id)
        return {"statusCode": 200}

    def disconnect(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answers $disconnect, and stays to tell the others where nobody else does."""
        context = event["requestContext"]
        connection_id = str(context["connectionId"])
        at_once = context.get("disconnectStatusCode") in _CLOSED_BY_CLIENT
        try:
            connection: Caller = self._run(self._presence.caller(connection_id))
        except AppError:
            return {"statusCode": 200}  # removed, or replaced: nothing of it is left
        if isinstance(connection, NodeConnection):
            self._run(self._presence.disconnect_node(connection))
            self._run(self._nodes.disconnected(connection.node_id, connection_id))
            return {"statusCode": 200}
        self._run(self._presence.disconnected(connection, at_once=at_once))
        self._log("connection.closed", connection_id=connection_id, session_id=connection.session_id, at_once=at_once)
        self._run(self._presence.broadcast(connection.session_id))
        return {"statusCode": 200}

    def _open(self, connection_id: str, query: dict[str, str]) -> Caller:
        ticket = query.get("ticket")
        if not ticket:
            raise AppError(Code.TICKET_INVALID)
        if is_nodes(ticket):
            node = NodeConnection(connection_id, self._nodes.admit(ticket).sub)
            self._run(self._presence.connect_node(node))
            return node
        claims = self._tickets.consume(ticket)
        identity = Identity(claims.sub, claims.name, claims.kind)
        member = self._seats.ensure_seated(claims.sid, identity)
        connection = Connection(
            connection_id=connection_id,
            session_id=claims.sid,
            peer_id=f"{claims.sub}.{claims.tab}",
            user_id=claims.sub,
            name=member.name,
            color=member.color,
            kind=member.kind,
        )
        self._run(self._presence.connect(connection, member.role))
        try:
            # Whoever removes somebody takes the seat, then every row. A row that was attached after that look is found here.
            self._seats.confirm_seated(claims.sid, claims.sub)
        except AppError:
            self._run(self._presence.withdraw(connection))
            raise
        return connection


def _refusal(exc: AppError, request_id: str) -> dict[str, Any]:
    body = ErrorBody(code=exc.code, message=exc.message, correlation_id=request_id)
    return {"statusCode": exc.status, "body": msgspec.json.encode(body).decode()}
