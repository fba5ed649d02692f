"""The media table in memory, but for quality. Passes the contract of the real one (tests/contract/test_peers_nodes.py)."""

import asyncio
from dataclasses import replace

from chalicelib.peers.model import Node, Relay
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError


class MemoryNodes:
    """Media nodes and who relays which room."""

    def __init__(self) -> None:
        self.rows: dict[str, Node] = {}
        self.relays: dict[str, Relay] = {}
        self.listed: dict[tuple[str, str], int] = {}
        self.started_ms: int | None = None
        self.away: AppError | None = None
        self.broken: set[str] = set()
        """Rooms that cannot be read."""

    async def beat(self, node: Node) -> None:
        old = self.rows.get(node.node_id)
        self.rows[node.node_id] = replace(node, connection_id=old.connection_id if old else "")

    async def forget(self, node_id: str) -> None:
        self.rows.pop(node_id, None)

    async def nodes(self) -> tuple[Node, ...]:
        await asyncio.sleep(0)
        return tuple(self.rows[key] for key in sorted(self.rows))

    async def node(self, node_id: str) -> Node | None:
        return self.rows.get(node_id)

    async def set_connection(self, node_id: str, connection_id: str) -> bool:
        if node_id not in self.rows:
            return False
        self.rows[node_id] = replace(self.rows[node_id], connection_id=connection_id)
        return True

    async def clear_connection(self, node_id: str, connection_id: str) -> bool:
        row = self.rows.get(node_id)
        if row is None or row.connection_id != connection_id:
            return False
        self.rows[node_id] = replace(row, connection_id="")
        return True

    async def relay(self, session_id: str) -> Relay:
        if self.away or session_id in self.broken:
            raise self.away or AppError(Code.UPSTREAM_UNAVAILABLE)
        return self.relays.get(session_id, Relay(session_id))

    async def change(self, relay: Relay, now_ms: int) -> bool:
        for where in (relay.node_id, "waiting" if relay.asked_ms else ""):
            if where:
                self.listed[where, relay.session_id] = relay.generation
        await asyncio.sleep(0)
        if self.relays.get(relay.session_id, Relay(relay.session_id)).generation != relay.generation - 1:
            return False
        self.relays[relay.session_id] = relay
        if not relay.asked_ms:
            self._unlist("waiting", relay)
        return True

    async def note_few(self, relay: Relay) -> None:
        old = self.relays.get(relay.session_id)
        if old is not None and old.generation == relay.generation:
            self.relays[relay.session_id] = replace(old, few_ms=relay.few_ms)

    async def note_reason(self, relay: Relay) -> bool:
        await asyncio.sleep(0)
        old = self.relays.get(relay.session_id)
        if old is None or old.generation != relay.generation:
            return False
        self.relays[relay.session_id] = replace(old, reason=relay.reason)
        return True

    async def unlist(self, old: Relay) -> None:
        self._unlist(old.node_id, old)

    async def rooms_of(self, node_id: str) -> tuple[str, ...]:
        return tuple(sorted(session_id for where, session_id in self.listed if where == node_id))

    async def waiting(self) -> tuple[str, ...]:
        return await self.rooms_of("waiting")

    async def erase(self, session_id: str) -> None:
        self.relays.pop(session_id, None)
        self.listed.pop(("waiting", session_id), None)

    async def may_start(self, now_ms: int) -> bool:
        if self.started_ms is not None and self.started_ms > now_ms - limits.NODE_START_S * 1000:
            return False
        self.started_ms = now_ms
        return True

    async def forget_start(self) -> None:
        self.started_ms = None

    def _unlist(self, where: str, relay: Relay) -> None:
        if self.listed.get((where, relay.session_id), relay.generation + 1) <= relay.generation:
            del self.listed[where, relay.session_id]
