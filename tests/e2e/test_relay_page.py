"""A room with more pages than a mesh carries goes over to the media node: real pages, the real node, and bots to be many."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import pytest
from playwright.async_api import Browser

from benchmarks.client import Api, PeerClient
from local.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.gathering import KEEP, STAND, WALK, moves, room
from tests.e2e.workshop import SYNCED, same

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ON_RELAY = "h.carrier === 'relay' && h.links.some(l => l.path === 'node' && l.open)"


async def stays(bot: PeerClient) -> None:
    """Keeps a bot in the room."""
    while True:
        await asyncio.sleep(15)
        await bot.ping()


@asynccontextmanager
async def bots(stack: Stack, session_id: str, count: int) -> AsyncIterator[list[PeerClient]]:
    """Pages that say they can be connected to, and never answer: to the others they are on the WebSocket alone."""
    async with Api(stack.base_url) as api, AsyncExitStack() as stay:
        made = []
        for number in range(count):
            who, tab = await api.guest(f"Bot {number}"), f"bottab0{number}"
            made.append(await stay.enter_async_context(await api.enter(who, session_id, tab)))
            await api.call("POST", f"/webrtc/sessions/{session_id}/join", who, {"tab_id": tab})
            stay.callback(asyncio.create_task(stays(made[-1])).cancel)
        yield made


async def boxes(who: Window, count: int) -> list[str]:
    """Adds so many, one after another."""
    return [str(await who.figure("h.editor.add('box')")) for _ in range(count)]


async def test_a_large_room_is_relayed_and_survives_its_node(browser: Browser, stack: Stack) -> None:
    """Presence and edits go by the node; while the next one is on its way the WebSocket carries, and nothing is lost."""
    async with room(browser, stack, KEEP, KEEP) as people:
        ada, bob = people
        session_id = ada.page.url.rpartition("/")[2].partition("#")[0]
        async with bots(stack, session_id, 5) as others:
            for one in people:
                await one.until(ON_RELAY, timeout_s=60)
            await moves(ada, 2, people)
            name = cast(str, await ada.figure("h.me.peer_id"))
            await ada.page.evaluate(WALK)
            await bob.until("h.received_hz > 10", timeout_s=30)
            told = ada.wires.sent["presence.update"]
            before = others[0].states[name][0]
            await asyncio.sleep(4)
            await ada.page.evaluate(STAND)
            assert ada.wires.sent["presence.update"] - told <= 1
            assert others[0].states[name][0] > before, "who is on the WebSocket alone is told by the node"

            for one in people:
                await one.until(SYNCED)
            submitted = sum(one.wires.sent["op.submit"] for one in people)
            await boxes(ada, 2)
            await boxes(bob, 2)
            assert len(await same(*people)) == 4
            assert sum(one.wires.sent["op.submit"] for one in people) == submitted

            generation = cast(int, await ada.figure("h.relay.generation"))
            for pid in stack.pids()["media"]:
                os.kill(pid, signal.SIGKILL)
            await boxes(ada, 2)
            await boxes(bob, 2)
            for one in people:
                await one.until(f"{ON_RELAY} && h.relay.generation > {generation}", timeout_s=60)
            await boxes(ada, 1)
            assert len(await same(*people)) == 9
            await moves(bob, 3, people)
