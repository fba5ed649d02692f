"""Who is in a session, by its presence rows: read about each second, and at once where somebody unknown asks for
something.

The functions write the rows; the node only reads. What was pushed to it meanwhile (a role, a removal) counts until the
rows must show it. Whoever is removed loses their row at once; whoever's WebSocket dropped is shown as leaving first,
and so the two are told apart.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from chalicelib.documents.model import Listener
from chalicelib.presence.model import Room as Rows
from chalicelib.presence.model import Row
from chalicelib.sessions.model import Permission, allows
from chalicelib.wire.types import Role

AGE_MS: Final = 1000
_UNKNOWN_AGE_MS: Final = 100
"""Somebody unknown is looked for again no sooner."""
_NOTICE_MS: Final = 3000
"""How long what was pushed counts for more than what is read."""


class Reading(Protocol):
    """`presence.store`, as much of it as is read here."""

    async def room(self, session_id: str) -> Rows: ...


class Census:
    """One session's people."""

    def __init__(self, session_id: str, reading: Reading, now_ms: Callable[[], int]) -> None:
        self._session_id = session_id
        self._reading = reading
        self._now_ms = now_ms
        self._lock = asyncio.Lock()
        self._roles: dict[str, tuple[Role, int]] = {}
        self._removed: dict[str, int] = {}
        self._listeners: tuple[Listener, ...] = ()
        self._connections: frozenset[str] = frozenset()
        self.rows: dict[str, Row] = {}
        """By peer."""
        self.read_at_ms = 0

    async def read(self, age_ms: int = 0) -> bool:
        """Reads, unless what is known is no older. Whether it read. UPSTREAM_UNAVAILABLE."""
        asked_at_ms = self._now_ms()
        async with self._lock:
            if self.read_at_ms and asked_at_ms - self.read_at_ms < age_ms:
                return False
            begun_at_ms = self._now_ms()
            found = (await self._reading.room(self._session_id)).rows
            self.read_at_ms = begun_at_ms
            self._roles = {u: known for u, known in self._roles.items() if known[1] + _NOTICE_MS > begun_at_ms}
            self._removed = {u: at for u, at in self._removed.items() if at + _NOTICE_MS > begun_at_ms}
            self._count(found)
        return True

    async def listeners(self, connections: frozenset[str]) -> tuple[Listener, ...]:
        """Everybody with a connection, no older than a second, and looked for anew where one of these is not known."""
        await self.read(AGE_MS)
        if not connections <= self._connections:
            await self.read(_UNKNOWN_AGE_MS)
        return self._listeners

    def role(self, row: Row) -> Role:
        """Somebody's role, as it was told last."""
        return self.pushed(row.user_id) or row.role

    def pushed(self, user_id: str) -> Role | None:
        """The role that a notice gave somebody lately."""
        notice = self._roles.get(user_id)
        return notice[0] if notice else None

    def change_role(self, user_id: str, role: Role) -> None:
        """A notice that somebody has another role."""
        self._roles[user_id] = (role, self._now_ms())
        self._count(tuple(self.rows.values()))

    def remove(self, user_id: str) -> None:
        """A notice that somebody was removed."""
        self._removed[user_id] = self._now_ms()
        self._count(tuple(self.rows.values()))

    def _count(self, rows: tuple[Row, ...]) -> None:
        now = self._now_ms()
        self.rows = {row.peer_id: row for row in rows if row.user_id not in self._removed}
        self._listeners = tuple(
            Listener(
                connection_id=row.connection_id,
                user_id=row.user_id,
                may_edit=allows(self.role(row), Permission.EDIT),
                reachable=row.reachable(now),
            )
            for row in self.rows.values()
            if row.connection_id
        )
        self._connections = frozenset(listener.connection_id for listener in self._listeners)
