"""How old packets are when they come, how many come, and how many of what there was. Pure: the clock is an argument.

The relay's latency is from a packet's last sending to its coming, of packets that nobody had to ask for: it is what the
server takes, whatever the network lost. What came because it was asked for is told apart, from its first sending on.
"""

from array import array
from collections.abc import Sequence
from typing import Final

from benchmarks.report import percentile

_KEPT: Final = 4096  # of a sender's newest packets: 80 s
_LATE_S: Final = 10.0


class Meter:
    """All participants' together."""

    def __init__(self, senders: int) -> None:
        self.recording = False
        self.sent = 0
        self.sent_again = 0
        self.came = 0
        self.nacks = 0
        self._first = [array("d", bytes(8 * _KEPT)) for _ in range(senders)]
        self._last = [array("d", bytes(8 * _KEPT)) for _ in range(senders)]
        self._ages = array("d")
        self._recovered = array("d")

    def sends(self, sender: int, count: int, now: float) -> None:
        """A packet goes out."""
        self._first[sender][count % _KEPT] = self._last[sender][count % _KEPT] = now
        if self.recording:
            self.sent += 1

    def sends_again(self, sender: int, count: int, now: float) -> None:
        """The same packet once more."""
        self._last[sender][count % _KEPT] = now
        if self.recording:
            self.sent_again += 1

    def comes(self, sender: int, count: int, now: float, *, asked: bool) -> None:
        """A packet that says whose it is; `asked`: somebody had to ask for it."""
        if not self.recording:
            return
        self.came += 1
        moments = self._first if asked else self._last
        if sender >= len(moments):
            return
        age = now - moments[sender][count % _KEPT]
        if age <= _LATE_S:
            (self._recovered if asked else self._ages).append(age)

    def comes_unmarked(self) -> None:
        """A packet of a mixer."""
        if self.recording:
            self.came += 1

    def clear(self) -> None:
        """For another window."""
        self.sent = self.sent_again = self.came = self.nacks = 0
        self._ages, self._recovered = array("d"), array("d")

    def figures(self, seconds: float) -> dict[str, float]:
        """What a window of so many seconds says; no latency of a mixer's packets."""
        figures = {
            "seconds": seconds,
            "packets_sent_per_s": self.sent / seconds,
            "packets_heard_per_s": self.came / seconds,
            "sent_again_per_s": self.sent_again / seconds,
            "nacks_per_s": self.nacks / seconds,
            "recovered_ratio": len(self._recovered) / max(1, self.came),
        }
        if self._ages:
            figures |= {f"relay_p{p}_ms": value for p, value in _milliseconds(self._ages, (50, 99))}
        if self._recovered:
            figures |= {f"recovered_p{p}_ms": value for p, value in _milliseconds(self._recovered, (50, 99))}
        return figures


def _milliseconds(ages: Sequence[float], which: Sequence[int]) -> list[tuple[int, float]]:
    many = list(ages)
    return [(p, percentile(many, p) * 1000) for p in which]
