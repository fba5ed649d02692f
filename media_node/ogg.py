"""Opus in Ogg, written and read as a stream of bytes. Pure. RFC 3533 (pages), RFC 7845 (Opus in them).

Theory of operation. A page is a header, a table of lacing values, and whole packets: ours are short, so none crosses a page.
Its granule position counts all samples up to its end, the decoder's pre-skip among them. What was lost, and what was never
sent, is filled with packets that say so (`opus.filling`): a player that looks at positions and one that does not both keep
the time. The last page is held back, for it alone says that it is the last (RFC 7845 section 4).

PyAV's muxer writes the same pages (measured: 2.8 us a packet; this, 0.8), but it wants a file, gives no hold on when a page
ends, and fills no gaps.
"""

import struct
import zlib
from typing import Final

from media_node.opus import RATE, filling

PRE_SKIP: Final = 312
"""What libopus looks ahead at 48 kHz (6.5 ms): the first samples that a decoder gives are its silence before."""
_PAGE_SAMPLES: Final = RATE
"""A page is no longer than a second (RFC 7845 section 6), so that seeking is quick,"""
_PAGE_BYTES: Final = 16 * 1024
_LACES: Final = 255
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_HEAD: Final = struct.Struct("<4sBBqIIIB")
_VENDOR: Final = b"Holodeck"
_MIRRORED: Final = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))


def checksum(page: bytes) -> int:
    """Of a page whose own field is zero: CRC-32 with polynomial 0x04c11db7, most significant bit first, from zero.

    zlib's has the same polynomial with all bits the other way round, and inverts before and after.
    """
    mirrored = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRRORED), "big")


class Writer:
    """One stream. What is finished is taken by `take`."""

    def __init__(self, serial: int, *, channels: int, pre_skip: int = PRE_SKIP) -> None:
        self.samples = 0
        """Written so far, pre-skip and all."""
        self._serial = serial
        self._sequence = 0
        self._toc: int | None = None
        self._body: list[bytes] = []
        self._laces = bytearray()
        self._body_bytes = self._page_samples = 0
        self._done: list[bytes] = []
        head = struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, pre_skip, RATE, 0, 0)
        self._lay(head)
        self._page(_FIRST)
        self._lay(b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", 0))
        self._page(0)

    def packet(self, packet: bytes, samples: int) -> None:
        """The next packet, which is so long."""
        laces = len(packet) // 255 + 1
        full = len(self._laces) + laces > _LACES or self._body_bytes + len(packet) > _PAGE_BYTES
        if self._laces and (full or self._page_samples + samples > _PAGE_SAMPLES):
            self._page(0)
        self._lay(packet)
        self.samples += samples
        self._page_samples += samples
        self._toc = packet[0]

    def gap(self, samples: int) -> None:
        """So much of which there is nothing; a multiple of GRID."""
        for packet, length in filling(samples, self._toc):
            self.packet(packet, length)

    def take(self) -> bytes:
        """The pages that are finished."""
        done, self._done = b"".join(self._done), []
        return done

    def end(self, samples: int | None = None) -> bytes:
        """The rest. `samples`: where it ends, if that is before the last packet does (RFC 7845 section 4.4)."""
        if samples is not None:
            self.samples = min(self.samples, samples)
        self._page(_LAST)
        return self.take()

    def _lay(self, packet: bytes) -> None:
        whole, rest = divmod(len(packet), 255)
        self._laces += b"\xff" * whole
        self._laces.append(rest)
        self._body.append(packet)
        self._body_bytes += len(packet)

    def _page(self, flags: int) -> None:
        head = [b"OggS", 0, flags, self.samples, self._serial, self._sequence, 0, len(self._laces)]
        rest = bytes(self._laces) + b"".join(self._body)
        head[6] = checksum(_HEAD.pack(*head) + rest)
        self._done.append(_HEAD.pack(*head) + rest)
        self._sequence += 1
        self._body, self._laces = [], bytearray()
        self._body_bytes = self._page_samples = 0


class Reader:
    """The packets of one stream, as its bytes come."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._part = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are whole by now, the two of headers first. ValueError: it is no Ogg, or damaged."""
        self._waiting += data
        found: list[bytes] = []
        at = 0
        while len(self._waiting) - at >= _HEAD.size:
            size = self._size(at)
            if size is None:
                break
            self._open(bytes(self._waiting[at : at + size]), found)
            at += size
        del self._waiting[:at]
        return found

    def _size(self, at: int) -> int | None:
        """Of the page at a place; None: it is not whole."""
        if self._waiting[at : at + 5] != b"OggS\0":
            raise ValueError("this is no page of Ogg")
        laces_at = at + _HEAD.size
        laces = self._waiting[laces_at : laces_at + self._waiting[laces_at - 1]]
        size = _HEAD.size + self._waiting[laces_at - 1] + sum(laces)
        return size if len(self._waiting) - at >= size else None

    def _open(self, page: bytes, found: list[bytes]) -> None:
        told = int.from_bytes(page[22:26], "little")
        if checksum(page[:22] + b"\0\0\0\0" + page[26:]) != told:
            raise ValueError("a page is damaged")
        count = page[_HEAD.size - 1]
        at = _HEAD.size + count
        for lace in page[_HEAD.size : _HEAD.size + count]:
            self._part += page[at : at + lace]
            at += lace
            if lace < 255:
                found.append(bytes(self._part))
                self._part.clear()
