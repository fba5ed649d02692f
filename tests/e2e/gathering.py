"""Several light windows in one room, and what a test needs to look into their connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.conftest import Window, create_room, open_link, window

SMALL: Final = (480, 320)
NAMES: Final = ("Ada", "Bob", "Cleo", "Dan")

# Draws seldom: what is tried here is not drawing, and several windows share the machine.
SELDOM: Final = """
const soon = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (call) => setTimeout(() => soon(call), 300);
"""
# Keeps every connection that the page makes, so that a test can break one.
KEEP: Final = """
window.__made = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real { constructor(...all) { super(...all); window.__made.push(this); } };
"""
WITHOUT: Final = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"
WALK: Final = """() => { const h = window.__holodeck; const start = performance.now(); const [x, y, z] = h.me.position;
window.walking = setInterval(() => h.moveTo([x + Math.sin((performance.now() - start) / 500), y, z]), 16); }"""
STAND: Final = "clearInterval(window.walking)"


@asynccontextmanager
async def room(browser: Browser, stack: Stack, *scripts: str) -> AsyncIterator[list[Window]]:
    """A window for each script that is run before the page's own, all in one room. At the end nothing went wrong."""
    people: list[Window] = []
    link = ""
    for name, script in zip(NAMES, scripts, strict=False):
        made = await window(browser, *SMALL)
        await made.page.add_init_script(f"(() => {{ {SELDOM}{script} }})()")
        if link:
            await open_link(made, link, name)
        else:
            link = await create_room(made, stack.base_url, name, "Gathering")
        people.append(made)
    yield people
    for one in people:
        assert one.problems == []
        await one.page.context.close()


async def moves(who: Window, to: float, watchers: list[Window]) -> None:
    """Somebody stands somewhere else, and all the others see them there."""
    await who.figure(f"h.moveTo([{to}, 1.6, {10 + to}])")
    name = await who.figure("h.me.peer_id")
    for other in watchers:
        if other is not who:
            await other.until(
                f"h.peers.some(p => p.peer_id === '{name}' && p.position && Math.abs(p.position[0] - {to}) < 0.1)"
            )
