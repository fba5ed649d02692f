"""Locks: leases of the scene's objects. A commit that touches what somebody else holds is rejected before it is written.

Each lock has a fencing token, which grows with every holder, so that what came late from an earlier one is told apart. A lock
ends with its lease, when its holder lets go, or when they leave. An owner or editor may break one; the feed tells of it.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from chalicelib.documents.model import Queue
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import AcquireLock, Lock, LockList, RenewLock
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity


class Gate(Protocol):
    """Asks the sessions room; its codes."""

    async def view(self, session_id: str, identity: Identity) -> tuple[str, int]: ...
    async def edit(self, session_id: str, identity: Identity) -> tuple[str, int]: ...


Note = Callable[[str, str, Identity, str], Awaitable[None]]
"""Tells the feed: session, kind, who, which object."""


class Locks:
    """The locks of a session's scene. `scene_id` names the scene of a session."""

    def __init__(
        self,
        queue: Queue,
        gate: Gate,
        note: Note,
        scene_id: Callable[[str], str],
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._queue = queue
        self._gate = gate
        self._note = note
        self._scene_id = scene_id
        self._now_ms = now_ms

    async def held(self, session_id: str, identity: Identity) -> LockList:
        """Those that are held now, by object."""
        await self._gate.view(session_id, identity)
        return LockList(locks=tuple(await self._live(session_id)))

    async def acquire(self, session_id: str, identity: Identity, body: AcquireLock) -> Lock:
        """Locks an object, or keeps one's own with a new token; LOCK_HELD, LOCK_LIMIT."""
        await self._gate.edit(session_id, identity)
        now = self._now_ms()
        live = {lock.object_id: lock for lock in await self._live(session_id)}
        if body.object_id not in live and len(live) >= limits.LOCKS_PER_SESSION:
            raise AppError(Code.LOCK_LIMIT)
        wanted = Lock(
            object_id=body.object_id, user_id=identity.user_id, token=0, expires_at_ms=now + body.ttl_s * 1000
        )
        lock = await self._queue.lock(self._scene_id(session_id), wanted, now, take=body.break_)
        if lock is None:
            raise AppError(Code.LOCK_HELD)
        other = live.get(body.object_id)
        if other is not None and other.user_id != identity.user_id:
            await self._note(session_id, "lock.broken", identity, body.object_id)
        return lock

    async def renew(self, session_id: str, identity: Identity, object_id: str, body: RenewLock) -> Lock:
        """Moves the end of one's lock; LOCK_LOST if it is not held any more."""
        await self._gate.edit(session_id, identity)
        now = self._now_ms()
        lock = Lock(
            object_id=object_id,
            user_id=identity.user_id,
            token=body.token,
            expires_at_ms=now + body.ttl_s * 1000,
        )
        if not await self._queue.renew_lock(self._scene_id(session_id), lock, now):
            raise AppError(Code.LOCK_LOST)
        return lock

    async def release(self, session_id: str, identity: Identity, object_id: str) -> None:
        """Lets go; LOCK_LOST if it is not one's own."""
        await self._gate.view(session_id, identity)
        if not await self._queue.unlock(self._scene_id(session_id), object_id, identity.user_id):
            raise AppError(Code.LOCK_LOST)

    async def release_all(self, session_id: str, user_id: str) -> None:
        """Somebody has left: what they held is free."""
        for lock in await self._live(session_id):
            if lock.user_id == user_id:
                await self._queue.unlock(self._scene_id(session_id), lock.object_id, user_id)

    async def _live(self, session_id: str) -> list[Lock]:
        now = self._now_ms()
        locks = await self._queue.locks(self._scene_id(session_id))
        return [lock for _, lock in sorted(locks.items()) if lock.expires_at_ms > now]
