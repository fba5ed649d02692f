"""How a room's voice is changed: read, made anew, and written where nobody was first; then told.

The law: **the book is read first, the pages of the room after.** Whoever is in the book had a page before they were
written into it, so a page that the later reading has not is gone, and was not only not seen yet. Each attempt reads both.

A change that was written is told in a single message that has all of it, with its revision: of two that arrive in the
wrong order, the greater one stays. So where many change it at once, one that sees a later revision leaves the telling to
whoever wrote that: the last one always tells. Telling is beside the change: where it fails, the next change tells all of it,
and a node reads each VOICE_STATE_S in any case.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from chalicelib.presence.model import Row
from chalicelib.voice.book import Book, Pages, present, told
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ServerMessage
from chalicelib.wire.voice import VoiceChanged, VoiceState

_ATTEMPTS: Final = 20
_LONGEST_S: Final = 1.0
"""Of a pause between two attempts; a class of 200 that joins at once is in within a few seconds."""
_GATHER_S: Final = 0.1
"""How long one that met others waits, at most, before it looks whether they tell more."""


class Books(Protocol):
    """Where a room's voice is; `voice.store` is the real one."""

    async def read(self, session_id: str) -> Book:
        """The newest; a blank one where there is none."""
        ...

    async def swap(self, session_id: str, revision: int, book: Book, now_ms: int) -> bool:
        """Writes a book where the one of `revision` is still the newest (0: there is none). False: it is not."""
        ...

    async def erase(self, session_id: str) -> None: ...


class Room(Protocol):
    """Who is in a room, and how to tell all of them; the presence room."""

    async def rows(self, session_id: str) -> tuple[Row, ...]: ...
    async def announce(self, session_id: str, message: ServerMessage) -> None: ...


class Node(Protocol):
    """The room's media node, if it has one; the peers room."""

    async def notify(self, session_id: str, message: VoiceChanged) -> None: ...


class Log(Protocol):
    """One structured event."""

    def __call__(self, name: str, **fields: str | int | float | bool | None) -> None: ...


Act = Callable[[Book, Pages], Book]
"""What is to be done to a book; may refuse, and may be asked again with a newer one."""


def pages_of(rows: tuple[Row, ...], now_ms: int) -> dict[str, int]:
    """The pages of a room, one whose connection dropped just now among them."""
    return {row.peer_id: row.joined_at_ms for row in rows if row.entered and not row.gone(now_ms)}


class Changes:
    """Reads and changes. `jitter` gives 0 to 1."""

    def __init__(
        self,
        books: Books,
        room: Room,
        node: Node,
        *,
        now_ms: Callable[[], int],
        jitter: Callable[[], float],
        log: Log,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._books = books
        self._room = room
        self._node = node
        self._now_ms = now_ms
        self._jitter = jitter
        self._log = log
        self._sleep = sleep

    async def state(self, session_id: str) -> VoiceState:
        """All of a room's voice now."""
        book = await self._books.read(session_id)
        pages = pages_of(await self._room.rows(session_id), self._now_ms())
        return told(present(book, pages, self._now_ms()))

    async def make(self, session_id: str, act: Act) -> Book:
        """Does it, and tells everybody; the book after it. One that changes nothing is not written, nor told.

        What `act` raises; UPSTREAM_UNAVAILABLE where others were first each time.
        """
        for attempt in range(_ATTEMPTS):
            book = await self._books.read(session_id)
            pages = pages_of(await self._room.rows(session_id), self._now_ms())
            made = act(present(book, pages, self._now_ms()), pages)
            if made == book:
                if attempt:  # perhaps it was written, and only the answer was lost
                    await self._tell_last(session_id, book)
                return book
            after = replace(made, revision=book.revision + 1)
            if await self._books.swap(session_id, book.revision, after, self._now_ms()):
                await (self._tell_last if attempt else self._tell)(session_id, after)
                return after
            await self._sleep(self._jitter() * min(0.02 * 2**attempt, _LONGEST_S))
        raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)

    async def blocked(self, session_id: str) -> None:
        """Somebody blocks somebody: the node reads anew; nobody else learns of it."""
        await self._beside(session_id, self._node.notify(session_id, VoiceChanged()))

    async def left(self, session_id: str, is_in: Callable[[Book], bool]) -> None:
        """Somebody has gone who perhaps was in voice: if so, the others hear of it. Beside what its caller does."""
        await self._beside(session_id, self._left(session_id, is_in))

    async def erase(self, session_id: str) -> None:
        """Nothing is left of a room's voice."""
        await self._books.erase(session_id)

    async def _left(self, session_id: str, is_in: Callable[[Book], bool]) -> None:
        if is_in(await self._books.read(session_id)):
            await self.make(session_id, lambda book, _pages: book)

    async def _tell_last(self, session_id: str, book: Book) -> None:
        await self._sleep(self._jitter() * _GATHER_S)
        if (await self._books.read(session_id)).revision <= book.revision:
            await self._tell(session_id, book)

    async def _tell(self, session_id: str, book: Book) -> None:
        voice: VoiceState | None = told(book)
        if len(msgspec.json.encode(voice)) > limits.FRAME_TARGET_BYTES:
            voice = None  # a WebSocket does not carry it: who hears it reads it
        work = asyncio.gather(
            self._room.announce(session_id, VoiceChanged(voice=voice)),
            self._node.notify(session_id, VoiceChanged()),
        )
        await self._beside(session_id, work)

    async def _beside(self, session_id: str, work: Awaitable[object]) -> None:
        try:
            await work
        except AppError as exc:
            self._log("voice.not_told", session_id=session_id, code=exc.code)
