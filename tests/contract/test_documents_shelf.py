"""One contract for the shelf of documents, run on the fake, on moto and on Amazon's DynamoDB Local."""

from collections.abc import AsyncIterator

import pytest

from chalicelib.documents.model import Pointer, Shelf
from chalicelib.wire import limits
from chalicelib.wire.documents import DocumentKind, Milestone, SharedDocument
from tests.contract.tables import Database, shelves

S = f"ses_{1:020}"
OTHER = f"ses_{2:020}"
D = f"doc_{1:020}"


@pytest.fixture
async def shelf(database: Database) -> AsyncIterator[Shelf]:
    """The implementation under test, empty."""
    async with shelves(database) as made:
        yield made


def document(number: int, session_id: str = S, at_ms: int = 0) -> SharedDocument:
    """One document of a session."""
    return SharedDocument(
        document_id=f"doc_{number:020}",
        session_id=session_id,
        name=f"Plan {number} é",
        kind=DocumentKind.DOCUMENT,
        created_at_ms=at_ms,
        created_by="ada",
    )


def milestone(revision: int, name: str = "a") -> Milestone:
    """A name for a revision of D."""
    return Milestone(
        milestone_id=f"mil_{revision:020}",
        document_id=D,
        name=name,
        revision=revision,
        created_at_ms=7,
        created_by="ada",
    )


def pointer(revision: int) -> Pointer:
    """Where the snapshot of a revision is."""
    return Pointer(revision=revision, key=f"snapshots/{revision}", size_bytes=revision)


async def test_documents_are_found_by_id_and_by_session(shelf: Shelf) -> None:
    """A session's in the order in which they were made; one that was dropped is gone from both."""
    assert await shelf.document(D) is None
    assert await shelf.documents(S) == ()
    made = [document(n, at_ms=100 - n) for n in (1, 2, 3)]
    for each in (*made, document(4, OTHER)):
        await shelf.add(each)
    assert await shelf.document(made[1].document_id) == made[1]
    assert await shelf.documents(S) == tuple(reversed(made))
    await shelf.drop(made[1])
    assert await shelf.document(made[1].document_id) is None
    assert await shelf.documents(S) == (made[2], made[0])
    assert await shelf.documents(OTHER) == (document(4, OTHER),)


async def test_milestones_are_read_newest_revision_first(shelf: Shelf) -> None:
    """As numbers, not as text."""
    for revision in (9, 10, 100, 2):
        await shelf.add_milestone(milestone(revision))
    assert await shelf.milestones(D) == tuple(milestone(r) for r in (100, 10, 9, 2))
    assert await shelf.milestones("doc_other") == ()


async def test_the_newest_snapshot_before_a_revision_is_found(shelf: Shelf) -> None:
    """At it or before; none where all are later."""
    assert await shelf.pointer(D, limits.INTEGER_MAX) is None
    for revision in (500, 1000, 99_500):
        await shelf.add_pointer(D, pointer(revision))
    await shelf.add_milestone(milestone(700))
    found = {r: await shelf.pointer(D, r) for r in (499, 500, 999, 1000, 99_499, limits.INTEGER_MAX)}
    assert found == {
        499: None,
        500: pointer(500),
        999: pointer(500),
        1000: pointer(1000),
        99_499: pointer(1000),
        limits.INTEGER_MAX: pointer(99_500),
    }


async def test_what_was_erased_names_its_snapshots(shelf: Shelf) -> None:
    """So that their objects are removed too."""
    for revision in (500, 1000):
        await shelf.add_pointer(D, pointer(revision))
        await shelf.add_milestone(milestone(revision))
    assert set(await shelf.erase(D)) == {pointer(500), pointer(1000)}
    assert await shelf.milestones(D) == ()
    assert await shelf.pointer(D, limits.INTEGER_MAX) is None
    assert await shelf.erase(D) == ()
