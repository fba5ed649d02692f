"""Seats: kept, released, and taken back from who is not there, without ever overfilling a room."""

from concurrent.futures import ThreadPoolExecutor

from chalicelib.sessions.chance import jittered_pause, random_secret
from chalicelib.sessions.joining import newcomer
from chalicelib.sessions.ports import ATTEMPTS
from chalicelib.wire import limits
from chalicelib.wire.bodies import CreateSession, JoinBody
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Role
from tests.fakes.sessions import House, account
from tests.unit.sessions.conftest import Refused

ANN, BOB = account("ann"), account("bob")
GRACE_S = limits.SEAT_GRACE_S


def test_two_hundred_for_fifty(house: House) -> None:
    """Of 200 who join at once exactly 50 get a seat, and only they are participants."""
    session_id = house.sessions.create(ANN, CreateSession(name="Room", max_participants=50)).session_id

    def join(number: int) -> Code | None:
        try:
            house.sessions.join(session_id, account(f"user{number}"), JoinBody())
        except AppError as exc:
            return exc.code
        return None

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(join, range(200)))
    assert (answers.count(None), answers.count(Code.SESSION_FULL)) == (50, 150)
    assert len(house.record(session_id).seats) == 50
    assert len(house.repository.people) == 51


def test_last_seat(house: House, refused: Refused) -> None:
    """Of two who want the last seat the first gets it."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    with refused(Code.SESSION_FULL):
        house.enter(session_id, "cyd")


def test_release(house: House) -> None:
    """A released seat is free; its person stays a participant. Releasing twice, or in no session, is harmless."""
    session_id = house.room()
    house.enter(session_id, "bob")
    for _ in range(2):
        house.sessions.release_seat(session_id, "bob")
    house.sessions.release_seat("ses_" + "z" * 20, "bob")
    assert house.record(session_id).seats == {"ann"}
    assert (session_id, "bob") in house.repository.people


def test_seats_of_the_gone_are_reclaimed(house: House) -> None:
    """A full room takes back seats of people who are not connected and have not been for a while."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.connected.users = {"ann"}
    house.clock.advance_s(GRACE_S)
    house.enter(session_id, "cyd")
    assert house.record(session_id).seats == {"ann", "cyd"}


def test_seats_of_strangers_are_reclaimed(house: House) -> None:
    """A seat whose person is no participant any more (a crash) is taken back at once."""
    session_id = house.room(max_participants=2)
    house.repository.take_seat(session_id, "ghost")
    house.connected.users = {"ann"}
    house.enter(session_id, "cyd")
    assert house.record(session_id).seats == {"ann", "cyd"}


def test_recent_seats_are_kept(house: House, refused: Refused) -> None:
    """Who has just taken a seat has time to connect."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.connected.users = {"ann"}
    house.clock.advance_s(GRACE_S - 2)
    with refused(Code.SESSION_FULL):
        house.enter(session_id, "cyd")


def test_connected_seats_are_kept(house: House, refused: Refused) -> None:
    """Who is connected keeps their seat however long."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.connected.users = {"ann", "bob"}
    house.clock.advance_s(10 * GRACE_S)
    with refused(Code.SESSION_FULL):
        house.enter(session_id, "cyd")


def test_coming_back_beats_reclaiming(house: House, refused: Refused) -> None:
    """Who comes back at the moment their seat would be taken keeps it."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.connected.users = {"ann"}
    house.clock.advance_s(GRACE_S)
    house.repository.before["reclaim_seats"] = lambda: house.enter(session_id, "bob")
    with refused(Code.SESSION_FULL):
        house.sessions.join(session_id, account("cyd"), JoinBody())
    assert house.record(session_id).seats == {"ann", "bob"}


def test_seat_freed_in_between(house: House) -> None:
    """A seat that was given up between the two looks is taken."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.repository.before["session"] = lambda: house.sessions.release_seat(session_id, "bob")
    house.enter(session_id, "cyd")
    assert house.record(session_id).seats == {"ann", "cyd"}


# -- ensure: for $connect --


def test_ensure_writes_nothing_after_a_join(house: House) -> None:
    """Who has just joined connects without a write."""
    session_id = house.room()
    house.repository.down |= {"take_seat", "update_participant"}
    member = house.sessions.ensure_seated(session_id, ANN)
    assert (member.role, member.name, member.session.session_id) == (Role.OWNER, "Ann", session_id)


def test_ensure_refreshes_an_old_seat(house: House) -> None:
    """Who connects a while after joining has their seat's time refreshed, so that nobody takes it."""
    session_id = house.room()
    house.clock.advance_s(GRACE_S)
    house.sessions.ensure_seated(session_id, ANN)
    assert house.repository.people[session_id, "ann"].seated_at_ms == house.clock()
    assert house.record(session_id).seating == 2


def test_ensure_takes_a_seat_again(house: House, refused: Refused) -> None:
    """A participant whose seat was released gets one on connecting, if there is one."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.sessions.release_seat(session_id, "bob")
    entries = len(house.feed.entries)
    assert house.sessions.ensure_seated(session_id, BOB).role is Role.EDITOR
    assert house.feed.entries[entries:] == [("participant.joined", "bob")]
    assert house.record(session_id).seats == {"ann", "bob"}
    house.sessions.release_seat(session_id, "bob")
    house.enter(session_id, "cyd")
    with refused(Code.SESSION_FULL):
        house.sessions.ensure_seated(session_id, BOB)


def test_ensure_confirms(house: House) -> None:
    """Who was left pending by a crash becomes a participant by connecting."""
    session_id = house.room()
    pending = newcomer(house.record(session_id), BOB, Role.VIEWER, JoinBody(), house.clock())
    house.repository.add_participant(pending, now_ms=house.clock())
    assert house.sessions.ensure_seated(session_id, BOB).role is Role.VIEWER
    assert house.repository.people[session_id, "bob"].expires_at_s is None


def test_ensure_is_not_joining(house: House, refused: Refused) -> None:
    """Nobody becomes a participant by connecting."""
    session_id = house.room()
    with refused(Code.PARTICIPANT_NOT_JOINED):
        house.sessions.ensure_seated(session_id, BOB)


def test_ensure_for_an_owner_without_an_item(house: House) -> None:
    """An owner whose own item is missing is seated all the same."""
    session_id = house.room()
    house.repository.drop_participant(session_id, "ann")
    house.sessions.release_seat(session_id, "ann")
    assert house.sessions.ensure_seated(session_id, ANN).role is Role.OWNER
    assert house.record(session_id).seats == {"ann"}


def test_ensure_while_being_removed(house: House, refused: Refused) -> None:
    """Who is removed while connecting is not seated."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.clock.advance_s(GRACE_S)
    house.repository.before["update_participant"] = lambda: house.sessions.people.remove(
        session_id, ANN, "bob", ban=False
    )
    with refused(Code.PARTICIPANT_NOT_JOINED):
        house.sessions.ensure_seated(session_id, BOB)
    assert house.pauses == [0]


def test_ensure_gives_up(house: House, refused: Refused) -> None:
    """Who is interfered with every time is asked to come again."""
    session_id = house.room()
    house.clock.advance_s(GRACE_S)
    person = house.repository.people[session_id, "ann"]

    def vanish() -> None:
        house.repository.drop_participant(session_id, "ann")
        house.repository.before["update_participant"] = vanish
        house.repository.before["load"] = lambda: house.repository.people.update({(session_id, "ann"): person})

    house.repository.before["update_participant"] = vanish
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.ensure_seated(session_id, ANN)
    assert house.pauses == list(range(ATTEMPTS))


def test_chance() -> None:
    """Secrets are 22 URL-safe characters and differ; a pause is short."""
    made = {random_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(secret) for secret in made} == {22}
    jittered_pause(0)


def test_confirm(house: House, refused: Refused) -> None:
    """A seat is confirmed; whoever lost it is told why."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.sessions.confirm_seated(session_id, "bob")
    with refused(Code.PARTICIPANT_NOT_JOINED):
        house.sessions.confirm_seated(session_id, "eve")
    house.sessions.people.remove(session_id, ANN, "bob", ban=True)
    with refused(Code.PARTICIPANT_BANNED):
        house.sessions.confirm_seated(session_id, "bob")
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.confirm_seated("ses_" + "z" * 20, "bob")
