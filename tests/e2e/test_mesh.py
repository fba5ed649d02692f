"""Pages of one room connect to each other: real Chromium, real WebRTC, the functions between them only to introduce."""

import asyncio
from typing import cast

import pytest
from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.gathering import KEEP, STAND, WALK, WITHOUT, moves, room

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def connected(others: int) -> str:
    """So many others are connected to, and carry."""
    return f"h.links.filter(l => l.open && l.path === 'direct').length === {others}"


async def test_three_pages_are_a_mesh_and_leave_the_websocket(browser: Browser, stack: Stack) -> None:
    """Within seconds all pairs are connected; states come more than ten times a second, and hardly any by WebSocket."""
    async with room(browser, stack, KEEP, KEEP, KEEP) as people:
        for one in people:
            await one.until(f"{connected(2)} && h.carrier === 'mesh'", timeout_s=20)
        ada, bob, _ = people
        name = cast(str, await ada.figure("h.me.peer_id"))
        await ada.page.evaluate(WALK)
        await bob.until(f"h.links.find(l => l.peer_id === '{name}').received_hz > 10", timeout_s=30)
        before = ada.wires.sent["presence.update"]
        await asyncio.sleep(5)
        assert ada.wires.sent["presence.update"] - before <= 1
        await ada.page.evaluate(STAND)
        stands = cast(list[float], await ada.figure("h.me.position"))
        await bob.until(
            f"h.peers.some(p => p.peer_id === '{name}' && Math.hypot(p.position[0] - ({stands[0]}),"
            f" p.position[2] - ({stands[2]})) < 0.05)"
        )


async def test_a_killed_pair_falls_back_and_returns(browser: Browser, stack: Stack) -> None:
    """Where a connection dies the WebSocket carries on, and the two connect anew."""
    async with room(browser, stack, KEEP, KEEP) as (ada, bob):
        for one in (ada, bob):
            await one.until(f"{connected(1)} && h.carrier === 'mesh'")
        seen = "(h.seen ??= new Set()).add(h.carrier)"
        for one in (ada, bob):
            await one.page.evaluate(f"() => {{ const h = window.__holodeck; setInterval(() => {{ {seen}; }}, 20); }}")
        await ada.page.evaluate("window.__made.forEach((c) => c.close())")
        await ada.until("h.carrier === 'websocket'")
        await ada.figure("h.moveTo([3, 1.6, 13])")
        await bob.until("h.peers.some(p => p.name === 'Ada' && p.position && Math.abs(p.position[0] - 3) < 0.5)")
        for one in (ada, bob):
            await one.until(f"{connected(1)} && h.carrier === 'mesh'")
            assert await one.figure("[...h.seen].includes('websocket')")


async def test_a_changed_network_restarts_ice(browser: Browser, stack: Stack) -> None:
    """When the browser is told that it is online again, the pair gets new credentials on the connection it has."""
    ufrag = "/a=ice-ufrag:(\\S+)/.exec(window.__made.at(-1).localDescription.sdp)[1]"
    async with room(browser, stack, KEEP, KEEP) as (ada, bob):
        for one in (ada, bob):
            await one.until(connected(1))
            await asyncio.sleep(1.5)
            before = await ada.page.evaluate(ufrag), await bob.page.evaluate(ufrag)
            await one.page.evaluate("window.dispatchEvent(new Event('online'))")
            await one.until(f"({ufrag}) !== '{before[0 if one is ada else 1]}'")
        for one in (ada, bob):
            await one.until(connected(1))
            assert await one.page.evaluate("window.__made.length") == 1


async def test_a_page_without_webrtc_is_in_the_same_room(browser: Browser, stack: Stack) -> None:
    """Two are connected, a third has only its WebSocket: everybody sees everybody move, and nothing else is amiss."""
    async with room(browser, stack, KEEP, KEEP, WITHOUT) as people:
        ada, bob, cleo = people
        for one in (ada, bob):
            await one.until(f"{connected(1)} && h.carrier === 'mesh'")
        assert await cleo.figure("h.carrier") == "websocket"
        for to, one in enumerate(people, 2):
            await moves(one, to, people)
        box = str(await cleo.figure("h.editor.add('box')"))
        for one in people:
            await one.until(f"h.editor.entities['{box}']?.alive")
