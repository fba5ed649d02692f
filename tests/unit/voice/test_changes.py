"""Many functions that change a room's voice at once, in virtual time: a round trip to the table is 5 ms."""

import asyncio
import heapq
import random

import pytest

from chalicelib.presence.model import Row
from chalicelib.voice import acts
from chalicelib.voice.book import Book, Pages
from chalicelib.voice.changes import Changes
from chalicelib.wire import limits
from chalicelib.wire.messages import ServerMessage
from chalicelib.wire.types import Role, UserKind
from chalicelib.wire.voice import JoinVoice, VoiceChanged
from tests.fakes.voice import TAB, MemoryNode, MemoryVoice, S

ROUND_TRIP_S = 0.005
NOW = 1_700_000_000_000


class Timeline:
    """Time that passes when everybody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (self.now_s + seconds, self._count, future))
        await future

    async def run(self, tasks: list[asyncio.Task[Book]]) -> None:
        """Until all is done."""
        while not all(task.done() for task in tasks):
            for _ in range(8):
                await asyncio.sleep(0)
            if self._waiting:
                self.now_s, _, future = heapq.heappop(self._waiting)
                future.set_result(None)
        await asyncio.gather(*tasks)


class FarVoice(MemoryVoice):
    """The same, a round trip away."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline

    async def read(self, session_id: str) -> Book:
        await self._timeline.sleep(ROUND_TRIP_S)
        return await super().read(session_id)

    async def swap(self, session_id: str, revision: int, book: Book, now_ms: int) -> bool:
        await self._timeline.sleep(ROUND_TRIP_S)
        return await super().swap(session_id, revision, book, now_ms)


class Class:
    """A room that everybody has entered; `told` are the revisions that it heard of."""

    def __init__(self, timeline: Timeline, people: int) -> None:
        self._timeline = timeline
        self._rows = tuple(row(n) for n in range(people))
        self.told: list[int] = []

    async def rows(self, session_id: str) -> tuple[Row, ...]:
        await self._timeline.sleep(ROUND_TRIP_S)
        return self._rows

    async def announce(self, session_id: str, message: ServerMessage) -> None:
        assert isinstance(message, VoiceChanged)
        assert message.voice is not None
        self.told.append(message.voice.revision)


def quiet(name: str, **fields: object) -> None:
    """Says nothing."""


def row(n: int) -> Row:
    return Row(
        session_id=S,
        peer_id=f"u{n}.{TAB}",
        user_id=f"u{n}",
        connection_id=f"c{n}",
        name="N",
        color="#aabbcc",
        role=Role.VIEWER,
        kind=UserKind.GUEST,
        joined_at_ms=NOW,
        seen_at_ms=NOW,
        entered=True,
    )


@pytest.mark.parametrize(("people", "within_s"), [(50, 2.0), (limits.VOICE_MEMBERS_MAX, 6.0)], ids=["50", "all"])
@pytest.mark.parametrize("seed", range(3))
async def test_a_class_that_joins_at_once_is_in_soon(people: int, within_s: float, seed: int) -> None:
    """Nobody is refused; everybody hears the last state; and not everybody's joining is told one by one."""
    timeline, node = Timeline(), MemoryNode()
    store, room = FarVoice(timeline), Class(timeline, people)
    draw = random.Random(seed)

    def function() -> Changes:
        return Changes(
            store,
            room,
            node,
            now_ms=lambda: NOW,
            jitter=draw.random,
            log=quiet,
            sleep=timeline.sleep,
        )

    async def join(n: int) -> Book:
        await timeline.sleep(draw.uniform(0, 0.05))

        def act(book: Book, pages: Pages) -> Book:
            peer_id = f"u{n}.{TAB}"
            return acts.join(book, peer_id, pages[peer_id], JoinVoice(tab_id=TAB), f"pc_{n}")

        return await function().make(S, act)

    await timeline.run([asyncio.create_task(join(n)) for n in range(people)])
    book = await MemoryVoice.read(store, S)
    assert (book.revision, len(book.members)) == (people, people)
    assert timeline.now_s < within_s
    assert people in room.told
    assert len(room.told) < people / 2
