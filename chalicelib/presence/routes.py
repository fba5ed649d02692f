"""The presence room by REST: the seed's shared cursors, and who is connected."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from chalicelib.endpoint import Authenticate, Call, Nothing, Routes
from chalicelib.presence.service import Member, Presence
from chalicelib.wire.bodies import CursorList, CursorUpdated, PresenceList, UpdateCursor
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity

T = TypeVar("T")


class Members(Protocol):
    """Resolves a participant who has a seat, or raises the sessions room's codes."""

    def seated(self, session_id: str, identity: Identity) -> Member: ...
    def viewer(self, session_id: str, identity: Identity) -> None: ...


class Run(Protocol):
    """Runs a coroutine on the container's loop and waits."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


_MEMBER = (Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED, Code.ROLE_INSUFFICIENT)


def routes(
    authenticate: Authenticate,
    presence: Callable[[], Presence],
    members: Callable[[], Members],
    *,
    run: Run,
    wait_ms: Callable[[str], int],
) -> Routes:
    """The blueprint of this room. `wait_ms` is 0 where a user may move a cursor now."""
    r = Routes("presence", authenticate)

    @r.get("/collaboration/sessions/{session_id}/cursors", response=CursorList, errors=_MEMBER)
    def get_shared_cursors(call: Call[Nothing]) -> CursorList:
        """The 3D cursors of everyone who points now, at most a minute old."""
        session_id = call.path["session_id"]
        members().viewer(session_id, call.identity)
        return run(presence().cursors(session_id))

    @r.post(
        "/collaboration/sessions/{session_id}/cursors",
        body=UpdateCursor,
        response=CursorUpdated,
        errors=(*_MEMBER, Code.PARTICIPANT_NOT_JOINED),
    )
    def update_shared_cursor(call: Call[UpdateCursor]) -> CursorUpdated:
        """Moves your 3D cursor without a WebSocket. Everyone in the room sees it; it expires after a minute."""
        too_soon_ms = wait_ms(call.identity.user_id)
        if too_soon_ms:
            raise AppError(Code.RATE_LIMITED, retry_after_ms=too_soon_ms)
        member = members().seated(call.path["session_id"], call.identity)
        run(presence().point(member, call.input))
        return CursorUpdated(success=True, message="Cursor updated successfully")

    @r.get("/collaboration/sessions/{session_id}/presence", response=PresenceList, errors=_MEMBER)
    def get_presence(call: Call[Nothing]) -> PresenceList:
        """Who is connected now, page by page of each person, with their last known state."""
        session_id = call.path["session_id"]
        members().viewer(session_id, call.identity)
        return run(presence().presence(session_id))

    return r
