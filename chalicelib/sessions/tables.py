"""The sessions table, declared, and how its items are read.

| item | SK | indexes |
|---|---|---|
| the session | `session` | by_listing (listing, created_at_ms) while public and active |
| a participant | `participant#<user_id>` | by_user (user_id, joined_at_ms) |
| a role that somebody had | `former#<user_id>` | - |
| an invite | `invite#<invite_id>` | - |

PK is session_id, so one query finds all of a session and none scans. The indexes carry keys only: the sets of seats and
bans are in the session's item alone.
TTL `expires_at` (seconds): invites, participants who never got their first seat, and the roles of those who left.
"""

from typing import Any, Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import size
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.sessions.model import InviteRecord, ParticipantRecord, SessionRecord
from chalicelib.wire.bodies import SessionSettings
from chalicelib.wire.types import Role, SessionStatus, UserKind, Visibility

SESSION: Final = "session"
PARTICIPANT: Final = "participant#"
FORMER: Final = "former#"
INVITE: Final = "invite#"
LISTED: Final = "public"


class ByUser(GlobalSecondaryIndex["SessionModel"]):  # type: ignore[no-untyped-call]
    """Whose participant somebody is."""

    class Meta:
        """Keys only."""

        index_name = "by_user"
        projection = KeysOnlyProjection()
        billing_mode = "PAY_PER_REQUEST"

    user_id = UnicodeAttribute(hash_key=True)
    joined_at_ms = NumberAttribute(range_key=True)


class ByListing(GlobalSecondaryIndex["SessionModel"]):  # type: ignore[no-untyped-call]
    """The public sessions."""

    class Meta:
        """Keys only."""

        index_name = "by_listing"
        projection = KeysOnlyProjection()
        billing_mode = "PAY_PER_REQUEST"

    listing = UnicodeAttribute(hash_key=True)
    created_at_ms = NumberAttribute(range_key=True)


class SessionModel(Model):
    """The shape of the sessions table: all attributes of all three kinds of item."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "sessions"
        billing_mode = "PAY_PER_REQUEST"

    session_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    by_user = ByUser()
    by_listing = ByListing()

    name = UnicodeAttribute(null=True)
    created_at_ms = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)

    description = UnicodeAttribute(null=True)
    visibility = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    max_participants = NumberAttribute(null=True)
    settings = UnicodeAttribute(null=True)
    owner_id = UnicodeAttribute(null=True)
    owners = UnicodeSetAttribute(null=True)
    seats = UnicodeSetAttribute(null=True)
    banned = UnicodeSetAttribute(null=True)
    invites = UnicodeSetAttribute(null=True)
    updated_at_ms = NumberAttribute(null=True)
    version = NumberAttribute(null=True)
    seating = NumberAttribute(null=True)
    listing = UnicodeAttribute(null=True)

    user_id = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    color = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    joined_at_ms = NumberAttribute(null=True)
    seated_at_ms = NumberAttribute(null=True)
    assigned_at_ms = NumberAttribute(null=True)

    created_by = UnicodeAttribute(null=True)
    expires_at_ms = NumberAttribute(null=True)
    max_uses = NumberAttribute(null=True)
    used_by = UnicodeSetAttribute(null=True)
    use_count = NumberAttribute(null=True)


def size_of(attribute: UnicodeSetAttribute) -> Any:
    """How many members a stored set has, as an operand of a condition; a set that is absent has no size."""
    return size(attribute)  # type: ignore[no-untyped-call]


def settings_text(settings: SessionSettings) -> str:
    """As they are stored: JSON."""
    return msgspec.json.encode(settings).decode()


def listing_of(visibility: Visibility) -> str | None:
    """The partition of by_listing that an active session is in."""
    return LISTED if visibility is Visibility.PUBLIC else None


def session_item(model: type[SessionModel], record: SessionRecord) -> SessionModel:
    """A new session's item."""
    return model(
        record.session_id,
        SESSION,
        name=record.name,
        description=record.description,
        visibility=record.visibility.value,
        status=record.status.value,
        max_participants=record.max_participants,
        settings=settings_text(record.settings),
        owner_id=record.owner_id,
        owners=set(record.owners) or None,
        seats=set(record.seats) or None,
        banned=set(record.banned) or None,
        invites=set(record.invites) or None,
        created_at_ms=record.created_at_ms,
        updated_at_ms=record.updated_at_ms,
        version=record.version,
        seating=record.seating,
        listing=listing_of(record.visibility),
    )


def session_record(item: SessionModel) -> SessionRecord:
    """The session of an item."""
    return SessionRecord(
        session_id=item.session_id,
        name=item.name,
        description=item.description,
        visibility=Visibility(item.visibility),
        status=SessionStatus(item.status),
        max_participants=int(item.max_participants),
        settings=msgspec.json.decode(item.settings, type=SessionSettings),
        owner_id=item.owner_id,
        owners=frozenset(item.owners or ()),
        seats=frozenset(item.seats or ()),
        banned=frozenset(item.banned or ()),
        invites=frozenset(item.invites or ()),
        created_at_ms=int(item.created_at_ms),
        updated_at_ms=int(item.updated_at_ms),
        version=int(item.version),
        seating=int(item.seating or 0),
    )


def participant_item(model: type[SessionModel], person: ParticipantRecord) -> SessionModel:
    """A participant's item."""
    return model(
        person.session_id,
        PARTICIPANT + person.user_id,
        user_id=person.user_id,
        role=person.role.value,
        name=person.name,
        color=person.color,
        kind=person.kind.value,
        joined_at_ms=person.joined_at_ms,
        seated_at_ms=person.seated_at_ms,
        assigned_at_ms=person.assigned_at_ms,
        expires_at=person.expires_at_s,
    )


def participant_record(item: SessionModel) -> ParticipantRecord:
    """The participant of an item."""
    return ParticipantRecord(
        session_id=item.session_id,
        user_id=item.user_id,
        role=Role(item.role),
        name=item.name,
        color=item.color,
        kind=UserKind(item.kind),
        joined_at_ms=int(item.joined_at_ms),
        seated_at_ms=int(item.seated_at_ms),
        assigned_at_ms=int(item.assigned_at_ms or 0),
        expires_at_s=None if item.expires_at is None else int(item.expires_at),
    )


def invite_item(model: type[SessionModel], invite: InviteRecord) -> SessionModel:
    """An invite's item."""
    return model(
        invite.session_id,
        INVITE + invite.invite_id,
        role=invite.role.value,
        created_by=invite.created_by,
        created_at_ms=invite.created_at_ms,
        expires_at_ms=invite.expires_at_ms,
        expires_at=invite.expires_at_ms // 1000 + 1,
        max_uses=invite.max_uses,
        used_by=set(invite.used_by) or None,
        use_count=invite.use_count,
    )


def invite_record(item: SessionModel) -> InviteRecord:
    """The invite of an item."""
    return InviteRecord(
        session_id=item.session_id,
        invite_id=item.sk.removeprefix(INVITE),
        role=Role(item.role),
        created_by=item.created_by,
        created_at_ms=int(item.created_at_ms),
        expires_at_ms=int(item.expires_at_ms),
        max_uses=None if item.max_uses is None else int(item.max_uses),
        used_by=frozenset(item.used_by or ()),
        use_count=int(item.use_count or 0),
    )
