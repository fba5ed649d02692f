"""What media nodes were given that their rows do not say yet. Pure: rows and the clock in, rows out.

A row is a beat old, and pages take a moment to connect: of the rooms that a lost node leaves, moved all at once, each would
find the same node idle. One process remembers what it gave away itself; of what others give it knows what rows say.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib.peers.model import Node
from chalicelib.wire import limits


@dataclass(slots=True)
class _Promised:
    """A node as it will be once all are there, and when it was last given any."""

    load: int
    rooms: int
    at_ms: int


class Promises:
    """Rooms and their pages that are on their way to nodes."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Promised] = {}

    def counted(self, nodes: Iterable[Node], now_ms: int) -> list[Node]:
        """Nodes as loaded as they will soon be: never less than they are."""
        oldest = now_ms - limits.NODE_GIVEN_S * 1000
        self._nodes = {node_id: known for node_id, known in self._nodes.items() if known.at_ms > oldest}
        return [self._counted(node) for node in nodes]

    def _counted(self, node: Node) -> Node:
        known = self._nodes.get(node.node_id)
        if known is None:
            return node
        return replace(node, load=max(node.load, known.load), rooms=max(node.rooms, known.rooms))

    def promise(self, node: Node, pages: int, now_ms: int) -> None:
        """A room of so many pages goes to a node, which is as it was counted."""
        self._nodes[node.node_id] = _Promised(node.load + pages, node.rooms + 1, now_ms)

    def withdraw(self, node_id: str, pages: int) -> None:
        """It does not: somebody else decided."""
        known = self._nodes.get(node_id)
        if known is not None:
            known.load -= pages
            known.rooms -= 1
