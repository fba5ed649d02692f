"""Documents and locks by REST, through real HTTP, workers and tables: every route, every typed refusal."""

from typing import Any

import pytest

from benchmarks.client import Api, Person
from benchmarks.editor import scene_of
from chalicelib.wire.bodies import ActivityPage, Session
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import (
    DocumentKind,
    DocumentList,
    EntityCreate,
    EntityDelete,
    EntityUpdate,
    HistoryPage,
    Lock,
    LockList,
    Milestone,
    MilestoneList,
    OperationPage,
    OperationResult,
    PublicOperation,
    RollbackResult,
    SharedDocument,
    Snapshot,
)
from chalicelib.wire.operations import Add, Create, Delete, Set
from chalicelib.wire.types import Visibility
from tests.stack.refusals import refused

pytestmark = pytest.mark.stack
ADA, BOB = "ada00000", "bob00000"
BOX = f"{ADA}.1"


async def room(api: Api, **fields: Any) -> tuple[Person, Session, str]:
    """A session's owner, the session, and its scene."""
    owner = await api.guest("Ada")
    session = await api.create(owner, "Room", **fields)
    await api.join(owner, session.session_id)
    return owner, session, scene_of(session.session_id)


async def guest(api: Api, owner: Person, session_id: str, role: str = "editor") -> Person:
    """Somebody else in the session."""
    made = await api.guest("Bob")
    await api.join(made, session_id)
    if role != "editor":
        await api.call("PUT", f"/sessions/{session_id}/participants/{made.user_id}", owner, {"role": role})
    return made


async def submit(
    api: Api, who: Person, document_id: str, seq: int, base: int, *operations: PublicOperation, client: str = ADA
) -> OperationResult:
    """One transaction."""
    body = {"client": client, "seq": seq, "base": base, "operations": operations}
    return await api.call("POST", f"/documents/{document_id}/operations", who, body, OperationResult)


async def counted(api: Api, who: Person, document_id: str, to: int) -> None:
    """A box whose `n` was set at every revision: at revision r it is r."""
    await submit(api, who, document_id, 1, 0, Create(id=BOX, props={"n": 1}))
    for n in range(2, to + 1):
        await submit(api, who, document_id, n, n - 1, Set(id=BOX, path=("n",), value=n))


async def test_documents_come_and_go(api: Api) -> None:
    """A session has its scene; others are created, listed, read and deleted."""
    owner, session, scene = await room(api)
    at = f"/sessions/{session.session_id}/documents"
    made = await api.call("POST", at, owner, {"name": "Plan"}, SharedDocument)
    assert (made.name, made.kind, made.created_by) == ("Plan", DocumentKind.DOCUMENT, owner.user_id)
    listed = await api.call("GET", at, owner, None, DocumentList)
    assert [(d.document_id, d.kind) for d in listed.documents] == [
        (scene, DocumentKind.SCENE),
        (made.document_id, DocumentKind.DOCUMENT),
    ]
    await submit(api, owner, made.document_id, 1, 0, Create(id=BOX))
    snapshot = await api.call("GET", f"/documents/{made.document_id}", owner, None, Snapshot)
    assert (snapshot.document, snapshot.revision, list(snapshot.entities)) == (made, 1, [BOX])
    assert await api.call("DELETE", f"/documents/{made.document_id}", owner) is None
    await refused(api, Code.DOCUMENT_UNKNOWN, "GET", f"/documents/{made.document_id}", owner)
    await refused(api, Code.SCENE_REQUIRED, "DELETE", f"/documents/{scene}", owner)


async def test_the_seed_operations_and_what_they_become(api: Api) -> None:
    """Sugar is committed as the algebra's operations; what met something says so; what was overridden is named."""
    owner, session, scene = await room(api)
    bob = await guest(api, owner, session.session_id)
    made = await submit(api, owner, scene, 1, 0, EntityCreate(entity_type="box", entity_id=BOX, position=(1, 2, 3)))
    assert (made.operation.revision, made.operation.user_id, made.transformed) == (1, owner.user_id, False)
    await submit(api, owner, scene, 2, 1, EntityUpdate(entity_id=BOX, props={"colour": "red"}))
    late = await submit(api, bob, scene, 1, 1, EntityUpdate(entity_id=BOX, props={"colour": "blue"}), client=BOB)
    assert late.conflicts_with == (2,)
    assert [(o.revision, o.user_id) for o in late.operation.overridden] == [(2, owner.user_id)]
    await submit(api, owner, scene, 3, 3, EntityDelete(entity_id=BOX))
    state = await api.call("GET", f"/documents/{scene}", bob, None, Snapshot)
    assert (state.revision, state.head, state.document.kind) == (4, 4, DocumentKind.SCENE)
    assert state.entities[BOX].alive is False
    assert state.entities[BOX].props["colour"] == "blue"
    assert state.entities[BOX].props["position"] == [1.0, 2.0, 3.0]


async def test_a_resend_is_harmless(api: Api) -> None:
    """Z2: the answer is the first one's, though others wrote, and though the object is another's by now."""
    owner, session, scene = await room(api)
    bob = await guest(api, owner, session.session_id)
    first = await submit(api, owner, scene, 1, 0, Create(id=BOX))
    await submit(api, bob, scene, 1, 1, Set(id=BOX, path=("a",), value=1), client=BOB)
    assert await submit(api, owner, scene, 1, 0, Create(id=BOX)) == first
    await api.call("POST", f"/collaboration/sessions/{session.session_id}/locks", bob, {"object_id": BOX}, Lock)
    assert await submit(api, owner, scene, 1, 0, Create(id=BOX)) == first
    page = await api.call("GET", f"/documents/{scene}/operations", owner, None, OperationPage)
    assert (page.head, len(page.operations)) == (2, 2)


async def test_operations_and_history_come_in_pages(api: Api) -> None:
    """Forwards from any revision, backwards before any, and only what touches one entity."""
    owner, _, scene = await room(api)
    await counted(api, owner, scene, 7)
    await submit(api, owner, scene, 8, 7, Create(id=f"{ADA}.2"))
    at, seen = f"/documents/{scene}/operations", 0
    while True:
        page = await api.call("GET", f"{at}?since={seen}&limit=3", owner, None, OperationPage)
        assert (page.since, page.head) == (seen, 8)
        assert [commit.revision for commit in page.operations] == list(range(seen + 1, min(8, seen + 3) + 1))
        if not page.operations:
            break
        seen = page.operations[-1].revision
    assert seen == 8
    at, before, found = f"/documents/{scene}/history?limit=3", "", list[int]()
    while True:
        entries = await api.call("GET", at + before, owner, None, HistoryPage)
        found += (commit.revision for commit in entries.entries)
        if entries.before is None:
            break
        before = f"&before={entries.before}"
    assert found == [8, 7, 6, 5, 4, 3, 2, 1]
    touching = await api.call("GET", f"/documents/{scene}/history?entity={ADA}.2", owner, None, HistoryPage)
    assert ([commit.revision for commit in touching.entries], touching.before) == ([8], None)


async def test_a_document_as_it_was_and_back(api: Api) -> None:
    """Z8: a past revision's state is that of its replay; a rollback brings it back by going on, and is undone the same."""
    owner, _, scene = await room(api)
    await counted(api, owner, scene, 4)
    await submit(api, owner, scene, 5, 4, Delete(id=BOX))
    then = await api.call("GET", f"/documents/{scene}?revision=2", owner, None, Snapshot)
    assert (then.revision, then.head, then.entities[BOX].props, then.entities[BOX].alive) == (2, 5, {"n": 2}, True)
    assert (await api.call("GET", f"/documents/{scene}?revision=0", owner, None, Snapshot)).entities == {}
    back = await api.call("POST", f"/documents/{scene}/rollback", owner, {"revision": 2}, RollbackResult)
    assert back == RollbackResult(revision=6, operations=2)
    assert (await api.call("GET", f"/documents/{scene}", owner, None, Snapshot)).entities == then.entities
    again = await api.call("POST", f"/documents/{scene}/rollback", owner, {"revision": 2}, RollbackResult)
    assert again == RollbackResult(revision=6, operations=0)
    await api.call("POST", f"/documents/{scene}/rollback", owner, {"revision": 5}, RollbackResult)
    assert (await api.call("GET", f"/documents/{scene}", owner, None, Snapshot)).entities[BOX].alive is False


async def test_milestones(api: Api) -> None:
    """Of the head or of a revision, listed newest first."""
    owner, _, scene = await room(api)
    await counted(api, owner, scene, 3)
    at = f"/documents/{scene}/milestones"
    early = await api.call("POST", at, owner, {"name": "Early", "revision": 1}, Milestone)
    now = await api.call("POST", at, owner, {"name": "Now"}, Milestone)
    assert (early.revision, now.revision, now.created_by, now.document_id) == (1, 3, owner.user_id, scene)
    assert (await api.call("GET", at, owner, None, MilestoneList)).milestones == (now, early)


async def test_locks(api: Api) -> None:
    """Acquired, listed, renewed, let go, broken; what is locked by another cannot be written (Z6)."""
    owner, session, scene = await room(api)
    bob = await guest(api, owner, session.session_id)
    at = f"/collaboration/sessions/{session.session_id}/locks"
    await submit(api, owner, scene, 1, 0, Create(id=BOX))
    first = await api.call("POST", at, owner, {"object_id": BOX}, Lock)
    assert (first.user_id, (await api.call("GET", at, bob, None, LockList)).locks) == (owner.user_id, (first,))
    await refused(api, Code.LOCK_HELD, "POST", at, bob, {"object_id": BOX})
    change = {"client": BOB, "seq": 1, "base": 1, "operations": [Add(id=BOX, path=("n",), by=1)]}
    await refused(api, Code.LOCK_HELD, "POST", f"/documents/{scene}/operations", bob, change)
    await refused(api, Code.LOCK_HELD, "POST", f"/documents/{scene}/rollback", bob, {"revision": 0})
    await submit(api, owner, scene, 2, 1, Set(id=BOX, path=("a",), value=1))
    renewed = await api.call("PUT", f"{at}/{BOX}", owner, {"token": first.token, "ttl_s": 120}, Lock)
    assert renewed.expires_at_ms > first.expires_at_ms
    await refused(api, Code.LOCK_LOST, "PUT", f"{at}/{BOX}", bob, {"token": first.token})
    await refused(api, Code.LOCK_LOST, "DELETE", f"{at}/{BOX}", bob)
    broken = await api.call("POST", at, bob, {"object_id": BOX, "break": True}, Lock)
    assert broken.token > first.token
    await refused(api, Code.LOCK_LOST, "PUT", f"{at}/{BOX}", owner, {"token": first.token})
    assert await api.call("DELETE", f"{at}/{BOX}", bob) is None
    assert (await api.call("GET", at, owner, None, LockList)).locks == ()
    feed = await api.call("GET", f"/collaboration/sessions/{session.session_id}/activity", owner, None, ActivityPage)
    assert ("lock.broken", {"object_id": BOX}) in [(event.kind, event.detail) for event in feed.events]


async def test_a_viewer_only_looks(api: Api) -> None:
    """Everything can be read, nothing written; an editor deletes no documents."""
    owner, session, scene = await room(api)
    await counted(api, owner, scene, 2)
    other = await api.call("POST", f"/sessions/{session.session_id}/documents", owner, {"name": "Plan"}, SharedDocument)
    viewer = await guest(api, owner, session.session_id, "viewer")
    locks = f"/collaboration/sessions/{session.session_id}/locks"
    for path in (f"/documents/{scene}", f"/documents/{scene}/operations", f"/documents/{scene}/history", locks):
        await api.call("GET", path, viewer)
    transaction = {"client": BOB, "seq": 1, "base": 2, "operations": [Add(id=BOX, path=("n",), by=1)]}
    for method, path, body in (
        ("POST", f"/documents/{scene}/operations", transaction),
        ("POST", f"/documents/{scene}/rollback", {"revision": 1}),
        ("POST", f"/documents/{scene}/milestones", {"name": "Mine"}),
        ("POST", f"/sessions/{session.session_id}/documents", {"name": "Mine"}),
        ("POST", locks, {"object_id": BOX}),
        ("PUT", f"{locks}/{BOX}", {"token": 1}),
        ("DELETE", f"/documents/{other.document_id}", None),
    ):
        await refused(api, Code.ROLE_INSUFFICIENT, method, path, viewer, body)
    editor = await guest(api, owner, session.session_id)
    await refused(api, Code.ROLE_INSUFFICIENT, "DELETE", f"/documents/{other.document_id}", editor)


async def test_a_stranger_learns_nothing(api: Api) -> None:
    """Of a private session's documents not even that they exist; without a token nothing at all."""
    owner, session, scene = await room(api, visibility=Visibility.PRIVATE)
    await counted(api, owner, scene, 1)
    other = await api.call("POST", f"/sessions/{session.session_id}/documents", owner, {"name": "Plan"}, SharedDocument)
    stranger = await api.guest("Eve")
    transaction = {"client": BOB, "seq": 1, "base": 0, "operations": [Add(id=BOX, path=("n",), by=1)]}
    for document_id in (scene, other.document_id, "doc_" + "z" * 20):
        for method, path, body in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("GET", "/operations", None),
            ("GET", "/history", None),
            ("GET", "/milestones", None),
            ("POST", "/operations", transaction),
            ("POST", "/rollback", {"revision": 0}),
            ("POST", "/milestones", {"name": "Mine"}),
        ):
            await refused(api, Code.DOCUMENT_UNKNOWN, method, f"/documents/{document_id}{path}", stranger, body)
    at = f"/collaboration/sessions/{session.session_id}/locks"
    await refused(api, Code.SESSION_UNKNOWN, "GET", at, stranger)
    await refused(api, Code.SESSION_UNKNOWN, "GET", f"/sessions/{session.session_id}/documents", stranger)
    await refused(api, Code.TOKEN_MISSING, "GET", f"/documents/{scene}", None)


async def test_what_cannot_be(api: Api) -> None:
    """Revisions that are not there, bases that never were, operations against the rules: each has its code."""
    owner, _, scene = await room(api)
    await counted(api, owner, scene, 2)
    at = f"/documents/{scene}"

    def transaction(base: int, *operations: object, **fields: object) -> dict[str, object]:
        return {"client": ADA, "seq": 9, "base": base, "operations": operations, **fields}

    add = Add(id=BOX, path=("n",), by=1)
    for code, method, path, body in (
        (Code.REVISION_UNKNOWN, "GET", f"{at}?revision=3", None),
        (Code.REVISION_UNKNOWN, "POST", f"{at}/rollback", {"revision": 3}),
        (Code.REVISION_UNKNOWN, "POST", f"{at}/milestones", {"name": "Never", "revision": 3}),
        (Code.BASE_AHEAD, "POST", f"{at}/operations", transaction(3, add)),
        (Code.BASE_BEHIND_OWN, "POST", f"{at}/operations", transaction(0, add)),
        (Code.OPERATION_INVALID, "POST", f"{at}/operations", transaction(2, Create(id="bob00000.1"))),
        (Code.OPERATION_INVALID, "POST", f"{at}/operations", transaction(2, Set(id=BOX, path=("__proto__",), value=1))),
        (Code.BODY_INVALID, "POST", f"{at}/operations", transaction(2)),
        (Code.BODY_INVALID, "POST", f"{at}/operations", transaction(2, {"op": "explode", "id": BOX})),
        (Code.IDENTITY_MISMATCH, "POST", f"{at}/operations", transaction(2, add, user_id="somebody_else")),
        (Code.QUERY_INVALID, "GET", f"{at}/operations?limit=0", None),
        (Code.QUERY_INVALID, "GET", f"{at}/history?before=-1", None),
    ):
        await refused(api, code, method, path, owner, body)
    assert (await api.call("GET", at, owner, None, Snapshot)).head == 2


async def test_documents_end_with_their_session(api: Api) -> None:
    """Nothing can be read of them afterwards."""
    owner, session, scene = await room(api)
    await counted(api, owner, scene, 2)
    other = await api.call("POST", f"/sessions/{session.session_id}/documents", owner, {"name": "Plan"}, SharedDocument)
    await api.call("DELETE", f"/sessions/{session.session_id}", owner)
    for document_id in (scene, other.document_id):
        await refused(api, Code.DOCUMENT_UNKNOWN, "GET", f"/documents/{document_id}", owner)
