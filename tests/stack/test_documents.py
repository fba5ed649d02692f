"""Documents through the whole system's ports: every route, every message, roles, locks, many writers at once."""

import asyncio
from typing import Any

import pytest

from benchmarks.client import Api, PeerClient, Person, Refused
from benchmarks.editor import DocumentClient, scene_of
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.state import Entity
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import (
    DocumentList,
    HistoryPage,
    Lock,
    LockList,
    Milestone,
    MilestoneList,
    OperationPage,
    OperationResult,
    RollbackResult,
    SharedDocument,
    Snapshot,
)
from chalicelib.wire.messages import DocCommits, DocFetch, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Set, Text
from chalicelib.wire.types import Role

pytestmark = pytest.mark.stack
ADA, BOB = "ada00000", "bob00000"
E = f"{ADA}.1"


async def room(api: Api, *others: str) -> tuple[str, str, list[Person]]:
    """A session, its scene, and the people in it, the owner first."""
    people = [await api.guest(name) for name in ("Ada", *others)]
    session = await api.create(people[0], "Workshop")
    for person in people:
        await api.join(person, session.session_id)
    return session.session_id, scene_of(session.session_id), people


async def submit(
    api: Api, who: Person, document_id: str, *operations: dict[str, Any], **fields: Any
) -> OperationResult:
    """A commit by REST."""
    body = {"client": ADA, "seq": 1, "base": 0, "operations": operations, **fields}
    return await api.call("POST", f"/documents/{document_id}/operations", who, body, OperationResult)


async def refused(asking: Any, *codes: Code) -> None:
    """A typed error, with its correlation id."""
    with pytest.raises(Refused) as caught:
        await asking
    assert caught.value.error.code in codes
    assert caught.value.error.message
    assert caught.value.error.correlation_id


def op(value: Any, path: str = "a") -> dict[str, Any]:
    """The usual operation."""
    return {"op": "set", "id": E, "path": [path], "value": value}


async def test_a_documents_life_by_rest(api: Api) -> None:
    """Made, written, read at any revision, its history, a name, back and forth, gone."""
    session_id, scene, (ada, bob) = await room(api, "Bob")
    plan = await api.call("POST", f"/sessions/{session_id}/documents", ada, {"name": "Plan"}, SharedDocument)
    listed = await api.call("GET", f"/sessions/{session_id}/documents", bob, None, DocumentList)
    assert [d.document_id for d in listed.documents] == [scene, plan.document_id]
    path = f"/documents/{plan.document_id}"
    await submit(api, ada, plan.document_id, {"op": "create", "id": E, "props": {"a": 1}})
    for seq in range(2, 6):
        await submit(api, ada, plan.document_id, op(seq), seq=seq, base=seq - 1)
    late = await submit(api, bob, plan.document_id, op("bob"), client=BOB, base=1)
    assert (late.operation.revision, late.conflicts_with, late.transformed) == (6, (2, 3, 4, 5), False)
    assert {o.user_id for o in late.operation.overridden} == {ada.user_id}
    assert await submit(api, bob, plan.document_id, op("bob"), client=BOB, base=1) == late
    for revision in range(1, 6):
        found = await api.call("GET", f"{path}?revision={revision}", bob, None, Snapshot)
        assert (found.revision, found.head, found.entities[E].props) == (revision, 6, {"a": revision})
    page = await api.call("GET", f"{path}/operations?since=4&limit=1", bob, None, OperationPage)
    assert ([c.revision for c in page.operations], page.head) == ([5], 6)
    history = await api.call("GET", f"{path}/history?limit=2&entity={E}", bob, None, HistoryPage)
    assert ([c.revision for c in history.entries], history.before) == ([6, 5], 5)
    named = await api.call("POST", f"{path}/milestones", bob, {"name": "Draft", "revision": 3}, Milestone)
    milestones = await api.call("GET", f"{path}/milestones", ada, None, MilestoneList)
    assert milestones.milestones == (named,)
    back = await api.call("POST", f"{path}/rollback", bob, {"revision": 3}, RollbackResult)
    assert (back.revision, back.operations) == (7, 1)
    assert (await api.call("GET", path, ada, None, Snapshot)).entities[E].props == {"a": 3}
    await api.call("DELETE", path, ada)
    await refused(api.call("GET", path, ada, None, Snapshot), Code.DOCUMENT_UNKNOWN)


async def test_the_seeds_names_are_taken(api: Api) -> None:
    """What is sent in the seed's words is committed in the algebra's."""
    _, scene, (ada,) = await room(api)
    made = await submit(api, ada, scene, {"op": "entity_create", "entity_type": "screen_share_surface"})
    (created,) = made.operation.operations
    await submit(api, ada, scene, {"op": "entity_update", "entity_id": created.id, "scale": [2, 2, 2]}, seq=2, base=1)
    await submit(api, ada, scene, {"op": "avatar_move", "position": [1, 0, 2]}, seq=3, base=2)
    await submit(api, ada, scene, {"op": "entity_delete", "entity_id": created.id}, seq=4, base=3)
    found = (await api.call("GET", f"/documents/{scene}", ada, None, Snapshot)).entities
    assert (found[created.id].alive, found[created.id].props["scale"]) == (False, [2, 2, 2])
    assert found[f"{ADA}.avatar"].props["position"] == [1, 0, 2]


async def test_refusals_by_rest(api: Api) -> None:
    """A viewer reads and does not write; a stranger learns nothing; what is broken says how."""
    session_id, scene, (ada, vic) = await room(api, "Vic")
    await api.call("PUT", f"/sessions/{session_id}/participants/{vic.user_id}", ada, {"role": Role.VIEWER})
    stranger = await api.guest("Eve")
    path = f"/documents/{scene}"
    await submit(api, ada, scene, {"op": "create", "id": E})
    assert (await api.call("GET", path, vic, None, Snapshot)).revision == 1
    for writing in (
        submit(api, vic, scene, op(1), client="vic00000"),
        api.call("POST", f"{path}/rollback", vic, {"revision": 0}),
        api.call("POST", f"{path}/milestones", vic, {"name": "m"}),
        api.call("POST", f"/sessions/{session_id}/documents", vic, {"name": "Plan"}),
        api.call("POST", f"/collaboration/sessions/{session_id}/locks", vic, {"object_id": E}),
    ):
        await refused(writing, Code.ROLE_INSUFFICIENT)
    for method, what in (("GET", path), ("GET", f"{path}/history"), ("GET", f"{path}/operations"), ("DELETE", path)):
        await refused(api.call(method, what, stranger), Code.DOCUMENT_UNKNOWN, Code.ROLE_INSUFFICIENT)
    await refused(api.call("GET", f"{path}?revision=9", ada), Code.REVISION_UNKNOWN)
    await refused(api.call("POST", f"{path}/rollback", ada, {"revision": 9}), Code.REVISION_UNKNOWN)
    await refused(api.call("DELETE", path, ada), Code.SCENE_REQUIRED)
    await refused(submit(api, ada, scene, op(1), seq=2, base=9), Code.BASE_AHEAD)
    await refused(submit(api, ada, scene, {"op": "create", "id": "other.1"}, seq=2, base=1), Code.OPERATION_INVALID)
    await refused(submit(api, ada, scene, {"op": "nonsense"}), Code.BODY_INVALID)
    await refused(submit(api, ada, scene, op(1), seq=2, base=1, user_id=vic.user_id), Code.IDENTITY_MISMATCH)
    assert (await api.call("GET", path, vic, None, Snapshot)).revision == 1


async def test_messages(api: Api) -> None:
    """Submitted by one, acknowledged to them, told to both; resent after a reconnect it is the same revision (Z2)."""
    session_id, scene, (ada, bob) = await room(api, "Bob")
    message = OpSubmit(
        id="m1", document_id=scene, client=ADA, seq=1, base=0, operations=(Create(id=E, props={"a": 1}),)
    )
    async with (
        await api.enter(ada, session_id, "tab00001", join=False) as first,
        await api.enter(bob, session_id, "tab00001", join=False) as second,
    ):
        told = asyncio.create_task(second.next(OpCommitted))
        ack = await ask(first, message, OpAck)
        assert (ack.id, ack.operation.revision, ack.operation.user_id) == ("m1", 1, ada.user_id)
        assert (await told).commits == (ack.operation,)
    async with await api.enter(ada, session_id, "tab00001", join=False) as again:
        assert (await ask(again, message, OpAck)).operation == ack.operation
        fetched = await ask(again, DocFetch(id="f1", document_id=scene, since=0), DocCommits)
        assert (fetched.id, fetched.head, fetched.commits) == ("f1", 1, (ack.operation,))
        elsewhere = OpSubmit(document_id=f"doc_{'z' * 20}", client=ADA, seq=2, base=0, operations=(put(),))
        rejected = await ask(again, elsewhere, OpRejected)
        assert (rejected.code, rejected.operations) == (Code.DOCUMENT_UNKNOWN, (put(),))


async def test_a_lock_keeps_others_edits_out_until_its_holder_is_gone(api: Api) -> None:
    """Z6: rejected before it is committed, with the payload; a lock ends with its holder's connection, or is broken."""
    session_id, scene, (ada, bob) = await room(api, "Bob")
    await submit(api, ada, scene, {"op": "create", "id": E})
    base = f"/collaboration/sessions/{session_id}/locks"
    blocked = OpSubmit(document_id=scene, client=BOB, seq=1, base=1, operations=(put(),))
    async with await api.enter(bob, session_id, "tab00001", join=False) as peer:
        async with await api.enter(ada, session_id, "tab00001", join=False) as holder:
            lock = await api.call("POST", base, ada, {"object_id": E}, Lock)
            renewed = await api.call("PUT", f"{base}/{E}", ada, {"token": lock.token, "ttl_s": 120}, Lock)
            assert renewed.expires_at_ms > lock.expires_at_ms
            assert (await api.call("GET", base, bob, None, LockList)).locks == (renewed,)
            await refused(api.call("POST", base, bob, {"object_id": E}), Code.LOCK_HELD)
            await refused(submit(api, bob, scene, op(1), client=BOB, base=1), Code.LOCK_HELD)
            rejected = await ask(peer, blocked, OpRejected)
            assert (rejected.code, rejected.seq, rejected.operations) == (Code.LOCK_HELD, 1, (put(),))
            await holder.leave()
        async with asyncio.timeout(20):
            while (await api.call("GET", base, bob, None, LockList)).locks:  # noqa: ASYNC110 - it is told to nobody
                await asyncio.sleep(0.1)
        assert (await ask(peer, blocked, OpAck)).operation.revision == 2
        mine = await api.call("POST", base, bob, {"object_id": E}, Lock)
        assert mine.token > lock.token
        broken = await api.call("POST", base, ada, {"object_id": E, "break": True}, Lock)
        await refused(api.call("PUT", f"{base}/{E}", bob, {"token": mine.token}), Code.LOCK_LOST)
        await api.call("DELETE", f"{base}/{E}", ada)
        assert broken.token > mine.token
    feed: dict[str, Any] = await api.call("GET", f"/collaboration/sessions/{session_id}/activity", ada)
    assert "lock.broken" in str(feed)


async def test_many_write_at_once_and_nothing_is_lost(api: Api) -> None:
    """Z1: eight clients, shared things, texts and counters: no gap, nothing twice, and all see the same."""
    session_id, scene, people = await room(api, *(f"P{n}" for n in range(7)))
    await submit(api, people[0], scene, {"op": "create", "id": E, "props": {"n": 0, "t": ""}})
    clients = [await DocumentClient.open(api, person, session_id) for person in people]

    async def work(number: int, client: DocumentClient) -> None:
        for step in range(25):
            await client.edit(
                [
                    Add(id=E, path=("n",), by=1),
                    Text(id=E, path=("t",), edit=(f"<{number}.{step}>",)),
                    Set(id=E, path=("last",), value=[number, step]),
                    Create(id=client.new_id(), props={"by": number}),
                ]
            )
            await asyncio.sleep(0.01)
        await client.settled()

    await asyncio.gather(*(work(n, client) for n, client in enumerate(clients)))
    snapshot = await api.call("GET", f"/documents/{scene}", people[0], None, Snapshot)
    for client in clients:
        await client.until(lambda client=client: client.editor.revision == snapshot.revision)  # type: ignore[misc]
        await client.close()
    truth = {
        i: Entity(alive=e.alive, parent=e.parent, order=e.order, props=e.props) for i, e in snapshot.entities.items()
    }
    assert {state_hash(dict(client.entities)) for client in clients} == {state_hash(truth)}
    shared = truth[E].props
    assert shared["n"] == 8 * 25
    assert sorted(shared["t"][1:-1].split("><")) == sorted(f"{n}.{step}" for n in range(8) for step in range(25))
    assert len(truth) == 1 + 8 * 25
    page = await api.call("GET", f"/documents/{scene}/operations?limit=100", people[0], None, OperationPage)
    revisions = [commit.revision for commit in page.operations]
    assert revisions == list(range(1, len(revisions) + 1))


async def test_what_is_removed_from_the_session_may_write_no_more(api: Api) -> None:
    """On the open connection, and by REST; what it committed stays."""
    session_id, scene, (ada, bob) = await room(api, "Bob")
    await submit(api, bob, scene, {"op": "create", "id": f"{BOB}.1"}, client=BOB)
    await api.call("DELETE", f"/sessions/{session_id}/participants/{bob.user_id}", ada)
    await refused(
        submit(api, bob, scene, op(1), client=BOB, seq=2, base=1),
        Code.DOCUMENT_UNKNOWN,
        Code.ROLE_INSUFFICIENT,
        Code.PARTICIPANT_BANNED,
    )
    assert (await api.call("GET", f"/documents/{scene}", ada, None, Snapshot)).revision == 1


def test_a_message_holds_a_whole_transaction() -> None:
    """What fits a frame up fits a record twice, and an item of the log."""
    assert limits.WS_FRAME_BYTES < limits.TRANSACTION_BYTES
    assert 2 * limits.TRANSACTION_BYTES <= limits.LOG_ITEM_BYTES


def put(value: Any = 1) -> Set:
    """The usual operation, as a value."""
    return Set(id=E, path=("a",), value=value)


async def ask(peer: PeerClient, message: Any, type_: Any) -> Any:
    """Sends one message, and waits for the answer of a type."""
    answer = asyncio.create_task(peer.next(type_))
    await asyncio.sleep(0)
    await peer.send(message)
    return await answer
