"""What nobody may commit, and what is made equal in every language."""

from typing import Any

import msgspec
import pytest

from chalicelib.ot.canonical import canonical, number_text
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire import limits
from chalicelib.wire.operations import Add, Create, Cut, Delete, Move, Operation, Set, Text, Transaction

C, E = "ada00000", "ada00000.1"


def put(value: Any) -> Set:
    """A set."""
    return Set(id=E, path=("a",), value=value)


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    return [] if depth == 1 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (put(float("nan")), "not a finite number"),
        (put(float("inf")), "not a finite number"),
        (put([1, [float("-inf")]]), "not a finite number"),
        (put(2**53), "beyond 2^53"),
        (put(-(2**60)), "beyond 2^53"),
        (put(1e300), "beyond 2^53"),
        (put("\ud800"), "surrogate"),
        (put({"a\udfff": 1}), "surrogate"),
        (put({"__proto__": 1}), "__proto__"),
        (put({"a": {"constructor": 1}}), "constructor"),
        (put({"": 1}), "1 to 64"),
        (put({"k" * 65: 1}), "1 to 64"),
        (put({1: 1}), "1 to 64"),
        (put(nested(limits.VALUE_DEPTH + 1)), "deeper"),
        (put("x" * limits.VALUE_BYTES), "bytes"),
        (put(None), "null"),
        (put(b"bytes"), "not JSON"),
        (Set(id=E, path=("a",), value=1, absent=True), "absent, or a value"),
        (Set(id=E, path=("prototype",), value=1), "prototype"),
        (Set(id=E, path=("@alive",), value=1), "@alive"),
        (Add(id=E, path=("__proto__",), by=1), "__proto__"),
        (Create(id="bob00000.1"), "begins with"),
        (Create(id=E, parent=E), "own parent"),
        (Create(id=E, props={"a": float("nan")}), "finite"),
        (Move(id=E, parent=E, order="A"), "own parent"),
        (Text(id=E, path=("t",), edit=("a", "b")), "normal form"),
        (Text(id=E, path=("t",), edit=("a", 3)), "normal form"),
        (Text(id=E, path=("t",), edit=(Cut(1), "a")), "normal form"),
        (Text(id=E, path=("t",), edit=("\udc00",)), "surrogate"),
        (Text(id=E, path=("constructor",), edit=("a",)), "constructor"),
    ],
)
def test_refused(operation: Operation, reason: str) -> None:
    """Each with its place and a reason."""
    with pytest.raises(InvalidOperation, match=reason.replace("^", r"\^")) as caught:
        validate((Delete(id=E), operation), C)
    assert caught.value.index == 1


@pytest.mark.parametrize("count", [0, limits.OPERATIONS_PER_TRANSACTION + 1])
def test_transactions_are_bounded(count: int) -> None:
    """Neither empty nor endless."""
    with pytest.raises(InvalidOperation):
        validate((Delete(id=E),) * count, C)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (-0.0, 0),
        (1.0, 1),
        (0.5, 0.5),
        ([2.0, {"a": -0.0}], [2, {"a": 0}]),
        (True, True),
        (nested(limits.VALUE_DEPTH), nested(limits.VALUE_DEPTH)),
        ({"a": None}, {"a": None}),
        ("é😀", "é😀"),
    ],
)
def test_normalised(value: Any, becomes: Any) -> None:
    """As JavaScript would have it, types included."""
    (done,) = validate((put(value),), C)
    assert isinstance(done, Set)
    assert (done.value, type(done.value)) == (becomes, type(becomes))


def test_valid_ones_pass() -> None:
    """Every kind, as decoded from the wire."""
    data = """[{"op":"create","id":"ada00000.1","props":{"n":1.0}},{"op":"set","id":"x","path":["a"],"absent":true},
        {"op":"add","id":"x","path":["n"],"by":-2},{"op":"move","id":"x","parent":"y","order":"V"},
        {"op":"text","id":"x","path":["t"],"edit":[1,"é",{"d":2}]},{"op":"delete","id":"x"},{"op":"restore","id":"x"}]"""
    operations = msgspec.json.decode(data, type=Transaction)
    assert validate(operations, C) == operations


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (123456.789, "123456.789"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
        (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (0.00012, "0.00012"),
    ],
)
def test_numbers_as_javascript_prints_them(value: float, text: str) -> None:
    """ECMA-262 section 6.1.6.1.20."""
    assert number_text(value) == text


def test_canonical() -> None:
    """Keys by code point, not by UTF-16 unit, and integer-like ones as all others; text unescaped but where it must be."""
    value = {"\uffff": 1, "😀": 2, "10": 3, "9": 4, "b": [True, None, 1.5, 'a"\n'], "a": {}}
    assert canonical(value) == '{"10":3,"9":4,"a":{},"b":[true,null,1.5,"a\\"\\n"],"\uffff":1,"😀":2}'
