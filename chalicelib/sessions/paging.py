"""Pagination cursors: opaque, bound to one listing, checked to the last character.

A cursor holds only a position (a time and a key within the listing) and a mark of the listing it was given out for. The
listing itself (whose sessions, which room's events) always comes from the request's own identity and path, so even
a forged cursor reaches nothing but another position in what the caller may read anyway.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import msgspec

from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError


@dataclass(frozen=True, slots=True)
class Position:
    """The last thing on a page; the next page begins after it."""

    at_ms: int
    key: str


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    mark: str
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)")]


def _mark(listing: str) -> str:
    return sha256(listing.encode()).hexdigest()[:16]


def encode_cursor(listing: str, position: Position | None) -> str | None:
    """The cursor of the next page of a listing; None where there is none."""
    if position is None:
        return None
    raw = msgspec.json.encode(_Cursor(_mark(listing), position.at_ms, position.key))
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(listing: str, cursor: str | None) -> Position | None:
    """The position that a cursor of this listing holds. CURSOR_INVALID for anything else, another listing's included."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(raw, type=_Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError) as exc:
        raise AppError(Code.CURSOR_INVALID) from exc
    position = Position(found.at_ms, found.key)
    if encode_cursor(listing, position) != cursor:
        raise AppError(Code.CURSOR_INVALID)
    return position
