"""How often somebody can be told: each tick, or each second, fourth, eighth. Pure.

Theory of operation. Telling faster than the other side takes it only makes it later. So whoever is held up several
times within a short while is told half as often, with newer states each time; whoever has kept up for a while twice as
often again. A recovery that does not last makes the next one wait twice as long, so that nothing flaps between two
paces. A tick of the node that took too long is judged the same way as a listener whose channel is full.
"""

from typing import Final

SLOWEST: Final = 8
"""2.5 frames a second at 20 Hz: what the WebSocket would carry."""
_STRIKES: Final = 3
_CALM: Final = 40
"""Judgements in a row that must be good before the pace is doubled."""
_CALM_MAX: Final = 640


class Pace:
    """One side's pace, by its judgements so far. `divisor` ticks make one frame."""

    __slots__ = ("_calm_needed", "_good", "_strikes", "divisor")

    def __init__(self) -> None:
        self.divisor = 1
        self._strikes = 0
        self._good = 0
        self._calm_needed = _CALM

    def due(self, tick: int, place: int) -> bool:
        """Whether there is a frame in this tick; `place` spreads those of one pace over the ticks."""
        return self.divisor == 1 or (tick + place) % self.divisor == 0

    def judge(self, *, held_up: bool) -> None:
        """Another time at which it was due: could it be told?"""
        if held_up:
            self._good = 0
            self._strikes += 1
            if self._strikes >= _STRIKES:
                self._slower()
            return
        self._good += 1
        if self._good >= _STRIKES:
            self._strikes = 0
        if self._good >= max(1, self._calm_needed // self.divisor):
            self._faster()

    def _slower(self) -> None:
        self._strikes = 0
        if self.divisor == 1 or self.divisor < SLOWEST:
            self._calm_needed = min(_CALM_MAX, self._calm_needed * 2)
        self.divisor = min(SLOWEST, self.divisor * 2)

    def _faster(self) -> None:
        self._good = 0
        if self.divisor > 1:
            self.divisor //= 2
        else:
            self._calm_needed = max(_CALM, self._calm_needed // 2)
