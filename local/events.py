"""The events that API Gateway hands to Lambda, field for field. Pure: ids and the clock are arguments.

Sources: "Input format of a Lambda function for proxy integration" (REST, payload 1.0) and "Working with AWS Lambda proxy
integrations for WebSocket APIs", Amazon API Gateway developer guide. What the guide leaves open is as it was recorded from
the real service: paths and path parameters come percent-encoded, as they were sent; the query comes decoded.
"""

import base64
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

ACCOUNT: Final = "000000000000"
REST_API: Final = "localrest1"
WEBSOCKET_API: Final = "localwsoc1"
STAGE: Final = "api"

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came: `raw_path` and `raw_query` still percent-encoded, `path` without the stage."""

    method: str
    path: str
    raw_query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    host: str
    protocol: str = "HTTP/1.1"


def request_time(now_s: float) -> str:
    """CLF time, as requestContext.requestTime has it."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s))


def rest_event(
    request: HttpRequest,
    resource: str,
    parameters: dict[str, str],
    *,
    request_id: str,
    now_s: float,
    binary_types: list[str],
) -> Event:
    """A REST proxy event (payload 1.0)."""
    pairs = parse_qsl(request.raw_query, keep_blank_values=True)
    multi_query: dict[str, list[str]] = {}
    for name, value in pairs:
        multi_query.setdefault(name, []).append(value)
    multi_headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        multi_headers.setdefault(name, []).append(value)
    headers = {name: values[-1] for name, values in multi_headers.items()}
    content_type = next((v for n, v in request.headers if n.lower() == "content-type"), "")
    body, encoded = _body(request.body, content_type, binary_types)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": {n: v[-1] for n, v in multi_query.items()} or None,
        "multiValueQueryStringParameters": multi_query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "local",
            "resourcePath": resource,
            "httpMethod": request.method,
            "extendedRequestId": request_id,
            "requestTime": request_time(now_s),
            "path": f"/{STAGE}{request.path}",
            "accountId": ACCOUNT,
            "protocol": request.protocol,
            "stage": STAGE,
            "domainPrefix": REST_API,
            "requestTimeEpoch": int(now_s * 1000),
            "requestId": request_id,
            "identity": _identity(request),
            "domainName": request.host,
            "deploymentId": "local",
            "apiId": REST_API,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def _identity(request: HttpRequest) -> dict[str, str | None]:
    agent = next((v for n, v in request.headers if n.lower() == "user-agent"), None)
    unset = (
        "cognitoIdentityPoolId accountId cognitoIdentityId caller principalOrgId accessKey "
        "cognitoAuthenticationType cognitoAuthenticationProvider userArn user"
    )
    return {**dict.fromkeys(unset.split()), "sourceIp": request.source_ip, "userAgent": agent}


def _body(body: bytes, content_type: str, binary_types: list[str]) -> tuple[str | None, bool]:
    if not body:
        return None, False
    main = content_type.partition(";")[0].strip().lower()
    if main in binary_types:
        return base64.b64encode(body).decode(), True
    return body.decode("utf-8", "replace"), False


@dataclass(frozen=True, slots=True)
class Socket:
    """What a WebSocket connection is known by."""

    connection_id: str
    connected_at_ms: int
    source_ip: str
    user_agent: str | None
    host: str


def _websocket_context(socket: Socket, route: str, kind: str, request_id: str, now_s: float) -> dict[str, Any]:
    return {
        "routeKey": route,
        "eventType": kind,
        "extendedRequestId": request_id,
        "requestTime": request_time(now_s),
        "messageDirection": "IN",
        "stage": STAGE,
        "connectedAt": socket.connected_at_ms,
        "requestTimeEpoch": int(now_s * 1000),
        "identity": {"userAgent": socket.user_agent, "sourceIp": socket.source_ip},
        "requestId": request_id,
        "domainName": socket.host,
        "connectionId": socket.connection_id,
        "apiId": WEBSOCKET_API,
    }


def connect_event(
    socket: Socket, headers: list[tuple[str, str]], raw_query: str, *, request_id: str, now_s: float
) -> Event:
    """$connect."""
    multi: dict[str, list[str]] = {}
    for name, value in headers:
        multi.setdefault(name, []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    event: Event = {
        "headers": {n: v[-1] for n, v in multi.items()},
        "multiValueHeaders": multi,
        "requestContext": _websocket_context(socket, "$connect", "CONNECT", request_id, now_s),
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = {n: v[-1] for n, v in query.items()}
        event["multiValueQueryStringParameters"] = query
    return event


def message_event(socket: Socket, body: str, *, request_id: str, now_s: float) -> Event:
    """A message, on the $default route."""
    context = _websocket_context(socket, "$default", "MESSAGE", request_id, now_s)
    context["messageId"] = request_id
    return {"requestContext": context, "body": body, "isBase64Encoded": False}


def disconnect_event(socket: Socket, status: int, reason: str, *, request_id: str, now_s: float) -> Event:
    """$disconnect. 1006 where the connection ended without a close frame (RFC 6455 section 7.4.1)."""
    context = _websocket_context(socket, "$disconnect", "DISCONNECT", request_id, now_s)
    context |= {"disconnectStatusCode": status, "disconnectReason": reason}
    headers = {"Host": socket.host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    return {
        "headers": headers,
        "multiValueHeaders": {n: [v] for n, v in headers.items()},
        "requestContext": context,
        "isBase64Encoded": False,
    }
