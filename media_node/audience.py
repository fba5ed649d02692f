"""Who is told what in a tick: one frame for each listener, of what changed since its last. Pure.

A frame that is longer than a packet goes in parts, each a message and complete in itself, so that a packet that is
lost takes nobody's state but its own with it.

Theory of operation. A peer's entry is encoded once, when its state comes. What changed since the last tick (and what
is to be told again, for frames may be lost: soon, then ever less often, so that a room that stands still costs
little) is joined once; a listener that has missed nothing gets those bytes but its own entry's: two slices. That is
nearly free, and it is what happens while everything fits the budget. A listener that missed something (it is new,
slow, or over budget) is owed it: `owed` holds indices, not bytes, oldest debt first, so what it gets later is the
newest, and a debt never grows beyond one entry a peer. Over budget, the oldest debt goes first whatever it is, so
everybody's turn comes; then, up to NEAR_SHARE of the frame, whoever speaks and whoever is nearest; then the other
debts by age.
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
_REFRESH_TICKS: Final = limits.RELAY_REFRESH_S * limits.RELAY_HZ
_REFRESH_MAX_TICKS: Final = limits.RELAY_REFRESH_MAX_S * limits.RELAY_HZ
_PART: Final = limits.RELAY_PART_BYTES - HEAD_BYTES
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
    again: int = _REFRESH_TICKS
    """So many ticks after that it is told again."""
    owed: dict[int, None] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    order_until: int = 0
    pace: Pace = field(default_factory=Pace)
    frame_bytes: int = limits.RELAY_FRAME_BYTES

    @property
    def budget(self) -> int:
        """What entries may take of a frame, beside the heads of its parts."""
        return self.frame_bytes - math.ceil(self.frame_bytes / limits.RELAY_PART_BYTES) * HEAD_BYTES


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
        member.owed, member.pace, member.frame_bytes = owed, Pace(), limits.RELAY_FRAME_BYTES

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
        member.again = _REFRESH_TICKS
        self._changed[index] = None

    def prefer(self, index: int, frame_bytes: int) -> None:
        """A listener's frames are so long at most, until it joins again."""
        self._members[index].frame_bytes = frame_bytes

    def divisor(self, index: int) -> int:
        """How many ticks make one frame of a listener's."""
        return self._members[index].pace.divisor

    def frames(self, tick: int, at_ms: float, held_up: Callable[[int], bool]) -> list[tuple[int, bytes]]:
        """The frames of this tick, part by part. `held_up` says whose channel is full: they get nothing now, and newer
        states later.
        """
        fresh = self._fresh(tick)
        entries = {index: self._members[index].entry for index in fresh}
        parts = _parts(head(tick, at_ms, more=False), entries.items())
        size = sum(len(part.data) for part in parts)
        made: list[tuple[int, bytes]] = []
        for index, member in self._members.items():
            if not parts and not member.owed:
                continue
            pace = member.pace
            due = pace.due(tick, index)
            if due:
                blocked = held_up(index)
                pace.judge(held_up=blocked)
                due = not blocked
            if due and size <= member.frame_bytes and not member.owed:
                told = parts
            else:
                member.owed.update(fresh)
                member.owed.pop(index, None)
                told = self._owed(member, tick, at_ms) if due else []
            for part in told:
                span = part.spans.get(index)
                data = part.data if span is None else part.data[: span[0]] + part.data[span[1] :]
                if len(data) > HEAD_BYTES:
                    made.append((index, data))
        return made

    def _fresh(self, tick: int) -> dict[int, None]:
        """What everybody is to be told: what changed, and what was told long ago. Whoever stands still is told of
        together, as many as share a packet: else a room of fifty who stand still is a frame a tick to each.
        """
        fresh, self._changed = self._changed, {}
        members = self._members
        for index in fresh:
            members[index].told_at = tick
        due = [index for index, member in members.items() if member.entry and tick - member.told_at >= member.again]
        if due:
            known = {*fresh, *due}
            room = _PART - sum(len(members[index].entry) for index in known)
            for index, member in members.items():
                soon = tick - member.told_at >= member.again // 2
                if index not in known and soon and 0 < len(member.entry) <= room:
                    due.append(index)
                    room -= len(member.entry)
            for index in due:
                member = members[index]
                member.told_at, member.again = tick, min(member.again * 2, _REFRESH_MAX_TICKS)
            fresh.update(dict.fromkeys(due))
        return fresh

    def _owed(self, listener: _Member, tick: int, at_ms: float) -> "list[_Part]":
        """A frame of what a listener is owed, as much as fits."""
        owed, members = listener.owed, self._members
        if sum(len(members[index].entry) for index in owed) <= listener.budget:
            chosen, more = list(owed), False
        else:
            chosen, more = self._chosen(listener, tick), True
        for index in chosen:
            del owed[index]
        return _parts(head(tick, at_ms, more=more), ((index, members[index].entry) for index in chosen))

    def _chosen(self, listener: _Member, tick: int) -> list[int]:
        """The oldest debt, then the nearest, then the other old ones."""
        owed, members = listener.owed, self._members
        oldest = next(iter(owed))
        chosen = {oldest: None}
        used = len(members[oldest].entry)
        if tick >= listener.order_until:
            listener.order = self._by_nearness(listener)
            listener.order_until = tick + _ORDER_TICKS + oldest % _ORDER_TICKS  # not all in one tick
        budget = listener.budget
        for most, candidates in ((int(budget * NEAR_SHARE), listener.order), (budget, owed)):
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


@dataclass(slots=True)
class _Part:
    """A message's worth of a frame, and where each entry lies in it."""

    data: bytes
    spans: dict[int, tuple[int, int]]


def _parts(start: bytes, entries: Iterable[tuple[int, bytes]]) -> list[_Part]:
    """Entries as messages of at most RELAY_PART_BYTES, but for an entry that is longer by itself."""
    parts: list[_Part] = []
    texts: list[bytes] = []
    spans: dict[int, tuple[int, int]] = {}
    at = HEAD_BYTES
    for index, entry in entries:
        if spans and at + len(entry) > limits.RELAY_PART_BYTES:
            parts.append(_Part(start + b"".join(texts), spans))
            texts, spans, at = [], {}, HEAD_BYTES
        texts.append(entry)
        spans[index] = (at, at + len(entry))
        at += len(entry)
    if spans:
        parts.append(_Part(start + b"".join(texts), spans))
    return parts
