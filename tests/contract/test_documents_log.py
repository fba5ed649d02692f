"""One contract for the log, run on the fake, on moto and on Amazon's DynamoDB Local; and the committer's laws on each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from chalicelib.documents.committer import Committer
from chalicelib.documents.model import History, Record, Submission
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Add, Create, Cut, Drop, Operation, Overridden, Set, Text
from tests.contract.tables import Database, op_log

D = "doc_1"
E = "ada00000.1"


@pytest.fixture
async def log(database: Database) -> AsyncIterator[History]:
    """The implementation under test, empty."""
    async with op_log(database) as made:
        yield made


def record(revision: int, *operations: Operation, value: object = 1) -> Record:
    """One revision."""
    made = operations or (Set(id=E, path=("a",), value=value),)
    return Record(
        revision=revision, client="ada00000", seq=revision, user_id="ada", at_ms=1, base=revision - 1, operations=made
    )


def committer(log: History) -> Committer:
    """A process of its own."""
    return Committer(log, now_ms=lambda: 1, jitter=lambda: 0.5)


def submission(client: str, seq: int, base: int, *operations: Operation) -> Submission:
    """By a user of the same name."""
    made = operations or (Add(id=E, path=("n",), by=1),)
    return Submission(client=client, seq=seq, base=base, user_id=client, operations=made)


async def whole(log: History) -> list[Record]:
    """All of it, a few at a time."""
    found: list[Record] = []
    while more := await log.since(D, len(found), 7):
        found += more
    return found


async def test_what_was_appended_is_read(log: History) -> None:
    """From any revision on, however it was batched."""
    assert await log.since(D, 0, 10) == ()
    records = [record(r) for r in range(1, 10)]
    for first, last in ((1, 1), (2, 5), (6, 6), (7, 9)):
        assert await log.append(D, tuple(records[first - 1 : last]))
    for since in range(10):
        assert await log.since(D, since, 100) == tuple(records[since:])
        assert await log.since(D, since, 2) == tuple(records[since : since + 2])
    for since in (0, 1, 5, 6, 9):
        assert await log.since(D, since, 100, boundary=True) == tuple(records[since:])
    assert await log.since("doc_2", 0, 10) == ()


async def test_a_revision_is_taken_once(log: History) -> None:
    """The fence: of two appends at one revision one is refused, and leaves nothing."""
    assert await log.append(D, (record(1), record(2)))
    assert not await log.append(D, (record(1, value="other"),))
    assert await log.since(D, 0, 10) == (record(1), record(2))
    won = await asyncio.gather(*(log.append(D, (record(3, value=i),)) for i in range(8)))
    assert sorted(won) == [False] * 7 + [True]
    assert len(await log.since(D, 2, 10)) == 1


async def test_everything_of_a_record_survives(log: History) -> None:
    """Operations of every shape, what was submitted, and what became of it."""
    full = Record(
        revision=1,
        client="ada00000",
        seq=3,
        user_id="ada",
        at_ms=5,
        base=0,
        operations=(
            Create(id=E, props={"v": [1.5, {"x": None}], "é😀": "\n"}),
            Text(id=E, path=("t",), edit=(1, "é", Cut(2))),
        ),
        submitted=(Set(id=E, path=("a", "b"), absent=True),),
        conflicts_with=(1, 2),
        overridden=(Overridden(revision=1, user_id="bob", entity=E, register=("a",)),),
        dropped={0: Drop.REPLACED},
    )
    assert await log.append(D, (full,))
    assert await log.since(D, 0, 1) == (full,)


async def test_more_than_a_page_of_dynamodb(log: History) -> None:
    """An answer ends at 1 MB; the caller does not notice."""
    for r in range(1, 8):
        assert await log.append(D, (record(r, value="x" * 200_000),))
    assert [r.revision for r in await log.since(D, 0, 100)] == list(range(1, 8))


async def test_many_writers_lose_nothing(log: History) -> None:
    """Z1: eight processes, each with writers of its own, on one document: every acknowledged operation is in the log
    exactly once, at a revision of its own, without a gap."""
    processes = [committer(log) for _ in range(4)]

    async def write(number: int) -> list[Record]:
        client, base, mine = f"client{number:02}", 0, []
        for seq in range(1, 6):
            done = await processes[number % 4].submit(D, submission(client, seq, base))
            base = done.revision
            mine.append(done)
        return mine

    acknowledged = [r for mine in await asyncio.gather(*(write(n) for n in range(8))) for r in mine]
    records = await whole(log)
    assert [r.revision for r in records] == list(range(1, 41))
    assert sorted(acknowledged, key=lambda r: r.revision) == records
    assert len({(r.client, r.seq) for r in records}) == 40


async def test_a_resend_returns_the_first_revision(log: History) -> None:
    """Z2: by another process, and at any time after."""
    sent = submission("ada00000", 1, 0)
    first = await committer(log).submit(D, sent)
    await committer(log).submit(D, submission("bob00000", 1, 0))
    again = committer(log)
    assert await again.submit(D, sent) == first
    assert await again.submit(D, sent) == first
    assert len(await whole(log)) == 2


class _FarBehind:
    """A log as a container sees it that was away: its pages come one by one, or the second one does not come."""

    def __init__(self, log: History, *, fails: bool) -> None:
        self._log = log
        self._fails = fails
        self.pages = 0
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def since(self, document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        """The second page is slow."""
        self.pages += 1
        if self.pages == 2:
            await self._second()
        return await self._log.since(document_id, revision, limit, boundary=boundary)

    async def before(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]:
        """So is going there from the other end, but for the first time."""
        if self.pages:
            await self._second()
        return await self._log.before(document_id, revision, limit)

    async def _second(self) -> None:
        self.reading.set()
        await self.go_on.wait()
        if self._fails:
            raise AppError(Code.UPSTREAM_UNAVAILABLE)


@pytest.mark.parametrize("fails", [False, True], ids=["slow", "failing"])
async def test_nothing_is_appended_within_what_another_appended(log: History, fails: bool) -> None:
    """A page of the log may end within an append: there the revision is free as a key, and taken all the same (Z1)."""
    view = _FarBehind(log, fails=fails)
    away = committer(cast(History, view))
    assert await log.append(D, (record(1),))
    assert (await away.since(D, 0, 1))[1] == 1
    for first, last in ((2, 300), (301, 600)):
        assert await log.append(D, tuple(record(r) for r in range(first, last + 1)))
    fetching = asyncio.create_task(away.since(D, 1, 10))
    await view.reading.wait()
    submitting = asyncio.create_task(away.submit(D, submission("bob00000", 1, 400)))
    if not fails:  # it takes its chance while the other one reads
        await asyncio.wait({submitting}, timeout=0.2)
    view.go_on.set()
    await asyncio.gather(fetching, submitting, return_exceptions=True)
    view._fails = False
    done = await away.submit(D, submission("bob00000", 1, 400))
    assert done.revision == 601
    assert [r.revision for r in await log.since(D, 0, 1000)] == list(range(1, 602))
