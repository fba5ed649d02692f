"""The shared vectors, in Python; web/tests/ot.test.ts reads the same file. A case that is changed is a change of protocol."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import canonical
from chalicelib.ot.compose import compose
from chalicelib.ot.invert import invert
from chalicelib.ot.state import Entity
from chalicelib.ot.transform import rebase
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire.operations import Operation

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "ot.json").read_text("utf-8")
)


def cases(group: str) -> pytest.MarkDecorator:
    """A test for each of a group."""
    return pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in VECTORS[group]])


def operations(found: Any) -> tuple[Operation, ...]:
    """From JSON."""
    return msgspec.convert(found, tuple[Operation, ...])


def plain(value: Any) -> Any:
    """To JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


@cases("apply")
def test_apply(case: dict[str, Any]) -> None:
    """State after, and what was skipped."""
    state = msgspec.convert(case["state"], dict[str, Entity])
    skipped = apply_all(state, operations(case["operations"]))
    assert {str(k): v.value for k, v in skipped.items()} == case["skipped"]
    assert plain(state) == case["after"]


@cases("rebase")
def test_rebase(case: dict[str, Any]) -> None:
    """What is left, what fell away, and what was met."""
    mine, theirs = operations(case["mine"]), operations(case["theirs"])
    rebased = rebase(mine, theirs, revision=case["revision"], foreign=case["foreign"])
    assert plain(rebased.operations) == case["operations"]
    assert {str(k): v.value for k, v in rebased.dropped.items()} == case["dropped"]
    assert [[m.index, m.other_index, list(m.register), m.overrides] for m in rebased.met] == case["met"]


@cases("compose")
def test_compose(case: dict[str, Any]) -> None:
    """Two in one."""
    assert plain(compose(operations(case["first"]), operations(case["second"]))) == case["operations"]


@cases("invert")
def test_invert(case: dict[str, Any]) -> None:
    """What takes it back."""
    state = msgspec.convert(case["state"], dict[str, Entity])
    assert plain(invert(operations(case["operations"]), state, case["guard"])) == case["inverse"]


@cases("canonical")
def test_canonical(case: dict[str, Any]) -> None:
    """Letter by letter."""
    assert canonical(case["value"]) == case["text"]


@cases("refused")
def test_refused(case: dict[str, Any]) -> None:
    """With the same words."""
    with pytest.raises(InvalidOperation) as caught:
        validate(operations([case["operation"]]), case["client"])
    assert caught.value.reason == case["reason"]
