"""When two want the same, or one may not: who has what is said by name, and what was lost is offered back."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from local.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.workshop import SYNCED, add, edit, paint, same, shared_workshop, told

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

Pair = tuple[Window, Window]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(stack: Stack) -> AsyncIterator[Pair]:
    """Ada, who owns the room, and Bob."""
    async with shared_workshop(stack) as both:
        yield both


async def test_a_lock_shows_whose_it_is_and_refuses_others(pair: Pair) -> None:
    """Bob sees who has locked the box and cannot take hold of it; what is sent all the same is refused; he may unlock it."""
    ada, bob = pair
    box = await add("box", ada, bob)
    await ada.page.click(ada.by("lock"))
    await bob.figure(f"h.editor.select('{box}')")
    await bob.page.locator(bob.by("lock-badge"), has_text="Locked by Ada").wait_for()
    assert await bob.page.locator(bob.by("tool-translate")).is_disabled()
    assert await bob.page.locator(bob.by("tool-delete")).is_disabled()
    await edit(bob, {"op": "set", "id": box, "path": ["color"], "value": "#010203"})
    await told(bob, "Not saved: Ada has locked Box")
    assert (await same(ada, bob))[box]["props"]["color"] != "#010203"
    await bob.page.click(bob.by("unlock"))
    await bob.page.click(bob.by("confirm-unlock"))
    await bob.page.locator(bob.by("lock-badge")).wait_for(state="hidden")
    await paint(bob, box, "#040506")
    await same(ada, bob)


async def test_edits_of_a_closed_tab_arrive_and_whom_they_override_takes_theirs_back(pair: Pair) -> None:
    """Bob paints without a network and closes his tab; when he is back it is sent, and Ada is told and may undo it."""
    ada, bob = pair
    ball = await add("sphere", ada, bob)
    await bob.page.context.set_offline(True)
    await bob.until("h.connection === 'offline' || h.connection === 'waiting'", timeout_s=60)
    await edit(bob, {"op": "set", "id": ball, "path": ["color"], "value": "#0000bb"})
    await bob.page.locator(bob.by("sync"), has_text="1 unsaved").wait_for()
    await paint(ada, ball, "#aa0000")
    await bob.page.wait_for_timeout(500)
    link, context = bob.page.url, bob.page.context
    await bob.page.close(run_before_unload=False)
    await context.set_offline(False)
    bob.page = await context.new_page()
    await bob.page.goto(link)
    await bob.page.locator(f"{bob.by('enter-room')}, {bob.by('stage')}").first.wait_for()
    if await bob.page.locator(bob.by("enter-room")).count():
        await bob.page.click(bob.by("enter-room"))
    await bob.until(f"h && h.editor && {SYNCED} && h.editor.entities['{ball}'].props.color === '#0000bb'", timeout_s=60)
    await told(ada, "Bob changed the colour of Sphere after you")
    await ada.page.locator(ada.by("toast"), has_text="after you").locator(ada.by("toast-action")).click()
    await bob.until(f"h.editor.entities['{ball}'].props.color === '#aa0000'")
    assert (await same(ada, bob))[ball]["props"]["color"] == "#aa0000"


async def test_a_viewer_sees_and_cannot_edit(pair: Pair) -> None:
    """Whom the owner makes a viewer is told, has no tools, and reads the properties of what is there."""
    ada, bob = pair
    box = await add("box", ada, bob)
    await ada.page.click(ada.by("open-people"))
    row = ada.page.locator(ada.by("person"), has_text="Bob")
    await row.locator(ada.by("person-role-select")).select_option("viewer")
    await told(bob, "You are a viewer now")
    await bob.figure(f"h.editor.select('{box}')")
    await bob.page.locator(bob.by("properties")).wait_for()
    for tool in ("add", "tool-translate", "tool-undo"):
        assert await bob.page.locator(bob.by(tool)).is_hidden()
    assert await bob.page.locator(f"{bob.by('properties')} input:enabled").count() == 0
    await edit(bob, {"op": "set", "id": box, "path": ["color"], "value": "#010203"})
    assert await bob.figure("h.document.unsynced") == 0
    assert (await same(ada, bob))[box]["props"]["color"] != "#010203"
