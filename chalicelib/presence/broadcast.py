"""The room's broadcaster: one function invocation tells everyone, merged, each tick; all others only write.

Theory of operation. Functions share no memory, so merging needs one of them to be chosen. Whoever has written a row asks
`ensure`. The holder of the room's lease promises to read the room until `until_ms` and ONCE MORE AFTER it, so a row that
was written before `until_ms` is certain to be read; its writer has nothing to do. Otherwise the writer tries to take the
lease: a conditional write that one of them wins. The holder renews while the room is lively, for at most
BROADCAST_LONGEST_S (API Gateway ends an integration at 29 s), and lets the lease run out. If it is killed, the lease
runs out within BROADCAST_LEASE_MS and the next writer takes over; its first frame is full, so nothing stays
untold. Cost: one write an update, one read a tick, one post a recipient and tick (docs/adr has the sums).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from chalicelib.presence.frames import Ledger, Post
from chalicelib.presence.model import Lease, Room, Row
from chalicelib.wire import limits
from chalicelib.wire.types import Delivery

_SKEW_MS: Final = 100
"""How far the clocks of two containers may differ; a promise is trusted only so long before its end."""
_LINGER_MS: Final = 1500
"""How long a broadcaster stays after the last change, so that somebody who moves now and then needs no new one."""


class Rows(Protocol):
    """What the broadcaster reads and writes."""

    async def room(self, session_id: str) -> Room: ...
    async def acquire(self, session_id: str, lease: Lease, now_ms: int) -> Lease: ...
    async def renew(self, session_id: str, lease: Lease) -> bool: ...
    async def delete_row(self, row: Row, *, only_if_unchanged: bool) -> bool: ...
    async def leave(self, session_id: str, peer_id: str, connection_id: str, leaving_at_ms: int) -> bool: ...


class Sender(Protocol):
    """Posts to connections, and closes them."""

    async def post(self, connection_id: str, data: bytes) -> Delivery: ...
    async def disconnect(self, connection_id: str) -> Delivery: ...


class Broadcaster:
    """Serves rooms from this container."""

    def __init__(
        self,
        rows: Rows,
        sender: Sender,
        on_gone: Callable[[Row], Awaitable[None]],
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rows = rows
        self._sender = sender
        self._on_gone = on_gone
        self._now_ms = now_ms
        self._new_id = new_id
        self._sleep = sleep
        self._promised: dict[str, int] = {}

    async def ensure(self, session_id: str) -> None:
        """Returns when somebody else has promised to read the room, or after having served it."""
        now = self._now_ms()
        if self._promise(session_id) > now + _SKEW_MS:
            return
        mine = Lease(self._new_id(), now + limits.BROADCAST_LEASE_MS)
        holding = await self._rows.acquire(session_id, mine, now)
        self._promised[session_id] = holding.until_ms
        if holding.holder == mine.holder:
            await self._serve(session_id, mine)
        elif holding.until_ms <= self._now_ms() + _SKEW_MS:
            # It is about to end and may have read the room for the last time already: stay, and try after it.
            await self._sleep((holding.until_ms - self._now_ms() + 2 * _SKEW_MS) / 1000)
            await self.ensure(session_id)

    async def tell_once(self, session_id: str) -> None:
        """For callers that cannot stay: one full frame now, unless a broadcaster is at work."""
        now = self._now_ms()
        if self._promise(session_id) > now + _SKEW_MS:
            return
        room = await self._rows.room(session_id)
        if room.lease is not None and room.lease.until_ms > now + _SKEW_MS:
            self._promised[session_id] = room.lease.until_ms
            return
        posts, _ = Ledger().advance(room, now, frozenset())
        await asyncio.gather(*(self._deliver(room, post) for post in posts))

    def _promise(self, session_id: str) -> int:
        if len(self._promised) > 10_000:
            self._promised.clear()
        return self._promised.get(session_id, 0)

    async def _serve(self, session_id: str, lease: Lease) -> None:
        ledger = Ledger()
        started = lively_at = self._now_ms()
        posting: dict[str, asyncio.Task[bool]] = {}
        try:
            while True:
                tick = self._now_ms()
                room = await self._rows.room(session_id)
                ledger.retell({c for c, task in posting.items() if task.done() and not task.result()})
                posting = {c: task for c, task in posting.items() if not task.done()}
                posts, changed = ledger.advance(room, tick, frozenset(posting))
                for post in posts:
                    posting[post.connection_id] = asyncio.create_task(self._deliver(room, post))
                pending = await self._sweep(room, tick)
                if changed or pending or ledger.backlog:
                    lively_at = tick
                if tick > lease.until_ms:
                    return
                lease = await self._prolong(session_id, lease, started, lively_at)
                wait_ms = min(tick + limits.TICK_MS, max(lease.until_ms + 1, tick + 1)) - self._now_ms()
                await self._sleep(max(0, wait_ms) / 1000)
        finally:
            if posting:
                await asyncio.wait(posting.values())

    async def _prolong(self, session_id: str, lease: Lease, started: int, lively_at: int) -> Lease:
        now = self._now_ms()
        tired = now - started > limits.BROADCAST_LONGEST_S * 1000 - limits.BROADCAST_LEASE_MS
        quiet = now - lively_at > _LINGER_MS
        if tired or quiet or lease.until_ms - now > limits.BROADCAST_LEASE_MS // 2:
            return lease
        longer = Lease(lease.holder, now + limits.BROADCAST_LEASE_MS)
        if not await self._rows.renew(session_id, longer):
            return lease
        self._promised[session_id] = longer.until_ms
        return longer

    async def _sweep(self, room: Room, now: int) -> bool:
        """Removes who has gone. True while somebody's grace is running: their leaving has yet to be told."""
        for row in room.rows:
            if row.gone(now) and await self._rows.delete_row(row, only_if_unchanged=True):
                await self._on_gone(row)
        return any(row.leaving_at_ms for row in room.rows if not row.gone(now))

    async def _deliver(self, room: Room, post: Post) -> bool:
        """Whether everything in the post arrived, or its recipient is gone; otherwise it must be told anew."""
        for data in post.messages:
            outcome = await self._sender.post(post.connection_id, data)
            if outcome is Delivery.GONE:  # a $disconnect that API Gateway never sent
                row = next(r for r in room.rows if r.connection_id == post.connection_id)
                at_ms = self._now_ms() + limits.LEAVE_GRACE_S * 1000
                await self._rows.leave(row.session_id, row.peer_id, row.connection_id, at_ms)
                return True
            if outcome is Delivery.FAILED:
                return False
        return True
