"""Two people who build in one scene, and what they see of it."""

import asyncio
import json
from typing import Any

from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.conftest import Window, create_room, open_link, window

SYNCED = "h.document.state === 'synced' && h.document.unsynced === 0"


async def two(browser: Browser, stack: Stack) -> tuple[Window, Window]:
    """Ada and Bob, in one room whose scene both have read."""
    ada, bob = await window(browser, 1100, 700), await window(browser, 900, 600)
    link = await create_room(ada, stack.base_url, "Ada", "Workshop")
    await open_link(bob, link, "Bob")
    for one in (ada, bob):
        await one.until(f"h.editor && {SYNCED}", timeout_s=60)
    return ada, bob


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
