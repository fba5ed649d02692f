"""Proof under fire: the promises Z1 to Z8 through the whole system, while everything around it breaks (docs/faults.md).

Each test breaks one thing on purpose, lets several clients edit the same things meanwhile, mends it, and has the checker
look at all that was seen. `make soak` runs them for ever, with new seeds and more edits.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
import pytest_asyncio

from benchmarks.client import Api
from chalicelib.wire import limits
from chalicelib.wire.documents import Lock
from chalicelib.wire.operations import Create, Delete, Restore, Set
from local.stack import Stack
from tests.faults.crew import Crew, Line
from tests.faults.proxy import Fault, Proxy, Weather

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150), pytest.mark.asyncio(loop_scope="module")]
SEED = int(os.environ.get("FAULT_SEED", "20261123"))
STEPS = int(os.environ.get("FAULT_STEPS", "15"))
FILLERS = 10
WRITES = frozenset({"PutItem", "UpdateItem", "BatchWriteItem"})


class Site:
    """A system of its own, whose database is reached through the proxy."""

    def __init__(self, stack: Stack, proxy: Proxy, api: Api) -> None:
        self.stack = stack
        self.proxy = proxy
        self.api = api

    def workers(self) -> list[int]:
        """The functions' processes."""
        return self.stack.pids().get("worker", [])

    def signal(self, number: signal.Signals) -> None:
        """To all of them."""
        for pid in self.workers():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[Site]:
    """Up and running, once for all of these tests."""
    async with Proxy(SEED) as proxy:
        stack = Stack(settings={"DYNAMODB_BY_WAY_OF": proxy.endpoint})
        await asyncio.to_thread(stack.__enter__)
        try:
            proxy.lead_to(stack.dynamodb_url)
            async with Api(stack.base_url) as api:
                yield Site(stack, proxy, api)
        finally:
            await asyncio.to_thread(stack.__exit__, None, None, None)


@pytest_asyncio.fixture(loop_scope="module")
async def site(house: Site) -> AsyncIterator[Site]:
    """All well, before and after."""
    house.proxy.happened.clear()
    yield house
    house.proxy.heal()
    house.signal(signal.SIGCONT)


async def under(site: Site, break_it: Callable[[Crew], Coroutine[None, None, None]], count: int = 3) -> Crew:
    """A crew that has worked while something was broken; judged when it is mended. Nothing may be wrong."""
    async with await Crew.gather(site.api, SEED, count) as crew:
        async with asyncio.TaskGroup() as both:
            both.create_task(crew.work(STEPS))
            both.create_task(break_it(crew))
        site.proxy.heal()
        site.signal(signal.SIGCONT)
        assert await crew.verdict() == []
        return crew


DATABASE = {
    "throttled": Weather({Fault.THROTTLE: 0.3}),
    "killed_before_the_write": Weather({Fault.DROP: 0.2}),
    "killed_after_the_write_before_the_answer": Weather({Fault.LOSE: 0.3}, WRITES),
    "slow": Weather({Fault.DELAY: 0.4}, delay_s=0.25),
    "all_at_once": Weather({Fault.THROTTLE: 0.1, Fault.DROP: 0.05, Fault.LOSE: 0.1, Fault.DELAY: 0.1}),
}


@pytest.mark.parametrize("weather", DATABASE.values(), ids=DATABASE)
async def test_a_database_in_bad_weather(site: Site, weather: Weather) -> None:
    """Requests that are refused, lost on their way, or done without an answer."""

    async def storm(crew: Crew) -> None:
        site.proxy.weather = weather
        for _ in range(4):
            await crew.read()
            await asyncio.sleep(0.3)

    await under(site, storm)
    assert set(weather.rates) <= set(site.proxy.happened), "it did not happen"


async def test_a_database_that_is_cut_off_for_a_while(site: Site) -> None:
    """Nothing gets through; then everything does."""

    async def partition(_crew: Crew) -> None:
        await asyncio.sleep(0.2)
        site.proxy.weather = Weather(partitioned=True)
        await asyncio.sleep(1.5)
        site.proxy.heal()

    await under(site, partition)
    assert site.proxy.happened["partition"] > 0


LINES = {
    "lost": {"lost": 0.2},
    "doubled": {"doubled": 0.4},
    "late_and_overtaken": {"late": 0.4},
    "everything": {"lost": 0.15, "doubled": 0.2, "late": 0.2},
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_messages_that_do_not_arrive_as_they_were_sent(site: Site, line: dict[str, float]) -> None:
    """Lost, twice, late, in another order: up and down."""

    async def noise(crew: Crew) -> None:
        for name, rate in line.items():
            setattr(crew.line, name, rate)

    await under(site, noise)


async def test_connections_that_break(site: Site) -> None:
    """Clients are cut off, and come back by themselves."""

    async def cut(crew: Crew) -> None:
        for _ in range(4):
            await asyncio.sleep(0.15)
            await crew.cut(crew.rng.choice(crew.members))

    await under(site, cut)


async def test_clients_that_are_killed(site: Site) -> None:
    """Z7: they start again with what they had saved, and send what was not acknowledged."""
    async with await Crew.gather(site.api, SEED) as crew:
        for _ in range(3):
            crew.line.lost = 0.3
            await crew.work(STEPS // 3)
            await crew.restart(crew.members[1])
        assert await crew.verdict() == []


async def test_workers_that_are_killed(site: Site) -> None:
    """kill -9 of whoever drains, in the middle of it."""

    async def kill(_crew: Crew) -> None:
        for _ in range(2):
            await asyncio.sleep(0.5)
            site.signal(signal.SIGKILL)

    await under(site, kill)


async def test_a_holder_that_sleeps_past_its_lease(site: Site) -> None:
    """It is stopped in the middle of draining, its lease ends, another takes over; then it wakes, and does no harm."""

    async def sleep(_crew: Crew) -> None:
        await asyncio.sleep(0.4)
        for pid in site.workers()[:1]:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(limits.DRAIN_LEASE_MS * 2.5 / 1000)
        site.signal(signal.SIGCONT)
        await asyncio.sleep(0.2)

    await under(site, sleep)


async def test_snapshots_are_made_under_way(site: Site) -> None:
    """Z8: with a snapshot between, made while all write and the database throttles, every revision is the replay."""
    async with await Crew.gather(site.api, SEED) as crew:

        async def fill(number: int) -> None:
            base = 0
            for n in range(limits.SNAPSHOT_EVERY // FILLERS):
                operation = {"op": "set", "id": crew.thing("t3"), "path": ["f"], "value": n}
                client = f"filler{number:02}"
                base = await crew.fill({"client": client, "seq": n + 1, "base": base, "operations": [operation]})

        site.proxy.weather = Weather({Fault.THROTTLE: 0.05})
        async with asyncio.TaskGroup() as everybody:
            everybody.create_task(crew.work(STEPS))
            for number in range(FILLERS):
                everybody.create_task(fill(number))
        site.proxy.heal()
        assert await crew.verdict() == []
        assert max(crew.history.snapshots) > limits.SNAPSHOT_EVERY


async def test_z4_an_override_is_reported_to_both(site: Site) -> None:
    """Whoever overrides learns whom; whoever is overridden learns by whom, from the same commit."""
    async with await Crew.gather(site.api, SEED, 2) as crew:
        ada, bob = crew.members
        thing = crew.thing("t2")
        await bob.client.until(lambda: thing in bob.client.entities)
        crew.line.late, crew.line.late_s = 1.0, 0.3
        await crew.edit(ada, Set(id=thing, path=("a",), value="ada"))
        await crew.edit(bob, Set(id=thing, path=("a",), value="bob"))
        assert await crew.verdict() == []
        assert [o.user_id for commit in crew.history.log for o in commit.overridden]


async def test_z5_edits_of_what_is_deleted_come_back_with_it(site: Site) -> None:
    """One deletes, the others go on, one restores: everything is there."""
    async with await Crew.gather(site.api, SEED) as crew:
        ada, bob, cyd = crew.members
        thing = crew.thing("t2")
        for member in crew.members:
            await member.client.until(lambda member=member: thing in member.client.entities)  # type: ignore[misc]
        crew.line = Line(late=0.5)
        await asyncio.gather(
            crew.edit(ada, Delete(id=thing)),
            crew.edit(bob, Set(id=thing, path=("a",), value="bob")),
            crew.edit(cyd, Set(id=thing, path=("b",), value="cyd")),
        )
        await asyncio.gather(*(member.client.settled() for member in crew.members))
        await crew.edit(ada, Restore(id=thing))
        assert await crew.verdict() == []
        found = ada.client.entities[thing]
        assert (found.alive, found.props["a"], found.props["b"]) == (True, "bob", "cyd")


async def test_z6_what_is_rejected_is_kept(site: Site) -> None:
    """Against somebody's lock: reason and payload come back, and the client has them still; the rest goes on."""
    async with await Crew.gather(site.api, SEED, 2) as crew:
        ada, bob = crew.members
        thing = crew.thing("t2")
        await bob.client.until(lambda: thing in bob.client.entities)
        path = f"/collaboration/sessions/{crew.session_id}/locks"
        await site.api.call("POST", path, ada.who, {"object_id": thing}, Lock)
        await crew.edit(bob, Set(id=thing, path=("a",), value="blocked"))
        await bob.client.until(lambda: bool(bob.client.editor.rejected))
        await crew.edit(bob, Create(id=bob.client.new_id(), props={}))
        assert await crew.verdict() == []
        (kept,) = bob.client.editor.rejected
        assert kept.operations == (Set(id=thing, path=("a",), value="blocked"),)
