"""Real Chromium windows on the whole local system. Without Chromium these tests are skipped, and the run says so."""

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, WebSocket, async_playwright

from local.stack import Stack

CHROMIUM = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--force-device-scale-factor=1",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns,PaintHolding,HttpsUpgrades,MediaRouter,OptimizationHints",
    "--allow-loopback-in-peer-connection",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running system."""
    with Stack() as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield made
        await made.close()


class Wires:
    """What a page says on the WebSockets that it opens from now on, by type."""

    def __init__(self, page: Page) -> None:
        self.sent: Counter[str] = Counter()
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)

    def _sent(self, payload: str | bytes) -> None:
        self.sent[json.loads(payload)["type"]] += 1


class Window:
    """One person's window, with everything that went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.wires = Wires(page)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    async def figure(self, expression: str) -> object:
        """A live figure: an expression of `h`, the page's `__holodeck`."""
        return await self.page.evaluate(f"(() => {{ const h = window.__holodeck; return {expression}; }})()")

    async def until(self, expression: str, timeout_s: float = 30) -> None:
        """Waits until an expression of `h` is true. (The page's policy forbids Playwright's own waiting, which evals.)"""
        ends = time.monotonic() + timeout_s
        while not await self.figure(f"Boolean(h && ({expression}))"):
            if time.monotonic() > ends:
                figures = await self.page.evaluate("JSON.stringify(window.__holodeck ?? null)")
                raise TimeoutError(f"not within {timeout_s} s: {expression}\n{figures}\n{self.problems}")
            await asyncio.sleep(0.05)

    def by(self, testid: str) -> str:
        """The selector of a test id."""
        return f'[data-testid="{testid}"]'


async def window(browser: Browser, width: int = 1280, height: int = 800, *, touch: bool = False) -> Window:
    """A window with a profile of its own: another person."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=touch,
        permissions=["microphone"],  # without it there are no candidates of the loopback interface
    )
    return Window(await context.new_page())


async def create_room(made: Window, base_url: str, name: str, room: str) -> str:
    """Enters as a guest into a new room; returns its link."""
    await made.page.goto(base_url)
    await made.page.fill(made.by("name-input"), name)
    await made.page.fill(made.by("room-name-input"), room)
    await made.page.click(made.by("create-room"))
    await made.until("h.connection === 'open' || h.connection === 'live' || h.me")
    return made.page.url


async def open_link(made: Window, link: str, name: str) -> None:
    """Comes by a link."""
    await made.page.goto(link)
    await made.page.fill(made.by("name-input"), name)
    await made.page.click(made.by("enter-room"))
    await made.until("h.me")
