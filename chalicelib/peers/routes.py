"""The real-time plane by REST: ICE servers, opening, joining, leaving, quality. The connections are made by signals."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from chalicelib.endpoint import Authenticate, Call, Nothing, Routes
from chalicelib.peers.plane import Plane
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import (
    IceServers,
    JoinWebRtc,
    LeaveWebRtc,
    OpenWebRtc,
    QualityReport,
    WebRtcSession,
    WebRtcStats,
)

T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine on the container's loop and waits."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


_SESSION: Final = (Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED, Code.ROLE_INSUFFICIENT)
_PAGE: Final = (*_SESSION, Code.PEER_UNKNOWN)


def routes(
    authenticate: Authenticate,
    plane: Callable[[], Plane],
    *,
    run: Run,
    join_wait_ms: Callable[[str], int],
    report_wait_ms: Callable[[str], int],
) -> Routes:
    """The blueprint of this room. `join_wait_ms` is 0 where a user may join or leave now, `report_wait_ms` report."""
    r = Routes("webrtc", authenticate)

    def in_time(wait_ms: int) -> None:
        if wait_ms:
            raise AppError(Code.RATE_LIMITED, retry_after_ms=wait_ms)

    @r.get("/webrtc/ice-servers", response=IceServers)
    def get_ice_servers(call: Call[Nothing]) -> IceServers:
        """STUN and TURN servers, with credentials of your own that end. Ask again before they do; there may be none."""
        return plane().ice_servers(call.identity)

    @r.post("/webrtc/sessions", body=OpenWebRtc, response=WebRtcSession, errors=_SESSION)
    def open_webrtc(call: Call[OpenWebRtc]) -> WebRtcSession:
        """How a room's real-time plane is carried now: by whom, who can be offered to, and your ICE servers."""
        return run(plane().open(call.input.session_id, call.identity))

    @r.post("/webrtc/sessions/{session_id}/join", body=JoinWebRtc, response=WebRtcSession, errors=_PAGE)
    def join_webrtc(call: Call[JoinWebRtc]) -> WebRtcSession:
        """Your page, which has entered the room by WebSocket, can be offered to from now on. Repeating it is harmless."""
        in_time(join_wait_ms(call.identity.user_id))
        return run(plane().join(call.path["session_id"], call.identity, call.input.tab_id))

    @r.post("/webrtc/sessions/{session_id}/leave", body=LeaveWebRtc, response=None, status=204, errors=_SESSION)
    def leave_webrtc(call: Call[LeaveWebRtc]) -> None:
        """Your page is on the WebSocket alone from now on; what it is connected to, it lets go itself."""
        in_time(join_wait_ms(call.identity.user_id))
        run(plane().leave(call.path["session_id"], call.identity, call.input.tab_id))

    @r.get("/webrtc/sessions/{session_id}/stats", response=WebRtcStats, errors=_SESSION)
    def get_webrtc_stats(call: Call[Nothing]) -> WebRtcStats:
        """The newest report of each page that is there, and how the room's last 24 hours were."""
        return run(plane().stats(call.path["session_id"], call.identity))

    @r.post("/webrtc/sessions/{session_id}/stats", body=QualityReport, response=None, status=204, errors=_PAGE)
    def report_quality(call: Call[QualityReport]) -> None:
        """What a page of yours measures of its connections, about every 30 s."""
        in_time(report_wait_ms(call.identity.user_id))
        run(plane().report(call.path["session_id"], call.identity, call.input))

    return r
