"""Rooms that are given away in the same moment are spread, though no row says yet what was given."""

from dataclasses import replace

from chalicelib.peers.model import Node
from chalicelib.peers.promises import Promises
from chalicelib.wire import limits
from tests.fakes.plaza import N1, N2, N3, Plaza

NOW = 1_700_000_000_000
NODE = Node("node_" + "1" * 12, "192.0.2.1", 4000, capacity=100, load=10)
MANY = limits.MESH_MAX + 1
ROOMS = tuple("ses_" + letter * 20 for letter in "abcd")


async def full_house(plaza: Plaza) -> None:
    """One node with all rooms, MANY pages in each."""
    await plaza.node(N1)
    for session_id in ROOMS:
        await plaza.crowd(MANY, session_id)
        await plaza.peers.crowded(session_id)


async def relays(plaza: Plaza) -> list[str]:
    """Who relays each room, as it is kept."""
    return [(await plaza.nodes.relay(session_id)).node_id for session_id in ROOMS]


async def test_the_rooms_of_a_lost_node_are_spread_over_those_that_live() -> None:
    """All of them are moved before any node beats again."""
    plaza = Plaza()
    await full_house(plaza)
    await plaza.node(N2)
    await plaza.node(N3)
    await plaza.peers.node_disconnected(N1, f"n-{N1}")
    assert sorted(await relays(plaza)) == [N2, N2, N3, N3]


async def test_no_node_is_given_more_rooms_at_once_than_it_has_places_for() -> None:
    """What fits nowhere waits, and a task is asked for."""
    plaza = Plaza()
    await full_house(plaza)
    await plaza.node(N2, capacity=2 * MANY)
    await plaza.node(N3, capacity=2 * MANY - 1)
    await plaza.peers.node_disconnected(N1, f"n-{N1}")
    assert sorted(await relays(plaza)) == ["", N2, N2, N3]
    assert plaza.scaler.asked == [2]


def test_what_was_promised_counts_until_the_row_says_it() -> None:
    """Never twice: once the pages are there they are in the row; what never came is forgotten."""
    promises = Promises()
    assert promises.counted([NODE], NOW) == [NODE]
    promises.promise(NODE, 7, NOW)
    assert promises.counted([NODE], NOW + 1) == [replace(NODE, load=17, rooms=1)]
    assert promises.counted([replace(NODE, load=17)], NOW + 1) == [replace(NODE, load=17, rooms=1)]
    assert promises.counted([replace(NODE, load=20, rooms=3)], NOW + 1) == [replace(NODE, load=20, rooms=3)]
    assert promises.counted([NODE], NOW + limits.NODE_GIVEN_S * 1000) == [NODE]


def test_a_node_that_is_given_room_after_room_is_no_fuller_than_these() -> None:
    """Each counts for its own time: those of a moment ago do not keep alive what ended long since."""
    promises = Promises()
    every_ms = limits.NODE_GIVEN_S * 1000 // 2
    for given in range(20):
        (counted,) = promises.counted([NODE], NOW + given * every_ms)
        assert (counted.load, counted.rooms) == (10 + 7 * min(given, 1), min(given, 1))
        promises.promise(NODE, 7, NOW + given * every_ms)


def test_what_was_withdrawn_counts_no_more() -> None:
    """Another process decided; what is forgotten already stays so."""
    promises = Promises()
    promises.promise(NODE, 7, NOW)
    promises.promise(NODE, 7, NOW)
    assert promises.counted([NODE], NOW) == [replace(NODE, load=24, rooms=2)]
    promises.withdraw(NODE.node_id, 7)
    promises.withdraw("node_" + "2" * 12, 7)
    assert promises.counted([NODE], NOW) == [replace(NODE, load=17, rooms=1)]
