"""Which node a room is given, and what is said of it."""

from dataclasses import replace

import pytest

from chalicelib.peers.model import Node, NodeStatus, Relay, choose, desired_tasks, node_of, peer_id_of, too_few
from chalicelib.wire import limits
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus

NOW = 1_700_000_000_000
S = "ses_" + "a" * 20
NODE = Node(
    node_id="node_" + "1" * 12, address="192.0.2.1", port=4000, capacity=100, seen_at_ms=NOW, connection_id="n="
)
OTHER = replace(NODE, node_id="node_" + "2" * 12)


def test_peer_ids_of_nodes() -> None:
    """A node is called the same in every room; a page's id is no node's, whatever its user or tab is called."""
    assert node_of(NODE.peer_id) == NODE.node_id
    assert peer_id_of(NODE.node_id) == NODE.peer_id == f"node_{'1' * 12}.relay"
    assert node_of("ada.tab00001") is node_of("ada.relay") is node_of("node_1.tab00001") is node_of("node_1") is None


def test_the_least_loaded_is_chosen() -> None:
    """By its share of capacity, then by rooms, then by name, so that all who choose choose the same."""
    assert choose([replace(NODE, load=10), OTHER], 7, NOW) == OTHER
    assert choose([replace(NODE, load=30, capacity=400), replace(OTHER, load=20)], 7, NOW) == replace(
        NODE, load=30, capacity=400
    )
    assert choose([replace(NODE, rooms=2), replace(OTHER, rooms=1)], 7, NOW) == replace(OTHER, rooms=1)
    assert choose([OTHER, NODE], 7, NOW) == NODE


@pytest.mark.parametrize(
    "unfit",
    [
        replace(NODE, load=94),
        replace(NODE, capacity=0),
        replace(NODE, rooms=limits.NODE_ROOMS_MAX),
        replace(NODE, status=NodeStatus.DRAINING),
        replace(NODE, connection_id=""),
        replace(NODE, seen_at_ms=NOW - limits.NODE_LOST_S * 1000),
    ],
    ids=["full", "takes none", "has too many rooms", "drains", "unreachable", "lost"],
)
def test_who_cannot_is_never_chosen(unfit: Node) -> None:
    """However idle it is."""
    assert choose([unfit], 7, NOW) is None
    assert choose([unfit, replace(OTHER, load=93)], 7, NOW) == replace(OTHER, load=93)


def test_a_room_fits_to_the_last_place() -> None:
    """All of its pages must."""
    assert choose([replace(NODE, load=93)], 7, NOW) is not None
    assert choose([], 7, NOW) is None


def test_what_pages_are_told() -> None:
    """A node's peer id while there is one; that one is coming, as long as it may; nothing else."""
    ready = RelayState(status=RelayStatus.READY, generation=3, peer_id=NODE.peer_id)
    assert Relay(S, NODE.node_id, 3).state(NOW) == ready
    waiting = Relay(S, "", 4, asked_ms=NOW, coming=True)
    late = NOW + limits.NODE_START_S * 1000
    assert waiting.state(late - 1) == RelayState(status=RelayStatus.STARTING, generation=4)
    assert waiting.state(late) == RelayState(status=RelayStatus.NONE, generation=4)
    assert replace(waiting, coming=False).state(NOW).status is RelayStatus.NONE
    assert Relay(S).state(NOW) == RelayState(status=RelayStatus.NONE)


def test_who_has_a_node_does_not_wait() -> None:
    """Nor who never asked."""
    assert Relay(S, "", 1, asked_ms=NOW).waits(NOW)
    assert not Relay(S, NODE.node_id, 1, asked_ms=NOW).waits(NOW)
    assert not Relay(S).waits(NOW)


@pytest.mark.parametrize(
    ("desired", "alive", "most", "wanted"),
    [(0, 0, 2, 1), (1, 1, 2, 2), (2, 2, 2, 2), (1, 0, 2, 1), (3, 3, 2, 3), (1, 2, 4, 2), (0, 0, 0, 0)],
)
def test_how_many_tasks(desired: int, alive: int, most: int, wanted: int) -> None:
    """One more, unless one is on its way or there are as many as there may be; never fewer."""
    assert desired_tasks(desired, alive, most) == wanted


def test_when_a_relay_is_of_no_use() -> None:
    """Where a mesh carries the room; a page whose uplink does not keeps it while anybody else is there."""
    assert too_few(Relay(S), limits.MESH_LEAVE)
    assert not too_few(Relay(S), limits.MESH_LEAVE + 1)
    assert not too_few(Relay(S, reason=RelayReason.UPLINK), 2)
    assert too_few(Relay(S, reason=RelayReason.UPLINK), 1)
    assert not too_few(Relay(S, reason=RelayReason.RECORDING), 1)
    assert too_few(Relay(S, reason=RelayReason.RECORDING), 0)
