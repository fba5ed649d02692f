"""The cases that Python and TypeScript share (tests/vectors/ot.json; web/tests/ot.test.ts reads the same)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import canonical, canonical_state, state_hash
from chalicelib.ot.compose import compose
from chalicelib.ot.invert import invert
from chalicelib.ot.state import Entity
from chalicelib.ot.text import Edit, compose_edits, invert_edit, normal, transform_edit
from chalicelib.ot.transform import rebase
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire import limits
from chalicelib.wire.operations import Add, Create, Cut, Delete, Move, Operation, Restore, Set, Text

Case = dict[str, Any]
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "ot.json").read_text())
KINDS = {"create": Create, "delete": Delete, "restore": Restore, "set": Set, "add": Add, "move": Move, "text": Text}


def cases(group: str) -> pytest.MarkDecorator:
    """Every case of a group, under its name."""
    return pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in VECTORS[group]])


def _edit(steps: list[Any]) -> Edit:
    return tuple(Cut(**step) if isinstance(step, dict) else step for step in steps)


def _operations(raw: list[Any]) -> tuple[Operation, ...]:
    """Without the decoder's checks: some cases are meant for `validate`."""
    return tuple(_operation(one) for one in raw)


def _operation(raw: dict[str, Any]) -> Operation:
    fields = {key: value for key, value in raw.items() if key != "op"}
    if "path" in fields:
        fields["path"] = tuple(fields["path"])
    if "edit" in fields:
        fields["edit"] = _edit(fields["edit"])
    made: Operation = KINDS[raw["op"]](**fields)
    return made


def _state(raw: Case) -> dict[str, Entity]:
    return msgspec.convert(raw, dict[str, Entity])


@pytest.mark.parametrize("name", VECTORS["limits"])
def test_limits(name: str) -> None:
    """Both languages keep to the same bounds."""
    assert getattr(limits, name) == VECTORS["limits"][name]


@cases("apply")
def test_apply(case: Case) -> None:
    """The same effect, and the same skips."""
    entities = _state(case["state"])
    skipped = apply_all(entities, _operations(case["operations"]))
    assert {str(index): reason for index, reason in skipped.items()} == case["skipped"]
    assert canonical_state(entities) == canonical_state(_state(case["after"]))


@cases("rebase")
def test_rebase(case: Case) -> None:
    """The same operations, meetings and drops."""
    mine = [None if one is None else _operation(one) for one in case["mine"]]
    result = rebase(mine, _operations(case["other"]), revision=case["revision"], foreign=case["foreign"])
    assert result.operations == [None if one is None else _operation(one) for one in case["operations"]]
    assert [[m.index, m.other_index, list(m.register), m.overrides] for m in result.met] == case["met"]
    assert {str(index): why for index, why in result.dropped.items()} == case["dropped"]


@cases("compose")
def test_compose(case: Case) -> None:
    """The same normal form."""
    assert compose(_operations(case["first"]), _operations(case["second"])) == _operations(case["expect"])


@cases("invert")
def test_invert(case: Case) -> None:
    """The same way back."""
    inverse = invert(_operations(case["operations"]), _state(case["before"]), case["guard"])
    assert inverse == _operations(case["expect"])


@cases("canonical")
def test_canonical(case: Case) -> None:
    """The same text for a value."""
    assert canonical(case["value"]) == case["text"]


@cases("state")
def test_state(case: Case) -> None:
    """The same text and hash for a state."""
    entities = _state(case["state"])
    assert canonical_state(entities) == case["text"]
    assert state_hash(entities) == case["hash"]


@cases("validate")
def test_validate(case: Case) -> None:
    """The same values, or the same refusal."""
    operations = _operations(case["operations"])
    if "reason" in case:
        with pytest.raises(InvalidOperation) as caught:
            validate(operations, case["client"])
        assert (caught.value.index, caught.value.reason) == (case["index"], case["reason"])
    else:
        done = validate(operations, case["client"])
        wanted = _operations(case["expect"])
        assert done == wanted
        assert canonical(msgspec.to_builtins(done)) == canonical(msgspec.to_builtins(wanted))


@cases("edits")
def test_edits(case: Case) -> None:
    """The same edits of text."""
    given = case["arguments"]
    match case["function"]:
        case "transform":
            done = transform_edit(_edit(given["edit"]), _edit(given["other"]), earlier=given["earlier"])
        case "compose":
            done = compose_edits(_edit(given["first"]), _edit(given["second"]))
        case "invert":
            done = invert_edit(_edit(given["edit"]), given["text"])
        case _:
            done = normal(_edit(given["edit"]))
    assert done == _edit(case["expect"])
