"""The documents room by REST."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, Protocol, TypeVar

from msgspec import UNSET, Meta, UnsetType

from chalicelib.documents.locks import Locks
from chalicelib.documents.service import Documents
from chalicelib.endpoint import Authenticate, Call, Nothing, Routes
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import (
    AcquireLock,
    CreateDocument,
    CreateMilestone,
    DocumentList,
    HistoryPage,
    Lock,
    LockList,
    Milestone,
    MilestoneList,
    OperationPage,
    OperationResult,
    RenewLock,
    Rollback,
    RollbackResult,
    SharedDocument,
    Snapshot,
    SubmitOperations,
)
from chalicelib.wire.operations import Revision
from chalicelib.wire.types import EntityId, Value

T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine on the container's loop and waits."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


class SnapshotQuery(Value, frozen=True, kw_only=True):
    """Which state."""

    revision: Annotated[Revision | UnsetType, Meta(description="without it, the head's")] = UNSET


class OperationQuery(Value, frozen=True, kw_only=True):
    """Which commits."""

    since: Revision = 0
    limit: Annotated[int, Meta(ge=1, le=limits.LOG_PAGE, description="commits at most")] = limits.LOG_PAGE


class HistoryQuery(Value, frozen=True, kw_only=True):
    """Which part of history."""

    entity: Annotated[EntityId | UnsetType, Meta(description="only what touches it")] = UNSET
    before: Annotated[Revision | UnsetType, Meta(description="older than this one; without it, from the head")] = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE_MAX, description="entries on a page")] = limits.PAGE_DEFAULT


_SESSION: Final = (Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED, Code.ROLE_INSUFFICIENT)
_READ: Final = (*_SESSION[1:], Code.DOCUMENT_UNKNOWN)
_WRITE: Final = (
    *_READ,
    Code.DOCUMENT_BUSY,
    Code.OPERATION_INVALID,
    Code.BASE_AHEAD,
    Code.BASE_TOO_OLD,
    Code.BASE_BEHIND_OWN,
    Code.LOCK_HELD,
)


def routes(
    authenticate: Authenticate, service: Callable[[], Documents], locks: Callable[[], Locks], *, run: Run
) -> Routes:
    """The blueprint of this room."""
    r = Routes("documents", authenticate)
    _documents(r, service, run)
    _operations(r, service, run)
    _milestones(r, service, run)
    _locks(r, locks, run)
    return r


def _documents(r: Routes, service: Callable[[], Documents], run: Run) -> None:
    @r.post(
        "/sessions/{session_id}/documents",
        body=CreateDocument,
        response=SharedDocument,
        status=201,
        errors=(*_SESSION, Code.DOCUMENT_LIMIT),
    )
    def create_document(call: Call[CreateDocument]) -> SharedDocument:
        """Creates a document beside the session's scene."""
        return run(service().create(call.path["session_id"], call.identity, call.input))

    @r.get("/sessions/{session_id}/documents", response=DocumentList, errors=_SESSION)
    def list_documents(call: Call[Nothing]) -> DocumentList:
        """Lists the session's documents, the scene first."""
        return run(service().documents(call.path["session_id"], call.identity))

    @r.get(
        "/documents/{document_id}",
        query=SnapshotQuery,
        response=Snapshot,
        errors=(*_READ, Code.REVISION_UNKNOWN, Code.DOCUMENT_TOO_LARGE),
    )
    def get_document(call: Call[SnapshotQuery]) -> Snapshot:
        """Reads a document's whole state, at the head or at any revision."""
        return run(service().snapshot(call.path["document_id"], call.identity, _or_none(call.input.revision)))

    @r.delete("/documents/{document_id}", errors=(*_READ, Code.SCENE_REQUIRED))
    def delete_document(call: Call[Nothing]) -> None:
        """Deletes a document and its whole history, as an owner. The scene stays as long as its session."""
        run(service().delete(call.path["document_id"], call.identity))


def _operations(r: Routes, service: Callable[[], Documents], run: Run) -> None:
    @r.post("/documents/{document_id}/operations", body=SubmitOperations, response=OperationResult, errors=_WRITE)
    def submit_operations(call: Call[SubmitOperations]) -> OperationResult:
        """Commits a transaction, transformed past what was committed since its base. Everyone in the session is told."""
        return run(service().submit(call.path["document_id"], call.identity, call.input))

    @r.get("/documents/{document_id}/operations", query=OperationQuery, response=OperationPage, errors=_READ)
    def get_operations(call: Call[OperationQuery]) -> OperationPage:
        """Reads what was committed after a revision, oldest first, as much as fits an answer."""
        query = call.input
        return run(service().operations(call.path["document_id"], call.identity, since=query.since, limit=query.limit))

    @r.get("/documents/{document_id}/history", query=HistoryQuery, response=HistoryPage, errors=_READ)
    def get_history(call: Call[HistoryQuery]) -> HistoryPage:
        """Reads who changed what and when, newest first: what was sent, what took effect, what it overrode."""
        query = call.input
        return run(
            service().history(
                call.path["document_id"],
                call.identity,
                entity=_or_none(query.entity),
                before=_or_none(query.before),
                limit=query.limit,
            )
        )

    @r.post(
        "/documents/{document_id}/rollback",
        body=Rollback,
        response=RollbackResult,
        errors=(*_READ, Code.REVISION_UNKNOWN, Code.DOCUMENT_BUSY, Code.LOCK_HELD),
    )
    def rollback_document(call: Call[Rollback]) -> RollbackResult:
        """Brings back the state of a revision as new revisions. Nothing is lost: one can go back to before it."""
        return run(service().rollback(call.path["document_id"], call.identity, call.input.revision))


def _milestones(r: Routes, service: Callable[[], Documents], run: Run) -> None:
    @r.post(
        "/documents/{document_id}/milestones",
        body=CreateMilestone,
        response=Milestone,
        status=201,
        errors=(*_READ, Code.REVISION_UNKNOWN, Code.MILESTONE_LIMIT),
    )
    def create_milestone(call: Call[CreateMilestone]) -> Milestone:
        """Names a revision, or the head."""
        return run(service().create_milestone(call.path["document_id"], call.identity, call.input))

    @r.get("/documents/{document_id}/milestones", response=MilestoneList, errors=_READ)
    def list_milestones(call: Call[Nothing]) -> MilestoneList:
        """Lists the named revisions, newest first."""
        return run(service().milestones(call.path["document_id"], call.identity))


def _locks(r: Routes, locks: Callable[[], Locks], run: Run) -> None:
    base = "/collaboration/sessions/{session_id}/locks"

    @r.post(base, body=AcquireLock, response=Lock, status=201, errors=(*_SESSION, Code.LOCK_HELD, Code.LOCK_LIMIT))
    def acquire_lock(call: Call[AcquireLock]) -> Lock:
        """Locks an object of the scene: until the lease ends, others' operations on it are rejected."""
        return run(locks().acquire(call.path["session_id"], call.identity, call.input))

    @r.get(base, response=LockList, errors=_SESSION)
    def list_locks(call: Call[Nothing]) -> LockList:
        """Lists the locks that are held now."""
        return run(locks().held(call.path["session_id"], call.identity))

    @r.put(f"{base}/{{object_id}}", body=RenewLock, response=Lock, errors=(*_SESSION, Code.LOCK_LOST))
    def renew_lock(call: Call[RenewLock]) -> Lock:
        """Keeps a lock. Renew it well before it ends: one that has ended may be another's already."""
        return run(locks().renew(call.path["session_id"], call.identity, call.path["object_id"], call.input))

    @r.delete(f"{base}/{{object_id}}", errors=(*_SESSION, Code.LOCK_LOST))
    def release_lock(call: Call[Nothing]) -> None:
        """Lets go of a lock."""
        run(locks().release(call.path["session_id"], call.identity, call.path["object_id"]))


def _or_none(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
