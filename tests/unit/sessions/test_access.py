"""The gate: who finds a session, who may do what in it, for every role and every operation."""

from collections.abc import Callable

import pytest

from chalicelib.sessions.access import UNFINISHED_MS, Found, membership
from chalicelib.sessions.joining import newcomer
from chalicelib.sessions.model import Permission, color_of
from chalicelib.wire.bodies import CreateInvite, JoinBody, UpdateSession
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Role, UserKind, Visibility
from tests.fakes.sessions import House, account, guest
from tests.unit.sessions.conftest import Refused

Operation = Callable[[House, str, str], object]

OPERATIONS: dict[str, Operation] = {
    "get": lambda h, s, u: h.sessions.get(s, account(u)),
    "view": lambda h, s, u: h.sessions.viewer(s, account(u)),
    "seated": lambda h, s, u: h.sessions.seated(s, account(u)),
    "list participants": lambda h, s, u: h.sessions.people.list(s, account(u), limit=5, cursor=None),
    "see activity": lambda h, s, u: h.sessions.member(s, account(u), Permission.SEE_ACTIVITY),
    "create invite": lambda h, s, u: h.sessions.invites.create(s, account(u), CreateInvite(role=Role.GUEST)),
    "list invites": lambda h, s, u: h.sessions.invites.list(s, account(u)),
    "revoke another's": lambda h, s, u: h.sessions.invites.revoke(
        s, account(u), h.sessions.invites.list(s, account("ann")).invites[0].invite_id
    ),
    "update": lambda h, s, u: h.sessions.update(s, account(u), UpdateSession(name="New"), None),
    "set role": lambda h, s, u: h.sessions.people.set_role(s, account(u), "zoe", Role.VIEWER),
    "remove": lambda h, s, u: h.sessions.people.remove(s, account(u), "zoe", ban=False),
    "delete": lambda h, s, u: h.sessions.delete(s, account(u)),
    "leave": lambda h, s, u: h.sessions.people.leave(s, account(u)),
}
FOR_ALL = {"get", "view", "seated", "list participants", "leave"}
ALLOWED = {
    Role.GUEST: FOR_ALL,
    Role.VIEWER: FOR_ALL | {"see activity"},
    Role.EDITOR: FOR_ALL | {"see activity", "create invite", "list invites"},
    Role.OWNER: set(OPERATIONS),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("role", Role)
def test_role_by_operation(house: House, role: Role, operation: str) -> None:
    """Each role can do what it is allowed to, and every other operation answers ROLE_INSUFFICIENT."""
    session_id = house.room()
    house.enter(session_id, "zoe")
    house.give(session_id, "bob", role)
    house.sessions.invites.create(session_id, account("ann"), CreateInvite())
    if operation in ALLOWED[role]:
        OPERATIONS[operation](house, session_id, "bob")
        return
    with pytest.raises(AppError) as caught:
        OPERATIONS[operation](house, session_id, "bob")
    assert caught.value.code is Code.ROLE_INSUFFICIENT


@pytest.mark.parametrize("operation", OPERATIONS)
def test_stranger_to_a_private_session(house: House, operation: str) -> None:
    """To who is no participant, a private session does not exist, whatever they try."""
    session_id = house.room(visibility=Visibility.PRIVATE)
    house.sessions.invites.create(session_id, account("ann"), CreateInvite())
    with pytest.raises(AppError) as caught:
        OPERATIONS[operation](house, session_id, "eve")
    assert caught.value.code is Code.SESSION_UNKNOWN


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"get"}))
def test_stranger_to_an_open_session(house: House, operation: str) -> None:
    """Who could join but did not may only read the session itself."""
    session_id = house.room()
    house.sessions.invites.create(session_id, account("ann"), CreateInvite())
    with pytest.raises(AppError) as caught:
        OPERATIONS[operation](house, session_id, "eve")
    not_joined = operation in {"seated", "leave"}
    assert caught.value.code is (Code.PARTICIPANT_NOT_JOINED if not_joined else Code.ROLE_INSUFFICIENT)
    assert house.sessions.get(session_id, account("eve")).role is None


@pytest.mark.parametrize("operation", OPERATIONS)
def test_banned(house: House, operation: str) -> None:
    """Who was banned is told so, whatever they try."""
    session_id = house.room(visibility=Visibility.PUBLIC)
    house.enter(session_id, "eve")
    house.sessions.invites.create(session_id, account("ann"), CreateInvite())
    house.sessions.people.remove(session_id, account("ann"), "eve", ban=True)
    with pytest.raises(AppError) as caught:
        OPERATIONS[operation](house, session_id, "eve")
    assert caught.value.code is Code.PARTICIPANT_BANNED


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown(house: House, operation: str) -> None:
    """What does not exist is unknown, whatever is tried."""
    other = house.room()
    house.sessions.invites.create(other, account("ann"), CreateInvite())
    unknown = "ses_" + "z" * 20
    house.repository.links[unknown, "x"] = next(iter(house.repository.links.values()))
    with pytest.raises(AppError) as caught:
        OPERATIONS[operation](house, unknown, "ann")
    assert caught.value.code is Code.SESSION_UNKNOWN


def test_bound_guest_elsewhere(house: House, refused: Refused) -> None:
    """A guest whose token is bound to a session finds no other, not even a public one."""
    here, elsewhere = house.room(), house.room(visibility=Visibility.PUBLIC)
    assert house.sessions.get(here, guest("gus", here)).session_id == here
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.get(elsewhere, guest("gus", here))


def test_bound_guest_sees_their_private_session(house: House) -> None:
    """A token bound to a private session was given for an invite, so its holder may see the session before joining."""
    session_id = house.room(visibility=Visibility.PRIVATE)
    assert house.sessions.get(session_id, guest("gus", session_id)).role is None


def test_ended_is_told(house: House, refused: Refused) -> None:
    """A session that is just being deleted has ended; it is left to whoever deletes it."""
    session_id = house.room()
    house.repository.end(session_id, now_ms=house.clock())
    with refused(Code.SESSION_ENDED):
        house.sessions.get(session_id, account("ann"))
    assert session_id in house.repository.sessions


def test_ended_and_left_half_deleted(house: House, refused: Refused) -> None:
    """Whoever finds an ended session that nobody is deleting any more finishes it."""
    session_id = house.room()
    house.repository.end(session_id, now_ms=house.clock())
    house.clock.ms += UNFINISHED_MS
    with refused(Code.SESSION_ENDED):
        house.sessions.get(session_id, account("ann"))
    assert house.repository.sessions == {}
    assert house.repository.people == {}
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.get(session_id, account("ann"))


def test_lapsed_membership(house: House, refused: Refused) -> None:
    """Who was let in but never seated is no participant once that has lapsed, though the item is still there."""
    session_id = house.room(visibility=Visibility.PRIVATE)
    person = newcomer(house.record(session_id), account("bob"), Role.EDITOR, JoinBody(), house.clock())
    house.repository.add_participant(person, now_ms=house.clock())
    assert house.sessions.get(session_id, account("bob")).role is Role.EDITOR
    house.clock.advance_s(3600)
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.get(session_id, account("bob"))


def test_seat_needs_a_role_and_a_seat(house: House, refused: Refused) -> None:
    """A participant whose seat was given up must join again."""
    session_id = house.room()
    assert house.sessions.seated(session_id, account("ann")).role is Role.OWNER
    house.sessions.require_seat(session_id, account("ann"))
    house.sessions.release_seat(session_id, "ann")
    with refused(Code.PARTICIPANT_NOT_JOINED):
        house.sessions.require_seat(session_id, account("ann"))


def test_membership_of_an_owner_without_an_item(house: House) -> None:
    """An owner whose own item is missing still owns, under the token's name."""
    session_id = house.room()
    house.repository.drop_participant(session_id, "ann")
    member = house.sessions.member(session_id, account("ann"), Permission.DELETE)
    assert (member.session_id, member.name, member.color) == (session_id, "Ann", color_of("ann"))
    assert (member.role, member.kind) == (Role.OWNER, UserKind.ACCOUNT)


def test_no_membership(house: House, refused: Refused) -> None:
    """There is no membership of who is no participant."""
    record = house.record(house.room())
    with refused(Code.PARTICIPANT_NOT_JOINED):
        membership(Found(record, None, None), account("eve"))
