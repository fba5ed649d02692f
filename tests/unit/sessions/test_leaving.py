"""Leaving, and who inherits the session."""

from dataclasses import replace

import pytest

from chalicelib.sessions.ports import ATTEMPTS
from chalicelib.wire.bodies import LeaveResult, UpdateSession
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import ParticipantChanged
from chalicelib.wire.types import Role, SessionStatus
from tests.fakes.sessions import House, account
from tests.unit.sessions.conftest import Refused

ANN, BOB = account("ann"), account("bob")
ACTIVE = LeaveResult(status=SessionStatus.ACTIVE)
ENDED = LeaveResult(status=SessionStatus.ENDED)


def test_leave(house: House, refused: Refused) -> None:
    """Who leaves gives up seat, membership and connections; the session goes on."""
    session_id = house.room()
    house.enter(session_id, "bob")
    assert house.sessions.people.leave(session_id, BOB) == ACTIVE
    assert house.record(session_id).seats == {"ann"}
    assert (session_id, "bob") not in house.repository.people
    assert house.told.expelled == ["bob"]
    assert house.feed.entries[-1] == ("participant.left", "bob")
    with refused(Code.PARTICIPANT_NOT_JOINED):
        house.sessions.people.leave(session_id, BOB)


def test_leave_a_seat_without_membership(house: House) -> None:
    """Who has a seat but (after a crash) no membership can leave."""
    session_id = house.room()
    house.repository.take_seat(session_id, "bob")
    assert house.sessions.people.leave(session_id, BOB) == ACTIVE
    assert house.record(session_id).seats == {"ann"}


@pytest.mark.parametrize(
    ("others", "connected", "heir"),
    [
        ({"bob": Role.VIEWER, "cyd": Role.EDITOR, "dan": Role.EDITOR}, {"bob", "cyd", "dan"}, "cyd"),
        ({"bob": Role.GUEST, "cyd": Role.VIEWER}, {"bob", "cyd"}, "cyd"),
        ({"bob": Role.GUEST, "cyd": Role.GUEST}, set(), "bob"),
        ({"bob": Role.EDITOR, "cyd": Role.GUEST}, {"cyd"}, "cyd"),
        ({"bob": Role.EDITOR, "cyd": Role.EDITOR}, {"cyd", "ann"}, "cyd"),
    ],
    ids=["longest editor", "viewer before guest", "longest guest", "connected first", "connected editor"],
)
def test_last_owner_hands_over(house: House, others: dict[str, Role], connected: set[str], heir: str) -> None:
    """The last owner's session goes to the longest-joined of the highest role, among the connected if any is."""
    session_id = house.room()
    for user_id, role in others.items():
        house.give(session_id, user_id, role)
    house.told.announced.clear()
    house.connected.users = connected
    assert house.sessions.people.leave(session_id, ANN) == LeaveResult(status=SessionStatus.ACTIVE, new_owner_id=heir)
    record = house.record(session_id)
    assert (set(record.owners), record.owner_id) == ({heir}, heir)
    assert house.sessions.get(session_id, account(heir)).role is Role.OWNER
    assert house.told.announced == [ParticipantChanged(user_id=heir, role=Role.OWNER, by="ann")] or (
        house.told.announced[-1] == ParticipantChanged(user_id=heir, role=Role.OWNER, by="ann")
    )
    assert house.told.roles[-1] == (heir, Role.OWNER)
    assert ("owner.changed", heir) in house.feed.entries


def test_hand_over_beyond_a_page(house: House) -> None:
    """The heir is found among all participants, not only the first page of them."""
    session_id = house.room(max_participants=200)
    house.enter(session_id, *(f"p{i:03d}" for i in range(120)))
    house.connected.users = {"p117"}
    assert house.sessions.people.leave(session_id, ANN).new_owner_id == "p117"


def test_the_lapsed_and_the_banned_inherit_nothing(house: House) -> None:
    """Who was never seated, or is banned, is no heir."""
    session_id = house.room()
    house.enter(session_id, "bob", "cyd", "dan")
    key = (session_id, "bob")
    house.repository.people[key] = replace(house.repository.people[key], expires_at_s=1)
    house.repository.sessions[session_id] = replace(house.record(session_id), banned=frozenset({"cyd"}))
    assert house.sessions.people.leave(session_id, ANN).new_owner_id == "dan"


def test_co_owner_remains(house: House) -> None:
    """With another owner there, nobody inherits; who is named first passes on if need be."""
    session_id = house.room()
    house.enter(session_id, "cyd")
    house.give(session_id, "bob", Role.OWNER)
    assert house.sessions.people.leave(session_id, ANN) == ACTIVE
    assert house.record(session_id).owner_id == "bob"
    assert house.sessions.get(session_id, account("cyd")).role is Role.EDITOR
    house.enter(session_id, "ann")
    house.sessions.people.set_role(session_id, BOB, "ann", Role.OWNER)
    house.sessions.people.leave(session_id, ANN)
    assert house.record(session_id).owner_id == "bob"


def test_co_owner_without_an_item(house: House) -> None:
    """An owner whose own item is missing still takes over."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    house.repository.drop_participant(session_id, "bob")
    house.sessions.people.leave(session_id, ANN)
    assert house.record(session_id).owner_id == "bob"
    assert house.feed.entries[-1] == ("owner.changed", "bob")


def test_last_person_ends_it(house: House, refused: Refused) -> None:
    """When nobody remains the session ends and is cleared away."""
    session_id = house.room()
    assert house.sessions.people.leave(session_id, ANN) == ENDED
    assert house.repository.sessions == {}
    assert house.repository.people == {}
    assert (house.told.closed, house.feed.erased) == ([session_id], [session_id])
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.get(session_id, ANN)


def test_somebody_enters_as_the_last_leaves(house: House) -> None:
    """Who gets a seat before the session is ended keeps the session alive, and inherits it."""
    session_id = house.room()
    house.repository.before["end"] = lambda: house.enter(session_id, "bob")
    assert house.sessions.people.leave(session_id, ANN) == LeaveResult(status=SessionStatus.ACTIVE, new_owner_id="bob")
    assert house.record(session_id).seats == {"bob"}


def test_two_owners_leave_at_once(house: House) -> None:
    """Of two owners who leave at once one hands over to the other, who then hands over or ends it."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    house.repository.before["change"] = lambda: house.sessions.people.leave(session_id, BOB)
    assert house.sessions.people.leave(session_id, ANN) == ENDED
    assert house.repository.sessions == {}


def test_heir_leaves_at_once(house: House) -> None:
    """An heir who leaves at the same moment does not own the session as a ghost."""
    session_id = house.room()
    house.enter(session_id, "bob", "cyd")

    def inherit() -> None:
        house.sessions.people.leave(session_id, ANN)

    house.repository.before["drop_participant"] = inherit
    house.sessions.people.leave(session_id, BOB)
    assert house.record(session_id).owners == {"cyd"}


def test_heir_leaves_an_empty_session(house: House) -> None:
    """An heir who left at the same moment as the only other ends the session."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.repository.before["drop_participant"] = lambda: house.sessions.people.leave(session_id, ANN)
    house.sessions.people.leave(session_id, BOB)
    assert house.repository.sessions == {}
    assert house.repository.people == {}


def test_heir_gone_before_being_told(house: House) -> None:
    """An heir who vanished is told nothing."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.repository.before["drop_participant"] = lambda: house.repository.drop_participant(session_id, "bob")
    assert house.sessions.people.leave(session_id, ANN).new_owner_id == "bob"
    assert house.told.roles == []


def test_ends_while_leaving(house: House) -> None:
    """Who leaves while the session is deleted, or being deleted, learns that it ended."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.give(session_id, "bob", Role.OWNER)
    house.repository.before["change"] = lambda: house.sessions.delete(session_id, ANN)
    assert house.sessions.people.leave(session_id, BOB) == ENDED
    other = house.room()
    house.give(other, "bob", Role.OWNER)
    house.repository.before["change"] = lambda: house.repository.end(other, now_ms=1)
    assert house.sessions.people.leave(other, BOB) == ENDED


def test_leave_is_tried_again(house: House, refused: Refused) -> None:
    """A handover that is overtaken every time is given up, and asking again works."""
    session_id = house.room()
    house.enter(session_id, "bob")

    def overtake() -> None:
        house.repository.before.pop("change", None)
        house.sessions.update(session_id, ANN, UpdateSession(description="theirs"), None)
        house.repository.before["change"] = overtake

    house.repository.before["change"] = overtake
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.people.leave(session_id, ANN)
    assert house.pauses == list(range(ATTEMPTS))
    house.repository.before.clear()
    assert house.sessions.people.leave(session_id, ANN).new_owner_id == "bob"


def test_ghost_is_given_up_on(house: House, refused: Refused) -> None:
    """Taking ownership from who has left is tried a bounded number of times too."""
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)

    def overtake() -> None:
        house.repository.before.pop("change", None)
        house.sessions.update(session_id, ANN, UpdateSession(description="theirs"), None)
        house.repository.before["change"] = overtake

    def promote_again() -> None:
        house.repository.sessions[session_id] = replace(house.record(session_id), owners=frozenset({"ann", "bob"}))
        house.repository.before["change"] = overtake

    house.repository.before["drop_participant"] = promote_again
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.people.leave(session_id, BOB)
