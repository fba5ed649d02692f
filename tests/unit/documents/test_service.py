"""Documents as the routes ask for them: who may, what is refused, what is told to whom, what becomes of what is deleted."""

from collections.abc import Awaitable, Callable

import pytest

from chalicelib.documents.model import Record
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import CreateDocument, CreateMilestone, EntityCreate, Lock, SubmitOperations
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Add, Create, Delete, Set, Text
from chalicelib.wire.tokens import Identity
from tests.fakes.papers import ADA, BOB, BOX, EVE, MADE_MS, SCENE, SESSION, ZOE, Papers

Asking = Callable[[Papers, Identity, str], Awaitable[object]]
ADDED = SubmitOperations(client="eve00000", seq=1, base=0, operations=(Add(id=BOX, path=("n",), by=1),))
READING: dict[str, Asking] = {
    "snapshot": lambda p, i, d: p.documents.snapshot(d, i, None),
    "operations": lambda p, i, d: p.documents.operations(d, i, since=0, limit=5),
    "history": lambda p, i, d: p.documents.history(d, i, entity=None, before=None, limit=5),
    "milestones": lambda p, i, d: p.documents.milestones(d, i),
}
WRITING: dict[str, Asking] = {
    "submit": lambda p, i, d: p.documents.submit(d, i, ADDED),
    "rollback": lambda p, i, d: p.documents.rollback(d, i, 0),
    "create_milestone": lambda p, i, d: p.documents.create_milestone(d, i, CreateMilestone(name="Mine")),
    "delete": lambda p, i, d: p.documents.delete(d, i),
}


async def lock(papers: Papers, user_id: str, object_id: str = BOX) -> None:
    """Somebody holds an object."""
    wanted = Lock(object_id=object_id, user_id=user_id, token=0, expires_at_ms=papers.now + 1000)
    await papers.queue.lock(SCENE, wanted, papers.now, take=True)


async def other(papers: Papers, name: str = "Plan") -> str:
    """A document beside the scene."""
    return (await papers.documents.create(SESSION, ADA, CreateDocument(name=name))).document_id


# -- who may --


@pytest.mark.parametrize("asking", [*READING.values(), *WRITING.values()], ids=[*READING, *WRITING])
async def test_a_stranger_learns_nothing(asking: Asking) -> None:
    """Not even whether there is a document: a scene, another, or none at all are the same to them."""
    papers = Papers()
    for document_id in (SCENE, await other(papers), "doc_" + "z" * 20):
        with pytest.raises(AppError, match=Code.DOCUMENT_UNKNOWN):
            await asking(papers, ZOE, document_id)
    with pytest.raises(AppError, match=Code.DOCUMENT_UNKNOWN):
        await asking(papers, ADA, "doc_" + "z" * 20)


@pytest.mark.parametrize("asking", READING.values(), ids=READING)
async def test_a_viewer_reads(asking: Asking) -> None:
    """Everything."""
    papers = Papers()
    for document_id in (SCENE, await other(papers)):
        await asking(papers, EVE, document_id)


@pytest.mark.parametrize("asking", WRITING.values(), ids=WRITING)
async def test_a_viewer_writes_nothing(asking: Asking) -> None:
    """Nowhere."""
    papers = Papers()
    for document_id in (SCENE, await other(papers)):
        with pytest.raises(AppError, match=Code.ROLE_INSUFFICIENT):
            await asking(papers, EVE, document_id)
    with pytest.raises(AppError, match=Code.ROLE_INSUFFICIENT):
        await papers.documents.create(SESSION, EVE, CreateDocument(name="Mine"))
    assert papers.log.logs == {}


async def test_only_an_owner_deletes() -> None:
    """And nobody the scene."""
    papers = Papers()
    made = await other(papers)
    with pytest.raises(AppError, match=Code.ROLE_INSUFFICIENT):
        await papers.documents.delete(made, BOB)
    with pytest.raises(AppError, match=Code.SCENE_REQUIRED):
        await papers.documents.delete(SCENE, ADA)
    await papers.documents.delete(made, ADA)


# -- which documents there are --


async def test_the_scene_is_always_there() -> None:
    """First, with the session's own characters, owner and age; then the others, the oldest first."""
    papers = Papers()
    made = []
    for name in ("Plan", "Notes"):
        papers.now += 1
        made.append(await other(papers, name))
    listed = (await papers.documents.documents(SESSION, EVE)).documents
    assert [document.document_id for document in listed] == [SCENE, *made]
    assert (listed[0].created_by, listed[0].created_at_ms) == ("ada", MADE_MS)
    assert [document.name for document in listed] == ["Scene", "Plan", "Notes"]
    with pytest.raises(AppError, match=Code.SESSION_UNKNOWN):
        await papers.documents.documents(SESSION, ZOE)


async def test_only_so_many_documents() -> None:
    """The scene is one of them."""
    papers = Papers()
    for _ in range(limits.DOCUMENTS_PER_SESSION - 1):
        await other(papers)
    with pytest.raises(AppError, match=Code.DOCUMENT_LIMIT):
        await other(papers)
    assert len((await papers.documents.documents(SESSION, ADA)).documents) == limits.DOCUMENTS_PER_SESSION


async def test_a_deleted_document_leaves_nothing() -> None:
    """Log, queue, shelf and objects; and it is unknown from then on."""
    papers = Papers()
    made = await other(papers)
    await papers.submit(ADA, 1, 0, Create(id=BOX), document_id=made)
    await papers.documents.create_milestone(made, ADA, CreateMilestone(name="Now"))
    await papers.documents.delete(made, ADA)
    assert (papers.log.logs, papers.shelf.about, papers.shelf.named) == ({}, {}, {})
    with pytest.raises(AppError, match=Code.DOCUMENT_UNKNOWN):
        await papers.submit(ADA, 2, 1, document_id=made)


async def test_all_ends_with_the_session() -> None:
    """The scene, the others, their locks and snapshots; nothing of another session's."""
    papers = Papers()
    papers.filled(limits.SNAPSHOT_EVERY)
    await papers.states.keep_up(SCENE, limits.SNAPSHOT_EVERY)
    assert papers.objects.kept
    await lock(papers, "bob")
    await papers.submit(ADA, 1, 0, Create(id=BOX), document_id=await other(papers))
    papers.log.logs["doc_" + "b" * 20] = []
    await papers.documents.erase(SESSION)
    assert papers.log.logs == {"doc_" + "b" * 20: []}
    assert (papers.shelf.about, papers.queue.held, papers.objects.kept) == ({}, {}, {})
    assert papers.shelf.pointers == {}


async def test_whose_a_document_is_is_remembered() -> None:
    """A bounded number of them."""
    papers = Papers()
    made = await other(papers)
    assert await papers.documents.session_id(made) == SESSION
    papers.shelf.about.clear()
    assert await papers.documents.session_id(made) == SESSION
    papers.documents._sessions.update({f"doc_{n}": SESSION for n in range(10_001)})
    again = await other(papers)
    assert await papers.documents.session_id(again) == SESSION
    assert papers.documents._sessions == {again: SESSION}
    assert await papers.documents.session_id(SCENE) == SESSION


# -- writing --


async def test_a_commit_is_told() -> None:
    """To the session's people; the answer says what became of it."""
    papers = Papers()
    await papers.submit(ADA, 1, 0, EntityCreate(entity_type="box", entity_id=BOX))
    body = SubmitOperations(client="bob00000", seq=1, base=0, operations=(Text(id=BOX, path=("t",), edit=("a",)),))
    result = await papers.documents.submit(SCENE, BOB, body)
    assert (result.document_id, result.transformed, result.operation.user_id) == (SCENE, False, "bob")
    assert result.conflicts_with == result.operation.conflicts_with
    assert papers.told == [(SCENE, SESSION, [1]), (SCENE, SESSION, [2])]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (SubmitOperations(client="ada00000", seq=9, base=9, operations=ADDED.operations), Code.BASE_AHEAD),
        (SubmitOperations(client="ada00000", seq=9, base=0, operations=ADDED.operations), Code.BASE_BEHIND_OWN),
        (
            SubmitOperations(client="ada00000", seq=9, base=2, operations=(Create(id="bob00000.1"),)),
            Code.OPERATION_INVALID,
        ),
        (
            SubmitOperations(
                client="ada00000",
                seq=9,
                base=2,
                operations=tuple(Set(id=BOX, path=(f"p{n}",), value="x" * 15_000) for n in range(9)),
            ),
            Code.OPERATION_INVALID,
        ),
    ],
)
async def test_what_cannot_be_committed(body: SubmitOperations, code: Code) -> None:
    """Is refused with its code; nothing is written or told."""
    papers = Papers()
    await papers.counted(2)
    papers.told.clear()
    with pytest.raises(AppError, match=code):
        await papers.documents.submit(SCENE, ADA, body)
    assert (len(papers.log.logs[SCENE]), papers.told) == (2, [])


async def test_what_is_too_old_is_refused() -> None:
    """More has happened since than anybody should rebase over."""
    papers = Papers()
    papers.filled(limits.REBASE_RECORDS + 2)
    with pytest.raises(AppError, match=Code.BASE_TOO_OLD):
        await papers.submit(BOB, 1, 0, Set(id=BOX, path=("n",), value=0))


async def test_a_locked_object() -> None:
    """Is written by who holds it only; what was committed before has its revision, also then (Z2, Z6)."""
    papers = Papers()
    await papers.counted(1)
    first = await papers.submit(BOB, 1, 1, Set(id=BOX, path=("a",), value=1))
    await lock(papers, "ada")
    with pytest.raises(AppError, match=Code.LOCK_HELD):
        await papers.submit(BOB, 2, 2)
    assert await papers.submit(BOB, 1, 1, Set(id=BOX, path=("a",), value=1)) == first
    await papers.submit(ADA, 2, 2)
    papers.now += 1001
    await papers.submit(BOB, 2, 3)
    assert len(papers.log.logs[SCENE]) == 4


# -- going back, and names for revisions --


async def test_a_rollback_goes_on() -> None:
    """The state is the old one, the history is longer, and what is the same already takes nothing."""
    papers = Papers()
    await papers.counted(4)
    await papers.submit(BOB, 1, 4, Delete(id=BOX))
    result = await papers.documents.rollback(SCENE, BOB, 2)
    assert (result.revision, result.operations, papers.told[-1]) == (6, 2, (SCENE, SESSION, [6]))
    state = (await papers.documents.snapshot(SCENE, ADA, None)).entities[BOX]
    assert (state.alive, state.props) == (True, {"n": 2})
    again = await papers.documents.rollback(SCENE, BOB, 2)
    assert (again.revision, again.operations) == (6, 0)
    with pytest.raises(AppError, match=Code.REVISION_UNKNOWN):
        await papers.documents.rollback(SCENE, BOB, 7)


async def test_a_big_rollback_is_several_revisions() -> None:
    """Each fits an item of the log; together they are the old state."""
    papers = Papers()
    many = [f"ada00000.{n}" for n in range(300)]
    await papers.submit(ADA, 1, 0, *(Create(id=key, props={"t": "x" * 300}) for key in many[:250]))
    await papers.submit(ADA, 2, 1, *(Create(id=key) for key in many[250:]))
    big = [Set(id=many[n], path=("v",), value="y" * 15_000) for n in range(15)]
    await papers.submit(ADA, 3, 2, *big[:7])
    await papers.submit(ADA, 4, 3, *big[7:14])
    wanted = await papers.documents.snapshot(SCENE, ADA, None)
    for n, part in enumerate((many[:150], many[150:])):
        await papers.submit(ADA, 5 + n, 4 + n, *(Delete(id=key) for key in part))
    await papers.submit(ADA, 7, 6, *(Set(id=many[n], path=("v",), absent=True) for n in range(15)))
    result = await papers.documents.rollback(SCENE, ADA, 4)
    assert result.operations == 314
    parts = papers.log.logs[SCENE][7:]
    assert result.revision == 7 + len(parts)
    assert max(len(part.operations) for part in parts) <= limits.OPERATIONS_PER_TRANSACTION
    assert len(parts) == 2
    assert (await papers.documents.snapshot(SCENE, ADA, None)).entities == wanted.entities


async def test_a_rollback_changes_nothing_that_another_has_locked() -> None:
    """None of it is done then; one's own lock is no obstacle."""
    papers = Papers()
    await papers.counted(2)
    await lock(papers, "ada")
    with pytest.raises(AppError, match=Code.LOCK_HELD):
        await papers.documents.rollback(SCENE, BOB, 1)
    assert len(papers.log.logs[SCENE]) == 2
    assert (await papers.documents.rollback(SCENE, ADA, 1)).revision == 3


async def test_milestones() -> None:
    """Of the head or of a revision that is there; newest first; only so many."""
    papers = Papers()
    await papers.counted(2)
    now = await papers.documents.create_milestone(SCENE, BOB, CreateMilestone(name="Now"))
    start = await papers.documents.create_milestone(SCENE, ADA, CreateMilestone(name="Start", revision=0))
    assert (now.revision, now.created_by, now.document_id, start.revision) == (2, "bob", SCENE, 0)
    assert (await papers.documents.milestones(SCENE, EVE)).milestones == (now, start)
    with pytest.raises(AppError, match=Code.REVISION_UNKNOWN):
        await papers.documents.create_milestone(SCENE, ADA, CreateMilestone(name="Never", revision=3))
    papers.shelf.named[SCENE] *= limits.MILESTONES_PER_DOCUMENT // 2
    with pytest.raises(AppError, match=Code.MILESTONE_LIMIT):
        await papers.documents.create_milestone(SCENE, ADA, CreateMilestone(name="More"))


# -- reading --


async def test_the_state_at_a_revision() -> None:
    """And where the head is."""
    papers = Papers()
    empty = await papers.documents.snapshot(SCENE, EVE, None)
    assert (empty.revision, empty.head, empty.entities) == (0, 0, {})
    await papers.counted(3)
    then = await papers.documents.snapshot(SCENE, EVE, 2)
    assert (then.revision, then.head, then.entities[BOX].props) == (2, 3, {"n": 2})
    with pytest.raises(AppError, match=Code.REVISION_UNKNOWN):
        await papers.documents.snapshot(SCENE, EVE, 4)


async def test_a_state_that_fits_no_answer() -> None:
    """Is refused with the code that says to read the log."""
    papers = Papers()
    log = papers.log.logs.setdefault(SCENE, [])
    for revision in range(1, 352):
        operation = Set(id=BOX, path=(f"p{revision}",), value="x" * 15_000) if revision > 1 else Create(id=BOX)
        log.append(
            Record(
                revision=revision,
                client="ada00000",
                seq=revision,
                user_id="ada",
                at_ms=1,
                base=revision - 1,
                operations=(operation,),
            )
        )
    with pytest.raises(AppError, match=Code.DOCUMENT_TOO_LARGE):
        await papers.documents.snapshot(SCENE, ADA, None)
    page = await papers.documents.operations(SCENE, ADA, since=0, limit=500)
    assert 300 < len(page.operations) < 351
    assert page.head == 351


async def test_commits_fit_an_answer_but_one_at_least() -> None:
    """However small the answer is."""
    papers = Papers()
    papers.filled(5)
    for size_bytes, expected in ((0, 1), (10, 1), (10_000, 5)):
        page = await papers.documents.commits(SCENE, 0, 100, size_bytes)
        assert ([commit.revision for commit in page.operations], page.head) == (list(range(1, expected + 1)), 5)
    assert (await papers.documents.commits(SCENE, 5, 100, 10)).operations == ()


async def test_history_in_pages() -> None:
    """Newest first, from before any revision, without a gap or a double."""
    papers = Papers()
    papers.filled(10)
    found, before = list[int](), None
    while True:
        page = await papers.documents.history(SCENE, EVE, entity=None, before=before, limit=4)
        found += (commit.revision for commit in page.entries)
        if page.before is None:
            break
        before = page.before
    assert found == list(range(10, 0, -1))
    for nothing in (0, 1):
        page = await papers.documents.history(SCENE, EVE, entity=None, before=nothing, limit=4)
        assert (page.entries, page.before) == ((), None)
    empty = await papers.documents.history("doc_" + "a" * 20, EVE, entity="nobody.1", before=None, limit=4)
    assert (empty.entries, empty.before) == ((), None)


async def test_the_history_of_one_entity() -> None:
    """What touched it; a page looks through so much at most, and says where to go on."""
    papers = Papers()
    await papers.submit(BOB, 1, 0, Create(id="bob00000.1"))
    papers.filled(limits.HISTORY_LOOKED_THROUGH + 600)
    page = await papers.documents.history(SCENE, EVE, entity="bob00000.1", before=None, limit=5)
    assert page.entries == ()
    assert page.before is not None
    page = await papers.documents.history(SCENE, EVE, entity="bob00000.1", before=page.before, limit=5)
    assert ([commit.revision for commit in page.entries], page.before) == ([1], None)
    page = await papers.documents.history(SCENE, EVE, entity=BOX, before=None, limit=5)
    assert (len(page.entries), page.before) == (5, page.entries[-1].revision)


async def test_history_of_a_log_that_is_gone() -> None:
    """Ends, though somebody asks from the middle of what was."""
    papers = Papers()
    page = await papers.documents.history(SCENE, EVE, entity=None, before=50, limit=5)
    assert (page.entries, page.before) == ((), None)
