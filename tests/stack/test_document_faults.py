"""The documents under fire: each fault by its name, on the whole stack, with the checker as the judge (clauses Z1-Z8).

docs/faults.md says what stands where; `make soak` draws new seeds.
"""

import asyncio
import random
from collections.abc import Callable, Iterable

import pytest

from benchmarks.editor import Way
from chalicelib.wire import limits
from tests.faults.crew import Crew, calm, until
from tests.faults.house import APPEND, HANDS, SHELF, SOAK, House, judged
from tests.faults.proxy import Fault, Rule

pytestmark = pytest.mark.stack

EDITS = 60 if SOAK else 12


async def test_throttling(house: House, crew: Crew) -> None:
    """A third of all requests are refused, as a hot partition refuses them."""
    house.dynamodb.rule(Rule(Fault.THROTTLE, "throttled", chance=0.35))
    await crew.work(EDITS)
    await until(lambda: house.dynamodb.met["throttled"] > 20, "throttled")
    await judged(house, crew)


async def test_slow_answers(house: House, crew: Crew) -> None:
    """Some requests take longer than a lease's half."""
    house.dynamodb.rule(Rule(Fault.DELAY, "slow", chance=0.05, delay_s=0.7), Rule(Fault.DELAY, "slowish", delay_s=0.02))
    await crew.work(EDITS)
    await until(lambda: house.dynamodb.met["slow"] > 0, "slow")
    await judged(house, crew)


async def test_requests_that_never_arrive(house: House, crew: Crew) -> None:
    """Connections end before the write."""
    house.dynamodb.rule(Rule(Fault.DROP, "dropped", chance=0.25))
    await crew.work(EDITS)
    await until(lambda: house.dynamodb.met["dropped"] > 20, "dropped")
    await judged(house, crew)


async def test_answers_that_never_arrive(house: House, crew: Crew) -> None:
    """Connections end after the write: whoever asks again finds that it was done."""
    house.dynamodb.rule(Rule(Fault.LOSE, "append lost", APPEND, chance=0.7), Rule(Fault.LOSE, "lost", chance=0.2))
    await crew.work(EDITS)
    await crew.work_until(lambda: house.dynamodb.met["append lost"] > 3 and house.dynamodb.met["lost"] > 10, "lost")
    await judged(house, crew)


async def test_appends_that_arrive_after_they_were_given_up(house: House, crew: Crew) -> None:
    """A write that its sender believes lost comes through later, between others'."""
    house.dynamodb.rule(Rule(Fault.LATE, "late", APPEND, chance=0.5, delay_s=0.15))
    await crew.work(EDITS)
    await crew.work_until(lambda: house.dynamodb.met["late"] > 3, "late")
    await judged(house, crew)


async def test_a_partition_from_the_database(house: House, crew: Crew) -> None:
    """For a while no request comes through, and none is refused."""
    working = asyncio.create_task(crew.work(EDITS))
    already = house.dynamodb.met["partition"]
    house.dynamodb.partition()
    await until(lambda: house.dynamodb.met["partition"] > already + 3, "partitioned")
    house.dynamodb.heal()
    await working
    await judged(house, crew)


async def test_the_committer_is_killed_before_the_write(house: House, crew: Crew) -> None:
    """With its batch in memory and nothing of it in the log."""
    await killed(house, crew, Fault.DROP)


async def test_the_committer_is_killed_after_the_write_before_it_answers(house: House, crew: Crew) -> None:
    """With its batch in the log, and nobody told."""
    await killed(house, crew, Fault.LOSE)


async def killed(house: House, crew: Crew, fault: Fault) -> None:
    """Two of them, one after the other, each at the instant of its append."""
    before = house.dynamodb.met["killed"]
    house.dynamodb.rule(
        Rule(fault, "killed", APPEND, times=1, then=house.kill),
        Rule(Fault.WATCH, "went well", APPEND, times=8),
        Rule(fault, "killed", APPEND, times=1, then=house.kill),
    )
    await crew.work(EDITS)
    await until(lambda: house.dynamodb.met["killed"] >= before + 1, "killed")
    await judged(house, crew)


async def test_every_worker_is_killed(house: House, crew: Crew) -> None:
    """While all of them have something to do."""
    working = asyncio.create_task(crew.work(EDITS))
    await until(lambda: len(crew.history.acked) > HANDS, "acknowledged")
    house.kill_all("worker")
    await working
    await judged(house, crew)


async def test_a_committer_that_outlives_its_lease(house: House, crew: Crew) -> None:
    """It is stopped at its append, another takes its lease and goes on, and then it goes on too: the append fences."""
    taken = house.dynamodb.met["taken"]
    house.dynamodb.rule(
        Rule(Fault.DROP, "paused", APPEND, times=1, then=house.pause),
        Rule(Fault.WATCH, "taken", APPEND),
    )
    working = asyncio.create_task(crew.work(EDITS))
    await crew.work_until(lambda: house.dynamodb.met["taken"] > taken + 2, "taken over")
    house.resume()
    await working
    await judged(house, crew)


async def test_a_snapshot_that_is_made_while_all_goes_on(house: House, crew: Crew) -> None:
    """Whoever makes it first is killed before it is on the shelf; the next one's takes long, and edits go on meanwhile."""
    await crew.fill(limits.SNAPSHOT_EVERY - 1)
    met = house.dynamodb.met
    killed, slow = met["killed at the shelf"], met["slow shelf"]
    house.dynamodb.rule(
        Rule(Fault.DROP, "killed at the shelf", SHELF, times=1, then=house.kill),
        Rule(Fault.DELAY, "slow shelf", SHELF, delay_s=0.5),
    )
    await crew.work(EDITS // 3)
    await until(lambda: met["killed at the shelf"] > killed, "killed at the shelf")
    await crew.work(EDITS // 3)
    await crew.work(EDITS // 3)
    await until(lambda: met["slow shelf"] > slow, "shelved")
    await judged(house, crew)


async def test_connections_are_cut(house: House, crew: Crew) -> None:
    """In the middle of whatever they carry, again and again."""
    for _ in range(3):
        known, cuts = len(crew.history.acked), house.line.cuts
        working = asyncio.create_task(crew.work(EDITS // 3))
        await until(lambda known=known: len(crew.history.acked) > known, "acknowledged")  # type: ignore[misc]
        house.line.cut()
        assert house.line.cuts > cuts
        await working
    await judged(house, crew)


async def test_connections_go_silent(house: House, crew: Crew) -> None:
    """Nothing arrives in either direction, and nobody is told; meanwhile everybody goes on editing."""
    house.line.silence()
    await crew.work(EDITS // 2)
    house.line.heal()
    await crew.work(EDITS // 2)
    await judged(house, crew)


async def test_the_gateway_is_killed(house: House, crew: Crew) -> None:
    """Every connection ends at once, and nobody is told who was there."""
    working = asyncio.create_task(crew.work(EDITS))
    await until(lambda: len(crew.history.acked) > HANDS, "acknowledged")
    house.kill_all("gateway")
    await working
    await judged(house, crew)


def dropping(rng: random.Random, _way: Way) -> Iterable[float]:
    """A fifth of all messages never arrive."""
    return () if rng.random() < 0.2 else (0.0,)


def duplicating(rng: random.Random, _way: Way) -> Iterable[float]:
    """A third arrive twice, the second time later."""
    return (0.0, rng.uniform(0, 0.3)) if rng.random() < 0.35 else (0.0,)


def delaying(rng: random.Random, _way: Way) -> Iterable[float]:
    """A tenth take a second."""
    return (1.0,) if rng.random() < 0.1 else (0.0,)


def reordering(rng: random.Random, _way: Way) -> Iterable[float]:
    """All overtake each other, as posts and invocations may."""
    return (rng.uniform(0, 0.2),)


@pytest.mark.parametrize("weather", [dropping, duplicating, delaying, reordering])
async def test_messages(house: House, crew: Crew, weather: Callable[[random.Random, Way], Iterable[float]]) -> None:
    """Between the clients and the gateway, both ways."""
    crew.weather = weather
    await crew.work(EDITS)
    await judged(house, crew)


async def test_everything_at_once(house: House, crew: Crew) -> None:
    """A little of each, while pages are reloaded."""
    crew.weather = lambda rng, way: rng.choice((calm, dropping, duplicating, reordering))(rng, way)
    house.dynamodb.rule(
        Rule(Fault.DROP, "killed", APPEND, chance=0.03, times=1, then=house.kill),
        Rule(Fault.LOSE, "lost", chance=0.05),
        Rule(Fault.THROTTLE, "throttled", chance=0.1),
        Rule(Fault.LATE, "late", APPEND, chance=0.1, delay_s=0.2),
        Rule(Fault.DROP, "dropped", chance=0.05),
    )
    for hand in crew.hands:
        await crew.work(EDITS // 3)
        await hand.reload()
        house.line.cut()
    await judged(house, crew)
