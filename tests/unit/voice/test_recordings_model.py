"""What a recording goes through: every step that is to be taken, and none that is not."""

import pytest
from msgspec.structs import replace

from chalicelib.voice import recordings_model as model
from chalicelib.voice.recordings_model import RecordingRow, Track, Work
from chalicelib.wire import limits
from chalicelib.wire.voice import EmptyBecause, MixStatus, RecordingStatus
from tests.fakes.recordings import RECORDING, SESSION, START_MS, row

LEASE_MS = limits.RECORDING_LEASE_S * 1000
NOW = START_MS + 60_000
FINISHING, READY, FAILED = RecordingStatus.FINISHING, RecordingStatus.READY, RecordingStatus.FAILED
TRACK = Track(peer_id="ada.tab00001", user_id="ada", name="Ada", from_ms=500, duration_ms=9000, size_bytes=7)


def a(made: RecordingRow | None) -> RecordingRow:
    """The row of a step that is taken."""
    assert made is not None
    return made


def test_it_is_written_stopped_finished_and_mixed() -> None:
    """From the first step to the last."""
    taken = a(model.taken(row(), "node_1", NOW))
    assert (taken.holder, taken.until_ms, taken.heard_at_ms) == ("node_1", NOW + LEASE_MS, NOW)
    stopped = a(model.stopped(taken, NOW + 1))
    assert (stopped.status, stopped.ended_at_ms) == (FINISHING, NOW + 1)
    assert stopped.due(NOW + 2) is None  # its node still stores what it has
    written = a(model.written(a(model.kept(stopped, "node_1", NOW + 2)), "node_1", NOW + 3))
    assert written.due(NOW + 3) is Work.FINISH
    begun = a(model.begun(written, "worker_1", NOW + 4))
    done = a(model.finished(begun, "worker_1", (TRACK,), 60_001))
    assert (done.status, done.pending, done.lasts_ms(0), done.attempts) == (READY, False, 60_001, 0)
    wanted = a(model.wanted(done))
    assert (wanted.mix, wanted.pending, wanted.due(0)) == (MixStatus.QUEUED, True, Work.MIX)
    making = a(model.begun(wanted, "worker_2", NOW + 5))
    assert (making.mix, making.due(NOW + 6), making.due(NOW + 5 + LEASE_MS)) == (MixStatus.MAKING, None, Work.MIX)
    assert a(model.mixed(making, "worker_2")).mix is MixStatus.READY


def test_a_node_that_is_gone_ends_it() -> None:
    """When it was last heard; one that nobody ever took, when it began."""
    taken = a(model.taken(row(), "node_1", NOW))
    assert model.lapsed(taken, NOW + LEASE_MS - 1) is None
    lapsed = a(model.lapsed(taken, NOW + LEASE_MS))
    assert (lapsed.status, lapsed.ended_at_ms, lapsed.due(NOW + LEASE_MS)) == (FINISHING, NOW, Work.FINISH)
    assert a(model.lapsed(row(), NOW)).ended_at_ms == START_MS
    assert model.lapsed(lapsed, NOW + LEASE_MS) is None


def test_a_node_that_gives_the_room_away_leaves_it_to_the_next() -> None:
    """Which has as long as a lease."""
    written = a(model.written(a(model.taken(row(), "node_1", NOW)), "node_1", NOW + 9))
    assert (written.holder, written.until_ms) == ("", NOW + 9 + LEASE_MS)
    assert a(model.taken(written, "node_2", NOW + 10)).holder == "node_2"


def test_nobody_writes_what_has_ended_or_gone_on_for_too_long() -> None:
    """A node that learns late writes nothing."""
    too_late = START_MS + limits.RECORDING_LONGEST_S * 1000
    assert model.taken(a(model.stopped(row(), NOW)), "node_1", NOW) is None
    assert model.taken(row(), "node_1", too_late) is None
    assert model.stopped(row(status=FAILED), NOW) is None
    held = replace(row(), holder="node_1", until_ms=too_late + 5, heard_at_ms=too_late - 5)
    assert a(model.lapsed(held, too_late)).ended_at_ms == too_late - 5
    assert held.lasts_ms(too_late + 10**9) == limits.RECORDING_LONGEST_S * 1000


def test_a_holder_that_was_passed_over_does_nothing() -> None:
    """Each step asks who holds it."""
    other = replace(row(), holder="else", status=FINISHING, mix=MixStatus.MAKING)
    assert model.kept(other, "me", NOW) is None
    assert model.written(other, "me", NOW) is None
    assert model.finished(other, "me", (), 0) is None
    assert model.mixed(other, "me") is None
    assert model.put_back(other, "me") is None
    assert model.finished(replace(other, holder="me", status=READY), "me", (), 0) is None
    assert model.mixed(replace(other, holder="me", mix=MixStatus.READY), "me") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (row(status=FINISHING), (FAILED, MixStatus.NONE)),
        (row(status=READY, mix=MixStatus.MAKING), (READY, MixStatus.FAILED)),
    ],
)
def test_work_that_kills_whoever_does_it_has_failed(
    before: RecordingRow, after: tuple[RecordingStatus, MixStatus]
) -> None:
    """After so many attempts; a mix may be asked for again."""
    tried = before
    for attempt in range(model.ATTEMPTS):
        tried = a(model.begun(tried, "worker", NOW + attempt * LEASE_MS))
    failed = a(model.begun(tried, "worker", NOW + model.ATTEMPTS * LEASE_MS))
    assert (failed.status, failed.mix) == after
    assert (failed.holder, failed.pending, failed.attempts) == ("", False, 0)
    assert model.begun(failed, "worker", NOW) is None


def test_a_worker_may_put_it_back() -> None:
    """Then the next one may try at once."""
    begun = a(model.begun(row(status=FINISHING), "worker", NOW))
    assert a(model.put_back(begun, "worker")).due(NOW) is Work.FINISH


def test_what_no_node_ever_wrote_has_failed() -> None:
    """There is nothing of it."""
    begun = a(model.begun(row(status=FINISHING), "worker", NOW))
    assert a(model.finished(begun, "worker", (), 0)).status is FAILED


def test_a_mix_is_made_of_something_once() -> None:
    """Not before the files are there, not of nothing, not twice; again where it failed."""
    ready = row(status=READY, tracks=(TRACK,))
    assert model.wanted(row()) is None
    assert model.wanted(replace(ready, tracks=())) is None
    for mix in (MixStatus.QUEUED, MixStatus.MAKING, MixStatus.READY):
        assert model.wanted(replace(ready, mix=mix)) is None
    assert a(model.wanted(replace(ready, mix=MixStatus.FAILED, attempts=2))).attempts == 0


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        (row(), None),
        (row(status=FINISHING), None),
        (row(status=READY, tracks=(TRACK,)), None),
        (row(status=READY, heard_at_ms=NOW), EmptyBecause.NOBODY_SPOKE),
        (row(status=FAILED), EmptyBecause.NO_NODE),
        (row(status=FAILED, heard_at_ms=NOW), EmptyBecause.NOT_MADE),
    ],
)
def test_why_there_is_nothing_in_it(ended: RecordingRow, why: EmptyBecause | None) -> None:
    """Told to everybody, with the list too: silence is not a failure, nor is one that no node was there for a broken one."""
    assert (ended.empty_because, ended.told(NOW).empty_because) == (why, why)


def test_what_everybody_is_told() -> None:
    """No holder, no lease."""
    told = row().told(NOW)
    assert (told.recording_id, told.duration_ms, told.status) == (RECORDING, 60_000, RecordingStatus.RECORDING)
    track = row().told_track(TRACK, "https://x")
    assert (track.from_ms, track.url, track.size_bytes) == (START_MS + 500, "https://x", 7)
    assert a(model.stopped(row(), NOW)).told(NOW + 5000).duration_ms == 60_000


def test_keys_are_apart_and_in_order() -> None:
    """Parts sort by when they begin, then by number; files are elsewhere."""
    keys = [
        model.part_key(row(), at_ms, node, n) for at_ms, node, n in ((900, "b", 0), (3000, "b", 1), (3000, "a", 11))
    ]
    assert keys == sorted(keys)
    assert keys[0] == f"parts/{SESSION}/{RECORDING}/0000000900-000000-b"
    files = {model.track_key(row(), "ada.tab00001"), model.timeline_key(row()), model.mix_key(row())}
    assert len(files) == 3
    assert all(key.startswith(model.files_prefix(SESSION, RECORDING)) for key in files)
