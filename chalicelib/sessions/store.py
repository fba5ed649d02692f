"""Sessions in DynamoDB: every operation is one conditional write or one bounded read of one partition.

No transactions: under many joins at once they conflict with each other, and what they would protect is one item
anyway. A set in the session's item is its own count, so a seat is taken by `ADD seats` if there is room.
"""

from collections.abc import Iterable
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.aws.tables import reaching
from chalicelib.sessions.model import Change, FormerRole, ParticipantChange, ParticipantRecord, SessionRecord, changed
from chalicelib.sessions.paging import Position
from chalicelib.sessions.store_invites import InviteStore, condition_met
from chalicelib.sessions.tables import (
    FORMER,
    LISTED,
    PARTICIPANT,
    SESSION,
    SessionModel,
    listing_of,
    participant_item,
    participant_record,
    session_item,
    session_record,
    settings_text,
    size_of,
)
from chalicelib.wire import limits
from chalicelib.wire.types import Role, SessionStatus

__all__ = ["SessionModel", "SessionStore"]


class SessionStore(InviteStore):
    """The SessionRepository that is real."""

    # -- the session --

    def create(self, record: SessionRecord) -> bool:
        """Stores a new session."""
        item = session_item(self._model, record)
        return condition_met("session.create", lambda: item.save(condition=self._model.session_id.does_not_exist()))

    def session(self, session_id: str) -> SessionRecord | None:
        """The session, read consistently."""
        with reaching("session.get"):
            try:
                return session_record(self._model.get(session_id, SESSION, consistent_read=True))
            except self._model.DoesNotExist:
                return None

    def load(self, session_id: str, user_id: str) -> tuple[SessionRecord | None, ParticipantRecord | None]:
        """Session and participant in one round trip."""
        keys = [(session_id, SESSION), (session_id, PARTICIPANT + user_id)]
        with reaching("session.load"):
            items = {item.sk: item for item in self._model.batch_get(keys, consistent_read=True)}
        session, person = items.get(SESSION), items.get(PARTICIPANT + user_id)
        return (
            None if session is None else session_record(session),
            None if person is None else participant_record(person),
        )

    def load_many(
        self, session_ids: Iterable[str], user_id: str
    ) -> dict[str, tuple[SessionRecord, ParticipantRecord | None]]:
        """Sessions and participants, two keys each, a hundred keys a round trip."""
        sks = (SESSION, PARTICIPANT + user_id)
        with reaching("session.load_many"):
            found = list(self._model.batch_get([(session_id, sk) for session_id in session_ids for sk in sks]))
        people = {item.session_id: participant_record(item) for item in found if item.sk != SESSION}
        return {
            item.session_id: (session_record(item), people.get(item.session_id)) for item in found if item.sk == SESSION
        }

    def change(self, record: SessionRecord, change: Change, *, now_ms: int) -> SessionRecord | None:
        """One update, from the version that was read."""
        model = self._model
        after = changed(record, change, now_ms)
        listing = listing_of(after.visibility)
        actions: list[Action] = [
            model.name.set(after.name),
            model.description.set(after.description),
            model.visibility.set(after.visibility.value),
            model.max_participants.set(after.max_participants),
            model.settings.set(settings_text(after.settings)),
            model.owner_id.set(after.owner_id),
            model.owners.set(set(after.owners)),
            model.updated_at_ms.set(now_ms),
            model.version.set(after.version),
            model.listing.remove() if listing is None else model.listing.set(listing),
        ]
        if change.free_seat is not None:
            actions.append(model.seats.delete({change.free_seat}))
        if change.ban is not None:
            actions.append(model.banned.add({change.ban}))
        condition = self._active() & (model.version == record.version)
        if change.max_participants is not None:
            condition &= model.seats.does_not_exist() | (size_of(model.seats) <= change.max_participants)
        return self._update(record.session_id, actions, condition)

    def end(self, session_id: str, *, now_ms: int, seating: int | None = None) -> bool:
        """Marks the session ended and unlists it."""
        model = self._model
        actions: list[Action] = [
            model.status.set(SessionStatus.ENDED.value),
            model.updated_at_ms.set(now_ms),
            model.version.add(1),
            model.listing.remove(),
        ]
        condition = self._active()
        if seating is not None:
            condition &= model.seating == seating
        return self._update(session_id, actions, condition) is not None

    def erase_children(self, session_id: str) -> None:
        """Deletes whatever is in the partition but the session itself."""
        with reaching("session.erase"), self._model.batch_write() as batch:
            for item in self._model.query(session_id, consistent_read=True, attributes_to_get=["session_id", "sk"]):
                if item.sk != SESSION:
                    batch.delete(item)

    def forget(self, session_id: str) -> None:
        """Deletes the session's item."""
        with reaching("session.forget"):
            self._model(session_id, SESSION).delete()

    # -- seats --

    def take_seat(self, session_id: str, user_id: str) -> SessionRecord | None:
        """The one conditional update that admits."""
        model = self._model
        has_room = (
            model.seats.does_not_exist()
            | (size_of(model.seats) < model.max_participants)
            | model.seats.contains(user_id)
        )
        welcome = model.banned.does_not_exist() | ~model.banned.contains(user_id)
        actions: list[Action] = [model.seats.add({user_id}), model.seating.add(1)]
        return self._update(session_id, actions, self._active() & welcome & has_room)

    def free_seat(self, session_id: str, user_id: str) -> None:
        """Gives a seat back, where the session still exists."""
        self._update(session_id, [self._model.seats.delete({user_id})], self._model.status.exists())

    def reclaim_seats(self, session_id: str, user_ids: frozenset[str], *, seating: int) -> bool:
        """Frees many seats, if nobody took or kept one since."""
        condition = self._active() & (self._model.seating == seating)
        return self._update(session_id, [self._model.seats.delete(set(user_ids))], condition) is not None

    # -- participants --

    def add_participant(self, person: ParticipantRecord, *, now_ms: int) -> bool:
        """Stores somebody who is no participant, or was one only for a while."""
        model = self._model
        free = model.session_id.does_not_exist() | (model.expires_at <= now_ms // 1000)
        item = participant_item(model, person)
        return condition_met("participant.add", lambda: item.save(condition=free))

    def update_participant(
        self, session_id: str, user_id: str, change: ParticipantChange, *, assigned_at_ms: int | None = None
    ) -> ParticipantRecord | None:
        """Changes what is given of a participant who is there."""
        model = self._model
        given: list[tuple[Any, Any]] = [
            (model.role, change.role.value if change.role else None),
            (model.name, change.name),
            (model.color, change.color),
            (model.seated_at_ms, change.seated_at_ms),
            (model.assigned_at_ms, change.assigned_at_ms),
        ]
        actions: list[Action] = [attribute.set(value) for attribute, value in given if value is not None]
        if change.confirm:
            actions.append(model.expires_at.remove())
        condition = model.user_id.exists()
        if assigned_at_ms is not None:
            condition &= model.assigned_at_ms == assigned_at_ms
        item = model(session_id, PARTICIPANT + user_id)
        met = condition_met("participant.update", lambda: item.update(actions=actions, condition=condition))
        return participant_record(item) if met else None

    def drop_participant(self, session_id: str, user_id: str, *, only_pending: bool = False) -> None:
        """Deletes a participant, or leaves one who has been confirmed."""
        condition = self._model.expires_at.exists() if only_pending else None
        item = self._model(session_id, PARTICIPANT + user_id)
        condition_met("participant.drop", lambda: item.delete(condition=condition))

    def remember_role(self, session_id: str, user_id: str, former: FormerRole, *, now_ms: int) -> None:
        """An item of its own, which expires."""
        item = self._model(
            session_id,
            FORMER + user_id,
            role=former.role.value,
            assigned_at_ms=former.assigned_at_ms,
            expires_at=now_ms // 1000 + limits.FORMER_ROLE_S,
        )
        with reaching("participant.remember"):
            item.save()

    def former_role(self, session_id: str, user_id: str) -> FormerRole | None:
        """Read consistently."""
        with reaching("participant.former"):
            found = list(self._model.batch_get([(session_id, FORMER + user_id)], consistent_read=True))
        if not found:
            return None
        return FormerRole(role=Role(found[0].role), assigned_at_ms=int(found[0].assigned_at_ms))

    def participants(
        self, session_id: str, *, limit: int, after: str | None
    ) -> tuple[tuple[ParticipantRecord, ...], str | None]:
        """One page; one more is read, to know whether there is another."""
        start = None if after is None else {"session_id": {"S": session_id}, "sk": {"S": PARTICIPANT + after}}
        with reaching("participant.list"):
            items = list(
                self._model.query(
                    session_id,
                    self._model.sk.startswith(PARTICIPANT),
                    consistent_read=True,
                    limit=limit + 1,
                    last_evaluated_key=start,
                )
            )
        people = tuple(participant_record(item) for item in items[:limit])
        return people, people[-1].user_id if len(items) > limit else None

    def participants_of(self, session_id: str, user_ids: Iterable[str]) -> tuple[ParticipantRecord, ...]:
        """Batches of a hundred."""
        keys = [(session_id, PARTICIPANT + user_id) for user_id in user_ids]
        with reaching("participant.get"):
            return tuple(participant_record(item) for item in self._model.batch_get(keys, consistent_read=True))

    # -- listings --

    def mine(self, user_id: str, *, limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
        """From by_user."""
        start = (
            None
            if after is None
            else {
                "user_id": {"S": user_id},
                "joined_at_ms": {"N": str(after.at_ms)},
                "session_id": {"S": after.key},
                "sk": {"S": PARTICIPANT + user_id},
            }
        )
        with reaching("session.mine"):
            items = list(
                self._model.by_user.query(user_id, scan_index_forward=False, limit=limit + 1, last_evaluated_key=start)
            )
        return _page([(item.session_id, int(item.joined_at_ms)) for item in items], limit)

    def public(self, *, limit: int, after: Position | None) -> tuple[tuple[str, ...], Position | None]:
        """From by_listing."""
        start = (
            None
            if after is None
            else {
                "listing": {"S": LISTED},
                "created_at_ms": {"N": str(after.at_ms)},
                "session_id": {"S": after.key},
                "sk": {"S": SESSION},
            }
        )
        with reaching("session.public"):
            items = list(
                self._model.by_listing.query(
                    LISTED, scan_index_forward=False, limit=limit + 1, last_evaluated_key=start
                )
            )
        return _page([(item.session_id, int(item.created_at_ms)) for item in items], limit)

    # -- small things --

    def _active(self) -> Condition:
        return self._model.status == SessionStatus.ACTIVE.value

    def _update(self, session_id: str, actions: list[Action], condition: Condition) -> SessionRecord | None:
        item = self._model(session_id, SESSION)
        met = condition_met("session.update", lambda: item.update(actions=actions, condition=condition))
        return session_record(item) if met else None


def _page(items: list[tuple[str, int]], limit: int) -> tuple[tuple[str, ...], Position | None]:
    page = items[:limit]
    more = Position(page[-1][1], page[-1][0]) if len(items) > limit else None
    return tuple(session_id for session_id, _ in page), more
