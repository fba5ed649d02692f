"""What zero data loss means (DESIGN, clauses Z1-Z8), checked against the history of a run. Pure.

Nothing of the committer, the drainer or the stores is used: the log is judged by what clients sent and were told. Of the
algebra it takes how an operation is applied (that has tests of its own, in two languages), and which registers overlap.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import canonical, state_hash
from chalicelib.ot.state import Entity
from chalicelib.ot.transform import overlapping, register_of
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Delete, Move, Operation, Restore, Set, Text
from tests.faults.history import End, History, Sent


class Clause(StrEnum):
    """What was promised."""

    Z1 = "Z1: an acknowledged operation is in the log exactly once, at a gap-free revision"
    Z2 = "Z2: sending again returns the original revision"
    Z3 = "Z3: every accepted payload is readable from history"
    Z4 = "Z4: every override is reported to its author"
    Z5 = "Z5: after a delete, concurrent edits and a restore, all edits are present"
    Z6 = "Z6: a rejected operation returns reason and payload, and its client keeps it"
    Z7 = "Z7: what is not acknowledged survives reload and reconnect"
    Z8 = "Z8: the snapshot of a revision is the replay up to it"
    STALE = "a read is not older than what was known before it began"
    APART = "in the end everybody has the server's state"


class Violation(NamedTuple):
    """A promise that was broken, and what shows it."""

    clause: Clause
    evidence: str


Name = tuple[str, int]
"""(client, seq)"""


class _Run:
    """A history, and what is looked up in it again and again."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.at = {commit.revision: commit for commit in history.log}
        self.named: dict[Name, Commit] = {}
        for commit in history.log:
            self.named.setdefault((commit.client, commit.seq), commit)
        self.sent: dict[Name, list[Sent]] = {}
        for sent in history.sent:
            self.sent.setdefault((sent.client, sent.seq), []).append(sent)
        self.ends = {end.client: end for end in history.ends}


def check(history: History) -> list[Violation]:
    """Every violation that the history shows."""
    run = _Run(history)
    return [Violation(clause, evidence) for clause, rule in _RULES for evidence in rule(run)]


def _once(run: _Run) -> Iterator[str]:
    log = run.history.log
    if log and log[0].revision != 1:
        yield f"the log begins at {log[0].revision}"
    for one, other in pairwise(log):
        if other.revision != one.revision + 1:
            yield f"revision {one.revision} is followed by {other.revision}"
    for name, times in Counter((commit.client, commit.seq) for commit in log).items():
        if times > 1:
            revisions = [commit.revision for commit in log if (commit.client, commit.seq) == name]
            yield f"{name} is in the log at {revisions}"
    for acked in run.history.acked:
        found = run.at.get(acked.commit.revision)
        if (acked.client, acked.seq) not in run.named:
            yield f"{acked.client, acked.seq} was acknowledged as {acked.commit.revision}, and is not in the log"
        elif found != acked.commit:
            yield f"{acked.client, acked.seq} was acknowledged as {acked.commit}, where the log has {found}"
    for heard in run.history.heard:
        if run.at.get(heard.commit.revision) != heard.commit:
            there = run.at.get(heard.commit.revision)
            yield f"{heard.client} was told {heard.commit}, where the log has {there}"
    for token, places in _tokens(run):
        if len(places) > 1:
            yield f"{token} is there more than once: {places}"


def _same_revision(run: _Run) -> Iterator[str]:
    revisions: dict[Name, set[int]] = {}
    for acked in run.history.acked:
        revisions.setdefault((acked.client, acked.seq), set()).add(acked.commit.revision)
        if (acked.commit.client, acked.commit.seq) != (acked.client, acked.seq):
            yield f"{acked.client, acked.seq} was answered with {acked.commit.client, acked.commit.seq}"
    for name, found in revisions.items():
        if len(found) > 1:
            yield f"{name} was acknowledged as {sorted(found)}"


def _readable(run: _Run) -> Iterator[str]:
    told = {commit.revision: commit for commit in run.history.told}
    for commit in run.history.log:
        if told.get(commit.revision) != commit:
            yield f"history has {told.get(commit.revision)} for {commit}"
        copies = run.sent.get((commit.client, commit.seq))
        if copies is not None and not any(
            copy.base == commit.base and _same(copy.operations, commit.payload) for copy in copies
        ):
            yield f"{commit.client, commit.seq} on {commit.base} is kept as {commit.payload}, but was sent as {copies}"


def _reported(run: _Run) -> Iterator[str]:
    for commit in run.history.log:
        said = {(each.revision, each.entity, each.register) for each in commit.overridden}
        for revision, entity, register in _overrides(run, commit):
            if (revision, entity, register) not in said:
                yield f"{commit.revision} overrides {entity} {register} of {revision} and does not say so"
        for each in commit.overridden:
            author = run.at.get(each.revision)
            if author is None or author.user_id != each.user_id:
                yield f"{commit.revision} names {each.user_id} as the author of {each.revision}"
                continue
            end = run.ends.get(author.client)
            if end is not None and author.client != commit.client and not _knows(run, end, commit.revision):
                yield f"{author.client} was never told that {commit.revision} overrode its {each.revision}"


def _overrides(run: _Run, commit: Commit) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """What a commit must say that it overrides: others' writes that its author had not seen, at its own registers."""
    first = commit.base
    for copy in run.sent.get((commit.client, commit.seq), ()):
        if copy.base == commit.base and copy.seen is not None:
            first = min(first, copy.seen)
    between = [run.at[at] for at in range(first + 1, commit.revision) if at in run.at]
    if any(each.client == commit.client and each.revision > commit.base for each in between):
        return  # its client did not wait: what it overrides, its earlier ones may have overridden before it
    for mine in commit.payload:
        register = register_of(mine)
        if register is None or not isinstance(mine, Set | Move | Delete | Restore) or mine.guard is not None:
            continue
        for other in between:
            for theirs in other.operations:
                there = register_of(theirs)
                if other.client == commit.client or theirs.id != mine.id or there is None:
                    continue
                agree = isinstance(mine, Delete | Restore) and type(mine) is type(theirs)
                if overlapping(register, there) and not agree:
                    yield other.revision, mine.id, there


def _knows(run: _Run, end: End, revision: int) -> bool:
    """Whether a client was told of a commit, or took a snapshot past it."""
    return any(heard.client == end.client and heard.commit.revision == revision for heard in run.history.heard) or any(
        loaded.client == end.client and loaded.revision >= revision for loaded in run.history.loaded
    )


def _on_tombstones(run: _Run) -> Iterator[str]:
    for commit in run.history.log:
        for index, why in commit.dropped.items():
            gone = commit.payload[index]
            if not isinstance(gone, Text) and getattr(gone, "guard", None) is None:
                yield f"{commit.revision} lost {gone} ({why})"
        stayed = [each for index, each in enumerate(commit.payload) if index not in commit.dropped]
        if len(stayed) != len(commit.operations) or any(
            was != now and not (isinstance(was, Text) and isinstance(now, Text))
            for was, now in zip(stayed, commit.operations, strict=False)
        ):
            yield f"{commit.revision} took effect as {commit.operations}, but {stayed} was not dropped"
    final = run.history.snapshots.get(len(run.history.log))
    if final is None:
        return
    alive: dict[str, bool] = {}
    living: dict[str, Entity] = {}
    for commit in run.history.log:
        alive.update((each.id, isinstance(each, Restore)) for each in commit.operations if _is_alive(each))
        apply_all(living, [each for each in commit.operations if not _is_alive(each)])
    for key, entity in living.items():
        there = final.get(key)
        if there is None or _bare(there) != _bare(entity):
            yield f"{key} is {there}, and with nothing ever deleted it would be {entity}"
        elif there.alive != alive.get(key, True):
            yield f"{key} is {'there' if there.alive else 'deleted'}, against the last word on it"


def _returned(run: _Run) -> Iterator[str]:
    for refused in run.history.refused:
        name = (refused.client, refused.seq)
        if not refused.code:
            yield f"{name} was rejected without a reason"
        if not any(_same(copy.operations, refused.operations) for copy in run.sent.get(name, ())):
            yield f"{name} was rejected with {refused.operations}, which nobody sent"
        end = run.ends.get(refused.client)
        if end is None or not refused.final or name in run.named or refused.seq in end.pending:
            continue
        if not any(each.seq == refused.seq for each in end.rejected):
            yield f"{name} was rejected ({refused.code}), and its client does not have it any more"


def _survived(run: _Run) -> Iterator[str]:
    for token, places in _tokens(run):
        if not places:
            yield f"{token} is nowhere: not in the log, not pending, not handed back"
    for (client, seq), copies in run.sent.items():
        end = run.ends.get(client)
        if end is None or (client, seq) in run.named or seq in end.pending:
            continue
        if any(each.seq == seq for each in end.rejected):
            continue
        fallen = {(each.operation.id, type(each.operation)) for each in end.fallen}
        if not any(all((each.id, type(each)) in fallen for each in copy.operations) for copy in copies):
            yield f"{client, seq} was sent, and is not in the log, not pending, not handed back: {copies[-1].operations}"


def _tokens(run: _Run) -> Iterator[tuple[str, list[str]]]:
    """Where each token is. Of those whose client is not there in the end nobody knows."""
    state: dict[str, Entity] = {}
    for commit in run.history.log:
        apply_all(state, commit.operations)
    texts = [value for entity in state.values() for value in entity.props.values() if isinstance(value, str)]
    for made in run.history.made:
        end = run.ends.get(made.client)
        if end is None:
            continue
        places = ["the log"] * sum(text.count(made.token) for text in texts)
        places += ["pending"] * _mentions(made.token, [each for part in end.pending.values() for each in part])
        for back in end.rejected:
            places += ["rejected"] * _mentions(made.token, (*back.operations, *back.along))
        places += ["fallen"] * _mentions(made.token, [each.operation for each in end.fallen])
        yield made.token, places


def _mentions(token: str, operations: Sequence[Operation]) -> int:
    """How often operations would write a token."""
    return sum(
        step.count(token)
        for operation in operations
        if isinstance(operation, Text)
        for step in operation.edit
        if isinstance(step, str)
    )


def _replayed(run: _Run) -> Iterator[str]:
    states: dict[int, list[Mapping[str, Entity]]] = {}
    for revision, given in run.history.snapshots.items():
        states.setdefault(revision, []).append(given)
    for loaded in run.history.loaded:
        if loaded.entities is not None:
            states.setdefault(loaded.revision, []).append(loaded.entities)
    state: dict[str, Entity] = {}
    for commit in run.history.log:
        apply_all(state, commit.operations)
        for given in states.get(commit.revision, ()):
            if state_hash(given) != state_hash(state):
                yield f"snapshot({commit.revision}) differs at {_differing(given, state)}"
    for revision in states:
        if revision > len(run.history.log):
            yield f"there is a snapshot of {revision}, but no such revision"


def _fresh(run: _Run) -> Iterator[str]:
    known = [(each.ended, each.head, "was read") for each in run.history.reads]
    known += [(each.at, each.commit.revision, "was acknowledged") for each in run.history.acked]
    known.sort()
    for read in run.history.reads:
        floor = max((each for each in known if each[0] <= read.began), key=lambda each: each[1], default=None)
        if floor is not None and read.head < floor[1]:
            yield f"the head was read as {read.head} after {floor[1]} {floor[2]}"
        revisions = [commit.revision for commit in read.commits]
        if revisions != list(range(read.since + 1, read.since + 1 + len(revisions))):
            yield f"since {read.since} there were {revisions}"
        elif not revisions and read.head > read.since:
            yield f"since {read.since} there was nothing, with the head at {read.head}"
        for commit in read.commits:
            if run.at.get(commit.revision) != commit:
                yield f"{commit} was read, where the log has {run.at.get(commit.revision)}"


def _together(run: _Run) -> Iterator[str]:
    state: dict[str, Entity] = {}
    for commit in run.history.log:
        apply_all(state, commit.operations)
    head = len(run.history.log)
    for end in run.history.ends:
        if end.revision != head:
            yield f"{end.client} stands at {end.revision} of {head}"
        elif not end.pending and state_hash(end.entities) != state_hash(state):
            yield f"{end.client} differs at {_differing(end.entities, state)}"


_RULES: Final[tuple[tuple[Clause, Callable[[_Run], Iterator[str]]], ...]] = (
    (Clause.Z1, _once),
    (Clause.Z2, _same_revision),
    (Clause.Z3, _readable),
    (Clause.Z4, _reported),
    (Clause.Z5, _on_tombstones),
    (Clause.Z6, _returned),
    (Clause.Z7, _survived),
    (Clause.Z8, _replayed),
    (Clause.STALE, _fresh),
    (Clause.APART, _together),
)


def _is_alive(operation: Operation) -> bool:
    return isinstance(operation, Delete | Restore)


def _bare(entity: Entity) -> str:
    return canonical([entity.parent, entity.order, entity.props])


def _same(one: Sequence[Operation], other: Sequence[Operation]) -> bool:
    """As they cross the wire."""
    return msgspec.json.encode(one) == msgspec.json.encode(other)


def _differing(
    one: Mapping[str, Entity], other: Mapping[str, Entity]
) -> list[tuple[str, Entity | None, Entity | None]]:
    return [(key, one.get(key), other.get(key)) for key in sorted({*one, *other}) if one.get(key) != other.get(key)][:3]
