"""One contract for recordings' rows, run on the fake, on moto and on Amazon's DynamoDB Local."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from chalicelib.voice import recordings_model as model
from chalicelib.voice.recordings_step import Shelf, step
from chalicelib.wire.voice import RecordingStatus
from tests.contract.tables import Database, recordings
from tests.fakes.recordings import RECORDING, SESSION, START_MS, row

OTHER = "rec_" + "b" * 20


@pytest.fixture
async def shelf(database: Database) -> AsyncIterator[Shelf]:
    """The implementation under test, empty."""
    async with recordings(database) as made:
        yield made


async def test_a_row_is_kept_as_it_is(shelf: Shelf) -> None:
    """With all there is in it."""
    track = model.Track(
        peer_id="ada.tab00001",
        user_id="ada",
        name="Ada",
        from_ms=1,
        duration_ms=2,
        size_bytes=3,
        middle=(0.5, -1.0, 1 / 3),
    )
    kept = row(tracks=(track,), name="Stand-up ☕")
    assert await shelf.get(SESSION, RECORDING) is None
    await shelf.add(kept)
    assert await shelf.get(SESSION, RECORDING) == kept


async def test_a_change_is_of_what_was_seen(shelf: Shelf) -> None:
    """Of two that try at once one wins, and the other finds what it made."""
    await shelf.add(row())
    first = model.taken(row(), "node_1", START_MS)
    second = model.stopped(row(), START_MS)
    assert first is not None
    assert second is not None
    assert await shelf.change(row(), first)
    assert not await shelf.change(row(), second)
    there = await shelf.get(SESSION, RECORDING)
    assert there is not None
    assert (there.version, there.holder) == (2, "node_1")
    assert await shelf.change(there, replace(there, holder="node_2"))


async def test_what_is_pending_is_listed(shelf: Shelf) -> None:
    """From its start until its files are there; again while its mix is made."""
    await shelf.add(row())
    await shelf.add(row(recording_id=OTHER))
    assert set(await shelf.pending()) == {(SESSION, RECORDING), (SESSION, OTHER)}
    await step(shelf, SESSION, OTHER, lambda r: replace(r, status=RecordingStatus.FAILED))
    assert await shelf.pending() == ((SESSION, RECORDING),)
    await shelf.unlist(SESSION, RECORDING)
    assert await shelf.pending() == ()
    await step(shelf, SESSION, OTHER, lambda r: replace(r, status=RecordingStatus.FINISHING))
    assert await shelf.pending() == ((SESSION, OTHER),)


async def test_a_rooms_are_listed_the_newest_first(shelf: Shelf) -> None:
    """Of another room none."""
    await shelf.add(row())
    await shelf.add(row(recording_id=OTHER, started_at_ms=START_MS + 1))
    await shelf.add(row(session_id="ses_" + "z" * 20))
    assert [each.recording_id for each in await shelf.of(SESSION)] == [OTHER, RECORDING]


async def test_a_dropped_row_is_gone(shelf: Shelf) -> None:
    """And nothing is pending of it; who changes it finds nothing. Once more is harmless."""
    await shelf.add(row())
    await shelf.drop(row())
    await shelf.drop(row())
    assert await shelf.get(SESSION, RECORDING) is None
    assert (await shelf.pending(), await shelf.of(SESSION)) == ((), ())
    assert not await shelf.change(row(), row(holder="node_1"))
    assert await step(shelf, SESSION, RECORDING, lambda r: r) is None
