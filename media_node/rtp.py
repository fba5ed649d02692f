"""RTP packets: what of a header a node looks at, and the header that it writes. Pure.

RFC 3550 section 5.1 (the header), RFC 8285 (header extensions of one byte; others are passed over), RFC 6464 (how loud it
is). Whatever the bytes, `parse` gives a packet or None; nothing escapes. The payload is never looked into.
"""

import struct
from typing import Final

import msgspec

from chalicelib.wire import limits

MARKER: Final = 0x80
HEADER_BYTES: Final = 12
HEADER: Final = struct.Struct(">BBHII")
"""First byte, marker and payload type, sequence, timestamp, SSRC."""
VERSION: Final = 0x80
SILENT: Final = 127
"""RFC 6464: 0 is as loud as can be, 127 is silence."""

_ONE_BYTE: Final = 0xBEDE
_EXTENSION: Final = struct.Struct(">HH")


class Rtp(msgspec.Struct, frozen=True, gc=False):
    """A packet as it came. `marker` is MARKER or 0. `level` is dB below full scale, None where it does not say."""

    payload_type: int
    marker: int
    sequence: int
    timestamp: int
    ssrc: int
    level: int | None
    payload: bytes


def parse(data: bytes, level_id: int | None) -> Rtp | None:
    """A packet, with its audio level where an extension of this id is in it; None: it is no RTP, or too long for voice."""
    size = len(data)
    if not HEADER_BYTES <= size <= limits.VOICE_PACKET_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first & 0xC0 != VERSION:
        return None
    at = HEADER_BYTES + 4 * (first & 0x0F)
    level = None
    if first & 0x10:
        if at + 4 > size:
            return None
        profile, words = _EXTENSION.unpack_from(data, at)
        begin, at = at + 4, at + 4 + 4 * words
        if at > size:
            return None
        if profile == _ONE_BYTE and level_id is not None:
            alone = words and data[begin] == level_id << 4  # as browsers send it: a byte, before anything else
            level = data[begin + 1] & 0x7F if alone else _level(data, begin, at, level_id)
    end = size - data[-1] if first & 0x20 else size
    if at > size or end < at or (first & 0x20 and not data[-1]):
        return None
    return Rtp(second & 0x7F, second & MARKER, sequence, timestamp, ssrc, level, data[at:end])


def _level(data: bytes, at: int, end: int, level_id: int) -> int | None:
    """The element of an id: the seven low bits of its first byte (the eighth says that it is speech)."""
    while at < end:
        head = data[at]
        at += 1
        if not head:  # padding
            continue
        if head >> 4 == 15:  # RFC 8285 section 4.2: whatever comes after it is not to be read
            return None
        length = (head & 0x0F) + 1
        if head >> 4 == level_id:
            return data[at] & 0x7F if at + length <= end else None
        at += length
    return None


def build(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
    level: tuple[int, int] | None = None,
) -> bytes:
    """A packet as a page sends it; `level` is the extension's id and the dB below full scale, as speech."""
    second = payload_type | (MARKER if marker else 0)
    first = VERSION | (0 if level is None else 0x10)
    header = HEADER.pack(first, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    if level is None:
        return header + payload
    return header + _EXTENSION.pack(_ONE_BYTE, 1) + bytes((level[0] << 4, 0x80 | level[1], 0, 0)) + payload
