"""Coming into a room that 20 sit in, one after the other: from the POST that takes the seat to the media node's first frame.

In between are a ticket, the WebSocket, `room.state`, an offer and its answer through the functions, ICE, DTLS and SCTP;
when each step is done is told apart. Beside it, from the same joins: the first full frame by WebSocket, without a node.
"""

import asyncio
import os
from typing import Final

from benchmarks import peers
from benchmarks.relay import HEAP, unit_of
from benchmarks.report import Report
from local.dynamodb import unavailable
from local.stack import Stack

SITTING: Final = int(os.environ.get("SITTING", "20"))
JOINS: Final = int(os.environ.get("JOINS", "60"))
PATIENCE_S: Final = 180.0


def main() -> Report:
    """On DynamoDB Local, where it is."""
    report = Report("peer-join")
    peers.install()
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        figures = asyncio.run(_run(stack))
    for name, value in figures.items():
        step, _, rest = name.partition("_")
        if step == "websocket":
            report.peer("the WebSocket", f"join_{rest}", value, unit_of(name))
        else:
            report.figure(f"join_{rest}" if step == "relay" else name, value, unit_of(name))
    return report


async def _run(stack: Stack) -> dict[str, float]:
    async with (
        asyncio.timeout(PATIENCE_S),
        peers.node(HEAP, "join.mjs", stack.base_url, str(SITTING), str(JOINS)) as driver,
    ):
        return peers.figures_in(await peers.line(driver, "{"))
