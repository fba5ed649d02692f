"""A worker makes files of parts and a mix of files; again, if one was killed; once, if there are two."""

import asyncio
import errno
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.voice import recordings_model as model
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import MixStatus, RecordingStatus, TimelineEvent
from media_node.finisher import Finisher
from media_node.finishing import Worker
from media_node.ogg import Reader
from media_node.recorder import Recorder, TrackOf
from media_node.rtp import Rtp
from tests.fakes.recordings import (
    RECORDING,
    SESSION,
    START_MS,
    MemoryFiles,
    MemoryShelf,
    accepted,
    decoded,
    programs,
    rms_db,
    row,
    rtp,
    speech,
    until,
)

SECOND = 48_000
NOW = START_MS + 60_000


class Studio:
    """A recording that two people spoke in, and that was stopped."""

    def __init__(self) -> None:
        self.shelf = MemoryShelf()
        self.files = MemoryFiles()
        self.now_ms = NOW
        stopped = row(status=RecordingStatus.FINISHING, ended_at_ms=START_MS + 12_034, heard_at_ms=START_MS + 12_000)
        self.shelf.rows[SESSION, RECORDING] = stopped
        self.shelf.listed.add((SESSION, RECORDING))

    def record(self, *speakers: tuple[str, Vec3, float, float, float]) -> None:
        """Who (name, place, from when, for how long, at what pitch), in parts of three seconds; another node from 6 s on."""
        said: list[tuple[int, TrackOf, Vec3, Rtp]] = []
        for name, place, from_s, seconds, hertz in speakers:
            of = TrackOf(f"{name}.tab00001", name, name.title())
            for n, opus in enumerate(speech(seconds, hertz)):
                said.append((round(from_s * 1000) + n * 20, of, place, rtp(opus, n, n * 960)))
        recorder, node, cut_ms, known = Recorder(), "n1", 0, set[str]()
        for at_ms, of, place, packet in sorted(said, key=lambda each: each[0]):
            if at_ms >= cut_ms + 3000:
                self.store(recorder, node)
                cut_ms = at_ms
            if at_ms >= 6000 and node == "n1":
                self.store(recorder, node)
                recorder, node, known = Recorder(), "n2", set()
            if of.peer_id not in known:
                known.add(of.peer_id)
                recorder.join(of, place, at_ms)
            recorder.hear(of.peer_id, packet, at_ms)
        self.store(recorder, node)

    def store(self, recorder: Recorder, node: str) -> None:
        """What a node has written."""
        part = recorder.cut()
        if part is not None:
            self.files.held[model.part_key(row(), part.at_ms, node, part.number)] = part.data

    def worker(self, name: str = "w1") -> Worker:
        """Somebody who works at it."""
        return Worker(self.shelf, self.files, name, lambda: self.now_ms, renew_s=3600)

    async def finished(self) -> None:
        """Put together."""
        assert await self.worker().run(SESSION, RECORDING)

    def track(self, name: str) -> bytes:
        """A file."""
        return self.files.held[model.track_key(row(), f"{name}.tab00001")]


@pytest.fixture
def studio() -> Studio:
    """Ada on the left from 1 s on, for 10 s; Bob on the right from 6 s on, for 4 s."""
    made = Studio()
    made.record(("ada", (-4.0, 1.6, 0.0), 1.0, 10.0, 440.0), ("bob", (4.0, 1.6, 0.0), 6.0, 4.0, 1000.0))
    return made


@programs
async def test_parts_become_files(studio: Studio, tmp_path: Path) -> None:
    """One a page, which other programs play; the timeline; and the parts are gone."""
    await studio.finished()
    done = studio.shelf.row
    assert (done.status, done.holder, done.duration_ms) == (RecordingStatus.READY, "", 12_034)
    assert [(t.peer_id, t.name, t.from_ms) for t in done.tracks] == [
        ("ada.tab00001", "Ada", 1000),
        ("bob.tab00001", "Bob", 6000),
    ]
    for track, seconds in zip(done.tracks, (10.0, 4.0), strict=True):
        data = studio.track(track.user_id)
        assert abs(track.duration_ms - seconds * 1000) < 50
        assert abs(accepted(data, tmp_path) - seconds) < 0.05
        assert track.size_bytes == len(data)
    assert done.tracks[1].middle == (4.0, 1.6, 0.0)
    lines = studio.files.held[model.timeline_key(row())].splitlines()
    events = [msgspec.json.decode(line, type=TimelineEvent) for line in lines]
    assert [(e.at_ms, e.user_id, e.event) for e in events] == [
        (1000, "ada", "joined"),
        (1000, "ada", "speaks"),
        (6000, "ada", "joined"),
        (6000, "bob", "joined"),
        (6000, "bob", "speaks"),
        (10_580, "bob", "silent"),
        (11_580, "ada", "silent"),
    ]
    assert [key async for key in studio.files.keys("parts/")] == []
    assert studio.shelf.listed == set()


@programs
async def test_a_mix_has_everybody_at_their_place(studio: Studio, tmp_path: Path) -> None:
    """Ada left, Bob right, each when they spoke; as long as the recording; nothing clips."""
    await studio.finished()
    asked = model.wanted(studio.shelf.row)
    assert asked is not None
    await studio.shelf.change(studio.shelf.row, asked)
    assert await studio.worker().run(SESSION, RECORDING)
    assert studio.shelf.row.mix is MixStatus.READY
    data = studio.files.held[model.mix_key(row())]
    assert abs(accepted(data, tmp_path) - 12.034) < 0.05
    left, right = decoded(Reader().feed(data))
    assert rms_db(left[: SECOND // 2]) < -80
    assert rms_db(left[3 * SECOND : 5 * SECOND]) - rms_db(right[3 * SECOND : 5 * SECOND]) > 10
    assert rms_db(right[7 * SECOND : 9 * SECOND]) > rms_db(right[3 * SECOND : 5 * SECOND]) + 10
    assert rms_db(left[int(11.2 * SECOND) :]) < -50


async def test_a_worker_that_was_killed_is_followed_by_the_next(studio: Studio) -> None:
    """Its lease runs out; what it left half done is done again."""
    begun = model.begun(studio.shelf.row, "dead", NOW)
    assert begun is not None
    await studio.shelf.change(studio.shelf.row, begun)
    studio.files.held[model.track_key(row(), "ada.tab00001")] = b"half"
    assert not await studio.worker().run(SESSION, RECORDING)
    studio.now_ms += limits.RECORDING_LEASE_S * 1000
    assert await studio.worker().run(SESSION, RECORDING)
    assert studio.shelf.row.status is RecordingStatus.READY
    assert studio.track("ada").startswith(b"OggS")


@pytest.mark.parametrize("done", range(3))
async def test_work_that_is_broken_off_at_any_file_is_done_again_to_the_same_bytes(studio: Studio, done: int) -> None:
    """Nothing of it is said before all of it is there: the parts stay for whoever comes next."""
    whole = Studio()
    whole.files.held = dict(studio.files.held)
    await whole.finished()
    keys: list[str] = []

    def kill(key: str) -> None:
        keys.append(key)
        if len(keys) == done + 1:
            raise asyncio.CancelledError

    studio.files.refuse = kill
    with pytest.raises(asyncio.CancelledError):
        await studio.worker().run(SESSION, RECORDING)
    assert studio.shelf.row.status is RecordingStatus.FINISHING
    studio.now_ms += limits.RECORDING_LEASE_S * 1000
    assert await studio.worker("w2").run(SESSION, RECORDING)
    assert studio.files.held == whole.files.held
    assert studio.shelf.row.tracks == whole.shelf.row.tracks


async def test_two_workers_do_it_once(studio: Studio) -> None:
    """The lease is one's."""
    done = await asyncio.gather(
        studio.worker("w1").run(SESSION, RECORDING), studio.worker("w2").run(SESSION, RECORDING)
    )
    assert sorted(done) == [False, True]


async def test_a_bucket_that_is_away_leaves_it_to_be_done_again(studio: Studio) -> None:
    """Three times; then it has failed."""

    def refuse(key: str) -> None:
        raise AppError(Code.UPSTREAM_UNAVAILABLE)

    studio.files.refuse = refuse
    for _ in range(model.ATTEMPTS):
        assert not await studio.worker().run(SESSION, RECORDING)
        assert studio.shelf.row.status is RecordingStatus.FINISHING
    assert not await studio.worker().run(SESSION, RECORDING)
    assert studio.shelf.row.status is RecordingStatus.FAILED
    assert studio.shelf.listed == set()


async def test_a_damaged_part_costs_no_more_than_itself(studio: Studio) -> None:
    """What is before the damage is used, and all other parts."""
    key = sorted(key for key in studio.files.held if "n1" in key)[1]
    studio.files.held[key] = studio.files.held[key][:2000]
    await studio.finished()
    assert abs(studio.shelf.row.tracks[0].duration_ms - 10_000) < 50


async def test_what_is_deleted_while_it_is_worked_at_leaves_nothing(studio: Studio) -> None:
    """The row goes first; the worker finds it gone and takes away what it has made."""

    def refuse(key: str) -> None:
        if key.endswith("timeline.jsonl"):
            studio.shelf.rows.clear()

    studio.files.refuse = refuse
    assert await studio.worker().run(SESSION, RECORDING)
    assert studio.files.held == {}


async def test_a_lease_that_is_lost_ends_the_work(studio: Studio) -> None:
    """Whoever was passed over stops."""
    going = asyncio.Event()

    class Slow(MemoryFiles):
        async def read(self, key: str, start: int = 0, size: int | None = None) -> bytes | None:
            going.set()
            await asyncio.Event().wait()
            return None

    slow = Slow(studio.files.held)
    worker = Worker(studio.shelf, slow, "w1", lambda: studio.now_ms, renew_s=0)
    running = asyncio.ensure_future(worker.run(SESSION, RECORDING))
    await going.wait()
    key = SESSION, RECORDING
    studio.shelf.rows[key] = replace(studio.shelf.row, holder="w2", version=99)
    assert not await running


async def test_nodes_one_after_another_make_no_more_files_than_one_may(studio: Studio) -> None:
    """Each of them has written as many as it may: the row would not be taken with all of them."""
    studio.files.held.clear()
    for node in ("n1", "n2"):
        recorder = Recorder()
        for n in range(limits.RECORDING_TRACKS_MAX):
            of = TrackOf(f"{node}u{n}.tab00001", f"{node}u{n}", "U")
            recorder.join(of, None, 0)
            recorder.hear(of.peer_id, rtp(b"\xf8abc", 1, 960), 0)
        studio.store(recorder, node)
    await studio.finished()
    assert {track.user_id[:2] for track in studio.shelf.row.tracks} == {"n1"}
    assert len(studio.shelf.row.tracks) == limits.RECORDING_TRACKS_MAX


async def test_nobody_spoke(studio: Studio) -> None:
    """A recording without a word is ready, and empty; there is nothing to mix."""
    studio.files.held.clear()
    await studio.finished()
    assert studio.shelf.row.status is RecordingStatus.READY
    assert studio.shelf.row.tracks == ()
    assert model.wanted(studio.shelf.row) is None


class Starts:
    """Processes that were started."""

    def __init__(self, status: int = 0) -> None:
        self.seen: list[tuple[str, str]] = []
        self.status = status
        self.faults: list[OSError] = []
        """What the system says instead, so often."""
        self.at_least_one = asyncio.Event()

    async def __call__(self, session_id: str, recording_id: str) -> int:
        """Notes it."""
        self.seen.append((session_id, recording_id))
        self.at_least_one.set()
        if self.faults:
            raise self.faults.pop()
        return self.status


async def test_a_node_that_enters_sees_to_what_is_due(studio: Studio) -> None:
    """Of all rooms; also what has only now run out, and what it is told of."""
    starts = Starts()
    lapsing = row(recording_id="rec_" + "b" * 20, until_ms=NOW - 1, heard_at_ms=START_MS + 5)
    going = row(recording_id="rec_" + "c" * 20, until_ms=NOW + 1, holder="n", heard_at_ms=NOW)
    for each in (lapsing, going):
        await studio.shelf.add(each)
    studio.shelf.listed.add((SESSION, "rec_" + "d" * 20))
    finisher = Finisher(studio.shelf, starts, lambda: NOW)
    running = asyncio.ensure_future(finisher.run())
    await starts.at_least_one.wait()
    finisher.ask(SESSION, lapsing.recording_id)
    await until(lambda: len(starts.seen) == 2)
    running.cancel()
    assert {recording for _, recording in starts.seen} == {RECORDING, lapsing.recording_id}
    assert (SESSION, "rec_" + "d" * 20) not in studio.shelf.listed
    ended = studio.shelf.rows[SESSION, lapsing.recording_id]
    assert (ended.status, ended.ended_at_ms) == (RecordingStatus.FINISHING, START_MS + 5)


async def test_a_table_that_is_away_is_looked_at_again(studio: Studio) -> None:
    """And a process that fails is no more than that."""
    starts = Starts(status=1)
    studio.shelf.away = 1
    finisher = Finisher(studio.shelf, starts, lambda: NOW, look_s=0)
    running = asyncio.ensure_future(finisher.run())
    await starts.at_least_one.wait()
    running.cancel()


async def test_a_process_that_cannot_be_started_is_tried_again(studio: Studio) -> None:
    """Too little memory for it, or too many of them: the node, whose rooms go on, does not end by that."""
    starts = Starts()
    starts.faults.append(OSError(errno.ENOMEM, "no memory"))
    finisher = Finisher(studio.shelf, starts, lambda: NOW, look_s=0)
    running = asyncio.ensure_future(finisher.run())
    await until(lambda: running.done() or len(starts.seen) == 2)
    assert not running.done()
    running.cancel()
