"""Snapshots bound the replay and are no truth: lost, broken or late ones cost time and nothing else."""

import pytest

from chalicelib.documents.model import Record
from chalicelib.documents.snapshots import Snapshots
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Create, Operation
from tests.fakes.documents import MemoryLog, MemoryObjects, MemoryShelf
from tests.unit.documents.house import D, E, put

EVERY = limits.SNAPSHOT_EVERY


class World:
    """A log, and what was made of it."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.shelf = MemoryShelf()
        self.objects = MemoryObjects()
        self.snapshots = self.container()

    def container(self) -> Snapshots:
        """Another that knows nothing yet."""
        return Snapshots(self.log, self.shelf, self.objects)

    async def grow(self, count: int) -> int:
        """So many revisions more. The head."""
        log = self.log.logs.setdefault(D, [])
        for revision in range(len(log) + 1, len(log) + count + 1):
            made: Operation = Create(id=E) if revision == 1 else put(revision)
            log.append(
                Record(
                    revision=revision,
                    client="ada00000",
                    seq=revision,
                    user_id="ada",
                    at_ms=1,
                    base=revision - 1,
                    operations=(made,),
                )
            )
        return len(log)


@pytest.fixture
def world() -> World:
    """Everything new."""
    return World()


async def test_a_snapshot_is_made_when_enough_has_happened(world: World) -> None:
    """Every so many revisions; whoever keeps up."""
    await world.snapshots.keep_up(D, await world.grow(EVERY - 1))
    assert world.objects.kept == {}
    await world.snapshots.keep_up(D, await world.grow(1))
    assert list(world.shelf.pointers[D]) == [EVERY]
    await world.snapshots.keep_up(D, await world.grow(EVERY - 1))
    await world.container().keep_up(D, await world.grow(1))
    await world.container().keep_up(D, 2 * EVERY)
    assert list(world.shelf.pointers[D]) == [EVERY, 2 * EVERY]
    assert len(world.objects.kept) == 2


async def test_any_revision_is_the_replay_up_to_it(world: World) -> None:
    """Z8: before, at and after each snapshot, in containers that know something and that know nothing."""
    for _ in range(3):
        await world.snapshots.keep_up(D, await world.grow(EVERY))
    head = await world.grow(3)
    for revision in (1, 2, EVERY - 1, EVERY, EVERY + 1, 2 * EVERY + 7, 3 * EVERY, head):
        for snapshots in (world.snapshots, world.container()):
            state = await snapshots.at(D, revision)
            assert state.revision == revision
            assert state.entities[E].props == ({} if revision == 1 else {"a": revision})
    assert (await world.container().at(D)).revision == head
    assert (await world.container().at(D, head + 9)).revision == head


async def test_a_cold_reader_replays_no_more_than_is_new(world: World) -> None:
    """The newest snapshot, and the log from there."""
    await world.snapshots.keep_up(D, await world.grow(EVERY))
    await world.grow(2)
    asked: list[int] = []
    since = world.log.since

    async def noted(document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        asked.append(revision)
        return await since(document_id, revision, limit, boundary=boundary)

    world.log.since = noted  # type: ignore[method-assign]
    assert (await world.container().at(D)).revision == EVERY + 2
    assert asked == [EVERY]


@pytest.mark.parametrize("broken", [b"", b"no zlib", b"x\x9c\xab\xae\x05\x00\x01u\x00\xf9", None])
async def test_a_snapshot_that_is_broken_or_lost_is_made_up_for(world: World, broken: bytes | None) -> None:
    """By an older one, and the log."""
    for _ in range(2):
        await world.snapshots.keep_up(D, await world.grow(EVERY))
    newest = max(world.objects.kept)
    if broken is None:
        del world.objects.kept[newest]
    else:
        world.objects.kept[newest] = broken
    state = await world.container().at(D)
    assert (state.revision, state.entities[E].props) == (2 * EVERY, {"a": 2 * EVERY})
    world.objects.kept.clear()
    assert (await world.container().at(D)).entities == state.entities


async def test_a_bucket_that_does_not_answer_stops_nobody(world: World) -> None:
    """The commit goes on; the next one makes the snapshot; a reader replays the log."""

    async def fails(key: str, data: bytes = b"") -> bytes | None:
        raise AppError(Code.UPSTREAM_UNAVAILABLE)

    put_, get_ = world.objects.put, world.objects.get
    world.objects.put = fails  # type: ignore[method-assign, assignment]
    await world.snapshots.keep_up(D, await world.grow(EVERY))
    assert world.shelf.pointers == {}
    world.objects.put = put_  # type: ignore[method-assign]
    await world.snapshots.keep_up(D, await world.grow(EVERY))
    assert list(world.shelf.pointers[D]) == [2 * EVERY]
    world.objects.get = fails  # type: ignore[method-assign]
    assert (await world.container().at(D)).revision == 2 * EVERY
    world.objects.get = get_  # type: ignore[method-assign]


async def test_a_container_keeps_few_states_and_forgets_when_told(world: World) -> None:
    """They are whole scenes."""
    for number in range(20):
        await world.snapshots.at(f"doc_{number}")
    assert len(world.snapshots._newest) <= 8
    world.snapshots.forget()
    assert not world.snapshots._newest


async def test_a_state_that_was_given_out_does_not_change(world: World) -> None:
    """Though the document goes on."""
    await world.grow(2)
    early = await world.snapshots.at(D)
    await world.grow(2)
    assert (await world.snapshots.at(D)).entities[E].props == {"a": 4}
    assert early.entities[E].props == {"a": 2}
