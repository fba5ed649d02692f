"""@endpoint: one declaration gives the route, its checks, its errors and its documentation.

    routes = Routes("sessions", authenticate)

    @routes.post("/sessions", body=CreateSession, response=Session, status=201, errors=(Code.RATE_LIMITED,))
    def create_session(call: Call[CreateSession]) -> Session: ...

A view gets a `Call` that was authenticated and decoded, and returns a value or raises `AppError`. Deny unless
`public`: a route without a valid bearer token answers 401 before the body is looked at. A `user_id` in a body that
is not the token's is refused here, once, for every route.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote

import msgspec
from chalice.app import Blueprint, Response

from chalicelib.aws import log
from chalicelib.wire.bodies import ErrorBody, Session
from chalicelib.wire.codes import STATUS, Code
from chalicelib.wire.decode import decode_body
from chalicelib.wire.documents import DocumentId
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import EntityId, InviteId, SessionId, UserId, Value
from chalicelib.wire.voice import ChannelId, RecordingId

In = TypeVar("In", bound=Value)
Out = TypeVar("Out")
Authenticate = Callable[[str], Identity]


class Nothing(Value, frozen=True):
    """No body, or no query parameters."""


@dataclass(frozen=True, slots=True)
class Call(Generic[In]):
    """One authenticated, decoded request. `input` is the body of a POST or PUT, the query of a GET or DELETE."""

    input: In
    path: dict[str, str]
    correlation_id: str
    if_match: int | None
    _identity: Identity | None

    @property
    def identity(self) -> Identity:
        """Who asks. Only a public route can be without."""
        if self._identity is None:
            raise AppError(Code.TOKEN_MISSING)
        return self._identity


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the documentation needs to know of a route."""

    method: str
    path: str
    name: str
    tag: str
    text: str
    input: type[Value]
    response: type[Value] | None
    status: int
    errors: frozenset[Code]
    public: bool
    if_match: bool

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path's braces."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def has_body(self) -> bool:
        """Whether `input` is a body (otherwise it is the query)."""
        return self.method in {"POST", "PUT"}

    @property
    def body_required(self) -> bool:
        """Whether a request without a body says too little."""
        return self.has_body and any(field.required for field in msgspec.structs.fields(self.input))

    def status_of(self, code: Code) -> int:
        """The status of an error here.

        404 is of what the address names (RFC 9110 section 15.5.5). What a body alone names and is not there is at odds with
        what the address names, which is: 409 (15.5.10). Else whoever just made that would read that it is gone.
        """
        in_body = self.has_body and code in NAMED_BY and NAMED_BY[code] not in self.parameters
        return 409 if in_body else STATUS[code]


PATH_TYPES: Final[dict[str, Any]] = {
    "session_id": SessionId,
    "user_id": UserId,
    "invite_id": InviteId,
    "document_id": DocumentId,
    "object_id": EntityId,
    "channel_id": ChannelId,
    "recording_id": RecordingId,
}
NAMED_BY: Final[dict[Code, str]] = {
    Code.SESSION_UNKNOWN: "session_id",
    Code.PARTICIPANT_UNKNOWN: "user_id",
    Code.INVITE_UNKNOWN: "invite_id",
    Code.DOCUMENT_UNKNOWN: "document_id",
    Code.REVISION_UNKNOWN: "revision",
    Code.VOICE_CHANNEL_UNKNOWN: "channel_id",
    Code.RECORDING_UNKNOWN: "recording_id",
}
"""Of each thing that may not be there, what names it."""
_JSON: Final = "application/json"
_ALWAYS: Final = frozenset({Code.INTERNAL, Code.RATE_LIMITED, Code.REQUEST_TOO_LARGE, Code.UPSTREAM_UNAVAILABLE})
_TOKEN: Final = frozenset({Code.TOKEN_MISSING, Code.TOKEN_INVALID, Code.TOKEN_EXPIRED})
_BODY: Final = frozenset(
    {Code.BODY_MALFORMED, Code.BODY_INVALID, Code.BODY_TOO_LARGE, Code.MEDIA_TYPE_UNSUPPORTED, Code.IDENTITY_MISMATCH}
)


class Routes:
    """The routes of one room, as a Chalice blueprint and as a list for the documentation."""

    def __init__(self, tag: str, authenticate: Authenticate) -> None:
        self.tag = tag
        self.blueprint = Blueprint(f"chalicelib.{tag}")
        self.endpoints: list[Endpoint] = []
        self._authenticate = authenticate

    def get(
        self,
        path: str,
        *,
        response: type[Value],
        query: type[In] = Nothing,  # type: ignore[assignment]
        errors: tuple[Code, ...] = (),
        public: bool = False,
    ) -> Callable[[Callable[[Call[In]], Out]], Callable[[Call[In]], Out]]:
        """A route that reads."""
        return self._route("GET", path, query, response, 200, errors, public)

    def post(
        self,
        path: str,
        *,
        body: type[In],
        response: type[Value] | None,
        status: int = 200,
        errors: tuple[Code, ...] = (),
        public: bool = False,
    ) -> Callable[[Callable[[Call[In]], Out]], Callable[[Call[In]], Out]]:
        """A route that creates or acts."""
        return self._route("POST", path, body, response, status, errors, public)

    def put(
        self,
        path: str,
        *,
        body: type[In],
        response: type[Value],
        errors: tuple[Code, ...] = (),
        if_match: bool = False,
    ) -> Callable[[Callable[[Call[In]], Out]], Callable[[Call[In]], Out]]:
        """A route that replaces; with `if_match`, only the version that the caller has seen."""
        return self._route("PUT", path, body, response, 200, errors, False, if_match)

    def delete(
        self,
        path: str,
        *,
        query: type[In] = Nothing,  # type: ignore[assignment]
        errors: tuple[Code, ...] = (),
    ) -> Callable[[Callable[[Call[In]], Out]], Callable[[Call[In]], Out]]:
        """A route that removes; answers 204."""
        return self._route("DELETE", path, query, None, 204, errors, False)

    def _route(
        self,
        method: str,
        path: str,
        input_type: type[In],
        response: type[Value] | None,
        status: int,
        errors: tuple[Code, ...],
        public: bool,
        if_match: bool = False,
    ) -> Callable[[Callable[[Call[In]], Out]], Callable[[Call[In]], Out]]:
        def register(view: Callable[[Call[In]], Out]) -> Callable[[Call[In]], Out]:
            name = view.__name__
            text = (view.__doc__ or "").strip()
            spec = Endpoint(
                method=method,
                path=path,
                name=name,
                tag=self.tag,
                text=text,
                input=input_type,
                response=response,
                status=status,
                errors=_all_errors(method, path, input_type, errors, public, if_match),
                public=public,
                if_match=if_match,
            )
            self.endpoints.append(spec)

            def chalice_view(**path_values: str) -> Response:
                return _serve(self.blueprint.current_request, spec, view, self._authenticate, path_values)

            # Chalice matches a view's arguments to the path by signature, and names routes by __name__.
            chalice_view.__name__ = name
            # Who sends no body has no type of it; clients name the oddest for it. `_input` looks where there is one.
            content_types = [_JSON] if spec.body_required else []
            self.blueprint.route(path, methods=[method], content_types=content_types, name=name)(chalice_view)
            return view

        return register


def _all_errors(
    method: str, path: str, input_type: type[Value], errors: tuple[Code, ...], public: bool, if_match: bool
) -> frozenset[Code]:
    found = set(errors) | _ALWAYS
    if not public:
        found |= _TOKEN
    if method in {"POST", "PUT"}:
        found |= _BODY
    elif input_type is not Nothing:
        found.add(Code.QUERY_INVALID)
    if "{" in path:
        found.add(Code.PATH_INVALID)
    if if_match:
        found |= {Code.VERSION_CONFLICT, Code.QUERY_INVALID}
    return frozenset(found)


def _serve(
    request: Any,
    spec: Endpoint,
    view: Callable[[Call[In]], Out],
    authenticate: Authenticate,
    path_values: dict[str, str],
) -> Response:
    correlation = str(request.context.get("requestId", "-"))
    reset = log.correlation_id.set(correlation)
    started = time.perf_counter()
    status = 500
    try:
        response = _answer(request, spec, view, authenticate, path_values, correlation)
        status = response.status_code
        return response
    except AppError as exc:
        status = spec.status_of(exc.code)
        log.event("request.refused", code=exc.code, route=spec.name)
        return error_response(exc, correlation, status)
    except Exception:  # noqa: BLE001 - the shell's edge: logged and mapped once
        log.failure("request.failed", route=spec.name)
        return error_response(AppError(Code.INTERNAL), correlation, status)
    finally:
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        log.event("request.served", route=spec.name, status=status, took_ms=took_ms)
        log.correlation_id.reset(reset)


def _answer(
    request: Any,
    spec: Endpoint,
    view: Callable[[Call[In]], Out],
    authenticate: Authenticate,
    path_values: dict[str, str],
    correlation: str,
) -> Response:
    identity = None if spec.public else authenticate(_bearer(request.headers.get("authorization")))
    path_values = {name: unquote(text) for name, text in path_values.items()}  # API Gateway hands them on as sent
    for name, text in path_values.items():
        _convert(text, PATH_TYPES[name], Code.PATH_INVALID, name)
    value = _input(request, spec)
    claimed = getattr(value, "user_id", None)
    if claimed is not None and identity is not None and claimed != identity.user_id:
        raise AppError(Code.IDENTITY_MISMATCH)
    if_match = _if_match(request.headers.get("if-match")) if spec.if_match else None
    result = view(Call(value, path_values, correlation, if_match, identity))  # type: ignore[arg-type]
    headers = _headers(correlation)
    if isinstance(result, Session):
        headers["ETag"] = f'"{result.version}"'
    if spec.response is None:
        return Response(body="", status_code=spec.status, headers=headers)
    return Response(body=msgspec.json.encode(result).decode(), status_code=spec.status, headers=headers)


def error_response(exc: AppError, correlation: str, status: int) -> Response:
    """The one shape that every error has."""
    body = ErrorBody(code=exc.code, message=exc.message, correlation_id=correlation, retry_after_ms=exc.retry_after_ms)
    headers = _headers(correlation)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if exc.retry_after_ms is not None:
        headers["Retry-After"] = str(max(1, -(-exc.retry_after_ms // 1000)))
    return Response(body=msgspec.json.encode(body).decode(), status_code=status, headers=headers)


def _headers(correlation: str) -> dict[str, str | list[str]]:
    return {"Content-Type": "application/json", "X-Correlation-Id": correlation, "Cache-Control": "no-store"}


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AppError(Code.TOKEN_MISSING)
    return token.strip()


def _input(request: Any, spec: Endpoint) -> Value:
    if spec.has_body:
        try:
            raw = request.raw_body
            if raw and not spec.body_required and not _is_json(request.headers.get("content-type", _JSON)):
                raise AppError(Code.MEDIA_TYPE_UNSUPPORTED)
            return decode_body(raw or b"{}", spec.input)
        except ValueError as exc:  # base64 or UTF-8 that is none
            raise AppError(Code.BODY_MALFORMED) from exc
    query = request.query_params
    values = {k: query[k] for k in query} if query else {}
    if spec.input is Nothing:
        return Nothing()
    return _convert(values, spec.input, Code.QUERY_INVALID, "query")  # type: ignore[no-any-return]


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == _JSON


def _convert(value: object, type_: Any, code: Code, where: str) -> Any:
    try:
        return msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError as exc:
        raise AppError(code, f"{where}: {exc}") from exc


IF_MATCH: Final = r'"?([0-9]{1,15})"?'
"""One strong ETag; its quotes may be missing, as some clients send it."""


def _if_match(header: str | None) -> int | None:
    if header is None or header.strip() == "*":
        return None
    found = re.fullmatch(IF_MATCH, header.strip())
    if found is None:
        raise AppError(Code.QUERY_INVALID, "If-Match is not an ETag of ours")
    return int(found.group(1))
