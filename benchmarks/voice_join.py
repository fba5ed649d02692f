"""From joining to hearing: a room of 20 in voice, 5 of them talking, into which others come one after the other.

    make bench NAME=voice-join         SITTING=20 JOINS=20: about four minutes

`join_to_sound` is from the REST request that joins voice, of a page that is in the room already, to the first packet of a
voice; `entry_to_sound` from the request that takes the seat, with ticket, WebSocket, connection and voice in between.
`join_answered` and `entry_connected` are steps on the way. `_loss2`: of all datagrams 2% are lost each way, those of the
handshake and of the data channels too; REST and WebSocket are TCP, and lose nothing.
"""

import asyncio
import os
from typing import Final

from benchmarks import janus, peers
from benchmarks.relay import unit_of
from benchmarks.report import Report
from benchmarks.voices.process import load
from local.dynamodb import unavailable
from local.stack import Stack

SITTING: Final = os.environ.get("SITTING", "20")
JOINS: Final = os.environ.get("JOINS", "20")
PATIENCE_S: Final = 900.0


def main() -> Report:
    """On DynamoDB Local, where it is."""
    report = Report("voice-join")
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        for name, value in asyncio.run(_run(stack)).items():
            report.figure(name, value, unit_of(name.removesuffix("_loss2")))
    return report


async def _run(stack: Stack) -> dict[str, float]:
    async with (
        asyncio.timeout(PATIENCE_S),
        load("join", stack.base_url, SITTING, JOINS, ADDRESS=janus.address()) as driver,
    ):
        return peers.figures_in(await peers.line(driver, "{"))
