"""A whole room of 50 on one media node: everybody with a voice, moving at 20 Hz, editing one scene 200 times a second.

    make bench NAME=room-50            SECONDS=15 PEOPLE=50 RATE=200 LOSS=0

The load is benchmarks/voices/room.py: 5 to 10 talk at a time, by turns; poses and cursors, edits and voices go by the same 50
connections. What the node takes is all of it; the functions' and the gateway's CPU are told apart.
"""

import asyncio
import os
from typing import Final

from benchmarks import janus
from benchmarks.relay import DRIVER, EMULATOR, NODE, seconds_from, server_s, unit_of
from benchmarks.report import Report
from benchmarks.voices.process import load, windows
from local.dynamodb import unavailable
from local.stack import Stack

SECONDS: Final = seconds_from("SECONDS", 15)
PEOPLE: Final = os.environ.get("PEOPLE", "50")
RATE: Final = os.environ.get("RATE", "200")
_LEFT_OUT: Final = {"seconds", "gcm_ratio", "level_ratio", "nack_ratio"}


def figures_of(told: dict[str, float], used: dict[str, float]) -> dict[str, float]:
    """What the window says."""
    seconds = told["seconds"]
    return {name: value for name, value in told.items() if name not in _LEFT_OUT} | {
        "node_cpu_cores": used[NODE] / seconds,
        "functions_cpu_cores": (server_s(used) - used[NODE]) / seconds,
        "emulator_cpu_cores": used.get(EMULATOR, 0.0) / seconds,
        "driver_cpu_cores": used[DRIVER] / seconds,
    }


def main() -> Report:
    """Once."""
    report = Report("room-50")
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        for name, value in asyncio.run(_run(stack)).items():
            report.figure(name, value, unit_of(name))
    return report


async def _run(stack: Stack) -> dict[str, float]:
    settings = {"PEOPLE": PEOPLE, "SECONDS": str(int(SECONDS)), "RATE": RATE, "ADDRESS": janus.address()}
    async with load("room", stack.base_url, **settings) as driver:
        ((told, used),) = await windows(driver, 1, stack.cpu_seconds)
        return figures_of(told, used)
