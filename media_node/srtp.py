"""SRTP with one peer (RFC 3711, RFC 7714): plaintext of what is authentic, and packets for the peer. Nothing here raises.

libsrtp keeps a stream for each SSRC that an authentic packet came from, and the replay window (1,024 packets) is that
stream's. So whoever may send could fill memory by SSRCs, or have a window forgotten by making streams come and go: here none
is ever given up, and there are SSRCS_MAX in a link's life. RTP is taken of one SSRC at a time; another one's turn comes each
SOURCE_S at most. All of it is looked at in the clear header, before anything is deciphered, and kept of what was authentic.
"""

from collections.abc import Callable
from typing import Any, Final

from pylibsrtp import SRTP_MAX_SRTCP_TRAILER_LEN, SRTP_MAX_TRAILER_LEN, Session
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]

SSRCS_MAX: Final = (
    16  # of one peer, ever: its source's, one a section that reports, and what a few restarts of its encoder bring
)
SOURCE_S: Final = 1.0
ROOM_BYTES: Final = 2048
PROTECT_MAX: Final = 1500 - SRTP_MAX_TRAILER_LEN
"""Bytes of a packet that is a datagram for Ethernet, whatever is added to it."""
PROTECT: Final = lib.srtp_protect
"""(an `Srtp.outbound`, a place of a tray, length as `int *`): makes SRTP of RTP there. Not 0: it is malformed, or older than
the window."""
_RTP_BYTES: Final = 12
_RTCP_BYTES: Final = 8


def is_control(packet: bytes) -> bool:
    """Whether RTCP shares its port so (RFC 5761 section 4). Anything shorter than two bytes is none."""
    return len(packet) > 1 and 192 <= packet[1] < 224


class Tray:
    """Memory for packets on their way out: PROTECT does its work where they lie. Each has ROOM_BYTES, one after the other."""

    def __init__(self, count: int) -> None:
        self._memory = ffi.new("char[]", count * ROOM_BYTES)
        self.buffer: Any = ffi.buffer(self._memory)
        self.places = [self._memory + at * ROOM_BYTES for at in range(count)]
        self.address = int(ffi.cast("uintptr_t", self._memory))


class Srtp:
    """Both directions of one association."""

    def __init__(self, inbound: Session, outbound: Session) -> None:
        self._sessions = inbound, outbound  # what they hold is freed with them
        self._unprotect = _calling(inbound, lib.srtp_unprotect, 0)
        self._unprotect_control = _calling(inbound, lib.srtp_unprotect_rtcp, 0)
        self.outbound: Any = outbound._srtp[0]
        """For PROTECT."""
        self.protect_control = _calling(outbound, lib.srtp_protect_rtcp, SRTP_MAX_SRTCP_TRAILER_LEN)
        """RTCP for the peer."""
        self._known: set[bytes] = set()
        self._source: bytes | None = None
        self._source_at = -SOURCE_S

    def foreign(self, packet: bytes, now: float) -> bool:
        """Whether RTP is not even deciphered: too short, or of an SSRC that has no place (any more)."""
        ssrc = packet[8:12]
        if ssrc == self._source:
            return False
        return len(packet) < _RTP_BYTES or now - self._source_at < SOURCE_S or self._placeless(ssrc)

    def foreign_control(self, packet: bytes) -> bool:
        """The same of RTCP."""
        return len(packet) < _RTCP_BYTES or self._placeless(packet[4:8])

    def _placeless(self, ssrc: bytes) -> bool:
        return len(self._known) >= SSRCS_MAX and ssrc not in self._known

    def take(self, packet: bytes, now: float) -> bytes | None:
        """RTP that is not foreign, deciphered; None: it is not authentic, or was heard before."""
        plain = self._unprotect(packet)
        if plain is not None:
            ssrc = packet[8:12]
            if ssrc != self._source:
                self._source, self._source_at = ssrc, now
                self._known.add(ssrc)
        return plain

    def take_control(self, packet: bytes) -> bytes | None:
        """RTCP that is not foreign, deciphered."""
        plain = self._unprotect_control(packet)
        if plain is not None:
            self._known.add(packet[4:8])
        return plain


Call = Callable[[bytes], bytes | None]


def _calling(session: Session, function: Any, trailer: int) -> Call:
    """A function of libsrtp on packets of a session; None: it refused.

    As `pylibsrtp.Session` does it, but with what it makes anew for each packet made once: that was half of what a
    packet cost. What it reaches into is that of the version which requirements.txt pins.
    """
    handle, content, buffer, size = session._srtp[0], session._cdata, session._buffer, ffi.new("int *")
    most = len(buffer) - trailer

    def call(packet: bytes) -> bytes | None:
        length = len(packet)
        if length > most:
            return None
        size[0] = length
        buffer[0:length] = packet
        if function(handle, content, size):
            return None
        done: bytes = buffer[0 : size[0]]
        return done

    return call
