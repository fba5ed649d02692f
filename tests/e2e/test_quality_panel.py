"""How one is connected, in the page: bars, their details, the panel of connections, the preferences. Real Chromium."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, async_playwright, expect

from local.stack import Stack
from tests.e2e.conftest import CHROMIUM, FLAGS, Window, create_room, open_link, window

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

PATIENCE_MS = 30_000
CONNECTED = "h.links.some(link => link.open)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(stack: Stack) -> AsyncIterator[tuple[Window, Window]]:
    """Ada and Bob in one room, for all tests of this file. At the end nothing went wrong in a page."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        ada, bob = await window(browser), await window(browser, 900, 600)
        link = await create_room(ada, stack.base_url, "Ada", "Garden")
        await open_link(bob, link, "Bob")
        for one in (ada, bob):
            await one.until("h.participants === 2")
        yield ada, bob
        await browser.close()
        assert ada.problems == []
        assert bob.problems == []


async def see(who: Window, testid: str, text: str) -> None:
    """Waits until an element says this."""
    await expect(who.page.locator(who.by(testid)).first).to_contain_text(text, timeout=PATIENCE_MS)


async def fresh(who: Window) -> None:
    """No panel is open, nothing has the focus."""
    close = who.page.locator(who.by("panel-close"))
    if await close.is_visible():
        await close.click()
    await who.page.locator(who.by("stage")).focus()


async def realtime(who: Window, value: str) -> None:
    """Chooses in the preferences."""
    await who.page.click(who.by("open-preferences"))
    await who.page.select_option(who.by("realtime-select"), value)
    await who.page.keyboard.press("Escape")


async def test_everybody_has_bars_and_their_details_open_by_keyboard(people: tuple[Window, Window]) -> None:
    """Each person has bars in the list; with the focus on them a card tells the figures; Escape closes the card alone."""
    ada, _ = people
    await fresh(ada)
    await ada.page.keyboard.press("p")
    bars = ada.page.locator(ada.by("person-bars"))
    await expect(bars).to_have_count(2)
    await ada.page.locator(ada.by("person-visit")).focus()
    for _ in range(6):
        await ada.page.keyboard.press("Tab")
        if await bars.nth(1).evaluate("bars => bars === document.activeElement"):
            break
    for words in ("Bob", "Carrier", "Path", "Round trip", "Jitter", "Loss", "Quality"):
        await see(ada, "details", words)
    described = await bars.nth(1).get_attribute("aria-describedby")
    assert described == await ada.page.locator(ada.by("details")).get_attribute("id")
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.locator(ada.by("details"))).to_be_hidden()
    await expect(ada.page.locator(ada.by("people-panel"))).to_be_visible()


async def test_the_panel_shows_the_connections(people: tuple[Window, Window]) -> None:
    """The key C opens the panel: a connection to Bob with its way, the WebSocket, and what the room reports."""
    ada, bob = people
    for one in people:
        await one.until(CONNECTED)
    await fresh(ada)
    await ada.page.keyboard.press("c")
    await see(ada, "own-connection", "Direct")
    await see(ada, "links", "Bob")
    await see(ada, "links", "Direct")
    await see(ada, "links", "WebSocket")
    await see(ada, "own-figures", "States told")
    await see(ada, "connection", "Direct")
    await see(ada, "relay-line", "No media node")
    await see(bob, "connection", "Direct")
    await see(ada, "room-peers", "Bob")
    last = await ada.page.locator(ada.by("tab-network")).bounding_box()
    close = await ada.page.locator(ada.by("panel-close")).bounding_box()
    assert last is not None
    assert close is not None
    assert last["x"] + last["width"] < close["x"], "the last tab leaves the close button free"


async def test_the_badge_tells_and_opens_the_panel(people: tuple[Window, Window]) -> None:
    """Under the room's name: bars and the way; hovering tells more, a click opens the panel."""
    ada, _ = people
    await fresh(ada)
    badge = ada.page.locator(ada.by("connection"))
    await expect(badge.locator(".bars")).to_have_attribute("data-bars", re.compile("[1-4]"), timeout=PATIENCE_MS)
    await badge.hover()
    await see(ada, "details", "Your connection")
    await badge.click()
    await expect(ada.page.locator(ada.by("network-panel"))).to_be_visible()
    await expect(ada.page.locator(ada.by("details"))).to_be_hidden()


async def test_the_websocket_alone_by_choice(people: tuple[Window, Window]) -> None:
    """Who wants the WebSocket only has no peer connections, for good, and the others are told; until they want them again."""
    ada, bob = people
    await ada.until(CONNECTED)
    await fresh(ada)
    await realtime(ada, "websocket")
    await bob.page.locator(bob.by("toast"), has_text="The WebSocket carries on").wait_for(timeout=PATIENCE_MS)
    await ada.until("!h.links.some(link => link.open) && h.carrier === 'websocket'")
    await see(ada, "connection", "WebSocket")
    await bob.until("!h.links.some(link => link.open)")
    await see(bob, "connection", "WebSocket")
    await ada.page.reload()
    await ada.page.click(ada.by("enter-room"))
    await ada.until("h.me && h.participants === 2 && !h.links.some(link => link.open)")
    await see(ada, "connection", "WebSocket")
    await realtime(ada, "auto")
    for one in people:
        await one.until(CONNECTED)
        await see(one, "connection", "Direct")


async def test_what_cannot_be_read_is_said_and_tried_again(people: tuple[Window, Window]) -> None:
    """While the route fails, the panel says so beside one's own figures; a button tries again."""
    ada, _ = people
    await fresh(ada)
    route = "**/webrtc/sessions/*/stats"

    async def fail(request: Route) -> None:
        await request.abort()

    await ada.page.route(route, fail)
    await ada.page.keyboard.press("c")
    await see(ada, "stats-error", "could not be read")
    await see(ada, "links", "WebSocket")
    await ada.page.unroute(route, fail)
    await ada.page.click(ada.by("stats-again"))
    await see(ada, "relay-line", "No media node")
    await expect(ada.page.locator(ada.by("stats-error"))).to_have_count(0)


@pytest.mark.asyncio(loop_scope="function")
async def test_alone_on_a_phone(browser: Browser, stack: Stack) -> None:
    """The panel says that nobody else is here; it fits a phone, and a tap on bars tells their figures."""
    ada = await window(browser, 390, 844, touch=True)
    await create_room(ada, stack.base_url, "Ada", "Pocket")
    await ada.page.tap(ada.by("connection"))
    await see(ada, "network-alone", "alone")
    await see(ada, "stats-empty", "Nobody else")
    await ada.page.tap(ada.by("tab-people"))
    await ada.page.tap(ada.by("person-bars"))
    await see(ada, "details", "WebSocket")
    box = await ada.page.locator(ada.by("details")).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert await ada.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert ada.problems == []
