"""Which packet of whom a payload is, said within it. Pure.

An Opus packet may end with padding of any content (RFC 6716 section 3.2.5): the frame of an encoder is put into a packet of
code 3 with one frame, whose padding says who sent it and which it is. A relay passes it on as it is, a mixer decodes it.
"""

from struct import Struct
from typing import Final

MARK_BYTES: Final = 6
_MARK: Final = Struct("!HI")
_CODE: Final = 0x03
_ONE_PADDED_FRAME: Final = 0x41


def markable(opus: bytes) -> bytes:
    """An encoder's packet of one frame, with place for a mark, which is to be added at its end. Raises ValueError."""
    if not opus or opus[0] & _CODE:
        raise ValueError("an Opus packet of one frame (code 0)")
    return bytes((opus[0] | _CODE, _ONE_PADDED_FRAME, MARK_BYTES)) + opus[1:]


def mark(sender: int, count: int) -> bytes:
    """Of a packet."""
    return _MARK.pack(sender, count)


def marked(payload: bytes) -> tuple[int, int]:
    """Sender and count of a payload, or of a packet that ends with it."""
    sender, count = _MARK.unpack_from(payload, len(payload) - MARK_BYTES)
    return sender, count
