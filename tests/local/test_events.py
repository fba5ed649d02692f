"""The events are what API Gateway sends, field for field.

The key sets are those of the samples in the API Gateway developer guide: "Input format of a Lambda function for proxy
integration" and, for WebSocket APIs, what a `$connect`, a message and a `$disconnect` carry; `deploymentId` and the
encoding of paths are as recorded from the real service.
"""

import base64
from typing import Any

import pytest

from local.events import HttpRequest, Socket, connect_event, disconnect_event, message_event, request_time, rest_event
from local.gateway.rest import match

NOW_S = 1_700_000_000.25
BINARY = ["image/png", "application/octet-stream"]

REST_KEYS = {
    "resource",
    "path",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "requestContext",
    "body",
    "isBase64Encoded",
}
REST_CONTEXT_KEYS = {
    "resourceId",
    "resourcePath",
    "httpMethod",
    "extendedRequestId",
    "requestTime",
    "path",
    "accountId",
    "protocol",
    "stage",
    "domainPrefix",
    "requestTimeEpoch",
    "requestId",
    "identity",
    "domainName",
    "deploymentId",
    "apiId",
}
IDENTITY_KEYS = {
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "sourceIp",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "userAgent",
    "user",
}
SOCKET_CONTEXT_KEYS = {
    "routeKey",
    "eventType",
    "extendedRequestId",
    "requestTime",
    "messageDirection",
    "stage",
    "connectedAt",
    "requestTimeEpoch",
    "identity",
    "requestId",
    "domainName",
    "connectionId",
    "apiId",
}
ROUTES = {
    "/sessions": ["GET", "POST"],
    "/sessions/{session_id}": ["GET"],
    "/sessions/mine": ["GET"],
    "/sessions/{session_id}/participants/{user_id}": ["PUT"],
    "/{anything}/mine": ["GET"],
}
SOCKET = Socket("Zm9vYmFyYmE=", 1_699_999_999_000, "192.0.2.7", "Mozilla/5.0", "rooms.example")


def rest(
    path: str = "/sessions",
    *,
    method: str = "GET",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
    resource: str = "/sessions",
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A REST event."""
    request = HttpRequest(method, path, query, headers or [], body, "192.0.2.7", "rooms.example")
    return rest_event(request, resource, parameters or {}, request_id="req-1", now_s=NOW_S, binary_types=BINARY)


def test_a_rest_event_has_the_documented_keys() -> None:
    """Nothing is missing from the documented sample and nothing is added to it."""
    event = rest()
    assert event.keys() == REST_KEYS
    assert event["requestContext"].keys() == REST_CONTEXT_KEYS
    assert event["requestContext"]["identity"].keys() == IDENTITY_KEYS


def test_the_path_is_without_the_stage_and_the_contexts_path_with_it() -> None:
    """`path` is what the function routes by; requestContext.path is what the client asked for."""
    event = rest("/sessions/ses_1", resource="/sessions/{session_id}", parameters={"session_id": "ses_1"})
    context = event["requestContext"]
    assert (event["path"], context["path"], context["stage"]) == ("/sessions/ses_1", "/api/sessions/ses_1", "api")
    assert event["resource"] == context["resourcePath"] == "/sessions/{session_id}"
    assert event["pathParameters"] == {"session_id": "ses_1"}


def test_a_rest_context_tells_who_when_and_which() -> None:
    """Ids, times in both notations, and the caller's address and agent."""
    event = rest(method="DELETE", headers=[("user-agent", "curl/8")])
    context = event["requestContext"]
    assert event["httpMethod"] == context["httpMethod"] == "DELETE"
    assert context["requestId"] == context["extendedRequestId"] == "req-1"
    assert context["requestTimeEpoch"] == 1_700_000_000_250
    assert context["requestTime"] == "14/Nov/2023:22:13:20 +0000"
    assert (context["domainName"], context["protocol"]) == ("rooms.example", "HTTP/1.1")
    identity = context["identity"]
    assert (identity["sourceIp"], identity["userAgent"], identity["user"]) == ("192.0.2.7", "curl/8", None)


def test_what_a_rest_request_lacks_is_null() -> None:
    """REST says null where there is no query, no parameter, no variable and no body; the keys stay."""
    event = rest()
    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert [event[key] for key in absent] == [None] * 5
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["identity"]["userAgent"] is None


def test_repeated_headers_are_all_there() -> None:
    """The single-value map holds the last one, the multi-value map all in order; names keep their case."""
    event = rest(headers=[("X-Tag", "one"), ("Host", "h"), ("X-Tag", "two")])
    assert event["headers"] == {"X-Tag": "two", "Host": "h"}
    assert event["multiValueHeaders"] == {"X-Tag": ["one", "two"], "Host": ["h"]}


def test_repeated_query_parameters_are_all_there() -> None:
    """The same law for the query, decoded once, blank values kept."""
    event = rest(query="a=1&b=x%20y&a=2%2526&c=&d=p+q")
    assert event["queryStringParameters"] == {"a": "2%26", "b": "x y", "c": "", "d": "p q"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2%26"], "b": ["x y"], "c": [""], "d": ["p q"]}


def test_a_text_body_is_itself() -> None:
    """JSON comes as the string that was sent."""
    event = rest(method="POST", headers=[("Content-Type", "application/json")], body='{"name":"Zoë"}'.encode())
    assert (event["body"], event["isBase64Encoded"]) == ('{"name":"Zoë"}', False)


@pytest.mark.parametrize("content_type", ["image/png", "IMAGE/PNG", "image/png; charset=binary"])
def test_a_binary_body_is_base64(content_type: str) -> None:
    """A body of one of the app's binary types comes encoded, and says so."""
    event = rest(method="POST", headers=[("content-type", content_type)], body=b"\x89PNG\xff")
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\x89PNG\xff"


def test_bytes_that_are_no_text_do_not_break_the_event() -> None:
    """Wrong UTF-8 in a text body is replaced, so that the function can refuse it."""
    assert rest(method="POST", body=b"\xff{}")["body"] == "\ufffd{}"


def test_a_connect_event_has_the_documented_keys() -> None:
    """$connect carries headers, and a query only where there is one; no body and no path."""
    event = connect_event(SOCKET, [("Host", "h")], "", request_id="r", now_s=NOW_S)
    assert event.keys() == {"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}
    context = event["requestContext"]
    assert context.keys() == SOCKET_CONTEXT_KEYS
    assert (context["routeKey"], context["eventType"], context["messageDirection"]) == ("$connect", "CONNECT", "IN")
    assert (context["connectionId"], context["connectedAt"]) == ("Zm9vYmFyYmE=", 1_699_999_999_000)
    assert context["identity"] == {"userAgent": "Mozilla/5.0", "sourceIp": "192.0.2.7"}
    assert (context["stage"], context["requestTimeEpoch"]) == ("api", 1_700_000_000_250)


def test_a_connect_event_tells_query_and_headers_twice() -> None:
    """As REST does: the last value, and all of them."""
    headers = [("Cookie", "a"), ("Cookie", "b")]
    event = connect_event(SOCKET, headers, "ticket=t%3D1&x=1&x=2", request_id="r", now_s=NOW_S)
    assert event["queryStringParameters"] == {"ticket": "t=1", "x": "2"}
    assert event["multiValueQueryStringParameters"] == {"ticket": ["t=1"], "x": ["1", "2"]}
    assert (event["headers"], event["multiValueHeaders"]) == ({"Cookie": "b"}, {"Cookie": ["a", "b"]})


def test_a_message_event_has_the_documented_keys() -> None:
    """A message is its context and its body: no headers, no query; and it has an id."""
    event = message_event(SOCKET, '{"type":"ping"}', request_id="r", now_s=NOW_S)
    assert event.keys() == {"requestContext", "body", "isBase64Encoded"}
    context = event["requestContext"]
    assert context.keys() == SOCKET_CONTEXT_KEYS | {"messageId"}
    assert (context["routeKey"], context["eventType"]) == ("$default", "MESSAGE")
    assert (event["body"], event["isBase64Encoded"]) == ('{"type":"ping"}', False)


def test_a_disconnect_event_has_the_documented_keys() -> None:
    """$disconnect says with which status and why, and has the few headers that API Gateway invents for it."""
    event = disconnect_event(SOCKET, 1006, "", request_id="r", now_s=NOW_S)
    assert event.keys() == {"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}
    context = event["requestContext"]
    assert context.keys() == SOCKET_CONTEXT_KEYS | {"disconnectStatusCode", "disconnectReason"}
    assert (context["routeKey"], context["eventType"]) == ("$disconnect", "DISCONNECT")
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1006, "")
    assert event["headers"] == {"Host": "rooms.example", "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    assert event["multiValueHeaders"]["Host"] == ["rooms.example"]


def test_request_time_is_clf_in_utc() -> None:
    """The month is English whatever the machine's language."""
    assert request_time(0) == "01/Jan/1970:00:00:00 +0000"


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/sessions", "/sessions", {}),
        ("/sessions/ses_1", "/sessions/{session_id}", {"session_id": "ses_1"}),
        ("/sessions/mine", "/sessions/mine", {}),
        ("/people/mine", "/{anything}/mine", {"anything": "people"}),
        (
            "/sessions/a/participants/b",
            "/sessions/{session_id}/participants/{user_id}",
            {"session_id": "a", "user_id": "b"},
        ),
    ],
)
def test_a_path_belongs_to_a_resource(path: str, resource: str, parameters: dict[str, str]) -> None:
    """Part by part, and a static part goes before a parameter, from the left."""
    assert match(ROUTES, path) == (resource, parameters)


@pytest.mark.parametrize(
    "path",
    ["/", "", "/session", "/sessions/", "/sessions/a/participants", "/sessions/a/participants/", "//mine", "/Sessions"],
)
def test_a_path_belongs_to_none(path: str) -> None:
    """Unknown paths, other case, empty parameters and trailing slashes are no resource."""
    assert match(ROUTES, path) is None


@pytest.mark.parametrize("raw", ["a%20b", "a%2Fb", "a+b", "%E2%82%AC", "%2520"])
def test_a_path_and_its_parameters_come_as_they_were_sent(raw: str) -> None:
    """REST APIs decode the query but not the path (recorded from AWS): an encoded slash does not part it."""
    found = match(ROUTES, f"/sessions/{raw}")
    assert found == ("/sessions/{session_id}", {"session_id": raw})
    event = rest(f"/sessions/{raw}", resource=found[0], parameters=found[1])
    assert (event["path"], event["requestContext"]["path"]) == (f"/sessions/{raw}", f"/api/sessions/{raw}")
    assert event["pathParameters"] == {"session_id": raw}


def test_static_parts_are_compared_as_sent() -> None:
    """A static part that is needlessly encoded is not the resource, as in API Gateway."""
    assert match(ROUTES, "/%73essions") is None
