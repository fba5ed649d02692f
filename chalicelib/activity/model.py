"""What happened in a session, as its feed tells it. Pure.

Kinds are `noun.verb`. Those of today are in KINDS; later rooms (edits, voice, screens) add theirs. A detail is a few
short words: ids, roles, names; never what somebody said or wrote.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from chalicelib.sessions.model import Permission
from chalicelib.sessions.paging import Position
from chalicelib.wire.bodies import ActivityEvent
from chalicelib.wire.tokens import Identity

KINDS: Final = frozenset(
    {
        "session.created",
        "session.updated",
        "participant.joined",
        "participant.left",
        "participant.removed",
        "participant.role_changed",
        "owner.changed",
        "invite.created",
        "invite.revoked",
        "lock.broken",
        "document.created",
        "document.deleted",
        "document.rolled_back",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. `mark` (a-z0-9) tells entries of one millisecond apart."""

    session_id: str
    at_ms: int
    mark: str
    kind: str
    user_id: str
    name: str
    detail: dict[str, str] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """Its place in the feed."""
        return Position(self.at_ms, self.mark)

    def as_event(self) -> ActivityEvent:
        """As it is told."""
        return ActivityEvent(
            event_id=f"{self.at_ms:013d}{self.mark}",
            kind=self.kind,
            at_ms=self.at_ms,
            user_id=self.user_id,
            name=self.name,
            detail=self.detail,
        )


class Feed(Protocol):
    """The stored entries; UPSTREAM_UNAVAILABLE is the only error."""

    def append(self, entry: Entry) -> None: ...

    def page(self, session_id: str, *, limit: int, after: Position | None) -> tuple[tuple[Entry, ...], Position | None]:
        """Newest first, and where to continue."""
        ...

    def erase(self, session_id: str) -> None: ...


class Members(Protocol):
    """The gate of the sessions room: raises its codes for whoever lacks a permission."""

    def member(self, session_id: str, identity: Identity, permission: Permission) -> object: ...


Lost = Callable[[str, str], None]
"""Is told the session and the kind of an entry that could not be stored."""
