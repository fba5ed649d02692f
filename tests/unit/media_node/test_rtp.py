"""RTP headers: what is read of them, and that nothing escapes."""

from random import Random

import pytest
from aiortc.rtp import RtpPacket

from chalicelib.wire import limits
from media_node.rtp import MARKER, Rtp, build, parse


def test_what_is_built_is_read() -> None:
    """With its level."""
    data = build(111, 65_536 + 7, 2**32 + 9, 5, b"opus", marker=True, level=(3, 42))
    assert parse(data, 3) == Rtp(111, MARKER, 7, 9, 5, 42, b"opus")
    assert parse(build(0, 1, 2, 3, b""), 3) == Rtp(0, 0, 1, 2, 3, None, b"")


def test_another_implementation_reads_what_was_built() -> None:
    """aiortc's; the level is where RFC 6464 has it."""
    data = build(111, 65_535, 4_000_000_000, 77, b"sound", marker=True, level=(1, 30))
    read = RtpPacket.parse(data)
    assert (read.payload_type, read.sequence_number, read.timestamp, read.ssrc) == (111, 65_535, 4_000_000_000, 77)
    assert (read.marker, read.payload) == (1, b"sound")
    assert data[12:20] == bytes((0xBE, 0xDE, 0, 1, 0x10, 0x80 | 30, 0, 0))


def with_extension(profile: int, content: bytes, *, first: int = 0x90, csrcs: bytes = b"") -> bytes:
    """A packet with a header extension of these bytes, in words."""
    head = bytes((first | len(csrcs) // 4, 111)) + bytes(10) + csrcs
    return head + profile.to_bytes(2, "big") + (len(content) // 4).to_bytes(2, "big") + content + b"opus"


@pytest.mark.parametrize(
    ("name", "content", "level"),
    [
        ("alone", b"\x10\xaa\x00\x00", 42),
        ("without speech", b"\x10\x2a\x00\x00", 42),
        ("behind padding and another", b"\x00\x00\x22\x01\x02\x03\x10\xff", 127),
        ("another one alone", b"\x20\xaa\x00\x00", None),
        ("behind the stop of id 15", b"\xf0\x00\x10\xaa", None),
        ("cut short by the end of the extension", b"\x00\x00\x00\x10", None),
        ("longer than it has to be", b"\x11\xaa\x00\x00", 42),
        ("nothing at all", b"", None),
    ],
)
def test_the_level_is_found_among_extensions_of_one_byte(name: str, content: bytes, level: int | None) -> None:
    """RFC 8285 section 4.2, RFC 6464 section 3."""
    packet = parse(with_extension(0xBEDE, content), 1)
    assert packet is not None, name
    assert (packet.level, packet.payload) == (level, b"opus")


def test_other_extensions_and_csrcs_are_passed_over() -> None:
    """The payload begins behind them."""
    for profile in (0x1000, 0xABCD):
        packet = parse(with_extension(profile, b"\x10\xaa\x00\x00", csrcs=bytes(8)), 1)
        assert packet is not None
        assert (packet.level, packet.payload) == (None, b"opus")
    packet = parse(with_extension(0xBEDE, b"\x10\xaa\x00\x00"), None)
    assert packet is not None
    assert packet.level is None


def test_padding_is_no_payload() -> None:
    """RFC 3550 section 5.1."""
    plain = build(111, 1, 2, 3, b"opus\x00\x00\x03")
    packet = parse(bytes((plain[0] | 0x20,)) + plain[1:], None)
    assert packet is not None
    assert packet.payload == b"opus"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + bytes(11),
        build(111, 1, 2, 3, bytes(limits.VOICE_PACKET_BYTES - 11)),
        b"\x8f\x6f" + bytes(10),
        b"\x90\x6f" + bytes(10),
        b"\x90\x6f" + bytes(10) + b"\xbe\xde\x00\x01",
        b"\xa0\x6f" + bytes(10) + b"\x05",
        b"\xa0\x6f" + bytes(10) + b"opus\x00",
    ],
    ids=["empty", "short", "version 1", "long", "CSRCs", "extension", "its words", "padding", "padding of none"],
)
def test_what_is_no_packet_is_none(data: bytes) -> None:
    """Cut short anywhere, too long, another version."""
    assert parse(data, 1) is None


def test_no_bytes_escape() -> None:
    """Seeded: anything, and packets with a byte or their end gone wrong."""
    chance = Random(7)
    good = with_extension(0xBEDE, b"\x10\xaa\x00\x00\x22\x01\x02\x03", csrcs=bytes(8))
    for _ in range(20_000):
        data = bytearray(chance.choice((good, chance.randbytes(chance.randrange(60)))))
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        packet = parse(bytes(data[: chance.randrange(len(data) + 1)]), 1)
        assert packet is None or (packet.level is None or packet.level <= 127)
