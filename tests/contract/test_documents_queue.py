"""One contract for what waits beside a document, run on the fake, on moto and on Amazon's DynamoDB Local."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chalicelib.documents.model import Queue, Submission, Waiting
from chalicelib.wire.documents import EntityDelete, Lock
from chalicelib.wire.operations import Set
from tests.contract.tables import Database, queues

D = "doc_1"
E = "ada00000.1"


@pytest.fixture
async def queue(database: Database) -> AsyncIterator[Queue]:
    """The implementation under test, empty."""
    async with queues(database) as made:
        yield made


def waiting(place: str, value: object = 1) -> Waiting:
    """A submission."""
    operations = (Set(id=E, path=("a",), value=value),)
    return Waiting(
        place=place,
        connection_id="c1",
        request_id="r1",
        correlation_id="k1",
        sent=(EntityDelete(entity_id=E), *operations),
        submission=Submission(client="ada00000", seq=1, base=0, seen=0, user_id="ada", operations=operations),
    )


def lock(user_id: str = "ada", *, until_ms: int = 1000, token: int = 0, object_id: str = E) -> Lock:
    """A lock, as it is asked for."""
    return Lock(object_id=object_id, user_id=user_id, token=token, expires_at_ms=until_ms)


async def test_what_was_put_waits_in_order_until_it_is_removed(queue: Queue) -> None:
    """By place; whole; and only in its own document."""
    for place in ("2", "1", "3"):
        await queue.put(D, waiting(place, value={"é": [1.5, None]}), 2_000_000_000)
    desk = await queue.desk(D)
    assert desk.waiting == tuple(waiting(place, value={"é": [1.5, None]}) for place in ("1", "2", "3"))
    assert (await queue.desk("doc_2")).waiting == ()
    await queue.remove(D, ("1", "3", "never was"))
    assert [one.place for one in (await queue.desk(D)).waiting] == ["2"]
    await queue.remove(D, ())
    assert len((await queue.desk(D)).waiting) == 1


async def test_more_than_one_batch_is_removed(queue: Queue) -> None:
    """DynamoDB takes 25 deletions at once."""
    places = tuple(f"{n:03}" for n in range(60))
    await asyncio.gather(*(queue.put(D, waiting(place), 2_000_000_000) for place in places))
    assert len((await queue.desk(D)).waiting) == 60
    await queue.remove(D, places[1:])
    assert [one.place for one in (await queue.desk(D)).waiting] == ["000"]


async def test_more_than_a_page_of_dynamodb_is_emptied_round_by_round(queue: Queue) -> None:
    """An answer ends at 1 MB; what is removed makes room for the rest."""
    for n in range(6):
        await queue.put(D, waiting(f"{n}", value="x" * 150_000), 2_000_000_000)
    found: list[str] = []
    while places := tuple(one.place for one in (await queue.desk(D)).waiting):
        found += places
        await queue.remove(D, places)
    assert found == [f"{n}" for n in range(6)]


async def test_a_lease_is_one_holders_until_it_runs_out(queue: Queue) -> None:
    """Whoever comes meanwhile learns who has it and until when; its holder renews it, nobody else does."""
    assert not await queue.renew(D, "h1", 500)
    assert await queue.acquire(D, "h1", 100, 0) == ("h1", 100)
    assert await queue.acquire(D, "h2", 200, 50) == ("h1", 100)
    assert await queue.renew(D, "h1", 150)
    assert not await queue.renew(D, "h2", 300)
    assert await queue.acquire(D, "h2", 300, 149) == ("h1", 150)
    assert await queue.acquire(D, "h2", 300, 151) == ("h2", 300)
    assert not await queue.renew(D, "h1", 900)
    assert await queue.acquire(D, "h2", 400, 200) == ("h2", 400)
    assert await queue.acquire("doc_2", "h3", 10, 0) == ("h3", 10)


async def test_of_all_who_want_a_lease_one_gets_it(queue: Queue) -> None:
    """And the others all learn the same."""
    answers = await asyncio.gather(*(queue.acquire(D, f"h{n}", 1000 + n, 0) for n in range(10)))
    assert len(set(answers)) == 1


async def test_a_lock_keeps_others_out(queue: Queue) -> None:
    """Free, run out or one's own: taken, with a greater token; another's: refused, unless it is broken."""
    first = await queue.lock(D, lock(until_ms=1000), 10, take=False)
    assert first is not None
    assert await queue.lock(D, lock("bob"), 500, take=False) is None
    again = await queue.lock(D, lock(until_ms=2000), 600, take=False)
    assert again is not None
    assert again.token > first.token
    broken = await queue.lock(D, lock("bob", until_ms=3000), 700, take=True)
    assert broken is not None
    assert broken.token > again.token
    late = await queue.lock(D, lock("cyd", until_ms=9000), 3001, take=False)
    assert late is not None
    assert late.token > broken.token
    assert await queue.locks(D) == {E: late}
    assert (await queue.desk(D)).locks == {E: late}
    assert await queue.locks("doc_2") == {}


async def test_a_lock_is_renewed_by_its_holder_alone(queue: Queue) -> None:
    """With the token that it was given with, before it ends."""
    held = await queue.lock(D, lock(until_ms=1000), 10, take=False)
    assert held is not None
    assert await queue.renew_lock(D, lock(until_ms=2000, token=held.token), 900)
    assert not await queue.renew_lock(D, lock("bob", until_ms=2000, token=held.token), 900)
    assert not await queue.renew_lock(D, lock(until_ms=3000, token=held.token - 1), 900)
    assert not await queue.renew_lock(D, lock(until_ms=3000, token=held.token), 2001)
    assert not await queue.renew_lock(D, lock(token=1, object_id="other"), 0)
    assert (await queue.locks(D))[E].expires_at_ms == 2000


async def test_a_lock_that_was_let_go_is_free_and_remembers_its_token(queue: Queue) -> None:
    """So that an earlier holder is told apart for ever."""
    held = await queue.lock(D, lock(until_ms=10_000), 10, take=False)
    assert held is not None
    assert not await queue.unlock(D, E, "bob")
    assert not await queue.unlock(D, "other", "ada")
    assert await queue.unlock(D, E, "ada")
    assert await queue.locks(D) == {}
    taken = await queue.lock(D, lock("bob", until_ms=20_000), 11, take=False)
    assert taken is not None
    assert taken.token > held.token


async def test_nothing_is_left_of_what_was_erased(queue: Queue) -> None:
    """Submissions, locks and the lease; another document keeps its own."""
    for document in (D, "doc_2"):
        for n in range(30):
            await queue.put(document, waiting(f"{n:02}"), 2_000_000_000)
        await queue.lock(document, lock(), 0, take=False)
        await queue.acquire(document, "h1", 100, 0)
    await queue.erase(D)
    desk = await queue.desk(D)
    assert (desk.waiting, desk.locks) == ((), {})
    assert await queue.acquire(D, "h2", 100, 0) == ("h2", 100)
    assert len((await queue.desk("doc_2")).waiting) == 30
