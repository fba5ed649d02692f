"""Roles, removal and the list of participants."""

from dataclasses import replace

import pytest

from chalicelib.sessions.joining import newcomer
from chalicelib.sessions.ports import ATTEMPTS
from chalicelib.wire import limits
from chalicelib.wire.bodies import CreateInvite, JoinBody, UpdateSession
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import ParticipantChanged, ParticipantRemoved
from chalicelib.wire.types import Role, Visibility
from tests.fakes.sessions import House, account
from tests.unit.sessions.conftest import Refused

ANN, BOB, CYD = account("ann"), account("bob"), account("cyd")


# -- list --


def test_list_pages(house: House) -> None:
    """Every participant appears once over the pages, by user id, with who is online."""
    session_id = house.room()
    house.enter(session_id, "bob", "cyd", "dan")
    house.connected.users = {"bob", "eve"}
    seen, cursor = [], None
    while True:
        page = house.sessions.people.list(session_id, ANN, limit=3, cursor=cursor)
        seen += [(p.user_id, p.online) for p in page.participants]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [("ann", False), ("bob", True), ("cyd", False), ("dan", False)]


def test_list_cursor_of_another_session(house: House, refused: Refused) -> None:
    """A cursor of one session's participants is refused in another's."""
    first, second = house.room(), house.room()
    house.enter(first, "bob")
    cursor = house.sessions.people.list(first, ANN, limit=1, cursor=None).next_cursor
    with refused(Code.CURSOR_INVALID):
        house.sessions.people.list(second, ANN, limit=1, cursor=cursor)


def test_list_leaves_out_the_lapsed(house: House) -> None:
    """Who never got a seat and lapsed is not listed."""
    session_id = house.room()
    pending = newcomer(house.record(session_id), BOB, Role.EDITOR, JoinBody(), house.clock())
    house.repository.add_participant(pending, now_ms=house.clock())
    assert len(house.sessions.people.list(session_id, ANN, limit=5, cursor=None).participants) == 2
    house.clock.advance_s(3600)
    assert len(house.sessions.people.list(session_id, ANN, limit=5, cursor=None).participants) == 1


# -- roles --


@pytest.mark.parametrize("role", Role)
def test_set_role(house: House, role: Role) -> None:
    """A role that was given holds, is told to everyone and to the person's own connections, and is in the feed."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.connected.users = {"bob"}
    person = house.sessions.people.set_role(session_id, ANN, "bob", role)
    assert (person.role, person.online) == (role, True)
    assert house.sessions.get(session_id, BOB).role is role
    assert house.told.roles == [("bob", role)]
    assert house.told.announced == [ParticipantChanged(user_id="bob", role=role, by="ann")]
    assert house.feed.entries[-1] == ("participant.role_changed", "bob")
    assert house.feed.details[-1] == {"by": "ann", "role": role.value}


def test_owner_made_twice(house: House) -> None:
    """Making an owner an owner changes nothing."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    version = house.record(session_id).version
    assert house.sessions.people.set_role(session_id, ANN, "bob", Role.OWNER).role is Role.OWNER
    assert house.record(session_id).version == version


def test_unknown_participants(house: House, refused: Refused) -> None:
    """Nobody gives a role to, or removes, who is not there or was banned."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.sessions.people.remove(session_id, ANN, "bob", ban=True)
    for user_id in ("bob", "eve"):
        with refused(Code.PARTICIPANT_UNKNOWN):
            house.sessions.people.set_role(session_id, ANN, user_id, Role.EDITOR)
        with refused(Code.PARTICIPANT_UNKNOWN):
            house.sessions.people.remove(session_id, ANN, user_id, ban=False)


def test_the_lapsed_are_unknown(house: House, refused: Refused) -> None:
    """Who never got a seat and lapsed cannot be given a role, though the item is still there."""
    session_id = house.room()
    pending = newcomer(house.record(session_id), BOB, Role.EDITOR, JoinBody(), house.clock())
    house.repository.add_participant(pending, now_ms=house.clock())
    house.clock.advance_s(3600)
    with refused(Code.PARTICIPANT_UNKNOWN):
        house.sessions.people.set_role(session_id, ANN, "bob", Role.VIEWER)


def test_last_owner_cannot_step_down(house: House, refused: Refused) -> None:
    """The last owner can be neither demoted nor removed, not even by themselves."""
    session_id = house.room()
    house.enter(session_id, "bob")
    with refused(Code.OWNER_REQUIRED):
        house.sessions.people.set_role(session_id, ANN, "ann", Role.EDITOR)
    with refused(Code.OWNER_REQUIRED):
        house.sessions.people.remove(session_id, ANN, "ann", ban=False)
    assert house.sessions.get(session_id, ANN).role is Role.OWNER


def test_owner_steps_down(house: House) -> None:
    """One of several owners steps down and keeps their seat; who is named first passes to another."""
    session_id = house.room()
    house.enter(session_id, "cyd")
    house.give(session_id, "bob", Role.OWNER)
    assert house.sessions.people.set_role(session_id, ANN, "ann", Role.VIEWER).role is Role.VIEWER
    record = house.record(session_id)
    assert (set(record.owners), record.owner_id) == ({"bob"}, "bob")
    assert "ann" in record.seats
    assert ("owner.changed", "bob") in house.feed.entries


def test_co_owner_is_demoted(house: House) -> None:
    """An owner demotes another owner; who is named first stays."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    house.sessions.people.set_role(session_id, ANN, "bob", Role.EDITOR)
    record = house.record(session_id)
    assert (set(record.owners), record.owner_id) == ({"ann"}, "ann")


def test_two_owners_demote_each_other(house: House, refused: Refused) -> None:
    """Of two owners who demote each other at once one remains."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    house.repository.before["change"] = lambda: house.sessions.people.set_role(session_id, BOB, "ann", Role.VIEWER)
    with refused(Code.ROLE_INSUFFICIENT):
        house.sessions.people.set_role(session_id, ANN, "bob", Role.VIEWER)
    assert house.record(session_id).owners == {"bob"}


def test_demotion_revokes_invites(house: House) -> None:
    """Who may no longer invite has their invites revoked; who still may keeps them."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.sessions.invites.create(session_id, BOB, CreateInvite())
    house.sessions.invites.create(session_id, ANN, CreateInvite())
    house.sessions.people.set_role(session_id, ANN, "bob", Role.EDITOR)
    assert len(house.sessions.invites.list(session_id, ANN).invites) == 2
    house.sessions.people.set_role(session_id, ANN, "bob", Role.VIEWER)
    assert [i.created_by for i in house.sessions.invites.list(session_id, ANN).invites] == ["ann"]
    assert len(house.record(session_id).invites) == 1


def test_promotion_race_with_leaving(house: House, refused: Refused) -> None:
    """Who leaves while being made an owner does not own the session as a ghost, whichever comes first."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.repository.before["change"] = lambda: house.sessions.people.leave(session_id, BOB)
    with refused(Code.PARTICIPANT_UNKNOWN):
        house.sessions.people.set_role(session_id, ANN, "bob", Role.OWNER)
    assert house.record(session_id).owners == {"ann"}

    house.enter(session_id, "bob")
    house.repository.before["drop_participant"] = lambda: house.sessions.people.set_role(
        session_id, ANN, "bob", Role.OWNER
    )
    house.sessions.people.leave(session_id, BOB)
    assert house.record(session_id).owners == {"ann"}


def test_demotion_race_with_leaving(house: House, refused: Refused) -> None:
    """Who leaves while being demoted is unknown."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.repository.before["update_participant"] = lambda: house.sessions.people.leave(session_id, BOB)
    with refused(Code.PARTICIPANT_UNKNOWN):
        house.sessions.people.set_role(session_id, ANN, "bob", Role.VIEWER)


def overtake_always(house: House, session_id: str) -> None:
    """Somebody changes the session before every change of ours."""

    def overtake() -> None:
        house.repository.before.pop("change", None)
        house.sessions.update(session_id, ANN, UpdateSession(description="theirs"), None)
        house.repository.before["change"] = overtake

    house.repository.before["change"] = overtake


def test_set_role_is_tried_again(house: House, refused: Refused) -> None:
    """A change that was overtaken is tried again, a bounded number of times."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.repository.before["change"] = lambda: house.sessions.update(session_id, ANN, UpdateSession(), None)
    assert house.sessions.people.set_role(session_id, ANN, "bob", Role.OWNER).role is Role.OWNER
    assert house.pauses == [0]
    overtake_always(house, session_id)
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.people.set_role(session_id, ANN, "bob", Role.EDITOR)
    assert house.pauses == [0, *range(ATTEMPTS)]


# -- removal --


def test_remove(house: House) -> None:
    """Who is removed loses seat, membership, invites and connections, and everyone is told; they may come back."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.sessions.invites.create(session_id, BOB, CreateInvite())
    house.sessions.people.remove(session_id, ANN, "bob", ban=False)
    assert house.record(session_id).seats == {"ann"}
    assert (session_id, "bob") not in house.repository.people
    assert house.repository.links == {}
    assert house.told.expelled == ["bob"]
    assert house.told.announced == [ParticipantRemoved(user_id="bob", banned=False, by="ann")]
    assert house.feed.entries[-1] == ("participant.removed", "bob")
    house.enter(session_id, "bob")


def test_ban(house: House, refused: Refused) -> None:
    """Who is banned stays out, and says so to the feed."""
    session_id = house.room(visibility=Visibility.PUBLIC)
    house.enter(session_id, "bob")
    house.sessions.people.remove(session_id, ANN, "bob", ban=True)
    assert house.feed.details[-1] == {"by": "ann", "banned": "true"}
    with refused(Code.PARTICIPANT_BANNED):
        house.enter(session_id, "bob")


def test_remove_resumes(house: House) -> None:
    """A removal that crashed after the seat was taken is finished by asking again, ban or not."""
    session_id = house.room()
    for user_id, ban in (("bob", False), ("cyd", True)):
        house.enter(session_id, user_id)
        house.repository.down.add("drop_participant")
        with pytest.raises(Exception, match="upstream"):
            house.sessions.people.remove(session_id, ANN, user_id, ban=ban)
        house.repository.down.clear()
        house.sessions.people.remove(session_id, ANN, user_id, ban=ban)
        assert (session_id, user_id) not in house.repository.people
        assert house.told.expelled[-2:] == [user_id, user_id]


def test_remove_an_owner(house: House) -> None:
    """An owner removes another owner, and then is the one who is named."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    house.sessions.people.remove(session_id, BOB, "ann", ban=False)
    record = house.record(session_id)
    assert (set(record.owners), record.owner_id) == ({"bob"}, "bob")


def test_bans_are_bounded(house: House, refused: Refused) -> None:
    """There is room for so many bans; somebody can still be removed without one, or banned again."""
    session_id = house.room()
    house.enter(session_id, "bob", "cyd")
    many = frozenset(f"troll{i}" for i in range(limits.BANS_PER_SESSION - 1)) | {"cyd"}
    house.repository.sessions[session_id] = replace(house.record(session_id), banned=many)
    with refused(Code.QUERY_INVALID):
        house.sessions.people.remove(session_id, ANN, "bob", ban=True)
    house.sessions.people.remove(session_id, ANN, "bob", ban=False)
    house.sessions.people.remove(session_id, ANN, "cyd", ban=True)


def test_remove_is_tried_again(house: House, refused: Refused) -> None:
    """A removal that was overtaken is tried again, a bounded number of times."""
    session_id = house.room()
    house.enter(session_id, "bob")
    overtake_always(house, session_id)
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.people.remove(session_id, ANN, "bob", ban=False)
    assert house.told.expelled == []
    house.repository.before["change"] = lambda: house.sessions.update(session_id, ANN, UpdateSession(), None)
    house.sessions.people.remove(session_id, ANN, "bob", ban=False)
    assert house.told.expelled == ["bob"]
