"""Python and TypeScript, step by step: the same random schedule, the same operations, skips, drops and state hashes."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import canonical, state_hash
from chalicelib.ot.compose import compose
from chalicelib.ot.invert import invert
from chalicelib.ot.state import Entity, value_at
from chalicelib.ot.text import Step, normal
from chalicelib.ot.transform import rebase
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire.operations import Add, Create, Cut, Delete, Move, Operation, Restore, Set, Text
from tests.unit.ot.typescript import TypeScript

SEED = int(os.environ.get("OT_FUZZ_SEED", "20261123"))
ROUNDS = int(os.environ.get("OT_FUZZ_ROUNDS", "600"))
C = "ada00000"
PATHS = (("a",), ("a", "b"), ("a", "b", "c"), ("n",), ("t",), ("toString",))
WORDS = ("x", "é", "😀", "ab", "\uffff", 'q"\\\n\x7f\x1f')
VALUES: tuple[Any, ...] = (
    0,
    -3,
    1.5,
    -0.0,
    2.0,
    1e-7,
    123456789.125,
    5e-324,
    True,
    "text",
    "😀é",
    [1, [2.5, None]],
    {"b": {"c": 1}},
    {"10": 1, "9": 2, "\uffff": 3, "😀": 4},
    [],
    {},
)
BAD: tuple[Any, ...] = (2**53, 1e300, {"__proto__": 1}, {"": 1}, {"@x": 1}, [[[[[[[1]]]]]]], None, "x" * 20_000)


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypeScript]:
    """The other one."""
    folder: Path = tmp_path_factory.mktemp("ot")
    with TypeScript(folder) as made:
        yield made


def plain(value: object) -> Any:
    """As it crosses the wire, with defaults left out on both sides."""
    found = msgspec.json.decode(msgspec.json.encode(value))
    return _without_defaults(found)


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_defaults(v) for v in value]
    if isinstance(value, dict) and "op" in value:
        defaults: dict[str, Any] = {"guard": None, "parent": None, "absent": False, "props": {}, "order": "V"}
        kept = {k: v for k, v in value.items() if not (k in defaults and v == defaults[k])}
        if value["op"] == "set" and kept.get("value") is None:
            kept.pop("value", None)
        return kept
    return value


def edit_of(rng: random.Random, length: int) -> tuple[Step, ...]:
    """An edit of a text of that length."""
    steps: list[Step] = []
    left = length
    for _ in range(rng.randint(1, 4)):
        count = rng.randint(0, left)
        kind = rng.choice("sid")
        if kind == "i" or count == 0:
            steps.append(rng.choice(WORDS))
        else:
            left -= count
            steps.append(count if kind == "s" else Cut(count))
    return normal(steps) or (rng.choice(WORDS),)


def operation_of(rng: random.Random, entities: dict[str, Entity], number: int) -> Operation:
    """Something an editor who sees `entities` might send; now and then something it should not."""
    ids = sorted(entities)
    some = rng.choice([*ids, f"{C}.nobody"]) if ids else f"{C}.nobody"
    guard = rng.choice((None, None, rng.randint(0, 9)))
    path = rng.choice(PATHS)
    match rng.choice(("create", "set", "set", "absent", "add", "text", "text", "move", "delete", "restore")):
        case "create":
            new = rng.choice((f"{C}.{number}", some))
            return Create(id=new, parent=rng.choice((None, some)), props={"t": rng.choice(WORDS), "n": 1})
        case "absent":
            return Set(id=some, path=path, absent=True, guard=guard)
        case "add":
            return Add(id=some, path=path, by=rng.choice((-2, 0, 5, 2**53 - 1)))
        case "text":
            now = value_at(entities[some].props, path) if some in entities else None
            return Text(id=some, path=path, edit=edit_of(rng, len(now) if isinstance(now, str) else 3))
        case "move":
            return Move(id=some, parent=rng.choice((None, *ids)), order=rng.choice("AVz"), guard=guard)
        case "delete":
            return Delete(id=some, guard=guard)
        case "restore":
            return Restore(id=some, guard=guard)
        case _:
            return Set(id=some, path=path, value=rng.choice(VALUES), guard=guard)


def transaction_of(rng: random.Random, entities: dict[str, Entity], number: int) -> tuple[Operation, ...]:
    """Up to four, each made on what the ones before it left."""
    seen = dict(entities)
    made: list[Operation] = []
    for i in range(rng.randint(1, 4)):
        made.append(operation_of(rng, seen, number * 10 + i))
        apply_all(seen, made[-1:])
    return tuple(made)


def test_the_two_agree(typescript: TypeScript) -> None:
    """Everything that an editor and a committer do, on one document that grows and on fresh ones."""
    print(f"seed {SEED}, {ROUNDS} rounds (OT_FUZZ_SEED, OT_FUZZ_ROUNDS)")
    rng = random.Random(SEED)
    entities: dict[str, Entity] = {}
    name = "0"
    for number in range(ROUNDS):
        if rng.random() < 0.05:
            entities, name = {}, str(number)
        mine, theirs = (_valid(typescript, transaction_of(rng, entities, number * 2 + i)) for i in range(2))
        _agree_on_inverses(typescript, name, entities, mine)
        composed = compose(mine, theirs)
        other = typescript.ask("compose", first=mine, second=theirs)
        assert plain(other["operations"]) == plain(composed), (mine, theirs)
        moved = _agree_on_rebase(typescript, rng, mine, theirs)
        for operations in (theirs, moved):
            _agree_on_apply(typescript, name, entities, operations)


def _valid(typescript: TypeScript, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Both normalise, or both refuse; what is refused is left out."""
    found: list[Operation] = []
    for operation in operations:
        other = typescript.ask("validate", operations=[operation], client=C)
        valid = _validated(operation)
        if isinstance(valid, list):
            assert other == {"refused": valid}, operation
            continue
        assert plain(other["operations"]) == [plain(valid)], operation
        found.append(valid)
    return tuple(found) or (Delete(id=f"{C}.nobody"),)


def _validated(operation: Operation) -> Operation | list[int | str]:
    try:
        return validate((operation,), C)[0]
    except InvalidOperation as exc:
        return [exc.index, exc.reason]


def _agree_on_apply(
    typescript: TypeScript, name: str, entities: dict[str, Entity], operations: tuple[Operation, ...]
) -> None:
    skipped = apply_all(entities, operations)
    other = typescript.ask("apply", state=name, operations=operations)
    assert other == {"skipped": {str(k): v for k, v in skipped.items()}, "hash": state_hash(entities)}, operations


def _agree_on_rebase(
    typescript: TypeScript, rng: random.Random, mine: tuple[Operation, ...], theirs: tuple[Operation, ...]
) -> tuple[Operation, ...]:
    revision, foreign = rng.randint(1, 9), rng.random() < 0.8
    rebased = rebase(mine, theirs, revision=revision, foreign=foreign)
    other = typescript.ask("rebase", operations=mine, other=theirs, revision=revision, foreign=foreign)
    assert plain(other["operations"]) == plain(rebased.operations), (mine, theirs)
    assert other["dropped"] == {str(k): v for k, v in rebased.dropped.items()}, (mine, theirs)
    assert [(m["index"], m["otherIndex"], tuple(m["register"]), m["overrides"]) for m in other["met"]] == [
        (m.index, m.other_index, m.register, m.overrides) for m in rebased.met
    ], (mine, theirs)
    return tuple(o for o in rebased.operations if o is not None)


def _agree_on_inverses(
    typescript: TypeScript, name: str, entities: dict[str, Entity], operations: tuple[Operation, ...]
) -> None:
    inverse = invert(operations, entities, 5)
    other = typescript.ask("invert", state=name, operations=operations, guard=5)
    assert plain(other["operations"]) == plain(inverse), operations
    typescript.ask("copy", state=name, to="aside")
    aside = dict(entities)
    _agree_on_apply(typescript, "aside", aside, operations)
    _agree_on_apply(typescript, "aside", aside, inverse)


@pytest.mark.parametrize("value", [*VALUES, *BAD])
def test_values(typescript: TypeScript, value: Any) -> None:
    """One by one: normalised alike and written alike, or refused alike."""
    operation = Set(id="x", path=("a",), value=value)
    other = typescript.ask("validate", operations=[{"op": "set", "id": "x", "path": ["a"], "value": value}], client=C)
    valid = _validated(operation)
    if isinstance(valid, list):
        assert other == {"refused": valid}
        return
    assert isinstance(valid, Set)
    assert typescript.ask("canonical", value=other["operations"][0]["value"])["text"] == canonical(valid.value)
