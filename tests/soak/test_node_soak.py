"""A media node whose people come and go all the time: nothing that it holds grows.

SOAK_S says for how long (`make soak`: 1800). Two stay, move and edit; others come, replace their link, move, edit and
leave. After each round, when only the two are left, the node says at SIGUSR1 what it holds.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Any, Final

import pytest

from benchmarks.client import Api, Person
from chalicelib.wire import limits
from chalicelib.wire.operations import Create, Set
from chalicelib.wire.types import Pose, PresenceState
from local.stack import Stack
from tests.faults.crew import DEADLINE_S, until
from tests.faults.relays import MediaNode, Network, RelayedHand, Relays

SECONDS: Final = float(os.environ.get("SOAK_S", "12"))
LONG: Final = SECONDS >= 300
STAY: Final = 2
COME: Final = 4
WARM: Final = 2
"""Rounds after which everything has been done once: caches are filled, connections are open."""
SLACK: Final = {"links": 0, "rooms": 0, "kept": 2, "documents": 2, "tasks": 4, "timers": 6, "descriptors": 4}
"""What may come and go at the moment of a look: a post under way, a kept-alive connection more."""
COUNTED: Final = (*SLACK, "waiting_bytes", "objects", "memory_bytes")
LOOKS: Final = 4

pytestmark = [pytest.mark.stack, pytest.mark.timeout(SECONDS * 2 + 240)]


@pytest.fixture
def system() -> Iterator[Stack]:
    """A system without nodes of its own."""
    with Stack(settings={"RELAY": "0"}) as running:
        yield running


@pytest.fixture
async def node(system: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MediaNode]:
    """One node, on the loop whose timers can be counted."""
    monkeypatch.setenv("NODE_LOOP", "asyncio")
    url = system.env["AWS_ENDPOINT_URL_DYNAMODB"]
    with Relays(system, int(url.rpartition(":")[2]), url) as relays:
        yield await relays.another()


@asynccontextmanager
async def visit(api: Api, who: Person, session_id: str) -> AsyncIterator[RelayedHand]:
    """Somebody who has channels; leaves for good in the end."""
    client = await RelayedHand.open(api, who, session_id)
    try:
        await until(lambda: client.carried, "channels")
        yield client
        if client.peer is not None:
            await client.peer.leave()
    finally:
        await client.close()


def move(client: RelayedHand, number: int) -> None:
    """A newer state, if there is a channel for it."""
    if client.carried and client.relayed is not None:
        pose = Pose(position=(number % 7, 1.6, number % 5), rotation=(0.0, 0.0, 0.0, 1.0))
        client.relayed.update(PresenceState(pose=pose))


async def stay(client: RelayedHand, box: str) -> None:
    """Moves at 10 Hz and edits at 5, until cancelled."""
    number = 0
    while True:
        number += 1
        move(client, number)
        if number % 2:
            await client.edit([Set(id=box, path=("n",), value=number % 97)])
        await asyncio.sleep(0.1)


async def come_and_go(api: Api, who: Person, session_id: str, box: str) -> None:
    """One visit, with a second link that replaces the first."""
    async with visit(api, who, session_id) as client:
        for number in range(3):
            move(client, number)
            await client.edit([Set(id=box, path=("m",), value=number)])
        await client.settled(DEADLINE_S)
        await client.forget(client.port)
        await until(lambda: client.carried, "another link")
        move(client, 9)


async def quiet(node: MediaNode) -> dict[str, int]:
    """What it holds once only those are left who stay: of some looks the least, for a post may be under way in one."""
    looks: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(looks) < LOOKS:
            held = await node.held()
            if held["links"] == held["peers"] == STAY:
                looks.append(held)
            await asyncio.sleep(0.2)
    return {name: min(each[name] for each in looks) for name in COUNTED}


async def test_nothing_grows_while_people_come_and_go(system: Stack, node: MediaNode) -> None:
    """Links, rooms, tasks, timers, descriptors; over a long time memory and objects too."""
    RelayedHand.network = Network(0)
    loop = asyncio.get_running_loop()
    seen: list[dict[str, int]] = []
    joins = 0
    async with Api(system.base_url) as api:
        owner = await api.guest("Ada")
        session_id = (await api.create(owner, "Soak")).session_id
        people = [owner, *[await api.guest(f"Guest {number}") for number in range(1, STAY + COME)]]
        for guest in people[1:]:
            await api.join(guest, session_id)
        async with visit_all(api, people[:STAY], session_id) as staying:
            box = staying[0].new_id()
            await staying[0].edit([Create(id=box, props={"n": 1})])
            await until(lambda: all(box in client.entities for client in staying), "the box")
            busy = [asyncio.create_task(stay(client, box)) for client in staying]
            ends = loop.time() + SECONDS
            while loop.time() < ends or len(seen) < WARM + 3:
                await asyncio.gather(*(come_and_go(api, who, session_id, box) for who in people[STAY:]))
                joins += 2 * COME
                seen.append({**await quiet(node), "revision": staying[0].editor.revision})
                assert not any(task.done() for task in busy)
            for task in busy:
                task.cancel()
    RelayedHand.network.close()
    assert all(each["timers"] for each in seen)
    judge(seen[WARM:], joins)


@asynccontextmanager
async def visit_all(api: Api, people: list[Person], session_id: str) -> AsyncIterator[list[RelayedHand]]:
    """Several at once: nobody is alone in a room that is relayed."""
    clients = [await RelayedHand.open(api, who, session_id) for who in people]
    try:
        await until(lambda: all(client.carried for client in clients), "channels")
        yield clients
    finally:
        for client in clients:
            await client.close()


def judge(seen: list[dict[str, int]], joins: int) -> None:
    """The first half beside the second."""
    half = len(seen) // 2
    before, after = seen[:half], seen[half:]
    lines = [f"{len(seen)} looks, {joins} joins"]
    for name in COUNTED:
        lines.append(f"{name}: {median(e[name] for e in before)} then {median(e[name] for e in after)}")
    print("\n".join(lines))
    for name, slack in SLACK.items():
        assert median(e[name] for e in after) <= max(e[name] for e in before) + slack, lines
    assert after[-1]["memory_bytes"] < 250 * 2**20, lines
    if LONG:
        level(seen, lines)


def level(seen: list[dict[str, int]], lines: list[str]) -> None:
    """Memory and objects, once what is kept of the document's newest commits is all there. How many objects a commit is
    depends on what it overrode, a few in each; what is left behind by everybody who comes would be many more.
    """
    full = [e for e in seen if e["revision"] > limits.TAIL_RECORDS]
    assert len(full) >= 20, (len(full), lines)
    before, after = full[: len(full) // 2], full[len(full) // 2 :]
    objects = [median(e["objects"] for e in half) for half in (before, after)]
    memory = [median(e["memory_bytes"] for e in half) for half in (before, after)]
    print(f"with {limits.TAIL_RECORDS} commits kept, {len(full)} looks: objects {objects}, memory {memory}")
    assert memory[1] - memory[0] < 2 * 2**20, memory
    assert objects[1] - objects[0] < limits.TAIL_RECORDS / 4, objects
