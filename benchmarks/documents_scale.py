"""What an edit costs in a scene of 50 entities and in one of 10,000: ours beside ShareDB, which copies the scene.

The job of documents-websocket (open loop, 20% shared), slower, so that ShareDB can follow in the small scene.
"""

import asyncio
from typing import Final

from benchmarks import peers
from benchmarks.documents_job import SECONDS, run, said
from benchmarks.report import Report, medians
from local.dynamodb import unavailable
from local.stack import Stack

SIZES: Final = (50, 10_000)
RATE: Final = 300
SHARED: Final = 0.2
REPEATS: Final = 3
PEER: Final[peers.Kind] = "sharedb-json1"


def main() -> Report:
    """Both sizes in turn, thrice; medians."""
    report = Report("documents-scale")
    asyncio.run(_all(report))
    return report


async def _all(report: Report) -> None:
    await asyncio.to_thread(peers.install)
    ours: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    theirs: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        for _ in range(REPEATS):
            for size in SIZES:
                one = await run(stack, loop="open", rate=RATE, shared=SHARED, entities=size)
                ours[size].append(said(f"{size} entities", "holodeck", one))
    for size in SIZES:
        one = await peers.run_peer(PEER, loop="open", rate=RATE, shared=SHARED, seconds=SECONDS, entities=size)
        theirs[size].append(said(f"{size} entities", PEER, one))
    small, large = SIZES
    cost = {size: medians(many) for size, many in ours.items()}
    their_cost = {size: medians(many) for size, many in theirs.items()}
    report.figure("cpu_ratio_10000_to_50", _ratio(cost), "ratio")
    report.peer(PEER, "cpu_ratio_10000_to_50", _ratio(their_cost), "ratio")
    for size in (small, large):
        for name, value in cost[size].items():
            report.figure(f"entities{size}_{name}", value, peers.unit_of(name))
        for name, value in their_cost[size].items():
            report.peer(PEER, f"entities{size}_{name}", value, peers.unit_of(name))


def _ratio(cost: dict[int, dict[str, float]]) -> float:
    small, large = SIZES
    return cost[large]["server_cpu_us_per_op"] / cost[small]["server_cpu_us_per_op"]
