"""A document's log: what is submitted, what is recorded, what is answered. Pure.

The log is the truth (DESIGN, law 1). A record keeps what was submitted beside what took effect, so that every accepted
payload can be read for ever, though it was overridden, moved or dropped (clause Z3).
"""

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum
from typing import Final, Protocol

from msgspec import Struct

from chalicelib.ot.commit import Outcome
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit, Lock, Milestone, PublicOperation, SharedDocument
from chalicelib.wire.operations import Operation


class Submission(Struct, frozen=True, kw_only=True):
    """One transaction of one client, made on the state at revision `base`. (client, seq) names it for ever."""

    client: str
    seq: int
    base: int
    seen: int | None = None
    """The earlier revision that its author saw, where the client has rebased it since."""
    user_id: str
    operations: tuple[Operation, ...]


Record = Commit
"""A revision is stored as it is told."""


class Waiting(Struct, frozen=True, kw_only=True):
    """A submission in the queue of its document, and whom to answer. `place` orders the queue, and names the item."""

    place: str
    connection_id: str
    request_id: str | None
    correlation_id: str
    sent: tuple[PublicOperation, ...] | None
    """What the client sent, where that was sugar."""
    submission: Submission


class Desk(Struct, frozen=True, kw_only=True):
    """One consistent read of what lies beside a document: what waits, oldest first, and its locks by object."""

    waiting: tuple[Waiting, ...]
    locks: dict[str, Lock]
    more: bool = False
    """Whether more waits than fits one read."""


class Listener(Struct, frozen=True, kw_only=True):
    """A connection in the document's session. `reachable` is whether to tell it what is committed."""

    connection_id: str
    user_id: str
    may_edit: bool
    reachable: bool


def locked(operations: Sequence[Operation], user_id: str, locks: dict[str, Lock], now_ms: int) -> bool:
    """Whether an operation is of an object that somebody else has locked."""
    held = {key for key, lock in locks.items() if lock.user_id != user_id and lock.expires_at_ms > now_ms}
    return bool(held) and any(operation.id in held for operation in operations)


def refusal(waiting: Waiting, people: Mapping[str, Listener], desk: Desk, now_ms: int) -> Code | None:
    """Why a submission may not be committed, judged by the roles and locks of this moment.

    Of a connection that is nobody's any more (its peer left, or was away for too long) nothing is known: its client comes
    again by another, and keeps what it made until then.
    """
    submission = waiting.submission
    listener = people.get(waiting.connection_id)
    if listener is None:
        return Code.CONNECTION_GONE
    if not listener.may_edit or listener.user_id != submission.user_id:
        return Code.ROLE_INSUFFICIENT
    return Code.LOCK_HELD if locked(submission.operations, submission.user_id, desk.locks, now_ms) else None


class Reason(StrEnum):
    """Why a submission is refused before anything is written."""

    BASE_AHEAD = "base_ahead"
    """It was made on a state that never was."""
    BASE_TOO_OLD = "base_too_old"
    """More has happened since than anybody should rebase over: fetch a snapshot, rebase there, submit again."""
    BASE_BEHIND_OWN = "base_behind_own"
    """It claims to have seen less than its client's last commit was made on, or too few of its own."""


CODE_OF: Final = {
    Reason.BASE_AHEAD: Code.BASE_AHEAD,
    Reason.BASE_TOO_OLD: Code.BASE_TOO_OLD,
    Reason.BASE_BEHIND_OWN: Code.BASE_BEHIND_OWN,
}


class Refused(Exception):  # noqa: N818 - an expected outcome
    """A submission that cannot be committed as it is; its client keeps it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def record_of(submission: Submission, revision: int, outcome: Outcome, at_ms: int) -> Record:
    """The record that commits a submission as `revision`."""
    return Record(
        revision=revision,
        client=submission.client,
        seq=submission.seq,
        user_id=submission.user_id,
        at_ms=at_ms,
        base=submission.base,
        operations=outcome.operations,
        submitted=submission.operations if outcome.transformed else None,
        conflicts_with=outcome.conflicts_with,
        overridden=outcome.overridden,
        dropped=outcome.dropped,
    )


class OpLog(Protocol):
    """The log of every document. `documents.store` is the real one."""

    async def append(self, document_id: str, records: tuple[Record, ...]) -> bool:
        """Stores consecutive revisions at once, or none. False: the first one's revision is taken."""
        ...

    async def since(self, document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        """At most `limit` records after a revision, in order, read consistently.

        `boundary`: the revision is known to be the last of an append (or 0), which saves a read.
        """
        ...


class History(OpLog, Protocol):
    """The log, for who reads it whole."""

    async def before(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]:
        """At most `limit` records before a revision, newest first, read consistently; at least one if there is one."""
        ...

    async def erase(self, document_id: str) -> None: ...


class Renewal(Enum):
    """What became of a lease that its holder wanted to keep."""

    HELD = "held"
    LOST = "lost"
    """It is another's."""
    WANTED = "wanted"
    """Another asked for it; it runs out."""


class Queue(Protocol):
    """What waits beside each document: submissions, their drainer's lease, locks. `documents.queue` is the real one."""

    async def put(self, document_id: str, waiting: Waiting, expires_at_s: int) -> None: ...
    async def desk(self, document_id: str) -> Desk:
        """Read consistently; at most so many submissions as fit one answer."""
        ...

    async def locks(self, document_id: str) -> dict[str, Lock]: ...
    async def remove(self, document_id: str, places: tuple[str, ...]) -> None: ...
    async def acquire(self, document_id: str, holder: str, until_ms: int, now_ms: int) -> tuple[str, int]:
        """Takes the lease if it is free or has run out; the holder and end that hold."""
        ...

    async def renew(self, document_id: str, holder: str, until_ms: int) -> Renewal:
        """Promises to go on."""
        ...

    async def want(self, document_id: str) -> None:
        """Asks whoever holds the lease to let it run out. Forgotten when it is taken next."""
        ...

    async def lock(self, document_id: str, lock: Lock, now_ms: int, *, take: bool) -> Lock | None:
        """Stores a lock, with the next token, if the object is free, one's own, or `take`; None: held by another."""
        ...

    async def renew_lock(self, document_id: str, lock: Lock, now_ms: int) -> bool: ...
    async def unlock(self, document_id: str, object_id: str, user_id: str) -> bool: ...
    async def erase(self, document_id: str) -> None: ...


class Pointer(Struct, frozen=True, kw_only=True):
    """Where the snapshot of a revision is."""

    revision: int
    key: str
    size_bytes: int


class Shelf(Protocol):
    """Documents, milestones and pointers to snapshots. `documents.shelf` is the real one."""

    async def document(self, document_id: str) -> SharedDocument | None: ...
    async def documents(self, session_id: str) -> tuple[SharedDocument, ...]: ...
    async def add(self, document: SharedDocument) -> None: ...
    async def drop(self, document: SharedDocument) -> None: ...
    async def milestones(self, document_id: str) -> tuple[Milestone, ...]:
        """Newest revision first."""
        ...

    async def add_milestone(self, milestone: Milestone) -> None: ...
    async def pointer(self, document_id: str, revision: int) -> Pointer | None:
        """Of the newest snapshot at or before a revision."""
        ...

    async def add_pointer(self, document_id: str, pointer: Pointer) -> None: ...
    async def erase(self, document_id: str) -> tuple[Pointer, ...]:
        """Removes all of a document's items; the pointers that were there."""
        ...


class Objects(Protocol):
    """Bytes by key; UPSTREAM_UNAVAILABLE."""

    async def put(self, key: str, data: bytes) -> None: ...
    async def get(self, key: str) -> bytes | None: ...
    async def delete(self, key: str) -> None: ...
