"""Signals between two peers of one room: who may send what to whom, and what the other is told of the sender.

The law: `from` is the peer that the connection belongs to, looked up, never what was written; a sender whose row is not
its connection's any more (removed, replaced) reaches nobody. Any role may signal: what a peer may do is checked where
it arrives. A signal is two keys read and one post; nothing is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from chalicelib.peers.model import Node, Relay, node_of, peer_id_of
from chalicelib.presence.model import Connection, NodeConnection, Row
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.signals import PeerOffer, Signal
from chalicelib.wire.types import Delivery


class People(Protocol):
    """Rows of peers; the presence room."""

    async def peers(self, session_id: str, *peer_ids: str) -> dict[str, Row]: ...
    async def unreachable(self, row: Row) -> None: ...


class Nodes(Protocol):
    """Who relays a room, and where a node is."""

    async def relay(self, session_id: str) -> Relay: ...
    async def node(self, node_id: str) -> Node | None: ...


Post = Callable[[str, bytes], Awaitable[Delivery]]
NodeLost = Callable[[str, str], Awaitable[None]]


class Signals:
    """Routes them. `node_lost(node_id, connection_id)` hears of a node that a post did not find."""

    def __init__(
        self, people: People, nodes: Nodes, post: Post, node_lost: NodeLost, *, now_ms: Callable[[], int]
    ) -> None:
        self._people = people
        self._nodes = nodes
        self._post = post
        self._node_lost = node_lost
        self._now_ms = now_ms

    async def from_page(self, connection: Connection, message: Signal) -> None:
        """Routes a page's signal to a page, or to the room's node.

        IDENTITY_MISMATCH, CONNECTION_GONE for a sender that was removed, PEER_UNKNOWN for a target that is not there.
        """
        _own(message, connection.peer_id, connection.session_id)
        if node_of(message.to) is not None:
            await self._to_node(connection, message)
            return
        rows = await self._people.peers(connection.session_id, connection.peer_id, message.to)
        self._sender(connection, rows)
        if message.to == connection.peer_id:
            raise AppError(Code.PEER_UNKNOWN)
        await self._to_page(rows.get(message.to), message, connection.peer_id)

    async def from_node(self, connection: NodeConnection, message: Signal) -> None:
        """Routes a node's signal to a page of a room that it relays now; RELAY_REFUSED for another room."""
        session_id = message.session_id
        if session_id is None:
            raise AppError(Code.BODY_INVALID, "a media node says which session it means")
        peer_id = peer_id_of(connection.node_id)
        _own(message, peer_id, session_id)
        relay, rows = await asyncio.gather(self._nodes.relay(session_id), self._people.peers(session_id, message.to))
        if relay.node_id != connection.node_id:
            raise AppError(Code.RELAY_REFUSED)
        await self._to_page(rows.get(message.to), message, peer_id)

    async def _to_page(self, row: Row | None, message: Signal, sender: str) -> None:
        if row is None or not row.reachable(self._now_ms()):
            raise AppError(Code.PEER_UNKNOWN)
        told = replace(message, id=None, from_=sender, session_id=None)
        if isinstance(told, PeerOffer):
            told = replace(told, peer=None, connection_id=None)
        if await self._delivered(row.connection_id, told) is Delivery.GONE:  # a $disconnect that never was sent
            await self._people.unreachable(row)
            raise AppError(Code.PEER_UNKNOWN)

    async def _to_node(self, connection: Connection, message: Signal) -> None:
        session_id, node_id = connection.session_id, node_of(message.to) or ""
        rows, relay, node = await asyncio.gather(
            self._people.peers(session_id, connection.peer_id), self._nodes.relay(session_id), self._nodes.node(node_id)
        )
        sender = self._sender(connection, rows)
        if relay.node_id != node_id or node is None or not node.connection_id:
            raise AppError(Code.PEER_UNKNOWN)
        told = replace(message, id=None, from_=connection.peer_id, session_id=session_id)
        if isinstance(told, PeerOffer):
            told = replace(told, peer=sender.peer(), connection_id=connection.connection_id)
        if await self._delivered(node.connection_id, told) is Delivery.GONE:
            await self._node_lost(node_id, node.connection_id)
            raise AppError(Code.PEER_UNKNOWN)

    def _sender(self, connection: Connection, rows: dict[str, Row]) -> Row:
        row = rows.get(connection.peer_id)
        if row is None or row.connection_id != connection.connection_id or row.gone(self._now_ms()):
            raise AppError(Code.CONNECTION_GONE)
        return row

    async def _delivered(self, connection_id: str, message: Signal) -> Delivery:
        outcome = await self._post(connection_id, msgspec.json.encode(message))
        if outcome is Delivery.FAILED:
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)
        return outcome


def _own(message: Signal, peer_id: str, session_id: str) -> None:
    if message.from_ not in {None, peer_id} or message.session_id not in {None, session_id}:
        raise AppError(Code.IDENTITY_MISMATCH)
