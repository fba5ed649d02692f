"""The invites of the sessions table. See `tables` for the items, `invites` for why the slots are a set."""

from collections.abc import Callable

from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.update import Action

from chalicelib.aws.tables import condition_failed, reaching
from chalicelib.sessions.model import InviteRecord
from chalicelib.sessions.tables import INVITE, SESSION, SessionModel, invite_item, invite_record, size_of
from chalicelib.wire import limits
from chalicelib.wire.types import SessionStatus


def condition_met(operation: str, write: Callable[[], object]) -> bool:
    """Makes a conditional write. False: another state was found, and nothing was written."""
    with reaching(operation):
        try:
            write()
        except PynamoDBException as exc:
            if condition_failed(exc):
                return False
            raise
    return True


class InviteStore:
    """Invites and their slots."""

    def __init__(self, model: type[SessionModel]) -> None:
        self._model = model

    def put_invite(self, invite: InviteRecord) -> None:
        """Stores an invite."""
        with reaching("invite.put"):
            invite_item(self._model, invite).save()

    def invite(self, session_id: str, invite_id: str) -> InviteRecord | None:
        """One invite."""
        with reaching("invite.get"):
            try:
                return invite_record(self._model.get(session_id, INVITE + invite_id, consistent_read=True))
            except self._model.DoesNotExist:
                return None

    def invites(self, session_id: str) -> tuple[InviteRecord, ...]:
        """All stored invites: at most INVITES_PER_SESSION, and those that TTL has yet to remove."""
        with reaching("invite.list"):
            found = self._model.query(session_id, self._model.sk.startswith(INVITE), consistent_read=True)
            return tuple(invite_record(item) for item in found)

    def use_invite(self, session_id: str, invite_id: str, user_id: str, *, now_ms: int) -> InviteRecord | None:
        """Counts a use: by the set of people where a bound makes that matter, by a number where none does."""
        known = self.invite(session_id, invite_id)
        if known is None:
            return None
        model = self._model
        live = model.created_by.exists() & (model.expires_at_ms > now_ms)
        if known.max_uses is None:
            action, condition = model.use_count.add(1), live
        else:
            room = model.used_by.does_not_exist() | (size_of(model.used_by) < known.max_uses)
            action, condition = model.used_by.add({user_id}), live & (room | model.used_by.contains(user_id))
        item = model(session_id, INVITE + invite_id)
        met = condition_met("invite.use", lambda: item.update(actions=[action], condition=condition))
        return invite_record(item) if met else None

    def drop_invite(self, session_id: str, invite_id: str) -> bool:
        """Deletes an invite."""
        item = self._model(session_id, INVITE + invite_id)
        return condition_met("invite.drop", lambda: item.delete(condition=self._model.created_by.exists()))

    def hold_invite_slot(self, session_id: str, invite_id: str) -> bool:
        """Takes one of the session's slots."""
        model = self._model
        room = model.invites.does_not_exist() | (size_of(model.invites) < limits.INVITES_PER_SESSION)
        active = model.status == SessionStatus.ACTIVE.value
        item = model(session_id, SESSION)
        take: list[Action] = [model.invites.add({invite_id})]
        return condition_met("invite.hold_slot", lambda: item.update(actions=take, condition=active & room))

    def free_invite_slots(self, session_id: str, invite_ids: frozenset[str]) -> None:
        """Gives slots back, where the session still exists."""
        model = self._model
        item = model(session_id, SESSION)
        give: list[Action] = [model.invites.delete(set(invite_ids))]
        condition_met("invite.free_slots", lambda: item.update(actions=give, condition=model.status.exists()))
