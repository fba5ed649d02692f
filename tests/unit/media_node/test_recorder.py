"""What comes in is in the parts, and only so much of it waits."""

import pytest

from chalicelib.wire import limits
from chalicelib.wire.voice import TimelineEvent
from media_node.recorded import Heard, records
from media_node.recorder import MAGIC, PART_BYTES, RECORD, Part, Recorder, TrackOf, Waiting
from media_node.rtp import SILENT
from tests.fakes.recordings import rtp

ADA = TrackOf("ada.tab00001", "ada", "Ada")
BOB = TrackOf("bob.tab00001", "bob", "Bob")


def test_a_part_has_all_that_came_since_the_last() -> None:
    """Events and packets as they came, with when."""
    recorder = Recorder()
    assert recorder.join(ADA, (1.0, 0.0, 2.0), 100)
    recorder.hear(ADA.peer_id, rtp(b"\xf8abc", 7, 960, level=30), 120)
    recorder.leave(ADA, 150)
    part = recorder.cut()
    assert part is not None
    assert (part.number, part.at_ms) == (0, 100)
    assert list(records(part.data)) == [
        TimelineEvent(at_ms=100, peer_id=ADA.peer_id, user_id="ada", name="Ada", event="joined", position=(1, 0, 2)),
        (0, ADA),
        Heard(track=0, at_ms=120, sequence=7, timestamp=960, ssrc=7, level=30, opus=b"\xf8abc"),
        TimelineEvent(at_ms=150, peer_id=ADA.peer_id, user_id="ada", event="left"),
    ]
    assert recorder.cut() is None


def test_each_part_says_again_whose_its_tracks_are() -> None:
    """So that the loss of one is no more than its own seconds."""
    recorder = Recorder()
    for of in (ADA, BOB):
        recorder.join(of, None, 0)
    for number in (1, 2):
        recorder.hear(BOB.peer_id, rtp(b"\xf8", number, number), number)
        part = recorder.cut()
        assert part is not None
        assert part.number == number - 1
        assert (1, BOB) in list(records(part.data))


def test_a_packet_of_nothing_is_nothing_and_one_without_a_level_is_one_that_tells_none() -> None:
    """RFC 6464 levels are a page's to tell, or not."""
    recorder = Recorder()
    recorder.join(ADA, None, 0)
    recorder.cut()
    recorder.hear(ADA.peer_id, rtp(b"", 1, 960), 1)
    assert (recorder.cut(), recorder.packets) == (None, 0)
    recorder.hear(ADA.peer_id, rtp(b"\xf8", 2, 1920, level=None), 2)
    part = recorder.cut()
    assert part is not None
    assert [record.level for record in records(part.data) if isinstance(record, Heard)] == [SILENT]


def test_whoever_stands_still_makes_no_events() -> None:
    """A step of less than 20 cm is none."""
    recorder = Recorder()
    recorder.join(ADA, (0.0, 0.0, 0.0), 0)
    for n, x in enumerate((0.1, 0.15, 0.25, 0.3, 0.5)):
        recorder.move(ADA, (x, 0.0, 0.0), n)
    part = recorder.cut()
    assert part is not None
    moves = [r.position for r in records(part.data) if isinstance(r, TimelineEvent) and r.event == "moved"]
    assert moves == [(0.25, 0.0, 0.0), (0.5, 0.0, 0.0)]


def test_there_are_only_so_many_tracks() -> None:
    """One more page is not written; one that comes again is."""
    recorder = Recorder()
    for n in range(limits.RECORDING_TRACKS_MAX):
        assert recorder.join(TrackOf(f"u{n}.tab00001", f"u{n}", "U"), None, 0)
    assert not recorder.join(ADA, None, 1)
    again = TrackOf("u3.tab00001", "u3", "U")
    recorder.leave(again, 2)
    assert recorder.join(again, None, 3)


def test_nobody_keeps_the_others_out_with_many_pages() -> None:
    """A person has so many tracks, and the next page of theirs none; another person's has."""
    recorder = Recorder()
    for n in range(limits.RECORDING_TRACKS_OF_ONE):
        assert recorder.join(TrackOf(f"ada.tab{n:05}", "ada", "Ada"), None, 0)
    assert not recorder.join(TrackOf("ada.tab99999", "ada", "Ada"), None, 1)
    assert recorder.join(TrackOf("ada.tab00000", "ada", "Ada"), None, 2)
    assert recorder.join(BOB, None, 3)


def test_a_part_that_has_grown_large_says_so() -> None:
    """A flood of packets is cut before its time."""
    recorder = Recorder()
    recorder.join(ADA, None, 0)
    while not recorder.large:
        recorder.hear(ADA.peer_id, rtp(bytes(600), 0, 0), 0)
    part = recorder.cut()
    assert part is not None
    assert PART_BYTES <= len(part.data) < PART_BYTES + 1000
    assert not recorder.large


def test_parts_that_wait_are_bounded_and_the_oldest_is_lost() -> None:
    """One that is larger than all that may wait still waits, alone."""
    waiting = Waiting(most_bytes=100)
    parts = [Part(n, n, bytes(40)) for n in range(3)]
    assert [waiting.put(part) for part in parts] == [0, 0, 1]
    assert (waiting.first(), len(waiting), waiting.lost) == (parts[1], 2, 1)
    waiting.done(parts[0])  # it was under way as it was lost
    assert waiting.first() is parts[1]
    waiting.done(parts[1])
    assert waiting.first() is parts[2]
    large = Part(3, 3, bytes(500))
    assert waiting.put(large) == 1
    assert waiting.first() is large
    waiting.done(large)
    assert waiting.first() is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"OggS",
        MAGIC + b"\x02",
        MAGIC + RECORD.pack(2, 10) + b"abc",
        MAGIC + RECORD.pack(2, 3) + b"abc",
        MAGIC + RECORD.pack(1, 3) + b"abc",
        MAGIC + RECORD.pack(3, 3) + b"abc",
        MAGIC + RECORD.pack(9, 0),
    ],
)
def test_a_damaged_part_is_refused(data: bytes) -> None:
    """By ValueError and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - each says what it is
        list(records(data))
