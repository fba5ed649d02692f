"""From a node's rooms to whoever has the WebSocket alone: what `bridge` owes them, by posts that nobody waits for.

The law: a connection has one post under way at the most, and a pause after one that failed. What it misses meanwhile is
merged by its room's bridge; it never queues.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from chalicelib.wire.types import Delivery
from media_node.census import Census
from media_node.room import Room

_PAUSE_MS: Final = 1000


class Post(Protocol):
    """Posts to a WebSocket."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


class Across:
    """The posts of all rooms of a node. `start` runs one, and sees to its end."""

    def __init__(
        self, post: Post, now_ms: Callable[[], int], start: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self.posting: set[str] = set()
        """Connections that have a post under way."""
        self._pausing: dict[str, int] = {}
        self._post = post
        self._now_ms = now_ms
        self._start = start

    def tell(self, room: Room, census: Census) -> None:
        """Those of a session who are not on the relay, of those who are."""
        now = self._now_ms()
        on_relay = {member.person.peer_id for member in room if member.link.open}
        recipients = [
            row.connection_id for row in census.rows.values() if row.peer_id not in on_relay and row.reachable(now)
        ]
        self._pausing = {each: until for each, until in self._pausing.items() if until > now}
        busy = self.posting | self._pausing.keys()
        for connection_id, messages in room.bridge.posts(recipients, busy.__contains__, room.fragment, now):
            self.posting.add(connection_id)
            self._start(self._deliver(room, connection_id, messages))

    async def _deliver(self, room: Room, connection_id: str, messages: list[bytes]) -> None:
        try:
            for data in messages:
                if await self._post(connection_id, data) is not Delivery.SENT:
                    room.bridge.retell(connection_id)
                    self._pausing[connection_id] = self._now_ms() + _PAUSE_MS
                    return
        finally:
            self.posting.discard(connection_id)
