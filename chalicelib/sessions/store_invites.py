"""The invites of the sessions table. See `tables` for the items, `invites` for why the slots are a set."""

from pynamodb.exceptions import DeleteError, UpdateError

from chalicelib.aws.tables import condition_failed, reaching
from chalicelib.sessions.model import InviteRecord
from chalicelib.sessions.tables import INVITE, SESSION, SessionModel, invite_item, invite_record, size_of
from chalicelib.wire import limits
from chalicelib.wire.types import SessionStatus


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
        with reaching("invite.use"):
            try:
                item.update(actions=[action], condition=condition)
            except UpdateError as exc:
                if condition_failed(exc):
                    return None
                raise
        return invite_record(item)

    def drop_invite(self, session_id: str, invite_id: str) -> bool:
        """Deletes an invite."""
        with reaching("invite.drop"):
            try:
                self._model(session_id, INVITE + invite_id).delete(condition=self._model.created_by.exists())
            except DeleteError as exc:
                if condition_failed(exc):
                    return False
                raise
        return True

    def hold_invite_slot(self, session_id: str, invite_id: str) -> bool:
        """Takes one of the session's slots."""
        model = self._model
        room = model.invites.does_not_exist() | (size_of(model.invites) < limits.INVITES_PER_SESSION)
        active = model.status == SessionStatus.ACTIVE.value
        with reaching("invite.hold_slot"):
            try:
                model(session_id, SESSION).update(actions=[model.invites.add({invite_id})], condition=active & room)
            except UpdateError as exc:
                if condition_failed(exc):
                    return False
                raise
        return True

    def free_invite_slots(self, session_id: str, invite_ids: frozenset[str]) -> None:
        """Gives slots back, where the session still exists."""
        model = self._model
        with reaching("invite.free_slots"):
            try:
                model(session_id, SESSION).update(
                    actions=[model.invites.delete(set(invite_ids))], condition=model.status.exists()
                )
            except UpdateError as exc:
                if not condition_failed(exc):
                    raise
