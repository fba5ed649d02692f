"""REST latency through the whole local stack: joining a session, and moving a cursor, one caller and ten at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.client import Api, Person
from benchmarks.report import Report, percentile
from local.stack import Stack

CALLS = 200
CALLERS = 10


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds that a call took."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


def note(report: Report, name: str, values: list[float]) -> None:
    """p50 and p99."""
    report.figure(f"{name}_p50_ms", percentile(values, 50), "ms")
    report.figure(f"{name}_p99_ms", percentile(values, 99), "ms")


async def load(stack: Stack, report: Report) -> None:
    """One job after the other."""
    async with Api(stack.base_url) as api:
        owner = await api.guest("Owner")
        room = (await api.create(owner, "Benchmark", max_participants=500)).session_id
        await api.join(owner, room)
        people = [await api.guest(f"Person {i}") for i in range(CALLS)]

        def join(person: Person) -> Callable[[], Awaitable[object]]:
            return lambda: api.join(person, room)

        def point(person: Person, x: float) -> Callable[[], Awaitable[object]]:
            body = {"position": [x, 0.0, 0.0]}
            return lambda: api.call("POST", f"/collaboration/sessions/{room}/cursors", person, body)

        before = stack.cpu_seconds()
        note(report, "join", [await timed(join(p)) for p in people[: CALLS // 2]])
        many = iter(people[CALLS // 2 :])

        async def joiner() -> list[float]:
            return [await timed(join(p)) for p in many]

        note(report, "join_10_at_once", _flat(await asyncio.gather(*(joiner() for _ in range(CALLERS)))))
        cpu = stack.cpu_seconds()
        report.figure("join_server_cpu_ms", _server_ms(before, cpu) / CALLS, "ms")
        note(report, "cursor", [await timed(point(p, float(i))) for i, p in enumerate(people[:100])])
        note(
            report,
            "cursor_10_at_once",
            _flat(await asyncio.gather(*(_points(point, people[i::CALLERS]) for i in range(CALLERS)))),
        )
        report.figure("cursor_server_cpu_ms", _server_ms(cpu, stack.cpu_seconds()) / 300, "ms")


async def _points(
    point: Callable[[Person, float], Callable[[], Awaitable[object]]], people: list[Person]
) -> list[float]:
    return [await timed(point(p, 1.0)) for p in people]


def _flat(lists: list[list[float]]) -> list[float]:
    return [value for values in lists for value in values]


def _server_ms(before: dict[str, float], after: dict[str, float]) -> float:
    return sum(after[r] - before.get(r, 0.0) for r in ("gateway", "worker") if r in after) * 1000


def main() -> Report:
    """Against moto, the default of `make run`."""
    report = Report("rest")
    with Stack(dynamodb="moto") as stack:
        asyncio.run(load(stack, report))
    return report
