"""Rooms for a test of faults: people who are there, whole so far, by one carrier or the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.crew import DEADLINE_S, Crew
from tests.faults.house import APPEND, HANDS, House
from tests.faults.proxy import Fault, Rule
from tests.faults.relays import Network, RelayedHand, on_relay


@asynccontextmanager
async def on_websocket(house: House, seed: int) -> AsyncIterator[Crew]:
    """Everything goes by functions."""
    house.heal()
    made = Crew(house.line.url, house.stack.base_url, house.database_url, seed)
    await made.begin(HANDS)
    house.dynamodb.rule(seed=seed)
    try:
        yield made
    finally:
        house.heal()
        await made.close()


@asynccontextmanager
async def on_node(house: House, seed: int, *, nodes: int = 1) -> AsyncIterator[Crew]:
    """Edits go by the channels of a media node, of so many that there are; by the WebSocket while there is none."""
    house.heal()
    await house.relays.several(nodes)
    RelayedHand.network, RelayedHand.by_channel = Network(seed), 0
    made = Crew(house.line.url, house.stack.base_url, house.database_url, seed, RelayedHand)
    await made.begin(HANDS)
    house.dynamodb.rule(seed=seed)
    try:
        await on_relay(made)
        await _committing(house, made)
        yield made
        assert RelayedHand.by_channel, "nothing went by a channel"
    finally:
        house.heal()
        await made.close()
        RelayedHand.network.close()


async def _committing(house: House, crew: Crew) -> None:
    """Until a node has the document: the functions had it first, and go on for as long as they promised."""
    for node in house.relays.nodes:
        node.dynamodb.rule(Rule(Fault.WATCH, "began", APPEND))
    before = sum(node.dynamodb.met["began"] for node in house.relays.nodes)
    async with asyncio.timeout(DEADLINE_S):
        while sum(node.dynamodb.met["began"] for node in house.relays.nodes) == before:
            await crew.hands[0].edit()
            await crew.hands[0].client.settled(DEADLINE_S)
            await asyncio.sleep(0.1)
    house.relays.heal()
