"""What the sessions room needs of the world. `Ports` carries it all; wiring fills it, tests fill it with fakes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from chalicelib.sessions.model import (
    Change,
    FormerRole,
    InviteRecord,
    ParticipantChange,
    ParticipantRecord,
    SessionRecord,
)
from chalicelib.sessions.paging import Position
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ServerMessage
from chalicelib.wire.types import Role

ATTEMPTS: Final = 6
"""How often an optimistic change is tried before the caller is told to come again."""


class SessionRepository(Protocol):
    """The stored sessions. Every method is one conditional write or one bounded read; none scans.

    A condition that fails is an answer (None or False), never an exception; UPSTREAM_UNAVAILABLE is the only error.
    """

    def create(self, record: SessionRecord) -> bool:
        """False: there is a session of that id."""
        ...

    def session(self, session_id: str) -> SessionRecord | None: ...

    def load(self, session_id: str, user_id: str) -> tuple[SessionRecord | None, ParticipantRecord | None]:
        """The session and one person's membership, read together, consistently."""
        ...

    def load_many(
        self, session_ids: Iterable[str], user_id: str
    ) -> dict[str, tuple[SessionRecord, ParticipantRecord | None]]:
        """The same of many sessions, perhaps a moment old; without those that are gone."""
        ...

    def change(self, record: SessionRecord, change: Change, *, now_ms: int) -> SessionRecord | None:
        """Compare and set, from the `record` that was read. `model.changed` says what a change means; seats may have moved.

        None: not active any more, at another version, or more seats are taken than `max_participants` would allow.
        """
        ...

    def end(self, session_id: str, *, now_ms: int, seating: int | None = None) -> bool:
        """Marks it ended and unlists it. False: not active any more, or (where given) `seating` has moved."""
        ...

    def erase_children(self, session_id: str) -> None:
        """Deletes every participant and invite."""
        ...

    def forget(self, session_id: str) -> None:
        """Deletes the session itself; last, so that an interrupted deletion can be found and finished."""
        ...

    def take_seat(self, session_id: str, user_id: str) -> SessionRecord | None:
        """Takes a seat, or keeps it; moves `seating`. None: not active, banned, or full."""
        ...

    def free_seat(self, session_id: str, user_id: str) -> None: ...

    def reclaim_seats(self, session_id: str, user_ids: frozenset[str], *, seating: int) -> bool:
        """Frees seats. False: somebody took or kept a seat since `seating` was read."""
        ...

    def add_participant(self, person: ParticipantRecord, *, now_ms: int) -> bool:
        """False: they are a participant already (one who lapsed is replaced)."""
        ...

    def update_participant(
        self, session_id: str, user_id: str, change: ParticipantChange, *, assigned_at_ms: int | None = None
    ) -> ParticipantRecord | None:
        """None: there is no such participant, or (where given) `assigned_at_ms` has moved."""
        ...

    def drop_participant(self, session_id: str, user_id: str, *, only_pending: bool = False) -> None: ...

    def remember_role(self, session_id: str, user_id: str, former: FormerRole, *, now_ms: int) -> None:
        """Keeps the role of somebody who goes, for FORMER_ROLE_S."""
        ...

    def former_role(self, session_id: str, user_id: str) -> FormerRole | None: ...

    def participants(
        self, session_id: str, *, limit: int, after: str | None
    ) -> tuple[tuple[ParticipantRecord, ...], str | None]:
        """A page by user id, and the user id to continue after."""
        ...

    def participants_of(self, session_id: str, user_ids: Iterable[str]) -> tuple[ParticipantRecord, ...]:
        """Those of the people who are participants, read consistently."""
        ...

    def mine(self, user_id: str, *, limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
        """The sessions that someone is a participant of, the latest joined first."""
        ...

    def public(self, *, limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
        """The listed sessions, newest first."""
        ...

    def put_invite(self, invite: InviteRecord) -> None: ...

    def invite(self, session_id: str, invite_id: str) -> InviteRecord | None: ...

    def invites(self, session_id: str) -> tuple[InviteRecord, ...]: ...

    def use_invite(self, session_id: str, invite_id: str, user_id: str, *, now_ms: int) -> InviteRecord | None:
        """Counts this person's use, once. None: gone, expired or exhausted."""
        ...

    def drop_invite(self, session_id: str, invite_id: str) -> bool:
        """False: there was none."""
        ...

    def hold_invite_slot(self, session_id: str, invite_id: str) -> bool:
        """One of INVITES_PER_SESSION. False: all taken, or the session is not active."""
        ...

    def free_invite_slots(self, session_id: str, invite_ids: frozenset[str]) -> None: ...


class RoomNotifier(Protocol):
    """Reaches who is connected. A connection that cannot be reached is no error."""

    def announce(self, session_id: str, message: ServerMessage) -> None:
        """Tells everyone in the room."""
        ...

    def change_role(self, session_id: str, user_id: str, role: Role) -> None:
        """The connected peers of a person carry another role from now on."""
        ...

    def expel(self, session_id: str, user_id: str, message: ServerMessage) -> None:
        """Tells a person why and closes all of their connections; the others are not told."""
        ...

    def close(self, session_id: str, message: ServerMessage) -> None:
        """Tells everyone, closes every connection and leaves no presence behind."""
        ...


class Occupancy(Protocol):
    """Who is connected."""

    def connected_users(self, session_id: str) -> set[str]: ...


class ActivityLog(Protocol):
    """The feed. Never fails its caller: an entry may be lost, an acknowledged change may not."""

    def record(self, session_id: str, kind: str, user_id: str, name: str, **detail: str) -> None: ...

    def erase(self, session_id: str) -> None:
        """Removes the feed of a session; the one method that may fail (UPSTREAM_UNAVAILABLE)."""
        ...


class Belongings(Protocol):
    """What other rooms keep for a session for as long as it lives."""

    def erase(self, session_id: str) -> None:
        """Removes all of it; UPSTREAM_UNAVAILABLE. May be repeated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside the room."""

    repository: SessionRepository
    notifier: RoomNotifier
    occupancy: Occupancy
    activity: ActivityLog
    documents: Belongings
    now_ms: Callable[[], int]
    random_id: Callable[[int], str]
    """So many characters of a-z0-9, not to be guessed."""
    random_secret: Callable[[], str]
    """22 URL-safe characters, 128 bits."""
    pause: Callable[[int], None]
    """Waits before another attempt (0, 1, ...): jittered."""


def busy() -> AppError:
    """What a caller hears when every attempt met another's change."""
    return AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)
