"""One contract for what waits beside a document, run on the fake, on moto and on Amazon's DynamoDB Local."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from chalicelib.documents.model import Queue, Renewal, Submission, Waiting
from chalicelib.wire.documents import EntityCreate, Lock
from chalicelib.wire.operations import Create, Cut, Set, Text
from tests.contract.tables import Database, queue

D = "doc_1"
E = "ada00000.1"
NOW = 1_800_000_000_000


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Queue]:
    """The implementation under test, empty."""
    async with queue(database) as made:
        yield made


def waiting(number: int, value: object = 1) -> Waiting:
    """The submission at a place."""
    submission = Submission(
        client="ada00000", seq=number, base=0, user_id="ada", operations=(Set(id=E, path=("a",), value=value),)
    )
    return Waiting(
        place=f"{NOW + number:013d}#ada00000#{number}#x",
        connection_id="c=",
        request_id=None,
        correlation_id="corr",
        sent=None,
        submission=submission,
    )


def lock(user: str = "ada", object_id: str = E, *, until: int = NOW + 1000, token: int = 0) -> Lock:
    """A lock as it is wanted."""
    return Lock(object_id=object_id, user_id=user, token=token, expires_at_ms=until)


async def taken(desk: Queue, user: str = "ada", at: int = NOW, *, until: int = NOW + 1000, take: bool = False) -> Lock:
    """A lock that must be given."""
    made = await desk.lock(D, lock(user, until=until), at, take=take)
    assert made is not None
    return made


# -- submissions --


async def test_what_was_put_is_there_in_order(desk: Queue) -> None:
    """By place, whatever order it came in; each document has its own."""
    for number in (3, 1, 2):
        await desk.put(D, waiting(number), NOW // 1000)
    await desk.put("doc_2", waiting(9), NOW // 1000)
    found = await desk.desk(D)
    assert found.waiting == tuple(waiting(number) for number in (1, 2, 3))
    assert (found.locks, found.more) == ({}, False)


async def test_everything_of_a_submission_survives(desk: Queue) -> None:
    """Operations, what was sent as sugar, and whom to answer."""
    full = replace(
        waiting(1),
        request_id="r-1",
        sent=(EntityCreate(entity_type="box", props={"é😀": [1.5, None]}),),
        submission=Submission(
            client="ada00000",
            seq=7,
            base=5,
            seen=3,
            user_id="ada",
            operations=(Create(id=E, props={"t": "\n"}), Text(id=E, path=("t",), edit=(1, "é", Cut(2)))),
        ),
    )
    await desk.put(D, full, NOW // 1000)
    assert (await desk.desk(D)).waiting == (full,)


async def test_what_was_removed_is_gone(desk: Queue) -> None:
    """More than one batch of deletions, some that are not there, and nothing beside them."""
    await asyncio.gather(*(desk.put(D, waiting(number), NOW // 1000) for number in range(60)))
    await taken(desk)
    await desk.acquire(D, "one", NOW + 1000, NOW)
    await desk.remove(D, tuple(waiting(number).place for number in range(2, 80)))
    await desk.remove(D, ())
    found = await desk.desk(D)
    assert found.waiting == (waiting(0), waiting(1))
    assert list(found.locks) == [E]
    assert await desk.acquire(D, "two", NOW + 9000, NOW) == ("one", NOW + 1000)


async def test_more_than_one_read_holds(desk: Queue) -> None:
    """A look may show the first of them only, and says so; who removes what it shows sees all in the end."""
    for number in range(12):
        await desk.put(D, waiting(number, "x" * 110_000), NOW // 1000)
    await taken(desk)
    seen: list[int] = []
    more = True
    while more:
        found = await desk.desk(D)
        assert list(found.locks) == [E]
        assert found.waiting
        seen += [each.submission.seq for each in found.waiting]
        await desk.remove(D, tuple(each.place for each in found.waiting))
        more = found.more
    assert seen == list(range(12))
    assert (await desk.desk(D)).waiting == ()


# -- the drainer's lease --


async def test_one_of_many_gets_the_lease(desk: Queue) -> None:
    """The others learn who has it, and until when."""
    answers = await asyncio.gather(*(desk.acquire(D, f"h{n}", NOW + 1000 + n, NOW) for n in range(8)))
    assert len(set(answers)) == 1
    holder, until_ms = answers[0]
    assert until_ms == NOW + 1000 + int(holder[1:])
    assert await desk.acquire("doc_2", "other", NOW + 5, NOW) == ("other", NOW + 5)


async def test_a_lease_ends(desk: Queue) -> None:
    """Until its end it is held, to the millisecond; after it anybody may take it, and it is the new holder's."""
    await desk.acquire(D, "one", NOW + 1000, NOW)
    assert await desk.acquire(D, "two", NOW + 3000, NOW + 1000) == ("one", NOW + 1000)
    assert await desk.acquire(D, "two", NOW + 3000, NOW + 1001) == ("two", NOW + 3000)
    assert await desk.renew(D, "one", NOW + 9000) is Renewal.LOST
    assert await desk.acquire(D, "one", NOW + 9000, NOW + 1001) == ("two", NOW + 3000)


async def test_a_lease_that_another_wants_is_not_renewed_and_runs_out(desk: Queue) -> None:
    """Whoever takes it next may keep it. Nobody's lease cannot be wanted."""
    await desk.want(D)
    await desk.acquire(D, "one", NOW + 1000, NOW)
    assert await desk.renew(D, "one", NOW + 2000) is Renewal.HELD
    await desk.want(D)
    assert await desk.renew(D, "one", NOW + 3000) is Renewal.WANTED
    assert await desk.renew(D, "two", NOW + 3000) is Renewal.LOST
    assert await desk.acquire(D, "two", NOW + 5000, NOW + 2001) == ("two", NOW + 5000)
    assert await desk.renew(D, "two", NOW + 6000) is Renewal.HELD


async def test_a_lease_is_renewed_by_its_holder(desk: Queue) -> None:
    """By nobody else; not where there is none; and taking one's own again moves its end."""
    assert await desk.renew(D, "one", NOW + 1000) is Renewal.LOST
    await desk.acquire(D, "one", NOW + 1000, NOW)
    assert await desk.renew(D, "one", NOW + 2000) is Renewal.HELD
    assert await desk.renew(D, "two", NOW + 9000) is Renewal.LOST
    assert await desk.acquire(D, "two", NOW + 9000, NOW + 1500) == ("one", NOW + 2000)
    assert await desk.acquire(D, "one", NOW + 4000, NOW + 1500) == ("one", NOW + 4000)


# -- locks --


async def test_an_object_is_locked_once(desk: Queue) -> None:
    """Of many who want it one gets it; both ways of looking show it."""
    wanted = [desk.lock(D, lock(f"user{n}"), NOW, take=False) for n in range(8)]
    (won,) = [made for made in await asyncio.gather(*wanted) if made is not None]
    assert await desk.locks(D) == {E: won}
    assert (await desk.desk(D)).locks == {E: won}
    assert await desk.locks("doc_2") == {}
    assert won.expires_at_ms == NOW + 1000


async def test_another_object_is_free(desk: Queue) -> None:
    """Each has its own lock."""
    await taken(desk)
    other = await desk.lock(D, lock("bob", "ada00000.2"), NOW, take=False)
    assert other is not None
    assert set(await desk.locks(D)) == {E, "ada00000.2"}


async def test_tokens_grow(desk: Queue) -> None:
    """With every holder: after an end, a letting go, a breaking, and for one's own anew."""
    tokens = [(await taken(desk)).token]
    tokens.append((await taken(desk, "ada", NOW + 1)).token)
    tokens.append((await taken(desk, "bob", NOW + 1001)).token)
    tokens.append((await taken(desk, "cyd", NOW - 5000, take=True)).token)
    assert await desk.unlock(D, E, "cyd")
    tokens.append((await taken(desk, "ada", NOW + 2)).token)
    assert tokens == sorted(set(tokens))


async def test_a_lock_ends(desk: Queue) -> None:
    """Until its end it is held, to the millisecond; after it anybody may have it."""
    first = await taken(desk)
    assert await desk.lock(D, lock("bob"), NOW + 1000, take=False) is None
    assert await desk.locks(D) == {E: first}
    second = await taken(desk, "bob", NOW + 1001, until=NOW + 5000)
    assert await desk.locks(D) == {E: second}
    assert second.user_id == "bob"


async def test_a_lock_is_broken(desk: Queue) -> None:
    """With `take` it is another's at once, and the first holder's token is worth nothing."""
    first = await taken(desk)
    second = await taken(desk, "bob", take=True)
    assert await desk.locks(D) == {E: second}
    assert not await desk.renew_lock(D, replace(first, expires_at_ms=NOW + 9000), NOW)
    assert not await desk.unlock(D, E, "ada")


async def test_a_lock_is_renewed(desk: Queue) -> None:
    """By its holder, with its token, before its end."""
    held = await taken(desk)
    longer = replace(held, expires_at_ms=NOW + 5000)
    assert not await desk.renew_lock(D, replace(longer, user_id="bob"), NOW)
    assert not await desk.renew_lock(D, replace(longer, token=held.token - 1), NOW)
    assert not await desk.renew_lock(D, replace(longer, object_id="ada00000.9"), NOW)
    assert not await desk.renew_lock(D, longer, NOW + 1001)
    assert await desk.locks(D) == {E: held}
    assert await desk.renew_lock(D, longer, NOW + 1000)
    assert await desk.locks(D) == {E: longer}


async def test_a_lock_is_let_go(desk: Queue) -> None:
    """By its holder only; then it does not show, cannot be renewed, and is free."""
    assert not await desk.unlock(D, E, "ada")
    held = await taken(desk)
    assert not await desk.unlock(D, E, "bob")
    assert await desk.unlock(D, E, "ada")
    assert await desk.locks(D) == {}
    assert (await desk.desk(D)).locks == {}
    assert not await desk.renew_lock(D, replace(held, expires_at_ms=NOW + 9000), NOW)
    assert (await taken(desk, "bob")).user_id == "bob"


async def test_all_of_it_is_erased(desk: Queue) -> None:
    """Submissions, lease and locks, many and big ones; another document's stay."""
    for number in range(30):
        await desk.put(D, waiting(number, "x" * 40_000), NOW // 1000)
    await taken(desk)
    await desk.acquire(D, "one", NOW + 1000, NOW)
    await desk.put("doc_2", waiting(1), NOW // 1000)
    await desk.erase(D)
    await desk.erase("doc_3")
    found = await desk.desk(D)
    assert (found.waiting, found.locks, found.more) == ((), {}, False)
    assert await desk.acquire(D, "two", NOW + 10, NOW) == ("two", NOW + 10)
    assert len((await desk.desk("doc_2")).waiting) == 1
