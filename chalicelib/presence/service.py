"""Presence: who is in a room, where they are and what they point at, on the WebSocket carrier.

The law: a state that was accepted is in its row before the sender is answered or anybody told, and whoever wrote it
makes sure that a broadcaster will read it after (see `presence.broadcast`). Frames carry the newest state of each
peer, so losing, repeating or reordering them harms nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from chalicelib.presence.broadcast import Broadcaster, Sender
from chalicelib.presence.frames import encode, everything
from chalicelib.presence.model import REST_TAB, Caller, Connection, Lease, NodeConnection, Room, Row
from chalicelib.wire import limits
from chalicelib.wire.bodies import Cursor, CursorList, PeerPresence, PresenceList, UpdateCursor
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import PeerState, PresenceUpdate, ServerMessage
from chalicelib.wire.types import Pointer, PresenceState, Role, UserKind


class Rows(Protocol):
    """The rows of rooms and the connections; `presence.store` is the real one."""

    async def put_connection(self, connection: Caller, now_ms: int) -> None: ...
    async def connection(self, connection_id: str) -> Caller | None: ...
    async def delete_connection(self, connection_id: str) -> None: ...
    async def attach(self, row: Row) -> bool: ...
    async def enter(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool: ...
    async def touch(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool: ...
    async def put_state(
        self, session_id: str, peer_id: str, connection_id: str, order: tuple[int, int], fragment: bytes, now_ms: int
    ) -> bool: ...
    async def leave(self, session_id: str, peer_id: str, connection_id: str, leaving_at_ms: int) -> bool: ...
    async def set_role(self, session_id: str, peer_id: str, role: Role) -> None: ...
    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool: ...
    async def peers(self, session_id: str, peer_ids: tuple[str, ...]) -> dict[str, Row]: ...
    async def delete_row(self, row: Row, *, only_if_unchanged: bool) -> bool: ...
    async def room(self, session_id: str) -> Room: ...
    async def acquire(self, session_id: str, lease: Lease, now_ms: int) -> Lease: ...
    async def renew(self, session_id: str, lease: Lease) -> bool: ...
    async def erase(self, session_id: str) -> None: ...


class Presence:
    """The room's presence, for sockets, routes and the sessions' notifications."""

    def __init__(
        self,
        rows: Rows,
        sender: Sender,
        broadcaster: Broadcaster,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._rows = rows
        self._sender = sender
        self._broadcaster = broadcaster
        self._now_ms = now_ms
        self._known: dict[str, Caller] = {}

    # -- connections --

    async def connect(self, connection: Connection, role: Role) -> None:
        """A ticket was honoured: the connection belongs to this peer from now on. CONNECTION_LIMIT past PEERS_PER_USER.

        An older connection of the same peer is closed; the peer resumes.
        """
        now = self._now_ms()
        room = await self._rows.room(connection.session_id)
        others = [r for r in room.rows if r.user_id == connection.user_id and not r.gone(now)]
        if len({r.peer_id for r in others} | {connection.peer_id}) > limits.PEERS_PER_USER:
            raise AppError(Code.CONNECTION_LIMIT)
        await self._rows.put_connection(connection, now)
        await self._rows.attach(
            Row(
                session_id=connection.session_id,
                peer_id=connection.peer_id,
                user_id=connection.user_id,
                connection_id=connection.connection_id,
                name=connection.name,
                color=connection.color,
                role=role,
                kind=connection.kind,
                joined_at_ms=now,
                seen_at_ms=now,
            )
        )
        for row in others:
            if row.peer_id == connection.peer_id and row.connection_id not in {"", connection.connection_id}:
                await self._close(row.connection_id)

    async def withdraw(self, connection: Connection) -> None:
        """Undoes `connect`, at once; a row that is another connection's by now stays."""
        room = await self._rows.room(connection.session_id)
        for row in room.rows:
            if row.connection_id == connection.connection_id:
                await self._rows.delete_row(row, only_if_unchanged=True)
        await self._rows.delete_connection(connection.connection_id)
        self._known.pop(connection.connection_id, None)

    async def caller(self, connection_id: str) -> Caller:
        """Whose a connection is; CONNECTION_GONE if it is none of ours. Remembered: it never changes."""
        known = self._known.get(connection_id)
        if known is None:
            known = await self._rows.connection(connection_id)
            if known is None:
                raise AppError(Code.CONNECTION_GONE)
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[connection_id] = known
        return known

    async def connect_node(self, connection: NodeConnection) -> None:
        """A media node's token was honoured: the connection is the node's from now on."""
        await self._rows.put_connection(connection, self._now_ms())

    async def disconnect_node(self, connection: NodeConnection) -> None:
        """A media node's connection is over."""
        await self._rows.delete_connection(connection.connection_id)
        self._known.pop(connection.connection_id, None)

    async def enter(self, connection: Connection) -> tuple[Row, list[bytes]]:
        """The peer is ready: its own row, and the full frame to send it. CONNECTION_GONE if it was removed."""
        now = self._now_ms()
        entered = await self._rows.enter(connection.session_id, connection.peer_id, connection.connection_id, now)
        if not entered:
            raise AppError(Code.CONNECTION_GONE)
        room = await self._rows.room(connection.session_id)
        mine = next((row for row in room.rows if row.peer_id == connection.peer_id), None)
        if mine is None:
            raise AppError(Code.CONNECTION_GONE)
        return mine, encode(everything(room.visible(now)), at_ms=now, full=True)

    async def update(self, connection: Connection, message: PresenceUpdate) -> None:
        """Stores a newer state; an older one is dropped silently, for a newer is there. CONNECTION_GONE if removed."""
        now = self._now_ms()
        fragment = msgspec.json.encode(
            PeerState(
                peer_id=connection.peer_id,
                epoch=message.epoch,
                counter=message.counter,
                at_ms=now,
                state=message.state,
            )
        )
        c = connection
        order = (message.epoch, message.counter)
        if not await self._rows.put_state(c.session_id, c.peer_id, c.connection_id, order, fragment, now):
            raise AppError(Code.CONNECTION_GONE)

    async def touch(self, connection: Connection) -> None:
        """The peer is alive. CONNECTION_GONE if removed."""
        c = connection
        if not await self._rows.touch(c.session_id, c.peer_id, c.connection_id, self._now_ms()):
            raise AppError(Code.CONNECTION_GONE)

    async def disconnected(self, connection: Connection, *, at_once: bool) -> None:
        """The connection is over. Unless `at_once`, the peer has LEAVE_GRACE_S to come back unnoticed."""
        leaving_at = self._now_ms() + (0 if at_once else limits.LEAVE_GRACE_S * 1000)
        c = connection
        await self._rows.leave(c.session_id, c.peer_id, c.connection_id, leaving_at)
        await self._rows.delete_connection(c.connection_id)
        self._known.pop(c.connection_id, None)

    async def broadcast(self, session_id: str) -> None:
        """Makes sure that what was just written is told; may serve as the room's broadcaster for up to 24 s."""
        await self._broadcaster.ensure(session_id)

    # -- for the sessions room --

    async def announce(self, session_id: str, message: ServerMessage) -> None:
        """Tells everyone in the room, at once."""
        now = self._now_ms()
        data = msgspec.json.encode(message)
        room = await self._rows.room(session_id)
        targets = [row.connection_id for row in room.rows if row.reachable(now)]
        await asyncio.gather(*(self._sender.post(c, data) for c in targets))

    async def expel(self, session_id: str, user_id: str, message: ServerMessage) -> None:
        """Tells a person why, and takes every carrier from them."""
        room = await self._rows.room(session_id)
        await self._dismiss([row for row in room.rows if row.user_id == user_id], message)

    async def close_room(self, session_id: str, message: ServerMessage) -> None:
        """Tells everyone why, closes every connection, and leaves nothing behind."""
        room = await self._rows.room(session_id)
        await self._dismiss(list(room.rows), message)
        await self._rows.erase(session_id)

    async def change_role(self, session_id: str, user_id: str, role: Role) -> None:
        """The others see a person's new role."""
        room = await self._rows.room(session_id)
        for row in room.rows:
            if row.user_id == user_id:
                await self._rows.set_role(session_id, row.peer_id, role)

    async def rows(self, session_id: str) -> tuple[Row, ...]:
        """Everyone's rows, read consistently."""
        return (await self._rows.room(session_id)).rows

    async def peers(self, session_id: str, *peer_ids: str) -> dict[str, Row]:
        """Some peers' rows, read consistently, without those that are not there."""
        return await self._rows.peers(session_id, peer_ids)

    async def unreachable(self, row: Row) -> None:
        """A post was answered 410: unless the peer comes again within the grace, it is gone."""
        at_ms = self._now_ms() + limits.LEAVE_GRACE_S * 1000
        await self._rows.leave(row.session_id, row.peer_id, row.connection_id, at_ms)

    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool:
        """Says whether a peer can be offered to, and tells the others. False: there is no such peer."""
        there = await self._rows.set_rtc(session_id, peer_id, rtc)
        if there:
            await self._broadcaster.tell_once(session_id)
        return there

    async def connected_users(self, session_id: str) -> set[str]:
        """The users with at least one peer that has not gone."""
        now = self._now_ms()
        room = await self._rows.room(session_id)
        return {row.user_id for row in room.rows if not row.gone(now)}

    # -- for REST --

    async def presence(self, session_id: str) -> PresenceList:
        """Who is connected now, with their last known states."""
        now = self._now_ms()
        room = await self._rows.room(session_id)
        peers = (
            PeerPresence(
                peer_id=row.peer_id,
                user_id=row.user_id,
                name=row.name,
                color=row.color,
                role=row.role,
                joined_at_ms=row.joined_at_ms,
                seen_at_ms=row.seen_at_ms,
                state=row.state(),
            )
            for row in room.visible(now)
        )
        return PresenceList(peers=tuple(peers), at_ms=now)

    async def cursors(self, session_id: str) -> CursorList:
        """The 3D cursors of everyone who points."""
        now = self._now_ms()
        room = await self._rows.room(session_id)
        found = ((row, row.state().cursor) for row in room.visible(now))
        cursors = tuple(_cursor(row, pointer) for row, pointer in found if pointer is not None)
        return CursorList(success=True, cursors=cursors)

    async def point(self, member: "Member", body: UpdateCursor) -> None:
        """Moves a cursor by REST, for those without a page (bots, other products). Told to the room at once.

        It has a peer of its own, with the tab "rest", which expires like any other.
        """
        now = self._now_ms()
        row = Row(
            session_id=member.session_id,
            peer_id=f"{member.user_id}.{REST_TAB}",
            user_id=member.user_id,
            connection_id="",
            name=member.name,
            color=member.color,
            role=member.role,
            kind=member.kind,
            joined_at_ms=now,
            seen_at_ms=now,
            entered=True,
        )
        pointer = Pointer(position=body.position, rotation=body.rotation, target=body.target)
        state = PeerState(peer_id=row.peer_id, epoch=now, counter=0, at_ms=now, state=PresenceState(cursor=pointer))
        fragment = msgspec.json.encode(state)
        await self._rows.attach(row)
        await self._rows.put_state(row.session_id, row.peer_id, "", (now, 0), fragment, now)
        await self._broadcaster.tell_once(row.session_id)

    async def _dismiss(self, rows: list[Row], message: ServerMessage) -> None:
        data = msgspec.json.encode(message)
        connected = [row for row in rows if row.connection_id]
        for row in rows:
            await self._rows.delete_row(row, only_if_unchanged=False)
        await asyncio.gather(*(self._sender.post(row.connection_id, data) for row in connected))
        await asyncio.gather(*(self._close(row.connection_id) for row in connected))

    async def _close(self, connection_id: str) -> None:
        await self._rows.delete_connection(connection_id)
        self._known.pop(connection_id, None)
        await self._sender.disconnect(connection_id)


class Member(Protocol):
    """A participant, as the sessions room resolves one."""

    @property
    def session_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def color(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def kind(self) -> UserKind: ...


def _cursor(row: Row, pointer: Pointer) -> Cursor:
    return Cursor(
        user_id=row.user_id,
        peer_id=row.peer_id,
        name=row.name,
        color=row.color,
        position=pointer.position,
        rotation=pointer.rotation,
        target=pointer.target,
        updated_at_ms=row.seen_at_ms,
    )
