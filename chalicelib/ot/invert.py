"""Inverting: the transaction that takes another back, for undo.

Undo never takes back what somebody else did since: sets, moves, deletions and restorations are guarded by the revision
that is undone, so they are skipped (and said to be) where another wrote later. Integers and texts need no
guard: taking away what was added leaves the others' share (and a 0 or an empty text where there was nothing before).
"""

from collections.abc import Mapping, Sequence

from chalicelib.ot.apply import apply
from chalicelib.ot.state import Entity, value_at
from chalicelib.ot.text import invert_edit
from chalicelib.wire.operations import Add, Create, Delete, Move, Operation, Restore, Set, Text


def invert(
    operations: Sequence[Operation], before: Mapping[str, Entity], guard: int | None = None
) -> tuple[Operation, ...]:
    """What takes `operations` back, where `before` is the state that they were applied to; skipped ones need nothing.

    `guard` is the revision that they were committed as; None for those that nobody else has seen.
    """
    entities = dict(before)
    inverse: list[Operation] = []
    for operation in operations:
        entity = entities.get(operation.id)
        if apply(entities, operation) is None:
            found = _inverse(operation, entity, guard)
            if found is not None:
                inverse.append(found)
    return tuple(reversed(inverse))


def _inverse(operation: Operation, entity: Entity | None, guard: int | None) -> Operation | None:
    if isinstance(operation, Create):
        return Delete(id=operation.id, guard=guard)
    assert entity is not None, "only a create has an effect on what is not there"
    if isinstance(operation, Set):
        return _put_back(operation, entity, guard)
    if isinstance(operation, Move):
        return Move(id=operation.id, parent=entity.parent, order=entity.order, guard=guard)
    if isinstance(operation, Text):
        edit = invert_edit(operation.edit, value_at(entity.props, operation.path) or "")
        return Text(id=operation.id, path=operation.path, edit=edit) if edit else None
    if isinstance(operation, Add):
        return Add(id=operation.id, path=operation.path, by=-operation.by)
    if entity.alive is isinstance(operation, Restore):
        return None
    return Restore(id=operation.id, guard=guard) if entity.alive else Delete(id=operation.id, guard=guard)


def _put_back(operation: Set, entity: Entity, guard: int | None) -> Set:
    """The highest value that the set replaced: an object that it made on its way goes, a value in its way comes back."""
    path = operation.path
    for length in range(1, len(path)):
        above = value_at(entity.props, path[:length])
        if not isinstance(above, dict):
            path = path[:length]
            break
    old = value_at(entity.props, path)
    if old is None:
        return Set(id=operation.id, path=path, absent=True, guard=guard)
    return Set(id=operation.id, path=path, value=old, guard=guard)
