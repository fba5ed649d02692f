"""When a node reads its port: as something comes, or by a beat while there is much; nothing is lost by the change."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from media_node.transport import Transport
from tests.node.peers import Page, Told, listening, own_address
from tests.node.test_hostile import KEY, taken

Loops = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loops(request: pytest.FixtureRequest) -> Loops:
    """That of the tests, and the one that a node has."""
    made: Loops = request.param
    return made


def gathers(node: Transport) -> bool:
    return node._gather.on


def test_much_is_read_by_the_beat_and_little_as_it_comes(loops: Loops) -> None:
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(much_and_little())


async def much_and_little() -> None:
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


def test_whoever_is_due_has_their_turn_by_the_beat_too(loops: Loops) -> None:
    """Timers of a loop wake it once more; while there is a beat there is none of them."""
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(due_by_the_beat())


async def due_by_the_beat() -> None:
    page = Page()
    node = await listening(Told())
    await page.connect(node, KEY)
    await page.opened()
    link = node._links[KEY]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:

        async def knock(pause_s: float, until: Callable[[], bool]) -> None:
            while not until():
                ours.sendto(b"\xff", (own_address(), node.port))
                await asyncio.sleep(pause_s)

        async def has_a_turn(pause_s: float, *, much: bool) -> None:
            await knock(pause_s, lambda: gathers(node) is much)
            link.due = node._due = 0.0
            await knock(pause_s, lambda: link.due > 0)
            assert (node._timer is None) is much

        async with asyncio.timeout(20):
            await has_a_turn(0, much=True)
            await has_a_turn(0.03, much=False)
    await page.close()
    await node.close()
    await asyncio.sleep(0.02)  # uvloop closes the page's sockets in a later turn


def test_a_node_goes_on_reading_after_it_sent_to_whoever_is_not_there_any_more(loops: Loops) -> None:
    """What ICMP says of it is nobody's: libuv reads no more of a socket that has an error."""
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(reads_on())


async def reads_on() -> None:
    node = await listening(Told())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind((own_address(), 0))
        address = gone.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        for sent in range(1, 4):
            node.emit(b"\xff", address)
            await asyncio.sleep(0.02)
            ours.sendto(b"\xff", (own_address(), node.port))
            await taken(node, sent)
    await node.close()
