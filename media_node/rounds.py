"""The ticks of all rooms: what is told, and who is sent to whom, RELAY_HZ times a second.

A tick holds up every packet for as long as it takes. So what takes longest, the choosing of slots, is done for a few
listeners at a time, with the loop's turn in between.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from chalicelib.aws import log
from chalicelib.wire import limits
from media_node.across import Across
from media_node.lodging import Lodging
from media_node.pace import Pace

_TICK_S: Final = 1 / limits.RELAY_HZ
_BRIDGE_TICKS: Final = limits.RELAY_HZ // limits.RELAY_BRIDGE_HZ


class Rounds:
    """Of a house. `fails` is told of a room that does; `clock` is the transport's."""

    def __init__(
        self,
        rooms: Mapping[str, Lodging],
        across: Across,
        fails: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rooms = rooms
        self._across = across
        self._fails = fails
        self._clock = clock
        self._pace = Pace()

    async def run(self) -> None:
        """Tells everybody, less often where that takes too long. Until cancelled."""
        loop = asyncio.get_running_loop()
        tick, due = 0, loop.time()
        while True:
            tick, due = tick + 1, max(due + _TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            if self._pace.due(tick, 0):
                began = time.perf_counter()
                self.tick(tick)
                took_s = time.perf_counter() - began + await self.choose()
                self._pace.judge(held_up=took_s > _TICK_S / 2)

    def tick(self, tick: int) -> None:
        """Once; `choose` is to follow."""
        at_ms = time.time() * 1000
        for session_id, lodging in list(self._rooms.items()):
            with self._alone(session_id):
                if len(lodging.room):
                    lodging.room.voice.tick(self._clock())
                    lodging.room.tick(tick, at_ms)
                    if tick % _BRIDGE_TICKS == 0:
                        self._across.tell(lodging.room, lodging.census)

    async def choose(self) -> float:
        """Gives everybody their slots; how many seconds that took, without what the loop did meanwhile."""
        took_s = 0.0
        for session_id, lodging in list(self._rooms.items()):
            voice = lodging.room.voice
            while voice.waits and self._rooms.get(session_id) is lodging:
                began = time.perf_counter()
                with self._alone(session_id):
                    voice.choose()
                took_s += time.perf_counter() - began
                await asyncio.sleep(0)
        return took_s

    @contextlib.contextmanager
    def _alone(self, session_id: str) -> Iterator[None]:
        """A room that fails is one room, not the node."""
        try:
            yield
        except Exception:  # noqa: BLE001 - the edge of what a room can do: logged once, and the room is over
            log.failure("room.failed", session_id=session_id)
            self._fails(session_id)
