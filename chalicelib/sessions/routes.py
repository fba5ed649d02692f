"""The sessions room by REST: each route, what it takes, what it answers and every error it can give."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from chalicelib.endpoint import Authenticate, Call, Nothing, Routes
from chalicelib.sessions.service import Sessions
from chalicelib.wire import limits
from chalicelib.wire.bodies import (
    CreateInvite,
    CreateSession,
    Invite,
    InviteList,
    JoinBody,
    JoinResult,
    LeaveBody,
    LeaveResult,
    Participant,
    ParticipantList,
    Session,
    SessionList,
    UpdateParticipant,
    UpdateSession,
)
from chalicelib.wire.codes import Code
from chalicelib.wire.types import PageCursor, Value

PageLimit = Annotated[int, Meta(ge=1, le=limits.PAGE_MAX, description="entries on a page")]


class Scope(StrEnum):
    """Which sessions to list."""

    MINE = "mine"
    PUBLIC = "public"


class SessionQuery(Value, frozen=True, kw_only=True):
    """A page of a listing of sessions."""

    scope: Scope = Scope.MINE
    limit: PageLimit = limits.PAGE_DEFAULT
    cursor: PageCursor | None = None


class ParticipantQuery(Value, frozen=True, kw_only=True):
    """A page of the participants."""

    limit: PageLimit = limits.PAGE_DEFAULT
    cursor: PageCursor | None = None


class RemoveQuery(Value, frozen=True, kw_only=True):
    """How to remove somebody."""

    ban: Annotated[bool, Meta(description="they cannot come back")] = False


_FIND: Final = (Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED)
_MAY: Final = (*_FIND, Code.ROLE_INSUFFICIENT)
_PERSON: Final = (*_MAY, Code.PARTICIPANT_UNKNOWN, Code.OWNER_REQUIRED)


def routes(authenticate: Authenticate, service: Callable[[], Sessions]) -> Routes:
    """The blueprint of this room."""
    r = Routes("sessions", authenticate)
    _sessions(r, service)
    _people(r, service)
    _invites(r, service)
    return r


def _sessions(r: Routes, service: Callable[[], Sessions]) -> None:
    @r.post("/sessions", body=CreateSession, response=Session, status=201, errors=(Code.ROLE_INSUFFICIENT,))
    def create_session(call: Call[CreateSession]) -> Session:
        """Creates a session that you own. Take a seat in it with join."""
        return service().create(call.identity, call.input)

    @r.get(
        "/sessions",
        query=SessionQuery,
        response=SessionList,
        errors=(Code.CURSOR_INVALID, Code.ROLE_INSUFFICIENT),
    )
    def list_sessions(call: Call[SessionQuery]) -> SessionList:
        """Lists the sessions you are a participant of, or the public ones; the newest first."""
        query = call.input
        listing = service().mine if query.scope is Scope.MINE else service().public
        return listing(call.identity, limit=query.limit, cursor=query.cursor)

    @r.get("/sessions/{session_id}", response=Session, errors=_FIND)
    def get_session(call: Call[Nothing]) -> Session:
        """Reads a session: as a participant, or (unless it is private) as anyone. The ETag is its version."""
        return service().get(call.path["session_id"], call.identity)

    @r.put(
        "/sessions/{session_id}",
        body=UpdateSession,
        response=Session,
        errors=(*_MAY, Code.SESSION_SMALLER_THAN_OCCUPANCY),
        if_match=True,
    )
    def update_session(call: Call[UpdateSession]) -> Session:
        """Changes what is present in the body, as an owner. Send the ETag as If-Match to change only what you have seen."""
        return service().update(call.path["session_id"], call.identity, call.input, call.if_match)

    @r.delete("/sessions/{session_id}", errors=_MAY)
    def delete_session(call: Call[Nothing]) -> None:
        """Ends the session for everyone in it and deletes everything of it, as an owner."""
        service().delete(call.path["session_id"], call.identity)

    @r.post(
        "/sessions/{session_id}/join",
        body=JoinBody,
        response=JoinResult,
        errors=(*_FIND, Code.SESSION_FULL, Code.INVITE_UNKNOWN, Code.INVITE_EXPIRED, Code.INVITE_EXHAUSTED),
    )
    def join_session(call: Call[JoinBody]) -> JoinResult:
        """Takes a seat: by an invite, as an earlier participant, or because the session is open. Harmless to repeat."""
        return service().join(call.path["session_id"], call.identity, call.input)

    @r.post(
        "/sessions/{session_id}/leave",
        body=LeaveBody,
        response=LeaveResult,
        errors=(*_FIND, Code.PARTICIPANT_NOT_JOINED),
    )
    def leave_session(call: Call[LeaveBody]) -> LeaveResult:
        """Gives up your seat and membership. The last owner hands over to another participant, or ends an empty session."""
        return service().people.leave(call.path["session_id"], call.identity)


def _people(r: Routes, service: Callable[[], Sessions]) -> None:
    @r.get(
        "/sessions/{session_id}/participants",
        query=ParticipantQuery,
        response=ParticipantList,
        errors=(*_MAY, Code.CURSOR_INVALID),
    )
    def list_participants(call: Call[ParticipantQuery]) -> ParticipantList:
        """Lists the participants, as a participant, and says who is online."""
        query = call.input
        return service().people.list(call.path["session_id"], call.identity, limit=query.limit, cursor=query.cursor)

    @r.put(
        "/sessions/{session_id}/participants/{user_id}",
        body=UpdateParticipant,
        response=Participant,
        errors=_PERSON,
    )
    def update_participant(call: Call[UpdateParticipant]) -> Participant:
        """Gives a participant a role, as an owner. The role owner makes a further owner; the last one cannot step down."""
        path = call.path
        return service().people.set_role(path["session_id"], call.identity, path["user_id"], call.input.role)

    @r.delete("/sessions/{session_id}/participants/{user_id}", query=RemoveQuery, errors=_PERSON)
    def remove_participant(call: Call[RemoveQuery]) -> None:
        """Removes a participant, as an owner: their seat, membership and invites go, and their connections close."""
        path = call.path
        service().people.remove(path["session_id"], call.identity, path["user_id"], ban=call.input.ban)


def _invites(r: Routes, service: Callable[[], Sessions]) -> None:
    @r.post(
        "/sessions/{session_id}/invites",
        body=CreateInvite,
        response=Invite,
        status=201,
        errors=(*_MAY, Code.INVITE_LIMIT),
    )
    def create_invite(call: Call[CreateInvite]) -> Invite:
        """Makes an invite with at most your own role, as an editor or owner. Its code is told here and never again."""
        return service().invites.create(call.path["session_id"], call.identity, call.input)

    @r.get("/sessions/{session_id}/invites", response=InviteList, errors=_MAY)
    def list_invites(call: Call[Nothing]) -> InviteList:
        """Lists the invites that can still be used, without their codes, as an editor or owner."""
        return service().invites.list(call.path["session_id"], call.identity)

    @r.delete("/sessions/{session_id}/invites/{invite_id}", errors=(*_MAY, Code.INVITE_UNKNOWN))
    def revoke_invite(call: Call[Nothing]) -> None:
        """Revokes an invite: your own as an editor, any as an owner. Who came by it stays."""
        service().invites.revoke(call.path["session_id"], call.identity, call.path["invite_id"])
