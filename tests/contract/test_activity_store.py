"""One contract for the activity feed, run on the fake, on moto and on Amazon's DynamoDB Local."""

from collections.abc import Iterator

import pytest

from chalicelib.activity.model import Entry, Feed
from chalicelib.activity.store import ActivityModel, ActivityStore
from chalicelib.aws.tables import bind
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from local.resources import make_table
from tests.contract.tables import Database
from tests.fakes.activity import MemoryFeed

NOW = 1_700_000_000_000
S, T = "ses_" + "a" * 20, "ses_" + "b" * 20


@pytest.fixture
def feed(database: Database, request: pytest.FixtureRequest) -> Iterator[Feed]:
    """The implementation under test, empty."""
    if database.endpoint is None:
        yield MemoryFeed()
        return
    name = f"t{abs(hash(request.node.nodeid)):x}-activity"
    model = bind(ActivityModel, name, region="us-east-1", host=database.endpoint)
    make_table(model)
    yield ActivityStore(model)
    model.delete_table()


def entry(at_ms: int, mark: str = "0" * 12, session_id: str = S, **detail: str) -> Entry:
    """Something that happened."""
    return Entry(
        session_id=session_id, at_ms=at_ms, mark=mark, kind="session.updated", user_id="ann", name="Ünal", detail=detail
    )


def test_pages(feed: Feed) -> None:
    """Entries come back as they were stored, newest first, each once; others' are not among them."""
    made = [entry(NOW + n // 2, f"{n:012d}", role="viewer") for n in range(5)]
    for one in (*made, entry(NOW, session_id=T)):
        feed.append(one)
    first, position = feed.page(S, limit=3, after=None)
    assert first == tuple(made[:1:-1])
    assert position == made[2].position
    assert feed.page(S, limit=3, after=position) == ((made[1], made[0]), None)


def test_order_of_times(feed: Feed) -> None:
    """Times are ordered as numbers, however many digits they have."""
    for at_ms in (9, 10, 10**12, 2):
        feed.append(entry(at_ms))
    assert [e.at_ms for e in feed.page(S, limit=9, after=None)[0]] == [10**12, 10, 9, 2]


def test_erase(feed: Feed) -> None:
    """An erased feed is empty, another's is not, and it may be repeated."""
    for number in range(60):
        feed.append(entry(NOW + number))
    feed.append(entry(NOW, session_id=T))
    for _ in range(2):
        feed.erase(S)
    assert feed.page(S, limit=5, after=None) == ((), None)
    assert len(feed.page(T, limit=5, after=None)[0]) == 1


def test_expiry(database: Database, feed: Feed) -> None:
    """A stored entry carries the time at which DynamoDB removes it."""
    if not isinstance(feed, ActivityStore):
        return
    feed.append(entry(NOW))
    (item,) = feed._model.query(S)
    assert item.expires_at == NOW // 1000 + limits.ACTIVITY_TTL_S


def test_unreachable() -> None:
    """A database that does not answer is UPSTREAM_UNAVAILABLE."""
    store = ActivityStore(bind(ActivityModel, "t", region="us-east-1", host="http://127.0.0.1:9"))
    for call in (lambda: store.append(entry(NOW)), lambda: store.page(S, limit=1, after=None), lambda: store.erase(S)):
        with pytest.raises(AppError) as caught:
            call()
        assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
