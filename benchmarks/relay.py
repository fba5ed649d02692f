"""What the benchmarks of the relay share: a driver in benchmarks/peers beside a running system, and whose CPU it took.

The load is `node-datachannel` (libdatachannel), 50 participants in one process: 0.11 cores at 50 people and 20 Hz each way,
against 0.24 for libwebrtc (`@roamhq/wrtc`), so that it holds nothing up; and another
stack than the node's and than Chromium's.
"""

import os
from collections.abc import Mapping
from typing import Final

from benchmarks import peers
from local.stack import Stack

EMULATOR: Final = "emulator"
DRIVER: Final = "driver"
NODE: Final = "media"
HEAP: Final = "--max-semi-space-size=64"
UNITS: Final = {
    "acknowledged": "transactions",
    "acknowledged_lost": "transactions",
    "applied_twice": "transactions",
    "log_gaps": "revisions",
    "unfinished": "participants",
    "rehomed": "participants",
    "joins": "joins",
    "wrong_states": "states",
    "edits_rejected": "edits",
}


def unit_of(figure: str) -> str:
    """By its name, which ends with it."""
    if figure in UNITS:
        return UNITS[figure]
    endings = {
        "_ms": "ms",
        "_ratio": "ratio",
        "_cores": "cores",
        "bytes_per_listener_s": "B/s",
        "_per_s": "1/s",
        "_per_listener_s": "1/s",
        "_us_per_op": "us",
        "_us_per_state": "us",
        "_us_per_packet": "us",
        "_s_per_participant_minute": "s",
        "_s": "s",
    }
    return next(unit for ending, unit in endings.items() if figure.endswith(ending))


def used_between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds by role; a process that is not there any more counts for nothing."""
    return {role: max(0.0, seconds - before.get(role, 0.0)) for role, seconds in after.items()}


def server_s(used: Mapping[str, float]) -> float:
    """Of everything but the database's emulator, and the load."""
    return sum(seconds for role, seconds in used.items() if role not in {EMULATOR, DRIVER})


async def drive(stack: Stack, *command: str, **environment: str) -> tuple[dict[str, float], dict[str, float]]:
    """Runs a driver that prints WINDOW_START, WINDOW_END and its figures; with CPU seconds by role in between."""
    async with peers.node(HEAP, *command, **environment) as driver:
        await peers.line(driver, "WINDOW_START")
        before, driver_before = stack.cpu_seconds(), peers.cpu_s(driver)
        await peers.line(driver, "WINDOW_END")
        used = used_between(before, stack.cpu_seconds())
        used[DRIVER] = peers.cpu_s(driver) - driver_before
        return peers.figures_in(await peers.line(driver, "{")), used


def seconds_from(name: str, otherwise: float) -> float:
    """A duration that the environment may change."""
    return float(os.environ.get(name, otherwise))
