"""Ogg Opus: what is written is read again, and other programs read it as well."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_node.ogg import PRE_SKIP, Reader, Writer, checksum
from tests.fakes.recordings import FRAME, accepted, programs, speech


def written(packets: list[bytes], *, gaps: dict[int, int] | None = None) -> bytes:
    """A file of these, with gaps before some of them."""
    writer, data = Writer(1, channels=1), b""
    for number, packet in enumerate(packets):
        writer.gap((gaps or {}).get(number, 0))
        writer.packet(packet, FRAME)
        data += writer.take()
    return data + writer.end()


def pages(data: bytes) -> list[tuple[int, int, int]]:
    """Flags, granule position and sequence number of each page."""
    found = []
    while data:
        laces = data[27 : 27 + data[26]]
        size = 27 + len(laces) + sum(laces)
        found.append((data[5], int.from_bytes(data[6:14], "little"), int.from_bytes(data[18:22], "little")))
        data = data[size:]
    return found


def test_the_checksum_is_that_of_rfc_3533() -> None:
    """Bit by bit, as the RFC's appendix has it."""

    def slowly(data: bytes) -> int:
        crc = 0
        for byte in data:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
                crc &= 0xFFFFFFFF
        return crc

    for size in (0, 1, 27, 1000):
        data = random.Random(size).randbytes(size)
        assert checksum(data) == slowly(data)


def test_headers_have_pages_of_their_own_and_the_last_page_says_so() -> None:
    """RFC 7845 section 3: positions count samples up to a page's end, none is longer than a second."""
    found = pages(written(list(speech(2.5))))
    assert [flags for flags, _, _ in found] == [2, 0, 0, 0, 4]
    assert [at for _, at, _ in found] == [0, 0, 48_000, 96_000, 120_000]
    assert [number for _, _, number in found] == [0, 1, 2, 3, 4]


@given(
    st.lists(st.binary(min_size=1, max_size=1300), min_size=1, max_size=60),
    st.integers(1, 3000),
)
def test_what_is_written_is_read_again(packets: list[bytes], step: int) -> None:
    """However its bytes are cut."""
    data = written(packets)
    reader, found = Reader(), list[bytes]()
    for at in range(0, len(data), step):
        found += reader.feed(data[at : at + step])
    assert found[0].startswith(b"OpusHead")
    assert found[1].startswith(b"OpusTags")
    assert found[2:] == packets


def test_damage_is_found() -> None:
    """A byte that changed, and what is no page at all."""
    data = bytearray(written(list(speech(0.2))))
    data[200] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        Reader().feed(bytes(data))
    with pytest.raises(ValueError, match="no page"):
        Reader().feed(b"RIFF" + bytes(40))


def test_the_end_may_be_before_the_last_packets() -> None:
    """RFC 7845 section 4.4: what is over is not played."""
    writer = Writer(1, channels=2)
    writer.packet(b"\xf8\xff\xfe", FRAME)
    assert pages(writer.take() + writer.end(500))[-1] == (4, 500, 2)


@programs
@pytest.mark.parametrize("gaps", [{}, {50: FRAME}, {50: 19_200 - FRAME, 51: 48_000 * 30 + 360}, {1: 120}])
def test_other_programs_take_it_for_what_it_is(tmp_path: Path, gaps: dict[int, int]) -> None:
    """ffprobe and opusinfo say nothing against it, and find it as long as it is."""
    said = list(speech(2.0))
    seconds = (len(said) * FRAME + sum(gaps.values()) - PRE_SKIP) / 48_000
    assert abs(accepted(written(said, gaps=gaps), tmp_path) - seconds) < 0.05
