"""Creating, reading, listing, changing and ending sessions."""

import pytest

from chalicelib.sessions.access import UNFINISHED_MS
from chalicelib.sessions.ports import ATTEMPTS
from chalicelib.wire.bodies import CreateInvite, CreateSession, SessionSettings, UpdateSession
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import SessionChanged
from chalicelib.wire.types import Environment, Role, SessionStatus, Visibility
from tests.fakes.sessions import House, account, guest
from tests.unit.sessions.conftest import Refused

ANN, BOB = account("ann"), account("bob")
OWNER_BY_DEFAULT = SessionSettings(default_role=Role.OWNER)


def test_create(house: House) -> None:
    """A new session is its creator's, active, empty, at version 1, and in their list."""
    session = house.sessions.create(ANN, CreateSession(name="Room", description="d", max_participants=7))
    assert (session.owner_id, session.role, session.status) == ("ann", Role.OWNER, SessionStatus.ACTIVE)
    assert (session.version, session.participant_count, session.max_participants) == (1, 0, 7)
    assert session.session_id.startswith("ses_")
    assert house.sessions.mine(ANN, limit=5, cursor=None).sessions == (session,)
    assert house.feed.entries == [("session.created", "ann")]


def test_create_confirms_its_owner(house: House) -> None:
    """The creator's membership never lapses."""
    session = house.sessions.create(ANN, CreateSession(name="Room"))
    house.clock.advance_s(10**6)
    assert house.sessions.mine(ANN, limit=5, cursor=None).sessions[0].session_id == session.session_id


def test_create_crashed(house: House) -> None:
    """A creation that stopped half-way leaves a membership that lapses and a list that doesn't show it."""
    house.repository.down.add("create")
    with pytest.raises(AppError):
        house.sessions.create(ANN, CreateSession(name="Room"))
    (left,) = house.repository.people.values()
    assert left.expires_at_s is not None
    assert house.sessions.mine(ANN, limit=5, cursor=None).sessions == ()


def test_create_same_id(house: House, refused: Refused) -> None:
    """Should an id come twice, the first session stays."""
    house.sessions.create(ANN, CreateSession(name="First"))
    house.made = 0
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.create(BOB, CreateSession(name="Second"))
    assert [s.name for s in house.repository.sessions.values()] == ["First"]


def test_bound_guests_create_and_browse_nothing(house: House, refused: Refused) -> None:
    """A guest who was invited to one session makes no other and sees no listing of others."""
    session_id = house.room()
    with refused(Code.ROLE_INSUFFICIENT):
        house.sessions.create(guest("gus", session_id), CreateSession(name="Room"))
    with refused(Code.ROLE_INSUFFICIENT):
        house.sessions.public(guest("gus", session_id), limit=5, cursor=None)


def test_free_guests_create(house: House) -> None:
    """A guest who is bound to nothing may own a session."""
    assert house.sessions.create(guest("gus"), CreateSession(name="Room")).role is Role.OWNER


def test_nobody_owns_by_default(house: House, refused: Refused) -> None:
    """The default role is never owner."""
    with refused(Code.BODY_INVALID):
        house.sessions.create(ANN, CreateSession(name="Room", settings=OWNER_BY_DEFAULT))
    session_id = house.room()
    with refused(Code.BODY_INVALID):
        house.sessions.update(session_id, ANN, UpdateSession(settings=OWNER_BY_DEFAULT), None)


def test_snapshot(house: House, refused: Refused) -> None:
    """Who is connected gets the session with their own role; whoever is no participant, or too late, does not."""
    session_id = house.room()
    house.enter(session_id, "bob")
    roles = [house.sessions.snapshot(session_id, u).role for u in ("ann", "bob")]
    assert roles == [Role.OWNER, Role.EDITOR]
    with refused(Code.PARTICIPANT_NOT_JOINED):
        house.sessions.snapshot(session_id, "eve")
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.snapshot("ses_" + "z" * 20, "ann")


# -- listings --


def test_mine_pages(house: House) -> None:
    """All of one's sessions appear once over the pages, the latest joined first."""
    ids = [house.room() for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = house.sessions.mine(ANN, limit=2, cursor=cursor)
        seen += [s.session_id for s in page.sessions]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]


def test_mine_of_another(house: House, refused: Refused) -> None:
    """A cursor of somebody else's list, or of another listing, is refused."""
    for _ in range(3):
        house.enter(house.room(visibility=Visibility.PUBLIC), "bob")
    cursor = house.sessions.mine(ANN, limit=1, cursor=None).next_cursor
    with refused(Code.CURSOR_INVALID):
        house.sessions.mine(BOB, limit=1, cursor=cursor)
    with refused(Code.CURSOR_INVALID):
        house.sessions.public(ANN, limit=1, cursor=cursor)


def test_mine_shows_only_what_is_open_to_me(house: House) -> None:
    """Left out are sessions that banned me, that I lost my membership of, or that my token does not reach."""
    here, banned, lapsed = house.room(), house.room(), house.room()
    for session_id in (here, banned, lapsed):
        house.enter(session_id, "gus")
    bans = house.record(banned)
    house.repository.sessions[banned] = type(bans)(
        **{f: getattr(bans, f) for f in bans.__slots__ if f != "banned"}, banned=frozenset({"gus"})
    )
    person = house.repository.people[lapsed, "gus"]
    house.repository.people[lapsed, "gus"] = type(person)(
        **{f: getattr(person, f) for f in person.__slots__ if f != "expires_at_s"}, expires_at_s=1
    )
    assert [s.session_id for s in house.sessions.mine(guest("gus"), limit=5, cursor=None).sessions] == [here]
    bound = house.sessions.mine(guest("gus", lapsed), limit=5, cursor=None)
    assert bound.sessions == ()


def test_mine_finishes_what_was_left(house: House) -> None:
    """An owner whose deletion was interrupted clears it away by looking at their list."""
    session_id = house.room()
    house.repository.end(session_id, now_ms=house.clock())
    assert house.sessions.mine(ANN, limit=5, cursor=None).sessions == ()
    assert session_id in house.repository.sessions
    house.clock.ms += UNFINISHED_MS
    assert house.sessions.mine(ANN, limit=5, cursor=None).sessions == ()
    assert house.repository.sessions == {}


def test_public_lists_only_public_and_active(house: House) -> None:
    """Only public, active sessions are listed, with the asker's own role, newest first."""
    first, second = house.room(visibility=Visibility.PUBLIC), house.room(visibility=Visibility.PUBLIC)
    house.room()
    house.room(visibility=Visibility.PRIVATE)
    house.enter(first, "bob")
    page = house.sessions.public(BOB, limit=5, cursor=None)
    assert [(s.session_id, s.role) for s in page.sessions] == [(second, None), (first, Role.EDITOR)]
    house.repository.end(second, now_ms=house.clock())
    assert [s.session_id for s in house.sessions.public(BOB, limit=5, cursor=None).sessions] == [first]


def test_public_trusts_the_session_not_the_index(house: House) -> None:
    """What the index still lists but was made private or ended meanwhile is left out."""
    session_id = house.room(visibility=Visibility.PUBLIC)
    made_private = UpdateSession(visibility=Visibility.PRIVATE)
    house.repository.before["load_many"] = lambda: house.sessions.update(session_id, ANN, made_private, None)
    assert house.sessions.public(BOB, limit=5, cursor=None).sessions == ()


def test_public_pages(house: House) -> None:
    """The pages of the public listing continue where the last ended."""
    ids = [house.room(visibility=Visibility.PUBLIC) for _ in range(3)]
    first = house.sessions.public(BOB, limit=2, cursor=None)
    second = house.sessions.public(BOB, limit=2, cursor=first.next_cursor)
    assert [s.session_id for s in first.sessions + second.sessions] == ids[::-1]
    assert second.next_cursor is None


# -- update --


def test_update(house: House) -> None:
    """What is present is replaced, the rest stays, the version moves, and everyone in the room is told."""
    session_id = house.room(description="kept")
    settings = SessionSettings(environment=Environment.NIGHT)
    after = house.sessions.update(session_id, ANN, UpdateSession(name="New", settings=settings), 1)
    assert (after.name, after.description, after.settings) == ("New", "kept", settings)
    assert (after.version, after.role) == (2, Role.OWNER)
    (message,) = house.told.announced
    assert isinstance(message, SessionChanged)
    assert (message.session.name, message.session.role) == ("New", None)
    assert house.feed.entries[-1] == ("session.updated", "ann")


def test_update_visibility_lists_and_unlists(house: House) -> None:
    """Making a session public lists it, making it private unlists it."""
    session_id = house.room()
    house.sessions.update(session_id, ANN, UpdateSession(visibility=Visibility.PUBLIC), None)
    assert len(house.sessions.public(BOB, limit=5, cursor=None).sessions) == 1
    house.sessions.update(session_id, ANN, UpdateSession(visibility=Visibility.PRIVATE), None)
    assert house.sessions.public(BOB, limit=5, cursor=None).sessions == ()


def test_update_seen_version_only(house: House, refused: Refused) -> None:
    """An update from a version that has passed is refused and changes nothing."""
    session_id = house.room()
    house.sessions.update(session_id, ANN, UpdateSession(name="Second"), 1)
    with refused(Code.VERSION_CONFLICT):
        house.sessions.update(session_id, ANN, UpdateSession(name="Third"), 1)
    assert house.record(session_id).name == "Second"


def test_update_race(house: House, refused: Refused) -> None:
    """An update that another overtook conflicts if it names a version, and is tried again if it does not."""
    session_id = house.room()

    def overtake() -> None:
        house.sessions.update(session_id, ANN, UpdateSession(description="theirs"), None)

    house.repository.before["change"] = overtake
    with refused(Code.VERSION_CONFLICT):
        house.sessions.update(session_id, ANN, UpdateSession(name="Mine"), 1)
    house.repository.before["change"] = overtake
    after = house.sessions.update(session_id, ANN, UpdateSession(name="Mine"), None)
    assert (after.name, after.description, after.version) == ("Mine", "theirs", 4)
    assert house.pauses == [0, 0]


def test_update_gives_up(house: House, refused: Refused) -> None:
    """Who is overtaken every time is asked to come again."""
    session_id = house.room()

    def overtake() -> None:
        house.repository.before.pop("change", None)
        house.sessions.update(session_id, ANN, UpdateSession(description="theirs"), None)
        house.repository.before["change"] = overtake

    house.repository.before["change"] = overtake
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.update(session_id, ANN, UpdateSession(name="Mine"), None)
    assert house.pauses == list(range(ATTEMPTS))


def test_not_smaller_than_occupancy(house: House, refused: Refused) -> None:
    """A session cannot have fewer seats than are taken, even if they were taken at the last moment."""
    session_id = house.room()
    house.enter(session_id, "bob")
    with refused(Code.SESSION_SMALLER_THAN_OCCUPANCY):
        house.sessions.update(session_id, ANN, UpdateSession(max_participants=1), None)
    assert house.sessions.update(session_id, ANN, UpdateSession(max_participants=2), None).max_participants == 2
    house.sessions.update(session_id, ANN, UpdateSession(max_participants=9), None)
    house.repository.before["change"] = lambda: house.enter(session_id, "cyd")
    with refused(Code.SESSION_SMALLER_THAN_OCCUPANCY):
        house.sessions.update(session_id, ANN, UpdateSession(max_participants=2), None)


# -- delete --


def test_delete(house: House, refused: Refused) -> None:
    """Everyone is told, every connection closes, nothing is left, and it is unknown afterwards."""
    session_id, other = house.room(), house.room()
    house.enter(session_id, "bob")
    house.sessions.invites.create(session_id, ANN, CreateInvite())
    house.sessions.delete(session_id, ANN)
    assert (house.told.closed, house.feed.erased) == ([session_id], [session_id])
    assert set(house.repository.sessions) == {other}
    assert {s for s, _ in house.repository.people} == {other}
    assert house.repository.links == {}
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.get(session_id, ANN)
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.delete(session_id, ANN)


@pytest.mark.parametrize("crash_at", ["erase_children", "forget"])
def test_delete_resumes(house: House, refused: Refused, crash_at: str) -> None:
    """A deletion that crashed at any step has ended the session, and asking again finishes it."""
    session_id = house.room(visibility=Visibility.PUBLIC)
    house.repository.down.add(crash_at)
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.delete(session_id, ANN)
    with refused(Code.SESSION_ENDED):
        house.sessions.get(session_id, BOB)
    assert house.sessions.public(BOB, limit=5, cursor=None).sessions == ()
    house.repository.down.clear()
    house.sessions.delete(session_id, ANN)
    assert house.repository.sessions == {}
    assert house.repository.people == {}


def test_delete_crashed_before_it_began(house: House, refused: Refused) -> None:
    """A deletion that could not mark the session leaves it as it was."""
    session_id = house.room()
    house.repository.down.add("end")
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.delete(session_id, ANN)
    assert house.sessions.get(session_id, ANN).status is SessionStatus.ACTIVE
    assert house.told.closed == []


def test_two_delete_at_once(house: House) -> None:
    """Of two owners who delete at once both succeed."""
    session_id = house.room()
    house.repository.before["end"] = lambda: house.sessions.delete(session_id, ANN)
    house.sessions.delete(session_id, ANN)
    assert house.repository.sessions == {}
