"""The feed: what is written, who reads it, and that it never fails its writer."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import msgspec
import pytest

from chalicelib.activity.model import KINDS, Entry
from chalicelib.activity.routes import routes
from chalicelib.activity.service import Activity
from chalicelib.sessions.model import Permission
from chalicelib.wire.bodies import ActivityPage
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role
from tests.fakes.activity import MemoryFeed
from tests.fakes.browser import Browser
from tests.fakes.sessions import House, account

S = "ses_" + "a" * 20
ANN = account("ann")


class AllowAll:
    """Members who may do everything; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Permission] = []

    def member(self, session_id: str, identity: Identity, permission: Permission) -> object:
        self.asked.append(permission)
        return None


class Desk:
    """A feed over memory with a clock that ticks at every entry."""

    def __init__(self) -> None:
        self.feed = MemoryFeed()
        self.members = AllowAll()
        self.lost: list[tuple[str, str]] = []
        self.ticks = 0
        self.activity = Activity(
            self.feed,
            lambda: self.members,
            now_ms=self._tick,
            random_id=lambda length: f"{self.ticks:0{length}d}",
            lost=lambda session_id, kind: self.lost.append((session_id, kind)),
        )

    def _tick(self) -> int:
        self.ticks += 1
        return 1_700_000_000_000 + self.ticks


@pytest.fixture
def desk() -> Desk:
    """An empty feed."""
    return Desk()


@contextmanager
def _refused(code: Code) -> Iterator[None]:
    with pytest.raises(AppError) as caught:
        yield
    assert caught.value.code is code


def refused(code: Code) -> AbstractContextManager[None]:
    """Passes when just that code is raised."""
    return _refused(code)


def test_record_and_read(desk: Desk) -> None:
    """What happened is told newest first, with its details and an id of its own."""
    desk.activity.record(S, "participant.joined", "ann", "Ann", role="owner")
    desk.activity.record(S, "participant.left", "ann", "Ann")
    page = desk.activity.page(S, ANN, limit=5, cursor=None)
    assert [(e.kind, e.detail) for e in page.events] == [
        ("participant.left", {}),
        ("participant.joined", {"role": "owner"}),
    ]
    assert len({e.event_id for e in page.events}) == 2
    assert all(re.fullmatch(r"[0-9a-z]{8,32}", e.event_id) for e in page.events)
    assert page.next_cursor is None
    assert desk.members.asked == [Permission.SEE_ACTIVITY]


def test_pages(desk: Desk) -> None:
    """Every entry appears once over the pages; a cursor holds in its own session only."""
    for number in range(5):
        desk.activity.record(S, "session.updated", f"user{number}", "x")
    seen, cursor = [], None
    while True:
        page = desk.activity.page(S, ANN, limit=2, cursor=cursor)
        seen += [e.user_id for e in page.events]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == [f"user{n}" for n in range(4, -1, -1)]
    with refused(Code.CURSOR_INVALID):
        desk.activity.page("ses_" + "b" * 20, ANN, limit=2, cursor=cursor)


def test_lost(desk: Desk) -> None:
    """An entry that cannot be stored is reported and forgotten."""
    desk.feed.down = True
    desk.activity.record(S, "session.updated", "ann", "Ann")
    assert desk.lost == [(S, "session.updated")]


def test_erase(desk: Desk) -> None:
    """An erased feed is empty; another session's is not."""
    other = "ses_" + "b" * 20
    for session_id in (S, other):
        desk.activity.record(session_id, "session.updated", "ann", "Ann")
    desk.activity.erase(S)
    assert desk.activity.page(S, ANN, limit=5, cursor=None).events == ()
    assert len(desk.activity.page(other, ANN, limit=5, cursor=None).events) == 1


@pytest.mark.parametrize("role", Role)
def test_who_may_read(desk: Desk, role: Role) -> None:
    """Everybody but guests reads the feed of their session."""
    house = House()
    session_id = house.room()
    house.give(session_id, "bob", role)
    activity = Activity(
        desk.feed, lambda: house.sessions, now_ms=house.clock, random_id=lambda n: "0" * n, lost=lambda *_: None
    )
    if role is Role.GUEST:
        with refused(Code.ROLE_INSUFFICIENT):
            activity.page(session_id, account("bob"), limit=5, cursor=None)
    else:
        assert activity.page(session_id, account("bob"), limit=5, cursor=None).events == ()


def test_kinds() -> None:
    """Whatever the sessions room writes is a known kind, noun.verb."""
    house = House()
    session_id = house.room()
    house.give(session_id, "bob", Role.OWNER)
    house.sessions.people.leave(session_id, ANN)
    assert {kind for kind, _ in house.feed.entries} <= KINDS
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", kind) for kind in KINDS)


def test_entry_position() -> None:
    """An entry's place is its time and its mark."""
    entry = Entry(session_id=S, at_ms=5, mark="m" * 12, kind="k.k", user_id="ann", name="Ann")
    assert (entry.position.at_ms, entry.position.key) == (5, "m" * 12)
    assert entry.as_event().event_id == "0000000000005" + "m" * 12


def test_route(desk: Desk) -> None:
    """The feed is at its address, documented."""
    browser = Browser(routes(account, lambda: desk.activity))
    (endpoint,) = browser.routes.endpoints
    for _ in range(2):
        desk.activity.record(S, "session.updated", "ann", "Ann")
    status, body, _ = browser.call("GET", f"/collaboration/sessions/{S}/activity", query={"limit": "1"})
    page = msgspec.convert(body, ActivityPage)
    assert (status, len(page.events)) == (200, 1)
    assert page.next_cursor is not None
    assert {Code.SESSION_UNKNOWN, Code.ROLE_INSUFFICIENT, Code.CURSOR_INVALID} <= endpoint.errors
