"""50 participants by WebRTC in one room through the media node: 20 Hz of poses and cursors in, one frame a tick out.

The load generator is benchmarks/peers/presence.mjs; an age is from the moment a state is handed to the stack to the moment
the frame with it is read at another: half a tick of it is waiting for the tick. Loss and delay are made by a middle man for
UDP (lossy.mjs), either way. Beside it: the same job on a WebSocket server of a few lines in Node.js (star.mjs), JSON,
in clear, without identities or a log.
"""

import asyncio
import os
from typing import Final

from benchmarks import peers
from benchmarks.relay import DRIVER, NODE, drive, seconds_from, server_s, unit_of
from benchmarks.report import Report
from local.dynamodb import unavailable
from local.stack import Stack

SECONDS: Final = seconds_from("SECONDS", 15)
WARM_UP_S: Final = 5.0
PEOPLE: Final = int(os.environ.get("PEOPLE", "50"))
HZ: Final = 20
NETWORKS: Final = (
    ("", 0.0, 0),
    ("loss2_", 0.02, 0),
    ("loss10_", 0.10, 0),
    ("rtt200_", 0.0, 200),
    ("loss2_rtt200_", 0.02, 200),
)
STAR: Final = "node-ws-star"


async def by_relay(stack: Stack, loss: float, rtt_ms: int) -> dict[str, float]:
    """The job once, in a fresh room."""
    job = [str(part) for part in (SECONDS, WARM_UP_S, loss, rtt_ms)]
    figures, used = await drive(stack, "presence.mjs", "relay", stack.base_url, *job)
    return _with_cpu(figures, used.get(NODE, 0.0), used[DRIVER]) | {
        "functions_cpu_cores": (server_s(used) - used.get(NODE, 0.0)) / figures["seconds"],
    }


async def by_star() -> dict[str, float]:
    """The same by WebSocket and JSON."""
    async with peers.node("star.mjs", str(HZ)) as server:
        port = (await peers.line(server, "READY")).split()[1]
        job = ["star", f"ws://127.0.0.1:{port}", str(SECONDS), str(WARM_UP_S)]
        async with peers.node("presence.mjs", *job) as driver:
            await peers.line(driver, "WINDOW_START")
            before = peers.cpu_s(server), peers.cpu_s(driver)
            await peers.line(driver, "WINDOW_END")
            used = peers.cpu_s(server) - before[0], peers.cpu_s(driver) - before[1]
            return _with_cpu(peers.figures_in(await peers.line(driver, "{")), *used)


def _with_cpu(figures: dict[str, float], node_s: float, driver_s: float) -> dict[str, float]:
    seconds = figures["seconds"]
    told = figures["updates_sent_per_s"] * seconds * figures["delivered_ratio"] * (PEOPLE - 1)
    return {name: value for name, value in figures.items() if name != "seconds"} | {
        "node_cpu_cores": node_s / seconds,
        "node_cpu_us_per_state": node_s * 1e6 / max(1.0, told),
        "driver_cpu_cores": driver_s / seconds,
    }


def main() -> Report:
    """Each network once, then the star."""
    report = Report("presence-relay")
    asyncio.run(_all(report))
    return report


async def _all(report: Report) -> None:
    await asyncio.to_thread(peers.install)
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        for prefix, loss, rtt_ms in NETWORKS:
            for name, value in (await by_relay(stack, loss, rtt_ms)).items():
                report.figure(f"{prefix}{name}", value, unit_of(name))
    for name, value in (await by_star()).items():
        report.peer(STAR, name, value, unit_of(name))
