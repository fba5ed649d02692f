"""What a session is, and who may do what in it. Pure.

Three laws hold here. Ownership is one fact: the set `owners` of the session; a participant's own `role` is what they are
beneath it. Occupancy is one fact: the set `seats`; nothing counts. And whoever is not allowed by MATRIX is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import Final

from chalicelib.wire.bodies import Invite, Participant, Session, SessionSettings
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Role, SessionStatus, UserKind, Visibility


class Permission(Enum):
    """What may be allowed in a session."""

    VIEW = "view"
    PRESENCE = "presence"
    SEE_ACTIVITY = "see_activity"
    EDIT = "edit"
    INVITE = "invite"
    CONFIGURE = "configure"
    MANAGE_PARTICIPANTS = "manage_participants"
    DELETE = "delete"


_GUEST: Final = frozenset({Permission.VIEW, Permission.PRESENCE})
_VIEWER: Final = _GUEST | {Permission.SEE_ACTIVITY}
_EDITOR: Final = _VIEWER | {Permission.EDIT, Permission.INVITE}

MATRIX: Final[dict[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.EDITOR: _EDITOR,
    Role.VIEWER: _VIEWER,
    Role.GUEST: _GUEST,
}

RANK: Final[dict[Role, int]] = {Role.GUEST: 0, Role.VIEWER: 1, Role.EDITOR: 2, Role.OWNER: 3}

PALETTE: Final = (
    "#e5484d",
    "#f76b15",
    "#ffb224",
    "#b3d334",
    "#46a758",
    "#12a594",
    "#00a2c7",
    "#0090ff",
    "#3e63dd",
    "#6e56cf",
    "#ab4aba",
    "#e93d82",
)


def allows(role: Role | None, permission: Permission) -> bool:
    """Whether a role (None: no participant) has a permission."""
    return role is not None and permission in MATRIX[role]


def color_of(user_id: str) -> str:
    """A person's colour where they chose none: the same everywhere, for ever."""
    return PALETTE[sha256(user_id.encode()).digest()[0] % len(PALETTE)]


def invite_id_of(secret: str) -> str:
    """The id of an invite: all that is kept of its secret, 80 bits of its SHA-256."""
    return f"inv_{sha256(secret.encode()).hexdigest()[:20]}"


def parse_invite(code: str) -> tuple[str, str]:
    """The session and the id of the invite that a code names. `ses_....secret` -> (`ses_...`, `inv_...`)."""
    session_id, _, secret = code.partition(".")
    return session_id, invite_id_of(secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session as it is stored. `version` moves with every change but those of seats, which move `seating`."""

    session_id: str
    name: str
    description: str
    visibility: Visibility
    status: SessionStatus
    max_participants: int
    settings: SessionSettings
    owner_id: str
    created_at_ms: int
    updated_at_ms: int
    owners: frozenset[str] = frozenset()
    seats: frozenset[str] = frozenset()
    banned: frozenset[str] = frozenset()
    invites: frozenset[str] = frozenset()
    version: int = 1
    seating: int = 0

    def role_of(self, user_id: str, beneath: Role | None) -> Role | None:
        """The role of a person whose participant item says `beneath` (None: there is none)."""
        return Role.OWNER if user_id in self.owners else beneath

    def as_session(self, role: Role | None) -> Session:
        """As it is told to someone whose role that is."""
        return Session(
            session_id=self.session_id,
            name=self.name,
            description=self.description,
            visibility=self.visibility,
            status=self.status,
            max_participants=self.max_participants,
            participant_count=len(self.seats),
            settings=self.settings,
            owner_id=self.owner_id,
            created_at_ms=self.created_at_ms,
            updated_at_ms=self.updated_at_ms,
            version=self.version,
            role=role,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRecord:
    """A member as stored. Until they first have a seat they are pending: the item expires by itself."""

    session_id: str
    user_id: str
    role: Role
    name: str
    color: str
    kind: UserKind
    joined_at_ms: int
    seated_at_ms: int
    assigned_at_ms: int = 0
    """When an owner gave the role; an invite made before that does not raise it."""
    expires_at_s: int | None = None

    def lapsed(self, now_ms: int) -> bool:
        """Whether they never got a seat and the item only waits for DynamoDB to remove it."""
        return self.expires_at_s is not None and self.expires_at_s * 1000 <= now_ms

    def as_participant(self, session: SessionRecord, *, online: bool) -> Participant:
        """As the others see them."""
        return Participant(
            user_id=self.user_id,
            name=self.name,
            color=self.color,
            role=session.role_of(self.user_id, self.role) or self.role,
            kind=self.kind,
            joined_at_ms=self.joined_at_ms,
            online=online,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRole:
    """The role that an owner had given to somebody who has gone since: coming back does not raise it."""

    role: Role
    assigned_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRecord:
    """An invite as stored. `used_by` holds the people where `max_uses` bounds them; else only their count is kept."""

    session_id: str
    invite_id: str
    role: Role
    created_by: str
    created_at_ms: int
    expires_at_ms: int
    max_uses: int | None
    used_by: frozenset[str] = frozenset()
    use_count: int = 0

    def problem(self, user_id: str | None, now_ms: int) -> Code | None:
        """Why this person (None: someone new) cannot use it, or None."""
        if self.expires_at_ms <= now_ms:
            return Code.INVITE_EXPIRED
        if self.max_uses is not None and len(self.used_by) >= self.max_uses and user_id not in self.used_by:
            return Code.INVITE_EXHAUSTED
        return None

    def as_invite(self, code: str | None = None) -> Invite:
        """As it is listed, or (with its code) as it is told to its maker."""
        return Invite(
            invite_id=self.invite_id,
            session_id=self.session_id,
            role=self.role,
            created_by=self.created_by,
            created_at_ms=self.created_at_ms,
            expires_at_ms=self.expires_at_ms,
            max_uses=self.max_uses,
            uses=self.use_count if self.max_uses is None else len(self.used_by),
            code=code,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person in a session: what every room of the code asks before it lets them do anything."""

    session: SessionRecord
    user_id: str
    name: str
    color: str
    role: Role
    kind: UserKind

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.session.session_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one conditional update does to a session; None leaves a thing as it is."""

    name: str | None = None
    description: str | None = None
    visibility: Visibility | None = None
    max_participants: int | None = None
    settings: SessionSettings | None = None
    owner_id: str | None = None
    add_owner: str | None = None
    remove_owner: str | None = None
    free_seat: str | None = None
    ban: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantChange:
    """What one update does to a participant; None leaves a thing as it is, `confirm` ends the pending state."""

    role: Role | None = None
    name: str | None = None
    color: str | None = None
    seated_at_ms: int | None = None
    assigned_at_ms: int | None = None
    confirm: bool = False


def changed(record: SessionRecord, change: Change, now_ms: int) -> SessionRecord:
    """The session after a change: the meaning that every store gives to `Change`."""
    return replace(
        record,
        name=record.name if change.name is None else change.name,
        description=record.description if change.description is None else change.description,
        visibility=change.visibility or record.visibility,
        max_participants=change.max_participants or record.max_participants,
        settings=change.settings or record.settings,
        owner_id=change.owner_id or record.owner_id,
        owners=(record.owners | _one(change.add_owner)) - _one(change.remove_owner),
        seats=record.seats - _one(change.free_seat),
        banned=record.banned | _one(change.ban),
        version=record.version + 1,
        updated_at_ms=now_ms,
    )


def _one(user_id: str | None) -> frozenset[str]:
    return frozenset() if user_id is None else frozenset({user_id})


def heir_among(people: Iterable[ParticipantRecord], connected: set[str]) -> ParticipantRecord | None:
    """Who inherits a session: whoever is connected before who isn't, then the higher role, then the longer there.

    A guest who is not there inherits nothing: they may never come back, and nobody could end the session.
    """
    return min(
        (p for p in people if p.user_id in connected or p.kind is UserKind.ACCOUNT),
        key=lambda p: (p.user_id not in connected, -RANK[p.role], p.joined_at_ms, p.user_id),
        default=None,
    )


def require(role: Role | None, permission: Permission) -> None:
    """ROLE_INSUFFICIENT unless allowed."""
    if not allows(role, permission):
        raise AppError(Code.ROLE_INSUFFICIENT)
