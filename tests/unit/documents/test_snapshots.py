"""States at any revision, whatever became of the snapshots (Z8)."""

import zlib

import pytest

from chalicelib.documents.model import Pointer, Record
from chalicelib.documents.recent import Recent
from chalicelib.documents.snapshots import Snapshots
from chalicelib.ot.apply import apply_all
from chalicelib.ot.state import Entity
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.limits import SNAPSHOT_EVERY
from tests.fakes.documents import MemoryLog, MemoryShelf
from tests.fakes.papers import BOX, SCENE, Papers


def replayed(papers: Papers, revision: int) -> dict[str, Entity]:
    """What the log makes."""
    entities: dict[str, Entity] = {}
    for record in papers.log.logs[SCENE][:revision]:
        apply_all(entities, record.operations)
    return entities


async def kept_up(papers: Papers, *heads: int) -> Snapshots:
    """Snapshots that were told of heads as they came."""
    states = papers.snapshots()
    for head in heads:
        papers.filled(head)
        await states.keep_up(SCENE, head)
    return states


async def test_every_revision_is_its_replay() -> None:
    """Z8: from the log, from a snapshot, from what is kept, in any order; the head without a revision."""
    papers = Papers()
    states = await kept_up(papers, SNAPSHOT_EVERY, SNAPSHOT_EVERY * 2, SNAPSHOT_EVERY * 2 + 7)
    for reader in (states, papers.snapshots()):
        for revision in (0, 1, 499, 500, 501, 1007, 999, 1000, 1, 1006):
            state = await reader.at(SCENE, revision)
            assert (state.revision, state.entities) == (revision, replayed(papers, revision))
        assert (await reader.at(SCENE)).revision == 1007


async def test_snapshots_are_made_now_and_then() -> None:
    """Where so many revisions have passed since the last, whoever made that."""
    papers = Papers()
    await kept_up(papers, 1, SNAPSHOT_EVERY - 1)
    assert papers.shelf.pointers == {}
    await kept_up(papers, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 1)
    assert list(papers.shelf.pointers[SCENE]) == [SNAPSHOT_EVERY]
    await kept_up(papers, SNAPSHOT_EVERY + 2, SNAPSHOT_EVERY * 2 - 1)
    assert list(papers.shelf.pointers[SCENE]) == [SNAPSHOT_EVERY]
    await kept_up(papers, SNAPSHOT_EVERY * 2)
    assert list(papers.shelf.pointers[SCENE]) == [SNAPSHOT_EVERY, SNAPSHOT_EVERY * 2]
    for pointer in papers.shelf.pointers[SCENE].values():
        assert len(papers.objects.kept[pointer.key]) == pointer.size_bytes


async def test_a_reader_does_not_read_what_a_snapshot_has() -> None:
    """It begins there."""
    papers = Papers()
    await kept_up(papers, SNAPSHOT_EVERY)
    whole = replayed(papers, SNAPSHOT_EVERY)
    papers.log.logs[SCENE][0] = papers.log.logs[SCENE][1]  # it could not be made of the log any more
    assert (await papers.snapshots().at(SCENE, SNAPSHOT_EVERY)).entities == whole


@pytest.mark.parametrize("damage", ["missing", "cut off", "nonsense", "not a state", "no answer"])
async def test_a_snapshot_that_cannot_be_read(damage: str) -> None:
    """An older one will do, or the log."""
    papers = Papers()
    await kept_up(papers, SNAPSHOT_EVERY, SNAPSHOT_EVERY * 2)
    key = papers.shelf.pointers[SCENE][SNAPSHOT_EVERY * 2].key
    if damage == "missing":
        del papers.objects.kept[key]
    elif damage == "cut off":
        papers.objects.kept[key] = papers.objects.kept[key][:-9]
    elif damage == "nonsense":
        papers.objects.kept[key] = b"nonsense"
    elif damage == "not a state":
        papers.objects.kept[key] = zlib.compress(b"{}")
    else:
        papers.objects.down = 2  # the older one neither
    state = await papers.snapshots().at(SCENE)
    assert (state.revision, state.entities) == (SNAPSHOT_EVERY * 2, replayed(papers, SNAPSHOT_EVERY * 2))


async def test_a_snapshot_that_cannot_be_made_harms_nobody() -> None:
    """The next one is made again."""
    papers = Papers()
    papers.objects.down = 1
    states = await kept_up(papers, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 1)
    assert papers.shelf.pointers == {}
    papers.filled(SNAPSHOT_EVERY * 2)
    await states.keep_up(SCENE, SNAPSHOT_EVERY * 2)
    assert list(papers.shelf.pointers[SCENE]) == [SNAPSHOT_EVERY * 2]


async def test_a_shelf_that_does_not_answer_harms_nobody() -> None:
    """Who was committed already is not refused for it."""

    class Down(MemoryShelf):
        async def pointer(self, document_id: str, revision: int) -> Pointer | None:
            raise AppError(Code.UPSTREAM_UNAVAILABLE)

    papers = Papers()
    await Snapshots(papers.log, Down(), papers.objects).keep_up(SCENE, SNAPSHOT_EVERY)


async def test_a_state_that_was_given_never_changes() -> None:
    """Though the document goes on."""
    papers = Papers()
    papers.filled(3)
    state = await papers.states.at(SCENE)
    papers.filled(5)
    assert (await papers.states.at(SCENE)).entities[BOX].props == {"n": 5}
    assert state.entities[BOX].props == {"n": 3}


async def test_few_states_are_kept() -> None:
    """And those that are not are made again."""
    papers = Papers()
    papers.filled(3)
    for n in range(30):
        await papers.states.at(f"doc_{n}")
    assert len(papers.states._newest) <= 8
    assert (await papers.states.at(SCENE)).revision == 3


async def test_what_a_container_keeps_can_be_dropped() -> None:
    """Then it reads from the start, or a snapshot."""
    papers = Papers()
    papers.filled(3)
    await papers.states.at(SCENE)
    papers.log.logs[SCENE].clear()
    papers.filled(2)
    papers.states.forget()
    assert (await papers.states.at(SCENE)).revision == 2


async def test_erasing_takes_the_objects_too() -> None:
    """And what is known of them."""
    papers = Papers()
    states = await kept_up(papers, SNAPSHOT_EVERY)
    await states.erase(SCENE)
    assert papers.objects.kept == {}
    assert papers.shelf.pointers == {}
    papers.log.logs.clear()
    assert (await states.at(SCENE)).revision == 0


async def test_what_the_committer_knows_is_not_read_again() -> None:
    """Nor is what it does not know made up: then the log is read."""
    papers = Papers()
    papers.filled(7)
    reads: list[int] = []

    class Counted(MemoryLog):
        async def since(
            self, document_id: str, revision: int, limit: int, *, boundary: bool = False
        ) -> tuple[Record, ...]:
            reads.append(revision)
            return await papers.log.since(document_id, revision, limit, boundary=boundary)

    class Knows:
        def known(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]:
            return tuple(papers.log.logs[document_id][revision : revision + limit]) if revision >= 5 else ()

    recent = Recent(Counted(), Knows())
    assert [r.revision for r in await recent.since(SCENE, 5, 100)] == [6, 7]
    assert reads == []
    assert [r.revision for r in await recent.since(SCENE, 3, 2)] == [4, 5]
    assert reads == [3]
