"""Presence in memory: the rows as the store keeps them, a sender that remembers, a clock that is moved by hand.

`MemoryRows` passes the same contract suite as the real store (tests/contract/test_presence_store.py).
"""

import asyncio
from dataclasses import replace

from chalicelib.presence.model import Caller, Lease, Room, Row
from chalicelib.wire import limits
from chalicelib.wire.types import Delivery, Role


class Clock:
    """Milliseconds that pass only when told to."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.ms = now_ms

    def __call__(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        """Passes the time, and lets every other task run until it waits."""
        self.ms += int(seconds * 1000)
        for _ in range(20):
            await asyncio.sleep(0)


class MemoryRows:
    """The presence and connections tables."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}
        self.connections: dict[str, Caller] = {}
        self.leases: dict[str, Lease] = {}
        self.reads = 0

    async def put_connection(self, connection: Caller, now_ms: int) -> None:
        self.connections[connection.connection_id] = connection

    async def connection(self, connection_id: str) -> Caller | None:
        return self.connections.get(connection_id)

    async def delete_connection(self, connection_id: str) -> None:
        self.connections.pop(connection_id, None)

    async def attach(self, row: Row) -> bool:
        key = (row.session_id, row.peer_id)
        old = self.rows.get(key)
        now_ms = row.seen_at_ms
        resumed = (
            old is not None
            and old.seen_at_ms > now_ms - limits.PRESENCE_TTL_S * 1000
            and not (old.leaving_at_ms and old.leaving_at_ms <= now_ms)
        )
        if old is not None and resumed:
            self.rows[key] = replace(
                row,
                joined_at_ms=old.joined_at_ms,
                epoch=old.epoch,
                counter=old.counter,
                fragment=old.fragment,
                rtc=old.rtc,
                entered=old.entered,
                resuming=not row.entered,
            )
        else:
            self.rows[key] = replace(row, joined_at_ms=now_ms)
        return resumed

    async def enter(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool:
        row = self.rows.get((session_id, peer_id))
        if row is not None and row.connection_id == connection_id:
            self.rows[session_id, peer_id] = replace(row, entered=True, resuming=False, seen_at_ms=now_ms)
            return True
        return False

    async def touch(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool:
        return self._owned(session_id, peer_id, connection_id, seen_at_ms=now_ms)

    async def put_state(
        self, session_id: str, peer_id: str, connection_id: str, order: tuple[int, int], fragment: bytes, now_ms: int
    ) -> bool:
        row = self.rows.get((session_id, peer_id))
        if row is None or row.connection_id != connection_id:
            return False
        if not row.fragment or row.order < order:
            self.rows[session_id, peer_id] = replace(
                row, epoch=order[0], counter=order[1], fragment=fragment, seen_at_ms=now_ms
            )
        return True

    async def leave(self, session_id: str, peer_id: str, connection_id: str, leaving_at_ms: int) -> bool:
        return self._owned(session_id, peer_id, connection_id, leaving_at_ms=leaving_at_ms)

    async def set_role(self, session_id: str, peer_id: str, role: Role) -> None:
        row = self.rows.get((session_id, peer_id))
        if row is not None:
            self.rows[session_id, peer_id] = replace(row, role=role)

    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool:
        row = self.rows.get((session_id, peer_id))
        if row is None:
            return False
        self.rows[session_id, peer_id] = replace(row, rtc=rtc)
        return True

    async def peers(self, session_id: str, peer_ids: tuple[str, ...]) -> dict[str, Row]:
        self.reads += 1
        return {p: self.rows[session_id, p] for p in peer_ids if (session_id, p) in self.rows}

    async def delete_row(self, row: Row, *, only_if_unchanged: bool) -> bool:
        key = (row.session_id, row.peer_id)
        there = self.rows.get(key)
        if only_if_unchanged and (
            there is None or (there.connection_id, there.seen_at_ms) != (row.connection_id, row.seen_at_ms)
        ):
            return False
        self.rows.pop(key, None)
        return True

    async def room(self, session_id: str) -> Room:
        self.reads += 1
        rows = sorted((r for (s, _), r in self.rows.items() if s == session_id), key=lambda r: r.peer_id)
        return Room(tuple(rows), self.leases.get(session_id))

    async def acquire(self, session_id: str, lease: Lease, now_ms: int) -> Lease:
        held = self.leases.get(session_id)
        if held is None or held.until_ms < now_ms or held.holder == lease.holder:
            self.leases[session_id] = lease
        return self.leases[session_id]

    async def renew(self, session_id: str, lease: Lease) -> bool:
        held = self.leases.get(session_id)
        if held is None or held.holder != lease.holder:
            return False
        self.leases[session_id] = lease
        return True

    async def erase(self, session_id: str) -> None:
        self.rows = {k: r for k, r in self.rows.items() if k[0] != session_id}
        self.leases.pop(session_id, None)

    def _owned(
        self,
        session_id: str,
        peer_id: str,
        connection_id: str,
        *,
        seen_at_ms: int | None = None,
        leaving_at_ms: int | None = None,
    ) -> bool:
        row = self.rows.get((session_id, peer_id))
        if row is None or row.connection_id != connection_id:
            return False
        self.rows[session_id, peer_id] = replace(
            row,
            seen_at_ms=row.seen_at_ms if seen_at_ms is None else seen_at_ms,
            leaving_at_ms=row.leaving_at_ms if leaving_at_ms is None else leaving_at_ms,
        )
        return True


class MemorySender:
    """Remembers what was posted to whom. `stuck` connections take a post and do not answer until released."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes]] = []
        self.closed: list[str] = []
        self.gone: set[str] = set()
        self.failing: set[str] = set()
        self.stuck: dict[str, asyncio.Event] = {}

    async def post(self, connection_id: str, data: bytes) -> Delivery:
        if connection_id in self.stuck:
            await self.stuck[connection_id].wait()
        if connection_id in self.gone:
            return Delivery.GONE
        if connection_id in self.failing:
            return Delivery.FAILED
        self.posted.append((connection_id, data))
        return Delivery.SENT

    async def disconnect(self, connection_id: str) -> Delivery:
        self.closed.append(connection_id)
        return Delivery.SENT

    def to(self, connection_id: str) -> list[bytes]:
        """What one connection got."""
        return [data for c, data in self.posted if c == connection_id]
