"""The committer's pure core: what becomes of a submission on top of the log's tail. Functions and the media node drive it.

Both sides of every override are told: the result names the revision (and its author) that was overridden, and whoever
made that revision sees the result when it is pushed.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from chalicelib.ot.transform import rebase
from chalicelib.wire.operations import Drop, Entry, Operation, Overridden


class Outcome(Struct, frozen=True, kw_only=True):
    """A submission on top of a tail."""

    operations: tuple[Operation, ...]
    """What is left of it to take effect; may be none."""
    transformed: bool
    conflicts_with: tuple[int, ...]
    overridden: tuple[Overridden, ...]
    dropped: dict[int, Drop]
    """What fell away, by its place in the submission."""


def duplicate_of(client: str, seq: int, tail: Iterable[Entry]) -> Entry | None:
    """The entry that a resent submission already is; None if it is new."""
    return next((entry for entry in tail if entry.seq == seq and entry.client == client), None)


def settle(operations: Sequence[Operation], client: str, tail: Sequence[Entry]) -> Outcome:
    """A submission whose base is just before `tail`."""
    left: list[Operation | None] = list(operations)
    ids = {operation.id for operation in operations}
    dropped: dict[int, Drop] = {}
    overridden: dict[tuple[int, str, tuple[str, ...]], Overridden] = {}
    conflicts: list[int] = []
    for entry in tail:
        if all(operation.id not in ids for operation in entry.operations):
            continue
        rebased = rebase(left, entry.operations, revision=entry.revision, foreign=entry.client != client)
        left = rebased.operations
        dropped.update(rebased.dropped)
        if rebased.met:
            conflicts.append(entry.revision)
        for met in rebased.met:
            if met.overrides:
                entity = entry.operations[met.other_index].id
                overridden[entry.revision, entity, met.register] = Overridden(
                    revision=entry.revision, user_id=entry.user_id, entity=entity, register=met.register
                )
    after = tuple(operation for operation in left if operation is not None)
    return Outcome(
        operations=after,
        transformed=after != tuple(operations),
        conflicts_with=tuple(conflicts),
        overridden=tuple(overridden.values()),
        dropped=dropped,
    )
