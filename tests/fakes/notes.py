"""A small room that has one route of each kind, for tests of the edge itself."""

import logging
import time
from typing import Annotated

from msgspec import Meta

from chalicelib.aws.app import HolodeckApp
from chalicelib.endpoint import Call, Nothing, Routes
from chalicelib.wire.bodies import Session, SessionSettings
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import SessionStatus, UserId, UserKind, Value, Visibility

SESSION = "ses_" + "a" * 20
SECRET = "the-database-password"


class Note(Value, frozen=True, kw_only=True):
    """A body and a response."""

    text: str
    user_id: UserId | None = None
    if_match: int | None = None


class Page(Value, frozen=True, kw_only=True):
    """A query."""

    limit: Annotated[int, Meta(ge=1, le=10)] = 5
    deep: bool = False


class Seen(Value, frozen=True, kw_only=True):
    """What a view saw."""

    user_id: str
    path: dict[str, str]
    correlation_id: str
    limit: int = 0


def authenticate(token: str) -> Identity:
    """`token` is the user's id; two special ones are refused."""
    if token == "expired":
        raise AppError(Code.TOKEN_EXPIRED)
    if token == "bad":
        raise AppError(Code.TOKEN_INVALID)
    return Identity(token, "Ada", UserKind.ACCOUNT)


def room() -> Routes:
    r = Routes("notes", authenticate)

    @r.get("/notes/{session_id}", response=Seen, query=Page, errors=(Code.SESSION_UNKNOWN,))
    def read(request: Call[Page]) -> Seen:
        """Reads."""
        time.sleep(0.001)  # lets another thread in
        return Seen(
            user_id=request.identity.user_id,
            path=request.path,
            correlation_id=request.correlation_id,
            limit=request.input.limit,
        )

    @r.post("/notes", body=Note, response=Note, status=201)
    def write(request: Call[Note]) -> Note:
        """Writes."""
        return request.input

    @r.post("/open", body=Note, response=Note, errors=(Code.SESSION_UNKNOWN,), public=True)
    def open_to_all(request: Call[Note]) -> Note:
        """Needs no token, unless the view asks who it is."""
        if request.input.text == "nowhere":
            raise AppError(Code.SESSION_UNKNOWN)
        if request.input.text == "who":
            return Note(text=request.identity.user_id)
        return request.input

    @r.put("/notes/{session_id}", body=Note, response=Session, if_match=True)
    def replace(request: Call[Note]) -> Session:
        """Replaces a version."""
        return session(request.if_match if request.if_match is not None else -1)

    @r.delete("/notes/{session_id}", errors=(Code.ROLE_INSUFFICIENT,))
    def remove(request: Call[Nothing]) -> None:
        """Removes."""

    @r.post("/fail", body=Note, response=Note, public=True)
    def fail(request: Call[Note]) -> Note:
        """Breaks in some way."""
        if request.input.text == "busy":
            raise AppError(Code.RATE_LIMITED, retry_after_ms=1200)
        if request.input.text == "law":
            raise AppError(Code.SESSION_FULL, "50 of 50")
        raise RuntimeError(SECRET)

    return r


def session(version: int) -> Session:
    return Session(
        session_id=SESSION,
        name="n",
        description="",
        visibility=Visibility.LINK,
        status=SessionStatus.ACTIVE,
        max_participants=5,
        participant_count=0,
        settings=SessionSettings(),
        owner_id="ada",
        created_at_ms=0,
        updated_at_ms=0,
        version=version,
    )


def notes_app() -> HolodeckApp:
    """An app with the room of notes."""
    it = HolodeckApp(app_name="notes")
    it.experimental_feature_flags.update(["BLUEPRINTS"])
    it.register_blueprint(room().blueprint)
    return it


class Records(logging.Handler):
    """Keeps what was logged, traces included."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.lines.append((record.getMessage(), f"{record.__dict__} {trace}"))
