"""SCTP packets and chunks (RFC 9260 section 3, 3758, 6525), as bytes. Pure.

Only what data channels use (RFC 8831). Chunks are tuples and bytes, never objects: at a thousand packets a second an object
a chunk is the greater part of the cost.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

from google_crc32c import value as crc32c

DATA: Final = 0
INIT: Final = 1
INIT_ACK: Final = 2
SACK: Final = 3
HEARTBEAT: Final = 4
HEARTBEAT_ACK: Final = 5
ABORT: Final = 6
SHUTDOWN: Final = 7
SHUTDOWN_ACK: Final = 8
ERROR: Final = 9
COOKIE_ECHO: Final = 10
COOKIE_ACK: Final = 11
SHUTDOWN_COMPLETE: Final = 14
RE_CONFIG: Final = 130
FORWARD_TSN: Final = 192

# flags of DATA
END: Final = 0x01
BEGIN: Final = 0x02
UNORDERED: Final = 0x04
IMMEDIATE: Final = 0x08  # RFC 7053: acknowledge at once
WHOLE: Final = BEGIN | END

# parameters
_COOKIE: Final = 0x0007
_EXTENSIONS: Final = 0x8008
_PARTIAL_RELIABILITY: Final = 0xC000
_RESET_OUTGOING: Final = 13
_RESET_RESPONSE: Final = 16
RESET_DONE: Final = 1
RESET_IN_PROGRESS: Final = 6

PACKET_BYTES: Final = 1188
"""With DTLS, UDP and IPv6 around it still within 1,280 (https://issues.webrtc.org/issues/42222640); no path discovery."""
HEADER_BYTES: Final = 12
DATA_HEADER_BYTES: Final = 16
PAYLOAD_BYTES: Final = PACKET_BYTES - HEADER_BYTES - DATA_HEADER_BYTES
M32: Final = 0xFFFF_FFFF
HALF: Final = 0x8000_0000

_HEADER: Final = Struct("!HHL")
_CHECKSUM: Final = Struct("<L")
_CHUNK: Final = Struct("!BBH")
_DATA: Final = Struct("!BBHLHHL")
DATA_FIELDS: Final = Struct("!LHHL")
_INIT: Final = Struct("!LLHHL")
_SACK: Final = Struct("!LLHH")
_PAIR: Final = Struct("!HH")
_WORD: Final = Struct("!L")
_RESET: Final = Struct("!LLL")
_STREAMS: Final = 1024  # ids that we take and use; a browser's ids are below


class SctpError(ValueError):
    """Not a packet that SCTP could have made; it is dropped, and nothing is changed by it."""


def seal(source: int, destination: int, tag: int, chunks: Iterable[bytes]) -> bytes:
    """A packet of chunks, with its checksum (RFC 9260 appendix A: CRC-32C, little-endian)."""
    header = _HEADER.pack(source, destination, tag)
    body = b"".join(chunks)
    return b"%b%b%b" % (header, _CHECKSUM.pack(crc32c(b"%b\0\0\0\0%b" % (header, body))), body)


def unseal(packet: bytes) -> tuple[int, list[tuple[int, int, bytes]]]:
    """The verification tag, and each chunk as type, flags, value."""
    size = len(packet)
    if size < HEADER_BYTES + 4:
        raise SctpError("short")
    if _CHECKSUM.unpack_from(packet, 8)[0] != crc32c(b"%b\0\0\0\0%b" % (packet[:8], packet[12:])):
        raise SctpError("checksum")
    chunks: list[tuple[int, int, bytes]] = []
    at = HEADER_BYTES
    while at + 4 <= size:
        kind, flags, length = _CHUNK.unpack_from(packet, at)
        if length < 4 or at + length > size:
            raise SctpError("chunk length")
        chunks.append((kind, flags, packet[at + 4 : at + length]))
        at += length + (-length & 3)
    return int.from_bytes(packet[4:8], "big"), chunks


def chunk(kind: int, flags: int = 0, value: bytes = b"") -> bytes:
    """Any chunk, padded."""
    return _CHUNK.pack(kind, flags, len(value) + 4) + value + bytes(-len(value) & 3)


def data_chunk(flags: int, tsn: int, stream: int, sequence: int, protocol: int, payload: bytes) -> bytes:
    """DATA, padded."""
    head = _DATA.pack(DATA, flags, DATA_HEADER_BYTES + len(payload), tsn, stream, sequence, protocol)
    return b"%b%b%b" % (head, payload, bytes(-len(payload) & 3))


def sack_chunk(cumulative: int, window: int, gaps: list[tuple[int, int]], duplicates: list[int]) -> bytes:
    """SACK; gaps are offsets from the cumulative TSN."""
    blocks = b"".join(_PAIR.pack(*gap) for gap in gaps) + b"".join(_WORD.pack(tsn) for tsn in duplicates)
    return chunk(SACK, 0, _SACK.pack(cumulative, window, len(gaps), len(duplicates)) + blocks)


def read_sack(value: bytes) -> tuple[int, int, list[tuple[int, int]]]:
    """Cumulative TSN, the peer's window, gap blocks."""
    if len(value) < 12:
        raise SctpError("SACK")
    cumulative, window, gaps, duplicates = _SACK.unpack_from(value)
    if len(value) < 12 + 4 * (gaps + duplicates):
        raise SctpError("SACK")
    return cumulative, window, [_PAIR.unpack_from(value, 12 + 4 * index) for index in range(gaps)] if gaps else []


def forward_chunk(cumulative: int, streams: Iterable[tuple[int, int]]) -> bytes:
    """FORWARD-TSN (RFC 3758 section 3.2), with the last skipped sequence of each ordered stream."""
    return chunk(FORWARD_TSN, 0, _WORD.pack(cumulative) + b"".join(_PAIR.pack(*each) for each in streams))


def read_forward(value: bytes) -> tuple[int, list[tuple[int, int]]]:
    """The new cumulative TSN, and streams with their last skipped sequence."""
    if len(value) < 4 or len(value) % 4:
        raise SctpError("FORWARD-TSN")
    return _WORD.unpack_from(value)[0], [_PAIR.unpack_from(value, at) for at in range(4, len(value), 4)]


def read_init(value: bytes) -> tuple[int, int, int, bool]:
    """The peer's tag, window, first TSN, and whether it knows partial reliability."""
    if len(value) < 16:
        raise SctpError("INIT")
    tag, window, outbound, inbound, tsn = _INIT.unpack_from(value)
    if not (tag and outbound and inbound):
        raise SctpError("INIT")
    said = dict(_parameters(value[16:]))
    return tag, window, tsn, _PARTIAL_RELIABILITY in said or FORWARD_TSN in said.get(_EXTENSIONS, b"")


def init_chunk(kind: int, tag: int, window: int, tsn: int, cookie: bytes | None = None) -> bytes:
    """INIT-ACK with its cookie; INIT without."""
    value = _INIT.pack(tag, window, _STREAMS, _STREAMS, tsn)
    value += _parameter(_PARTIAL_RELIABILITY, b"") + _parameter(_EXTENSIONS, bytes((FORWARD_TSN, RE_CONFIG)))
    return chunk(kind, 0, value + (_parameter(_COOKIE, cookie) if cookie is not None else b""))


def read_resets(value: bytes) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Outgoing resets of a RE-CONFIG (RFC 6525 section 4.1): request number, last TSN, streams (none: all)."""
    for kind, content in _parameters(value):
        if kind == _RESET_OUTGOING:
            if len(content) < 12 or len(content) % 2:
                raise SctpError("RE-CONFIG")
            request, _, last = _RESET.unpack_from(content)
            yield request, last, tuple(int.from_bytes(content[at : at + 2]) for at in range(12, len(content), 2))


def reset_response(request: int, result: int) -> bytes:
    """The RE-CONFIG that answers one (RFC 6525 section 4.4)."""
    return chunk(RE_CONFIG, 0, _parameter(_RESET_RESPONSE, _WORD.pack(request) + _WORD.pack(result)))


def _parameter(kind: int, content: bytes) -> bytes:
    return _PAIR.pack(kind, len(content) + 4) + content + bytes(-len(content) & 3)


def _parameters(value: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(value):
        kind, length = _PAIR.unpack_from(value, at)
        if length < 4 or at + length > len(value):
            raise SctpError("parameter")
        yield kind, value[at + 4 : at + length]
        at += length + (-length & 3)
