"""The documents service: who may read and write, every revision, going back, names for revisions, deletion."""

from collections.abc import Awaitable

import msgspec
import pytest

from chalicelib.documents.service import scene_id, session_of
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import (
    CreateDocument,
    CreateMilestone,
    DocumentKind,
    EntityCreate,
    EntityUpdate,
    Lock,
    OperationResult,
    PublicOperation,
    SharedDocument,
    SubmitOperations,
)
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Create, Delete, Set
from tests.unit.documents.house import Container, D, E, House, S, person, put

ADA, BOB, VIC, EVE = (person(name) for name in ("ada", "bob", "vic", "eve"))


@pytest.fixture
def room(house: House) -> Container:
    """One container."""
    return house.container()


async def submit(
    room: Container, *operations: PublicOperation, seq: int = 1, base: int = 0, document_id: str = D, who: str = "ada"
) -> OperationResult:
    """A commit by REST."""
    body = SubmitOperations(client=f"{who:0<8}", seq=seq, base=base, operations=operations)
    return await room.documents.submit(document_id, person(who), body)


async def code_of(asking: Awaitable[object]) -> Code:
    """What it is refused with."""
    with pytest.raises(AppError) as caught:
        await asking
    return caught.value.code


async def build(room: Container, revisions: int = 6) -> None:
    """A box, and its property `a` set to 2, 3, 4, ..."""
    await submit(room, Create(id=E, props={"a": 1}))
    for revision in range(2, revisions + 1):
        await submit(room, put(revision), seq=revision, base=revision - 1)


async def test_a_session_has_a_scene_and_what_is_made_beside_it(house: House, room: Container) -> None:
    """The scene is there unasked, first, with the session's owner and age."""
    made = [await room.documents.create(S, BOB, CreateDocument(name=f"Plan {n}")) for n in range(2)]
    scene, *others = (await room.documents.documents(S, VIC)).documents
    assert scene == SharedDocument(
        document_id=D, session_id=S, name="Scene", kind=DocumentKind.SCENE, created_at_ms=7, created_by="ada"
    )
    assert others == made
    assert (made[0].created_by, made[0].kind, made[0].session_id) == ("bob", DocumentKind.DOCUMENT, S)
    assert scene_id(session_of(D)) == D


async def test_documents_are_limited(house: House, room: Container) -> None:
    """So many to a session, the scene among them."""
    for _ in range(limits.DOCUMENTS_PER_SESSION - 1):
        await room.documents.create(S, ADA, CreateDocument(name="Plan"))
    assert await code_of(room.documents.create(S, ADA, CreateDocument(name="Plan"))) is Code.DOCUMENT_LIMIT


async def test_who_may_do_what(house: House, room: Container) -> None:
    """A viewer reads; a stranger learns nothing, not even that there is a document."""
    await build(room)
    document = await room.documents.create(S, ADA, CreateDocument(name="Plan"))
    service = room.documents
    assert (await service.snapshot(D, VIC, None)).revision == 6
    assert await code_of(submit(room, put(1), who="vic")) is Code.ROLE_INSUFFICIENT
    assert await code_of(service.rollback(D, VIC, 1)) is Code.ROLE_INSUFFICIENT
    assert await code_of(service.create_milestone(D, VIC, CreateMilestone(name="m"))) is Code.ROLE_INSUFFICIENT
    assert await code_of(service.create(S, VIC, CreateDocument(name="Plan"))) is Code.ROLE_INSUFFICIENT
    assert await code_of(service.delete(document.document_id, BOB)) is Code.ROLE_INSUFFICIENT
    for hidden in (D, document.document_id, f"doc_{'z' * 20}"):
        assert await code_of(service.snapshot(hidden, EVE, None)) is Code.DOCUMENT_UNKNOWN
        assert await code_of(service.operations(hidden, EVE, since=0, limit=1)) is Code.DOCUMENT_UNKNOWN
        assert await code_of(service.history(hidden, EVE, entity=None, before=None, limit=1)) is Code.DOCUMENT_UNKNOWN
        assert await code_of(service.milestones(hidden, EVE)) is Code.DOCUMENT_UNKNOWN
        assert await code_of(service.delete(hidden, EVE)) is Code.DOCUMENT_UNKNOWN
        assert await code_of(submit(room, put(1), who="eve", document_id=hidden)) is Code.DOCUMENT_UNKNOWN
    assert await code_of(service.documents(S, EVE)) is Code.SESSION_UNKNOWN


async def test_a_commit_says_what_became_of_it(house: House, room: Container) -> None:
    """The revision, whether it was changed, whom it met; everybody in the room is told."""
    await build(room, 2)
    result = await submit(room, put("late"), who="bob", base=1)
    assert (result.operation.revision, result.transformed, result.conflicts_with) == (3, False, (2,))
    assert [o.user_id for o in result.operation.overridden] == ["ada"]
    assert house.told("vic") == [1, 2, 3]
    again = await submit(room, put("late"), who="bob", base=1)
    assert again == result


async def test_sugar_is_committed_as_the_algebra(house: House, room: Container) -> None:
    """The seed's names; an id is made where none was given."""
    result = await submit(room, EntityCreate(entity_type="box"))
    assert isinstance(result.operation.operations[0], Create)
    made = result.operation.operations[0].id
    await submit(room, EntityUpdate(entity_id=made, props={"color": "#fff"}), seq=2, base=1)
    assert (await room.documents.snapshot(D, VIC, None)).entities[made].props["color"] == "#fff"


async def test_what_is_invalid_is_refused_and_nothing_written(house: House, room: Container) -> None:
    """By the algebra's rules, by size, by a lock, by its base."""
    assert await code_of(submit(room, Create(id="somebody.1"))) is Code.OPERATION_INVALID
    long = "x" * 10_000
    many = tuple(put(long, path=f"p{n}") for n in range(20))
    assert await code_of(submit(room, *many)) is Code.OPERATION_INVALID
    assert await code_of(submit(room, put(1), base=3)) is Code.BASE_AHEAD
    now = house.clock()
    await house.queue.lock(D, Lock(object_id=E, user_id="bob", token=0, expires_at_ms=now + 1000), now, take=False)
    assert await code_of(submit(room, put(1))) is Code.LOCK_HELD
    assert house.records() == []
    house.clock.ms += 1001
    assert (await submit(room, put(1))).operation.revision == 1


async def test_every_revision_can_be_read(house: House, room: Container) -> None:
    """Z8: the state at r is the first r revisions, replayed; whoever reads, and in whatever order."""
    await build(room)
    for revision in (6, 1, 3, 5, 2, 4):
        for reader in (room, house.container()):
            found = await reader.documents.snapshot(D, VIC, revision)
            assert (found.revision, found.head, found.entities[E].props) == (revision, 6, {"a": revision})
    assert (await room.documents.snapshot(D, VIC, 0)).entities == {}
    assert await code_of(room.documents.snapshot(D, VIC, 7)) is Code.REVISION_UNKNOWN


async def test_an_empty_document_can_be_read(house: House, room: Container) -> None:
    """A scene that nobody has edited."""
    found = await room.documents.snapshot(D, VIC, None)
    assert (found.revision, found.head, found.entities) == (0, 0, {})
    page = await room.documents.operations(D, VIC, since=0, limit=10)
    assert (page.operations, page.head) == ((), 0)
    assert await room.documents.history(D, VIC, entity=None, before=None, limit=10) == msgspec.convert(
        {"entries": []}, type(await room.documents.history(D, VIC, entity=None, before=None, limit=10))
    )


async def test_a_document_too_large_for_an_answer_says_so(
    house: House, room: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its operations can be read instead, in pages that fit; one at least."""
    await build(room)
    monkeypatch.setattr(limits, "SNAPSHOT_BYTES", 250)
    assert await code_of(room.documents.snapshot(D, VIC, None)) is Code.DOCUMENT_TOO_LARGE
    read: list[int] = []
    while len(read) < 6:
        page = await room.documents.operations(D, VIC, since=len(read), limit=10)
        assert page.head == 6
        read += [commit.revision for commit in page.operations]
        assert len(page.operations) < 3
    assert read == [1, 2, 3, 4, 5, 6]


async def test_history_is_read_backwards_in_pages(house: House, room: Container) -> None:
    """With author, time and what was sent (Z3); the last page says that it is."""
    await build(room)
    pages, before = [], None
    for _ in range(3):
        page = await room.documents.history(D, VIC, entity=None, before=before, limit=2)
        pages.append([entry.revision for entry in page.entries])
        before = page.before
    assert pages == [[6, 5], [4, 3], [2, 1]]
    assert before is None
    (entry,) = (await room.documents.history(D, VIC, entity=None, before=2, limit=2)).entries
    assert (entry.user_id, entry.at_ms, entry.payload) == ("ada", house.clock(), (Create(id=E, props={"a": 1}),))


async def test_the_history_of_one_thing(house: House, room: Container) -> None:
    """What was overridden and what fell on its tombstone is there (Z3)."""
    other = "ada00000.2"
    await submit(room, Create(id=E), Create(id=other))
    for seq in range(2, 12):
        await submit(room, put(seq, entity=E if seq % 3 == 0 else other), seq=seq, base=seq - 1)
    await submit(room, Delete(id=E), seq=12, base=11)
    await submit(room, put("dead"), who="bob", base=11)
    found: list[int] = []
    before: int | None = None
    while True:
        page = await room.documents.history(D, VIC, entity=E, before=before, limit=2)
        found += [entry.revision for entry in page.entries]
        before = page.before
        if before is None:
            break
    assert found == [13, 12, 9, 6, 3, 1]
    assert (await room.documents.history(D, VIC, entity="nothing", before=None, limit=2)).entries == ()


async def test_a_page_of_history_ends_where_enough_was_looked_through(
    house: House, room: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty, perhaps, but with a next one."""
    await build(room)
    monkeypatch.setattr(limits, "HISTORY_LOOKED_THROUGH", 3)
    monkeypatch.setattr(limits, "LOG_PAGE", 3)
    page = await room.documents.history(D, VIC, entity="nothing", before=None, limit=2)
    assert (page.entries, page.before) == ((), 4)


async def test_going_back_goes_on(house: House, room: Container) -> None:
    """The old state is there again by new revisions, and one can go back to before."""
    await build(room)
    await submit(room, Create(id="bob00000.1"), who="bob", base=6)
    done = await room.documents.rollback(D, BOB, 2)
    found = await room.documents.snapshot(D, VIC, None)
    assert (done.revision, found.head) == (8, 8)
    assert found.entities[E].props == {"a": 2}
    assert not found.entities["bob00000.1"].alive
    assert (await room.documents.rollback(D, BOB, 7)).revision == 9
    found = await room.documents.snapshot(D, VIC, None)
    assert found.entities["bob00000.1"].alive
    assert found.entities[E].props == {"a": 6}
    same = await room.documents.rollback(D, BOB, 9)
    assert (same.revision, same.operations) == (9, 0)
    assert await code_of(room.documents.rollback(D, BOB, 10)) is Code.REVISION_UNKNOWN


async def test_going_far_back_takes_several_transactions(house: House, room: Container) -> None:
    """Each within the limits of one."""
    await submit(room, put(0))
    long = "x" * 8000
    for seq in range(2, 27):
        made = [Create(id=f"ada00000.{seq}-{n}", props={"t": long} if n < 8 else {}) for n in range(20)]
        await submit(room, *made, seq=seq, base=seq - 1)
    await room.documents.rollback(D, BOB, 1)
    undone = house.records()[26:]
    assert len(undone) == 2
    assert max(len(record.operations) for record in undone) == limits.OPERATIONS_PER_TRANSACTION
    assert (await room.documents.rollback(D, BOB, 26)).operations == 500
    assert all(e.alive for e in (await room.documents.snapshot(D, VIC, None)).entities.values())


async def test_revisions_have_names(house: House, room: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head's or an older one; none that is not there; so many at most."""
    await build(room)
    head = await room.documents.create_milestone(D, BOB, CreateMilestone(name="now"))
    older = await room.documents.create_milestone(D, BOB, CreateMilestone(name="then", revision=2))
    assert (head.revision, older.revision, older.created_by) == (6, 2, "bob")
    assert (await room.documents.milestones(D, VIC)).milestones == (head, older)
    ahead = CreateMilestone(name="soon", revision=7)
    assert await code_of(room.documents.create_milestone(D, BOB, ahead)) is Code.REVISION_UNKNOWN
    monkeypatch.setattr(limits, "MILESTONES_PER_DOCUMENT", 2)
    more = CreateMilestone(name="more")
    assert await code_of(room.documents.create_milestone(D, BOB, more)) is Code.MILESTONE_LIMIT


async def test_a_deleted_document_leaves_nothing(house: House, room: Container) -> None:
    """Log, snapshots, names, queue; the scene stays."""
    document = (await room.documents.create(S, ADA, CreateDocument(name="Plan"))).document_id
    for seq in range(1, limits.SNAPSHOT_EVERY + 2):
        body = Set(id=E, path=("a",), value=seq)
        await submit(room, body, seq=seq, base=seq - 1, document_id=document)
    await room.documents.create_milestone(document, ADA, CreateMilestone(name="m"))
    assert len(house.objects.kept) == 1
    assert await code_of(room.documents.delete(D, ADA)) is Code.SCENE_REQUIRED
    await room.documents.delete(document, ADA)
    assert await code_of(room.documents.snapshot(document, ADA, None)) is Code.DOCUMENT_UNKNOWN
    assert (house.objects.kept, house.records(document), house.shelf.named) == ({}, [], {})
    assert [d.document_id for d in (await room.documents.documents(S, ADA)).documents] == [D]


async def test_an_ended_session_takes_its_documents_with_it(house: House, room: Container) -> None:
    """All of them, the scene too."""
    document = (await room.documents.create(S, ADA, CreateDocument(name="Plan"))).document_id
    await submit(room, put(1))
    await submit(room, put(1), document_id=document)
    await room.documents.erase(S)
    assert (house.log.logs, house.shelf.about) == ({}, {})
