"""A mixed room: two pages connected directly, one through TURN, one on the WebSocket alone. Real pages, a real coturn."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from local.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.gathering import KEEP, WITHOUT, moves, room
from tests.turn.server import SECRETS, Coturn

pytestmark = pytest.mark.timeout(240)

PATIENCE_MS = 30_000
OPEN = "window.__made.filter((one) => one.connectionState !== 'closed')"
TOLD = f"{OPEN}.flatMap((one) => one.localDescription.sdp.match(/ typ \\w+/g) ?? [])"


@pytest.fixture
def system(coturn: Coturn, folder: Path) -> Iterator[Stack]:
    """The whole of it, with that TURN server."""
    secret = folder / "turn-secret"
    secret.write_text(SECRETS)
    settings = {"TURN_URLS": f"{coturn.udp},{coturn.tcp}", "TURN_SECRET_FILE": str(secret), "RELAY": "0"}
    with Stack(settings=settings) as running:
        yield running


async def hide(who: Window) -> None:
    """Chooses in the preferences that nobody learns the page's address."""
    await who.page.set_viewport_size({"width": 900, "height": 600})
    await who.page.click(who.by("open-preferences"))
    await who.page.get_by_label("Hide my network address").check()
    await who.page.keyboard.press("Escape")


async def reaches(who: Window, *ways: tuple[str, Window]) -> None:
    """Until somebody's connections go just these ways."""
    ends = [(way, await other.figure("h.me.peer_id")) for way, other in ways]
    links = [f"h.links.some(l => l.peer_id === '{peer_id}' && l.open && l.path === '{way}')" for way, peer_id in ends]
    every = f"h.links.filter(l => l.open).length === {len(ends)}"
    await who.until(" && ".join([*links, every]), timeout_s=60)


async def says(who: Window, words: str) -> None:
    """Until the panel of connections says so of the room."""
    await who.page.set_viewport_size({"width": 900, "height": 600})
    await who.page.locator(who.by("stage")).focus()
    await who.page.keyboard.press("c")
    shown = re.compile(words.replace(" ", r"\s"))
    await expect(who.page.locator(who.by("own-connection"))).to_contain_text(shown, timeout=PATIENCE_MS)


async def test_a_mixed_room_works_and_shows_it(browser: Browser, system: Stack) -> None:
    """Everybody sees everybody move and build; each page says which way it reaches the others; who hides tells no address."""
    async with room(browser, system, KEEP, KEEP, KEEP, WITHOUT) as people:
        ada, bob, cleo, dan = people
        await reaches(cleo, ("direct", ada), ("direct", bob))
        await hide(cleo)
        await reaches(cleo, ("turn", ada), ("turn", bob))
        await reaches(ada, ("direct", bob), ("turn", cleo))
        await reaches(bob, ("direct", ada), ("turn", cleo))
        assert set(await cleo.page.evaluate(TOLD)) == {" typ relay"}
        assert await dan.figure("h.carrier") == "websocket"
        for to, one in enumerate(people, 2):
            await moves(one, to, people)
        box = str(await cleo.figure("h.editor.add('box')"))
        for one in people:
            await one.until(f"h.editor.entities['{box}']?.alive")
        await says(ada, "1 direct, 1 through TURN, 1 WebSocket")
        await says(cleo, "2 through TURN, 1 WebSocket")
        await says(dan, "WebSocket")
