"""The real-time plane by REST: every route answers, with its status and shape, and documents the codes that it answers."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
import pytest

from chalicelib.peers.routes import routes
from chalicelib.wire import limits
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from chalicelib.wire.peers import IceServers, WebRtcSession, WebRtcStats
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UserKind
from tests.fakes.browser import Browser
from tests.fakes.plane import SESSION, MemoryPage, Planes

T = TypeVar("T")
PLANE = f"/webrtc/sessions/{SESSION}"
TAB = {"tab_id": "tab00001"}
REPORT = {**TAB, "carrier": "mesh", "score": 3, "links": [{"peer_id": "bob.tab00001", "path": "direct", "score": 4}]}


@pytest.fixture
def waits() -> dict[str, int]:
    """How long a user has to wait before anything more."""
    return {}


@pytest.fixture
def browser(waits: dict[str, int]) -> Iterator[Browser]:
    """A client of a fresh room with a page of ann's and one of bob's."""
    planes = Planes()
    planes.room.add(MemoryPage("ann.tab00001"), MemoryPage("bob.tab00002", rtc=True))
    with asyncio.Runner() as runner:

        def run(work: Coroutine[Any, Any, T]) -> T:
            return runner.run(work)

        def who(user_id: str) -> Identity:
            return Identity(user_id, user_id.title(), UserKind.ACCOUNT)

        def wait_ms(user_id: str) -> int:
            return waits.get(user_id, 0)

        yield Browser(routes(who, lambda: planes.plane, run=run, join_wait_ms=wait_ms, report_wait_ms=wait_ms))


def test_ice_servers(browser: Browser) -> None:
    """For anybody with a token, a stranger to every session too."""
    status, body, _ = browser.call("GET", "/webrtc/ice-servers", "zoe")
    told = msgspec.convert(body, IceServers)
    assert (status, told.ttl_s) == (200, limits.ICE_TTL_S)
    assert "username" not in body["ice_servers"][0]
    assert body["ice_servers"][1]["username"].endswith(":zoe")


def test_open_join_leave(browser: Browser) -> None:
    """Each answers the room's plane, but leaving, which answers 204."""
    status, body, _ = browser.call("POST", "/webrtc/sessions", "ann", {"session_id": SESSION})
    assert (status, msgspec.convert(body, WebRtcSession).peers) == (200, ("bob.tab00002",))
    status, body, _ = browser.call("POST", f"{PLANE}/join", "ann", TAB)
    assert (status, msgspec.convert(body, WebRtcSession).peers) == (200, ("bob.tab00002",))
    assert browser.call("POST", f"{PLANE}/leave", "ann", TAB)[:2] == (204, None)


def test_stats(browser: Browser) -> None:
    """Reported with 204, seen by the others."""
    assert browser.call("POST", f"{PLANE}/stats", "ann", REPORT)[:2] == (204, None)
    status, body, _ = browser.call("GET", f"{PLANE}/stats", "bob")
    assert (status, [q.peer_id for q in msgspec.convert(body, WebRtcStats).peers]) == (200, ["ann.tab00001"])


@pytest.mark.parametrize(("what", "sent"), [("stats", REPORT), ("join", TAB), ("leave", TAB)])
def test_what_costs_others_is_limited(browser: Browser, waits: dict[str, int], what: str, sent: dict[str, Any]) -> None:
    """Each person's, and told when to come again."""
    waits["ann"] = 1500
    status, body, headers = browser.call("POST", f"{PLANE}/{what}", "ann", sent)
    error = msgspec.convert(body, ErrorBody)
    assert (status, error.code, error.retry_after_ms, headers["Retry-After"]) == (429, Code.RATE_LIMITED, 1500, "2")
    assert browser.call("POST", f"{PLANE}/{what}", "bob", {**sent, "tab_id": "tab00002"})[0] in {200, 204}


WRONG = {**TAB, "user_id": "bob"}
LOST = "/webrtc/sessions/ses_" + "b" * 20
LINK = {"peer_id": "bob.tab00001", "path": "direct", "score": 4}
REFUSALS: list[tuple[str, str, str, object, Code]] = [
    ("POST", "/webrtc/sessions", "zoe", {"session_id": SESSION}, Code.ROLE_INSUFFICIENT),
    ("POST", "/webrtc/sessions", "eve", {"session_id": SESSION}, Code.PARTICIPANT_BANNED),
    ("POST", "/webrtc/sessions", "ann", {"session_id": "ses_" + "b" * 20}, Code.SESSION_UNKNOWN),
    ("POST", "/webrtc/sessions", "ann", {"session_id": "elsewhere"}, Code.BODY_INVALID),
    ("POST", "/webrtc/sessions", "ann", {"session_id": SESSION, "user_id": "bob"}, Code.IDENTITY_MISMATCH),
    ("POST", f"{PLANE}/join", "ann", {"tab_id": "tab00002"}, Code.PEER_UNKNOWN),
    ("POST", f"{PLANE}/join", "ann", WRONG, Code.IDENTITY_MISMATCH),
    ("POST", f"{PLANE}/join", "eve", TAB, Code.PARTICIPANT_BANNED),
    ("POST", f"{LOST}/join", "ann", TAB, Code.SESSION_UNKNOWN),
    ("POST", "/webrtc/sessions/here/join", "ann", TAB, Code.PATH_INVALID),
    ("POST", f"{PLANE}/leave", "zoe", TAB, Code.ROLE_INSUFFICIENT),
    ("POST", f"{PLANE}/leave", "ann", WRONG, Code.IDENTITY_MISMATCH),
    ("POST", f"{PLANE}/leave", "ann", {}, Code.BODY_INVALID),
    ("GET", f"{PLANE}/stats", "eve", None, Code.PARTICIPANT_BANNED),
    ("GET", f"{LOST}/stats", "ann", None, Code.SESSION_UNKNOWN),
    ("POST", f"{PLANE}/stats", "ann", {**REPORT, "tab_id": "tab00002"}, Code.PEER_UNKNOWN),
    ("POST", f"{PLANE}/stats", "ann", {**REPORT, "user_id": "bob"}, Code.IDENTITY_MISMATCH),
    ("POST", f"{PLANE}/stats", "ann", {**REPORT, "score": 5}, Code.BODY_INVALID),
    ("POST", f"{PLANE}/stats", "ann", {**REPORT, "links": [LINK] * 17}, Code.BODY_INVALID),
    ("POST", f"{PLANE}/stats", "ann", {**REPORT, "links": [{**LINK, "loss": 1.5}]}, Code.BODY_INVALID),
    ("POST", f"{PLANE}/stats", "zoe", REPORT, Code.ROLE_INSUFFICIENT),
]


@pytest.mark.parametrize(
    ("method", "path", "user_id", "body", "code"),
    REFUSALS,
    ids=[f"{n} {method} {path.rpartition('/')[2]} {code}" for n, (method, path, _, _, code) in enumerate(REFUSALS)],
)
def test_refusals(browser: Browser, method: str, path: str, user_id: str, body: object, code: Code) -> None:
    """What is refused answers the code, and every route documents the codes it answers."""
    status, answer, _ = browser.call(method, path, user_id, body)
    assert msgspec.convert(answer, ErrorBody).code is code
    assert code in browser.endpoint(method, path).errors
    assert status >= 400
