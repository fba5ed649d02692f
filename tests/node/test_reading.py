"""When a node reads its port: as something comes, or by a beat while there is much; nothing is lost by the change."""

import asyncio
import socket

from media_node.transport import Transport
from tests.node.peers import Told, listening, own_address
from tests.node.test_hostile import taken


def gathers(node: Transport) -> bool:
    return node._gather.on


async def test_much_is_read_by_the_beat_and_little_as_it_comes() -> None:
    node = await listening(Told())
    sent = 0

    async def send(node: Transport, count: int) -> None:
        nonlocal sent
        for _ in range(count):
            ours.sendto(b"\xff", (own_address(), node.port))
        sent += count
        await taken(node, sent)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        async with asyncio.timeout(20):
            while not gathers(node):
                await send(node, 100)
            await send(node, 300)
            while gathers(node):
                await send(node, 1)
                await asyncio.sleep(0.03)
        await send(node, 5)
    await node.close()
    assert node.stats().packets_in == sent
