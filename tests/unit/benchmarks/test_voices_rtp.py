"""What a load of voices writes and reads: packets, reports, asking again, marks within Opus."""

from random import Random

import pytest
from aiortc.rtp import RtcpPacket as Theirs
from aiortc.rtp import RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket, RtpPacket

from benchmarks.voices import rtp
from benchmarks.voices.heard import AGAIN_S, GIVEN_UP_S, ROUND_TRIP_S, Heard
from benchmarks.voices.marks import MARK_BYTES, mark, markable, marked
from benchmarks.voices.opus import FRAME, SILENT, comfort, encoded, level_of, speech


def test_another_implementation_reads_the_packet_and_its_level() -> None:
    raw = rtp.packet(111, 65535, 4_000_000_000, 77, b"sound", level=30, level_id=1, marker=True)
    read = RtpPacket.parse(raw)
    assert (read.payload_type, read.sequence_number, read.timestamp, read.ssrc) == (111, 65535, 4_000_000_000, 77)
    assert (read.marker, read.payload) == (1, b"sound")
    assert raw[12:20] == bytes((0xBE, 0xDE, 0, 1, 0x10, 0x80 | 30, 0, 0))


def test_silence_has_no_voice_flag() -> None:
    assert rtp.packet(111, 1, 1, 7, b"", level=SILENT, level_id=3, marker=False)[16:18] == bytes((0x30, SILENT))


def test_another_implementation_reads_the_reports() -> None:
    block = rtp.report_block(9, 12, 34, 56, 78, 90)
    sent, received = Theirs.parse(
        rtp.sender_report(7, 1 << 32, 960, 5, 500, [block]) + rtp.receiver_report(7, [block, block])
    )
    assert isinstance(sent, RtcpSrPacket)
    assert isinstance(received, RtcpRrPacket)
    assert (sent.ssrc, sent.sender_info.ntp_timestamp, sent.sender_info.packet_count) == (7, 1 << 32, 5)
    assert [(each.ssrc, each.fraction_lost, each.packets_lost, each.dlsr) for each in received.reports] == [
        (9, 12, 34, 90)
    ] * 2


@pytest.mark.parametrize("wanted", [[5], [5, 6, 21], [5, 22], [65535, 0, 3], [1, 40, 41, 90]])
def test_what_is_asked_for_is_what_is_read_by_us_and_by_others(wanted: list[int]) -> None:
    compound = rtp.receiver_report(1, []) + rtp.nack(1, 2, wanted)
    assert rtp.asked_again(compound) == [(2, each) for each in wanted]
    theirs = Theirs.parse(compound)[1]
    assert isinstance(theirs, RtcpRtpfbPacket)
    assert (theirs.media_ssrc, [each & rtp.M16 for each in theirs.lost]) == (2, wanted)


def test_the_middle_of_the_time_of_a_sender_report_is_what_reports_quote() -> None:
    compound = rtp.sender_report(7, 0x0123456789ABCDEF, 0, 0, 0)
    assert rtp.reported(compound) == [(7, 0x456789AB)]


@pytest.mark.parametrize("size", range(0, 40))
def test_what_is_cut_off_is_not_read_beyond_its_end(size: int) -> None:
    compound = (rtp.receiver_report(1, []) + rtp.nack(1, 2, [3, 30]))[:size]
    assert len(rtp.asked_again(compound)) <= 2
    assert rtp.reported(compound) == []


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
    assert first == rtp.report_block(7, 64, 1, 4, 1234, 32767) or first == rtp.report_block(7, 64, 1, 4, 1234, 32768)
    assert source.block(1.0)[4] == 0


def test_under_seeded_loss_every_packet_is_counted_once() -> None:
    chance = Random(5)
    source = Heard(7)
    came = [sequence & rtp.M16 for sequence in range(65000, 67000) if chance.random() > 0.1]
    for sequence in came:
        source.take(sequence, 0.0)
    assert (source.taken, source.expected) == (len(came), ((came[-1] - came[0]) & rtp.M16) + 1)
