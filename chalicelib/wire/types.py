"""The small bounded types that messages and bodies are made of.

Coordinates are right-handed, metres, Y up; quaternions x, y, z, w of unit length; times are milliseconds since
the epoch. msgspec rejects NaN and infinities before these bounds are looked at.
"""

from enum import Enum, StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.wire import limits


class Value(Struct, frozen=True, forbid_unknown_fields=True):
    """What crosses the wire: immutable, every field known, named when built."""


SESSION_ID = r"^ses_[a-z0-9]{20}$(?!\n)"
USER_ID = r"^[A-Za-z0-9_-]{1,64}$(?!\n)"
TAB_ID = r"^[a-z0-9]{8,16}$(?!\n)"

SessionId = Annotated[str, Meta(pattern=SESSION_ID, description="ses_ and 20 of a-z0-9")]
UserId = Annotated[str, Meta(pattern=USER_ID, description="an account's subject, or gst_...")]
TabId = Annotated[str, Meta(pattern=TAB_ID, description="names one open page of a user; made by the client")]
PeerId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\.[a-z0-9]{4,16}$(?!\n)", description="user_id.tab_id")]
InviteId = Annotated[str, Meta(pattern=r"^inv_[a-f0-9]{20}$(?!\n)")]
InviteCode = Annotated[
    str, Meta(pattern=r"^ses_[a-z0-9]{20}\.[A-Za-z0-9_-]{22}$(?!\n)", description="the secret part of an invite link")
]
EntityId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_:.-]{1,64}$(?!\n)")]
RequestId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$(?!\n)", description="echoed by the reply")]
# Spelled out: \s means different characters to Python and to the dialect of regular expressions that OpenAPI uses.
_BLANK = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
UNSEEN = r"\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069"
"""What no name has: controls, and what turns the direction of the text after it round (UAX 9), beyond the name's end."""
_NAME = rf"^[^{UNSEEN}]*[^{_BLANK}{UNSEEN}][^{UNSEEN}]*$(?!\n)"
PersonName = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS, pattern=_NAME)]
SessionName = Annotated[str, Meta(min_length=1, max_length=limits.SESSION_NAME_CHARS, pattern=_NAME)]
VoiceName = Annotated[
    str,
    Meta(min_length=1, max_length=limits.VOICE_NAME_CHARS, pattern=_NAME, description="a channel's or a recording's"),
]
Description = Annotated[str, Meta(max_length=limits.DESCRIPTION_CHARS)]
Color = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$(?!\n)", description="#rrggbb, lower case")]
_LOCAL = r"[A-Za-z0-9_][A-Za-z0-9_%+-]{0,63}(\.[A-Za-z0-9_%+-]{1,64})*"
_DOMAIN = r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
Email = Annotated[str, Meta(max_length=limits.EMAIL_CHARS, pattern=rf"^{_LOCAL}@{_DOMAIN}$(?!\n)")]
Password = Annotated[
    str,
    Meta(
        min_length=limits.PASSWORD_CHARS_MIN,
        max_length=limits.PASSWORD_CHARS,
        pattern=(
            rf"^[^{_BLANK}][^\x00-\x1f\x7f]{{{limits.PASSWORD_CHARS_MIN - 2},{limits.PASSWORD_CHARS - 2}}}"
            rf"[^{_BLANK}]$(?!\n)"
        ),
        description="begins and ends with something visible (Cognito)",
    ),
]
OpaqueToken = Annotated[str, Meta(min_length=1, max_length=limits.TOKEN_CHARS)]
PageCursor = Annotated[str, Meta(min_length=1, max_length=limits.CURSOR_CHARS, pattern=r"^[A-Za-z0-9_=-]+$(?!\n)")]
Millis = Annotated[int, Meta(ge=0, le=2**53 - 1, description="milliseconds since the epoch")]
Counter = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Seats = Annotated[int, Meta(ge=1, le=limits.PARTICIPANTS_MAX)]

_Metre = Annotated[float, Meta(ge=-limits.WORLD_M, le=limits.WORLD_M)]
_Unit = Annotated[float, Meta(ge=-1.001, le=1.001)]
Vec3 = tuple[_Metre, _Metre, _Metre]
Quat = tuple[_Unit, _Unit, _Unit, _Unit]


class Role(StrEnum):
    """What a person may do in one session; `sessions.model` has the matrix."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"
    GUEST = "guest"


GivenRole = Annotated[Role, Meta(extra_json_schema={"enum": ["editor", "viewer", "guest"]})]
"""A role that comes with a link: nobody owns by one."""


class UserKind(StrEnum):
    """How a person proved who they are."""

    ACCOUNT = "account"
    GUEST = "guest"


class Visibility(StrEnum):
    """Who may join without an invite: nobody, whoever has the link, or everyone (and it is listed)."""

    PRIVATE = "private"
    LINK = "link"
    PUBLIC = "public"


class SessionStatus(StrEnum):
    """`ended` is final."""

    ACTIVE = "active"
    ENDED = "ended"


class Activity(StrEnum):
    """What a person is doing, as their own page says it."""

    ACTIVE = "active"
    IDLE = "idle"
    EDITING = "editing"
    SPEAKING = "speaking"
    AWAY = "away"


class Environment(StrEnum):
    """The look of a room's sky and ground."""

    DAWN = "dawn"
    STUDIO = "studio"
    NIGHT = "night"


class Delivery(Enum):
    """What became of a message that was posted to a connection."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"
    """No answer in time, or refused; the connection may still be there."""


class Pose(Value, frozen=True, kw_only=True):
    """Where a person's head is, and where it looks."""

    position: Vec3
    rotation: Quat


class Pointer(Value, frozen=True, kw_only=True):
    """Where a person points: the hit of their ray, the surface's normal as a rotation, the entity hit if any."""

    position: Vec3
    rotation: Quat = (0.0, 0.0, 0.0, 1.0)
    target: EntityId | None = None


class Held(Value, frozen=True, kw_only=True):
    """An entity in somebody's hand, as it would be if they let go now: its place, turn and size beneath its parent."""

    id: EntityId
    position: Vec3
    rotation: Quat
    scale: Vec3


class PresenceState(Value, frozen=True, kw_only=True, omit_defaults=True):
    """All of one peer's ephemeral state. Every update carries the whole, so the newest alone is enough."""

    pose: Pose | None = None
    cursor: Pointer | None = None
    selection: Annotated[tuple[EntityId, ...], Meta(max_length=limits.SELECTION_MAX)] = ()
    activity: Activity = Activity.ACTIVE
    drag: Annotated[
        tuple[Held, ...],
        Meta(max_length=limits.DRAG_MAX, description="shown to the others until it is let go; nothing of it is kept"),
    ] = ()
