"""A document's operations as they cross the wire: the seven kinds of which every edit is made. See docs/ot.md.

`guard` makes an operation conditional, for undo: it is skipped if anybody wrote the same register after that revision.
A transaction is a list of operations that commit together, at one revision. Decoding checks kinds, lengths and closed
shapes; `ot.validate` checks what a type can't say (values, text, prefixes).
"""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, field

from chalicelib.wire import limits
from chalicelib.wire.types import EntityId, Millis, UserId, Value

ClientId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]{8,16}$(?!\n)",
        description="names one editor's memory (a browser profile, a bot); made by it",
    ),
]
PathKey = Annotated[str, Meta(min_length=1, max_length=limits.PATH_KEY_CHARS)]
Path = Annotated[tuple[PathKey, ...], Meta(min_length=1, max_length=limits.PATH_DEPTH)]
OrderKey = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z]{1,64}$(?!\n)", description="sorts siblings by code point; ties by id")
]
Step = Annotated[int, Meta(ge=-(2**53 - 1), le=2**53 - 1)]
Revision = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Run = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Inserted = Annotated[str, Meta(min_length=1, max_length=limits.TEXT_CHARS)]


class Cut(Value, frozen=True):
    """Deletes so many code points."""

    d: Run


TextEdit = Annotated[tuple[Run | Inserted | Cut, ...], Meta(min_length=1)]
"""From the start of the text, in code points: a number skips, a string inserts, {d: n} deletes.

A submission's is bounded by TEXT_PARTS and TEXT_CHARS (`ot.validate`); rebasing may take it further.
Valid: `[5, "new"]`, `[{"d": 2}]`. Not: `[]`, `[0]`, `[5]` (ends by skipping), `["a", "b"]` (two in a row)."""


class Create(Value, frozen=True, kw_only=True, tag_field="op", tag="create"):
    """A new entity. Its id begins with the client's id and a dot, so no two clients make the same."""

    id: EntityId
    props: dict[PathKey, Any] = field(default_factory=dict)
    parent: EntityId | None = None
    order: OrderKey = "V"


class Delete(Value, frozen=True, kw_only=True, tag_field="op", tag="delete"):
    """Hides an entity (and so all beneath it). Nothing of it is lost: edits go on reaching it."""

    id: EntityId
    guard: Revision | None = None


class Restore(Value, frozen=True, kw_only=True, tag_field="op", tag="restore"):
    """Shows a deleted entity again, with all that happened to it meanwhile."""

    id: EntityId
    guard: Revision | None = None


class Set(Value, frozen=True, kw_only=True, tag_field="op", tag="set", omit_defaults=True):
    """Gives a property a value, or with `absent` takes it away. Vectors are values: they change whole."""

    id: EntityId
    path: Path
    value: Any = None
    absent: bool = False
    guard: Revision | None = None


class Add(Value, frozen=True, kw_only=True, tag_field="op", tag="add", omit_defaults=True):
    """Adds to an integer, exactly, whoever else adds at the same time. An absent one counts as 0."""

    id: EntityId
    path: Path
    by: Step


class Move(Value, frozen=True, kw_only=True, tag_field="op", tag="move", omit_defaults=True):
    """Puts an entity beneath another (or at the top) and among its siblings: one register."""

    id: EntityId
    parent: EntityId | None = None
    order: OrderKey
    guard: Revision | None = None


class Text(Value, frozen=True, kw_only=True, tag_field="op", tag="text", omit_defaults=True):
    """Edits a text in place. An absent one counts as empty."""

    id: EntityId
    path: Path
    edit: TextEdit


Operation = Create | Delete | Restore | Set | Add | Move | Text
Transaction = Annotated[tuple[Operation, ...], Meta(min_length=1, max_length=limits.OPERATIONS_PER_TRANSACTION)]


class Drop(StrEnum):
    """Why an operation falls away when it is rebased."""

    REPLACED = "replaced"
    """A text edit whose text was replaced by another value meanwhile."""
    GUARDED = "guarded"
    """A guarded operation (undo) whose register somebody wrote since."""
    EMPTY = "empty"
    """A text edit that deletes only what others have deleted already."""


class Overridden(Value, frozen=True, kw_only=True):
    """An earlier write that no longer shows. Its payload is in the history for ever."""

    revision: Revision
    user_id: UserId
    entity: EntityId
    register: tuple[str, ...]


class Entry(Value, frozen=True, kw_only=True):
    """One revision of the log. `operations` are as they took effect; what fell away is gone from them."""

    revision: Revision
    client: ClientId
    seq: Revision
    user_id: UserId
    at_ms: Millis
    operations: tuple[Operation, ...]
