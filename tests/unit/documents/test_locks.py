"""Locks: who may, how many, what becomes of them; and what ends with whom."""

import pytest

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import AcquireLock, Lock, RenewLock
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from tests.fakes.papers import ADA, BOB, BOX, EVE, SCENE, SESSION, ZOE, Papers


async def taken(papers: Papers, identity: Identity = ADA, object_id: str = BOX, *, take: bool = False) -> Lock:
    """A lock."""
    return await papers.locks.acquire(SESSION, identity, AcquireLock(object_id=object_id, break_=take))


async def test_it_is_held_until_its_end() -> None:
    """By one; then it is free."""
    papers = Papers()
    lock = await taken(papers)
    assert lock.expires_at_ms == papers.now + limits.LOCK_TTL_S * 1000
    assert (await papers.locks.held(SESSION, EVE)).locks == (lock,)
    with pytest.raises(AppError, match=Code.LOCK_HELD):
        await taken(papers, BOB)
    papers.now = lock.expires_at_ms + 1
    assert (await papers.locks.held(SESSION, EVE)).locks == ()
    assert (await taken(papers, BOB)).token > lock.token
    assert papers.notes == []


async def test_one_that_is_broken_is_told_of() -> None:
    """In the feed; taking one's own again, or one that has ended, is no news."""
    papers = Papers()
    await taken(papers, take=True)
    await taken(papers, take=True)
    await taken(papers, BOB, take=True)
    assert papers.notes == [(SESSION, "lock.broken", "bob", BOX)]


async def test_it_is_renewed_with_its_token() -> None:
    """Not with an older one, and not after its end."""
    papers = Papers()
    lock = await taken(papers)
    renewed = await papers.locks.renew(SESSION, ADA, BOX, RenewLock(token=lock.token, ttl_s=100))
    assert renewed == Lock(object_id=BOX, user_id="ada", token=lock.token, expires_at_ms=papers.now + 100_000)
    with pytest.raises(AppError, match=Code.LOCK_LOST):
        await papers.locks.renew(SESSION, ADA, BOX, RenewLock(token=lock.token - 1))
    papers.now = renewed.expires_at_ms + 1
    with pytest.raises(AppError, match=Code.LOCK_LOST):
        await papers.locks.renew(SESSION, ADA, BOX, RenewLock(token=lock.token))


async def test_it_is_let_go_by_its_holder() -> None:
    """Even by one who has become a viewer; by nobody else."""
    papers = Papers()
    await taken(papers, BOB)
    with pytest.raises(AppError, match=Code.LOCK_LOST):
        await papers.locks.release(SESSION, ADA, BOX)
    papers.gate.roles["bob"] = "viewer"
    await papers.locks.release(SESSION, BOB, BOX)
    assert (await papers.locks.held(SESSION, ADA)).locks == ()


async def test_only_so_many() -> None:
    """At the limit one's own can be taken again, and what has ended does not count."""
    papers = Papers()
    for n in range(limits.LOCKS_PER_SESSION):
        await taken(papers, object_id=f"ada00000.{n}")
    with pytest.raises(AppError, match=Code.LOCK_LIMIT):
        await taken(papers, object_id="ada00000.more")
    await taken(papers, object_id="ada00000.7")
    papers.now += limits.LOCK_TTL_S * 1000 + 1
    await taken(papers, object_id="ada00000.more")


@pytest.mark.parametrize(("identity", "code"), [(EVE, Code.ROLE_INSUFFICIENT), (ZOE, Code.SESSION_UNKNOWN)])
async def test_who_may_not(identity: Identity, code: Code) -> None:
    """A viewer sees them only; a stranger not even that."""
    papers = Papers()
    for asking in (taken(papers, identity), papers.locks.renew(SESSION, identity, BOX, RenewLock(token=1))):
        with pytest.raises(AppError, match=code):
            await asking
    with pytest.raises(AppError, match=Code.LOCK_LOST if identity is EVE else code):
        await papers.locks.release(SESSION, identity, BOX)
    if identity is ZOE:
        with pytest.raises(AppError, match=code):
            await papers.locks.held(SESSION, identity)


async def test_they_end_with_their_holder() -> None:
    """All of theirs, and only theirs."""
    papers = Papers()
    for n in range(3):
        await taken(papers, BOB, f"bob00000.{n}")
    kept = await taken(papers)
    await papers.locks.release_all(SESSION, "bob")
    assert (await papers.locks.held(SESSION, ADA)).locks == (kept,)
    assert list(papers.queue.held) == [SCENE]
