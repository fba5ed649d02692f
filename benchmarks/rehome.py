"""50 participants move at 20 Hz and edit, 200 edits a second in all, when the media node is killed by SIGKILL.

`rehome_s` is until each of them has by the next media node what was newest of each other when the first died, or newer;
`last_known_s` the same by whatever carrier. Then everything that was acknowledged, before, meanwhile and after, is
held against the log as it is read back.
"""

import asyncio
import os
from typing import Final

from benchmarks import peers
from benchmarks.relay import HEAP, NODE, unit_of
from benchmarks.report import Report
from local.dynamodb import unavailable
from local.stack import Stack

RATE: Final = int(os.environ.get("RATE", "200"))
SECONDS: Final = float(os.environ.get("SECONDS", "15"))
ROUNDS: Final = int(os.environ.get("ROUNDS", "3"))
PATIENCE_S: Final = 180.0
ADDED_UP: Final = ("acknowledged", "acknowledged_lost", "applied_twice", "log_gaps", "unfinished")


def main() -> Report:
    """Some times; the worst of each figure, and sums of what must be none."""
    report = Report("rehome")
    peers.install()
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        rounds = [asyncio.run(_run(stack)) for _ in range(ROUNDS)]
    for name, value in worst(rounds).items():
        report.figure(name, value, unit_of(name))
    report.figure("kills", ROUNDS, "times")
    return report


def worst(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure: a time that was never reached (-1) is worse than any other."""
    found: dict[str, float] = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        if name in ADDED_UP:
            found[name] = sum(values)
        elif name == "rehomed":
            found[name] = min(values)
        else:
            found[name] = -1.0 if min(values) < 0 else max(values)
    return found


async def _run(stack: Stack) -> dict[str, float]:
    async with (
        asyncio.timeout(PATIENCE_S),
        peers.node(HEAP, "rehome.mjs", stack.base_url, str(RATE), str(SECONDS)) as driver,
    ):
        await peers.line(driver, "LOADED")
        assert driver.stdin is not None
        driver.stdin.write(" ".join(str(pid) for pid in stack.pids()[NODE]).encode() + b"\n")
        await driver.stdin.drain()
        return peers.figures_in(await peers.line(driver, "{"))
