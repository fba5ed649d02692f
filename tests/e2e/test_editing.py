"""Two people build in one scene, each in a real Chromium window: both see everything, and nothing is lost."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.conftest import Window, create_room, open_link, window

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

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


async def test_both_edit_one_object(browser: Browser, stack: Stack) -> None:
    """What one adds the other sees, selects and colours; the first takes it back, and it survives a reload."""
    ada, bob = await two(browser, stack)
    box = str(await ada.figure("h.editor.add('box')"))
    await bob.until(f"h.editor.entities['{box}']")
    await edit(bob, {"op": "set", "id": box, "path": ["color"], "value": "#ff0000"})
    await edit(ada, {"op": "set", "id": box, "path": ["position"], "value": [1, 2, 3]})
    both = await same(ada, bob)
    assert both[box]["props"]["color"] == "#ff0000"
    assert both[box]["props"]["position"] == [1, 2, 3]
    await ada.figure("h.editor.run('undo')")
    assert (await same(ada, bob))[box]["props"]["position"] != [1, 2, 3]
    before = await scene(ada)
    await ada.page.reload()
    await ada.until("h && h.me", timeout_s=60) if await ada.figure("Boolean(h)") else await ada.page.click(
        ada.by("enter-room")
    )
    await ada.until(f"h.editor && {SYNCED}", timeout_s=60)
    assert await same(ada, bob) == before
    assert ada.problems == []
    assert bob.problems == []


async def test_both_write_one_text_while_one_is_offline(browser: Browser, stack: Stack) -> None:
    """Both write on, the one without a network too; when it is back both have every letter and every change."""
    ada, bob = await two(browser, stack)
    note = str(await ada.figure("h.editor.add('text')"))
    await edit(ada, {"op": "set", "id": note, "path": ["text"], "value": "middle"})
    await same(ada, bob)
    await bob.page.context.set_offline(True)
    await bob.until("h.connection === 'offline' || h.connection === 'waiting'", timeout_s=60)
    await edit(bob, {"op": "text", "id": note, "path": ["text"], "edit": [6, " end"]})
    await edit(bob, {"op": "set", "id": note, "path": ["color"], "value": "#00ff00"})
    await edit(ada, {"op": "text", "id": note, "path": ["text"], "edit": ["start "]})
    lost = str(await bob.figure("h.editor.add('sphere')"))
    await ada.until(SYNCED)
    await bob.until("h.document.unsynced > 0")
    await bob.page.context.set_offline(False)
    both = await same(ada, bob)
    assert both[note]["props"]["text"] == "start middle end"
    assert both[note]["props"]["color"] == "#00ff00"
    assert lost in both
