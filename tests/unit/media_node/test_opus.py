"""Opus packets are measured, and times without any are filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_node.opus import GRID, filling, frame_samples, packet_samples
from tests.fakes.recordings import decoded, rms_db, speech

HEAD = b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("config", "samples"),
    [(0, 480), (3, 2880), (11, 2880), (12, 480), (15, 960), (16, 120), (19, 960), (28, 120), (31, 960)],
)
def test_a_frame_is_as_long_as_its_configuration(config: int, samples: int) -> None:
    """RFC 6716 table 2."""
    assert frame_samples(config << 3) == samples


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (b"", 0),
        (b"\xf8", 960),  # no bytes at all: to be concealed
        (b"\xf8" + bytes(1275), 960),
        (b"\xf8" + bytes(1276), 0),
        (b"\xf9" + bytes(8), 1920),
        (b"\xf9" + bytes(9), 0),
        (b"\xf9" + bytes(2552), 0),
        (b"\xfa\x03abcdef", 1920),
        (b"\xfa\x07abcdef", 0),
        (b"\xfa", 0),
        (b"\xfa\xfc", 0),
        (b"\xfa\xfc\x01" + bytes(256), 1920),
        (b"\xfb", 0),
        (b"\xfb\x00", 0),  # no frame
        (b"\xfb\x06", 5760),
        (b"\xfb\x07", 0),  # longer than 120 ms
        (b"\xfb\x03abcdef", 2880),
        (b"\xfb\x03abcde", 0),
        (b"\xfb\x42\x02abcd\0\0", 1920),  # padded
        (b"\xfb\x42", 0),
        (b"\xfb\x42\xff\x01" + bytes(259), 1920),  # 254 and one more bytes of padding
        (b"\xfb\x42\x09abc", 0),
        (b"\xfb\x82\x02abcd", 1920),  # each as long as it says
        (b"\xfb\x82\x07abcd", 0),
        (b"\xfb\x82", 0),
    ],
)
def test_a_packet_is_as_long_as_its_frames(packet: bytes, samples: int) -> None:
    """And one that is malformed has no length (RFC 6716 section 3.4)."""
    assert packet_samples(packet) == samples


@given(st.binary(max_size=80))
def test_any_bytes_are_measured_or_refused(packet: bytes) -> None:
    """Nothing escapes."""
    assert 0 <= packet_samples(packet) <= 5760


@given(st.integers(0, 4000).map(lambda n: n * GRID), st.none() | st.integers(0, 255))
def test_a_gap_is_filled_to_the_sample(samples: int, toc: int | None) -> None:
    """By packets that are as long as they are said to be, whatever came before."""
    found = list(filling(samples, toc))
    assert sum(length for _, length in found) == samples
    assert all(packet_samples(packet) == length for packet, length in found)


def test_a_short_gap_is_concealed_and_a_long_one_falls_silent() -> None:
    """Half a second goes on from what was heard; after it there is nothing."""
    said = list(speech(1.0))
    for samples in (960, 48_000 * 3):
        packets = said + [packet for packet, _ in filling(samples, said[-1][0])]
        tail = decoded([HEAD, b"OpusTags", *packets])[0][48_000:]
        assert len(tail) >= samples - 312
        assert rms_db(tail[:480]) > -30
        if samples > 48_000:
            assert rms_db(tail[48_000:]) < -100
