"""The presence room's messages on the WebSocket. Handlers only translate; see `service` for what they mean."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from chalicelib.presence.model import Connection
from chalicelib.presence.service import Presence
from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.bodies import Session
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import Ping, Pong, PresenceUpdate, RoomEnter, RoomLeave, RoomState
from chalicelib.wire.peers import RelayState
from chalicelib.wire.types import Delivery

Handler = Callable[[Connection, Any], Awaitable[None]]


class Post(Protocol):
    """Answers one connection."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


class Socket:
    """Handlers by message type, for the dispatch table."""

    def __init__(
        self,
        presence: Presence,
        post: Post,
        session_of: Callable[[Connection], Session],
        now_ms: Callable[[], int],
        relay_of: Callable[[str], Awaitable[RelayState]],
    ) -> None:
        self._presence = presence
        self._post = post
        self._session_of = session_of
        self._now_ms = now_ms
        self._relay_of = relay_of

    def table(self) -> dict[type[Any], Handler]:
        """What this room answers."""
        return {RoomEnter: self.enter, PresenceUpdate: self.update, Ping: self.ping, RoomLeave: self.leave}

    async def enter(self, connection: Connection, message: RoomEnter) -> None:
        """Answers with the room and a full frame; the others see the peer join at the next tick."""
        if message.protocol != PROTOCOL_VERSION:
            raise AppError(Code.PROTOCOL_UNSUPPORTED, f"this server speaks {PROTOCOL_VERSION}")
        session = await asyncio.to_thread(self._session_of, connection)
        row, frames = await self._presence.enter(connection)
        relay = await self._relay_of(connection.session_id)
        state = RoomState(
            id=message.id,
            session=session,
            you=row.peer(),
            server_time_ms=self._now_ms(),
            presence_hz=limits.PRESENCE_HZ,
            ping_interval_s=limits.PING_INTERVAL_S,
            relay=relay,
        )
        for data in (msgspec.json.encode(state), *frames):
            await self._post(connection.connection_id, data)
        await self._presence.broadcast(connection.session_id)

    async def update(self, connection: Connection, message: PresenceUpdate) -> None:
        """Stores the newest state; its echo in a frame is the confirmation."""
        if message.user_id is not None and message.user_id != connection.user_id:
            raise AppError(Code.IDENTITY_MISMATCH)
        await self._presence.update(connection, message)
        await self._presence.broadcast(connection.session_id)

    async def ping(self, connection: Connection, message: Ping) -> None:
        """Keeps the peer alive, and gives a room whose broadcaster was killed another one."""
        await self._presence.touch(connection)
        pong = Pong(id=message.id, at_ms=message.at_ms, server_time_ms=self._now_ms())
        await self._post(connection.connection_id, msgspec.json.encode(pong))
        await self._presence.broadcast(connection.session_id)

    async def leave(self, connection: Connection, message: RoomLeave) -> None:
        """Gone at once."""
        await self._presence.disconnected(connection, at_once=True)
        await self._presence.broadcast(connection.session_id)
