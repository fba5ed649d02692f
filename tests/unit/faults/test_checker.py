"""The checker finds what it is there to find: each known-bad history is caught, and named by its promise."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.state import Entity
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Create, Delete, Operation, Overridden, Restore, Set, Text
from tests.faults.checker import Acked, Ending, History, Read, Rejected, Submitted, Told, check

E = "ada00000.1"
ADA, BOB = "ada00000", "bob00000"


def commit(revision: int, client: str, seq: int, base: int, *operations: Operation, **fields: object) -> Commit:
    """One revision."""
    made = Commit(
        revision=revision, client=client, seq=seq, user_id=client, at_ms=1, base=base, operations=tuple(operations)
    )
    return replace(made, **fields)


def put(value: object) -> Set:
    """The usual operation."""
    return Set(id=E, path=("a",), value=value)


def hash_at(log: list[Commit], revision: int) -> str:
    """The state that the log makes."""
    entities: dict[str, Entity] = {}
    for each in log[:revision]:
        apply_all(entities, each.operations)
    return state_hash(entities)


def good() -> History:
    """Two people: one overrides the other, something is deleted, edited and restored, something is rejected."""
    overridden = Overridden(revision=2, user_id=ADA, entity=E, register=("a",))
    log = [
        commit(1, ADA, 1, 0, Create(id=E, props={"t": ""})),
        commit(2, ADA, 2, 1, put("ada-2")),
        commit(3, BOB, 1, 1, put("bob-1"), conflicts_with=(2,), overridden=(overridden,)),
        commit(4, BOB, 2, 3, Delete(id=E)),
        commit(5, ADA, 3, 3, put("ada-3")),
        commit(6, BOB, 3, 5, Restore(id=E)),
        commit(7, ADA, 4, 6, Text(id=E, path=("t",), edit=("ada-4",))),
    ]
    history = History(log=log)
    for each in log:
        name = (each.client, each.seq)
        history.events += [Submitted(name, each.payload), Acked(name, each.revision)]
        history.events += [Told(client, (each,)) for client in (ADA, BOB)]
    refused = (put("bob-4"),)
    history.events += [Submitted((BOB, 4), refused), Rejected((BOB, 4), "lock.held", refused)]
    history.events += [Acked((ADA, 2), 2), Read(7, 7, hash_at(log, 7))]
    history.snapshots = {revision: hash_at(log, revision) for revision in range(8)}
    head = hash_at(log, 7)
    history.endings = {
        ADA: Ending(head, pending=False, made=("ada-2", "ada-3", "ada-4")),
        BOB: Ending(head, pending=False, kept=refused, made=("bob-1", "bob-4")),
    }
    return history


def test_a_good_history_passes() -> None:
    """Nothing is wrong with it."""
    assert check(good()) == []


def lose(history: History) -> None:
    """An acknowledged transaction is not in the log."""
    del history.log[-1]
    history.snapshots.pop(7)
    history.events = [event for event in history.events if not isinstance(event, Read)]


def double(history: History) -> None:
    """One is there twice."""
    history.log.append(replace(history.log[-1], revision=8))


def gap(history: History) -> None:
    """A revision is missing."""
    history.log[-1] = replace(history.log[-1], revision=8)


def misplace(history: History) -> None:
    """The acknowledgement named another revision."""
    history.events[history.events.index(Acked((ADA, 4), 7))] = Acked((ADA, 4), 6)


def stale(history: History) -> None:
    """A head was read that is older than what was acknowledged."""
    history.events.append(Read(7, 6, hash_at(history.log, 6)))


def answer_twice(history: History) -> None:
    """A resend got a revision of its own."""
    history.events.append(Acked((ADA, 2), 5))


def forget_payload(history: History) -> None:
    """What was sent cannot be read."""
    history.log[2] = replace(history.log[2], operations=(put("other"),))


def invent(history: History) -> None:
    """Nobody sent it."""
    history.log.append(commit(8, ADA, 9, 7, put("invented")))


def hide_override(history: History) -> None:
    """Whoever overrode is not told."""
    history.log[2] = replace(history.log[2], overridden=())


def tell_nobody(history: History) -> None:
    """Whoever was overridden never hears of it."""
    history.events.remove(Told(ADA, (history.log[2],)))


def lose_on_tombstone(history: History) -> None:
    """What was set while the thing was deleted is gone after it was restored."""
    history.snapshots[7] = state_hash({E: Entity(props={"t": "ada-4", "a": "bob-1"})})


def reject_in_silence(history: History) -> None:
    """No reason is given."""
    at = next(i for i, event in enumerate(history.events) if isinstance(event, Rejected))
    history.events[at] = Rejected((BOB, 4), "", (put("bob-4"),))


def reject_another(history: History) -> None:
    """The rejection does not hold what was sent."""
    at = next(i for i, event in enumerate(history.events) if isinstance(event, Rejected))
    history.events[at] = Rejected((BOB, 4), "lock.held", (put("else"),))


def drop_rejected(history: History) -> None:
    """Its client has thrown it away."""
    history.endings[BOB].kept = ()


def forget_edit(history: History) -> None:
    """An edit never reached anything: it did not survive a restart."""
    history.endings[ADA].made += ("ada-5",)


def never_send(history: History) -> None:
    """All is quiet, and something was not sent."""
    history.endings[ADA].pending = True


def wrong_snapshot(history: History) -> None:
    """A revision reads as another."""
    history.snapshots[3] = history.snapshots[2]


def diverge(history: History) -> None:
    """Somebody sees something else."""
    history.endings[BOB].hash = hash_at(history.log, 6)


def wrong_read(history: History) -> None:
    """A read gave a state that never was."""
    history.events.append(Read(0, 7, hash_at(history.log, 6)))


@pytest.mark.parametrize(
    ("clause", "break_it"),
    [
        ("Z1", lose),
        ("Z1", double),
        ("Z1", gap),
        ("Z1", misplace),
        ("Z1", stale),
        ("Z2", answer_twice),
        ("Z3", forget_payload),
        ("Z3", invent),
        ("Z4", hide_override),
        ("Z4", tell_nobody),
        ("Z5", lose_on_tombstone),
        ("Z6", reject_in_silence),
        ("Z6", reject_another),
        ("Z6", drop_rejected),
        ("Z7", forget_edit),
        ("Z7", never_send),
        ("Z8", wrong_snapshot),
        ("Z8", diverge),
        ("Z8", wrong_read),
    ],
)
def test_a_bad_history_is_caught(clause: str, break_it: Callable[[History], None]) -> None:
    """By the promise that it breaks."""
    history = good()
    break_it(history)
    assert clause in {violation.clause for violation in check(history)}
