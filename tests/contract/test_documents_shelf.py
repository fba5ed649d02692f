"""One contract for documents, milestones and pointers to snapshots, run on the fake, on moto and on DynamoDB Local."""

from collections.abc import AsyncIterator

import pytest

from chalicelib.documents.model import Pointer, Shelf
from chalicelib.wire.documents import DocumentKind, Milestone, SharedDocument
from chalicelib.wire.limits import INTEGER_MAX
from tests.contract.tables import Database, shelf

D, D2 = (f"doc_{n:020}" for n in (1, 2))
S, S2 = (f"ses_{n:020}" for n in (1, 2))


@pytest.fixture
async def made(database: Database) -> AsyncIterator[Shelf]:
    """The implementation under test, empty."""
    async with shelf(database) as found:
        yield found


def document(number: int, session_id: str = S, at_ms: int = 1) -> SharedDocument:
    """A document of a session."""
    return SharedDocument(
        document_id=f"doc_{number:020}",
        session_id=session_id,
        name="Plan é😀",
        kind=DocumentKind.DOCUMENT,
        created_at_ms=at_ms,
        created_by="ada",
    )


def milestone(number: int, revision: int, document_id: str = D, name: str = "Done é😀") -> Milestone:
    """A name for a revision."""
    return Milestone(
        milestone_id=f"mil_{number:020}",
        document_id=document_id,
        name=name,
        revision=revision,
        created_at_ms=1,
        created_by="ada",
    )


def pointer(revision: int) -> Pointer:
    """Where a snapshot is."""
    return Pointer(revision=revision, key=f"snapshots/{D}/{revision}", size_bytes=revision * 10)


async def test_documents_are_listed_by_age(made: Shelf) -> None:
    """Oldest first, by id within a moment; each session its own; each is found by its id."""
    for found in (document(2, at_ms=5), document(3, at_ms=3), document(1, at_ms=5), document(4, S2)):
        await made.add(found)
    assert await made.documents(S) == (document(3, at_ms=3), document(1, at_ms=5), document(2, at_ms=5))
    assert await made.documents(S2) == (document(4, S2),)
    assert await made.documents("ses_3") == ()
    assert await made.document(f"doc_{4:020}") == document(4, S2)
    assert await made.document("doc_9") is None


async def test_a_dropped_document_is_nowhere(made: Shelf) -> None:
    """Neither in the list nor by its id; dropping it again does nothing."""
    for number in (1, 2):
        await made.add(document(number))
    for _ in range(2):
        await made.drop(document(1))
    assert await made.documents(S) == (document(2),)
    assert await made.document(D) is None


async def test_milestones_are_listed_newest_first(made: Shelf) -> None:
    """By revision as a number; several may name one; each document has its own."""
    for number, revision in ((1, 9), (2, 10), (3, 100), (4, 10), (5, 0)):
        await made.add_milestone(milestone(number, revision))
    await made.add_milestone(milestone(6, 50, D2))
    found = await made.milestones(D)
    assert [m.revision for m in found] == [100, 10, 10, 9, 0]
    assert {m.milestone_id for m in found} == {f"mil_{number:020}" for number in range(1, 6)}
    assert milestone(3, 100) in found
    assert await made.milestones("doc_3") == ()


async def test_the_order_of_milestones_is_one(made: Shelf) -> None:
    """Those of one revision are in one order, whatever order they were made in."""
    for number in (2, 1, 3):
        await made.add_milestone(milestone(number, 7))
    assert await made.milestones(D) == tuple(milestone(number, 7) for number in (3, 2, 1))


async def test_the_nearest_snapshot(made: Shelf) -> None:
    """The newest at or before a revision; none before the first."""
    assert await made.pointer(D, INTEGER_MAX) is None
    await made.add_milestone(milestone(1, 3))
    await made.add(document(1))
    for revision in (9, 500, 1000):
        await made.add_pointer(D, pointer(revision))
    await made.add_pointer(D2, pointer(700))
    for asked, expected in ((INTEGER_MAX, 1000), (1000, 1000), (999, 500), (500, 500), (499, 9), (9, 9)):
        assert await made.pointer(D, asked) == pointer(expected)
    for asked in (8, 0):
        assert await made.pointer(D, asked) is None


async def test_a_snapshot_that_is_made_again(made: Shelf) -> None:
    """Two containers may make one of the same revision: there is one pointer."""
    for _ in range(2):
        await made.add_pointer(D, pointer(500))
    assert await made.erase(D) == (pointer(500),)


async def test_what_belongs_to_a_document_is_erased(made: Shelf) -> None:
    """Milestones and pointers, which are told; more than one page of them; nothing of another's."""
    await made.add(document(1))
    for number in range(30):
        await made.add_pointer(D, pointer(number * 500))
        await made.add_milestone(milestone(number, number, name="n" * 100))
    await made.add_milestone(milestone(1, 50, D2))
    await made.add_pointer(D2, pointer(7))
    assert {found.revision for found in await made.erase(D)} == {number * 500 for number in range(30)}
    assert await made.milestones(D) == ()
    assert await made.pointer(D, INTEGER_MAX) is None
    assert await made.erase(D) == ()
    assert len(await made.milestones(D2)) == 1
    assert await made.pointer(D2, 8) == pointer(7)
