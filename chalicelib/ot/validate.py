"""What a transaction must keep to beyond its types: values that mean the same in every language, text, prefixes, sizes.

A valid value is normalised on the way: -0 is 0, and a number without a fraction is an integer, as JavaScript would have it.
Which one of several faults is named is not agreed between the languages; that a transaction has one is.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from chalicelib.ot.canonical import canonical
from chalicelib.ot.text import Step, normal
from chalicelib.wire import limits
from chalicelib.wire.operations import Add, Create, Move, Operation, Set, Text

_LONGER: Final = 25
"""Canonical text is at most so much longer than any other JSON of a value: a number has at most so many characters."""
_encode: Final = msgspec.json.Encoder().encode
_FORBIDDEN_KEYS: Final = frozenset({"__proto__", "constructor", "prototype"})


class InvalidOperation(ValueError):  # noqa: N818 - the name says what is the matter
    """A transaction that nobody may commit. `index` is the operation's place."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"operation {index}: {reason}")
        self.index = index
        self.reason = reason


class _Bad(Exception):  # noqa: N818
    pass


def validate(operations: Sequence[Operation], client: str) -> tuple[Operation, ...]:
    """The transaction, normalised. Raises InvalidOperation."""
    if not 1 <= len(operations) <= limits.OPERATIONS_PER_TRANSACTION:
        raise InvalidOperation(0, f"1 to {limits.OPERATIONS_PER_TRANSACTION} operations")
    done = []
    for index, operation in enumerate(operations):
        try:
            done.append(_valid(operation, client))
        except _Bad as exc:
            raise InvalidOperation(index, str(exc)) from None
    return tuple(done)


def _valid(operation: Operation, client: str) -> Operation:
    if isinstance(operation, Create | Move) and operation.parent == operation.id:
        raise _Bad("nothing is its own parent")
    if isinstance(operation, Create):
        if not operation.id.startswith(f"{client}."):
            raise _Bad("the id of a new entity begins with its client's")
        return replace(operation, props=_sized(_object(operation.props, 1)))
    if isinstance(operation, Set | Add | Text):
        _keys(operation.path)
    if isinstance(operation, Set):
        return _valid_set(operation)
    if isinstance(operation, Text):
        for step in operation.edit:
            if isinstance(step, str):
                _text(step)
        if normal(operation.edit) != operation.edit:
            raise _Bad("the edit is not in normal form")
        if len(operation.edit) > limits.TEXT_PARTS:
            raise _Bad(f"more than {limits.TEXT_PARTS} parts")
    return operation


def _valid_set(operation: Set) -> Set:
    if operation.absent:
        if operation.value is not None:
            raise _Bad("absent, or a value")
        return operation
    if operation.value is None:
        raise _Bad("no property is null: take it away with absent")
    return replace(operation, value=_sized(normalise(operation.value)))


def fits(props: Mapping[str, Any]) -> bool:
    """Whether a creation with such properties is still valid; each of its values is."""
    try:
        _sized(_object(props, 1))
    except _Bad:
        return False
    return True


def fits_edit(edit: Sequence[Step]) -> bool:
    """Whether an edit may cross the wire: neither empty nor beyond its bounds."""
    if not 1 <= len(edit) <= limits.TEXT_PARTS:
        return False
    return all(len(step) <= limits.TEXT_CHARS for step in edit if isinstance(step, str))


def normalise(value: Any, depth: int = 1) -> Any:
    """A JSON value as every language has it. Raises ValueError's like: not finite, too big an integer, bad text, depth."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        if abs(value) > limits.INTEGER_MAX:
            raise _Bad("an integer beyond 2^53")
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if depth > limits.VALUE_DEPTH:
        raise _Bad(f"deeper than {limits.VALUE_DEPTH}")
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, list | tuple):
        return [normalise(v, depth + 1) for v in value]
    raise _Bad("not JSON")


def _number(value: float) -> int | float:
    if not isfinite(value):
        raise _Bad("not a finite number")
    if value.is_integer():
        if abs(value) > limits.INTEGER_MAX:
            raise _Bad("an integer beyond 2^53")
        return int(value)
    return value


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    _keys(value)
    return {key: normalise(item, depth + 1) for key, item in value.items()}


def _keys(keys: Any) -> None:
    for key in keys:
        if not isinstance(key, str) or not 1 <= len(_text(key)) <= limits.PATH_KEY_CHARS:
            raise _Bad(f"keys have 1 to {limits.PATH_KEY_CHARS} characters")
        if key in _FORBIDDEN_KEYS or key.startswith("@"):
            raise _Bad(f"no key is {key}")


def _text(value: str) -> str:
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise _Bad("half a surrogate pair")
    return value


def _sized(value: Any) -> Any:
    if len(_encode(value)) * _LONGER <= limits.VALUE_BYTES:
        return value
    if len(canonical(value).encode()) > limits.VALUE_BYTES:
        raise _Bad(f"more than {limits.VALUE_BYTES} bytes")
    return value
