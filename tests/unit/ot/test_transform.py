"""Every pair of operations from both sides: what it becomes, what it conflicts with, whom it overrides."""

import pytest

from chalicelib.ot.commit import Outcome, duplicate_of, settle
from chalicelib.ot.transform import ALIVE, PLACE, overlapping
from chalicelib.wire.operations import Add, Create, Cut, Delete, Drop, Entry, Move, Operation, Restore, Set, Text

E = "ada00000.1"
A, AB, T = ("a",), ("a", "b"), ("t",)
CREATE = Create(id="bob00000.1")
SET, SET_IN, SET_TEXT = Set(id=E, path=A, value=1), Set(id=E, path=AB, value=2), Set(id=E, path=T, value="new")
ADD, TEXT = Add(id=E, path=A, by=1), Text(id=E, path=T, edit=(1, "x"))
MOVE, DELETE, RESTORE = Move(id=E, order="B"), Delete(id=E), Restore(id=E)


def entry(*operations: Operation, revision: int = 7, client: str = "ada00000", seq: int = 1) -> Entry:
    """One revision, by Ada."""
    return Entry(revision=revision, client=client, seq=seq, user_id="ada", at_ms=0, operations=operations)


def after(first: Operation, second: Operation) -> Outcome:
    """Bob's, made without knowing of Ada's."""
    return settle((second,), "bob00000", (entry(first),))


@pytest.mark.parametrize(
    ("first", "second", "register"),
    [
        (SET, SET, A),
        (SET_IN, SET, AB),
        (SET, SET_IN, A),
        (ADD, SET, A),
        (TEXT, SET_TEXT, T),
        (MOVE, MOVE, PLACE),
        (DELETE, RESTORE, ALIVE),
        (RESTORE, DELETE, ALIVE),
    ],
)
def test_overrides(first: Operation, second: Operation, register: tuple[str, ...]) -> None:
    """It commits as it is; the result names whom it overrode, and where."""
    outcome = after(first, second)
    assert (outcome.operations, outcome.transformed, outcome.conflicts_with) == ((second,), False, (7,))
    assert [(o.revision, o.user_id, o.entity, o.register) for o in outcome.overridden] == [(7, "ada", E, register)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SET, ADD),
        (ADD, ADD),
        (DELETE, SET),
        (DELETE, ADD),
        (DELETE, TEXT),
        (DELETE, MOVE),
        (DELETE, DELETE),
        (RESTORE, RESTORE),
    ],
)
def test_both_stand(first: Operation, second: Operation) -> None:
    """A conflict that costs nobody anything: both have their effect, or agree."""
    outcome = after(first, second)
    assert (outcome.operations, outcome.conflicts_with, outcome.overridden) == ((second,), (7,), ())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SET, SET_TEXT),
        (SET, MOVE),
        (SET, DELETE),
        (MOVE, SET),
        (RESTORE, SET),
        (CREATE, SET),
        (SET, CREATE),
        (CREATE, CREATE),
        (Set(id="ada00000.2", path=A, value=1), SET),
    ],
)
def test_strangers(first: Operation, second: Operation) -> None:
    """Other registers, other entities: nothing to say."""
    outcome = after(first, second)
    assert (outcome.operations, outcome.conflicts_with, outcome.overridden) == ((second,), (), ())


def test_texts_move() -> None:
    """The one real transform: both edits stand, the earlier commit stays left."""
    outcome = after(Text(id=E, path=T, edit=("ab",)), Text(id=E, path=T, edit=("X",)))
    assert outcome.operations == (Text(id=E, path=T, edit=(2, "X")),)
    assert (outcome.transformed, outcome.conflicts_with, outcome.overridden) == (True, (7,), ())


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (SET_TEXT, TEXT, Drop.REPLACED),
        (Set(id=E, path=T, absent=True), TEXT, Drop.REPLACED),
        (Text(id=E, path=T, edit=(Cut(3),)), Text(id=E, path=T, edit=(1, Cut(1))), Drop.EMPTY),
        (SET, Set(id=E, path=A, value=0, guard=6), Drop.GUARDED),
        (MOVE, Move(id=E, order="A", guard=6), Drop.GUARDED),
        (DELETE, Restore(id=E, guard=6), Drop.GUARDED),
    ],
)
def test_falls_away(first: Operation, second: Operation, why: Drop) -> None:
    """Nothing of it takes effect, nobody is overridden, and the result says why."""
    outcome = after(first, second)
    assert (outcome.operations, outcome.dropped, outcome.overridden) == ((), {0: why}, ())
    assert outcome.conflicts_with == (7,)


def test_a_guard_looks_at_what_is_newer_and_foreign() -> None:
    """One's own later writes, and what the guard has seen, do not stop an undo."""
    undo = Set(id=E, path=A, value=0, guard=7)
    assert settle((undo,), "bob00000", (entry(SET),)).operations == (undo,)
    mine = entry(SET, revision=8, client="bob00000")
    assert settle((undo,), "bob00000", (mine,)).operations == (undo,)
    assert settle((undo,), "bob00000", (entry(SET, revision=8),)).dropped == {0: Drop.GUARDED}


def test_a_text_of_a_value_of_my_own() -> None:
    """After I set the text, what others did to the old one is nothing to my edits of the new one."""
    mine = (SET_TEXT, Text(id=E, path=T, edit=(3, "!")))
    for first in (SET_TEXT, TEXT):
        outcome = settle(mine, "bob00000", (entry(first),))
        assert (outcome.operations, outcome.dropped) == (mine, {})
        assert len(outcome.overridden) == 1


def test_several_edits_past_several() -> None:
    """Each of mine is moved past all of theirs, and theirs past each of mine for the next."""
    theirs = entry(Text(id=E, path=T, edit=("12",)), Text(id=E, path=T, edit=(1, "-")))
    mine = (Text(id=E, path=T, edit=("a",)), Text(id=E, path=T, edit=(1, "b")))
    outcome = settle(mine, "bob00000", (theirs,))
    assert outcome.operations == (Text(id=E, path=T, edit=(3, "a")), Text(id=E, path=T, edit=(4, "b")))


def test_a_transaction_against_a_tail() -> None:
    """Every revision since the base counts; places are those of the submission."""
    tail = (entry(SET), entry(MOVE, revision=8), entry(SET_TEXT, revision=9), entry(SET, revision=10))
    outcome = settle((TEXT, SET, MOVE), "bob00000", tail)
    assert outcome.operations == (SET, MOVE)
    assert (outcome.dropped, outcome.conflicts_with) == ({0: Drop.REPLACED}, (7, 8, 9, 10))
    assert [(o.revision, o.register) for o in outcome.overridden] == [(7, A), (8, PLACE), (10, A)]


def test_a_resend_is_found() -> None:
    """By client and sequence number."""
    tail = (entry(SET), entry(SET, revision=8, seq=2))
    assert duplicate_of("ada00000", 2, tail) == tail[1]
    assert duplicate_of("bob00000", 2, tail) is None


def test_overlapping() -> None:
    """One register is the other, or lies within it."""
    assert overlapping(A, AB)
    assert overlapping(AB, A)
    assert not overlapping(AB, ("a", "c"))
