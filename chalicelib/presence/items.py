"""A room's items as DynamoDB has them, and the rows they make. `presence.store` reads and writes them."""

from typing import Any

import msgspec

from chalicelib.presence.model import Row
from chalicelib.wire.types import Role, UserKind


class TextValue(msgspec.Struct):
    """A string attribute."""

    s: str = msgspec.field(name="S")


class NumberValue(msgspec.Struct):
    """A number attribute."""

    n: str = msgspec.field(name="N")


class PresenceItem(msgspec.Struct):
    """Any item of a room's partition."""

    session_id: TextValue
    sk: TextValue
    user_id: TextValue | None = None
    conn: TextValue | None = None
    who: TextValue | None = None
    color: TextValue | None = None
    person_role: TextValue | None = None
    kind: TextValue | None = None
    joined: NumberValue | None = None
    seen: NumberValue | None = None
    entered: NumberValue | None = None
    order: TextValue | None = None
    fragment: TextValue | None = None
    leaving: NumberValue | None = None
    rtc: NumberValue | None = None
    resuming: NumberValue | None = None
    holder: TextValue | None = None
    until: NumberValue | None = None


class Page(msgspec.Struct):
    """A page of a Query."""

    items: list[PresenceItem] = msgspec.field(name="Items")
    last: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


def text_of(value: TextValue | None) -> str:
    """Empty where there is none."""
    return value.s if value else ""


def number_of(value: NumberValue | None) -> int:
    """0 where there is none."""
    return int(value.n) if value else 0


def order_of(order: tuple[int, int]) -> str:
    """Sorts as the pair does: both are below 2^53."""
    return f"{order[0]:016d}.{order[1]:016d}"


def row_of(item: PresenceItem, state: PresenceItem | None) -> Row:
    """A peer, of its item and its state's."""
    epoch, _, counter = text_of(state.order if state else None).partition(".")
    return Row(
        session_id=item.session_id.s,
        peer_id=item.sk.s,
        user_id=text_of(item.user_id),
        connection_id=text_of(item.conn),
        name=text_of(item.who),
        color=text_of(item.color),
        role=Role(text_of(item.person_role)),
        kind=UserKind(text_of(item.kind)),
        joined_at_ms=number_of(item.joined),
        seen_at_ms=max(number_of(item.seen), number_of(state.seen if state else None)),
        entered=bool(number_of(item.entered)),
        epoch=int(epoch or 0),
        counter=int(counter or 0),
        fragment=text_of(state.fragment if state else None).encode(),
        leaving_at_ms=number_of(item.leaving),
        rtc=bool(number_of(item.rtc)),
        resuming=bool(number_of(item.resuming)),
    )
