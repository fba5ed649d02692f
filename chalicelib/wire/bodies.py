"""The bodies of the REST interface, request and response. All under `/api`; times in ms since the epoch."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.types import (
    Color,
    Description,
    Email,
    EntityId,
    Environment,
    GivenRole,
    InviteCode,
    InviteId,
    Millis,
    OpaqueToken,
    PageCursor,
    Password,
    PeerId,
    PersonName,
    PresenceState,
    Quat,
    Role,
    Seats,
    SessionId,
    SessionName,
    SessionStatus,
    TabId,
    UserId,
    UserKind,
    Value,
    Vec3,
    Visibility,
)


class ErrorBody(Value, frozen=True, kw_only=True):
    """Every error, on every route."""

    code: Code
    message: str
    correlation_id: str
    retry_after_ms: int | None = None


class Health(Value, frozen=True, kw_only=True):
    """Whether the functions answer, and what a client needs before it signs in."""

    status: str
    version: str
    protocol: int
    stage: str
    open_guests: bool
    accounts: bool
    time_ms: Millis


# -- identity --


class User(Value, frozen=True, kw_only=True):
    """Who a token names."""

    user_id: UserId
    name: PersonName
    kind: UserKind


class SignupBody(Value, frozen=True, kw_only=True):
    """A new account. A confirmation code is sent to the address."""

    email: Email
    password: Password
    name: PersonName


class SignupResult(Value, frozen=True, kw_only=True):
    """The new account."""

    user_id: UserId
    confirmed: bool


class ConfirmBody(Value, frozen=True, kw_only=True):
    """The code from the e-mail."""

    email: Email
    code: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{4,12}$(?!\n)")]


class ConfirmResult(Value, frozen=True, kw_only=True):
    """The account can log in now."""

    confirmed: bool


class LoginBody(Value, frozen=True, kw_only=True):
    """Credentials of a confirmed account."""

    email: Email
    password: Annotated[str, Meta(min_length=1, max_length=limits.PASSWORD_CHARS)]


class RefreshBody(Value, frozen=True, kw_only=True):
    """Asks for a new access token."""

    refresh_token: OpaqueToken


class GuestBody(Value, frozen=True, kw_only=True):
    """Enters as a guest: by an invite, or (where open guests are allowed) without."""

    name: PersonName
    invite: InviteCode | None = None


class TokenSet(Value, frozen=True, kw_only=True):
    """What to send as `Authorization: Bearer`, for how long, and how to get the next."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750's name of the scheme
    expires_in_s: int
    refresh_token: str | None = None
    user: User
    session_id: SessionId | None = None


class TicketBody(Value, frozen=True, kw_only=True):
    """Asks to open one WebSocket into a session that was joined."""

    session_id: SessionId
    tab_id: TabId


class Ticket(Value, frozen=True, kw_only=True):
    """Single use; connect to `url` with the query parameter `ticket` before it expires.

    A `url` that begins with `/` is resolved against the address the API was reached at.
    """

    ticket: str
    url: str
    peer_id: PeerId
    expires_at_ms: Millis


# -- sessions --


class SessionSettings(Value, frozen=True, kw_only=True):
    """What an owner may choose for a room."""

    default_role: GivenRole = Role.EDITOR
    """For who joins without an invite."""
    environment: Environment = Environment.DAWN


class Session(Value, frozen=True, kw_only=True):
    """A room. `version` changes with every update and is the ETag, quoted."""

    session_id: SessionId
    name: SessionName
    description: Description
    visibility: Visibility
    status: SessionStatus
    max_participants: Seats
    participant_count: Annotated[int, Meta(ge=0, description="seats taken")]
    settings: SessionSettings
    owner_id: UserId
    created_at_ms: Millis
    updated_at_ms: Millis
    version: int
    role: Role | None = None
    """The asker's own, where they are a participant."""


class CreateSession(Value, frozen=True, kw_only=True):
    """A new room; the creator owns it."""

    name: SessionName
    description: Description = ""
    visibility: Visibility = Visibility.LINK
    max_participants: Seats = limits.PARTICIPANTS_DEFAULT
    settings: SessionSettings = SessionSettings()


class UpdateSession(Value, frozen=True, kw_only=True):
    """What is present is replaced; what is absent stays."""

    name: SessionName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    max_participants: Seats | UnsetType = UNSET
    settings: SessionSettings | UnsetType = UNSET


class SessionList(Value, frozen=True, kw_only=True):
    """A page of sessions, newest first."""

    sessions: tuple[Session, ...]
    next_cursor: PageCursor | None = None


class JoinBody(Value, frozen=True, kw_only=True):
    """Takes a seat. The invite may be left out where the visibility or an earlier membership allows it."""

    invite: InviteCode | None = None
    name: PersonName | None = None
    color: Color | None = None
    user_id: UserId | None = None


class Participant(Value, frozen=True, kw_only=True):
    """A member of a session."""

    user_id: UserId
    name: PersonName
    color: Color
    role: Role
    kind: UserKind
    joined_at_ms: Millis
    online: bool
    """Whether at least one page of theirs is connected."""


class JoinResult(Value, frozen=True, kw_only=True):
    """The seat that was taken."""

    session: Session
    participant: Participant


class LeaveBody(Value, frozen=True, kw_only=True):
    """May be empty; a `user_id` must be one's own."""

    user_id: UserId | None = None


class LeaveResult(Value, frozen=True, kw_only=True):
    """What became of the session: the last owner's leaving hands it over, or ends it where nobody remains."""

    status: SessionStatus
    new_owner_id: UserId | None = None


class ParticipantList(Value, frozen=True, kw_only=True):
    """A page of members, by user id."""

    participants: tuple[Participant, ...]
    next_cursor: PageCursor | None = None


class UpdateParticipant(Value, frozen=True, kw_only=True):
    """Gives a role. `owner` makes a further owner; the one who gives it may then step down."""

    role: Role


class CreateInvite(Value, frozen=True, kw_only=True):
    """A link that lets people in with a role. `max_uses` counts people, not visits; absent = unlimited."""

    role: GivenRole = Role.EDITOR
    expires_in_s: Annotated[int, Meta(ge=60, le=limits.INVITE_TTL_MAX_S)] = limits.INVITE_TTL_DEFAULT_S
    max_uses: Annotated[int, Meta(ge=1, le=limits.INVITE_USES_MAX)] | None = None


class Invite(Value, frozen=True, kw_only=True):
    """An invite. Its `code` is told once, when it is made; only its hash is kept."""

    invite_id: InviteId
    session_id: SessionId
    role: Role
    created_by: UserId
    created_at_ms: Millis
    expires_at_ms: Millis
    max_uses: int | None
    uses: int
    code: InviteCode | None = None


class InviteList(Value, frozen=True, kw_only=True):
    """All live invites of a session (at most INVITES_PER_SESSION)."""

    invites: tuple[Invite, ...]


# -- collaboration --


class Cursor(Value, frozen=True, kw_only=True):
    """One peer's 3D cursor."""

    user_id: UserId
    peer_id: PeerId
    name: PersonName
    color: Color
    position: Vec3
    rotation: Quat
    target: EntityId | None
    updated_at_ms: Millis


class CursorList(Value, frozen=True, kw_only=True):
    """The seed's GetSharedCursors response."""

    success: bool
    cursors: tuple[Cursor, ...]


class UpdateCursor(Value, frozen=True, kw_only=True):
    """The seed's UpdateCursorRequest. A `user_id` must be one's own; `color` must be the participant's, if given."""

    position: Vec3
    rotation: Quat = (0.0, 0.0, 0.0, 1.0)
    color: Color | None = None
    target: EntityId | None = None
    user_id: UserId | None = None


class CursorUpdated(Value, frozen=True, kw_only=True):
    """The seed's UpdateSharedCursor response."""

    success: bool
    message: str


class PeerPresence(Value, frozen=True, kw_only=True):
    """One peer with its last known state."""

    peer_id: PeerId
    user_id: UserId
    name: PersonName
    color: Color
    role: Role
    joined_at_ms: Millis
    seen_at_ms: Millis
    state: PresenceState


class PresenceList(Value, frozen=True, kw_only=True):
    """Who is connected now."""

    peers: tuple[PeerPresence, ...]
    at_ms: Millis


class ActivityEvent(Value, frozen=True, kw_only=True):
    """One thing that happened. `kind` is noun.verb; `detail` is words about it, by kind."""

    event_id: Annotated[str, Meta(pattern=r"^[0-9a-z]{8,32}$(?!\n)")]
    kind: str
    at_ms: Millis
    user_id: UserId
    name: str
    detail: dict[str, str]


class ActivityPage(Value, frozen=True, kw_only=True):
    """Newest first."""

    events: tuple[ActivityEvent, ...]
    next_cursor: PageCursor | None = None
