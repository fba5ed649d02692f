"""What media nodes were given that their rows do not say yet. Pure: rows and the clock in, rows out.

A row is a beat old, and pages take a moment to connect: of the rooms that a lost node leaves, moved all at once, each would
find the same node idle. One process remembers what it gave away itself; of what others give it knows what rows say.
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.peers.model import Node
from chalicelib.wire import limits


class Promises:
    """Pages that are on their way to nodes."""

    def __init__(self) -> None:
        self._loads: dict[str, tuple[int, int]] = {}
        """By node: its load once all are there, and when the last were promised."""

    def counted(self, nodes: Iterable[Node], now_ms: int) -> list[Node]:
        """Nodes as loaded as they will soon be: never less than they are."""
        oldest = now_ms - limits.NODE_GIVEN_S * 1000
        self._loads = {node_id: (load, at) for node_id, (load, at) in self._loads.items() if at > oldest}
        return [replace(n, load=max(n.load, self._loads.get(n.node_id, (0, 0))[0])) for n in nodes]

    def promise(self, node: Node, pages: int, now_ms: int) -> None:
        """So many pages go to a node, which is as it was counted."""
        self._loads[node.node_id] = (node.load + pages, now_ms)

    def withdraw(self, node_id: str, pages: int) -> None:
        """They do not: somebody else decided."""
        if node_id in self._loads:
            load, at = self._loads[node_id]
            self._loads[node_id] = (load - pages, at)
