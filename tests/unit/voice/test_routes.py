"""Voice by REST: every route answers, with its status and shape, and documents the codes that it answers."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
import pytest

from chalicelib.voice.routes import routes
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from chalicelib.wire.tokens import Identity
from chalicelib.wire.voice import VoiceBlocks, VoiceChannel, VoiceChannels, VoiceJoined, VoicePerson, VoiceState
from tests.fakes.browser import Browser
from tests.fakes.voice import TAB, Hall, S, who

T = TypeVar("T")
VOICE = f"/collaboration/sessions/{S}/voice"
PAGE = {"tab_id": TAB}


@pytest.fixture
def waits() -> dict[str, int]:
    """How long a user has to wait before anything more."""
    return {}


@pytest.fixture
def browser(waits: dict[str, int]) -> Iterator[Browser]:
    """A client of a room with a page of ann's and one of bob's; olga owns it."""
    hall = Hall()
    with asyncio.Runner() as runner:

        def run(work: Coroutine[Any, Any, T]) -> T:
            return runner.run(work)

        def authenticate(token: str) -> Identity:
            return who(token)

        for name in ("ann", "bob"):
            run(hall.page(name))
        yield Browser(routes(authenticate, lambda: hall.voice, run=run, wait_ms=lambda user: waits.get(user, 0)))


def refused(browser: Browser, code: Code, method: str, path: str, who: str = "ann", **sent: Any) -> None:
    """A call that is refused with a documented code."""
    _, body, _ = browser.call(method, path, who, **sent)
    assert msgspec.convert(body, ErrorBody).code == code
    assert code in browser.endpoint(method, path).errors


def test_join_state_leave(browser: Browser) -> None:
    """The page is in it and out of it; leaving has no body, and names the page in its query."""
    status, body, _ = browser.call("POST", VOICE, "ann", PAGE)
    joined = msgspec.convert(body, VoiceJoined)
    assert (status, joined.message) == (200, "Voice chat joined successfully")
    status, body, _ = browser.call("GET", VOICE, "bob")
    assert (status, msgspec.convert(body, VoiceState)) == (200, joined.voice)
    assert browser.call("DELETE", VOICE, "ann", query=PAGE)[:2] == (204, None)
    assert browser.call("GET", VOICE, "bob")[1]["people"] == []


def test_channels(browser: Browser) -> None:
    """Made with 201, changed with 200, deleted with 204; listed for everybody."""
    status, body, _ = browser.call("POST", f"{VOICE}/channels", "olga", {"name": "Stage", "kind": "stage"})
    channel = msgspec.convert(body, VoiceChannel)
    assert (status, channel.kind) == (201, "stage")
    path = f"{VOICE}/channels/{channel.channel_id}"
    status, body, _ = browser.call("PUT", path, "olga", {"name": "Hall", "capacity": 9})
    assert (status, msgspec.convert(body, VoiceChannel).capacity) == (200, 9)
    status, body, _ = browser.call("GET", f"{VOICE}/channels", "ann")
    assert (status, [c.name for c in msgspec.convert(body, VoiceChannels).channels]) == (200, ["Main", "Hall"])
    assert browser.call("DELETE", path, "olga")[:2] == (204, None)
    refused(browser, Code.VOICE_CHANNEL_UNKNOWN, "DELETE", path, "olga")
    refused(browser, Code.VOICE_CHANNEL_FIXED, "DELETE", f"{VOICE}/channels/main", "olga")


def test_people(browser: Browser) -> None:
    """Changed by themselves, and by owners."""
    browser.call("POST", VOICE, "ann", PAGE)
    path = f"{VOICE}/participants/ann"
    status, body, _ = browser.call("PUT", path, "ann", {"hand_raised": True})
    assert (status, bool(msgspec.convert(body, VoicePerson).hand_raised_at_ms)) == (200, True)
    status, body, _ = browser.call("PUT", path, "olga", {"muted": True, "hand_raised": False})
    assert (status, body["muted"], body.get("hand_raised_at_ms")) == (200, True, None)
    refused(browser, Code.ROLE_INSUFFICIENT, "PUT", path, "bob", body={"muted": False})
    refused(browser, Code.VOICE_NOT_JOINED, "PUT", f"{VOICE}/participants/bob", "bob", body={"self_muted": True})
    refused(browser, Code.PARTICIPANT_UNKNOWN, "PUT", f"{VOICE}/participants/zoe", "olga", body={"muted": True})


def test_blocks(browser: Browser) -> None:
    """One's own, set and taken away by path."""
    path = f"{VOICE}/blocks/bob"
    status, body, _ = browser.call("PUT", path, "ann", {})
    assert (status, msgspec.convert(body, VoiceBlocks).blocked) == (200, ("bob",))
    assert browser.call("GET", f"{VOICE}/blocks", "bob")[1] == {"blocked": []}
    assert browser.call("DELETE", path, "ann")[:2] == (204, None)
    assert browser.call("GET", f"{VOICE}/blocks", "ann")[1] == {"blocked": []}
    assert browser.call("PUT", f"{VOICE}/blocks/ann", "ann", {})[1] == {"blocked": []}


EVERY_CHANGE = [
    ("POST", VOICE, {"body": PAGE}),
    ("DELETE", VOICE, {"query": PAGE}),
    ("POST", f"{VOICE}/channels", {"body": {"name": "Side"}}),
    ("PUT", f"{VOICE}/channels/main", {"body": {"name": "Side"}}),
    ("DELETE", f"{VOICE}/channels/main", {}),
    ("PUT", f"{VOICE}/participants/ann", {"body": {}}),
    ("PUT", f"{VOICE}/blocks/bob", {"body": {}}),
    ("DELETE", f"{VOICE}/blocks/bob", {}),
]


@pytest.mark.parametrize(("method", "path", "sent"), EVERY_CHANGE, ids=range(8))
def test_changes_are_limited(
    browser: Browser, waits: dict[str, int], method: str, path: str, sent: dict[str, Any]
) -> None:
    """A person's, all together; reading is not."""
    waits["ann"] = 500
    status, body, headers = browser.call(method, path, "ann", **sent)
    assert (status, body["code"], headers["Retry-After"]) == (429, Code.RATE_LIMITED, "1")
    assert browser.call("GET", VOICE, "ann")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", VOICE, {"body": {**PAGE, "user_id": "bob"}}),
        ("DELETE", VOICE, {"query": {**PAGE, "user_id": "bob"}}),
        ("POST", f"{VOICE}/channels", {"body": {"name": "Side", "user_id": "bob"}}),
        ("PUT", f"{VOICE}/channels/main", {"body": {"name": "Side", "user_id": "bob"}}),
        ("PUT", f"{VOICE}/participants/ann", {"body": {"user_id": "bob"}}),
    ],
    ids=range(5),
)
def test_identity_is_the_tokens(browser: Browser, method: str, path: str, sent: dict[str, Any]) -> None:
    """An id in a body or a query that differs is an error."""
    assert browser.call(method, path, "ann", **sent)[1]["code"] == Code.IDENTITY_MISMATCH


@pytest.mark.parametrize(
    ("method", "path", "sent", "code"),
    [
        ("POST", VOICE, {"body": {}}, Code.BODY_INVALID),
        ("POST", VOICE, {"body": {**PAGE, "channel_id": "side"}}, Code.BODY_INVALID),
        ("DELETE", VOICE, {}, Code.QUERY_INVALID),
        ("POST", f"{VOICE}/channels", {"body": {"name": ""}}, Code.BODY_INVALID),
        ("POST", f"{VOICE}/channels", {"body": {"name": "Side", "capacity": 0}}, Code.BODY_INVALID),
        ("PUT", f"{VOICE}/channels/side", {"body": {"name": "Side"}}, Code.PATH_INVALID),
        ("PUT", f"{VOICE}/participants/ann", {"body": {"muted": "yes"}}, Code.BODY_INVALID),
        ("PUT", f"{VOICE}/blocks/bob", {"body": {"x": 1}}, Code.BODY_INVALID),
    ],
    ids=range(8),
)
def test_what_is_none_is_refused(browser: Browser, method: str, path: str, sent: dict[str, Any], code: Code) -> None:
    """Bodies, queries and paths, each of its rules."""
    refused(browser, code, method, path, "olga", **sent)
