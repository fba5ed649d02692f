"""Recordings by REST: every route answers, with its status and shape, and documents the codes that it answers."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
import pytest

from chalicelib.voice.recordings_routes import routes
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from chalicelib.wire.tokens import Identity
from chalicelib.wire.voice import Recording, Recordings, RecordingStatus
from tests.fakes.browser import Browser
from tests.fakes.voice import S, who
from tests.unit.voice.test_recordings import Studio

T = TypeVar("T")
ALL = f"/collaboration/sessions/{S}/voice/recordings"
UNKNOWN = f"{ALL}/rec_{'z' * 20}"


@pytest.fixture
def waits() -> dict[str, int]:
    """How long a user has to wait before anything more."""
    return {}


@pytest.fixture
def browser(waits: dict[str, int]) -> Iterator[Browser]:
    """A client of a room with olga, who owns it, and ann in voice."""
    studio = Studio()
    with asyncio.Runner() as runner:

        def run(work: Coroutine[Any, Any, T]) -> T:
            return runner.run(work)

        def authenticate(token: str) -> Identity:
            return who(token)

        for name in ("olga", "ann"):
            run(studio.hall.join(name))
        yield Browser(routes(authenticate, lambda: studio.service, run=run, wait_ms=lambda user: waits.get(user, 0)))


def refused(browser: Browser, code: Code, method: str, path: str, who: str = "ann", **sent: Any) -> None:
    """A call that is refused with a documented code."""
    _, body, _ = browser.call(method, path, who, **sent)
    assert msgspec.convert(body, ErrorBody).code == code
    assert code in browser.endpoint(method, path).errors


def test_start_look_consent_stop_delete(browser: Browser) -> None:
    """Made with 201, changed with 200, deleted with 204; listed for everybody."""
    status, body, _ = browser.call("POST", ALL, "olga", {"name": "Talk"})
    started = msgspec.convert(body, Recording)
    path = f"{ALL}/{started.recording_id}"
    assert (status, started.name) == (201, "Talk")
    status, body, _ = browser.call("GET", ALL, "ann")
    assert (status, msgspec.convert(body, Recordings).recordings) == (200, (started,))
    assert browser.call("PUT", path, "ann", {"consent": True})[0] == 200
    status, body, _ = browser.call("PUT", path, "olga", {"stop": True})
    assert (status, msgspec.convert(body, Recording).status) == (200, RecordingStatus.FINISHING)
    status, body, _ = browser.call("GET", path, "ann")
    assert (status, body["recording_id"]) == (200, started.recording_id)
    refused(browser, Code.RECORDING_NOT_READY, "PUT", path, "olga", body={"mix": True})
    assert browser.call("DELETE", path, "olga")[:2] == (204, None)
    refused(browser, Code.RECORDING_UNKNOWN, "GET", path)


def test_refusals_are_documented(browser: Browser) -> None:
    """Each by the code that the route names."""
    refused(browser, Code.ROLE_INSUFFICIENT, "POST", ALL, "ann", body={})
    refused(browser, Code.VOICE_CHANNEL_UNKNOWN, "POST", ALL, "olga", body={"channel_id": "vch_" + "z" * 12})
    browser.call("POST", ALL, "olga", {})
    refused(browser, Code.RECORDING_UNDER_WAY, "POST", ALL, "olga", body={})
    for method, sent in (("GET", {}), ("PUT", {"body": {"stop": True}}), ("DELETE", {})):
        refused(browser, Code.RECORDING_UNKNOWN, method, UNKNOWN, "olga", **sent)
    refused(browser, Code.PATH_INVALID, "GET", f"{ALL}/rec_short")
    refused(browser, Code.IDENTITY_MISMATCH, "POST", ALL, "olga", body={"user_id": "ann"})


@pytest.mark.parametrize(("method", "path"), [("POST", ALL), ("PUT", UNKNOWN), ("DELETE", UNKNOWN)])
def test_changes_are_limited(browser: Browser, waits: dict[str, int], method: str, path: str) -> None:
    """Looking is not."""
    waits["olga"] = 500
    sent: dict[str, Any] = {"body": {}} if method != "DELETE" else {}
    refused(browser, Code.RATE_LIMITED, method, path, "olga", **sent)
    assert browser.call("GET", ALL, "olga")[0] == 200
