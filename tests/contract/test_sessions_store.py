"""One contract for the sessions' repository, run on the fake, on moto and on Amazon's DynamoDB Local."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pynamodb.exceptions import PynamoDBException

from chalicelib.aws.tables import bind
from chalicelib.sessions.model import (
    Change,
    FormerRole,
    InviteRecord,
    ParticipantChange,
    ParticipantRecord,
    SessionRecord,
    changed,
)
from chalicelib.sessions.paging import Position
from chalicelib.sessions.ports import Ports, SessionRepository
from chalicelib.sessions.service import Sessions
from chalicelib.sessions.store import SessionModel, SessionStore
from chalicelib.wire import limits
from chalicelib.wire.bodies import CreateInvite, CreateSession, JoinBody, SessionSettings
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Environment, Role, SessionStatus, UserKind, Visibility
from local.resources import make_table
from tests.contract.tables import Database
from tests.fakes.sessions import Belongings, Clock, Connected, Feed, House, MemorySessions, Told, account

NOW = 1_700_000_000_000
S = "ses_" + "a" * 20
T = "ses_" + "b" * 20
RECORD = SessionRecord(
    session_id=S,
    name="Room",
    description="",
    visibility=Visibility.LINK,
    status=SessionStatus.ACTIVE,
    max_participants=2,
    settings=SessionSettings(default_role=Role.VIEWER, environment=Environment.NIGHT),
    owner_id="ann",
    owners=frozenset({"ann"}),
    created_at_ms=NOW,
    updated_at_ms=NOW,
)
ANN = ParticipantRecord(
    session_id=S,
    user_id="ann",
    role=Role.EDITOR,
    name="Ann Ünal",
    color="#010203",
    kind=UserKind.ACCOUNT,
    joined_at_ms=NOW,
    seated_at_ms=NOW,
)
INVITE = InviteRecord(
    session_id=S,
    invite_id="inv_" + "0" * 20,
    role=Role.VIEWER,
    created_by="ann",
    created_at_ms=NOW,
    expires_at_ms=NOW + 60_000,
    max_uses=2,
)


@pytest.fixture
def repository(database: Database, request: pytest.FixtureRequest) -> Iterator[SessionRepository]:
    """The implementation under test, empty."""
    if database.endpoint is None:
        yield MemorySessions()
        return
    name = f"t{abs(hash(request.node.nodeid)):x}-sessions"
    model = bind(SessionModel, name, region="us-east-1", host=database.endpoint)
    make_table(model)
    yield SessionStore(model)
    model.delete_table()


@pytest.fixture
def room(repository: SessionRepository) -> SessionRepository:
    """With one session, owned by ann, who is a participant."""
    assert repository.create(RECORD)
    assert repository.add_participant(ANN, now_ms=NOW)
    return repository


# -- the session --


def test_create_and_read(room: SessionRepository) -> None:
    """A session comes back as it was stored; an id is given once."""
    assert room.session(S) == RECORD
    assert not room.create(replace(RECORD, name="Other"))
    assert room.session(S) == RECORD
    assert room.session(T) is None


def test_load(room: SessionRepository) -> None:
    """Session and participant are read together, each perhaps absent."""
    assert room.load(S, "ann") == (RECORD, ANN)
    assert room.load(S, "bob") == (RECORD, None)
    assert room.load(T, "ann") == (None, None)


def test_load_many(room: SessionRepository) -> None:
    """Many sessions are read together, without those that are gone."""
    room.create(replace(RECORD, session_id=T))
    assert room.load_many([S, T, "ses_" + "z" * 20], "ann") == {
        S: (RECORD, ANN),
        T: (replace(RECORD, session_id=T), None),
    }
    assert room.load_many([], "ann") == {}


EVERYTHING = Change(
    name="New",
    description="words",
    visibility=Visibility.PUBLIC,
    max_participants=5,
    settings=SessionSettings(),
    owner_id="bob",
    add_owner="bob",
    remove_owner="ann",
    free_seat="ann",
    ban="eve",
)


@pytest.mark.parametrize("change", [Change(), Change(description=""), EVERYTHING], ids=["nothing", "empty", "all"])
def test_change(room: SessionRepository, change: Change) -> None:
    """A change does what the model says, and is what is read afterwards."""
    room.take_seat(S, "ann")
    before = room.session(S)
    assert before is not None
    after = room.change(before, change, now_ms=NOW + 1)
    assert after == changed(before, change, NOW + 1)
    assert room.session(S) == after


def test_change_of_a_passed_version(room: SessionRepository) -> None:
    """A change from a version that has passed is refused."""
    assert room.change(RECORD, Change(name="First"), now_ms=NOW) is not None
    assert room.change(RECORD, Change(name="Second"), now_ms=NOW) is None
    assert room.change(replace(RECORD, session_id=T), Change(), now_ms=NOW) is None


def test_change_keeps_seats_taken_meanwhile(room: SessionRepository) -> None:
    """Seats are not part of the version: those taken since the read stay."""
    room.take_seat(S, "ann")
    after = room.change(RECORD, Change(name="New"), now_ms=NOW)
    assert after is not None
    assert after.seats == {"ann"}


def test_change_below_occupancy(room: SessionRepository) -> None:
    """As many seats as are taken may be left, not fewer."""
    room.take_seat(S, "ann")
    room.take_seat(S, "bob")
    assert room.change(RECORD, Change(max_participants=1), now_ms=NOW) is None
    assert room.change(RECORD, Change(max_participants=2), now_ms=NOW) is not None


def test_change_of_an_empty_session(room: SessionRepository) -> None:
    """Where no seat is taken, every number of seats will do."""
    after = room.change(RECORD, Change(max_participants=1), now_ms=NOW)
    assert after is not None
    assert after.max_participants == 1


def test_end(room: SessionRepository) -> None:
    """An ended session is read as such, and takes no more changes, seats or invites."""
    assert room.end(S, now_ms=NOW + 5)
    ended = room.session(S)
    assert ended is not None
    assert (ended.status, ended.version, ended.updated_at_ms) == (SessionStatus.ENDED, 2, NOW + 5)
    assert not room.end(S, now_ms=NOW + 6)
    assert not room.end(T, now_ms=NOW)
    assert room.change(ended, Change(), now_ms=NOW) is None
    assert room.take_seat(S, "ann") is None
    assert not room.hold_invite_slot(S, INVITE.invite_id)


def test_end_only_if_nobody_came(room: SessionRepository) -> None:
    """An ending that names a seating is refused when a seat was taken since."""
    assert room.take_seat(S, "bob") is not None
    assert not room.end(S, now_ms=NOW, seating=0)
    assert room.end(S, now_ms=NOW, seating=1)


def test_erase_and_forget(room: SessionRepository) -> None:
    """Participants and invites go first, then the session; other sessions stay; all of it may be repeated."""
    room.create(replace(RECORD, session_id=T))
    room.add_participant(replace(ANN, session_id=T), now_ms=NOW)
    for number in range(60):
        room.add_participant(replace(ANN, user_id=f"user{number}"), now_ms=NOW)
    room.put_invite(INVITE)
    for _ in range(2):
        room.erase_children(S)
    assert room.load(S, "ann") == (RECORD, None)
    assert room.participants(S, limit=5, after=None) == ((), None)
    assert room.invites(S) == ()
    for _ in range(2):
        room.forget(S)
    assert room.session(S) is None
    assert room.load(T, "ann")[1] is not None


# -- seats --


def test_seats(room: SessionRepository) -> None:
    """Seats are taken while there are any; taking one again keeps it; each moves the seating."""
    first = room.take_seat(S, "ann")
    assert first is not None
    assert (set(first.seats), first.seating, first.version) == ({"ann"}, 1, 1)
    assert room.take_seat(S, "bob") is not None
    assert room.take_seat(S, "cyd") is None
    again = room.take_seat(S, "ann")
    assert again is not None
    assert (set(again.seats), again.seating) == ({"ann", "bob"}, 3)
    assert room.take_seat(T, "ann") is None


def test_free_seat(room: SessionRepository) -> None:
    """A seat that is given back can be taken; giving back what one has not, or nowhere, changes nothing."""
    for user_id in ("ann", "bob"):
        room.take_seat(S, user_id)
    for _ in range(2):
        room.free_seat(S, "bob")
    assert room.take_seat(S, "cyd") is not None
    for user_id in ("ann", "cyd"):
        room.free_seat(S, user_id)
    assert room.session(S) == replace(RECORD, seating=3)
    room.free_seat(T, "ann")
    assert room.session(T) is None


def test_banned_take_no_seat(room: SessionRepository) -> None:
    """Who is banned gets no seat."""
    room.change(RECORD, Change(ban="eve"), now_ms=NOW)
    assert room.take_seat(S, "eve") is None
    assert room.take_seat(S, "bob") is not None


def test_reclaim(room: SessionRepository) -> None:
    """Seats are reclaimed together, and only if the seating has not moved."""
    for user_id in ("ann", "bob"):
        room.take_seat(S, user_id)
    assert not room.reclaim_seats(S, frozenset({"ann"}), seating=1)
    assert room.reclaim_seats(S, frozenset({"ann", "bob"}), seating=2)
    assert room.session(S) == replace(RECORD, seating=2)


# -- participants --


def test_add_participant(room: SessionRepository) -> None:
    """A participant is added once, and again when they had lapsed."""
    pending = replace(ANN, user_id="bob", expires_at_s=NOW // 1000 + 60)
    assert room.add_participant(pending, now_ms=NOW)
    assert not room.add_participant(pending, now_ms=NOW)
    assert not room.add_participant(ANN, now_ms=NOW + 10**12)
    again = replace(pending, name="Bob", expires_at_s=NOW // 1000 + 120)
    assert room.add_participant(again, now_ms=NOW + 60_000)
    assert room.load(S, "bob")[1] == again


def test_update_participant(room: SessionRepository) -> None:
    """What is given is changed, the rest stays; who is not there is not made."""
    change = ParticipantChange(role=Role.VIEWER, name="A", color="#000000", seated_at_ms=5, assigned_at_ms=6)
    after = room.update_participant(S, "ann", change)
    assert after == replace(ANN, role=Role.VIEWER, name="A", color="#000000", seated_at_ms=5, assigned_at_ms=6)
    assert room.load(S, "ann")[1] == after
    assert room.update_participant(S, "bob", change) is None
    assert room.load(S, "bob")[1] is None


def test_confirm(room: SessionRepository) -> None:
    """A confirmed participant expires no more, and is not dropped as pending."""
    room.add_participant(replace(ANN, user_id="bob", expires_at_s=NOW // 1000 + 60), now_ms=NOW)
    confirmed = room.update_participant(S, "bob", ParticipantChange(confirm=True))
    assert confirmed == replace(ANN, user_id="bob")
    room.drop_participant(S, "bob", only_pending=True)
    assert room.load(S, "bob")[1] == confirmed


def test_update_of_a_passed_assignment(room: SessionRepository) -> None:
    """An update that names an assignment is refused when a role was given since."""
    assert room.update_participant(S, "ann", ParticipantChange(assigned_at_ms=7), assigned_at_ms=0) is not None
    assert room.update_participant(S, "ann", ParticipantChange(role=Role.GUEST), assigned_at_ms=0) is None
    assert room.update_participant(S, "ann", ParticipantChange(role=Role.GUEST), assigned_at_ms=7) is not None


def test_drop_participant(room: SessionRepository) -> None:
    """Who is dropped is gone; dropping nobody is harmless."""
    room.add_participant(replace(ANN, user_id="bob", expires_at_s=NOW // 1000 + 60), now_ms=NOW)
    room.drop_participant(S, "bob", only_pending=True)
    for _ in range(2):
        room.drop_participant(S, "ann")
    assert room.participants_of(S, ["ann", "bob"]) == ()


def test_former_role(room: SessionRepository) -> None:
    """It is kept beside the participants, replaced by a later one, and goes with the session."""
    assert room.former_role(S, "bob") is None
    for role in (Role.GUEST, Role.VIEWER):
        room.remember_role(S, "bob", FormerRole(role=role, assigned_at_ms=NOW), now_ms=NOW)
        assert room.former_role(S, "bob") == FormerRole(role=role, assigned_at_ms=NOW)
    assert room.participants(S, limit=5, after=None)[0] == (ANN,)
    room.erase_children(S)
    assert room.former_role(S, "bob") is None


def test_participants_page(room: SessionRepository) -> None:
    """Pages are by user id, without gaps, repeats or a page that is empty."""
    for user_id in ("dan", "bob", "cyd"):
        room.add_participant(replace(ANN, user_id=user_id), now_ms=NOW)
    room.put_invite(INVITE)
    first, last = room.participants(S, limit=2, after=None)
    assert ([p.user_id for p in first], last) == (["ann", "bob"], "bob")
    second, end = room.participants(S, limit=2, after=last)
    assert ([p.user_id for p in second], end) == (["cyd", "dan"], None)


def test_participants_of(room: SessionRepository) -> None:
    """Named participants are found, more than a hundred too; strangers are left out."""
    names = [f"user{n:03d}" for n in range(130)]
    for user_id in names:
        room.add_participant(replace(ANN, user_id=user_id), now_ms=NOW)
    found = room.participants_of(S, [*names, "eve"])
    assert sorted(p.user_id for p in found) == names
    assert room.participants_of(S, []) == ()


# -- listings --


def test_mine(repository: SessionRepository) -> None:
    """Somebody's sessions are paged, the latest joined first; others' are not among them."""
    ids = [f"ses_{n:020d}" for n in range(5)]
    for number, session_id in enumerate(ids):
        person = replace(ANN, session_id=session_id, joined_at_ms=NOW + number)
        repository.add_participant(person, now_ms=NOW)
        repository.add_participant(replace(person, user_id="bob"), now_ms=NOW)
    first, position = repository.mine("ann", limit=3, after=None)
    assert (first, position) == (tuple(ids[:1:-1]), Position(NOW + 2, ids[2]))
    assert repository.mine("ann", limit=3, after=position) == ((ids[1], ids[0]), None)
    assert repository.mine("eve", limit=3, after=None) == ((), None)


def test_public(repository: SessionRepository) -> None:
    """Public, active sessions are paged, newest first; a change of visibility or the end moves them in or out."""
    ids = [f"ses_{n:020d}" for n in range(5)]
    for number, session_id in enumerate(ids):
        visibility = Visibility.PUBLIC if number else Visibility.PRIVATE
        repository.create(replace(RECORD, session_id=session_id, created_at_ms=NOW + number, visibility=visibility))
    first, position = repository.public(limit=2, after=None)
    assert (first, position) == ((ids[4], ids[3]), Position(NOW + 3, ids[3]))
    assert repository.public(limit=2, after=position) == ((ids[2], ids[1]), None)
    repository.end(ids[4], now_ms=NOW)
    private = repository.session(ids[3])
    hidden = repository.session(ids[0])
    assert private is not None
    assert hidden is not None
    repository.change(private, Change(visibility=Visibility.LINK), now_ms=NOW)
    repository.change(hidden, Change(visibility=Visibility.PUBLIC), now_ms=NOW)
    assert repository.public(limit=9, after=None) == ((ids[2], ids[1], ids[0]), None)


# -- invites --


def test_invites(room: SessionRepository) -> None:
    """Invites come back as they were stored, and are dropped once."""
    unbounded = replace(INVITE, invite_id="inv_" + "1" * 20, max_uses=None)
    room.put_invite(INVITE)
    room.put_invite(unbounded)
    assert room.invite(S, INVITE.invite_id) == INVITE
    assert sorted(room.invites(S), key=lambda i: i.invite_id) == [INVITE, unbounded]
    assert room.invites(T) == ()
    assert room.drop_invite(S, INVITE.invite_id)
    assert not room.drop_invite(S, INVITE.invite_id)
    assert room.invite(S, INVITE.invite_id) is None


def test_use_bounded_invite(room: SessionRepository) -> None:
    """A bounded invite lets in so many people, each as often as they like."""
    room.put_invite(INVITE)
    for user_id in ("bob", "cyd", "bob"):
        assert room.use_invite(S, INVITE.invite_id, user_id, now_ms=NOW) is not None
    assert room.use_invite(S, INVITE.invite_id, "dan", now_ms=NOW) is None
    assert room.invite(S, INVITE.invite_id) == replace(INVITE, used_by=frozenset({"bob", "cyd"}))


def test_use_unbounded_invite(room: SessionRepository) -> None:
    """An unbounded invite counts."""
    room.put_invite(replace(INVITE, max_uses=None))
    for count in (1, 2):
        used = room.use_invite(S, INVITE.invite_id, "bob", now_ms=NOW)
        assert used is not None
        assert used.use_count == count


def test_use_no_invite(room: SessionRepository) -> None:
    """An invite that expired, or never was, lets nobody in and is not made by trying."""
    room.put_invite(INVITE)
    assert room.use_invite(S, INVITE.invite_id, "bob", now_ms=INVITE.expires_at_ms) is None
    assert room.use_invite(S, "inv_" + "f" * 20, "bob", now_ms=NOW) is None
    assert room.invites(S) == (INVITE,)


def test_invite_slots(room: SessionRepository) -> None:
    """There are so many slots; what is given back can be taken again, and holding one twice takes one."""
    ids = [f"inv_{n:020d}" for n in range(limits.INVITES_PER_SESSION)]
    for invite_id in [*ids[:-1], ids[0], ids[-1]]:
        assert room.hold_invite_slot(S, invite_id)
    assert not room.hold_invite_slot(S, "inv_" + "f" * 20)
    room.free_invite_slots(S, frozenset(ids[:2]))
    assert room.hold_invite_slot(S, "inv_" + "f" * 20)
    room.free_invite_slots(T, frozenset(ids))
    assert room.session(T) is None


# -- races --


def test_two_hundred_for_fifty(repository: SessionRepository) -> None:
    """Of 200 people who join at once exactly 50 get a seat, and only they become participants."""
    sessions = Sessions(
        Ports(
            repository=repository,
            notifier=Told(),
            occupancy=Connected({f"user{n:03d}" for n in range(200)}),
            activity=Feed(),
            documents=Belongings(),
            now_ms=Clock(),
            random_id=lambda length: "r" * length,
            random_secret=lambda: "s" * 22,
            pause=lambda _: None,
        )
    )
    session = sessions.create(account("ann"), CreateSession(name="Room", max_participants=50))

    def join(number: int) -> Code | None:
        try:
            sessions.join(session.session_id, account(f"user{number:03d}"), JoinBody())
        except AppError as exc:
            return exc.code
        return None

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(join, range(200)))
    assert (answers.count(None), answers.count(Code.SESSION_FULL)) == (50, 150)
    record = repository.session(session.session_id)
    assert record is not None
    admitted = {f"user{n:03d}" for n, answer in enumerate(answers) if answer is None}
    assert record.seats == admitted
    people, _ = repository.participants(session.session_id, limit=100, after=None)
    assert {p.user_id for p in people} == admitted | {"ann"}


def test_last_use_of_an_invite(room: SessionRepository) -> None:
    """Of many who use an invite for two at once, two get in."""
    room.put_invite(INVITE)

    def use(number: int) -> bool:
        return room.use_invite(S, INVITE.invite_id, f"user{number}", now_ms=NOW) is not None

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(use, range(32))) == 2


def test_one_change_wins(room: SessionRepository) -> None:
    """Of many changes from one version, one is made."""

    def change(number: int) -> bool:
        return room.change(RECORD, Change(name=f"Name {number}"), now_ms=NOW) is not None

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(change, range(32))) == 1


def test_whole_life(repository: SessionRepository) -> None:
    """The service leaves nothing of a session in any store."""
    house = House()
    sessions = Sessions(replace(house.ports, repository=repository))
    session_id = sessions.create(account("ann"), CreateSession(name="Room", visibility=Visibility.PUBLIC)).session_id
    code = sessions.invites.create(session_id, account("ann"), CreateInvite(max_uses=1)).code
    sessions.join(session_id, account("ann"), JoinBody())
    sessions.join(session_id, account("bob"), JoinBody(invite=code))
    assert sessions.people.set_role(session_id, account("ann"), "bob", Role.OWNER).role is Role.OWNER
    sessions.people.leave(session_id, account("ann"))
    assert sessions.get(session_id, account("bob")).owner_id == "bob"
    assert sessions.mine(account("ann"), limit=5, cursor=None).sessions == ()
    sessions.people.leave(session_id, account("bob"))
    assert repository.session(session_id) is None
    assert repository.participants(session_id, limit=5, after=None) == ((), None)
    assert repository.invites(session_id) == ()
    assert repository.public(limit=5, after=None) == ((), None)


def test_unreachable() -> None:
    """A database that does not answer is UPSTREAM_UNAVAILABLE, on every way in."""
    model = bind(SessionModel, "t", region="us-east-1", host="http://127.0.0.1:9")
    store = SessionStore(model)
    for call in (
        lambda: store.session(S),
        lambda: store.load(S, "ann"),
        lambda: store.take_seat(S, "ann"),
        lambda: store.mine("ann", limit=1, after=None),
        lambda: store.put_invite(INVITE),
    ):
        with pytest.raises(AppError) as caught:
            call()
        assert caught.value.code is Code.UPSTREAM_UNAVAILABLE


def test_broken_deployment(database: Database) -> None:
    """A table that is not there is a fault to be seen, not an answer."""
    if database.endpoint is None:
        return
    store = SessionStore(bind(SessionModel, "absent", region="us-east-1", host=database.endpoint))
    with pytest.raises(PynamoDBException):
        store.create(RECORD)
