"""How much an association may have on its way, when it gives up waiting, what it lost (RFC 9260, 6.3 and 7.2). Pure."""

from dataclasses import dataclass
from typing import Final

from media_node.sctp_chunks import HALF, M32, PACKET_BYTES

RTO_MIN_S: Final = 0.4
"""As Chromium's dcSCTP; RFC 9260's 1 s is of another time, and acknowledgements are late by 0.2 s at most."""
RTO_FIRST_S: Final = 0.5
RTO_MAX_S: Final = 10.0
_FIRST_WINDOW: Final = 10 * PACKET_BYTES
"""RFC 6928's, as TCP and dcSCTP begin with."""
_LEAST_THRESHOLD: Final = 8 * PACKET_BYTES
"""RFC 9260 has 4: two ticks of ours. What is offered is bounded by the budget of frames and the pace of their listener, and a
path that only loses some (radio) is not helped by frames that wait.
"""
_BURST_BYTES: Final = 8 * PACKET_BYTES
_LOSS_CHUNKS: Final = 100


class Losses:
    """The share of chunks that were taken for lost, of the last hundred or two. Each time that one goes out counts.

    One is also taken for lost whose acknowledgement was, where nothing that was sent after it has been acknowledged.
    """

    __slots__ = ("_before", "_lost", "_sent")

    def __init__(self) -> None:
        self._sent = self._lost = 0
        self._before = (0, 0)

    def sent(self) -> None:
        """One more went out."""
        if self._sent == _LOSS_CHUNKS:
            self._before = self._sent, self._lost
            self._sent = self._lost = 0
        self._sent += 1

    def lost(self) -> None:
        """One of them did not arrive."""
        self._lost += 1

    @property
    def share(self) -> float | None:
        """0 to 1; None before a hundred have gone out."""
        sent, lost = self._sent + self._before[0], self._lost + self._before[1]
        return None if sent < _LOSS_CHUNKS else round(min(1.0, lost / sent), 4)


@dataclass(slots=True)
class Congestion:
    """Bytes and seconds. `window` grows by what is acknowledged while it is full, and shrinks by what is lost."""

    threshold: int
    """Above it the window grows by a packet a round trip instead of doubling."""
    window: int = _FIRST_WINDOW
    rto_s: float = RTO_FIRST_S
    limit: int = 0
    """What may be on its way within this run of packets: the window, or less, so that a burst stays short."""
    rush: bool = False
    """One lost chunk may go out whatever the window (section 7.2.4, step 3)."""
    _grown: int = 0
    _recovery: int | None = None
    """The TSN whose acknowledgement ends it: what was sent before it was all lost in the same congestion."""
    _srtt: float | None = None
    _rttvar: float = 0.0

    def begin(self, flight: int) -> None:
        """A run of packets begins, with so much on its way (section 6.1, D)."""
        self.limit = min(self.window, flight + _BURST_BYTES)

    def acknowledged(self, cumulative: int, gained: int) -> None:
        """`gained` bytes arrived while the window was full, and the cumulative TSN advanced; else 0."""
        if self._recovery is not None:
            if (cumulative - self._recovery) & M32 < HALF:
                self._recovery = None
        elif self.window <= self.threshold:
            self.window += min(gained, PACKET_BYTES)
        else:
            self._grown += gained
            if self._grown >= self.window:
                self._grown -= self.window
                self.window += PACKET_BYTES

    def lost(self, newest: int) -> None:
        """Something sent before TSN `newest` is taken for lost, which counts once a window (section 7.2.4)."""
        if self._recovery is None:
            self.threshold = self.window = max(self.window // 2, _LEAST_THRESHOLD)
            self._grown = 0
            self._recovery = newest
            self.rush = True

    def expired(self) -> None:
        """Nothing was acknowledged for `rto_s` (sections 6.3.3 and 7.2.3)."""
        self.rto_s = min(RTO_MAX_S, self.rto_s * 2)
        self.threshold = max(self.window // 2, _LEAST_THRESHOLD)
        self.window = PACKET_BYTES
        self._grown = 0
        self._recovery = None

    def measured(self, took_s: float) -> None:
        """A chunk that was sent once was acknowledged after so long (section 6.3.1)."""
        if self._srtt is None:
            self._srtt, self._rttvar = took_s, took_s / 2
        else:
            self._rttvar += (abs(self._srtt - took_s) - self._rttvar) / 4
            self._srtt += (took_s - self._srtt) / 8
        self.rto_s = min(RTO_MAX_S, max(RTO_MIN_S, self._srtt + 4 * self._rttvar))
