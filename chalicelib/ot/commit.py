"""The committer's pure core: what becomes of a submission on top of the log's tail. Functions and the media node drive it.

Both sides of every override are told: the result names the revision (and its author) that was overridden, and whoever
made that revision sees the result when it is pushed.
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from msgspec import Struct

from chalicelib.ot.transform import rebase
from chalicelib.wire.documents import Commit
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


def settle(operations: Sequence[Operation], client: str, tail: Sequence[Entry], base: int | None = None) -> Outcome:
    """A submission whose base is just before `tail`.

    With a later `base`, its client has rebased it past the entries up to there: what it overrides of them is reported.
    """
    return _settle(operations, client, tail, {}, base)


def settle_after_own(operations: Sequence[Operation], base: int, client: str, tail: Sequence[Commit]) -> Outcome:
    """A submission of a client that does not wait: made on the state at `base` and on its own commits since.

    `tail` begins just after the earliest base of those commits. What the client saw is gone through once more: each of its
    transactions enters where it was made, is rebased past what others committed, and leaves where it was committed.
    """
    own: dict[int, list[Commit]] = {}
    ids = {operation.id for operation in operations}
    for commit in tail:
        if commit.client == client and any(operation.id in ids for operation in commit.payload):
            own.setdefault(commit.base, []).append(commit)
    return _settle(operations, client, tail, own, base)


def _settle(
    operations: Sequence[Operation],
    client: str,
    tail: Sequence[Entry],
    own: Mapping[int, Sequence[Commit]],
    base: int | None = None,
) -> Outcome:
    left: list[Operation | None] = list(operations)
    ids = {operation.id for operation in operations}
    dropped: dict[int, Drop] = {}
    overridden: dict[tuple[int, str, tuple[str, ...]], Overridden] = {}
    conflicts: list[int] = []
    ahead: dict[int, list[Operation | None]] = {}
    for entry in tail if own else _touching(tail, ids):
        for commit in own.get(entry.revision - 1, ()):
            ahead[commit.revision] = list(commit.payload)
        if base is not None and entry.client == client:
            ahead.pop(entry.revision, None)
            continue
        before = [operation for part in ahead.values() for operation in part] if ahead else []
        at = len(before)
        rebased = rebase([*before, *left], entry.operations, revision=entry.revision, foreign=entry.client != client)
        start = 0
        for part in ahead.values():
            part[:] = rebased.operations[start : start + len(part)]
            start += len(part)
        if base is None or entry.revision > base:
            left = rebased.operations[at:]
            for index, why in rebased.dropped.items():
                if index >= at:
                    dropped[index - at] = why
        mine = False
        for met in rebased.met:
            if met.index < at:
                continue
            mine = True
            if met.overrides:
                entity = entry.operations[met.other_index].id
                overridden[entry.revision, entity, met.register] = Overridden(
                    revision=entry.revision, user_id=entry.user_id, entity=entity, register=met.register
                )
        if mine:
            conflicts.append(entry.revision)
    after = tuple(operation for operation in left if operation is not None)
    return Outcome(
        operations=after,
        transformed=after != tuple(operations),
        conflicts_with=tuple(conflicts),
        overridden=tuple(overridden.values()),
        dropped=dropped,
    )


def _touching(tail: Sequence[Entry], ids: Set[str]) -> list[Entry]:
    """The few entries that are about the same entities. Most of a tail is about others, so this is most of the work."""
    met = [entry for entry in tail for operation in entry.operations if operation.id in ids]
    return [entry for place, entry in enumerate(met) if place == 0 or entry is not met[place - 1]]
