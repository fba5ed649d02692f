"""Bad networks between people and their media node: loss by a seed, and a fifth of a second there and back."""

import asyncio
from typing import Final

import pytest

from chalicelib.wire import limits
from chalicelib.wire.types import Pose, PresenceState
from tests.faults.crew import Crew, until
from tests.faults.house import SOAK, House, judged
from tests.faults.relays import RelayedHand, relayed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

EDITS: Final = 60 if SOAK else 8
EACH_WAY_S: Final = 0.1
AGAIN_S: Final = 0.25


class Walker:
    """One who walks all the time, and counts."""

    def __init__(self, client: RelayedHand) -> None:
        self.client = client
        self.counter = 0

    @property
    def peer_id(self) -> str:
        """Its own."""
        assert self.client.peer is not None
        return self.client.peer.peer_id

    async def walk(self) -> None:
        """At 20 Hz, until cancelled."""
        while True:
            self.step()
            await asyncio.sleep(0.05)

    def step(self) -> None:
        """Once."""
        if self.client.relayed is not None:
            pose = Pose(position=(self.counter % 50, 1.6, 0.0), rotation=(0.0, 0.0, 0.0, 1.0))
            self.counter = self.client.relayed.update(PresenceState(pose=pose))

    async def insist(self) -> None:
        """The newest again and again, for it may be lost on its way up, until cancelled. A page repeats it as well."""
        while self.client.peer is not None:
            await asyncio.sleep(AGAIN_S)
            self.client.peer.counter -= 1
            self.step()

    def sees(self, other: "Walker") -> int:
        """The newest counter of another that it has by frames."""
        states = self.client.relayed.states if self.client.relayed is not None else {}
        known = states.get(other.peer_id)
        return known[0][1] if known else 0


@pytest.mark.parametrize("loss", [0.02, 0.1])
async def test_a_network_that_loses(house: House, relay_crew: Crew, loss: float) -> None:
    """Edits arrive once and in order; presence goes on, and what is newest arrives; no queue grows."""
    crew, node, network = relay_crew, house.relays.nodes[0], RelayedHand.network
    network.weather(loss=loss, delay_s=EACH_WAY_S)
    walkers = [Walker(client) for client in relayed(crew)]
    pairs = [(one, other) for one in walkers for other in walkers if one is not other]
    walking = [asyncio.create_task(walker.walk()) for walker in walkers]
    working = asyncio.create_task(crew.work(EDITS))
    waiting: list[int] = []
    while not working.done():
        seen = {pair: pair[0].sees(pair[1]) for pair in pairs}
        await until(lambda s=seen: all(one.sees(other) > s[one, other] for one, other in pairs), "newer states")  # type: ignore[misc]
        waiting.append((await node.held())["waiting_bytes"])
    await working
    for task in walking:
        task.cancel()
    for walker in walkers:
        walker.step()
    telling = [asyncio.create_task(walker.insist()) for walker in walkers]
    await until(lambda: all(one.sees(other) == other.counter for one, other in pairs), "what is newest")
    for task in telling:
        task.cancel()
    assert network.lost > 0
    assert all(client.carried for client in relayed(crew))
    assert max(waiting) <= len(walkers) * (limits.RELAY_BUFFER_BYTES + limits.RELAY_FRAME_BYTES) + 32 * 1024
    await judged(house, crew)
