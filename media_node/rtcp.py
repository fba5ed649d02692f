"""RTCP: reports and requests to send again, read and written, and names, which are written alone. Pure.

RFC 3550 section 6 (SR, RR, SDES, compound packets), RFC 4585 section 6.2.1 (generic NACK), RFC 5506 (a compound packet
may begin with anything). What a compound packet holds is given in its order; what there is of other kinds (names and
goodbyes among them: whose a packet is, and when they go, is their link's to say) is passed over. Bytes that are no RTCP
raise RtcpError, and nothing else.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from chalicelib.wire import limits

SR: Final = 200
RR: Final = 201
SDES: Final = 202
RTPFB: Final = 205
_NACK: Final = 1
_CNAME: Final = 1
_COUNT_MAX: Final = 31
_PACKETS_MAX: Final = 64
"""In one compound packet; a datagram of the shortest there are has more."""
_PAIRS_MAX: Final = limits.VOICE_RING_PACKETS
"""Of one request, the last: nobody has more packets than so many to send again, however many are asked for."""

_HEAD: Final = struct.Struct(">BBH")
_SENDER: Final = struct.Struct(">IIIIII")
_BLOCK: Final = struct.Struct(">IIIIII")
_SSRC: Final = struct.Struct(">I")
_PAIR: Final = struct.Struct(">HH")
_NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900 to 1970."""


class RtcpError(ValueError):
    """Bytes that are no RTCP."""


class Block(msgspec.Struct, frozen=True):
    """How one source is received. `lost` is of all time, signed, 24 bits; `fraction` of the last interval, in 256ths."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    last_sr: int
    delay: int
    """Since that sender report, in 1/65536 s."""


class SenderReport(msgspec.Struct, frozen=True):
    """`ntp` is 64 bits of 1/2^32 s since 1900, `timestamp` the same moment on the RTP clock."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[Block, ...] = ()


class ReceiverReport(msgspec.Struct, frozen=True):
    """Of one who sends nothing."""

    ssrc: int
    blocks: tuple[Block, ...] = ()


class Nack(msgspec.Struct, frozen=True):
    """Packets of a source that are missing; of very many the last."""

    sender: int
    ssrc: int
    sequences: tuple[int, ...]


Packet = SenderReport | ReceiverReport | Nack


def parse(data: bytes) -> tuple[Packet, ...]:
    """What a compound packet holds. RtcpError."""
    found: list[Packet] = []
    at = count = 0
    if not data:
        raise RtcpError("empty")
    while at < len(data):
        if at + 4 > len(data):
            raise RtcpError("cut short")
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        count += 1
        if first >> 6 != 2 or end > len(data) or count > _PACKETS_MAX:
            raise RtcpError("no version 2, cut short, or too many")
        packet = _packet(kind, first & 0x1F, _content(data, at + 4, end, padded=bool(first & 0x20)))
        if packet is not None:
            found.append(packet)
        at = end
    return tuple(found)


def _content(data: bytes, begin: int, end: int, *, padded: bool) -> bytes:
    if not padded:
        return data[begin:end]
    padding = data[end - 1] if end > begin else 0
    if not 0 < padding <= end - begin:
        raise RtcpError("padding")
    return data[begin : end - padding]


def _packet(kind: int, count: int, content: bytes) -> Packet | None:
    try:
        if kind == SR:
            ssrc, high, low, timestamp, packets, octets = _SENDER.unpack_from(content)
            return SenderReport(ssrc, high << 32 | low, timestamp, packets, octets, _blocks(content, 24, count))
        if kind == RR:
            (ssrc,) = _SSRC.unpack_from(content)
            return ReceiverReport(ssrc, _blocks(content, 4, count))
        if kind == RTPFB and count == _NACK:
            return _nack(content)
    except struct.error as exc:
        raise RtcpError(str(exc)) from exc
    return None


def _blocks(content: bytes, at: int, count: int) -> tuple[Block, ...]:
    blocks = []
    for number in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(content, at + 24 * number)
        lost = loss & 0xFFFFFF
        blocks.append(Block(ssrc, loss >> 24, lost - ((lost & 0x800000) << 1), highest, jitter, last_sr, delay))
    return tuple(blocks)


def _nack(content: bytes) -> Nack:
    sender, ssrc = struct.unpack_from(">II", content)
    if len(content) % 4:
        raise RtcpError("cut short")
    sequences: list[int] = []
    for at in range(max(8, len(content) - 4 * _PAIRS_MAX), len(content), 4):
        first, mask = _PAIR.unpack_from(content, at)
        sequences.append(first)
        sequences += [(first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    return Nack(sender, ssrc, tuple(sequences))


# -- writing --


def sender_report(report: SenderReport) -> bytes:
    """One SR."""
    high, low = report.ntp >> 32 & 0xFFFFFFFF, report.ntp & 0xFFFFFFFF
    counts = report.packets & 0xFFFFFFFF, report.octets & 0xFFFFFFFF
    head = _SENDER.pack(report.ssrc, high, low, report.timestamp & 0xFFFFFFFF, *counts)
    return _written(SR, len(report.blocks), head + _written_blocks(report.blocks))


def receiver_report(report: ReceiverReport) -> bytes:
    """One RR."""
    return _written(RR, len(report.blocks), report.ssrc.to_bytes(4, "big") + _written_blocks(report.blocks))


def description(names: Sequence[tuple[int, str]]) -> bytes:
    """One SDES with the CNAMEs of up to 31 sources."""
    chunks = []
    for ssrc, name in names:
        text = name.encode()[:255]
        chunk = ssrc.to_bytes(4, "big") + bytes((_CNAME, len(text))) + text
        chunks.append(chunk + bytes(4 - len(chunk) % 4))
    return _written(SDES, len(names), b"".join(chunks))


def nack(sender: int, ssrc: int, sequences: Iterable[int]) -> bytes:
    """One NACK of packets in ascending order (a wrap is none)."""
    pairs: list[list[int]] = []
    for sequence in sequences:
        ahead = (sequence - pairs[-1][0]) & 0xFFFF if pairs else 0
        if pairs and 0 < ahead <= 16:
            pairs[-1][1] |= 1 << ahead - 1
        elif not pairs or ahead:
            pairs.append([sequence & 0xFFFF, 0])
    return _written(
        RTPFB, _NACK, struct.pack(">II", sender, ssrc) + b"".join([_PAIR.pack(first, mask) for first, mask in pairs])
    )


def ntp_of(wall_s: float) -> int:
    """Seconds since 1970 as 64 bits of NTP."""
    return int((wall_s + _NTP_EPOCH_S) * 2**32) & 0xFFFFFFFFFFFFFFFF


def seconds_of(ntp: int) -> float:
    """64 bits of NTP as seconds since 1970."""
    return ntp / 2**32 - _NTP_EPOCH_S


def middle(ntp: int) -> int:
    """The 32 bits of NTP by which a report is named (RFC 3550 section 6.4.1, LSR)."""
    return ntp >> 16 & 0xFFFFFFFF


def _written(kind: int, count: int, content: bytes) -> bytes:
    if count > _COUNT_MAX:
        raise ValueError(f"{count} of {_COUNT_MAX}")
    return _HEAD.pack(0x80 | count, kind, len(content) // 4) + content


def _written_blocks(blocks: Iterable[Block]) -> bytes:
    return b"".join(
        [
            _BLOCK.pack(
                each.ssrc,
                (each.fraction & 0xFF) << 24 | each.lost & 0xFFFFFF,
                each.highest & 0xFFFFFFFF,
                each.jitter & 0xFFFFFFFF,
                each.last_sr,
                each.delay & 0xFFFFFFFF,
            )
            for each in blocks
        ]
    )
