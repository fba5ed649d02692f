"""/api/*: finds the resource, makes the proxy event, invokes `app`, answers. Its own refusals have our error shape."""

import base64
import time
import uuid
from typing import Any, Final

import msgspec
from aiohttp import web

from chalicelib.wire import limits
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import MESSAGE, Code
from local.events import STAGE, HttpRequest, rest_event
from local.gateway.invoker import InvocationFailed, Invoker
from local.gateway.settings import Bucket, GatewaySettings

_PREFIX: Final = f"/{STAGE}"


def match(routes: dict[str, list[str]], path: str) -> tuple[str, dict[str, str]] | None:
    """The resource that a path belongs to and its parameters, as sent; a static part is preferred to a parameter."""
    parts = path.split("/")
    best: tuple[tuple[bool, ...], str, dict[str, str]] | None = None
    for resource in routes:
        pattern = resource.split("/")
        if len(pattern) != len(parts):
            continue
        parameters = {}
        for want, got in zip(pattern, parts, strict=True):
            if want.startswith("{"):
                if not got:
                    break
                parameters[want[1:-1]] = got
            elif want != got:
                break
        else:
            rank = tuple(part.startswith("{") for part in pattern)
            if best is None or rank < best[0]:
                best = (rank, resource, parameters)
    return (best[1], best[2]) if best else None


class Rest:
    """The REST API's stage."""

    def __init__(self, invoker: Invoker, settings: GatewaySettings, bucket: Bucket) -> None:
        self._invoker = invoker
        self._settings = settings
        self._bucket = bucket

    async def handle(self, request: web.Request) -> web.Response:
        """One request below /api."""
        request_id = str(uuid.uuid4())
        if not self._bucket.take(time.monotonic()):
            return refusal(429, Code.RATE_LIMITED, request_id, {"Retry-After": "1"})
        if _head_bytes(request) > limits.REQUEST_HEAD_BYTES:
            return refusal(400, Code.REQUEST_TOO_LARGE, request_id)
        if not await self._invoker.ready():
            return refusal(504, Code.UPSTREAM_UNAVAILABLE, request_id)
        raw_path = request.rel_url.raw_path.removeprefix(_PREFIX) or "/"
        found = match(self._invoker.routes, raw_path)
        if found is None:
            return refusal(404, Code.ROUTE_UNKNOWN, request_id)
        resource, parameters = found
        allowed = self._invoker.routes[resource]
        if request.method not in allowed:
            return refusal(405, Code.METHOD_NOT_ALLOWED, request_id, {"Allow": ", ".join(sorted(allowed))})
        body = await self._read(request)
        if body is None:
            return refusal(413, Code.BODY_TOO_LARGE, request_id)
        event = rest_event(
            _as_sent(request, raw_path, body),
            resource,
            parameters,
            request_id=request_id,
            now_s=time.time(),
            binary_types=self._invoker.binary_types,
        )
        try:
            return answer(await self._invoker.invoke("app", event, request_id), request_id)
        except InvocationFailed as exc:
            return refusal(504 if exc.timed_out else 502, Code.UPSTREAM_UNAVAILABLE, request_id)

    async def _read(self, request: web.Request) -> bytes | None:
        """The body, or None past the limit."""
        chunks = bytearray()
        async for chunk in request.content.iter_any():
            chunks += chunk
            if len(chunks) > self._settings.body_bytes:
                return None
        return bytes(chunks)


def _head_bytes(request: web.Request) -> int:
    return len(request.raw_path) + sum(len(name) + len(value) for name, value in request.raw_headers)


def _as_sent(request: web.Request, raw_path: str, body: bytes) -> HttpRequest:
    peer = request.remote or "127.0.0.1"
    query = request.rel_url.raw_query_string
    return HttpRequest(request.method, raw_path, query, forwarded(request), body, peer, request.host)


def forwarded(request: web.Request) -> list[tuple[str, str]]:
    """The headers, and who asked. What a client claims to be forwarded from goes before, as with any proxy."""
    theirs = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"}
    sent = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.raw_headers]
    hops = [v for n, v in sent if n.lower() == "x-forwarded-for"] + [request.remote or "127.0.0.1"]
    ours = {
        "X-Forwarded-For": ", ".join(hops),
        "X-Forwarded-Port": str(request.url.port or 80),
        "X-Forwarded-Proto": request.scheme,
    }
    return [(n, v) for n, v in sent if n.lower() not in theirs] + list(ours.items())


def answer(result: dict[str, Any], request_id: str) -> web.Response:
    """A proxy result as a response. A malformed one is 502, as API Gateway answers it."""
    status, body = result.get("statusCode"), result.get("body") or ""
    if not isinstance(status, int) or not isinstance(body, str):
        return refusal(502, Code.INTERNAL, request_id)
    data = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    response = web.Response(status=status, body=data if status != 204 else None)
    response.headers["x-amzn-RequestId"] = request_id
    for name, value in (result.get("headers") or {}).items():
        response.headers[name] = str(value)
    for name, values in (result.get("multiValueHeaders") or {}).items():
        response.headers.popall(name, None)
        for value in values:
            response.headers.add(name, str(value))
    return response


def refusal(status: int, code: Code, request_id: str, headers: dict[str, str] | None = None) -> web.Response:
    """What API Gateway itself refuses, in our shape (in AWS: GatewayResponses)."""
    body = ErrorBody(code=code, message=MESSAGE[code], correlation_id=request_id)
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={"x-amzn-RequestId": request_id, "X-Correlation-Id": request_id, **(headers or {})},
    )
