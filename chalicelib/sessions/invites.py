"""Invites: links that let people in with a role. The session's id and 128 secret bits; only the secret's hash is kept.

A session holds at most INVITES_PER_SESSION. The bound is a set of ids in the session's own item: an invite is stored,
then takes a slot by one conditional update, and is told to its maker only then; slots of invites that are gone
are given up when all are taken. So no race can exceed it, and no crash can leave an invite that anyone knows of uncounted.
"""

from chalicelib.sessions.access import Access
from chalicelib.sessions.model import RANK, InviteRecord, Permission, invite_id_of, parse_invite
from chalicelib.sessions.ports import Ports
from chalicelib.wire import limits
from chalicelib.wire.bodies import CreateInvite, Invite, InviteList
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, SessionStatus


class Invites:
    """Making, listing, revoking and using invites."""

    def __init__(self, ports: Ports, access: Access) -> None:
        self._ports = ports
        self._access = access

    def create(self, session_id: str, identity: Identity, body: CreateInvite) -> Invite:
        """A new invite with its code. ROLE_INSUFFICIENT where it would give more than the maker's own role, or ownership."""
        member = self._access.member(session_id, identity, Permission.INVITE)
        if body.role is Role.OWNER or RANK[body.role] > RANK[member.role]:
            raise AppError(Code.ROLE_INSUFFICIENT, f"an invite of yours cannot give the role {body.role}")
        secret = self._ports.random_secret()
        now_ms = self._ports.now_ms()
        invite = InviteRecord(
            session_id=session_id,
            invite_id=invite_id_of(secret),
            role=body.role,
            created_by=identity.user_id,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + body.expires_in_s * 1000,
            max_uses=body.max_uses,
        )
        self._ports.repository.put_invite(invite)
        self._hold_slot(invite)
        self._record("invite.created", invite, identity.user_id, member.name)
        return invite.as_invite(f"{session_id}.{secret}")

    def list(self, session_id: str, identity: Identity) -> InviteList:
        """The live invites, newest first, without their codes."""
        self._access.member(session_id, identity, Permission.INVITE)
        live = sorted(self._live(session_id), key=lambda i: (-i.created_at_ms, i.invite_id))
        return InviteList(invites=tuple(invite.as_invite() for invite in live))

    def revoke(self, session_id: str, identity: Identity, invite_id: str) -> None:
        """Nobody can use it from now on. Owners may revoke all, others their own; INVITE_UNKNOWN."""
        member = self._access.member(session_id, identity, Permission.INVITE)
        invite = self._ports.repository.invite(session_id, invite_id)
        if invite is None:
            raise AppError(Code.INVITE_UNKNOWN)
        if member.role is not Role.OWNER and invite.created_by != identity.user_id:
            raise AppError(Code.ROLE_INSUFFICIENT)
        if not self._ports.repository.drop_invite(session_id, invite_id):
            raise AppError(Code.INVITE_UNKNOWN)
        self._ports.repository.free_invite_slots(session_id, frozenset({invite_id}))
        self._record("invite.revoked", invite, identity.user_id, member.name)

    def revoke_all_of(self, session_id: str, user_id: str) -> None:
        """Revokes what somebody handed out who may not invite any more."""
        theirs = [i.invite_id for i in self._ports.repository.invites(session_id) if i.created_by == user_id]
        for invite_id in theirs:
            self._ports.repository.drop_invite(session_id, invite_id)
        if theirs:
            self._ports.repository.free_invite_slots(session_id, frozenset(theirs))

    def usable(self, session_id: str, invite_id: str, user_id: str | None) -> InviteRecord:
        """The invite, if this person (None: someone new) could use it now; INVITE_UNKNOWN, _EXPIRED or _EXHAUSTED."""
        invite = self._ports.repository.invite(session_id, invite_id)
        if invite is None:
            raise AppError(Code.INVITE_UNKNOWN)
        problem = invite.problem(user_id, self._ports.now_ms())
        if problem is not None:
            raise AppError(problem)
        return invite

    def redeem(self, session_id: str, invite_id: str, user_id: str) -> InviteRecord:
        """Uses the invite: once a person, however often they come. The codes of `usable`."""
        used = self._ports.repository.use_invite(session_id, invite_id, user_id, now_ms=self._ports.now_ms())
        if used is None:
            self.usable(session_id, invite_id, user_id)
            raise AppError(Code.INVITE_EXHAUSTED)  # it was, a moment ago; a resend would tell
        return used

    def peek(self, code: str) -> str:
        """The session that a code lets somebody new into: for issuing a guest's token. Codes of `usable`, SESSION_ENDED."""
        session_id, invite_id = parse_invite(code)
        self.usable(session_id, invite_id, None)
        record = self._ports.repository.session(session_id)
        if record is None:
            raise AppError(Code.INVITE_UNKNOWN)
        if record.status is SessionStatus.ENDED:
            raise AppError(Code.SESSION_ENDED)
        return session_id

    def _live(self, session_id: str) -> tuple[InviteRecord, ...]:
        now_ms = self._ports.now_ms()
        return tuple(i for i in self._ports.repository.invites(session_id) if i.expires_at_ms > now_ms)

    def _hold_slot(self, invite: InviteRecord) -> None:
        repository = self._ports.repository
        if repository.hold_invite_slot(invite.session_id, invite.invite_id):
            return
        live = {i.invite_id for i in self._live(invite.session_id)}
        record = repository.session(invite.session_id)
        gone = record.invites - live if record else frozenset()
        if gone:
            repository.free_invite_slots(invite.session_id, gone)
            if repository.hold_invite_slot(invite.session_id, invite.invite_id):
                return
        repository.drop_invite(invite.session_id, invite.invite_id)
        if record is None or record.status is SessionStatus.ENDED:
            raise AppError(Code.SESSION_ENDED)
        raise AppError(Code.INVITE_LIMIT, f"{limits.INVITES_PER_SESSION} invites; revoke one first")

    def _record(self, kind: str, invite: InviteRecord, user_id: str, name: str) -> None:
        self._ports.activity.record(
            invite.session_id, kind, user_id, name, role=invite.role, invite_id=invite.invite_id
        )
