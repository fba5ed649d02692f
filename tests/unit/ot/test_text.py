"""Edits of text: the laws that make them safe, and the cases that people meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ot.text import Edit, Step, apply_edit, compose_edits, invert_edit, normal, transform_edit
from chalicelib.wire.operations import Cut
from tests.unit.ot.strategies import edits

TEXTS = st.text(alphabet="abé😀", max_size=8)


@st.composite
def text_and(draw: st.DrawFn, count: int) -> tuple[str, tuple[Edit, ...]]:
    """A text and edits that were all made on it."""
    text = draw(TEXTS)
    return text, tuple(draw(edits(len(text))) for _ in range(count))


@st.composite
def text_and_sequence(draw: st.DrawFn, count: int) -> tuple[str, tuple[Edit, ...]]:
    """A text and edits that were made one after another."""
    text = now = draw(TEXTS)
    made = []
    for _ in range(count):
        made.append(draw(edits(len(now))))
        now = apply_edit(now, made[-1])
    return text, tuple(made)


@given(text_and(2))
def test_two_edits_meet_in_one_text(case: tuple[str, tuple[Edit, ...]]) -> None:
    """TP1: either order gives the same, if each is moved past the other."""
    text, (first, second) = case
    one = apply_edit(apply_edit(text, first), transform_edit(second, first, earlier=False))
    other = apply_edit(apply_edit(text, second), transform_edit(first, second, earlier=True))
    assert one == other


@given(text_and_sequence(2))
def test_composed_is_one_after_the_other(case: tuple[str, tuple[Edit, ...]]) -> None:
    """One edit does what two did."""
    text, (first, second) = case
    assert apply_edit(text, compose_edits(first, second)) == apply_edit(apply_edit(text, first), second)


@given(text_and_sequence(3))
def test_composing_is_associative(case: tuple[str, tuple[Edit, ...]]) -> None:
    """How a buffer was composed doesn't show in the text."""
    text, (a, b, c) = case
    left, right = compose_edits(compose_edits(a, b), c), compose_edits(a, compose_edits(b, c))
    assert apply_edit(text, left) == apply_edit(text, right)


@given(text_and(1))
def test_inverted_takes_back(case: tuple[str, tuple[Edit, ...]]) -> None:
    """There and back."""
    text, (edit,) = case
    assert apply_edit(apply_edit(text, edit), invert_edit(edit, text)) == text


@given(text_and(3))
def test_moving_past_a_composition(case: tuple[str, tuple[Edit, ...]]) -> None:
    """Past two at once is past one, then past the other."""
    text, (mine, first, other) = case
    second = transform_edit(other, first, earlier=False)
    step = transform_edit(transform_edit(mine, first, earlier=False), second, earlier=False)
    at_once = transform_edit(mine, compose_edits(first, second), earlier=False)
    after = apply_edit(apply_edit(text, first), second)
    assert sorted(apply_edit(after, step)) == sorted(apply_edit(after, at_once))


@given(st.lists(st.one_of(st.integers(0, 3), st.text("ab", max_size=2), st.integers(1, 3).map(Cut)), max_size=8))
def test_normal_form(steps: list[Step]) -> None:
    """It does the same and is its own normal form."""
    edit = normal(steps)
    text = "0123456789" * 3
    assert apply_edit(text, edit) == apply_edit(text, steps)
    assert normal(edit) == edit
    assert not edit or not isinstance(edit[-1], int)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ((2, "X"), (2, "Y"), "abYXcd"),
        (("X",), (Cut(4),), "X"),
        ((Cut(2),), (1, Cut(2)), "d"),
        ((1, "X", Cut(2)), (2, "Y"), "aXYd"),
        ((4, "é😀"), ("😀", Cut(1)), "😀bcdé😀"),
        ((1, Cut(2)), (1, Cut(2)), "ad"),
    ],
)
def test_cases(mine: Edit, theirs: Edit, expected: str) -> None:
    """Theirs is in the log first: at one place it stays left. Both deletions of a letter delete it once."""
    moved = transform_edit(mine, theirs, earlier=False)
    assert apply_edit(apply_edit("abcd", theirs), moved) == expected


def test_past_the_end() -> None:
    """An edit that is longer than its text does what it can."""
    assert apply_edit("ab", (5, "X", Cut(3))) == "abX"
    assert invert_edit((1, Cut(5)), "ab") == (1, "b")
