"""Cursors come back as they were given out, and nothing else does."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.sessions.paging import Position, decode_cursor, encode_cursor
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

KEYS = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")


@given(st.text(max_size=80), st.integers(0, 2**53 - 1), KEYS)
def test_round_trip(listing: str, at_ms: int, key: str) -> None:
    """A position survives, and its cursor fits the wire."""
    cursor = encode_cursor(listing, Position(at_ms, key))
    assert cursor is not None
    assert len(cursor) <= limits.CURSOR_CHARS
    assert decode_cursor(listing, cursor) == Position(at_ms, key)


def test_no_page() -> None:
    """No position, no cursor, and the other way round."""
    assert encode_cursor("a", None) is None
    assert decode_cursor("a", None) is None


def test_another_listing() -> None:
    """A cursor of one person's listing is refused in another's."""
    cursor = encode_cursor("mine ann", Position(1, "k"))
    with pytest.raises(AppError) as caught:
        decode_cursor("mine bob", cursor)
    assert caught.value.code is Code.CURSOR_INVALID


def forged(text: str) -> str:
    """A cursor with another content."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


MARK = "0" * 16


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "a",
        "!!!!",
        "é",
        forged("null"),
        forged("[]"),
        forged(f'["{MARK}",1,"k"]'),
        forged(f'["{MARK}",-1,"k"]'),
        forged(f'["{MARK}",1e400,"k"]'),
        forged(f'["{MARK}",1,"participant#x"]'),
        forged(f'["{MARK}",1,"{"k" * 65}"]'),
        forged(f'["{MARK}",1,"k","more"]'),
        forged("[" * 5000),
        (encode_cursor("a", Position(1, "k")) or "") + "=",
        (encode_cursor("a", Position(1, "k")) or "")[:-1],
    ],
)
def test_forged(cursor: str) -> None:
    """Whatever was not given out is refused, never a crash."""
    with pytest.raises(AppError) as caught:
        decode_cursor("a", cursor)
    assert caught.value.code is Code.CURSOR_INVALID


@given(st.text(max_size=200))
def test_fuzz(cursor: str) -> None:
    """No text makes anything but CURSOR_INVALID."""
    with pytest.raises(AppError) as caught:
        decode_cursor("a", cursor)
    assert caught.value.code is Code.CURSOR_INVALID
