"""Rebasing: what a transaction becomes on top of others that were committed since its base, and what it meets there.

Theory. The log's order is the order of effect, so most pairs of operations need no change: of two sets the later one
simply is applied later. Only text moves text. What else there is to do is to say it: which earlier writes are
overridden, which of the own operations fall away (a text whose value somebody replaced; a guarded one, for undo, whose
register somebody wrote). docs/ot.md has the table of all pairs.

Cost: the tail since the base, never the scene.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.ot.text import transform_edit
from chalicelib.wire.operations import Add, Delete, Drop, Move, Operation, Restore, Set, Text

Register = tuple[str, ...]
"""A place that is written whole: a property's path, ("@place",) or ("@alive",). No key of a property begins with @."""

PLACE: Final[Register] = ("@place",)
ALIVE: Final[Register] = ("@alive",)

# Tuples, not unions, which Python would make anew at every look.
_VALUES: Final = (Set, Add, Text)
_LIVES: Final = (Delete, Restore)
_OVERRIDING: Final = (Set, Move, Delete, Restore)


class Met(Struct, frozen=True):
    """Two operations at one register. `index` and `other_index` are places in their transactions, as submitted."""

    index: int
    other_index: int
    register: Register
    overrides: bool
    """Whether the other's value is overridden; otherwise both have their effect."""


class Rebased(Struct):
    """A transaction after another. `operations` keeps places: None for what fell away."""

    operations: list[Operation | None]
    met: list[Met] = []
    dropped: dict[int, Drop] = {}


def register_of(operation: Operation) -> Register | None:
    """Where an operation writes; None for a create, which meets nobody."""
    if isinstance(operation, _VALUES):
        return operation.path
    if isinstance(operation, Move):
        return PLACE
    if isinstance(operation, _LIVES):
        return ALIVE
    return None


def overlapping(one: Register, other: Register) -> bool:
    """Whether one is the other or lies within it."""
    if one == other:
        return True
    short = min(len(one), len(other))
    return one[:short] == other[:short]


def rebase(
    operations: Sequence[Operation | None], other: Sequence[Operation], *, revision: int, foreign: bool
) -> Rebased:
    """`operations` on top of `other`, which was committed as `revision`, by somebody else if `foreign`.

    Both were made on the same state. A guard looks at what is newer than it and foreign.
    """
    result = Rebased(list(operations))
    if len(operations) == 1 == len(other):  # what is most common, and needs no index
        only = operations[0]
        if only is not None and only.id == other[0].id:
            _meet(result, 0, only, 0, other[0], foreign and revision)
            if isinstance(only, Text) and not result.dropped:
                _edit_past(result, 0, only, other)
        return result
    moving: list[Operation | None] = list(other)
    places: dict[str, list[int]] = {}
    for place, theirs in enumerate(other):
        places.setdefault(theirs.id, []).append(place)
    last = {mine.id: index for index, mine in enumerate(operations) if mine is not None}
    for index, mine in enumerate(operations):
        if mine is None or mine.id not in places:
            continue
        here = places[mine.id]
        for place in here:
            if moving[place] is not None:
                _meet(result, index, mine, place, other[place], foreign and revision)
        if isinstance(mine, Text) and index not in result.dropped:
            _edit_past(result, index, mine, [moving[place] for place in here])
        if index == last[mine.id]:  # nothing of mine is left to be moved past it
            continue
        if isinstance(mine, Text):
            _carry_past(moving, here, mine)
        elif isinstance(mine, Set) and index not in result.dropped:
            _shadow(moving, here, mine)
    return result


def _meet(
    result: Rebased, index: int, mine: Operation, other_index: int, theirs: Operation, foreign_revision: int
) -> None:
    """Notes what the two are to each other, and drops mine where it has nothing left to do."""
    register, others = register_of(mine), register_of(theirs)
    if register is None or others is None:
        return
    if not overlapping(register, others):
        if isinstance(theirs, Delete):  # mine reaches the tombstone, and comes back with it
            result.met.append(Met(index, other_index, ALIVE, overrides=False))
        return
    overrides = isinstance(mine, _OVERRIDING)
    guard = getattr(mine, "guard", None)
    if guard is not None and foreign_revision > guard:
        _drop(result, index, Drop.GUARDED)
        overrides = False
    elif isinstance(mine, Text) and isinstance(theirs, Set):
        _drop(result, index, Drop.REPLACED)
    elif isinstance(mine, _LIVES) and type(mine) is type(theirs):
        overrides = False  # they agree
    result.met.append(Met(index, other_index, others, overrides))


def _drop(result: Rebased, index: int, why: Drop) -> None:
    result.operations[index] = None
    result.dropped.setdefault(index, why)


def _edit_past(result: Rebased, index: int, mine: Text, others: Sequence[Operation | None]) -> None:
    """My edit moved past those of the other transaction, one after another."""
    edit = mine.edit
    for theirs in others:
        if isinstance(theirs, Text) and theirs.path == mine.path:
            edit = transform_edit(edit, theirs.edit, earlier=False)
    if not edit:
        _drop(result, index, Drop.EMPTY)
    elif edit is not mine.edit:
        result.operations[index] = replace(mine, edit=edit)


def _carry_past(others: list[Operation | None], places: Sequence[int], mine: Text) -> None:
    """The other transaction's edits moved past one of mine, for those of mine that follow it."""
    edit = mine.edit
    for place in places:
        theirs = others[place]
        if isinstance(theirs, Text) and theirs.path == mine.path:
            others[place] = replace(theirs, edit=transform_edit(theirs.edit, edit, earlier=True))
            edit = transform_edit(edit, theirs.edit, earlier=False)


def _shadow(others: list[Operation | None], places: Sequence[int], mine: Set) -> None:
    """My value stands there from now on: what others did to the register is nothing to the operations that follow."""
    for place in places:
        theirs = others[place]
        if isinstance(theirs, _VALUES) and overlapping(theirs.path, mine.path):
            others[place] = None
