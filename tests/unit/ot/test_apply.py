"""What each operation does to a state, and what is skipped by everybody alike."""

import pytest

from chalicelib.ot.apply import Skip, apply, apply_all
from chalicelib.ot.compose import compose
from chalicelib.ot.invert import invert
from chalicelib.ot.state import Entity, shown, value_at
from chalicelib.wire import limits
from chalicelib.wire.operations import Add, Create, Delete, Move, Operation, Restore, Set, Text

A, B, C = "ada00000.a", "ada00000.b", "ada00000.c"


@pytest.fixture
def scene() -> dict[str, Entity]:
    """C in B in A."""
    return {A: Entity(props={"n": 1, "t": "text", "o": {"x": 2}}), B: Entity(parent=A), C: Entity(parent=B)}


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (Create(id=A), Skip.EXISTS),
        (Create(id="ada00000.d", parent="nobody"), Skip.UNKNOWN),
        (Set(id="nobody", path=("n",), value=1), Skip.UNKNOWN),
        (Delete(id="nobody"), Skip.UNKNOWN),
        (Move(id=A, parent="nobody", order="V"), Skip.UNKNOWN),
        (Move(id=A, parent=C, order="V"), Skip.CYCLE),
        (Move(id=A, parent=A, order="V"), Skip.CYCLE),
        (Add(id=A, path=("t",), by=1), Skip.NOT_INTEGER),
        (Add(id=A, path=("n",), by=limits.INTEGER_MAX), Skip.OUT_OF_RANGE),
        (Add(id=A, path=("n", "x"), by=1), Skip.BLOCKED),
        (Text(id=A, path=("n",), edit=("x",)), Skip.NOT_TEXT),
        (Text(id=A, path=("t", "x"), edit=("x",)), Skip.BLOCKED),
    ],
)
def test_skipped(scene: dict[str, Entity], operation: Operation, reason: Skip) -> None:
    """It says why, changes nothing, and has nothing to undo."""
    before = dict(scene)
    assert apply(scene, operation) is reason
    assert scene == before
    assert invert((operation,), before) == ()


@pytest.mark.parametrize(
    ("operation", "path", "value"),
    [
        (Set(id=A, path=("n",), value=[1, 2]), ("n",), [1, 2]),
        (Set(id=A, path=("n", "x", "y"), value=3), ("n",), {"x": {"y": 3}}),
        (Set(id=A, path=("o", "y"), value=3), ("o",), {"x": 2, "y": 3}),
        (Set(id=A, path=("o", "x"), absent=True), ("o",), {}),
        (Set(id=A, path=("n", "x"), absent=True), ("n",), 1),
        (Set(id=A, path=("m", "x"), absent=True), ("m",), None),
        (Add(id=A, path=("n",), by=-3), ("n",), -2),
        (Add(id=A, path=("m", "k"), by=2), ("m",), {"k": 2}),
        (Text(id=A, path=("t",), edit=(4, "!")), ("t",), "text!"),
        (Text(id=A, path=("u",), edit=("new",)), ("u",), "new"),
    ],
)
def test_properties(scene: dict[str, Entity], operation: Operation, path: tuple[str, ...], value: object) -> None:
    """The entity is replaced, never changed in place."""
    before = scene[A]
    props = dict(before.props)
    assert apply(scene, operation) is None
    assert value_at(scene[A].props, path) == value
    assert before.props == props


def test_a_tombstone_takes_edits(scene: dict[str, Entity]) -> None:
    """Deleting hides it and all beneath; what happens to it meanwhile is there when it comes back."""
    apply_all(scene, (Delete(id=A), Set(id=A, path=("n",), value=9), Move(id=C, parent=A, order="z")))
    assert not shown(scene, A)
    assert not shown(scene, C)
    apply_all(scene, (Restore(id=A),))
    assert shown(scene, C)
    assert (scene[A].props["n"], scene[C].parent, scene[C].order) == (9, A, "z")
    assert not shown(scene, "nobody")


def test_moves_that_close_a_circle(scene: dict[str, Entity]) -> None:
    """Of two, the later one in the log is skipped; nothing is deleted for it."""
    scene[C] = Entity()
    skipped = apply_all(scene, (Move(id=A, parent=C, order="V"), Move(id=C, parent=B, order="V")))
    assert skipped == {1: Skip.CYCLE}
    assert (scene[A].parent, scene[C].parent) == (C, None)


def test_undoing_what_was_so_already(scene: dict[str, Entity]) -> None:
    """Deleting what is deleted is nothing to take back."""
    apply(scene, Delete(id=A))
    assert invert((Delete(id=A),), scene) == ()
    assert invert((Restore(id=A),), scene, guard=4) == (Delete(id=A, guard=4),)


def test_a_guarded_operation_is_not_composed() -> None:
    """What it is guarded by is its own."""
    undo, later = Set(id=A, path=("n",), value=1, guard=3), Set(id=A, path=("n",), value=2)
    assert compose((undo,), (later,)) == (undo, later)
    assert compose((later,), (undo,)) == (later, undo)
