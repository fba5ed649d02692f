"""What media nodes were given that their rows do not say yet. Pure: rows and the clock in, rows out.

A row is a beat old, and pages take a moment to connect: of the rooms that a lost node leaves, moved all at once, each would
find the same node idle. One process remembers what it gave away itself; of what others give it knows what rows say.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib.peers.model import Node
from chalicelib.wire import limits


@dataclass(frozen=True, slots=True)
class _Given:
    """A room that a node was given: its pages, when, and what the node's row said then."""

    pages: int
    at_ms: int
    load: int
    rooms: int


class Promises:
    """Rooms and their pages that are on their way to nodes. Each counts for its own time, however many come after it."""

    def __init__(self) -> None:
        self._given: dict[str, list[_Given]] = {}
        """By node, the oldest first."""

    def counted(self, nodes: Iterable[Node], now_ms: int) -> list[Node]:
        """Nodes as loaded as they will soon be: never less than they are."""
        oldest = now_ms - limits.NODE_GIVEN_S * 1000
        kept = {node_id: [each for each in given if each.at_ms > oldest] for node_id, given in self._given.items()}
        self._given = {node_id: given for node_id, given in kept.items() if given}
        return [self._counted(node) for node in nodes]

    def _counted(self, node: Node) -> Node:
        load, rooms, pages = node.load, node.rooms, 0
        for number, each in enumerate(reversed(self._given.get(node.node_id, ())), 1):
            pages += each.pages
            load, rooms = max(load, each.load + pages), max(rooms, each.rooms + number)
        return replace(node, load=load, rooms=rooms)

    def promise(self, node: Node, pages: int, now_ms: int) -> None:
        """A room of so many pages goes to a node, which is as its row says."""
        self._given.setdefault(node.node_id, []).append(_Given(pages, now_ms, node.load, node.rooms))

    def withdraw(self, node_id: str, pages: int) -> None:
        """It does not: somebody else decided."""
        given = self._given.get(node_id, [])
        for each in reversed(given):
            if each.pages == pages:
                given.remove(each)
                return
