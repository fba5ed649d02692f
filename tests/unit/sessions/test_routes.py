"""The sessions room by REST: every route answers, with its status, its shape and its errors."""

import msgspec
import pytest

from chalicelib.sessions.routes import routes
from chalicelib.wire.bodies import (
    ErrorBody,
    Invite,
    InviteList,
    JoinResult,
    LeaveResult,
    Participant,
    ParticipantList,
    Session,
    SessionList,
)
from chalicelib.wire.codes import Code
from chalicelib.wire.types import Role, Visibility
from tests.fakes.browser import Browser
from tests.fakes.sessions import House, account

UNKNOWN = "ses_" + "z" * 20


@pytest.fixture
def browser(house: House) -> Browser:
    """A client of a fresh house."""
    return Browser(routes(account, lambda: house.sessions))


@pytest.fixture
def room(house: House) -> str:
    """A session of ann's with bob, an editor, in it."""
    session_id = house.room()
    house.enter(session_id, "bob")
    return session_id


def test_create_and_read(browser: Browser) -> None:
    """A session is created with 201 and read with the ETag of its version."""
    status, body, headers = browser.call("POST", "/sessions", body={"name": "Room"})
    session = msgspec.convert(body, Session)
    assert (status, session.role, headers["ETag"]) == (201, Role.OWNER, '"1"')
    status, body, headers = browser.call("GET", f"/sessions/{session.session_id}", "bob")
    assert (status, msgspec.convert(body, Session).role, headers["ETag"]) == (200, None, '"1"')


def test_lists(browser: Browser, house: House) -> None:
    """One's own and the public sessions are listed in pages."""
    for _ in range(3):
        house.room(visibility=Visibility.PUBLIC)
    for scope in ("mine", "public"):
        status, body, _ = browser.call("GET", "/sessions", query={"scope": scope, "limit": "2"})
        page = msgspec.convert(body, SessionList)
        assert (status, len(page.sessions)) == (200, 2)
        _, body, _ = browser.call("GET", "/sessions", query={"scope": scope, "cursor": str(page.next_cursor)})
        assert len(msgspec.convert(body, SessionList).sessions) == 1
    assert browser.call("GET", "/sessions")[0] == 200


def test_update(browser: Browser, room: str) -> None:
    """An update answers the new session and its ETag; one from a passed version is 412."""
    status, body, headers = browser.call("PUT", f"/sessions/{room}", body={"name": "New"}, if_match='"1"')
    assert (status, msgspec.convert(body, Session).name, headers["ETag"]) == (200, "New", '"2"')
    status, body, _ = browser.call("PUT", f"/sessions/{room}", body={"name": "Newer"}, if_match='"1"')
    assert (status, msgspec.convert(body, ErrorBody).code) == (412, Code.VERSION_CONFLICT)


def test_delete(browser: Browser, room: str) -> None:
    """A deletion answers 204 and nothing; afterwards there is nothing."""
    assert browser.call("DELETE", f"/sessions/{room}")[:2] == (204, None)
    assert browser.call("GET", f"/sessions/{room}")[0] == 404


def test_join_and_leave(browser: Browser, room: str) -> None:
    """Joining answers session and participant, leaving what became of the session."""
    status, body, _ = browser.call("POST", f"/sessions/{room}/join", "cyd", body={"color": "#aabbcc"})
    joined = msgspec.convert(body, JoinResult)
    assert (status, joined.participant.color, joined.session.participant_count) == (200, "#aabbcc", 3)
    status, body, _ = browser.call("POST", f"/sessions/{room}/leave", "ann", body={})
    assert (status, msgspec.convert(body, LeaveResult).new_owner_id) == (200, "bob")


def test_participants(browser: Browser, room: str) -> None:
    """Participants are listed in pages, given roles, and removed."""
    status, body, _ = browser.call("GET", f"/sessions/{room}/participants", query={"limit": "1"})
    page = msgspec.convert(body, ParticipantList)
    assert (status, page.participants[0].user_id) == (200, "ann")
    _, body, _ = browser.call("GET", f"/sessions/{room}/participants", query={"cursor": str(page.next_cursor)})
    assert [p.user_id for p in msgspec.convert(body, ParticipantList).participants] == ["bob"]
    status, body, _ = browser.call("PUT", f"/sessions/{room}/participants/bob", body={"role": "viewer"})
    assert (status, msgspec.convert(body, Participant).role) == (200, Role.VIEWER)
    status, body, _ = browser.call("DELETE", f"/sessions/{room}/participants/bob", query={"ban": "true"})
    assert (status, body) == (204, None)
    assert browser.call("GET", f"/sessions/{room}", "bob")[0] == 403


def test_invites(browser: Browser, room: str) -> None:
    """Invites are made with their code, listed without, and revoked."""
    status, body, _ = browser.call("POST", f"/sessions/{room}/invites", body={"role": "viewer"})
    made = msgspec.convert(body, Invite)
    assert status == 201
    assert made.code is not None
    status, body, _ = browser.call("GET", f"/sessions/{room}/invites")
    assert [i.code for i in msgspec.convert(body, InviteList).invites] == [None]
    assert browser.call("DELETE", f"/sessions/{room}/invites/{made.invite_id}")[:2] == (204, None)
    assert browser.call("DELETE", f"/sessions/{room}/invites/{made.invite_id}")[0] == 404


REFUSALS: list[tuple[str, str, str, object, dict[str, str] | None, Code]] = [
    ("POST", "/sessions", "ann", {"name": ""}, None, Code.BODY_INVALID),
    ("POST", "/sessions", "ann", {"name": "x", "settings": {"default_role": "owner"}}, None, Code.BODY_INVALID),
    ("GET", "/sessions", "ann", None, {"cursor": "abc"}, Code.CURSOR_INVALID),
    ("GET", "/sessions", "ann", None, {"limit": "101"}, Code.QUERY_INVALID),
    ("GET", "/sessions", "ann", None, {"scope": "all"}, Code.QUERY_INVALID),
    ("GET", "/sessions", "ann", None, {"more": "1"}, Code.QUERY_INVALID),
    ("GET", f"/sessions/{UNKNOWN}", "ann", None, None, Code.SESSION_UNKNOWN),
    ("GET", "/sessions/ses_x", "ann", None, None, Code.PATH_INVALID),
    ("PUT", "/sessions/ROOM", "bob", {"name": "x"}, None, Code.ROLE_INSUFFICIENT),
    ("PUT", "/sessions/ROOM", "ann", {"max_participants": 1}, None, Code.SESSION_SMALLER_THAN_OCCUPANCY),
    ("DELETE", "/sessions/ROOM", "bob", None, None, Code.ROLE_INSUFFICIENT),
    ("POST", "/sessions/ROOM/join", "eve", {"user_id": "bob"}, None, Code.IDENTITY_MISMATCH),
    ("POST", "/sessions/ROOM/join", "eve", {"invite": f"{UNKNOWN}.{'x' * 22}"}, None, Code.INVITE_UNKNOWN),
    ("POST", "/sessions/ROOM/leave", "eve", {}, None, Code.PARTICIPANT_NOT_JOINED),
    ("GET", "/sessions/ROOM/participants", "eve", None, None, Code.ROLE_INSUFFICIENT),
    ("GET", "/sessions/ROOM/participants", "ann", None, {"cursor": "abc"}, Code.CURSOR_INVALID),
    ("PUT", "/sessions/ROOM/participants/eve", "ann", {"role": "viewer"}, None, Code.PARTICIPANT_UNKNOWN),
    ("PUT", "/sessions/ROOM/participants/ann", "ann", {"role": "viewer"}, None, Code.OWNER_REQUIRED),
    ("DELETE", "/sessions/ROOM/participants/ann", "ann", None, None, Code.OWNER_REQUIRED),
    ("DELETE", "/sessions/ROOM/participants/bob", "ann", None, {"ban": "perhaps"}, Code.QUERY_INVALID),
    ("POST", "/sessions/ROOM/invites", "bob", {"role": "owner"}, None, Code.ROLE_INSUFFICIENT),
    ("DELETE", f"/sessions/ROOM/invites/inv_{'0' * 20}", "ann", None, None, Code.INVITE_UNKNOWN),
]


@pytest.mark.parametrize(
    ("method", "path", "user_id", "body", "query", "code"),
    REFUSALS,
    ids=[f"{m} {p} {c}" for m, p, _, _, _, c in REFUSALS],
)
def test_refusals(
    browser: Browser,
    room: str,
    method: str,
    path: str,
    user_id: str,
    body: object,
    query: dict[str, str] | None,
    code: Code,
) -> None:
    """What is refused answers the code, and every route documents the codes it answers."""
    target = path.replace("ROOM", room)
    status, answer, _ = browser.call(method, target, user_id, body, query)
    error = msgspec.convert(answer, ErrorBody)
    assert error.code is code
    assert code in browser.endpoint(method, target).errors
    assert status >= 400
