"""The activity feed of a session: what happened, newest first, for thirty days.

An entry is a courtesy, not a record: storing one never fails the operation that it tells of.
"""

from collections.abc import Callable

from chalicelib.activity.model import Entry, Feed, Lost, Members
from chalicelib.sessions.model import Permission
from chalicelib.sessions.paging import decode_cursor, encode_cursor
from chalicelib.wire.bodies import ActivityPage
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity


class Activity:
    """Writes and reads the feed. It is the sessions room's ActivityLog."""

    def __init__(
        self,
        feed: Feed,
        members: Callable[[], Members],
        *,
        now_ms: Callable[[], int],
        random_id: Callable[[int], str],
        lost: Lost,
    ) -> None:
        self._feed = feed
        self._members = members
        self._now_ms = now_ms
        self._random_id = random_id
        self._lost = lost

    def record(self, session_id: str, kind: str, user_id: str, name: str, **detail: str) -> None:
        """Adds an entry, or tells `lost`."""
        entry = Entry(
            session_id=session_id,
            at_ms=self._now_ms(),
            mark=self._random_id(12),
            kind=kind,
            user_id=user_id,
            name=name,
            detail=detail,
        )
        try:
            self._feed.append(entry)
        except AppError:
            self._lost(session_id, kind)

    def page(self, session_id: str, identity: Identity, *, limit: int, cursor: str | None) -> ActivityPage:
        """A page, newest first, for whoever has Permission.SEE_ACTIVITY; CURSOR_INVALID."""
        self._members().member(session_id, identity, Permission.SEE_ACTIVITY)
        listing = f"activity {session_id}"
        after = decode_cursor(listing, cursor)
        entries, last = self._feed.page(session_id, limit=limit, after=after)
        return ActivityPage(
            events=tuple(entry.as_event() for entry in entries), next_cursor=encode_cursor(listing, last)
        )

    def erase(self, session_id: str) -> None:
        """Deletes the feed of a session that is over."""
        self._feed.erase(session_id)
