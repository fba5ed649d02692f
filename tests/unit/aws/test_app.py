"""Chalice's app: threads that never see one another, and its own refusals in our shape."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.aws.app import HolodeckApp
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.decode import decode_body
from tests.fakes.notes import SECRET, notes_app
from tests.fakes.rest import call


@pytest.fixture(scope="module")
def app() -> HolodeckApp:
    """An app with the room of notes."""
    return notes_app()


# -- threads --


def test_threads_never_see_one_another(app: HolodeckApp) -> None:
    """8 threads, 200 requests each: every answer is its own request's (Chalice's own app fails 199 of 200)."""

    def work(person: int) -> list[str]:
        wrong = []
        for turn in range(200):
            user, request_id = f"user-{person}-{turn}", f"req-{person}-{turn}"
            session_id = f"ses_{person}{turn:019d}"
            limit = 1 + (person + turn) % 10
            answer = call(
                app,
                "GET",
                "/notes/{session_id}",
                path={"session_id": session_id},
                query={"limit": str(limit)},
                token=user,
                request_id=request_id,
            )
            expected: dict[str, Any] = {
                "user_id": user,
                "path": {"session_id": session_id},
                "correlation_id": request_id,
                "limit": limit,
            }
            if answer.json != expected:
                wrong.append(answer.text)
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert [w for found in pool.map(work, range(8)) for w in found] == []


def test_the_request_is_the_threads_own_and_none_without_one(app: HolodeckApp) -> None:
    """`current_request` and `lambda_context` are of the request's own context."""
    call(app, "POST", "/open", body={"text": "hi"})
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: app.current_request).result() is None
        assert pool.submit(lambda: app.lambda_context).result() is None


# -- what Chalice itself says --


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (json.dumps({"Code": "NotFoundError", "Message": SECRET}), Code.ROUTE_UNKNOWN),
        (json.dumps({"Code": "Whatever", "Message": SECRET}), Code.INTERNAL),
        (json.dumps([SECRET]), Code.INTERNAL),
        (json.dumps({"Message": SECRET}), Code.INTERNAL),
        (SECRET, Code.INTERNAL),
        (None, Code.INTERNAL),
    ],
    ids=range(6),
)
def test_what_chalice_refuses_leaves_in_our_shape(body: str | None, code: Code) -> None:
    """And without its words."""
    from chalicelib.aws.app import _ours  # noqa: PLC0415 - the mapping itself; Chalice makes these bodies rarely

    mapped = _ours({"statusCode": 404, "headers": {"X-More": "1"}, "body": body}, "req-1")
    assert decode_body(mapped["body"], ErrorBody) == ErrorBody(code=code, message=MESSAGE[code], correlation_id="req-1")
    assert mapped["headers"]["X-More"] == "1"
    assert mapped["headers"]["Content-Type"] == "application/json"
