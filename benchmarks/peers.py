"""ShareDB and Yjs at the same job, as node processes: their server beside the load, 50 WebSocket clients in one process.

Both keep everything in memory; benchmarks/peers has the servers, the clients and the job (drive.mjs). Server CPU is the
server process's over the measured window, by the edits acknowledged in it. `driver_cpu_cores` tells whether the load
held the server up. Packages are installed on first use.
"""

import asyncio
import contextlib
import os
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from subprocess import Popen
from typing import Literal

import msgspec
import psutil

from local.process import child_dies_with_us

Kind = Literal["sharedb-json1", "sharedb-json0", "yjs"]
Loop = Literal["closed", "open"]

FOLDER = Path(__file__).parent / "peers"
WARM_UP_S = 2.0
PATIENCE_S = 60.0
SERVER_NICE = -10
"""A peer's server has the priority that our media node takes for itself, where the system lets it."""
UNITS = {
    "acked_ratio": "ratio",
    "ops_per_s": "1/s",
    "rejected": "edits",
    "unfinished": "edits",
    "driver_cpu_cores": "cores",
}


class Driven(msgspec.Struct, frozen=True):
    """What drive.mjs prints."""

    ops: float
    seconds: float
    acked_ratio: float
    rejected: float
    unfinished: float
    ack_p50_ms: float
    ack_p99_ms: float
    op_to_other_p50_ms: float
    op_to_other_p99_ms: float


def install() -> None:
    """Fetches the peers' packages unless they are there."""
    lock, ready = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".ready"
    if ready.exists() and ready.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("installing the peers' packages into benchmarks/peers/node_modules ...", flush=True)
    subprocess.run(["npm", "ci", "--silent"], cwd=FOLDER, check=True, timeout=300)
    ready.touch()


def unit_of(figure: str) -> str:
    """The unit of a figure of `run_peer`, for the report."""
    return UNITS.get(figure) or ("us" if figure.endswith("us_per_op") else "ms")


def figures_of(driven: Driven, server_cpu_s: float, driver_cpu_s: float) -> dict[str, float]:
    """What one run says, from what the driver printed and the CPU that both used meanwhile."""
    return {
        "acked_ratio": driven.acked_ratio,
        "ops_per_s": driven.ops / driven.seconds,
        "ack_p50_ms": driven.ack_p50_ms,
        "ack_p99_ms": driven.ack_p99_ms,
        "op_to_other_p50_ms": driven.op_to_other_p50_ms,
        "op_to_other_p99_ms": driven.op_to_other_p99_ms,
        "rejected": driven.rejected,
        "unfinished": driven.unfinished,
        "server_cpu_us_per_op": server_cpu_s * 1e6 / max(1, driven.ops),
        "driver_cpu_cores": driver_cpu_s / driven.seconds,
    }


async def run_peer(
    kind: Kind, *, loop: Loop, rate: int, shared: float, seconds: float, entities: int = 1000
) -> dict[str, float]:
    """The job once, on a fresh server; `rate` is edits a second in all, for the open loop.

    `acked_ratio` is of the edits that arrived in the window; `rejected` and `unfinished` (never answered) are edits.
    Raises TimeoutError, or RuntimeError if a process ends early.
    """
    await asyncio.to_thread(install)
    server_command = ["yjs.mjs"] if kind == "yjs" else ["sharedb.mjs", kind.removeprefix("sharedb-")]
    async with asyncio.timeout(PATIENCE_S + seconds), node(*server_command, ENTITIES=str(entities)) as server:
        port = (await line(server, "READY")).split()[1]
        prefer(server.pid)
        job = [str(part) for part in (loop, rate, shared, seconds, WARM_UP_S)]
        async with node("--max-semi-space-size=64", "drive.mjs", kind, port, *job, ENTITIES=str(entities)) as driver:
            await line(driver, "WINDOW_START")
            before = cpu_s(server), cpu_s(driver)
            await line(driver, "WINDOW_END")
            used = cpu_s(server) - before[0], cpu_s(driver) - before[1]
            return figures_of(msgspec.json.decode(await line(driver, "{"), type=Driven), *used)


def node(*arguments: str, **environment: str) -> AbstractAsyncContextManager[Process]:
    """A node process in the peers' folder."""
    return child("node", *arguments, folder=FOLDER, environment=environment)


@asynccontextmanager
async def child(*command: str, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A process that is ended at the end, and with us, however we end. Its faults go to our own stderr."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=PIPE, stdout=PIPE, env={**os.environ, **environment}, preexec_fn=child_dies_with_us
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(process: Process, start: str) -> str:
    """The next line that begins so."""
    assert process.stdout is not None
    async for raw in process.stdout:
        text = raw.decode().strip()
        if text.startswith(start):
            return text
    raise RuntimeError(f"a peer ended before it printed {start}")


def figures_in(text: str) -> dict[str, float]:
    """What a driver printed."""
    return msgspec.json.decode(text, type=dict[str, float])


def cpu_s(process: Process | Popen[bytes]) -> float:
    """What a process has used so far."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def prefer(pid: int) -> None:
    """Gives a process SERVER_NICE, where we may."""
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).nice(SERVER_NICE)
