"""Seats: the set of people who count as inside. One conditional update admits, so that no race can overfill a room.

A seat outlives its person's connection only by accident (a crashed function, a page that never opened its WebSocket). So
a full room looks again: seats of people who are not connected, and who took them more than SEAT_GRACE_S ago, are
given up. `seating` moves with every seat that is taken or kept, which fences that look against whoever comes back meanwhile.
"""

from dataclasses import replace
from typing import Final

from chalicelib.sessions.access import Access, Found, membership
from chalicelib.sessions.model import Membership, ParticipantChange, ParticipantRecord, SessionRecord
from chalicelib.sessions.ports import ATTEMPTS, Ports, busy
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, SessionStatus

_GRACE_MS: Final = limits.SEAT_GRACE_S * 1000


class Seats:
    """Taking, keeping and giving up seats."""

    def __init__(self, ports: Ports, access: Access) -> None:
        self._ports = ports
        self._access = access

    def ensure(self, session_id: str, identity: Identity) -> Membership:
        """A participant with a seat, taking one if need be. What `find` raises, PARTICIPANT_NOT_JOINED or SESSION_FULL."""
        for attempt in range(ATTEMPTS):
            found = self._access.find(session_id, identity)
            member = membership(found, identity)
            if self.fresh(found):
                return member
            if found.person is None:
                record = self.take(session_id, identity.user_id)
                self.tell_entered(found.record, identity.user_id, member.name, member.role)
                return replace(member, session=record)
            person = self._ports.repository.update_participant(
                session_id, identity.user_id, ParticipantChange(seated_at_ms=self._ports.now_ms())
            )
            seated = None if person is None else self.sit(person)
            if seated is not None:
                self.tell_entered(found.record, identity.user_id, member.name, member.role)
                return replace(member, session=seated[0])
            self._ports.pause(attempt)
        raise busy()

    def confirm(self, session_id: str, user_id: str) -> None:
        """Nothing for who has a seat; SESSION_UNKNOWN, _ENDED, PARTICIPANT_BANNED or _NOT_JOINED, read consistently."""
        record = self._ports.repository.session(session_id)
        if record is None:
            raise AppError(Code.SESSION_UNKNOWN)
        if user_id in record.banned:
            raise AppError(Code.PARTICIPANT_BANNED)
        if record.status is SessionStatus.ENDED:
            raise AppError(Code.SESSION_ENDED)
        if user_id not in record.seats:
            raise AppError(Code.PARTICIPANT_NOT_JOINED)

    def tell_entered(self, before: SessionRecord, user_id: str, name: str, role: Role) -> None:
        """An entry in the feed for who had no seat before."""
        if user_id not in before.seats:
            self._ports.activity.record(before.session_id, "participant.joined", user_id, name, role=str(role))

    def fresh(self, found: Found) -> bool:
        """Whether somebody's seat is so recent that nobody can reclaim it soon: nothing needs to be written."""
        person = found.person
        if person is None or person.expires_at_s is not None or person.user_id not in found.record.seats:
            return False
        return self._ports.now_ms() - person.seated_at_ms < _GRACE_MS // 2

    def sit(self, person: ParticipantRecord) -> tuple[SessionRecord, ParticipantRecord] | None:
        """Seats a participant, whose item has a new `seated_at_ms`, and confirms who was pending.

        None: their item went meanwhile. The codes of `take` otherwise; who was pending is then dropped.
        """
        repository = self._ports.repository
        try:
            record = self.take(person.session_id, person.user_id)
        except AppError:
            repository.drop_participant(person.session_id, person.user_id, only_pending=True)
            raise
        if person.expires_at_s is None:
            return record, person
        confirmed = repository.update_participant(person.session_id, person.user_id, ParticipantChange(confirm=True))
        return None if confirmed is None else (record, confirmed)

    def take(self, session_id: str, user_id: str) -> SessionRecord:
        """One seat, or SESSION_UNKNOWN, SESSION_ENDED, PARTICIPANT_BANNED, SESSION_FULL."""
        repository = self._ports.repository
        taken = repository.take_seat(session_id, user_id)
        if taken is None and self._reclaim(session_id, user_id):
            taken = repository.take_seat(session_id, user_id)
        if taken is None:
            raise AppError(Code.SESSION_FULL)
        return taken

    def release(self, session_id: str, user_id: str) -> None:
        """Gives up the seat of somebody whose last connection has gone; they stay a participant."""
        self._ports.repository.free_seat(session_id, user_id)

    def _reclaim(self, session_id: str, user_id: str) -> bool:
        """Whether it is worth another try. The order of the reads is what makes the fence hold: session, then people."""
        record = self._ports.repository.session(session_id)
        if record is None:
            raise AppError(Code.SESSION_UNKNOWN)
        if user_id in record.banned:
            raise AppError(Code.PARTICIPANT_BANNED)
        if record.status is SessionStatus.ENDED:
            raise AppError(Code.SESSION_ENDED)
        if len(record.seats) < record.max_participants:
            return True
        absent = record.seats - self._ports.occupancy.connected_users(session_id)
        if not absent:
            return False
        now_ms = self._ports.now_ms()
        people = self._ports.repository.participants_of(session_id, absent)
        recent = {p.user_id for p in people if now_ms - p.seated_at_ms < _GRACE_MS}
        stale = absent - recent
        return bool(stale) and self._ports.repository.reclaim_seats(session_id, stale, seating=record.seating)
