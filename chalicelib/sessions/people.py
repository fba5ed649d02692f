"""The participants of a session: listing, roles, leaving, removal, and who inherits it.

Every change of ownership is one compare-and-set of the session (its `version`), so two owners who leave at once cannot
both believe that the other stays. Seat and ownership go first and the participant's own item last: whatever crashes in
between, the person is still found, and the same request finishes the work.
"""

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.sessions.access import Access, Ending
from chalicelib.sessions.invites import Invites
from chalicelib.sessions.model import (
    Change,
    FormerRole,
    ParticipantChange,
    ParticipantRecord,
    Permission,
    SessionRecord,
    allows,
    heir_among,
    require,
)
from chalicelib.sessions.paging import Position, decode_cursor, encode_cursor
from chalicelib.sessions.ports import ATTEMPTS, Ports, busy
from chalicelib.wire import limits
from chalicelib.wire.bodies import LeaveResult, Participant, ParticipantList
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ParticipantChanged, ParticipantRemoved
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, SessionStatus


class People:
    """Who is in a session, and what becomes of it when they go."""

    def __init__(self, ports: Ports, access: Access, invites: Invites, ending: Ending) -> None:
        self._ports = ports
        self._access = access
        self._invites = invites
        self._ending = ending

    def list(self, session_id: str, identity: Identity, *, limit: int, cursor: str | None) -> ParticipantList:
        """A page of participants, for participants."""
        member = self._access.member(session_id, identity, Permission.VIEW)
        listing = f"participants {session_id}"
        after = decode_cursor(listing, cursor)
        people, last = self._ports.repository.participants(session_id, limit=limit, after=after.key if after else None)
        online = self._ports.occupancy.connected_users(session_id)
        now_ms = self._ports.now_ms()
        return ParticipantList(
            participants=tuple(
                p.as_participant(member.session, online=p.user_id in online) for p in people if not p.lapsed(now_ms)
            ),
            next_cursor=encode_cursor(listing, Position(0, last) if last else None),
        )

    def set_role(self, session_id: str, identity: Identity, user_id: str, role: Role) -> Participant:
        """Gives a role. An owner may make another, and demote one as long as one remains (OWNER_REQUIRED)."""
        for attempt in range(ATTEMPTS):
            found = self._access.find(session_id, identity)
            require(found.role, Permission.MANAGE_PARTICIPANTS)
            person = self._participant(found.record, user_id)
            record = (
                self._promote(found.record, user_id)
                if role is Role.OWNER
                else self._demote(found.record, user_id, role)
            )
            if record is not None:
                self._tell_role(record, person, role, by=identity.user_id)
                self._tell_owner(found.record, record, by=identity.user_id)
                person = self._participant(record, user_id)
                online = user_id in self._ports.occupancy.connected_users(session_id)
                return person.as_participant(record, online=online)
            self._ports.pause(attempt)
        raise busy()

    def remove(self, session_id: str, identity: Identity, user_id: str, *, ban: bool) -> None:
        """Puts somebody out, for good if banned. PARTICIPANT_UNKNOWN, OWNER_REQUIRED for the last owner."""
        for attempt in range(ATTEMPTS):
            found = self._access.find(session_id, identity)
            require(found.role, Permission.MANAGE_PARTICIPANTS)
            person = self._participant(found.record, user_id, half_removed=True)
            if ban and user_id not in found.record.banned and len(found.record.banned) >= limits.BANS_PER_SESSION:
                raise AppError(Code.QUERY_INVALID, f"ban: {limits.BANS_PER_SESSION} people are banned here already")
            if self._disown(found.record, user_id, ban=user_id if ban else None) is None:
                self._ports.pause(attempt)
                continue
            message = ParticipantRemoved(user_id=user_id, banned=ban, by=identity.user_id)
            self._ports.notifier.expel(session_id, user_id, message)
            self._invites.revoke_all_of(session_id, user_id)
            self._depart(session_id, user_id)
            self._ports.notifier.announce(session_id, message)
            detail = {"by": identity.user_id, "banned": "true" if ban else "false"}
            self._ports.activity.record(session_id, "participant.removed", user_id, person.name, **detail)
            return
        raise busy()

    def leave(self, session_id: str, identity: Identity) -> LeaveResult:
        """Gives up seat and membership. The last owner hands over to who is there, or ends an empty session."""
        user_id = identity.user_id
        found = self._access.find(session_id, identity)
        if found.role is None and user_id not in found.record.seats:
            raise AppError(Code.PARTICIPANT_NOT_JOINED)
        name = found.person.name if found.person else identity.name
        record: SessionRecord | None = found.record
        for attempt in range(ATTEMPTS):
            if record is None or record.status is SessionStatus.ENDED:
                return LeaveResult(status=SessionStatus.ENDED)
            after = self._step_down(record, user_id)
            if after is not None:
                if after.status is SessionStatus.ENDED:
                    return LeaveResult(status=SessionStatus.ENDED)
                return self._left(record, after, user_id, name)
            self._ports.pause(attempt)
            record = self._ports.repository.session(session_id)
        raise busy()

    # -- steps: each returns the session after it, or None where somebody changed it first --

    def _left(self, before: SessionRecord, after: SessionRecord, user_id: str, name: str) -> LeaveResult:
        session_id = before.session_id
        message = ParticipantRemoved(user_id=user_id, banned=False, by=user_id)
        self._ports.notifier.expel(session_id, user_id, message)
        self._depart(session_id, user_id)
        self._ports.activity.record(session_id, "participant.left", user_id, name)
        heir = after.owner_id if after.owner_id not in before.owners else None
        if heir is not None:
            people = self._ports.repository.participants_of(session_id, [heir])
            for person in people:
                self._tell_role(after, person, Role.OWNER, by=user_id)
        self._tell_owner(before, after, by=user_id)
        return LeaveResult(status=SessionStatus.ACTIVE, new_owner_id=heir)

    def _step_down(self, record: SessionRecord, user_id: str) -> SessionRecord | None:
        """Frees the seat and gives up ownership: to a co-owner, to an heir, or with the session itself."""
        repository = self._ports.repository
        if user_id not in record.owners:
            repository.free_seat(record.session_id, user_id)
            return record
        if len(record.owners) > 1:
            return self._disown(record, user_id)
        connected = self._ports.occupancy.connected_users(record.session_id)
        heir = heir_among((p for p in self._everyone(record) if p.user_id != user_id), connected)
        if heir is not None:
            change = Change(add_owner=heir.user_id, remove_owner=user_id, owner_id=heir.user_id, free_seat=user_id)
            return self._change(record, change)
        if not repository.end(record.session_id, now_ms=self._ports.now_ms(), seating=record.seating):
            return None
        self._ending.finish(record.session_id)
        return replace(record, status=SessionStatus.ENDED)

    def _promote(self, record: SessionRecord, user_id: str) -> SessionRecord | None:
        if user_id in record.owners:
            return record
        after = self._change(record, Change(add_owner=user_id))
        if after is not None and not self._ports.repository.participants_of(record.session_id, [user_id]):
            self._depart(record.session_id, user_id)  # they left in between: no ghost may own the session
            raise AppError(Code.PARTICIPANT_UNKNOWN)
        return after

    def _demote(self, record: SessionRecord, user_id: str, role: Role) -> SessionRecord | None:
        change = ParticipantChange(role=role, assigned_at_ms=self._ports.now_ms())
        if record.owners == {user_id}:
            raise AppError(Code.OWNER_REQUIRED)
        if self._ports.repository.update_participant(record.session_id, user_id, change) is None:
            raise AppError(Code.PARTICIPANT_UNKNOWN)
        if not allows(role, Permission.INVITE):
            self._invites.revoke_all_of(record.session_id, user_id)
        return self._disown(record, user_id, keep_seat=True) if user_id in record.owners else record

    def _disown(
        self, record: SessionRecord, user_id: str, *, ban: str | None = None, keep_seat: bool = False
    ) -> SessionRecord | None:
        """Takes ownership (if they have it), seat and standing from somebody. OWNER_REQUIRED for the last owner."""
        rest = record.owners - {user_id}
        if not rest:
            raise AppError(Code.OWNER_REQUIRED)
        principal = record.owner_id
        if principal not in rest:
            heirs = self._ports.repository.participants_of(record.session_id, rest)
            heir = heir_among(heirs, set(rest))
            principal = heir.user_id if heir else min(rest)
        change = Change(
            remove_owner=user_id if user_id in record.owners else None,
            owner_id=principal,
            free_seat=None if keep_seat else user_id,
            ban=ban,
        )
        return self._change(record, change)

    def _depart(self, session_id: str, user_id: str) -> None:
        """Deletes the membership; and if they were made an owner in the meantime, that too. A role that was given stays."""
        for person in self._ports.repository.participants_of(session_id, [user_id]):
            if person.assigned_at_ms:
                former = FormerRole(role=person.role, assigned_at_ms=person.assigned_at_ms)
                self._ports.repository.remember_role(session_id, user_id, former, now_ms=self._ports.now_ms())
        self._ports.repository.drop_participant(session_id, user_id)
        for attempt in range(ATTEMPTS):
            record = self._ports.repository.session(session_id)
            if record is None or user_id not in record.owners or self._step_down(record, user_id) is not None:
                return
            self._ports.pause(attempt)
        raise busy()

    # -- small things --

    def _change(self, record: SessionRecord, change: Change) -> SessionRecord | None:
        return self._ports.repository.change(record, change, now_ms=self._ports.now_ms())

    def _participant(self, record: SessionRecord, user_id: str, *, half_removed: bool = False) -> ParticipantRecord:
        """PARTICIPANT_UNKNOWN. Somebody `half_removed` was banned, but their membership is still to be deleted."""
        for person in self._ports.repository.participants_of(record.session_id, [user_id]):
            if not person.lapsed(self._ports.now_ms()) and (half_removed or user_id not in record.banned):
                return person
        raise AppError(Code.PARTICIPANT_UNKNOWN)

    def _everyone(self, record: SessionRecord) -> Iterator[ParticipantRecord]:
        after: str | None = None
        while True:
            people, after = self._ports.repository.participants(record.session_id, limit=limits.PAGE_MAX, after=after)
            yield from (p for p in people if not p.lapsed(self._ports.now_ms()) and p.user_id not in record.banned)
            if after is None:
                return

    def _tell_role(self, record: SessionRecord, person: ParticipantRecord, role: Role, *, by: str) -> None:
        self._ports.notifier.change_role(record.session_id, person.user_id, role)
        self._ports.notifier.announce(record.session_id, ParticipantChanged(user_id=person.user_id, role=role, by=by))
        detail = {"by": by, "role": str(role)}
        self._ports.activity.record(
            record.session_id, "participant.role_changed", person.user_id, person.name, **detail
        )

    def _tell_owner(self, before: SessionRecord, after: SessionRecord, *, by: str) -> None:
        if before.owner_id == after.owner_id:
            return
        people = self._ports.repository.participants_of(after.session_id, [after.owner_id])
        name = next((p.name for p in people), after.owner_id)
        self._ports.activity.record(after.session_id, "owner.changed", after.owner_id, name, by=by)
