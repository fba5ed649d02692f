"""The tools of editing in real Chromium windows: drags, history, locks, overrides, roles, what outlives a tab."""

from typing import Any

import pytest
from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.builders import SYNCED, edit, same, scene, two
from tests.e2e.conftest import Window, window

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def box_in_view(ada: Window, bob: Window) -> str:
    """A box that Ada has added and selected, where she sees it."""
    box = str(await ada.figure("h.editor.add('box')"))
    await bob.until(f"h.editor.entities['{box}']")
    await ada.until(SYNCED)
    return box


async def at(who: Window, entity: str) -> list[float]:
    """Where somebody sees an entity."""
    found: Any = await who.figure(f"h.editor.shownAt('{entity}')")
    return [float(n) for n in found]


async def test_a_drag_is_seen_by_others_and_is_one_commit(browser: Browser, stack: Stack) -> None:
    """While a hand drags, the others see it move and the document knows nothing; letting go is one revision."""
    ada, bob = await two(browser, stack)
    box = await box_in_view(ada, bob)
    before, revision = await at(bob, box), await ada.figure("h.document.revision")
    pixel: Any = await ada.figure(f"h.editor.pixelOf('{box}')")
    mouse = ada.page.mouse
    await mouse.move(pixel[0] + 30, pixel[1] + 30)
    await mouse.move(*pixel, steps=4)
    await ada.page.wait_for_timeout(300)  # the handles notice the hand in the next frame
    await mouse.down()
    for step in range(1, 11):
        await mouse.move(pixel[0] + 8 * step, pixel[1] - 4 * step)
        await ada.page.wait_for_timeout(60)
    moved = await at(ada, box)
    assert moved != before
    shown = ",".join(str(n) for n in moved)
    await bob.until(f"Math.hypot(...h.editor.shownAt('{box}').map((n, i) => n - [{shown}][i])) < 0.05")
    assert await ada.figure("h.document.revision") == revision
    assert (await scene(bob))[box]["props"]["position"] != moved
    await mouse.up()
    both = await same(ada, bob)
    assert await ada.figure("h.document.revision") == int(str(revision)) + 1
    assert both[box]["props"]["position"] == pytest.approx(moved, abs=0.01)
    await bob.until(f"Math.hypot(...h.editor.shownAt('{box}').map((n, i) => n - [{shown}][i])) < 0.02")
    assert ada.problems == bob.problems == []


async def test_the_past_is_looked_at_named_and_restored(browser: Browser, stack: Stack) -> None:
    """The slider shows any revision to one alone; a name for it is found by the other, who brings it back for both."""
    ada, bob = await two(browser, stack)
    box = await box_in_view(ada, bob)
    for value in ("#ff0000", "#00ff00", "#0000ff"):
        await edit(ada, {"op": "set", "id": box, "path": ["color"], "value": value})
        await ada.until(SYNCED)
    await same(ada, bob)
    page = ada.page
    await page.click(ada.by("tool-history"))
    await page.locator(ada.by("history-slider")).fill("2")
    await ada.until("h.editor.past === 2")
    assert (await scene(ada))[box]["props"]["color"] == "#ff0000"
    assert (await scene(bob))[box]["props"]["color"] == "#0000ff"
    await page.click(ada.by("history-name"))
    await page.fill(ada.by("line-input"), "The red one")
    await page.click(ada.by("line-save"))
    assert await page.locator(ada.by("milestone")).inner_text() == "The red one"
    await page.click(ada.by("history-now"))
    await ada.until("h.editor.past === null")
    await bob.page.click(bob.by("tool-history"))
    await bob.page.click(bob.by("milestone"))
    await bob.until("h.editor.past === 2")
    await bob.page.click(bob.by("history-restore"))
    await bob.page.click(bob.by("confirm-restore"))
    await bob.until("h.editor.past === null")
    assert (await same(ada, bob))[box]["props"]["color"] == "#ff0000"
    assert ada.problems == bob.problems == []


async def test_an_override_is_told_with_the_lost_value_at_hand(browser: Browser, stack: Stack) -> None:
    """Whoever was overridden is told by whom, and takes the value back with one press."""
    ada, bob = await two(browser, stack)
    box = await box_in_view(ada, bob)
    await bob.page.context.set_offline(True)
    await bob.until("h.connection === 'offline' || h.connection === 'waiting'", timeout_s=60)
    await edit(ada, {"op": "set", "id": box, "path": ["color"], "value": "#ff0000"})
    await ada.until(SYNCED)
    await edit(bob, {"op": "set", "id": box, "path": ["color"], "value": "#0000ff"})
    await bob.page.context.set_offline(False)
    assert (await same(ada, bob))[box]["props"]["color"] == "#0000ff"
    toast = ada.page.locator(ada.by("toast")).filter(has_text="Bob")
    await toast.filter(has=ada.page.locator(ada.by("toast-action"))).first.wait_for()
    await ada.page.locator(ada.by("toast-action")).first.click()
    assert (await same(ada, bob))[box]["props"]["color"] == "#ff0000"


async def test_a_lock_is_shown_and_keeps_the_others_out(browser: Browser, stack: Stack) -> None:
    """Its holder edits on; the others see who has it, and their tools rest."""
    ada, bob = await two(browser, stack)
    box = await box_in_view(ada, bob)
    await ada.page.click(ada.by("lock"))
    await bob.figure(f"h.editor.select('{box}')")
    badge = bob.page.locator(bob.by("lock-badge"))
    await badge.filter(has_text="Ada").first.wait_for(timeout=20_000)
    await edit(bob, {"op": "set", "id": box, "path": ["color"], "value": "#0000ff"})
    await bob.page.locator(bob.by("toast")).filter(has_text="locked").first.wait_for()
    await edit(ada, {"op": "set", "id": box, "path": ["color"], "value": "#ff0000"})
    assert (await same(ada, bob))[box]["props"]["color"] == "#ff0000"


async def test_what_is_not_saved_outlives_the_tab(browser: Browser, stack: Stack) -> None:
    """Edited without a network, the tab closed, opened again: it is sent, and the other sees it."""
    ada, bob = await two(browser, stack)
    link = bob.page.url
    context = bob.page.context
    await context.set_offline(True)
    await bob.until("h.connection === 'offline' || h.connection === 'waiting'", timeout_s=60)
    lost = str(await bob.figure("h.editor.add('sphere')"))
    await bob.until("h.document.unsynced > 0")
    await bob.page.wait_for_timeout(500)  # the browser writes it down
    await bob.page.close()
    await context.set_offline(False)
    again = Window(await context.new_page())
    await again.page.goto(link)
    await again.page.click(again.by("enter-room"))
    await again.until(f"h.editor && {SYNCED}", timeout_s=60)
    assert lost in await same(ada, again)
    assert again.problems == []


async def test_who_only_looks_has_no_tools(browser: Browser, stack: Stack) -> None:
    """Made a viewer, one sees everything and edits nothing; the tools are gone at once."""
    ada, bob = await two(browser, stack)
    box = await box_in_view(ada, bob)
    assert await bob.page.locator(bob.by("add")).is_visible()
    await ada.page.click(ada.by("open-people"))
    await ada.page.locator(ada.by("person-role-select")).last.select_option("viewer")
    await bob.until("!document.querySelector('[data-testid=add]')?.checkVisibility()")
    await bob.figure(f"h.editor.select('{box}')")
    await edit(bob, {"op": "set", "id": box, "path": ["color"], "value": "#0000ff"})
    await edit(ada, {"op": "set", "id": box, "path": ["color"], "value": "#ff0000"})
    assert (await same(ada, bob))[box]["props"]["color"] == "#ff0000"


async def test_things_are_put_into_things_and_undone(browser: Browser, stack: Stack) -> None:
    """Grouped, both see the tree; the undo of what somebody else has changed since says that it was skipped."""
    ada, bob = await two(browser, stack)
    first = await box_in_view(ada, bob)
    second = await box_in_view(ada, bob)
    await ada.figure(f"h.editor.select('{first}', '{second}')")
    await ada.figure("h.editor.run('group')")
    both = await same(ada, bob)
    assert both[first]["parent"] == both[second]["parent"] is not None
    await bob.page.click(bob.by("tool-objects"))
    assert await bob.page.locator(bob.by("tree-row")).count() == 3
    await edit(ada, {"op": "set", "id": first, "path": ["color"], "value": "#ff0000"})
    await same(ada, bob)
    await edit(bob, {"op": "set", "id": first, "path": ["color"], "value": "#0000ff"})
    await same(ada, bob)
    await ada.figure("h.editor.run('undo')")
    await ada.page.locator(ada.by("toast")).filter(has_text="Not undone").first.wait_for()
    assert (await same(ada, bob))[first]["props"]["color"] == "#0000ff"


async def test_a_phone_has_the_tools_too(browser: Browser, stack: Stack) -> None:
    """Small and by touch: things are added, the panels open and fit."""
    ada, _ = await two(browser, stack)
    phone = await window(browser, 390, 844, touch=True)
    await phone.page.goto(ada.page.url)
    await phone.page.fill(phone.by("name-input"), "Cyd")
    await phone.page.click(phone.by("enter-room"))
    await phone.until(f"h.editor && {SYNCED}", timeout_s=60)
    await phone.page.tap(phone.by("add"))
    await phone.page.tap(phone.by("add-sphere"))
    await phone.until(SYNCED)
    assert len(await same(ada, phone)) == 1
    for key in ("objects", "history", "properties"):
        await phone.figure(f"h.editor.run('{key}')")
        width: Any = await phone.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
        await phone.figure(f"h.editor.run('{key}')")
    assert phone.problems == []
