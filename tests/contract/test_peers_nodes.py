"""One contract for media nodes and who relays which room, run on the fake, on moto and on Amazon's DynamoDB Local."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from chalicelib.peers.model import Node, NodeStatus, Relay
from chalicelib.peers.service import Registry
from chalicelib.wire import limits
from chalicelib.wire.peers import RelayReason
from tests.contract.tables import Database, media_nodes

NOW = 1_700_000_000_000
S = "ses_" + "a" * 20
T = "ses_" + "b" * 20
N1 = "node_" + "1" * 12
N2 = "node_" + "2" * 12


def node(node_id: str = N1, at_ms: int = NOW) -> Node:
    """A node as it writes itself."""
    return Node(
        node_id=node_id,
        address="203.0.113.7",
        port=40000,
        capacity=400,
        load=12,
        rooms=2,
        version="1",
        status=NodeStatus.SERVING,
        seen_at_ms=at_ms,
    )


@pytest.fixture
async def registry(database: Database) -> AsyncIterator[Registry]:
    """The implementation under test, empty."""
    async with media_nodes(database) as made:
        yield made


async def test_a_node_is_found_as_it_was_written(registry: Registry) -> None:
    """All of a row comes back, alone and among the others; one that is not there is None."""
    assert await registry.node(N1) is None
    assert await registry.nodes() == ()
    await registry.beat(node())
    await registry.beat(node(N2))
    assert await registry.node(N1) == node()
    assert await registry.nodes() == (node(), node(N2))


async def test_a_beat_leaves_the_connection(registry: Registry) -> None:
    """Nodes write all but `conn`, which only functions write."""
    await registry.beat(node())
    assert await registry.set_connection(N1, "c1=")
    await registry.beat(replace(node(at_ms=NOW + 1000), load=13, status=NodeStatus.DRAINING))
    found = await registry.node(N1)
    assert found == replace(node(at_ms=NOW + 1000), load=13, status=NodeStatus.DRAINING, connection_id="c1=")


async def test_no_connection_without_a_node(registry: Registry) -> None:
    """A node registers before it connects; none is made by connecting."""
    assert not await registry.set_connection(N1, "c1=")
    assert await registry.node(N1) is None


async def test_only_ones_own_connection_is_cleared(registry: Registry) -> None:
    """An old connection that ends late takes nothing from the newer one."""
    await registry.beat(node())
    await registry.set_connection(N1, "c1=")
    await registry.set_connection(N1, "c2=")
    assert not await registry.clear_connection(N1, "c1=")
    assert await registry.clear_connection(N1, "c2=")
    assert not await registry.clear_connection(N1, "c2=")
    assert not await registry.clear_connection(N2, "c2=")
    assert await registry.node(N1) == node()


async def test_a_node_ends(registry: Registry) -> None:
    """Forgotten is gone; once more is harmless."""
    await registry.beat(node())
    await registry.forget(N1)
    await registry.forget(N1)
    assert await registry.nodes() == ()


async def test_a_room_without_a_relay(registry: Registry) -> None:
    """Where nobody ever relayed there is generation 0."""
    assert await registry.relay(S) == Relay(S)


async def test_a_relay_is_kept_whole(registry: Registry) -> None:
    """What was set is read; the room is listed with its node."""
    given = Relay(S, N1, 1, reason=RelayReason.UPLINK)
    assert await registry.change(given, NOW)
    assert await registry.relay(S) == given
    assert await registry.rooms_of(N1) == (S,)
    assert await registry.waiting() == ()


async def test_compare_and_set(registry: Registry) -> None:
    """A change is made on the generation before it, or not at all."""
    assert await registry.change(Relay(S, N1, 1), NOW)
    assert not await registry.change(Relay(S, N2, 1), NOW)
    assert not await registry.change(Relay(S, N2, 3), NOW)
    assert (await registry.relay(S)).node_id == N1
    assert await registry.change(Relay(S, N2, 2), NOW)
    assert (await registry.relay(S)).node_id == N2


async def test_no_change_of_what_is_not_there(registry: Registry) -> None:
    """A later generation needs the one before."""
    assert not await registry.change(Relay(S, N1, 2), NOW)
    assert await registry.relay(S) == Relay(S)


async def test_of_two_who_assign_at_once_one_wins(registry: Registry) -> None:
    """However many functions race, one node has the room."""
    ids = [f"node_{number:012d}" for number in range(8)]
    for generation in (1, 2, 3):
        won = await asyncio.gather(*(registry.change(Relay(S, i, generation), NOW) for i in ids))
        assert sum(won) == 1
        assert await registry.relay(S) == Relay(S, ids[won.index(True)], generation)


async def test_rooms_wait_and_are_found(registry: Registry) -> None:
    """A room that waits is listed until it has a node."""
    assert await registry.change(Relay(S, "", 1, asked_ms=NOW, coming=True), NOW)
    assert await registry.change(Relay(T, "", 1, asked_ms=NOW), NOW)
    assert await registry.waiting() == (S, T)
    assert await registry.relay(S) == Relay(S, "", 1, asked_ms=NOW, coming=True)
    assert await registry.change(Relay(S, N1, 2), NOW)
    assert await registry.waiting() == (T,)


async def test_who_moves_a_room_takes_it_off_the_old_list(registry: Registry) -> None:
    """And leaves it there, where the room came back to that node meanwhile."""
    old = Relay(S, N1, 1)
    await registry.change(old, NOW)
    await registry.change(Relay(S, N2, 2), NOW)
    await registry.unlist(old)
    await registry.unlist(old)
    assert (await registry.rooms_of(N1), await registry.rooms_of(N2)) == ((), (S,))
    await registry.change(Relay(S, N1, 3), NOW)
    await registry.unlist(old)
    assert await registry.rooms_of(N1) == (S,)


async def test_since_when_a_room_is_small(registry: Registry) -> None:
    """Noted beside the generation it was seen at; nothing where the room has another by now."""
    given = Relay(S, N1, 1)
    await registry.change(given, NOW)
    await registry.note_few(replace(given, few_ms=NOW))
    assert await registry.relay(S) == replace(given, few_ms=NOW)
    await registry.note_few(replace(given, generation=2, few_ms=NOW + 1))
    assert await registry.relay(S) == replace(given, few_ms=NOW)
    await registry.note_few(Relay(T, few_ms=NOW))
    assert await registry.relay(T) == Relay(T)


async def test_why_a_room_has_its_relay(registry: Registry) -> None:
    """Noted beside the generation it was seen at, and nothing else is changed by it; False where that is over."""
    given = Relay(S, N1, 1, few_ms=NOW)
    await registry.change(given, NOW)
    recording = replace(given, reason=RelayReason.RECORDING)
    assert await registry.note_reason(Relay(S, generation=1, reason=RelayReason.RECORDING))
    assert await registry.relay(S) == recording
    assert not await registry.note_reason(Relay(S, generation=2))
    assert not await registry.note_reason(Relay(T, generation=1))
    assert (await registry.relay(S), await registry.relay(T)) == (recording, Relay(T))


async def test_one_asks_for_a_task_at_a_time(registry: Registry) -> None:
    """Of all who would start a node, one may, each NODE_START_S."""
    assert sum(await asyncio.gather(*(registry.may_start(NOW) for _ in range(6)))) == 1
    assert not await registry.may_start(NOW + limits.NODE_START_S * 1000 - 1)
    assert await registry.may_start(NOW + limits.NODE_START_S * 1000)
    assert await registry.nodes() == ()
    await registry.forget_start()
    assert await registry.may_start(NOW + limits.NODE_START_S * 1000)


async def test_an_ended_session_leaves_nothing(registry: Registry) -> None:
    """Who relays it and that it waits is gone; once more is harmless."""
    await registry.change(Relay(S, "", 1, asked_ms=NOW), NOW)
    await registry.erase(S)
    await registry.erase(S)
    assert await registry.relay(S) == Relay(S)
    assert await registry.waiting() == ()
