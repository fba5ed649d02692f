"""What turns one state into another: for going back to an earlier revision by going on."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chalicelib.ot.canonical import canonical
from chalicelib.ot.state import Entity
from chalicelib.wire import limits
from chalicelib.wire.operations import Delete, Move, Operation, Restore, Set, Text

_CHARS: Final = limits.TEXT_CHARS
"""Of a long text in one operation: at most 6 bytes each as JSON, so it fits a transaction."""


def difference(now: Mapping[str, Entity], wanted: Mapping[str, Entity]) -> tuple[Operation, ...]:
    """Operations that make of `now` what `wanted` is; what was created since is deleted, its properties stay.

    `wanted` is an earlier state of the same document, so `now` knows all of its entities. Moves come in an order in which
    none closes a circle: first whatever has another parent goes to the top, then each beneath its own.
    """
    made: list[Operation] = []
    lifted: list[Operation] = []
    placed: list[Operation] = []
    for entity_id in sorted(now):
        is_, was = now[entity_id], wanted.get(entity_id)
        if was is None:
            if is_.alive:
                made.append(Delete(id=entity_id))
            continue
        if is_.alive != was.alive:
            made.append(Restore(id=entity_id) if was.alive else Delete(id=entity_id))
        if (is_.parent, is_.order) != (was.parent, was.order):
            if is_.parent is not None and is_.parent != was.parent:
                lifted.append(Move(id=entity_id, parent=None, order=was.order))
            if was.parent is not None or is_.parent is None:
                placed.append(Move(id=entity_id, parent=was.parent, order=was.order))
        made.extend(_properties(entity_id, is_.props, was.props))
    return (*made, *lifted, *placed)


def _properties(entity_id: str, now: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Operation]:
    changed: list[Operation] = []
    for key, value in wanted.items():
        if key not in now or (now[key] is not value and canonical(now[key]) != canonical(value)):
            changed.extend(_written(entity_id, (key,), value))
    return changed + [Set(id=entity_id, path=(key,), absent=True) for key in now if key not in wanted]


def _written(entity_id: str, path: tuple[str, ...], value: Any) -> Iterator[Operation]:
    """Gives a property a value. What has grown larger than one may be sent is written in parts, one after the other."""
    if isinstance(value, str) and len(value) > _CHARS:
        yield Set(id=entity_id, path=path, value=value[:_CHARS])
        for start in range(_CHARS, len(value), _CHARS):
            yield Text(id=entity_id, path=path, edit=(start, value[start : start + _CHARS]))
    elif isinstance(value, dict) and len(path) < limits.PATH_DEPTH and _large(value):
        yield Set(id=entity_id, path=path, value={})
        for key, part in value.items():
            yield from _written(entity_id, (*path, key), part)
    else:
        yield Set(id=entity_id, path=path, value=value)


def _large(value: Any) -> bool:
    return len(canonical(value).encode()) > limits.VALUE_BYTES
