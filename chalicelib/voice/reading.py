"""All that a media node keeps to in a room's voice, of one reading: its state, and whom each of its people blocks.

What the functions check, the node checks again where it counts: at each packet. It reads when it is told `voice.changed`, and
each VOICE_STATE_S in any case. The order of reading is that of `voice.changes`: the book, then the pages.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from chalicelib.presence.model import Room
from chalicelib.voice.book import Book, present, told, users_of
from chalicelib.voice.changes import pages_of
from chalicelib.voice.model import VoiceRules


class Shelf(Protocol):
    """As much as is read of `voice.store`."""

    async def read(self, session_id: str) -> Book: ...
    async def blocked_by(self, user_ids: Collection[str]) -> dict[str, frozenset[str]]: ...


class Rows(Protocol):
    """As much as is read of `presence.store`."""

    async def room(self, session_id: str) -> Room: ...


class VoiceReading:
    """Reads rules."""

    def __init__(self, shelf: Shelf, rows: Rows, *, now_ms: Callable[[], int]) -> None:
        self._shelf = shelf
        self._rows = rows
        self._now_ms = now_ms

    async def rules(self, session_id: str) -> VoiceRules:
        """What holds in a room now. UPSTREAM_UNAVAILABLE."""
        book = await self._shelf.read(session_id)
        if not book.members:
            return VoiceRules(told(book), {})
        room = await self._rows.room(session_id)
        book = present(book, pages_of(room.rows, self._now_ms()), self._now_ms())
        return VoiceRules(told(book), await self._shelf.blocked_by(users_of(book)))
