"""Whether a document kept its promises, Z1 to Z8 (docs/faults.md), judged from what was seen from outside. Pure.

A history is what every client sent and heard, in the order in which it happened, and what could be read at the end. The
checker trusts no one's bookkeeping but the log's own text, and works out for itself what the log should make of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.state import Entity
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Delete, Operation, Restore, Set

Name = tuple[str, int]
"""(client, seq): names a transaction for ever."""


class Submitted(NamedTuple):
    """A client sent a transaction, perhaps again, perhaps rebased since."""

    name: Name
    operations: tuple[Operation, ...]


class Acked(NamedTuple):
    """It was told that a transaction is a revision."""

    name: Name
    revision: int


class Rejected(NamedTuple):
    """It was told that a transaction is not in the log, why, and what it was."""

    name: Name
    code: str
    operations: tuple[Any, ...]


class Told(NamedTuple):
    """It heard of commits."""

    client: str
    commits: tuple[Commit, ...]


class Loaded(NamedTuple):
    """A client read a snapshot: what was committed before it, it has to look up in the history."""

    client: str
    revision: int


class Read(NamedTuple):
    """A snapshot of the head was read; `floor` is the newest acknowledged revision when the reading began."""

    floor: int
    revision: int
    hash: str


Event = Submitted | Acked | Rejected | Told | Loaded | Read


class Violation(NamedTuple):
    """A promise that was broken, and how."""

    clause: str
    evidence: str


@dataclass(slots=True)
class Ending:
    """What a client has at the end, when all is quiet."""

    hash: str
    pending: bool
    kept: tuple[Operation, ...] = ()
    """The operations that were rejected and that it still has."""
    made: tuple[str, ...] = ()
    """A text for each of its edits, found in that edit and nowhere else."""


@dataclass(slots=True)
class History:
    """Everything that was seen."""

    events: list[Event] = field(default_factory=list)
    log: list[Commit] = field(default_factory=list)
    """Read at the end, by REST."""
    snapshots: dict[int, str] = field(default_factory=dict)
    """State hashes by revision, read at the end."""
    endings: dict[str, Ending] = field(default_factory=dict)

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def check(history: History) -> list[Violation]:
    """Every promise that was broken."""
    checks = (_once, _resends, _payloads, _overrides, _tombstones, _rejections, _survivors, _states, _reads)
    return [violation for each in checks for violation in each(history)]


def _once(history: History) -> Iterator[Violation]:
    """Z1: what was acknowledged is in the log exactly once, and the log has no gaps."""
    revisions = [commit.revision for commit in history.log]
    if revisions != list(range(1, len(revisions) + 1)):
        yield Violation("Z1", f"the revisions are not 1 to {len(revisions)}: {_first_gap(revisions)}")
    for name, count in Counter(_name(commit) for commit in history.log).items():
        if count > 1:
            yield Violation("Z1", f"{name} is in the log {count} times")
    by_name = {_name(commit): commit.revision for commit in history.log}
    for acked in history.of(Acked):
        if acked.name not in by_name:
            yield Violation("Z1", f"{acked.name} was acknowledged as {acked.revision} and is not in the log")
        elif by_name[acked.name] != acked.revision:
            yield Violation("Z1", f"{acked.name} was acknowledged as {acked.revision} and is {by_name[acked.name]}")


def _resends(history: History) -> Iterator[Violation]:
    """Z2: every answer to a transaction names the same revision."""
    answers: dict[Name, set[int]] = defaultdict(set)
    for acked in history.of(Acked):
        answers[acked.name].add(acked.revision)
    for name, revisions in answers.items():
        if len(revisions) > 1:
            yield Violation("Z2", f"{name} was acknowledged as {sorted(revisions)}")


def _payloads(history: History) -> Iterator[Violation]:
    """Z3: what was accepted can be read, as it was sent."""
    sent: dict[Name, set[bytes]] = defaultdict(set)
    for submitted in history.of(Submitted):
        sent[submitted.name].add(_text(submitted.operations))
    for commit in history.log:
        name = _name(commit)
        if name not in sent:
            yield Violation("Z3", f"revision {commit.revision} is of {name}, which nobody sent")
        elif _text(commit.payload) not in sent[name]:
            yield Violation("Z3", f"the payload of revision {commit.revision} is not what {name} sent")


def _overrides(history: History) -> Iterator[Violation]:
    """Z4: who overrides a value is told whose, and whoever made it hears of it."""
    heard: dict[str, set[int]] = defaultdict(set)
    for told in history.of(Told):
        heard[told.client].update(commit.revision for commit in told.commits)
    for loaded in history.of(Loaded):
        heard[loaded.client].update(range(1, loaded.revision + 1))
    for commit in history.log:
        reported = {(each.revision, each.entity, each.register) for each in commit.overridden}
        for place, mine in enumerate(commit.payload):
            if not isinstance(mine, Set) or mine.guard is not None or place in commit.dropped:
                continue
            for other in history.log[commit.base : commit.revision - 1]:
                for theirs in other.operations:
                    met = isinstance(theirs, Set) and (theirs.id, theirs.path) == (mine.id, mine.path)
                    if not met or other.client == commit.client:
                        continue
                    if (other.revision, mine.id, mine.path) not in reported:
                        yield Violation(
                            "Z4", f"revision {commit.revision} overrides {other.revision} at {mine.path}: not reported"
                        )
                    if other.client in history.endings and commit.revision not in heard[other.client]:
                        yield Violation("Z4", f"{other.client} never heard that {commit.revision} overrode it")


def _tombstones(history: History) -> Iterator[Violation]:
    """Z5: what happened to a deleted thing is there when it is restored: each value is that of its last writer."""
    deleted: set[str] = set()
    written: dict[tuple[str, str], Any] = {}
    onto_tombstones: set[tuple[str, str]] = set()
    for commit in history.log:
        for operation in commit.operations:
            if isinstance(operation, Delete):
                deleted.add(operation.id)
            elif isinstance(operation, Restore):
                deleted.discard(operation.id)
            elif isinstance(operation, Set) and len(operation.path) == 1:
                key = (operation.id, operation.path[0])
                written[key] = operation.value
                if operation.id in deleted:
                    onto_tombstones.add(key)
                else:
                    onto_tombstones.discard(key)
    final = _replayed(history.log)
    for entity, path in onto_tombstones:
        made = final.get(entity)
        if made is not None and made.props.get(path) != written[entity, path]:
            yield Violation("Z5", f"{entity}.{path} was set while deleted, and is lost")
    head = len(history.log)
    if head in history.snapshots and onto_tombstones and history.snapshots[head] != state_hash(final):
        yield Violation("Z5", "the head is not what the log makes, and things were edited while deleted")


def _rejections(history: History) -> Iterator[Violation]:
    """Z6: a rejected transaction is not in the log, says why and what it was, and its client has it still."""
    committed = {_name(commit) for commit in history.log}
    sent: dict[Name, set[bytes]] = defaultdict(set)
    for submitted in history.of(Submitted):
        sent[submitted.name].add(_text(submitted.operations))
    for rejected in history.of(Rejected):
        if not rejected.code:
            yield Violation("Z6", f"{rejected.name} was rejected without a reason")
        if _text(rejected.operations) not in sent[rejected.name]:
            yield Violation("Z6", f"the rejection of {rejected.name} does not say what was sent")
        if rejected.code not in _FINAL or rejected.name in committed:
            continue
        ending = history.endings.get(rejected.name[0])
        if ending is not None and not {_text((o,)) for o in rejected.operations} <= {_text((o,)) for o in ending.kept}:
            yield Violation("Z6", f"{rejected.name} was rejected, and its client has lost it")


_FINAL = frozenset({"role.insufficient", "lock.held", "operation.invalid", "document.unknown", "identity.mismatch"})


def _survivors(history: History) -> Iterator[Violation]:
    """Z7: every edit is in the log once, or rejected and kept: whatever happened to its client."""
    for client, ending in history.endings.items():
        if ending.pending:
            yield Violation("Z7", f"{client} still has something to send, though all is quiet")
        landed = b"".join(_text(commit.payload) for commit in history.log if commit.client == client)
        kept = _text(ending.kept)
        for made in ending.made:
            count = landed.count(made.encode()) + kept.count(made.encode())
            if count != 1:
                yield Violation("Z7", f"{client}'s {made} is {'lost' if count == 0 else f'there {count} times'}")


def _states(history: History) -> Iterator[Violation]:
    """Z8: the state at a revision is the log replayed up to it; and at the end everybody has the head's."""
    entities: dict[str, Entity] = {}
    for commit in [None, *history.log]:
        if commit is not None:
            apply_all(entities, commit.operations)
        revision = commit.revision if commit else 0
        if revision in history.snapshots and history.snapshots[revision] != state_hash(entities):
            yield Violation("Z8", f"the snapshot of revision {revision} is not the replay")
    for client, ending in history.endings.items():
        if ending.hash != state_hash(entities):
            yield Violation("Z8", f"{client} does not see what the log makes")


def _reads(history: History) -> Iterator[Violation]:
    """No stale read: whoever reads after an acknowledgement finds it, and finds what the log makes at that revision."""
    hashes = {0: state_hash({})}
    entities: dict[str, Entity] = {}
    reads = history.of(Read)
    for commit in history.log if reads else ():
        apply_all(entities, commit.operations)
        hashes[commit.revision] = state_hash(entities)
    for read in reads:
        if read.revision < read.floor:
            yield Violation("Z1", f"stale read: {read.floor} was acknowledged before {read.revision} was read as head")
        if hashes.get(read.revision) != read.hash:
            yield Violation("Z8", f"what was read as revision {read.revision} is not the replay")


def _replayed(log: list[Commit]) -> dict[str, Entity]:
    entities: dict[str, Entity] = {}
    for commit in log:
        apply_all(entities, commit.operations)
    return entities


def _first_gap(revisions: list[int]) -> str:
    for expected, found in enumerate(revisions, start=1):
        if expected != found:
            return f"{found} where {expected} should be"
    return ""


def _name(commit: Commit) -> Name:
    return commit.client, commit.seq


def _text(operations: tuple[Any, ...]) -> bytes:
    return msgspec.json.encode(operations)
