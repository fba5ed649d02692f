"""A room, its pages and media nodes over the fakes, with the peers room's services on top."""

from typing import Any, TypeVar

import msgspec

from chalicelib.peers.model import Node, NodeStatus
from chalicelib.peers.service import Peers
from chalicelib.peers.signals import Signals
from chalicelib.presence.broadcast import Broadcaster
from chalicelib.presence.model import Connection, Row
from chalicelib.presence.service import Presence
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import RelayReason
from chalicelib.wire.signals import RelayRequest
from chalicelib.wire.types import Role, UserKind
from tests.fakes.nodes import MemoryNodes
from tests.fakes.presence import Clock, MemoryRows, MemorySender

S = "ses_" + "a" * 20
N1 = "node_" + "1" * 12
N2 = "node_" + "2" * 12
N3 = "node_" + "3" * 12
M = TypeVar("M")


class MemoryScaler:
    """Remembers how many were alive when one more was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.coming = True
        self.broken: AppError | None = None

    async def another(self, alive: int) -> bool:
        self.asked.append(alive)
        if self.broken:
            raise self.broken
        return self.coming


class Plaza:
    """Everything. Pages are `page(name)`; connections are `c-<name>`, nodes' are `n-<node id>`."""

    def __init__(self, *, scaling: bool = True) -> None:
        self.clock = Clock()
        self.rows = MemoryRows()
        self.sender = MemorySender()
        self.nodes = MemoryNodes()
        self.scaler = MemoryScaler()
        self.logged: list[str] = []
        broadcaster = Broadcaster(
            self.rows, self.sender, self._on_gone, now_ms=self.clock, new_id=lambda: "h", sleep=self.clock.sleep
        )
        self.presence = Presence(self.rows, self.sender, broadcaster, now_ms=self.clock)
        self.peers = self.container(scaling=scaling)
        self.signals = Signals(
            self.presence, self.nodes, self.sender.post, self.peers.node_disconnected, now_ms=self.clock
        )

    def container(self, *, scaling: bool = True) -> Peers:
        """Another process."""
        scaler = self.scaler if scaling else None
        return Peers(self.nodes, self.presence, self.sender.post, scaler, now_ms=self.clock, log=self._log)

    async def page(self, name: str, session_id: str = S, *, rtc: bool = True, role: Role = Role.EDITOR) -> Connection:
        """Somebody's page, which has entered."""
        peer_id = f"{name}.tab00001"
        made = Connection(f"c-{name}", session_id, peer_id, name, name.title(), "#aabbcc", UserKind.GUEST)
        await self.presence.connect(made, role)
        await self.presence.enter(made)
        await self.rows.set_rtc(session_id, peer_id, rtc)
        return made

    async def crowd(self, pages: int, session_id: str = S) -> list[Connection]:
        """So many pages."""
        return [await self.page(f"p{number}", session_id) for number in range(pages)]

    async def node(self, node_id: str = N1, **fields: Any) -> None:
        """A node that beats and has a connection."""
        await self.beat(node_id, **fields)
        await self.peers.node_entered(node_id, f"n-{node_id}")
        await self.peers.serve_waiting()

    async def beat(self, node_id: str = N1, **fields: Any) -> None:
        """A node that beats."""
        known: dict[str, Any] = {"address": "192.0.2.1", "port": 4000, "capacity": 100, "seen_at_ms": self.clock.ms}
        await self.nodes.beat(Node(node_id=node_id, **{**known, **fields}))

    async def drain(self, node_id: str = N1) -> None:
        """A node says that it takes nobody more."""
        await self.beat(node_id, status=NodeStatus.DRAINING)

    def told(self, name: str, type_: type[M]) -> list[M]:
        """What of a type a page got."""
        return [msgspec.json.decode(data, type=type_) for data in self.sender.to(f"c-{name}") if _is(data, type_)]

    def told_node(self, node_id: str, type_: type[M]) -> list[M]:
        """What of a type a node got."""
        return [msgspec.json.decode(data, type=type_) for data in self.sender.to(f"n-{node_id}") if _is(data, type_)]

    def _log(self, name: str, **fields: object) -> None:
        self.logged.append(name)

    async def _on_gone(self, row: Row) -> None:
        return


def request(reason: RelayReason = RelayReason.COUNT, generation: int = 0) -> RelayRequest:
    """A page's."""
    return RelayRequest(reason=reason, generation=generation)


def _is(data: bytes, type_: type[Any]) -> bool:
    return bool(msgspec.json.decode(data)["type"] == type_.__struct_config__.tag)
