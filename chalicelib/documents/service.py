"""The documents of a session, for REST: reading them at any revision, committing, going back, naming revisions.

A session's scene is always there: its id has the session's own characters, and no item says so. Every other document is
on the shelf. Whoever may see the session may read them; who may edit it may write.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec

from chalicelib.documents.model import CODE_OF, History, Queue, Record, Refused, Shelf, Submission, locked
from chalicelib.ot.difference import difference
from chalicelib.ot.state import Entity
from chalicelib.ot.sugar import plain
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import (
    CreateDocument,
    CreateMilestone,
    DocumentKind,
    DocumentList,
    EntityState,
    HistoryPage,
    Milestone,
    MilestoneList,
    OperationPage,
    OperationResult,
    PublicOperation,
    RollbackResult,
    SharedDocument,
    Snapshot,
    SubmitOperations,
)
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Operation
from chalicelib.wire.tokens import Identity

_ROLLBACK_BYTES: Final = limits.TRANSACTION_BYTES


class Committing(Protocol):
    """The committer."""

    async def submit(self, document_id: str, submission: Submission) -> Record: ...
    async def since(self, document_id: str, revision: int, limit: int) -> tuple[tuple[Record, ...], int]: ...
    async def find(self, document_id: str, submission: Submission) -> Record | None: ...


class State(Protocol):
    """A state at a revision."""

    @property
    def revision(self) -> int: ...
    @property
    def entities(self) -> dict[str, Entity]: ...


class States(Protocol):
    """States of documents at any revision."""

    async def at(self, document_id: str, revision: int | None = None) -> State: ...
    async def keep_up(self, document_id: str, head: int) -> None: ...
    async def erase(self, document_id: str) -> None: ...


class Gate(Protocol):
    """Asks the sessions room; its codes. The scene's facts come from the session."""

    async def view(self, session_id: str, identity: Identity) -> tuple[str, int]:
        """For who may see it: its owner, and when it was made."""
        ...

    async def edit(self, session_id: str, identity: Identity) -> tuple[str, int]: ...
    async def configure(self, session_id: str, identity: Identity) -> None: ...


Tell = Callable[[str, str, Sequence[Record]], Awaitable[None]]
"""Tells a session's people of a document's commits."""


class Documents:
    """What the routes ask for."""

    def __init__(
        self,
        log: History,
        queue: Queue,
        shelf: Shelf,
        states: States,
        committer: Committing,
        gate: Gate,
        tell: Tell,
        *,
        now_ms: Callable[[], int],
        random_id: Callable[[int], str],
    ) -> None:
        self._log = log
        self._queue = queue
        self._shelf = shelf
        self._states = states
        self._committer = committer
        self._gate = gate
        self._tell = tell
        self._now_ms = now_ms
        self._random_id = random_id
        self._sessions: dict[str, str] = {}

    # -- which documents there are --

    async def documents(self, session_id: str, identity: Identity) -> DocumentList:
        """All of a session's, the scene first."""
        owner, made_ms = await self._gate.view(session_id, identity)
        return DocumentList(documents=(scene_of(session_id, owner, made_ms), *await self._shelf.documents(session_id)))

    async def create(self, session_id: str, identity: Identity, body: CreateDocument) -> SharedDocument:
        """A document beside the scene; DOCUMENT_LIMIT."""
        await self._gate.edit(session_id, identity)
        if len(await self._shelf.documents(session_id)) >= limits.DOCUMENTS_PER_SESSION - 1:
            raise AppError(Code.DOCUMENT_LIMIT)
        document = SharedDocument(
            document_id=f"doc_{self._random_id(20)}",
            session_id=session_id,
            name=body.name,
            kind=DocumentKind.DOCUMENT,
            created_at_ms=self._now_ms(),
            created_by=identity.user_id,
        )
        await self._shelf.add(document)
        return document

    async def delete(self, document_id: str, identity: Identity) -> None:
        """Removes a document and its whole history, as an owner; SCENE_REQUIRED for a scene."""
        document = await self._shelf.document(document_id)
        session_id = document.session_id if document else session_of(document_id)
        await self._unknown_if_hidden(self._gate.view(session_id, identity))
        await self._gate.configure(session_id, identity)
        if document is None:
            raise AppError(Code.SCENE_REQUIRED)
        await self._shelf.drop(document)
        await self._erase(document_id)

    async def session_id(self, document_id: str) -> str:
        """The session that a document is of; a scene's is not looked up. Remembered: it never changes."""
        known = self._sessions.get(document_id)
        if known is None:
            document = await self._shelf.document(document_id)
            known = document.session_id if document else session_of(document_id)
            if document is not None:
                if len(self._sessions) > 10_000:
                    self._sessions.clear()
                self._sessions[document_id] = known
        return known

    async def erase(self, session_id: str) -> None:
        """Removes every document of a session that is over."""
        for document in await self._shelf.documents(session_id):
            await self._shelf.drop(document)
            await self._erase(document.document_id)
        await self._erase(scene_id(session_id))

    # -- reading --

    async def snapshot(self, document_id: str, identity: Identity, revision: int | None) -> Snapshot:
        """The whole state at a revision or at the head; REVISION_UNKNOWN, DOCUMENT_TOO_LARGE."""
        document = await self._readable(document_id, identity)
        state = await self._states.at(document_id, revision)
        if revision is not None and state.revision < revision:
            raise AppError(Code.REVISION_UNKNOWN)
        entities = {
            entity_id: EntityState(alive=e.alive, parent=e.parent, order=e.order, props=e.props)
            for entity_id, e in state.entities.items()
        }
        head = state.revision if revision is None else await self._head(document_id)
        found = Snapshot(document=document, revision=state.revision, head=head, entities=entities)
        if len(msgspec.json.encode(found)) > limits.SNAPSHOT_BYTES:
            raise AppError(Code.DOCUMENT_TOO_LARGE)
        return found

    async def operations(self, document_id: str, identity: Identity, *, since: int, limit: int) -> OperationPage:
        """What was committed after a revision."""
        await self._readable(document_id, identity)
        return await self.commits(document_id, since, limit, limits.SNAPSHOT_BYTES)

    async def commits(self, document_id: str, since: int, limit: int, size_bytes: int) -> OperationPage:
        """As many commits after a revision as fit a size; one at least. For who was let in already."""
        found, head = await self._committer.since(document_id, since, limit)
        left = size_bytes
        for index, commit in enumerate(found):
            left -= len(msgspec.json.encode(commit))
            if left < 0 and index:
                found = found[:index]
                break
        return OperationPage(operations=found, since=since, head=head)

    async def history(
        self, document_id: str, identity: Identity, *, entity: str | None, before: int | None, limit: int
    ) -> HistoryPage:
        """Revisions before one, newest first; with `entity`, those that touch it. Looks through so many at most."""
        await self._readable(document_id, identity)
        entries: list[Record] = []
        at = limits.INTEGER_MAX if before is None else before
        looked = 0
        while len(entries) < limit and looked < limits.HISTORY_LOOKED_THROUGH and at > 1:
            found = await self._log.before(document_id, at, limit if entity is None else limits.LOG_PAGE)
            if not found:
                return HistoryPage(entries=tuple(entries))
            for commit in found:
                looked, at = looked + 1, commit.revision
                if entity is None or any(operation.id == entity for operation in commit.payload):
                    entries.append(commit)
                    if len(entries) == limit:
                        break
        return HistoryPage(entries=tuple(entries), before=at if at > 1 else None)

    # -- writing --

    async def submit(self, document_id: str, identity: Identity, body: SubmitOperations) -> OperationResult:
        """Commits a transaction. OPERATION_INVALID, LOCK_HELD, BASE_..., DOCUMENT_BUSY."""
        session_id = await self._writable(document_id, identity)
        submission = Submission(
            client=body.client,
            seq=body.seq,
            base=body.base,
            seen=body.seen,
            user_id=identity.user_id,
            operations=checked(body.operations, body.client, body.seq),
        )
        record = await self._commit(document_id, session_id, submission)
        return OperationResult(
            document_id=document_id,
            operation=record,
            transformed=record.submitted is not None,
            conflicts_with=record.conflicts_with,
        )

    async def rollback(self, document_id: str, identity: Identity, revision: int) -> RollbackResult:
        """Brings back the state of a revision, by going on. What is committed meanwhile is kept.

        REVISION_UNKNOWN; LOCK_HELD, for all of it, where it would change what another has locked.
        """
        session_id = await self._writable(document_id, identity)
        wanted = await self._states.at(document_id, revision)
        if wanted.revision < revision:
            raise AppError(Code.REVISION_UNKNOWN)
        now = await self._states.at(document_id)
        operations = difference(now.entities, wanted.entities)
        if await self._locked(document_id, identity.user_id, operations):
            raise AppError(Code.LOCK_HELD)
        client, head = f"roll{self._random_id(12)}", now.revision
        for seq, part in enumerate(_parts(operations), start=1):
            submission = Submission(client=client, seq=seq, base=head, user_id=identity.user_id, operations=part)
            head = (await self._commit(document_id, session_id, submission)).revision
        return RollbackResult(revision=head, operations=len(operations))

    async def create_milestone(self, document_id: str, identity: Identity, body: CreateMilestone) -> Milestone:
        """Names a revision; REVISION_UNKNOWN, MILESTONE_LIMIT."""
        await self._writable(document_id, identity)
        head = await self._head(document_id)
        revision = head if body.revision is None else body.revision
        if revision > head:
            raise AppError(Code.REVISION_UNKNOWN)
        if len(await self._shelf.milestones(document_id)) >= limits.MILESTONES_PER_DOCUMENT:
            raise AppError(Code.MILESTONE_LIMIT)
        milestone = Milestone(
            milestone_id=f"mil_{self._random_id(20)}",
            document_id=document_id,
            name=body.name,
            revision=revision,
            created_at_ms=self._now_ms(),
            created_by=identity.user_id,
        )
        await self._shelf.add_milestone(milestone)
        return milestone

    async def milestones(self, document_id: str, identity: Identity) -> MilestoneList:
        """The named revisions, newest first."""
        await self._readable(document_id, identity)
        return MilestoneList(milestones=await self._shelf.milestones(document_id))

    async def _locked(self, document_id: str, user_id: str, operations: Sequence[Operation]) -> bool:
        return locked(operations, user_id, await self._queue.locks(document_id), self._now_ms())

    async def _commit(self, document_id: str, session_id: str, submission: Submission) -> Record:
        if await self._locked(document_id, submission.user_id, submission.operations):
            known = await self._committer.find(document_id, submission)
            if known is None:
                raise AppError(Code.LOCK_HELD)
            return known
        try:
            record = await self._committer.submit(document_id, submission)
        except Refused as exc:
            raise AppError(CODE_OF[exc.reason]) from exc
        await self._tell(document_id, session_id, (record,))
        await self._states.keep_up(document_id, record.revision)
        return record

    async def _head(self, document_id: str) -> int:
        newest = await self._log.before(document_id, limits.INTEGER_MAX, 1)
        return newest[0].revision if newest else 0

    async def _readable(self, document_id: str, identity: Identity) -> SharedDocument:
        document = await self._shelf.document(document_id)
        session_id = document.session_id if document else session_of(document_id)
        owner, made_ms = await self._unknown_if_hidden(self._gate.view(session_id, identity))
        return document or scene_of(session_id, owner, made_ms)

    async def _writable(self, document_id: str, identity: Identity) -> str:
        session_id = await self.session_id(document_id)
        await self._unknown_if_hidden(self._gate.edit(session_id, identity))
        return session_id

    async def _unknown_if_hidden(self, asking: Awaitable[tuple[str, int]]) -> tuple[str, int]:
        try:
            return await asking
        except AppError as exc:
            if exc.code is Code.SESSION_UNKNOWN:
                raise AppError(Code.DOCUMENT_UNKNOWN) from exc
            raise

    async def _erase(self, document_id: str) -> None:
        await self._queue.erase(document_id)
        await self._states.erase(document_id)
        await self._log.erase(document_id)
        self._sessions.pop(document_id, None)


def scene_id(session_id: str) -> str:
    """The id of a session's scene. `ses_x` -> `doc_x`."""
    return f"doc_{session_id.removeprefix('ses_')}"


def session_of(scene: str) -> str:
    """The session whose scene an id would be."""
    return f"ses_{scene.removeprefix('doc_')}"


def scene_of(session_id: str, owner_id: str, created_at_ms: int) -> SharedDocument:
    """A session's scene."""
    return SharedDocument(
        document_id=scene_id(session_id),
        session_id=session_id,
        name="Scene",
        kind=DocumentKind.SCENE,
        created_at_ms=created_at_ms,
        created_by=owner_id,
    )


def checked(sent: Sequence[PublicOperation], client: str, seq: int) -> tuple[Operation, ...]:
    """A transaction in the algebra, valid and normalised; OPERATION_INVALID."""
    try:
        operations = validate(plain(sent, client, seq), client)
    except InvalidOperation as exc:
        raise AppError(Code.OPERATION_INVALID, str(exc)) from exc
    if len(msgspec.json.encode(operations)) > limits.TRANSACTION_BYTES:
        raise AppError(Code.OPERATION_INVALID, f"more than {limits.TRANSACTION_BYTES} bytes")
    return operations


def _parts(operations: Sequence[Operation]) -> list[tuple[Operation, ...]]:
    """Transactions that fit an item of the log."""
    parts: list[tuple[Operation, ...]] = []
    part: list[Operation] = []
    size_bytes = 0
    for operation in operations:
        own_bytes = len(msgspec.json.encode(operation))
        if part and (len(part) == limits.OPERATIONS_PER_TRANSACTION or size_bytes + own_bytes > _ROLLBACK_BYTES):
            parts.append(tuple(part))
            part, size_bytes = [], 0
        part.append(operation)
        size_bytes += own_bytes
    return [*parts, tuple(part)] if part else parts
