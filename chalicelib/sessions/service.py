"""The sessions room's front: creating, finding, joining, changing and ending sessions; the rest is in its parts.

`people` has roles, leaving and removal, `invites` the links, `seats` who counts as inside, `access` the gate that everything
passes. Other rooms use `member`, `seated`, `viewer`, `ensure_seated`, `release_seat` and `snapshot`.
"""

from typing import TypeVar

from msgspec import UnsetType

from chalicelib.sessions.access import Access, Ending, Found
from chalicelib.sessions.invites import Invites
from chalicelib.sessions.joining import Joining, newcomer
from chalicelib.sessions.model import (
    Change,
    Membership,
    ParticipantChange,
    Permission,
    SessionRecord,
    require,
)
from chalicelib.sessions.paging import Position, decode_cursor, encode_cursor
from chalicelib.sessions.people import People
from chalicelib.sessions.ports import ATTEMPTS, Ports, busy
from chalicelib.sessions.seats import Seats
from chalicelib.wire.bodies import (
    CreateSession,
    JoinBody,
    JoinResult,
    Session,
    SessionList,
    SessionSettings,
    UpdateSession,
)
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import SessionChanged
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, SessionStatus, Visibility

T = TypeVar("T")


class Sessions:
    """Every operation on sessions. The caller's identity is always the token's."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._ending = Ending(ports)
        self.access = Access(ports, self._ending)
        self.seats = Seats(ports, self.access)
        self.invites = Invites(ports, self.access)
        self._joining = Joining(ports, self.access, self.seats, self.invites)
        self.people = People(ports, self.access, self.invites, self._ending)

    # -- for routes --

    def create(self, identity: Identity, body: CreateSession) -> Session:
        """A new session, owned by its creator. A guest bound to one session may not (ROLE_INSUFFICIENT)."""
        _refuse_bound(identity)
        _refuse_owner_by_default(body.settings)
        now_ms = self._ports.now_ms()
        record = SessionRecord(
            session_id=f"ses_{self._ports.random_id(20)}",
            name=body.name,
            description=body.description,
            visibility=body.visibility,
            status=SessionStatus.ACTIVE,
            max_participants=body.max_participants,
            settings=body.settings,
            owner_id=identity.user_id,
            owners=frozenset({identity.user_id}),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
        )
        owner = newcomer(record, identity, Role.EDITOR, JoinBody(), now_ms)
        self._ports.repository.add_participant(owner, now_ms=now_ms)
        if not self._ports.repository.create(record):
            raise busy()
        confirm = ParticipantChange(confirm=True)
        self._ports.repository.update_participant(record.session_id, identity.user_id, confirm)
        self._ports.activity.record(record.session_id, "session.created", identity.user_id, identity.name)
        return record.as_session(Role.OWNER)

    def get(self, session_id: str, identity: Identity) -> Session:
        """A session, for its participants and for whoever could join without an invite."""
        found = self.access.find(session_id, identity)
        return found.record.as_session(found.role)

    def mine(self, identity: Identity, *, limit: int, cursor: str | None) -> SessionList:
        """The sessions that this person is a participant of, the latest joined first."""
        listing = f"mine {identity.user_id}"
        after = decode_cursor(listing, cursor)
        ids, last = self._ports.repository.mine(identity.user_id, limit=limit, after=after)
        found = self._ports.repository.load_many(ids, identity.user_id)
        now_ms = self._ports.now_ms()
        sessions = []
        for record, person in (found[i] for i in ids if i in found):
            if record.status is SessionStatus.ENDED:
                self._ending.resume(record)
                continue
            role = record.role_of(identity.user_id, None if person is None or person.lapsed(now_ms) else person.role)
            barred = identity.user_id in record.banned or identity.session_id not in {None, record.session_id}
            if role is not None and not barred:
                sessions.append(record.as_session(role))
        return SessionList(sessions=tuple(sessions), next_cursor=encode_cursor(listing, last))

    def public(self, identity: Identity, *, limit: int, cursor: str | None) -> SessionList:
        """The public sessions, newest first. Not for a guest bound to one session (ROLE_INSUFFICIENT)."""
        _refuse_bound(identity)
        after: Position | None = decode_cursor("public", cursor)
        ids, last = self._ports.repository.public(limit=limit, after=after)
        found = self._ports.repository.load_many(ids, identity.user_id)
        sessions = tuple(
            record.as_session(record.role_of(identity.user_id, person.role if person else None))
            for record, person in (found[i] for i in ids if i in found)
            if record.visibility is Visibility.PUBLIC and record.status is SessionStatus.ACTIVE
        )
        return SessionList(sessions=sessions, next_cursor=encode_cursor("public", last))

    def update(self, session_id: str, identity: Identity, body: UpdateSession, if_match: int | None) -> Session:
        """Changes what is present in the body. VERSION_CONFLICT, SESSION_SMALLER_THAN_OCCUPANCY."""
        settings = _or_none(body.settings)
        seats = _or_none(body.max_participants)
        _refuse_owner_by_default(settings)
        change = Change(
            name=_or_none(body.name),
            description=_or_none(body.description),
            visibility=_or_none(body.visibility),
            max_participants=seats,
            settings=settings,
        )
        for attempt in range(ATTEMPTS):
            found = self.access.find(session_id, identity)
            require(found.role, Permission.CONFIGURE)
            before = found.record
            if if_match not in {None, before.version}:
                raise AppError(Code.VERSION_CONFLICT)
            if seats is not None and len(before.seats) > seats:
                raise AppError(Code.SESSION_SMALLER_THAN_OCCUPANCY)
            after = self._ports.repository.change(before, change, now_ms=self._ports.now_ms())
            if after is not None:
                self._ports.notifier.announce(session_id, SessionChanged(session=after.as_session(None)))
                self._ports.activity.record(session_id, "session.updated", identity.user_id, _name(found, identity))
                return after.as_session(found.role)
            self._ports.pause(attempt)
        raise busy()

    def delete(self, session_id: str, identity: Identity) -> None:
        """Ends a session for everyone and deletes all of it. After a crash at any point, asking again finishes it."""
        found = self.access.find(session_id, identity, ended=True)
        require(found.role, Permission.DELETE)
        self._ports.repository.end(session_id, now_ms=self._ports.now_ms())
        self._ending.finish(session_id)

    def join(self, session_id: str, identity: Identity, body: JoinBody) -> JoinResult:
        """See `Joining.join`."""
        return self._joining.join(session_id, identity, body)

    # -- for other rooms --

    def member(self, session_id: str, identity: Identity, permission: Permission) -> Membership:
        """See `Access.member`."""
        return self.access.member(session_id, identity, permission)

    def viewer(self, session_id: str, identity: Identity) -> None:
        """Refuses whoever may not see what is in the session."""
        self.access.member(session_id, identity, Permission.VIEW)

    def seated(self, session_id: str, identity: Identity) -> Membership:
        """See `Access.seated`."""
        return self.access.seated(session_id, identity)

    def require_seat(self, session_id: str, identity: Identity) -> None:
        """Refuses whoever has no seat."""
        self.access.seated(session_id, identity)

    def peek(self, code: str) -> str:
        """See `Invites.peek`."""
        return self.invites.peek(code)

    def ensure_seated(self, session_id: str, identity: Identity) -> Membership:
        """See `Seats.ensure`."""
        return self.seats.ensure(session_id, identity)

    def confirm_seated(self, session_id: str, user_id: str) -> None:
        """See `Seats.confirm`."""
        self.seats.confirm(session_id, user_id)

    def release_seat(self, session_id: str, user_id: str) -> None:
        """See `Seats.release`."""
        self.seats.release(session_id, user_id)

    def snapshot(self, session_id: str, user_id: str) -> Session:
        """The session as a participant who is connected sees it. SESSION_UNKNOWN, PARTICIPANT_NOT_JOINED."""
        record, person = self._ports.repository.load(session_id, user_id)
        if record is None:
            raise AppError(Code.SESSION_UNKNOWN)
        role = record.role_of(user_id, person.role if person else None)
        if role is None:
            raise AppError(Code.PARTICIPANT_NOT_JOINED)
        return record.as_session(role)


def _name(found: Found, identity: Identity) -> str:
    return found.person.name if found.person else identity.name


def _or_none(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value


def _refuse_bound(identity: Identity) -> None:
    if identity.session_id is not None:
        raise AppError(Code.ROLE_INSUFFICIENT, "this guest was invited to one session")


def _refuse_owner_by_default(settings: SessionSettings | None) -> None:
    if settings is not None and settings.default_role is Role.OWNER:
        raise AppError(Code.BODY_INVALID, "settings.default_role: nobody owns by default")
