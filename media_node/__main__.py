"""`python -m media_node`: one worker, or with NODE_WORKERS several, each a process with its own UDP port, until
SIGTERM.
"""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
from typing import Final

import uvloop

from media_node.parts import Parts, credentials, fleet, random_id
from media_node.settings import NodeSettings, node_settings

_WORKER: Final = "NODE_WORKER"


async def work(settings: NodeSettings, stop: asyncio.Event) -> bool:
    """One worker's life. Whether it ended by itself, having nothing to do."""
    with contextlib.suppress(PermissionError):  # then as everybody else: it has a core to itself, or shares it
        os.setpriority(os.PRIO_PROCESS, 0, settings.nice)  # before any thread is there, which would keep its own
    keeping = await credentials()
    parts = Parts(settings, f"node_{random_id(12)}")
    node, signalling = await parts.node()
    await node.beat()
    gc.collect()
    gc.freeze()  # what is here by now stays: collecting looks through the rest only
    lives = [parts.house.rounds.run(), parts.house.censuses(), signalling.run(), parts.finisher.run(), *keeping]
    loops = [asyncio.ensure_future(life) for life in lives]
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: node.report(collect=True))
    beating, stopping = asyncio.ensure_future(node.beats()), asyncio.ensure_future(stop.wait())
    ended, _ = await asyncio.wait({beating, stopping, *loops}, return_when=asyncio.FIRST_COMPLETED)
    beating.cancel()
    await node.drain()
    await parts.recordings.close()
    for task in (stopping, *loops):
        task.cancel()
    faults = await asyncio.gather(beating, stopping, *loops, return_exceptions=True)
    await parts.close()
    for fault in faults:
        if isinstance(fault, Exception):
            raise fault
    return beating in ended


async def _worker(settings: NodeSettings) -> bool:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await work(settings, stop)


def _run(settings: NodeSettings) -> bool:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if settings.loop == "uvloop" else None) as runner:
        return runner.run(_worker(settings))


def _parent(settings: NodeSettings) -> bool:
    """Starts the workers; whether all ended by themselves. One that crashes ends the others: the task starts anew."""
    told = False
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "media_node"],
            env={
                **os.environ,
                _WORKER: str(number),
                "NODE_WORKERS": "1",
                "NODE_PORT": str(settings.port + number if settings.port else 0),
            },
        )
        for number in range(settings.workers)
    ]

    def end(*_: object) -> None:
        nonlocal told
        told = True
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                worker.send_signal(signal.SIGTERM)

    def report(*_: object) -> None:
        for worker in workers:
            worker.send_signal(signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, report)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    for worker in workers:
        if worker.wait() != 0:
            end()
    return not told


async def _one_fewer(settings: NodeSettings) -> None:
    keeping = await credentials()
    for each in keeping:
        each.close()
    service = fleet(settings)
    await service.one_fewer()
    await service.close()


def main() -> None:
    """The command."""
    try:
        settings = node_settings()
        idle = _parent(settings) if settings.workers > 1 else _run(settings)
    except ValueError as exc:
        raise SystemExit(str(exc)) from exc
    if idle and _WORKER not in os.environ:
        asyncio.run(_one_fewer(settings))


if __name__ == "__main__":
    main()
