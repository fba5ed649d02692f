"""Invites: who may hand out what, how often they work, and how many there may be."""

import pytest

from chalicelib.sessions.model import InviteRecord, invite_id_of, parse_invite
from chalicelib.wire import limits
from chalicelib.wire.bodies import CreateInvite, Invite, JoinBody
from chalicelib.wire.codes import Code
from chalicelib.wire.types import Role
from tests.fakes.sessions import House, account
from tests.unit.sessions.conftest import Refused

ANN, BOB = account("ann"), account("bob")


def make(house: House, session_id: str, user_id: str = "ann", **body: object) -> Invite:
    """A new invite."""
    return house.sessions.invites.create(session_id, account(user_id), CreateInvite(**body))  # type: ignore[arg-type]


def test_create(house: House) -> None:
    """An invite's code is told once; only its hash is kept, and lists do not show it."""
    session_id = house.room()
    made = make(house, session_id, role=Role.VIEWER, expires_in_s=60, max_uses=3)
    assert made.code is not None
    assert parse_invite(made.code) == (session_id, made.invite_id)
    assert made.expires_at_ms == house.clock() + 60_000
    secret = made.code.partition(".")[2]
    assert secret not in repr(house.repository.links)
    (listed,) = house.sessions.invites.list(session_id, ANN).invites
    assert (listed.code, listed.role, listed.max_uses, listed.uses) == (None, Role.VIEWER, 3, 0)
    assert house.feed.entries[-1] == ("invite.created", "ann")
    assert secret not in repr(house.feed.details)


@pytest.mark.parametrize("maker", [Role.OWNER, Role.EDITOR])
@pytest.mark.parametrize("role", Role)
def test_never_more_than_ones_own(house: House, refused: Refused, maker: Role, role: Role) -> None:
    """An owner and an editor may give editor, viewer and guest; nobody gives ownership."""
    session_id = house.room()
    house.give(session_id, "bob", maker)
    if role is Role.OWNER:
        with refused(Code.ROLE_INSUFFICIENT):
            make(house, session_id, "bob", role=role)
    else:
        assert make(house, session_id, "bob", role=role).role is role


def test_list_leaves_out_the_expired(house: House) -> None:
    """Only invites that still work are listed, the newest first."""
    session_id = house.room()
    make(house, session_id, expires_in_s=60)
    house.clock.advance_s(1)
    long = make(house, session_id)
    house.clock.advance_s(1)
    longer = make(house, session_id)
    house.clock.advance_s(60)
    assert [i.invite_id for i in house.sessions.invites.list(session_id, ANN).invites] == [
        longer.invite_id,
        long.invite_id,
    ]


def test_uses_are_people(house: House) -> None:
    """One person uses a bounded invite once, however often they join."""
    session_id = house.room()
    made = make(house, session_id, max_uses=2)
    for _ in range(3):
        house.sessions.join(session_id, BOB, JoinBody(invite=made.code))
        house.sessions.people.leave(session_id, BOB)
    assert house.sessions.invites.list(session_id, ANN).invites[0].uses == 1


def test_unbounded_uses_are_counted(house: House) -> None:
    """An unbounded invite counts who came in by it."""
    session_id = house.room()
    made = make(house, session_id)
    for user_id in ("bob", "cyd", "bob"):
        house.sessions.join(session_id, account(user_id), JoinBody(invite=made.code))
    assert house.sessions.invites.list(session_id, ANN).invites[0].uses == 2


def test_revoke(house: House, refused: Refused) -> None:
    """A revoked invite is gone for good."""
    session_id = house.room()
    made = make(house, session_id)
    house.sessions.invites.revoke(session_id, ANN, made.invite_id)
    assert house.sessions.invites.list(session_id, ANN).invites == ()
    assert house.record(session_id).invites == frozenset()
    assert house.feed.entries[-1] == ("invite.revoked", "ann")
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.invites.revoke(session_id, ANN, made.invite_id)


def test_revoke_ones_own(house: House, refused: Refused) -> None:
    """An editor revokes their own invites and nobody else's; an owner revokes all."""
    session_id = house.room()
    house.enter(session_id, "bob")
    of_ann, of_bob = make(house, session_id), make(house, session_id, "bob")
    with refused(Code.ROLE_INSUFFICIENT):
        house.sessions.invites.revoke(session_id, BOB, of_ann.invite_id)
    house.sessions.invites.revoke(session_id, BOB, of_bob.invite_id)
    house.sessions.invites.revoke(session_id, ANN, of_ann.invite_id)


def test_revoke_race(house: House, refused: Refused) -> None:
    """Of two who revoke at once one is told that there was nothing."""
    session_id = house.room()
    made = make(house, session_id)
    house.repository.before["drop_invite"] = lambda: house.sessions.invites.revoke(session_id, ANN, made.invite_id)
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.invites.revoke(session_id, ANN, made.invite_id)


def test_limit(house: House, refused: Refused) -> None:
    """There are at most so many invites; revoking or expiring makes room."""
    session_id = house.room()
    make(house, session_id, expires_in_s=60)
    made = [make(house, session_id) for _ in range(limits.INVITES_PER_SESSION - 1)]
    with refused(Code.INVITE_LIMIT):
        make(house, session_id)
    assert len(house.repository.links) == limits.INVITES_PER_SESSION
    house.sessions.invites.revoke(session_id, ANN, made[0].invite_id)
    make(house, session_id)
    house.clock.advance_s(60)
    make(house, session_id)
    with refused(Code.INVITE_LIMIT):
        make(house, session_id)


def test_limit_race(house: House, refused: Refused) -> None:
    """Somebody else may take the slot that expiry made free."""
    session_id = house.room()
    make(house, session_id, expires_in_s=60)
    for _ in range(limits.INVITES_PER_SESSION - 1):
        make(house, session_id)
    house.clock.advance_s(60)

    def overtake() -> None:
        house.repository.before["hold_invite_slot"] = lambda: make(house, session_id)

    house.repository.before["free_invite_slots"] = overtake
    with refused(Code.INVITE_LIMIT):
        make(house, session_id)


def test_create_while_ending(house: House, refused: Refused) -> None:
    """An invite to a session that ends at that moment is not left behind."""
    session_id = house.room()
    house.repository.before["hold_invite_slot"] = lambda: house.repository.end(session_id, now_ms=1)
    with refused(Code.SESSION_ENDED):
        make(house, session_id)
    gone = house.room()
    house.repository.before["hold_invite_slot"] = lambda: house.sessions.delete(gone, ANN)
    with refused(Code.SESSION_ENDED):
        make(house, gone)
    assert house.repository.links == {}


def test_peek(house: House, refused: Refused) -> None:
    """A code names its session to somebody new, as long as it would let them in."""
    session_id = house.room()
    code = str(make(house, session_id, max_uses=1).code)
    assert house.sessions.peek(code) == session_id
    assert house.sessions.invites.list(session_id, ANN).invites[0].uses == 0
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.peek(f"{session_id}.{'x' * 22}")
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.peek("nonsense")
    house.sessions.join(session_id, BOB, JoinBody(invite=code))
    with refused(Code.INVITE_EXHAUSTED):
        house.sessions.peek(code)


def test_peek_into_the_end(house: House, refused: Refused) -> None:
    """A code of a session that has ended, or of which only the invite is left, lets nobody in."""
    session_id = house.room()
    code = str(make(house, session_id).code)
    house.repository.end(session_id, now_ms=house.clock())
    with refused(Code.SESSION_ENDED):
        house.sessions.peek(code)
    house.repository.forget(session_id)
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.peek(code)


def test_redeem_race(house: House, refused: Refused) -> None:
    """Who loses the last use at the last moment is told so; who loses the invite too."""
    session_id = house.room()
    last = make(house, session_id, max_uses=1)
    code = JoinBody(invite=last.code)
    house.repository.before["use_invite"] = lambda: house.sessions.join(session_id, account("cyd"), code)
    with refused(Code.INVITE_EXHAUSTED):
        house.sessions.join(session_id, BOB, code)
    gone = make(house, session_id)
    house.repository.before["use_invite"] = lambda: house.sessions.invites.revoke(session_id, ANN, gone.invite_id)
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.join(session_id, BOB, JoinBody(invite=gone.code))


def test_redeem_refused_and_restored(house: House, refused: Refused) -> None:
    """A use that was refused is refused even if the invite would work a moment later."""
    session_id = house.room()
    secret = "x" * 22
    full = InviteRecord(
        session_id=session_id,
        invite_id=invite_id_of(secret),
        role=Role.EDITOR,
        created_by="ann",
        created_at_ms=0,
        expires_at_ms=10**15,
        max_uses=1,
        used_by=frozenset({"cyd"}),
    )
    house.repository.put_invite(full)
    roomier = InviteRecord(**{f: getattr(full, f) for f in full.__slots__ if f != "max_uses"}, max_uses=2)
    house.repository.before["invite"] = lambda: house.repository.put_invite(roomier)
    with refused(Code.INVITE_EXHAUSTED):
        house.sessions.invites.redeem(session_id, full.invite_id, "bob")
