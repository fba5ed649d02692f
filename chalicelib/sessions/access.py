"""Finding a session for a person: the one gate that every route and message passes. Deny unless allowed.

Nobody learns that a private session exists but its participants, whoever it has banned, and a guest whose token is
bound to it. And an ended session that was left half deleted is finished by whoever finds it.
"""

from dataclasses import dataclass
from typing import Final

from chalicelib.sessions.model import (
    Membership,
    ParticipantRecord,
    Permission,
    SessionRecord,
    color_of,
    require,
)
from chalicelib.sessions.ports import Ports
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import SessionEnded
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, SessionStatus, Visibility

UNFINISHED_MS: Final = 60_000
"""An ended session that is still there after so long was left by whoever was deleting it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A session, and how a person stands to it; `role` is None for who is no participant."""

    record: SessionRecord
    person: ParticipantRecord | None
    role: Role | None


class Ending:
    """The end of a session. Each step can be repeated; the session's own item goes last."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def finish(self, session_id: str) -> None:
        """Tells everyone, closes every connection, deletes everything of a session that is marked as ended."""
        self._ports.notifier.close(session_id, SessionEnded(session_id=session_id))
        self._ports.activity.erase(session_id)
        self._ports.documents.erase(session_id)
        self._ports.repository.erase_children(session_id)
        self._ports.repository.forget(session_id)

    def resume(self, record: SessionRecord) -> None:
        """Finishes what somebody began and did not finish."""
        if self._ports.now_ms() - record.updated_at_ms >= UNFINISHED_MS:
            self.finish(record.session_id)


class Access:
    """The gate."""

    def __init__(self, ports: Ports, ending: Ending) -> None:
        self._ports = ports
        self._ending = ending

    def find(self, session_id: str, identity: Identity, *, invited: bool = False, ended: bool = False) -> Found:
        """The session as this person may see it.

        SESSION_UNKNOWN, PARTICIPANT_BANNED, or (unless `ended` is welcome) SESSION_ENDED. `invited` opens a private session
        to who is about to show an invite.
        """
        if identity.session_id not in {None, session_id}:
            raise AppError(Code.SESSION_UNKNOWN)
        record, person = self._ports.repository.load(session_id, identity.user_id)
        if record is None:
            raise AppError(Code.SESSION_UNKNOWN)
        if identity.user_id in record.banned:
            raise AppError(Code.PARTICIPANT_BANNED)
        if person is not None and person.lapsed(self._ports.now_ms()):
            person = None
        role = record.role_of(identity.user_id, person.role if person else None)
        hidden = record.visibility is Visibility.PRIVATE and identity.session_id is None
        if role is None and hidden and not invited:
            raise AppError(Code.SESSION_UNKNOWN)
        if record.status is SessionStatus.ENDED and not ended:
            self._ending.resume(record)
            raise AppError(Code.SESSION_ENDED)
        return Found(record, person, role)

    def member(self, session_id: str, identity: Identity, permission: Permission) -> Membership:
        """A participant who has a permission; otherwise what `find` raises, or ROLE_INSUFFICIENT."""
        found = self.find(session_id, identity)
        require(found.role, permission)
        return membership(found, identity)

    def seated(self, session_id: str, identity: Identity) -> Membership:
        """A participant who has a seat; otherwise what `find` raises, or PARTICIPANT_NOT_JOINED."""
        found = self.find(session_id, identity)
        if found.role is None or identity.user_id not in found.record.seats:
            raise AppError(Code.PARTICIPANT_NOT_JOINED)
        return membership(found, identity)


def membership(found: Found, identity: Identity) -> Membership:
    """The membership of who was found to be a participant. PARTICIPANT_NOT_JOINED for who isn't."""
    if found.role is None:
        raise AppError(Code.PARTICIPANT_NOT_JOINED)
    person = found.person
    return Membership(
        session=found.record,
        user_id=identity.user_id,
        name=person.name if person else identity.name,
        color=person.color if person else color_of(identity.user_id),
        role=found.role,
        kind=identity.kind,
    )
