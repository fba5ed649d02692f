"""Joining: by an invite, by an earlier membership, or because the session is open to whoever has its link.

The membership is written before the seat, and is pending (it expires by itself) until the seat is there. So a crash between
the two leaves nobody seated who is no participant, and no participant who was never let in.
"""

from dataclasses import replace
from typing import Final

from chalicelib.sessions.access import Access, Found
from chalicelib.sessions.invites import Invites
from chalicelib.sessions.model import (
    RANK,
    ParticipantChange,
    ParticipantRecord,
    SessionRecord,
    color_of,
    parse_invite,
)
from chalicelib.sessions.ports import ATTEMPTS, Ports, busy
from chalicelib.sessions.seats import Seats
from chalicelib.wire.bodies import JoinBody, JoinResult
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, Visibility

PENDING_S: Final = 3600
"""How long a membership without a first seat stays, in case whoever was making it crashed."""


class Joining:
    """Lets people in."""

    def __init__(self, ports: Ports, access: Access, seats: Seats, invites: Invites) -> None:
        self._ports = ports
        self._access = access
        self._seats = seats
        self._invites = invites

    def join(self, session_id: str, identity: Identity, body: JoinBody) -> JoinResult:
        """Takes a seat: by invite, by an earlier membership, or because the session is open to whoever has its link.

        What `find` raises, INVITE_UNKNOWN, _EXPIRED, _EXHAUSTED, SESSION_FULL. Joining again is harmless.
        """
        invite_id = None
        if body.invite is not None:
            invited_to, invite_id = parse_invite(body.invite)
            if invited_to != session_id:
                raise AppError(Code.INVITE_UNKNOWN)
        for attempt in range(ATTEMPTS):
            joined = self._try_join(session_id, identity, body, invite_id)
            if joined is not None:
                return joined
            self._ports.pause(attempt)
        raise busy()

    def _try_join(
        self, session_id: str, identity: Identity, body: JoinBody, invite_id: str | None
    ) -> JoinResult | None:
        """None: somebody changed the membership meanwhile."""
        found = self._access.find(session_id, identity, invited=invite_id is not None)
        role, assigned_at_ms = self._role(found, identity, invite_id)
        person = self._enrol(found, identity, role, assigned_at_ms, body)
        seated = None if person is None else self._seats.sit(person)
        if seated is None:
            return None
        record, person = seated
        user_id = identity.user_id
        role = record.role_of(user_id, person.role) or person.role
        self._seats.tell_entered(found.record, user_id, person.name, role)
        online = user_id in found.record.seats and user_id in self._ports.occupancy.connected_users(session_id)
        return JoinResult(session=record.as_session(role), participant=person.as_participant(record, online=online))

    def _enrol(
        self, found: Found, identity: Identity, role: Role, assigned_at_ms: int, body: JoinBody
    ) -> ParticipantRecord | None:
        """Makes somebody a participant, or brings one up to date. None: somebody else changed that meanwhile."""
        repository, now_ms = self._ports.repository, self._ports.now_ms()
        known = found.person
        if known is None:
            person = replace(newcomer(found.record, identity, role, body, now_ms), assigned_at_ms=assigned_at_ms)
            return person if repository.add_participant(person, now_ms=now_ms) else None
        change = ParticipantChange(
            role=role if role is not known.role else None,
            name=body.name,
            color=body.color,
            seated_at_ms=now_ms,
        )
        return repository.update_participant(
            known.session_id, known.user_id, change, assigned_at_ms=known.assigned_at_ms
        )

    def _role(self, found: Found, identity: Identity, invite_id: str | None) -> tuple[Role, int]:
        """The role beneath ownership that joining gives, and when an owner gave it (0: none did)."""
        if found.role is None:
            return self._role_of_newcomer(found.record, identity, invite_id)
        return self._role_of_member(found, identity, invite_id), 0

    def _role_of_newcomer(self, record: SessionRecord, identity: Identity, invite_id: str | None) -> tuple[Role, int]:
        """Who comes back is no more than an owner made of them, unless an invite that was made after that says so."""
        session_id, user_id = record.session_id, identity.user_id
        if invite_id is not None:
            invite = self._invites.redeem(session_id, invite_id, user_id)
            role, given_at_ms = invite.role, invite.created_at_ms
        elif record.visibility is Visibility.PRIVATE:
            raise AppError(Code.SESSION_UNKNOWN)
        else:
            role, given_at_ms = record.settings.default_role, 0
        former = self._ports.repository.former_role(session_id, user_id)
        if former is None:
            return role, 0
        if given_at_ms <= former.assigned_at_ms and RANK[former.role] < RANK[role]:
            role = former.role
        return role, former.assigned_at_ms  # so that no invite from before lifts them later either

    def _role_of_member(self, found: Found, identity: Identity, invite_id: str | None) -> Role:
        """An invite may raise a participant's role, never lower it."""
        session_id, user_id = found.record.session_id, identity.user_id
        own = found.person.role if found.person else Role.EDITOR
        assigned_at_ms = found.person.assigned_at_ms if found.person else 0
        if invite_id is None:
            return own
        try:
            invite = self._invites.usable(session_id, invite_id, user_id)
        except AppError as exc:
            if exc.code is Code.UPSTREAM_UNAVAILABLE:
                raise
            return own
        if RANK[invite.role] <= RANK[own] or invite.created_at_ms <= assigned_at_ms:
            return own
        return self._invites.redeem(session_id, invite_id, user_id).role


def newcomer(record: SessionRecord, identity: Identity, role: Role, body: JoinBody, now_ms: int) -> ParticipantRecord:
    """Somebody who is about to become a participant; pending until their first seat."""
    return ParticipantRecord(
        session_id=record.session_id,
        user_id=identity.user_id,
        role=role,
        name=body.name or identity.name,
        color=body.color or color_of(identity.user_id),
        kind=identity.kind,
        joined_at_ms=now_ms,
        seated_at_ms=now_ms,
        expires_at_s=now_ms // 1000 + PENDING_S,
    )
