"""Chalice, made safe to call from several threads, and speaking our errors.

Chalice keeps `current_request` on the app object; with threads one request would read another's. Here both live in
`ContextVar`s. In AWS a container serves one request at a time, so this matters only on one machine, but it costs
nothing. What Chalice itself refuses (content type, method, an unexpected fault) leaves in the shape of `ErrorBody`.
"""

from contextvars import ContextVar
from typing import Any, Final

import msgspec
from chalice.app import Chalice

from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import MESSAGE, Code

_request: Final[ContextVar[Any]] = ContextVar("current_request", default=None)
_context: Final[ContextVar[Any]] = ContextVar("lambda_context", default=None)

_CHALICE_CODES: Final = {
    "NotFoundError": Code.ROUTE_UNKNOWN,
    "MethodNotAllowedError": Code.METHOD_NOT_ALLOWED,
    "UnsupportedMediaType": Code.MEDIA_TYPE_UNSUPPORTED,
    "BadRequest": Code.BODY_MALFORMED,
    "BadRequestError": Code.BODY_MALFORMED,
    "InternalServerError": Code.INTERNAL,
}


class HolodeckApp(Chalice):
    """A Chalice app whose per-request state belongs to the request's own context."""

    @property
    def current_request(self) -> Any:
        """The request that this thread (or task) is serving."""
        return _request.get()

    @current_request.setter
    def current_request(self, value: Any) -> None:
        _request.set(value)

    @property
    def lambda_context(self) -> Any:
        """The Lambda context of this thread's invocation."""
        return _context.get()

    @lambda_context.setter
    def lambda_context(self, value: Any) -> None:
        _context.set(value)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Serves one REST proxy event."""
        response: dict[str, Any] = super().__call__(event, context)
        if response["statusCode"] < 400 or "X-Correlation-Id" in response.get("headers", {}):
            return response
        request_id = str(event.get("requestContext", {}).get("requestId", "-"))
        return {**response, **_ours(response, request_id)}


def _ours(response: dict[str, Any], request_id: str) -> dict[str, Any]:
    try:
        theirs = msgspec.json.decode(response["body"])
        code = _CHALICE_CODES.get(theirs["Code"], Code.INTERNAL)
    except (msgspec.DecodeError, KeyError, TypeError):
        code = Code.INTERNAL
    body = ErrorBody(code=code, message=MESSAGE[code], correlation_id=request_id)
    headers = {**response.get("headers", {}), "Content-Type": "application/json", "X-Correlation-Id": request_id}
    return {"headers": headers, "body": msgspec.json.encode(body).decode()}
