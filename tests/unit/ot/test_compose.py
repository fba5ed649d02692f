"""Composing: what a buffer holds may always be sent, if each of its edits might have been."""

from typing import Any

import msgspec
import pytest

from chalicelib.ot.compose import compose
from chalicelib.ot.validate import validate
from chalicelib.wire import limits
from chalicelib.wire.operations import Create, Operation, Set, Text, Transaction

ME = "ada00000"
ID = f"{ME}.1"


def _sendable(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """As the committer takes them: decoded, then validated. Raises where it would refuse."""
    return validate(msgspec.json.decode(msgspec.json.encode(operations), type=Transaction), ME)


def test_a_creation_takes_no_more_than_it_may_hold() -> None:
    """Two values that are allowed each, but not both in one creation, stay on their own."""
    big = "x" * (limits.VALUE_BYTES // 2)
    buffer: tuple[Operation, ...] = (Create(id=ID),)
    for key in ("a", "b"):
        buffer = compose(buffer, (Set(id=ID, path=(key,), value=big),))
    assert len(_sendable(buffer)) == 2


@pytest.mark.parametrize("path", [("a",), ("a", "b", "c")])
def test_a_creation_takes_nothing_too_deep(path: tuple[str, ...]) -> None:
    """A value as deep as a set may carry is too deep within a creation's properties."""
    deep: Any = 1
    for _ in range(limits.VALUE_DEPTH):
        deep = [deep]
    (created,) = _sendable(compose((Create(id=ID),), (Set(id=ID, path=("n",), value=1),)))
    buffer = compose((created,), (Set(id=ID, path=path, value=deep),))
    assert len(_sendable(buffer)) == 2


@pytest.mark.parametrize("second", [("b" * 15_000,), (15_000, "b" * 15_000)])
def test_an_edit_grows_no_longer_than_a_step_may_be(second: tuple[int | str, ...]) -> None:
    """Two insertions in a row that would be one too long an insertion stay two edits."""
    first = Text(id=ID, path=("t",), edit=("a" * 15_000,))
    buffer = compose((first,), (Text(id=ID, path=("t",), edit=second),))
    assert len(_sendable(buffer)) == 2
