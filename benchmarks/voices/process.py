"""A load as a process of its own, and whose CPU its windows took."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from benchmarks import peers
from benchmarks.relay import DRIVER, used_between
from local.system import ROOT

_ENTER_S: Final = 240.0
_WINDOW_S: Final = 60.0


@asynccontextmanager
async def load(module: str, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    """`python -m benchmarks.voices.<module>`, at the servers' priority: it has the clock."""
    command = (sys.executable, "-m", f"benchmarks.voices.{module}", *arguments)
    async with peers.child(*command, folder=ROOT, environment=environment) as process:
        peers.prefer(process.pid)
        yield process


async def windows(
    driver: Process, count: int, cpu_s: Callable[[], Mapping[str, float]]
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Of each window what the load says, and CPU seconds by role, the load's among them. RuntimeError, TimeoutError."""
    async with asyncio.timeout(_ENTER_S):
        await peers.line(driver, "ENTERED")
    found: list[tuple[dict[str, float], dict[str, float]]] = []
    for _ in range(count):
        async with asyncio.timeout(_WINDOW_S + float(os.environ.get("SECONDS", "0"))):
            await peers.line(driver, "WINDOW_START")
            before, driver_before = cpu_s(), peers.cpu_s(driver)
            await peers.line(driver, "WINDOW_END")
            used = used_between(before, cpu_s())
            used[DRIVER] = peers.cpu_s(driver) - driver_before
            found.append((peers.figures_in(await peers.line(driver, "{")), used))
    return found
