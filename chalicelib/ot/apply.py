"""Applying operations to a state. What cannot take effect is skipped with a reason, and so by everybody alike.

Order decides everything: the same operations in the same order give the same state and the same skips everywhere, in
Python and in TypeScript. That is what lets a cycle be settled here, in the order of the log, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec.structs import replace

from chalicelib.ot.state import Entities, Entity, blocked, value_at, with_value, without_value
from chalicelib.ot.text import apply_edit
from chalicelib.wire import limits
from chalicelib.wire.operations import Add, Create, Move, Operation, Restore, Set, Text


class Skip(StrEnum):
    """Why an operation had no effect."""

    EXISTS = "exists"
    """A create of an id that there is."""
    UNKNOWN = "unknown"
    """The entity (or the parent) was never created."""
    CYCLE = "cycle"
    """A move beneath itself: of moves that close a circle, the last is skipped."""
    NOT_INTEGER = "not_integer"
    OUT_OF_RANGE = "out_of_range"
    NOT_TEXT = "not_text"
    BLOCKED = "blocked"
    """A value that is no object stands in the way of the path; only a set may replace it."""


def apply(entities: Entities, operation: Operation) -> Skip | None:
    """Puts one operation into effect, in place. Entities themselves are replaced, never changed."""
    entity = entities.get(operation.id)
    if isinstance(operation, Create):
        return _create(entities, entity, operation)
    if entity is None:
        return Skip.UNKNOWN
    changed: Entity | Skip
    if isinstance(operation, Set):
        if operation.absent:
            changed = replace(entity, props=without_value(entity.props, operation.path))
        else:
            changed = replace(entity, props=with_value(entity.props, operation.path, operation.value))
    elif isinstance(operation, Move):
        changed = _moved(entities, entity, operation)
    elif isinstance(operation, Text):
        changed = _edited(entity, operation)
    elif isinstance(operation, Add):
        changed = _added(entity, operation)
    else:
        changed = replace(entity, alive=isinstance(operation, Restore))
    if isinstance(changed, Skip):
        return changed
    entities[operation.id] = changed
    return None


def apply_all(entities: Entities, operations: Sequence[Operation]) -> dict[int, Skip]:
    """Puts a transaction into effect. Returns what was skipped, by its place in the transaction."""
    skipped = {}
    for index, operation in enumerate(operations):
        reason = apply(entities, operation)
        if reason is not None:
            skipped[index] = reason
    return skipped


def _create(entities: Entities, there: Entity | None, operation: Create) -> Skip | None:
    if there is not None:
        return Skip.EXISTS
    if operation.parent is not None and operation.parent not in entities:
        return Skip.UNKNOWN
    entities[operation.id] = Entity(parent=operation.parent, order=operation.order, props=operation.props)
    return None


def _moved(entities: Mapping[str, Entity], entity: Entity, operation: Move) -> Entity | Skip:
    above = operation.parent
    if above is not None and above not in entities:
        return Skip.UNKNOWN
    while above is not None:
        if above == operation.id:
            return Skip.CYCLE
        above = entities[above].parent
    return replace(entity, parent=operation.parent, order=operation.order)


def _added(entity: Entity, operation: Add) -> Entity | Skip:
    if blocked(entity.props, operation.path):
        return Skip.BLOCKED
    old = value_at(entity.props, operation.path)
    if old is None:
        old = 0
    if type(old) is not int:
        return Skip.NOT_INTEGER
    new = old + operation.by
    if abs(new) > limits.INTEGER_MAX:
        return Skip.OUT_OF_RANGE
    return replace(entity, props=with_value(entity.props, operation.path, new))


def _edited(entity: Entity, operation: Text) -> Entity | Skip:
    if blocked(entity.props, operation.path):
        return Skip.BLOCKED
    old = value_at(entity.props, operation.path)
    if old is None:
        old = ""
    if not isinstance(old, str):
        return Skip.NOT_TEXT
    return replace(entity, props=with_value(entity.props, operation.path, apply_edit(old, operation.edit)))
