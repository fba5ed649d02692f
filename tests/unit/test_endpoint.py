"""The edge of REST: what every route checks, and the one shape of every error."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.aws.app import HolodeckApp
from chalicelib.wire import limits
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import MESSAGE, STATUS, Code
from chalicelib.wire.decode import decode_body
from tests.fakes.notes import SECRET, SESSION, Records, notes_app, room
from tests.fakes.rest import Answer, call


@pytest.fixture(scope="module")
def app() -> HolodeckApp:
    """An app with the room of notes."""
    return notes_app()


@pytest.fixture
def logged() -> Iterator[Records]:
    """What the edge logs."""
    handler = Records()
    logger = logging.getLogger("holodeck")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def assert_error(answer: Answer, code: Code) -> None:
    """The one shape, with its status and headers."""
    body = decode_body(answer.text, ErrorBody)
    assert (answer.status, body.code) == (STATUS[code], code)
    assert body.message.startswith(MESSAGE[code])
    assert body.correlation_id == answer.headers["X-Correlation-Id"] == "req-1"
    assert answer.headers["Content-Type"] == "application/json"


# -- success --


def test_a_view_gets_the_identity_the_path_and_the_query(app: HolodeckApp) -> None:
    """Typed, and with the request's own id to correlate by."""
    answer = call(app, "GET", "/notes/{session_id}", path={"session_id": SESSION}, query={"limit": "7"}, token="ada")
    assert answer.status == 200
    assert answer.json == {"user_id": "ada", "path": {"session_id": SESSION}, "correlation_id": "req-1", "limit": 7}
    assert answer.headers["X-Correlation-Id"] == "req-1"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_created_thing_answers_201(app: HolodeckApp) -> None:
    """As the route says."""
    answer = call(app, "POST", "/notes", body={"text": "hi", "user_id": "ada"}, token="ada")
    assert (answer.status, answer.json["text"]) == (201, "hi")


def test_a_removal_answers_204_without_a_body(app: HolodeckApp) -> None:
    """RFC 9110 section 15.3.5."""
    answer = call(app, "DELETE", "/notes/{session_id}", path={"session_id": SESSION}, token="ada")
    assert (answer.status, answer.text) == (204, "")


def test_an_empty_body_is_an_empty_object(app: HolodeckApp) -> None:
    """So it lacks what is required, and is not malformed."""
    assert_error(call(app, "POST", "/notes", token="ada"), Code.BODY_INVALID)


def test_a_media_type_may_have_parameters(app: HolodeckApp) -> None:
    """`application/json; charset=utf-8` is what many clients send."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert call(app, "POST", "/notes", body={"text": "hi"}, token="ada", headers=headers).status == 201


# -- who asks --


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer    ", "Basic YWRhOmFkYQ==", "ada"])
def test_a_route_without_a_bearer_token_answers_401(app: HolodeckApp, header: str | None) -> None:
    """Deny unless public."""
    headers = {} if header is None else {"Authorization": header}
    answer = call(app, "GET", "/notes/{session_id}", path={"session_id": SESSION}, headers=headers)
    assert_error(answer, Code.TOKEN_MISSING)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["bearer ada", "BEARER ada", "Bearer  ada "])
def test_the_schemes_name_is_not_case_sensitive(app: HolodeckApp, header: str) -> None:
    """RFC 9110 section 11.1."""
    answer = call(app, "GET", "/notes/{session_id}", path={"session_id": SESSION}, headers={"authorization": header})
    assert answer.json["user_id"] == "ada"


@pytest.mark.parametrize(("token", "code"), [("bad", Code.TOKEN_INVALID), ("expired", Code.TOKEN_EXPIRED)])
def test_a_refused_token_is_401_before_anything_is_looked_at(app: HolodeckApp, token: str, code: Code) -> None:
    """Neither the path nor the body tells a stranger anything."""
    assert_error(call(app, "PUT", "/notes/{session_id}", path={"session_id": "?"}, raw=b"{", token=token), code)


def test_a_public_route_needs_no_token_until_its_view_asks(app: HolodeckApp) -> None:
    """Then it is missing."""
    assert call(app, "POST", "/open", body={"text": "hi"}).status == 200
    assert_error(call(app, "POST", "/open", body={"text": "who"}), Code.TOKEN_MISSING)


def test_a_body_that_names_another_user_is_refused(app: HolodeckApp) -> None:
    """The user is always the token's."""
    assert_error(
        call(app, "POST", "/notes", body={"text": "hi", "user_id": "eve"}, token="ada"), Code.IDENTITY_MISMATCH
    )
    assert call(app, "POST", "/notes", body={"text": "hi", "user_id": "ada"}, token="ada").status == 201
    assert call(app, "POST", "/open", body={"text": "hi", "user_id": "eve"}).status == 200


# -- what is asked --


@pytest.mark.parametrize("given", ["ses_", "SES_" + "a" * 20, SESSION + "\n", SESSION + "a", "../etc", "%00", "ü"])
def test_a_path_of_another_shape_is_refused(app: HolodeckApp, given: str) -> None:
    """Before the view."""
    assert_error(call(app, "GET", "/notes/{session_id}", path={"session_id": given}, token="ada"), Code.PATH_INVALID)


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"limit": "1.5"}, {"limit": ""}, {"deep": "maybe"}, {"x": "1"}]
)
def test_a_query_of_another_shape_is_refused(app: HolodeckApp, query: dict[str, str]) -> None:
    """Also one with parameters that nobody knows."""
    answer = call(app, "GET", "/notes/{session_id}", path={"session_id": SESSION}, query=query, token="ada")
    assert_error(answer, Code.QUERY_INVALID)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", Code.BODY_MALFORMED),
        (b"\xff\xfe", Code.BODY_MALFORMED),
        (b'{"text":NaN}', Code.BODY_MALFORMED),
        (b"[]", Code.BODY_INVALID),
        (b'{"text":1}', Code.BODY_INVALID),
        (b'{"text":"a","x":1}', Code.BODY_INVALID),
        (b'{"text":"' + b"a" * limits.REST_BODY_BYTES + b'"}', Code.BODY_TOO_LARGE),
    ],
    ids=range(7),
)
def test_a_body_of_another_shape_is_refused(app: HolodeckApp, raw: bytes, code: Code) -> None:
    """By the decoder's codes."""
    assert_error(call(app, "POST", "/notes", raw=raw, token="ada"), code)


@pytest.mark.parametrize("encoded", ["YQ", "Y", "ü"])
def test_base64_that_is_none_is_malformed(app: HolodeckApp, encoded: str) -> None:
    """API Gateway marks binary bodies; what it could not have marked is refused."""
    answer = call(app, "POST", "/notes", token="ada", event={"body": encoded, "isBase64Encoded": True})
    assert_error(answer, Code.BODY_MALFORMED)


def test_another_media_type_is_415(app: HolodeckApp) -> None:
    """Chalice refuses it; the shape is ours."""
    for media_type in ("text/plain", "application/xml", "multipart/form-data"):
        answer = call(app, "POST", "/notes", body={"text": "hi"}, token="ada", headers={"Content-Type": media_type})
        assert_error(answer, Code.MEDIA_TYPE_UNSUPPORTED)


def test_another_method_is_405(app: HolodeckApp) -> None:
    """Should it get past API Gateway. (A path that nobody knows never does.)"""
    assert_error(call(app, "PATCH", "/notes", token="ada"), Code.METHOD_NOT_ALLOWED)


# -- versions --


@pytest.mark.parametrize(
    ("header", "version"), [(None, -1), ("*", -1), (" * ", -1), ('"0"', 0), ('"12"', 12), (' "7" ', 7)]
)
def test_if_match_is_an_etag_or_nothing(app: HolodeckApp, header: str | None, version: int) -> None:
    """The version that the caller has seen; and the answer carries the new ETag."""
    headers = {} if header is None else {"If-Match": header}
    answer = call(
        app,
        "PUT",
        "/notes/{session_id}",
        path={"session_id": SESSION},
        body={"text": "x"},
        token="ada",
        headers=headers,
    )
    assert (answer.status, answer.json["version"]) == (200, version)
    assert answer.headers["ETag"] == f'"{version}"'


@pytest.mark.parametrize("header", ["", "''", '"x"', 'W/"7"', '"7", "8"', '"-1"', '"1e3"', f'"{"9" * 16}"', '"٣"'])
def test_an_if_match_that_is_no_etag_of_ours_is_refused(app: HolodeckApp, header: str) -> None:
    """It is not what a session's ETag looks like: the request is wrong, not late."""
    answer = call(
        app,
        "PUT",
        "/notes/{session_id}",
        path={"session_id": SESSION},
        body={"text": "x"},
        token="ada",
        headers={"If-Match": header},
    )
    assert_error(answer, Code.QUERY_INVALID)


# -- failures --


def test_a_broken_law_has_its_codes_status_and_detail(app: HolodeckApp) -> None:
    """Said once, by whoever found it."""
    answer = call(app, "POST", "/fail", body={"text": "law"})
    assert_error(answer, Code.SESSION_FULL)
    assert "(50 of 50)" in answer.json["message"]


def test_a_limit_says_when_to_come_back(app: HolodeckApp) -> None:
    """In milliseconds in the body, in whole seconds, rounded up, in the header (RFC 9110 section 10.2.3)."""
    answer = call(app, "POST", "/fail", body={"text": "busy"})
    assert_error(answer, Code.RATE_LIMITED)
    assert (answer.json["retry_after_ms"], answer.headers["Retry-After"]) == (1200, "2")


def test_what_nobody_expected_is_500_and_tells_a_client_nothing(app: HolodeckApp, logged: Records) -> None:
    """The log has the trace and the correlation id; the answer has the id only."""
    answer = call(app, "POST", "/fail", body={"text": "break"})
    assert_error(answer, Code.INTERNAL)
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    (failure,) = [detail for name, detail in logged.lines if name == "request.failed"]
    assert "RuntimeError" in failure
    assert "req-1" in failure


def test_every_request_is_logged_once_without_its_token_or_body(app: HolodeckApp, logged: Records) -> None:
    """Route, status and time; who, and what they wrote, is not in it."""
    call(app, "POST", "/notes", body={"text": "my diary"}, token="ada-secret-token")
    call(app, "POST", "/notes", raw=b'{"text":5,"diary":1}', token="ada-secret-token")
    served = [detail for name, detail in logged.lines if name == "request.served"]
    assert len(served) == 2
    assert "'status': 201" in served[0]
    assert "'status': 422" in served[1]
    everything = str(logged.lines)
    assert "ada-secret-token" not in everything
    assert "my diary" not in everything


# -- the declaration --


def test_a_route_declares_every_error_it_can_give() -> None:
    """Its own, and those of what it asks for."""
    always = {Code.INTERNAL, Code.RATE_LIMITED, Code.REQUEST_TOO_LARGE, Code.UPSTREAM_UNAVAILABLE}
    token = {Code.TOKEN_MISSING, Code.TOKEN_INVALID, Code.TOKEN_EXPIRED}
    body = {
        Code.BODY_MALFORMED,
        Code.BODY_INVALID,
        Code.BODY_TOO_LARGE,
        Code.MEDIA_TYPE_UNSUPPORTED,
        Code.IDENTITY_MISMATCH,
    }
    declared = {endpoint.name: set(endpoint.errors) for endpoint in room().endpoints}
    assert declared["read"] == always | token | {Code.QUERY_INVALID, Code.PATH_INVALID, Code.SESSION_UNKNOWN}
    assert declared["write"] == always | token | body
    assert declared["open_to_all"] == always | body | {Code.SESSION_UNKNOWN}
    assert declared["replace"] == always | token | body | {Code.PATH_INVALID, Code.VERSION_CONFLICT, Code.QUERY_INVALID}
    assert declared["remove"] == always | token | {Code.PATH_INVALID, Code.ROLE_INSUFFICIENT}


def test_a_route_knows_its_parameters_and_where_its_input_is() -> None:
    """For the documentation."""
    endpoints = {endpoint.name: endpoint for endpoint in room().endpoints}
    assert endpoints["read"].parameters == ("session_id",)
    assert [name for name, endpoint in endpoints.items() if endpoint.has_body] == [
        "write",
        "open_to_all",
        "replace",
        "fail",
    ]
    assert endpoints["read"].text == "Reads."


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("POST", "/sessions/{session_id}/join", Code.INVITE_UNKNOWN, 409),
        ("POST", "/sessions/{session_id}/join", Code.SESSION_UNKNOWN, 404),
        ("DELETE", "/sessions/{session_id}/invites/{invite_id}", Code.INVITE_UNKNOWN, 404),
        ("POST", "/auth/tickets", Code.SESSION_UNKNOWN, 409),
        ("POST", "/documents/{document_id}/rollback", Code.REVISION_UNKNOWN, 409),
        ("GET", "/documents/{document_id}", Code.REVISION_UNKNOWN, 404),
        ("POST", "/nowhere", Code.ROUTE_UNKNOWN, 404),
        ("POST", "/auth/tickets", Code.TOKEN_MISSING, 401),
    ],
)
def test_not_found_is_of_what_the_address_names(method: str, path: str, code: Code, status: int) -> None:
    """What a body alone names and is not there is a conflict."""
    (endpoint, *_) = room().endpoints
    assert replace(endpoint, method=method, path=path).status_of(code) == status


def test_what_a_body_alone_names_is_answered_so(app: HolodeckApp) -> None:
    answer = call(app, "POST", "/open", body={"text": "nowhere"})
    assert (answer.status, answer.json["code"]) == (409, Code.SESSION_UNKNOWN)
