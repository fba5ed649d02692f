"""The real-time plane's messages on the WebSocket, of pages and of media nodes. Handlers only translate."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from chalicelib.peers.service import Peers, Post
from chalicelib.peers.signals import Signals
from chalicelib.presence.model import Connection, NodeConnection
from chalicelib.wire import PROTOCOL_VERSION
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import Ping, Pong
from chalicelib.wire.signals import (
    NodeEnter,
    NodeGone,
    NodeState,
    PeerAnswer,
    PeerBye,
    PeerCandidate,
    PeerOffer,
    PeerRestart,
    RelayChanged,
    RelayRequest,
)

Handler = Callable[[Connection, Any], Awaitable[None]]
NodeHandler = Callable[[NodeConnection, Any], Awaitable[None]]
SIGNALS: Final[tuple[type[Any], ...]] = (PeerOffer, PeerAnswer, PeerCandidate, PeerBye, PeerRestart)


class Socket:
    """Handlers by message type, for the dispatch tables. `relay_wait_ms` is 0 where a connection may ask for a relay now."""

    def __init__(
        self,
        peers: Peers,
        signals: Signals,
        post: Post,
        *,
        now_ms: Callable[[], int],
        relay_wait_ms: Callable[[str], int],
    ) -> None:
        self._peers = peers
        self._signals = signals
        self._post = post
        self._now_ms = now_ms
        self._relay_wait_ms = relay_wait_ms

    def table(self, ping: Handler) -> dict[type[Any], Handler]:
        """What pages may send here. `ping` is what answers pings; this room looks at its relay meanwhile."""

        async def ping_and_look(connection: Connection, message: Ping) -> None:
            await asyncio.gather(ping(connection, message), self._peers.look(connection.session_id))

        return {**dict.fromkeys(SIGNALS, self._signals.from_page), RelayRequest: self.request, Ping: ping_and_look}

    def node_table(self) -> dict[type[Any], NodeHandler]:
        """What media nodes may send, and nothing else."""
        signals = dict.fromkeys(SIGNALS, self._signals.from_node)
        return {**signals, NodeEnter: self.enter, NodeGone: self.gone, Ping: self.ping}

    async def request(self, connection: Connection, message: RelayRequest) -> None:
        """Answers with who relays the room, which may be about to change."""
        wait_ms = self._relay_wait_ms(connection.connection_id)
        if wait_ms:
            raise AppError(Code.RATE_LIMITED, retry_after_ms=wait_ms)
        state = await self._peers.request(connection, message)
        await self._answer(connection.connection_id, RelayChanged(id=message.id, relay=state))

    async def enter(self, connection: NodeConnection, message: NodeEnter) -> None:
        """The node serves from now on; the rooms that wait are given to it."""
        if message.protocol != PROTOCOL_VERSION:
            raise AppError(Code.PROTOCOL_UNSUPPORTED, f"this server speaks {PROTOCOL_VERSION}")
        await self._peers.node_entered(connection.node_id, connection.connection_id)
        state = NodeState(
            id=message.id,
            node_id=connection.node_id,
            connection_id=connection.connection_id,
            server_time_ms=self._now_ms(),
        )
        await self._answer(connection.connection_id, state)
        await self._peers.serve_waiting()

    async def gone(self, connection: NodeConnection, message: NodeGone) -> None:
        """The node drains: others take its rooms."""
        await self._peers.node_gone(connection.node_id, message.sessions)

    async def ping(self, connection: NodeConnection, message: Ping) -> None:
        """Keeps a node's connection from idling out."""
        pong = Pong(id=message.id, at_ms=message.at_ms, server_time_ms=self._now_ms())
        await self._answer(connection.connection_id, pong)

    async def _answer(self, connection_id: str, message: msgspec.Struct) -> None:
        await self._post(connection_id, msgspec.json.encode(message))
