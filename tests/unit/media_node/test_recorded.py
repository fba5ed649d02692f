"""Parts become files: what was said is where it was said, through loss, reorder, repeats and lies."""

import random
from pathlib import Path

import msgspec
import pytest

from chalicelib.wire.voice import TimelineEvent
from media_node.ogg import PRE_SKIP, Reader
from media_node.recorded import AHEAD_MS, BURST_MS, LATE_MS, Heard, Middle, Timeline, TrackWriter
from media_node.recorder import TrackOf
from tests.fakes.recordings import FRAME, accepted, decoded, programs, rms_db, speech

ADA = TrackOf("ada.tab00001", "ada", "Ada")
SECOND = 48_000


def heard(n: int, opus: bytes, *, at_ms: int | None = None, ssrc: int = 7, start: int = 5_000_000) -> Heard:
    """The n-th packet of 20 ms, which came in time."""
    when = 1000 + n * 20 if at_ms is None else at_ms
    return Heard(0, when, n & 0xFFFF, (start + n * FRAME) & 0xFFFFFFFF, ssrc, 20, opus)


def file_of(packets: list[Heard]) -> tuple[TrackWriter, bytes]:
    """The track of these, in the order that they came."""
    writer, data = TrackWriter(0), b""
    for n, packet in enumerate(packets):
        writer.hear(packet)
        if n % 150 == 149:
            data += writer.take(packet.at_ms)
    return writer, data + writer.take(None)


@programs
@pytest.mark.parametrize("seed", range(6))
def test_loss_reorder_and_repeats(seed: int, tmp_path: Path) -> None:
    """2% lost, 5% late by up to 1.2 s, 3% twice: as long as it was said, each packet once and in its place."""
    chance = random.Random(seed)
    said = speech(20.0)
    sent = [heard(n, opus) for n, opus in enumerate(said)]
    came: list[tuple[int, int, Heard]] = []
    for n, packet in enumerate(sent):
        if 0 < n < len(sent) - 1 and chance.random() < 0.02:
            continue
        late = chance.randint(20, 1200) if n and chance.random() < 0.05 else chance.randint(0, 15)
        at = packet.at_ms + late
        came.append((at, n, heard(n, packet.opus, at_ms=at)))
        if chance.random() < 0.03:
            again = at + chance.randint(0, 900)
            came.append((again, n, heard(n, packet.opus, at_ms=again)))
    came.sort(key=lambda each: each[:2])
    writer, data = file_of([packet for _, _, packet in came])
    want = len(said) * 20
    assert abs(writer.duration_ms - want) < 50
    assert abs(accepted(data, tmp_path) * 1000 - want) < 50
    assert abs(writer.from_ms - 1000) <= 20
    kept = Reader().feed(data)[2:]
    order = {opus: n for n, opus in enumerate(said)}
    numbers = [order[opus] for opus in kept if opus in order]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= len({n for _, n, _ in came}) - 2


def test_silences_are_in_the_file() -> None:
    """DTX: nothing for ten seconds, then somebody goes on where their timestamps say."""
    said = speech(1.0)
    packets = [heard(n, opus) for n, opus in enumerate(said)]
    packets += [heard(500 + n, opus) for n, opus in enumerate(said)]
    writer, data = file_of(packets)
    assert writer.duration_ms == (11 * SECOND - PRE_SKIP) // 48
    samples = decoded(Reader().feed(data))[0]
    assert rms_db(samples[SECOND // 2 : SECOND]) > -20
    assert rms_db(samples[2 * SECOND : 10 * SECOND - 4800]) < -90
    assert rms_db(samples[10 * SECOND + 4800 :]) > -20


def test_a_page_that_was_loaded_anew_goes_on_by_the_clock() -> None:
    """Another SSRC, other timestamps: the time between is silent."""
    said = speech(1.0)
    packets = [heard(n, opus) for n, opus in enumerate(said)]
    packets += [heard(n, opus, at_ms=6000 + n * 20, ssrc=9, start=17) for n, opus in enumerate(said)]
    writer, _ = file_of(packets)
    assert abs(writer.duration_ms - 6000) < 50


def test_timestamps_that_wrap_go_on() -> None:
    """RFC 3550: 32 bits."""
    said = speech(1.0)
    writer, _ = file_of([heard(n, opus, start=2**32 - 10 * FRAME) for n, opus in enumerate(said)])
    assert abs(writer.duration_ms - 1000) < 20


@pytest.mark.parametrize("jump", [2**31, 2**30, 10**6, 2**32 - 10**6, 2**31 - 1, 77])
def test_who_lies_about_time_makes_no_longer_file(jump: int) -> None:
    """Timestamps that jump: a file is as long as the recording, and what was lied about stands where it came."""
    said = speech(2.0)
    packets = [heard(n, opus, start=5_000_000 + (jump if n % 7 == 3 else 0)) for n, opus in enumerate(said)]
    writer, _ = file_of(packets)
    assert writer.duration_ms <= 2000 + AHEAD_MS
    assert writer.from_samples is not None
    assert writer.from_samples % 120 == 0


@pytest.mark.parametrize("anew", ["timestamp", "ssrc"])
def test_who_sends_more_than_there_is_time_for_makes_no_longer_file(anew: str) -> None:
    """75 packets a second of 120 ms each, every one of which begins anew: nine seconds a second, of which one is written.

    Nor does more of it wait in memory than comes at once.
    """
    writer, data = TrackWriter(0), b""
    long = b"\xfb\x06" + bytes(6)  # six frames of 20 ms
    most = 0
    for n in range(75 * 20):
        at_ms = 1000 + n * 1000 // 75
        ssrc, timestamp = (n, 0) if anew == "ssrc" else (7, n * 1_000_000_007 % 2**32)
        writer.hear(Heard(0, at_ms, n, timestamp, ssrc, 20, long))
        if n % 75 == 74:
            data += writer.take(at_ms)
            most = max(most, len(writer._late))
    data += writer.take(None)
    assert 19_000 < writer.duration_ms <= 20_000 + BURST_MS + 120
    assert most * 120 <= LATE_MS + BURST_MS + 2 * 120
    assert len(Reader().feed(data)) < 2 + 20 * 50


def test_what_was_held_up_is_written_though_it_comes_at_once_from_a_page_that_began_anew() -> None:
    """A second of speech in one moment, under another SSRC: all of it is there."""
    said = speech(1.0)
    packets = [heard(n, opus) for n, opus in enumerate(said)]
    packets += [heard(n, opus, at_ms=3000, ssrc=9, start=17) for n, opus in enumerate(said)]
    writer, data = file_of(packets)
    assert abs(writer.duration_ms - 3000) < 50
    assert [opus for opus in Reader().feed(data)[2:] if opus in set(said)] == [*said, *said]


def test_a_clock_that_runs_fast_is_put_right_in_a_silence() -> None:
    """A tenth of a second after two thousand, at 50 ppm: a pause later it is gone."""
    said = list(speech(1.0))
    packets = []
    for spurt in range(20):
        for n, opus in enumerate(said):
            real_ms = spurt * 10_000 + n * 20
            counted = round(real_ms * 48 * 1.02) // 120 * 120
            packets.append(Heard(0, 1000 + real_ms, 0, counted, 7, 20, opus))
    writer, _ = file_of(packets)
    assert abs(writer.duration_ms - (19 * 10_000 + 1000)) < 150


def test_what_is_no_opus_is_left_out() -> None:
    """A file of nothing is no file."""
    writer, _ = file_of([heard(n, b"\xf8" + bytes(1300)) for n in range(10)])
    assert writer.from_samples is None


def lines(data: bytes) -> list[tuple[int, str]]:
    """When, and what."""
    events = [msgspec.json.decode(line, type=TimelineEvent) for line in data.splitlines()]
    return [(event.at_ms, event.event) for event in events]


def test_who_speaks_when() -> None:
    """From the first packet with a voice in it until 600 ms after the last; DTX and faint noise are silence."""
    timeline = Timeline()
    timeline.tell(TimelineEvent(at_ms=10, peer_id=ADA.peer_id, user_id="ada", name="Ada", event="joined"))
    for n in range(10):
        timeline.hear(ADA, Heard(0, 1000 + n * 20, n, n, 7, 20, b"\xf8loud"))
    for n in range(10, 50):
        timeline.hear(ADA, Heard(0, 1000 + n * 20, n, n, 7, 90, b"\xf8faint"))
    timeline.hear(ADA, Heard(0, 3000, 0, 0, 7, 20, b"\xf8"))
    first = timeline.take(3000)
    for n, level in ((0, 20), (40, 127)):  # who tells no level is heard by what they send
        timeline.hear(ADA, Heard(0, 4000 + n * 20, n, n, 7, level, b"\xf8loud"))
    timeline.tell(TimelineEvent(at_ms=5000, peer_id=ADA.peer_id, user_id="ada", name="Ada", event="joined"))
    timeline.tell(TimelineEvent(at_ms=5100, peer_id=ADA.peer_id, user_id="ada", event="left"))
    timeline.tell(TimelineEvent(at_ms=5200, peer_id="bob.tab00001", user_id="bob", event="left"))
    rest = timeline.take(None)
    assert lines(first) == [(10, "joined"), (1000, "speaks")]
    assert lines(rest) == [
        (1780, "silent"),
        (4000, "speaks"),
        (4600, "silent"),
        (4800, "speaks"),
        (5000, "joined"),
        (5100, "silent"),
        (5100, "left"),
        (5200, "left"),
    ]
    assert (first + rest).count(b'"name"') == 1


def test_the_middle_of_where_somebody_stood() -> None:
    """Each place by how long it was theirs."""
    middle = Middle()
    assert Middle().mean(100) is None
    middle.stand((0.0, 0.0, 0.0), 0)
    middle.stand((4.0, 0.0, 0.0), 3000)
    middle.stand(None, 4000)
    assert middle.mean(9000) == (1.0, 0.0, 0.0)
