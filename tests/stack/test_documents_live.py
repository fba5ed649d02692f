"""A scene that several people edit at once, through real WebSockets, workers and tables."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import pytest

from benchmarks.client import Api, PeerClient, Person
from benchmarks.editor import DocumentClient, scene_of
from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.state import Entity
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.documents import Commit, Lock, LockList, OperationPage, Snapshot
from chalicelib.wire.messages import DocCommits, DocFetch, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Operation, Set, Text

pytestmark = pytest.mark.stack
M = TypeVar("M")
ADA, BOB = "ada00000", "bob00000"
BOX = f"{ADA}.1"
WRITERS, EDITS = 8, 21


async def room(api: Api) -> tuple[Person, Person, str, str]:
    """The owner of a session, an editor, the session and its scene."""
    owner, other = await api.guest("Ada"), await api.guest("Bob")
    session = await api.create(owner, "Room")
    for who in (owner, other):
        await api.join(who, session.session_id)
    return owner, other, session.session_id, scene_of(session.session_id)


def op(scene: str, seq: int, base: int, *operations: Operation, client: str = ADA, **fields: Any) -> OpSubmit:
    """One transaction."""
    return OpSubmit(id=f"r{seq}", document_id=scene, client=client, seq=seq, base=base, operations=operations, **fields)


async def answered(peer: PeerClient, message: msgspec.Struct, type_: type[M]) -> M:
    """Sends, and waits for the first message of a type."""
    waiting = asyncio.create_task(peer.next(type_))
    await asyncio.sleep(0)
    await peer.send(message)
    return await waiting


async def log_of(api: Api, who: Person, scene: str) -> list[Commit]:
    """The whole log, page by page."""
    found: list[Commit] = []
    while True:
        page = await api.call("GET", f"/documents/{scene}/operations?since={len(found)}", who, None, OperationPage)
        found += page.operations
        if len(found) == page.head:
            return found


async def hash_of(api: Api, who: Person, scene: str, revision: int) -> str:
    """Of the state that the server has at a revision."""
    snapshot = await api.call("GET", f"/documents/{scene}?revision={revision}", who, None, Snapshot)
    entities = {
        key: Entity(alive=e.alive, parent=e.parent, order=e.order, props=e.props)
        for key, e in snapshot.entities.items()
    }
    return state_hash(entities)


def drop(peer: PeerClient) -> None:
    """Cuts the connection as a network does, without a word."""
    assert peer.socket._response.connection is not None
    assert peer.socket._response.connection.transport is not None
    peer.socket._response.connection.transport.abort()


async def test_two_people_edit(api: Api) -> None:
    """Whoever submits is answered with the revision; everybody is told of it; who was not there fetches it."""
    owner, other, session_id, scene = await room(api)
    async with (
        await api.enter(owner, session_id, "tab00001") as ada,
        await api.enter(other, session_id, "tab00002") as bob,
    ):
        told = [asyncio.create_task(peer.next(OpCommitted)) for peer in (ada, bob)]
        await asyncio.sleep(0)
        ack = await answered(ada, op(scene, 1, 0, Create(id=BOX, props={"n": 0})), OpAck)
        assert (ack.id, ack.operation.revision, ack.operation.user_id) == ("r1", 1, owner.user_id)
        for message in await asyncio.gather(*told):
            assert (message.document_id, message.head, message.commits) == (scene, 1, (ack.operation,))
        second = await answered(bob, op(scene, 1, 0, Set(id=BOX, path=("n",), value=5), client=BOB), OpAck)
        assert (second.operation.revision, second.operation.user_id) == (2, other.user_id)
        third = await answered(ada, op(scene, 2, 1, Set(id=BOX, path=("n",), value=6)), OpAck)
        assert third.conflicts_with == (2,)
        assert [(o.revision, o.user_id) for o in third.operation.overridden] == [(2, other.user_id)]
        async with await api.enter(await api.guest("Cyd"), session_id, "tab00003") as late:
            found = await answered(late, DocFetch(id="f1", document_id=scene, since=1), DocCommits)
            assert (found.id, found.since, found.head) == ("f1", 1, 3)
            assert found.commits == (second.operation, third.operation)


async def test_what_cannot_be_is_rejected_with_its_payload(api: Api) -> None:
    """Z6: a code, its words, an id to ask about, and what was sent; nothing of it is in the log, the connection stays."""
    owner, other, session_id, scene = await room(api)
    add = Add(id=BOX, path=("n",), by=1)
    await api.call("PUT", f"/sessions/{session_id}/participants/{other.user_id}", owner, {"role": "viewer"})
    async with (
        await api.enter(owner, session_id, "tab00001") as ada,
        await api.enter(other, session_id, "tab00002", join=False) as viewer,
    ):
        await answered(ada, op(scene, 1, 0, Create(id=BOX)), OpAck)
        await answered(ada, op(scene, 2, 1, add), OpAck)
        for peer, message, code in (
            (viewer, op(scene, 1, 1, add, client=BOB), Code.ROLE_INSUFFICIENT),
            (ada, op(scene, 3, 9, add), Code.BASE_AHEAD),
            (ada, op(scene, 3, 0, add), Code.BASE_BEHIND_OWN),
            (ada, op(scene, 3, 2, Create(id="bob00000.1")), Code.OPERATION_INVALID),
            (ada, op(scene, 3, 2, add, user_id=other.user_id), Code.IDENTITY_MISMATCH),
            (ada, op("doc_" + "z" * 20, 3, 0, add), Code.DOCUMENT_UNKNOWN),
        ):
            rejected = await answered(peer, message, OpRejected)
            assert (rejected.code, rejected.seq, rejected.id) == (code, message.seq, message.id)
            assert rejected.message.startswith(MESSAGE[code])
            assert rejected.operations == message.operations
            assert len(rejected.correlation_id) > 8
        assert (await answered(ada, op(scene, 3, 2, add), OpAck)).operation.revision == 3
        assert [commit.seq for commit in await log_of(api, owner, scene)] == [1, 2, 3]


async def test_sent_again_on_a_new_connection(api: Api) -> None:
    """Z2: the connection is cut before the answer; on the next one the same transaction has one revision, its first."""
    owner, other, session_id, scene = await room(api)
    peer = await api.enter(owner, session_id, "tab00001")
    async with await api.enter(other, session_id, "tab00002") as bob:
        async with peer:
            told = asyncio.create_task(bob.next(OpCommitted))
            await asyncio.sleep(0)
            await peer.send(op(scene, 1, 0, Create(id=BOX, props={"n": 0})))
            first = (await told).commits[0]
            drop(peer)
        await answered(bob, op(scene, 1, 1, Add(id=BOX, path=("n",), by=1), client=BOB), OpAck)
        async with await api.enter(owner, session_id, "tab00001", join=False) as again:
            for _ in range(2):
                ack = await answered(again, op(scene, 1, 0, Create(id=BOX, props={"n": 0})), OpAck)
                assert ack.operation == first
    assert [commit.user_id for commit in await log_of(api, owner, scene)] == [owner.user_id, other.user_id]


async def test_many_write_at_once_and_lose_nothing(api: Api) -> None:
    """Z1, Z7, Z8: eight writers, every other cut off in the middle: each edit is in the log exactly once, the log has no
    gap, and all see the same, which is what the server has and what the log makes."""
    owner, _, session_id, scene = await room(api)
    async with await DocumentClient.open(api, owner, session_id) as first:
        shared = first.new_id()
        await first.edit([Create(id=shared, props={"n": 0, "text": ""})])
        await first.settled()
        people = await asyncio.gather(*(api.guest(f"W{n}") for n in range(WRITERS)))
        writers = await asyncio.gather(*(DocumentClient.open(api, who, session_id) for who in people))
        await asyncio.gather(*(write(writer, shared, cut=n % 2 == 0) for n, writer in enumerate(writers)))
        log = await log_of(api, owner, scene)
        everybody = [first, *writers]
        await each(everybody, lambda one: one.until(lambda: one.editor.revision == len(log)))
        assert [commit.revision for commit in log] == list(range(1, len(log) + 1))
        assert len(log) == 1 + WRITERS * EDITS
        assert len({(commit.client, commit.seq) for commit in log}) == len(log)
        state: dict[str, Entity] = {}
        for commit in log:
            apply_all(state, commit.operations)
        hashes = {state_hash(one.entities) for one in everybody}
        assert hashes == {state_hash(state)} == {await hash_of(api, owner, scene, len(log))}
        assert state[shared].props["n"] == WRITERS * EDITS
        assert sorted(state[shared].props["text"]) == sorted("abcdefgh" * EDITS)
        assert len([entity for entity in state.values() if entity.parent == shared]) == WRITERS
        assert all(one.editor.rejected == [] for one in everybody)
        await each(writers, DocumentClient.close)


async def each(clients: list[DocumentClient], work: Callable[[DocumentClient], Awaitable[None]]) -> None:
    """For all at once."""
    await asyncio.gather(*(work(client) for client in clients))


async def write(me: DocumentClient, shared: str, *, cut: bool) -> None:
    """So many transactions, one after the other, on what all write and on an entity of one's own."""
    letter = "abcdefgh"[int(me._who.name[1:])]
    own = me.new_id()
    for n in range(EDITS):
        mine: Operation = Create(id=own, parent=shared) if n == 0 else Set(id=own, path=("at",), value=[n, 0, 0])
        await me.edit(
            [
                Add(id=shared, path=("n",), by=1),
                Text(id=shared, path=("text",), edit=(letter,)),
                Set(id=shared, path=("who",), value=letter),
                mine,
            ]
        )
        if cut and n == EDITS // 2 and me.peer is not None:
            drop(me.peer)
        await me.settled()


async def test_a_locked_object_is_not_written(api: Api) -> None:
    """Z6: it is rejected before it is committed, and the client keeps what it wrote; let go, it can be written."""
    owner, other, session_id, scene = await room(api)
    at = f"/collaboration/sessions/{session_id}/locks"
    async with (
        await DocumentClient.open(api, owner, session_id) as ada,
        await DocumentClient.open(api, other, session_id) as bob,
    ):
        box = ada.new_id()
        await ada.edit([Create(id=box, props={"n": 0})])
        await bob.until(lambda: box in bob.entities)
        await api.call("POST", at, owner, {"object_id": box}, Lock)
        await bob.edit([Set(id=box, path=("n",), value=7)])
        await bob.settled()
        (rejected,) = bob.editor.rejected
        assert rejected.code is Code.LOCK_HELD
        assert Set(id=box, path=("n",), value=7) in rejected.operations
        assert bob.entities[box].props == {"n": 0}
        await ada.edit([Set(id=box, path=("n",), value=1)])
        await ada.settled()
        await api.call("DELETE", f"{at}/{box}", owner)
        await bob.until(lambda: bob.entities[box].props == {"n": 1})
        await bob.edit([Set(id=box, path=("n",), value=8)])
        await ada.until(lambda: ada.entities[box].props == {"n": 8})
    assert len(await log_of(api, owner, scene)) == 3


@pytest.mark.parametrize("goes", ["leaves", "is cut off"])
async def test_locks_end_with_their_holder(api: Api, goes: str) -> None:
    """Whoever leaves, or is gone for longer than the grace, holds nothing any more."""
    owner, other, session_id, _ = await room(api)
    at = f"/collaboration/sessions/{session_id}/locks"
    async with await api.enter(owner, session_id, "tab00001") as ada:
        async with await api.enter(other, session_id, "tab00002") as bob:
            await api.call("POST", at, other, {"object_id": BOX, "ttl_s": 300}, Lock)
            kept = await api.call("POST", at, owner, {"object_id": f"{ADA}.2"}, Lock)
            await ada.until(lambda: bob.peer_id in ada.peers)
            if goes == "leaves":
                await bob.leave()
            else:
                drop(bob)
            await ada.until(lambda: bob.peer_id not in ada.peers, 20)
        async with asyncio.timeout(10):  # they are told apart from the room's frames, a moment before or after
            while (await api.call("GET", at, owner, None, LockList)).locks != (kept,):
                pass
