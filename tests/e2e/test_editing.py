"""Two people build in one scene, each in a real Chromium window: both see everything, and nothing is lost."""

import pytest
from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.workshop import SYNCED, edit, same, scene, two

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


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
