"""Who is told what in a tick: one frame for each listener, of what changed since its last. Pure.

Theory of operation. A peer's entry is encoded once, when its state comes. What changed since the last tick (and what
was told RELAY_REFRESH_S ago, for frames may be lost) is joined once; a listener that has missed nothing gets those
bytes but its own entry's: two slices. That is nearly free, and it is what happens while everything fits the budget. A
listener that missed something (it is new, slow, or over budget) is owed it: `owed` holds indices, not bytes, oldest
debt first, so what it gets later is the newest, and a debt never grows beyond one entry a peer. Over budget, the oldest
debt goes first whatever it is, so everybody's turn comes; then, up to NEAR_SHARE of the frame, whoever speaks and
whoever is nearest; then the other debts by age.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from chalicelib.wire import limits
from chalicelib.wire.types import Vec3
from media_node.frames import HEAD_BYTES, head
from media_node.pace import Pace

NEAR_SHARE: Final = 2 / 3
_BUDGET: Final = limits.RELAY_FRAME_BYTES - HEAD_BYTES
_NEAR: Final = int(_BUDGET * NEAR_SHARE)
_REFRESH_TICKS: Final = limits.RELAY_REFRESH_S * limits.RELAY_HZ
_ORDER_TICKS: Final = 16
"""Who is nearest is reckoned anew so rarely: nobody walks far in a second."""
_FAR: Final = math.inf
_SPEAKING: Final = -1.0
"""Nearer than anybody."""


@dataclass(slots=True)
class _Member:
    """One peer, as it is seen and as it listens."""

    entry: bytes = b""
    """Empty before its first state."""
    position: Vec3 | None = None
    speaking: bool = False
    told_at: int = 0
    owed: dict[int, None] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    order_until: int = 0
    pace: Pace = field(default_factory=Pace)


class Audience:
    """The peers of one room, by index."""

    def __init__(self) -> None:
        self._members: dict[int, _Member] = {}
        self._changed: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._members)

    def join(self, index: int) -> None:
        """Somebody listens from now on, and is owed everybody. Again: it has forgotten everything."""
        owed = {other: None for other, member in self._members.items() if member.entry and other != index}
        member = self._members.setdefault(index, _Member())
        member.owed, member.pace = owed, Pace()

    def leave(self, index: int) -> None:
        """Neither seen nor told any more."""
        self._members.pop(index, None)
        self._changed.pop(index, None)
        for member in self._members.values():
            member.owed.pop(index, None)

    def update(self, index: int, entry: bytes, position: Vec3 | None, *, speaking: bool) -> None:
        """A peer has a newer state, encoded."""
        member = self._members[index]
        member.entry, member.position, member.speaking = entry, position, speaking
        self._changed[index] = None

    def divisor(self, index: int) -> int:
        """How many ticks make one frame of a listener's."""
        return self._members[index].pace.divisor

    def frames(self, tick: int, at_ms: float, held_up: Callable[[int], bool]) -> list[tuple[int, bytes]]:
        """The frames of this tick. `held_up` says whose channel is full: they get nothing now, and newer states
        later.
        """
        fresh = self._fresh(tick)
        entries = {index: self._members[index].entry for index in fresh}
        start = head(tick, at_ms, more=False)
        whole = start + b"".join(entries.values())
        fits = len(whole) <= limits.RELAY_FRAME_BYTES
        spans = _spans(entries)
        made: list[tuple[int, bytes]] = []
        for index, member in self._members.items():
            pace = member.pace
            due = pace.due(tick, index)
            if due:
                blocked = held_up(index)
                pace.judge(held_up=blocked)
                due = not blocked
            if due and fits and not member.owed:
                span = spans.get(index)
                data = whole if span is None else whole[: span[0]] + whole[span[1] :]
            else:
                member.owed.update(fresh)
                member.owed.pop(index, None)
                if not due:
                    continue
                data = self._owed(member, tick, at_ms, start)
            if len(data) > HEAD_BYTES:
                made.append((index, data))
        return made

    def _fresh(self, tick: int) -> dict[int, None]:
        """What everybody is to be told: what changed, and what was told long ago."""
        fresh, self._changed = self._changed, {}
        for index, member in self._members.items():
            if member.entry and tick - member.told_at >= _REFRESH_TICKS:
                fresh[index] = None
        for index in fresh:
            self._members[index].told_at = tick
        return fresh

    def _owed(self, listener: _Member, tick: int, at_ms: float, start: bytes) -> bytes:
        """A frame of what a listener is owed, as much as fits."""
        owed = listener.owed
        everything = self._all(owed)
        if everything is not None:
            owed.clear()
            return start + everything
        chosen = self._chosen(listener, tick)
        for index in chosen:
            del owed[index]
        return head(tick, at_ms, more=True) + b"".join(self._members[index].entry for index in chosen)

    def _all(self, owed: Iterable[int]) -> bytes | None:
        """The entries of these, if they fit a frame."""
        left = _BUDGET
        parts = []
        for index in owed:
            entry = self._members[index].entry
            left -= len(entry)
            if left < 0:
                return None
            parts.append(entry)
        return b"".join(parts)

    def _chosen(self, listener: _Member, tick: int) -> list[int]:
        """The oldest debt, then the nearest, then the other old ones."""
        owed, members = listener.owed, self._members
        oldest = next(iter(owed))
        chosen = {oldest: None}
        used = len(members[oldest].entry)
        if tick >= listener.order_until:
            listener.order = self._by_nearness(listener)
            listener.order_until = tick + _ORDER_TICKS + oldest % _ORDER_TICKS  # not all in one tick
        for most, candidates in ((_NEAR, listener.order), (_BUDGET, owed)):
            used = self._add(chosen, candidates, owed, used, most)
        return list(chosen)

    def _add(
        self, chosen: dict[int, None], candidates: Iterable[int], owed: dict[int, None], used: int, most: int
    ) -> int:
        for index in candidates:
            if index not in owed or index in chosen:
                continue
            size = len(self._members[index].entry)
            if used + size > most:
                break
            chosen[index] = None
            used += size
        return used

    def _by_nearness(self, listener: _Member) -> list[int]:
        """Everybody: who speaks first, then by distance."""
        here = listener.position
        ranks = {
            index: _SPEAKING if member.speaking else _distance_m(here, member.position)
            for index, member in self._members.items()
        }
        return sorted(ranks, key=ranks.__getitem__)


def _distance_m(here: Vec3 | None, there: Vec3 | None) -> float:
    return _FAR if here is None or there is None else math.dist(here, there)


def _spans(entries: dict[int, bytes]) -> dict[int, tuple[int, int]]:
    """Where each entry lies in the frame that has them all."""
    spans: dict[int, tuple[int, int]] = {}
    at = HEAD_BYTES
    for index, entry in entries.items():
        spans[index] = (at, at + len(entry))
        at += len(entry)
    return spans
