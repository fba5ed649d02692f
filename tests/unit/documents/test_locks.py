"""Locks: who holds, who waits, who breaks, and when they end."""

from collections.abc import Awaitable

import pytest

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import AcquireLock, RenewLock
from chalicelib.wire.errors import AppError
from tests.unit.documents.house import E, House, S, person

ADA, BOB, VIC, EVE = (person(name) for name in ("ada", "bob", "vic", "eve"))


async def code_of(asking: Awaitable[object]) -> Code:
    """What it is refused with."""
    with pytest.raises(AppError) as caught:
        await asking
    return caught.value.code


async def test_a_lock_is_one_persons_until_it_ends(house: House) -> None:
    """Renewed by them, refused to others, free when it has ended; seen by everybody."""
    locks = house.container().locks
    held = await locks.acquire(S, ADA, AcquireLock(object_id=E, ttl_s=10))
    assert held.expires_at_ms == house.clock() + 10_000
    assert await code_of(locks.acquire(S, BOB, AcquireLock(object_id=E))) is Code.LOCK_HELD
    house.clock.ms += 9_000
    renewed = await locks.renew(S, ADA, E, RenewLock(token=held.token, ttl_s=10))
    assert renewed.expires_at_ms == house.clock() + 10_000
    assert (await locks.held(S, VIC)).locks == (renewed,)
    house.clock.ms += 10_001
    assert (await locks.held(S, VIC)).locks == ()
    assert await code_of(locks.renew(S, ADA, E, RenewLock(token=held.token))) is Code.LOCK_LOST
    taken = await locks.acquire(S, BOB, AcquireLock(object_id=E))
    assert taken.token > held.token
    assert house.noted == []


async def test_a_lock_that_is_broken_is_lost_and_the_feed_tells(house: House) -> None:
    """Its old holder may not renew it, nor let go of it."""
    locks = house.container().locks
    held = await locks.acquire(S, ADA, AcquireLock(object_id=E))
    broken = await locks.acquire(S, BOB, AcquireLock(object_id=E, break_=True))
    assert broken.token > held.token
    assert house.noted == [("lock.broken", "bob", E)]
    assert await code_of(locks.renew(S, ADA, E, RenewLock(token=held.token))) is Code.LOCK_LOST
    assert await code_of(locks.release(S, ADA, E)) is Code.LOCK_LOST
    await locks.acquire(S, BOB, AcquireLock(object_id=E, break_=True))
    assert len(house.noted) == 1


async def test_who_may_lock(house: House) -> None:
    """Who may edit; who may see sees the locks; a stranger nothing."""
    locks = house.container().locks
    assert await code_of(locks.acquire(S, VIC, AcquireLock(object_id=E))) is Code.ROLE_INSUFFICIENT
    assert await code_of(locks.renew(S, VIC, E, RenewLock(token=1))) is Code.ROLE_INSUFFICIENT
    assert await code_of(locks.held(S, EVE)) is Code.SESSION_UNKNOWN
    assert await code_of(locks.release(S, EVE, E)) is Code.SESSION_UNKNOWN
    assert await code_of(locks.release(S, VIC, E)) is Code.LOCK_LOST


async def test_locks_are_limited(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many in a session; one that is held already may be kept."""
    monkeypatch.setattr(limits, "LOCKS_PER_SESSION", 2)
    locks = house.container().locks
    for name in ("o1", "o2"):
        await locks.acquire(S, ADA, AcquireLock(object_id=name))
    assert await code_of(locks.acquire(S, ADA, AcquireLock(object_id="o3"))) is Code.LOCK_LIMIT
    await locks.acquire(S, ADA, AcquireLock(object_id="o2"))
    await locks.release(S, ADA, "o1")
    await locks.acquire(S, ADA, AcquireLock(object_id="o3"))


async def test_whoever_leaves_lets_go_of_everything(house: House) -> None:
    """And of nobody else's."""
    locks = house.container().locks
    for name in ("o1", "o2"):
        await locks.acquire(S, ADA, AcquireLock(object_id=name))
    kept = await locks.acquire(S, BOB, AcquireLock(object_id="o3"))
    await locks.release_all(S, "ada")
    assert (await locks.held(S, VIC)).locks == (kept,)
