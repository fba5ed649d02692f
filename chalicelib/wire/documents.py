"""Documents as they cross the wire: submissions, commits, snapshots, history, milestones, locks. See docs/ot.md.

The seed's operation names are sugar over the algebra: what is sent as `entity_create`, `entity_update`,
`entity_delete` or `avatar_move` is committed as `create`, `set`, `move` and `delete`, and the result shows those.
"""

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, field

from chalicelib.wire import limits
from chalicelib.wire.operations import (
    Add,
    ClientId,
    Create,
    Delete,
    Drop,
    Entry,
    Move,
    Operation,
    OrderKey,
    Overridden,
    PathKey,
    Restore,
    Revision,
    Set,
    Text,
)
from chalicelib.wire.types import (
    EntityId,
    Millis,
    Quat,
    SessionId,
    SessionName,
    UserId,
    Value,
    Vec3,
)

DocumentId = Annotated[
    str,
    Meta(
        pattern=r"^doc_[a-z0-9]{20}$(?!\n)",
        description="doc_ and 20 of a-z0-9; a session's scene has the session's own 20",
    ),
]
MilestoneId = Annotated[str, Meta(pattern=r"^mil_[a-z0-9]{20}$(?!\n)")]
Sequence = Annotated[int, Meta(ge=1, le=limits.INTEGER_MAX, description="counts a client's transactions; never twice")]


class DocumentKind(StrEnum):
    """What a document is for."""

    SCENE = "scene"
    """The session's own; always there."""
    DOCUMENT = "document"


class Commit(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """One revision of a document, as it is stored and told."""

    base: Revision
    submitted: tuple[Operation, ...] | None = None
    """What the client sent, where that is not what took effect."""
    conflicts_with: tuple[Revision, ...] = ()
    overridden: tuple[Overridden, ...] = ()
    dropped: dict[int, Drop] = field(default_factory=dict)
    """Operations of the submission that fell away, by their place in it, and why."""

    @property
    def payload(self) -> tuple[Operation, ...]:
        """What the client sent."""
        return self.operations if self.submitted is None else self.submitted


# -- the seed's operations --


class EntityCreate(Value, frozen=True, kw_only=True, tag_field="op", tag="entity_create"):
    """Sugar for `create`. Without an `entity_id` one is made of the client, the seq and the place."""

    entity_type: Annotated[str, Meta(min_length=1, max_length=limits.PATH_KEY_CHARS)]
    entity_id: EntityId | None = None
    position: Vec3 = (0.0, 0.0, 0.0)
    rotation: Quat = (0.0, 0.0, 0.0, 1.0)
    scale: Vec3 = (1.0, 1.0, 1.0)
    parent: EntityId | None = None
    order: OrderKey = "V"
    props: dict[PathKey, Any] = field(default_factory=dict)


class EntityUpdate(Value, frozen=True, kw_only=True, tag_field="op", tag="entity_update"):
    """Sugar for a `set` of each property that is there; a null in `props` takes one away."""

    entity_id: EntityId
    position: Vec3 | None = None
    rotation: Quat | None = None
    scale: Vec3 | None = None
    props: dict[PathKey, Any] = field(default_factory=dict)


class EntityDelete(Value, frozen=True, kw_only=True, tag_field="op", tag="entity_delete"):
    """Sugar for `delete`."""

    entity_id: EntityId


class AvatarMove(Value, frozen=True, kw_only=True, tag_field="op", tag="avatar_move"):
    """Sugar for a `set` of an avatar's place. Without an `entity_id` it is the client's own avatar, made on first use.

    For avatars that stay when nobody is connected: a bot's, a guide's. Where people are now is presence.
    """

    entity_id: EntityId | None = None
    position: Vec3
    rotation: Quat | None = None


PublicOperation = (
    Create | Delete | Restore | Set | Add | Move | Text | EntityCreate | EntityUpdate | EntityDelete | AvatarMove
)
PublicTransaction = Annotated[
    tuple[PublicOperation, ...], Meta(min_length=1, max_length=limits.OPERATIONS_PER_TRANSACTION)
]


# -- bodies --


class SharedDocument(Value, frozen=True, kw_only=True):
    """A document of a session."""

    document_id: DocumentId
    session_id: SessionId
    name: SessionName
    kind: DocumentKind
    created_at_ms: Millis
    created_by: UserId


class DocumentList(Value, frozen=True, kw_only=True):
    """All of a session's documents, the scene first."""

    documents: tuple[SharedDocument, ...]


class CreateDocument(Value, frozen=True, kw_only=True):
    """A document beside the scene."""

    name: SessionName
    user_id: UserId | None = None


class EntityState(Value, frozen=True, kw_only=True):
    """One entity at a revision. `props` are JSON values by key."""

    alive: bool
    parent: EntityId | None
    order: str
    props: dict[str, Any]


class Snapshot(Value, frozen=True, kw_only=True):
    """A document's whole state at a revision, tombstones included."""

    document: SharedDocument
    revision: Revision
    head: Revision
    entities: dict[str, EntityState]


class SubmitOperations(Value, frozen=True, kw_only=True):
    """One transaction, made on the state at `base`. (client, seq) names it for ever: sending it again is harmless."""

    client: ClientId
    seq: Sequence
    base: Revision
    seen: Annotated[
        Revision | None, Meta(description="the base it was first made on, if the client has rebased it since")
    ] = None
    operations: PublicTransaction
    user_id: UserId | None = None


class OperationResult(Value, frozen=True, kw_only=True):
    """What became of a transaction. `operation` is the revision that it is; a resend gets the first time's."""

    document_id: DocumentId
    operation: Commit
    transformed: bool
    conflicts_with: tuple[Revision, ...]


class OperationPage(Value, frozen=True, kw_only=True):
    """Consecutive revisions after `since`, oldest first. Ask again from the last one's until `head` is reached."""

    operations: tuple[Commit, ...]
    since: Revision
    head: Revision


class HistoryPage(Value, frozen=True, kw_only=True):
    """Revisions, newest first. A page may be empty and still have a next one: that many were looked through."""

    entries: tuple[Commit, ...]
    before: Revision | None = None
    """Where the next page begins; null at the beginning of history."""


class Rollback(Value, frozen=True, kw_only=True):
    """Which revision's state to bring back, by new revisions: history only grows."""

    revision: Revision
    user_id: UserId | None = None


class RollbackResult(Value, frozen=True, kw_only=True):
    """The head afterwards, and how many operations it took (0: nothing was different)."""

    revision: Revision
    operations: int


class CreateMilestone(Value, frozen=True, kw_only=True):
    """A name for a revision; without one, for the head."""

    name: SessionName
    revision: Revision | None = None
    user_id: UserId | None = None


class Milestone(Value, frozen=True, kw_only=True):
    """A named revision."""

    milestone_id: MilestoneId
    document_id: DocumentId
    name: SessionName
    revision: Revision
    created_at_ms: Millis
    created_by: UserId


class MilestoneList(Value, frozen=True, kw_only=True):
    """By revision, newest first."""

    milestones: tuple[Milestone, ...]


# -- locks --


class AcquireLock(Value, frozen=True, kw_only=True):
    """Asks for an object of the scene for oneself; `break` takes it from somebody else, as an owner or editor."""

    object_id: EntityId
    ttl_s: Annotated[int, Meta(ge=1, le=limits.LOCK_TTL_MAX_S)] = limits.LOCK_TTL_S
    break_: bool = field(name="break", default=False)
    user_id: UserId | None = None


class RenewLock(Value, frozen=True, kw_only=True):
    """Keeps a lock that one still has. `token` is the one it was given with."""

    token: Revision
    ttl_s: Annotated[int, Meta(ge=1, le=limits.LOCK_TTL_MAX_S)] = limits.LOCK_TTL_S
    user_id: UserId | None = None


class Lock(Value, frozen=True, kw_only=True):
    """A lease of an object. `token` is its fencing token: it grows with every new holder."""

    object_id: EntityId
    user_id: UserId
    token: Revision
    expires_at_ms: Millis


class LockList(Value, frozen=True, kw_only=True):
    """The locks that are held now."""

    locks: tuple[Lock, ...]
