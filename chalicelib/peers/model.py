"""Media nodes, and which of them relays a room. Pure: rows and the clock in, decisions out.

A room is given to the least loaded node that is alive and has room for it, and stays there (sticky): moving costs every page
a new connection. Who relays a room is one item, changed by compare-and-set on its generation, so two functions that
decide at once never give it to two nodes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from chalicelib.wire import limits
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus

RELAY_TAB: Final = "relay"
"""The tab of a media node's peer id, in every room."""


class NodeStatus(StrEnum):
    """What a media node says of itself."""

    SERVING = "serving"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Node:
    """A media node, as its row has it. `load` is peers, `connection_id` its WebSocket's (empty: it has none)."""

    node_id: str
    address: str
    port: int
    capacity: int
    load: int = 0
    rooms: int = 0
    version: str = ""
    status: NodeStatus = NodeStatus.SERVING
    seen_at_ms: int = 0
    connection_id: str = ""

    @property
    def peer_id(self) -> str:
        """What it is called in every room."""
        return peer_id_of(self.node_id)

    def beats(self, now_ms: int) -> bool:
        """Whether it was heard of within NODE_LOST_S."""
        return self.seen_at_ms + limits.NODE_LOST_S * 1000 > now_ms

    def alive(self, now_ms: int) -> bool:
        """Whether it serves, and can be reached."""
        return self.status is NodeStatus.SERVING and bool(self.connection_id) and self.beats(now_ms)


def peer_id_of(node_id: str) -> str:
    """A node's peer id, the same in every room."""
    return f"{node_id}.{RELAY_TAB}"


def node_of(peer_id: str) -> str | None:
    """The node that a peer id names; None where it is a page's."""
    node_id, _, tab = peer_id.partition(".")
    return node_id if tab == RELAY_TAB and node_id.startswith("node_") else None


@dataclass(frozen=True, slots=True)
class Relay:
    """Who relays a room. Generation 0: nobody ever did.

    `node_id` is empty where nobody does. `asked_ms` is since when the room waits for one, 0 where it does not, and `coming`
    whether one is on its way. `few_ms` is since when there are too few pages for a relay, 0 where there are enough.
    """

    session_id: str
    node_id: str = ""
    generation: int = 0
    asked_ms: int = 0
    coming: bool = False
    reason: RelayReason = RelayReason.COUNT
    few_ms: int = 0

    def state(self, now_ms: int) -> RelayState:
        """As pages are told."""
        if self.node_id:
            peer_id = peer_id_of(self.node_id)
            return RelayState(status=RelayStatus.READY, generation=self.generation, peer_id=peer_id)
        starting = self.coming and self.waits(now_ms)
        return RelayState(status=RelayStatus.STARTING if starting else RelayStatus.NONE, generation=self.generation)

    def waits(self, now_ms: int) -> bool:
        """Whether a node was asked for so lately that it may yet come."""
        return not self.node_id and self.asked_ms + limits.NODE_START_S * 1000 > now_ms


def choose(nodes: Iterable[Node], pages: int, now_ms: int) -> Node | None:
    """The node for a room of so many pages: the least loaded that lives and can take it with them. None: there is none."""
    alive = (n for n in nodes if n.alive(now_ms))
    able = [n for n in alive if n.load + pages <= n.capacity and n.rooms < limits.NODE_ROOMS_MAX]
    return min(able, key=lambda n: (n.load / n.capacity, n.rooms, n.node_id), default=None)


def desired_tasks(desired: int, alive: int, most: int) -> int:
    """How many tasks the nodes' service is to run where one more is needed: those on their way are waited for."""
    return desired if desired > alive else min(desired + 1, max(desired, most))


def too_few(relay: Relay, pages: int) -> bool:
    """Whether a room has no use for its relay: a mesh carries it, nobody said that theirs does not, nothing is recorded."""
    match relay.reason:
        case RelayReason.RECORDING:
            return pages == 0
        case RelayReason.UPLINK:
            return pages <= 1
        case RelayReason.COUNT | RelayReason.LOST:
            return pages <= limits.MESH_LEAVE
        case _:
            assert_never(relay.reason)
