"""A document's log: what is submitted, what is recorded, what is answered. Pure.

The log is the truth (DESIGN, law 1). A record keeps what was submitted beside what took effect, so that every accepted
payload can be read for ever, though it was overridden, moved or dropped (clause Z3).
"""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from chalicelib.ot.commit import Outcome
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Operation


class Submission(Struct, frozen=True, kw_only=True):
    """One transaction of one client, made on the state at revision `base`. (client, seq) names it for ever."""

    client: str
    seq: int
    base: int
    user_id: str
    operations: tuple[Operation, ...]


Record = Commit
"""A revision is stored as it is told."""


class Reason(StrEnum):
    """Why a submission is refused before anything is written."""

    BASE_AHEAD = "base_ahead"
    """It was made on a state that never was."""
    BASE_TOO_OLD = "base_too_old"
    """More has happened since than anybody should rebase over: fetch a snapshot, rebase there, submit again."""
    BASE_BEHIND_OWN = "base_behind_own"
    """Its client has not seen its own last commit: one transaction is in flight at a time."""


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
