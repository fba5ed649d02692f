"""RTP and RTCP as a participant writes and reads them (RFC 3550, 4585, 6464, 8285). Pure."""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

HEADER_BYTES: Final = 12
CLOCK_HZ: Final = 48_000
M16: Final = 0xFFFF
M32: Final = 0xFFFFFFFF
SR: Final = 200
RR: Final = 201
RTPFB: Final = 205
NACK: Final = 1
_HEADER: Final = Struct("!BBHII")
_EXTENSION: Final = Struct("!HHBBH")
_ONE_BYTE: Final = 0xBEDE
_SR: Final = Struct("!BBHIQIII")
_RR: Final = Struct("!BBHI")
_BLOCK: Final = Struct("!IIIIII")
_FEEDBACK: Final = Struct("!BBHII")
_LOST: Final = Struct("!HH")


def packet(
    payload_type: int, sequence: int, ticks: int, ssrc: int, payload: bytes, *, level: int, level_id: int, marker: bool
) -> bytes:
    """An RTP packet with the level of its sound, in dB below full scale, 0 to 127 (RFC 6464 section 3)."""
    second = payload_type | (0x80 if marker else 0)
    head = _HEADER.pack(0x90, second, sequence, ticks, ssrc)
    voice = 0x80 if level < 127 else 0
    return head + _EXTENSION.pack(_ONE_BYTE, 1, level_id << 4, voice | level, 0) + payload


def sender_report(ssrc: int, ntp: int, ticks: int, packets: int, octets: int, blocks: Iterable[bytes] = ()) -> bytes:
    """What was sent so far, and what was heard."""
    heard = tuple(blocks)
    length = 6 + 6 * len(heard)
    return _SR.pack(0x80 | len(heard), SR, length, ssrc, ntp, ticks, packets, octets) + b"".join(heard)


def receiver_report(ssrc: int, blocks: Iterable[bytes]) -> bytes:
    """The same of somebody who sends nothing."""
    heard = tuple(blocks)
    return _RR.pack(0x80 | len(heard), RR, 1 + 6 * len(heard), ssrc) + b"".join(heard)


def report_block(ssrc: int, fraction: int, lost: int, highest: int, last_sr: int, delay: int) -> bytes:
    """One source as it was heard; `lost` since the start, jitter is told as 0."""
    return _BLOCK.pack(ssrc, fraction << 24 | lost & 0xFFFFFF, highest, 0, last_sr, delay)


def nack(ssrc: int, of: int, sequences: Iterable[int]) -> bytes:
    """Asks for packets again (RFC 4585 section 6.2.1)."""
    words: list[bytes] = []
    first, mask = -1, 0
    for each in sequences:
        if first >= 0 and 0 < ((each - first) & M16) <= 16:
            mask |= 1 << ((each - first) & M16) - 1
            continue
        if first >= 0:
            words.append(_LOST.pack(first, mask))
        first, mask = each, 0
    if first >= 0:
        words.append(_LOST.pack(first, mask))
    return _FEEDBACK.pack(0x80 | NACK, RTPFB, 2 + len(words), ssrc, of) + b"".join(words)


def parts(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The packets of a compound: type, count or format, and all of the packet."""
    at = 0
    while at + 4 <= len(compound):
        end = at + 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
        yield compound[at + 1], compound[at] & 0x1F, compound[at:end]
        at = end


def asked_again(compound: bytes) -> list[tuple[int, int]]:
    """Of which source which sequence numbers are asked for."""
    found: list[tuple[int, int]] = []
    for kind, form, part in parts(compound):
        if kind != RTPFB or form != NACK or len(part) < 16:
            continue
        of = int.from_bytes(part[8:12], "big")
        for at in range(12, len(part) - 3, 4):
            first, mask = _LOST.unpack_from(part, at)
            found.append((of, first))
            found += [(of, (first + 1 + bit) & M16) for bit in range(16) if mask >> bit & 1]
    return found


def reported(compound: bytes) -> list[tuple[int, int]]:
    """Whose sender reports came, and the middle of each one's NTP time."""
    return [
        (int.from_bytes(part[4:8], "big"), int.from_bytes(part[10:14], "big"))
        for kind, _, part in parts(compound)
        if kind == SR and len(part) >= 28
    ]
