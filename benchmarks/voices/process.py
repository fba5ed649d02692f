"""A load as a process of its own, and whose CPU its windows took."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import psutil

from benchmarks import peers
from local.process import child_dies_with_us
from local.system import ROOT

DRIVER: Final = "driver"
_ENTER_S: Final = 240.0
_WINDOW_S: Final = 60.0


@asynccontextmanager
async def load(module: str, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    """`python -m benchmarks.voices.<module>`, at the servers' priority: it has the clock. Its faults go to our own stderr."""
    command = [sys.executable, "-m", f"benchmarks.voices.{module}", *arguments]
    settings = os.environ | environment
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=PIPE, env=settings, preexec_fn=child_dies_with_us
    )
    with contextlib.suppress(psutil.Error):
        psutil.Process(process.pid).nice(peers.SERVER_NICE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


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
            before, driver_before = dict(cpu_s()), peers.cpu_s(driver)
            await peers.line(driver, "WINDOW_END")
            used = {role: max(0.0, value - before.get(role, 0.0)) for role, value in cpu_s().items()}
            used[DRIVER] = peers.cpu_s(driver) - driver_before
            found.append((peers.figures_in(await peers.line(driver, "{")), used))
    return found
