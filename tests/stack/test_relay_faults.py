"""The documents under fire on the relay: each fault by its name, with the checker as the judge (clauses Z1-Z8).

Edits go by the channels of a media node, and by the WebSocket while there is none. docs/faults.md says what stands where.
"""

import asyncio
import signal
from dataclasses import replace

import pytest

from chalicelib.aws.dynamo import Dynamo
from chalicelib.peers.nodes import NodeStore
from tests.faults.crew import Crew, until
from tests.faults.house import APPEND, HANDS, SOAK, House, judged
from tests.faults.proxy import Fault, Rule, Where
from tests.faults.relays import PREFIX, MediaNode, RelayedHand, forget_lease, on_relay, relayed
from tests.faults.rooms import on_node

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

EDITS = 60 if SOAK else 10
REGISTRY = Where(has=b'"holodeck-local-media"')


async def under_load(crew: Crew) -> "asyncio.Task[None]":
    """Everybody edits, and something has been acknowledged already."""
    working = asyncio.create_task(crew.work(EDITS))
    await until(lambda: len(crew.history.acked) > HANDS, "acknowledged")
    return working


async def more(crew: Crew, acked: int = 3) -> None:
    """So much more is acknowledged."""
    known = len(crew.history.acked)
    await until(lambda: len(crew.history.acked) >= known + acked, "acknowledged")


async def test_a_node_that_is_killed_under_load(house: House, relay_crew: Crew) -> None:
    """Its people go on by WebSocket, and by the node that comes instead."""
    working = await under_load(relay_crew)
    house.relays.nodes[0].kill()
    await more(relay_crew)
    await house.relays.another()
    await working
    await on_relay(relay_crew, "everybody has the next one's channels")
    await relay_crew.work(2)
    await judged(house, relay_crew)


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.LOSE])
async def test_a_node_that_is_killed_at_its_append(house: House, relay_crew: Crew, fault: Fault) -> None:
    """Before the write, or after it with nobody told."""
    node = house.relays.nodes[0]
    node.dynamodb.rule(Rule(fault, "killed", APPEND, times=1, then=node.kill))
    await relay_crew.work(EDITS)
    assert node.dynamodb.met["killed"] == 1
    await judged(house, relay_crew)


async def test_a_node_that_is_stopped_past_its_lease(house: House, seed: int) -> None:
    """At its append; functions, then another node, commit meanwhile. When it goes on, the append fences it."""
    async with on_node(house, seed, nodes=2) as crew:
        node = await house.relays.owner(crew.session_id)
        (other,) = set(house.relays.nodes) - {node}
        node.dynamodb.rule(Rule(Fault.DROP, "stopped", APPEND, times=1, then=node.pause))
        await crew.work(EDITS)
        assert node.dynamodb.met["stopped"] == 1
        await until(lambda: all(client.port == other.port for client in relayed(crew)), "everybody is at the other")
        other.dynamodb.rule(Rule(Fault.WATCH, "appended", APPEND))
        while not other.dynamodb.met["appended"]:
            await crew.work(1)
        working = asyncio.create_task(crew.work(EDITS))
        node.heal()
        await working
        await judged(house, crew)
        assert await house.relays.owner(crew.session_id) is other


async def test_a_node_that_is_cut_off_from_the_database(house: House, relay_crew: Crew) -> None:
    """It can neither append nor beat: once it counts as lost it lets its people go, whose edits the functions commit."""
    node = house.relays.nodes[0]
    working = await under_load(relay_crew)
    already = node.dynamodb.met["partition"]
    node.dynamodb.partition()
    await until(lambda: node.dynamodb.met["partition"] > already + 1, "partitioned")
    await more(relay_crew)
    node.dynamodb.heal()
    await working
    await judged(house, relay_crew)


async def test_a_node_whose_writes_are_lost_throttled_and_late(house: House, relay_crew: Crew) -> None:
    """Whatever it believes of an append, the log is what counts."""
    node = house.relays.nodes[0]
    node.dynamodb.rule(
        Rule(Fault.LOSE, "append lost", APPEND, chance=0.3),
        Rule(Fault.LATE, "append late", APPEND, chance=0.3, delay_s=0.15),
        Rule(Fault.THROTTLE, "throttled", chance=0.1),
        Rule(Fault.LOSE, "lost", chance=0.1),
        seed=relay_crew.seed,
    )
    await relay_crew.work(EDITS)
    while node.dynamodb.met["append lost"] + node.dynamodb.met["append late"] < 4:
        await relay_crew.work(1)
    await judged(house, relay_crew)


async def test_a_node_that_nothing_gets_to(house: House, relay_crew: Crew) -> None:
    """No datagram arrives either way; it holds the document's lease, and its people go on by WebSocket."""
    working = await under_load(relay_crew)
    RelayedHand.network.weather(cut=True)
    await until(lambda: not any(client.carried for client in relayed(relay_crew)), "everybody has noticed")
    await more(relay_crew)
    RelayedHand.network.weather()
    await working
    await on_relay(relay_crew, "everybody has come again")
    await relay_crew.work(2)
    await judged(house, relay_crew)


async def test_two_nodes_that_both_own_a_document(house: House, seed: int) -> None:
    """Both have people, both hold the lease as far as they know, and both append."""
    async with on_node(house, seed, nodes=2) as crew:
        one, other = await parted(house, crew)
        began = {node: node.dynamodb.met["appended"] for node in (one, other)}
        forgetting = asyncio.create_task(forgotten_again_and_again(house, crew))
        await crew.work(EDITS)
        while not all(node.dynamodb.met["appended"] > began[node] + 1 for node in (one, other)):
            await crew.work(1)
        forgetting.cancel()
        await judged(house, crew)


async def forgotten_again_and_again(house: House, crew: Crew) -> None:
    """Whoever asks gets the lease, until cancelled."""
    while True:
        await forget_lease(house.database_url, crew.document_id)
        await asyncio.sleep(0.1)


async def parted(house: House, crew: Crew) -> tuple[MediaNode, MediaNode]:
    """The room's node, which learns nothing of another one's having the room, and that other one; each with people."""
    one = await house.relays.owner(crew.session_id)
    (other,) = set(house.relays.nodes) - {one}
    one.line.silence()
    one.dynamodb.rule(Rule(Fault.DROP, "kept from it", REGISTRY), Rule(Fault.WATCH, "appended", APPEND))
    other.dynamodb.rule(Rule(Fault.WATCH, "appended", APPEND))
    staying, *going = relayed(crew)
    staying.stays = True
    relay = await house.relays.relay_of(crew.session_id)
    dynamo = Dynamo(house.database_url, "us-east-1")
    given = replace(relay, node_id=other.node_id, generation=relay.generation + 1)
    assert await NodeStore(dynamo, PREFIX).change(given, 1)
    await dynamo.close()
    for client in going:
        await client.forget(one.port)
    await until(lambda: all(client.port == other.port for client in going), "some have the other's channels")
    assert staying.carried
    assert staying.port == one.port
    return one, other


async def test_a_node_whose_websocket_is_cut(house: House, relay_crew: Crew) -> None:
    """It is not to be reached for a moment, enters again, and gets the room again, which had no node meanwhile."""
    node = house.relays.nodes[0]
    working = await under_load(relay_crew)
    entered = len(node.told("signalling.entered"))
    node.line.cut()
    await until(lambda: len(node.told("signalling.entered")) > entered, "it has entered again")
    await working
    await on_relay(relay_crew, "everybody has channels again")
    await relay_crew.work(2)
    await judged(house, relay_crew)
    assert (await house.relays.owner(relay_crew.session_id)) is node


async def test_messages_on_the_channels(house: House, relay_crew: Crew) -> None:
    """Dropped, doubled, late, overtaking: whatever stands between the client and its channel."""
    relay_crew.weather = lambda rng, _way: rng.choice(((0.0,), (0.0,), (), (0.0, rng.uniform(0, 0.3)), (0.2,)))
    await relay_crew.work(EDITS)
    await judged(house, relay_crew)


async def test_a_node_that_is_told_to_end(house: House, seed: int) -> None:
    """With operations under way and another node standing by: it keeps its promises, and its people come again there."""
    async with on_node(house, seed, nodes=2) as crew:
        node = await house.relays.owner(crew.session_id)
        (other,) = set(house.relays.nodes) - {node}
        working = await under_load(crew)
        node.signal(signal.SIGTERM)
        await until(lambda: node.ended, "it has ended")
        await until(lambda: all(client.port == other.port for client in relayed(crew)), "everybody is at the other")
        await working
        await crew.work(2)
        await judged(house, crew)
        assert [event["level"] for event in node.told("node.drained")] == ["INFO"]
        assert not node.told("node.drained_in_part")
        assert await house.relays.row_of(node) is None


@pytest.mark.skipif(not SOAK, reason="each of it is tried by itself above; `make soak` tries all of it at once")
async def test_everything_at_once_on_the_relay(house: House, seed: int) -> None:
    """A little of each, with pages reloaded and nodes that come and go."""
    async with on_node(house, seed, nodes=2) as crew:
        RelayedHand.network.weather(loss=0.05)
        house.dynamodb.rule(
            Rule(Fault.LOSE, "lost", chance=0.03),
            Rule(Fault.THROTTLE, "throttled", chance=0.05),
            Rule(Fault.LATE, "late", APPEND, chance=0.1, delay_s=0.2),
        )
        for number, hand in enumerate(crew.hands):
            working = asyncio.create_task(crew.work(EDITS // 3))
            node = await house.relays.owner(crew.session_id)
            (node.kill, node.line.cut, house.line.cut)[number]()
            await working
            await hand.reload()
            await house.relays.several(2)
        await judged(house, crew)
