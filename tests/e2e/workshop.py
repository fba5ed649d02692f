"""Two people in one scene, and how a test looks at it and works in it. Windows that are shared by a whole file."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from local.stack import Stack
from tests.e2e.conftest import CHROMIUM, FLAGS, Window, create_room, open_link, window

SYNCED = "h.document.state === 'synced' && h.document.unsynced === 0"


async def two(browser: Browser, stack: Stack, sizes: tuple[int, int] = (1100, 900)) -> tuple[Window, Window]:
    """Ada and Bob, in one room whose scene both have read."""
    ada, bob = await window(browser, sizes[0], 700), await window(browser, sizes[1], 600)
    link = await create_room(ada, stack.base_url, "Ada", "Workshop")
    await open_link(bob, link, "Bob")
    for one in (ada, bob):
        await one.until(f"h.editor && {SYNCED}", timeout_s=60)
    return ada, bob


@asynccontextmanager
async def shared_workshop(stack: Stack) -> AsyncIterator[tuple[Window, Window]]:
    """Ada and Bob for all tests of a file: each makes objects of its own. At the end nothing went wrong in a page."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        ada, bob = await two(browser, stack, (900, 900))
        await ada.figure("h.moveTo([0, 1.6, 12])")
        await ada.figure("h.lookAt([0, 0.5, 0])")
        yield ada, bob
        await browser.close()
        assert ada.problems == []
        assert bob.problems == []


async def scene(who: Window) -> dict[str, Any]:
    """What somebody sees."""
    found: dict[str, Any] = json.loads(str(await who.figure("JSON.stringify(h.editor.entities)")))
    return found


async def same(*people: Window) -> dict[str, Any]:
    """Waits until everybody has everything and sees the same."""
    for _ in range(100):
        for one in people:
            await one.until(SYNCED, timeout_s=60)
        seen = [await scene(one) for one in people]
        if all(one == seen[0] for one in seen):
            return seen[0]
        await asyncio.sleep(0.1)
    raise AssertionError(f"they do not see the same: {seen}")


async def edit(who: Window, *operations: dict[str, Any]) -> None:
    """An edit, as the tools make it."""
    await who.figure(f"h.editor.edit({json.dumps(operations)})")


async def paint(who: Window, entity: str, color: str) -> None:
    """Gives something a colour, and waits until it is saved."""
    await edit(who, {"op": "set", "id": entity, "path": ["color"], "value": color})
    await who.until(f"{SYNCED} && h.editor.entities['{entity}'].props.color === '{color}'")


async def add(kind: str, who: Window, *others: Window) -> str:
    """Something new, that everybody sees."""
    made = str(await who.figure(f"h.editor.add('{kind}')"))
    await same(who, *others)
    return made


async def drawn(who: Window, entity: str) -> list[float]:
    """Where somebody sees something in the world, be it on its way."""
    at: list[float] = json.loads(str(await who.figure(f"JSON.stringify(h.editor.drawn('{entity}').at)")))
    return at


async def told(who: Window, words: str, timeout_s: float = 20) -> None:
    """Waits until a toast says this."""
    toast = who.page.locator(who.by("toast"), has_text=words)
    await toast.first.wait_for(timeout=timeout_s * 1000)
