"""Going back by going on: whatever happened since, the earlier state shows again."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.ot.apply import apply_all
from chalicelib.ot.difference import difference
from chalicelib.ot.state import Entity
from chalicelib.wire import limits
from tests.unit.ot.strategies import operations


@given(st.data())
@settings(max_examples=300)
def test_an_earlier_state_comes_back(data: st.DataObject) -> None:
    """Its entities are as they were; what was made since is deleted; applied again it changes nothing."""
    now: dict[str, Entity] = {}
    for n in range(data.draw(st.integers(1, 12))):
        apply_all(now, (data.draw(operations(now, f"ada00000.{n}")),))
    wanted = dict(now)
    for n in range(data.draw(st.integers(0, 12))):
        apply_all(now, (data.draw(operations(now, f"ada00000.x{n}")),))
    back = difference(now, wanted)
    assert apply_all(now, back) == {}
    assert {key: now[key] for key in wanted} == wanted
    assert not any(entity.alive for key, entity in now.items() if key not in wanted)
    assert difference(now, wanted) == ()


def test_a_circle_of_moves_is_undone() -> None:
    """Each goes to the top before it goes beneath its own, so that no move closes a circle on the way."""
    wanted = {"a": Entity(), "b": Entity(parent="a"), "c": Entity(parent="b")}
    now = {"c": Entity(order="2"), "b": Entity(parent="c"), "a": Entity(parent="b", order="3")}
    assert apply_all(now, difference(now, wanted)) == {}
    assert now == wanted


def test_what_has_grown_beyond_a_value_comes_back_in_parts() -> None:
    """A long text and a big object, each operation small enough for a transaction."""
    text = "".join(chr(0x4E00 + n % 9000) for n in range(150_000)) + "\U0001f600" * 30_000
    pages = {f"k{n}": {"deep": "y" * 15_000, "n": n} for n in range(40)}
    wanted = {"a": Entity(props={"text": text, "pages": pages, "long": {"in": {"it": text}}})}
    now = {"a": Entity(props={"text": "short", "pages": {"k1": {"old": 1}}})}
    back = difference(now, wanted)
    assert max(len(msgspec.json.encode(operation)) for operation in back) < limits.TRANSACTION_BYTES
    assert apply_all(now, back) == {}
    assert now == wanted
