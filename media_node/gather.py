"""When a socket is read: as soon as something comes, or, where much comes all the time, each GATHER_S. Pure.

Why. Waking a process costs several times what a voice packet does. Of 50 who talk, 2,500 packets a second come one by one;
read a few at a time they also leave by fewer calls of the kernel (`outbox.py`). What it costs is at most GATHER_S of
latency, and only while there is much. The first packet after a sleep costs twice what the next ones do: whoever else has the
core, or its host, has its caches meanwhile.
"""

from typing import Final

GATHER_S: Final = 0.002
_WINDOW_S: Final = 0.1
_MUCH: Final = 110
"""Datagrams in a window; from then on they are gathered,"""
_LITTLE: Final = 85
"""and until there are fewer."""


class Gather:
    """`on` while datagrams are to be gathered."""

    __slots__ = ("_began_at", "_count", "on")

    def __init__(self) -> None:
        self.on = False
        self._count = 0
        self._began_at = 0.0

    def came(self, count: int, now: float) -> bool:
        """So many were read now: whether to gather from now on."""
        self._count += count
        passed = now - self._began_at
        if passed >= _WINDOW_S:
            self.on = self._count * _WINDOW_S / passed >= (_LITTLE if self.on else _MUCH)
            self._began_at, self._count = now, 0
        return self.on
