"""What a load of voices says and hears: marks within Opus, what is missing, what is asked for again."""

from random import Random

import pytest

from benchmarks.voices.heard import AGAIN_S, GIVEN_UP_S, M16, ROUND_TRIP_S, Heard
from benchmarks.voices.marks import MARK_BYTES, mark, markable, marked
from benchmarks.voices.opus import FRAME, SILENT, comfort, encoded, level_of, speech


def test_a_mark_is_read_from_the_end_of_a_packet() -> None:
    payload = markable(b"\x78sound") + mark(49, 123_456)
    assert marked(b"header" + payload) == (49, 123_456)
    assert payload[:3] == bytes((0x7B, 0x41, MARK_BYTES))


def test_only_a_packet_of_one_frame_is_marked() -> None:
    for other in (b"", b"\x79two", b"\x7bmany"):
        with pytest.raises(ValueError, match="one frame"):
            markable(other)


def test_a_decoder_takes_marked_speech_and_finds_its_loudness() -> None:
    import av  # noqa: PLC0415

    samples = speech(0.4, 120.0, 1)
    frames = encoded(samples)
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = 48_000, av.AudioLayout("mono")
    heard = [
        out.samples
        for count, frame in enumerate(frames)
        for out in decoder.decode(av.Packet(frame.payload + mark(1, count)))
    ]
    assert sum(heard) >= FRAME * (len(frames) - 1)
    assert all(10 < frame.level < 60 for frame in frames)
    assert level_of([32767, -32768]) == 0
    assert level_of([0, 0]) == SILENT
    assert comfort().level == SILENT


def heard_of(sequences: list[int], now: float = 0.0) -> Heard:
    source = Heard(7)
    for sequence in sequences:
        source.take(sequence, now)
    return source


def test_a_gap_is_asked_for_at_once_and_once_more_and_then_given_up() -> None:
    source = heard_of([65534, 1])
    assert source.due(0.0) == [65535, 0]
    assert source.due(AGAIN_S / 2) == []
    assert source.due(AGAIN_S) == [65535, 0]
    assert source.due(2 * AGAIN_S) == []
    assert source.due(GIVEN_UP_S + 0.01) == []
    assert source.missing == {}
    assert (source.taken, source.expected) == (2, 4)


def test_what_comes_later_was_asked_for_and_what_comes_twice_is_late() -> None:
    source = heard_of([10, 12])
    assert source.take(11, 0.1)
    assert source.take(11, 0.1)
    assert (source.taken, source.expected) == (3, 3)


def test_a_great_jump_is_another_start() -> None:
    source = heard_of([10, 30_000])
    assert source.missing == {}
    assert (source.taken, source.expected) == (2, 2)


def test_a_report_tells_of_the_time_since_the_last_one() -> None:
    source = heard_of([1, 2, 4])
    source.sender_reported(1234, 1.0)
    first = source.block(1.0 + ROUND_TRIP_S + 0.5)
    assert (first.ssrc, first.fraction, first.lost, first.highest, first.last_sr) == (7, 64, 1, 4, 1234)
    assert first.delay in {32767, 32768}
    assert source.block(1.0).fraction == 0


def test_under_seeded_loss_every_packet_is_counted_once() -> None:
    chance = Random(5)
    source = Heard(7)
    came = [sequence & M16 for sequence in range(65000, 67000) if chance.random() > 0.1]
    for sequence in came:
        source.take(sequence, 0.0)
    assert (source.taken, source.expected) == (len(came), ((came[-1] - came[0]) & M16) + 1)
