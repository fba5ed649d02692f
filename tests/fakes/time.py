"""Time that passes only when everybody waits for it."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_TURNS: Final = 60
"""Turns of the loop in which everything that needs no time has come to rest."""


class VirtualTime:
    """A clock and a `sleep`. Whoever sleeps is woken in order, without anybody waiting for real."""

    def __init__(self, at_ms: int = 1_000_000) -> None:
        self.at_ms = at_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        """What time it is."""
        return self.at_ms

    async def sleep(self, time_s: float) -> None:
        """Until so much has passed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.at_ms + round(time_s * 1000), self._count, future))
        await future

    async def rest(self) -> None:
        """Until nothing more happens at this moment."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
            while self._sleepers and self._sleepers[0][0] <= self.at_ms:
                self._wake()

    async def pass_ms(self, time_ms: int) -> None:
        """Lets so much time pass."""
        end_ms = self.at_ms + time_ms
        await self.rest()
        while self._sleepers and self._sleepers[0][0] <= end_ms:
            self.at_ms = max(self.at_ms, self._sleepers[0][0])
            await self.rest()
        self.at_ms = end_ms
        await self.rest()

    async def run(self, work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
        """Lets time pass until something is done."""
        task = work if isinstance(work, asyncio.Task) else asyncio.create_task(work)
        await self.rest()
        while not task.done():
            if not self._sleepers:
                raise AssertionError("it waits for something that is not time")
            self.at_ms = max(self.at_ms, self._sleepers[0][0])
            await self.rest()
        return await task

    def _wake(self) -> None:
        _, _, future = heapq.heappop(self._sleepers)
        if not future.done():
            future.set_result(None)
