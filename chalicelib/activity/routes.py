"""The activity feed by REST."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from chalicelib.activity.service import Activity
from chalicelib.endpoint import Authenticate, Call, Routes
from chalicelib.wire import limits
from chalicelib.wire.bodies import ActivityPage
from chalicelib.wire.codes import Code
from chalicelib.wire.types import PageCursor, Value


class ActivityQuery(Value, frozen=True, kw_only=True):
    """A page of the feed."""

    limit: Annotated[int, Meta(ge=1, le=limits.PAGE_MAX, description="entries on a page")] = limits.PAGE_DEFAULT
    cursor: PageCursor | None = None


def routes(authenticate: Authenticate, service: Callable[[], Activity]) -> Routes:
    """The blueprint of this room."""
    r = Routes("activity", authenticate)

    @r.get(
        "/collaboration/sessions/{session_id}/activity",
        query=ActivityQuery,
        response=ActivityPage,
        errors=(
            Code.SESSION_UNKNOWN,
            Code.SESSION_ENDED,
            Code.PARTICIPANT_BANNED,
            Code.ROLE_INSUFFICIENT,
            Code.CURSOR_INVALID,
        ),
    )
    def get_activity(call: Call[ActivityQuery]) -> ActivityPage:
        """What happened in the session in the last thirty days, newest first."""
        query = call.input
        return service().page(call.path["session_id"], call.identity, limit=query.limit, cursor=query.cursor)

    return r
