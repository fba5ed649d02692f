"""Building side by side: what one hand does, the other's eyes see, and each may go back alone."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from local.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.workshop import SYNCED, add, drawn, edit, paint, same, scene, shared_workshop, told

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

Pair = tuple[Window, Window]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(stack: Stack) -> AsyncIterator[Pair]:
    """Ada and Bob."""
    async with shared_workshop(stack) as both:
        yield both


async def grip(who: Window, entity: str) -> tuple[float, float]:
    """Takes hold of the middle of the handles on something."""
    x, y = json.loads(str(await who.figure(f"JSON.stringify(h.editor.drawn('{entity}').seen)")))
    await who.page.mouse.move(x - 60, y - 60)
    await who.page.wait_for_timeout(200)
    await who.page.mouse.move(x, y)
    await who.page.wait_for_timeout(200)
    await who.page.mouse.down()
    return x, y


async def test_a_drag_is_seen_before_it_is_let_go_and_is_one_commit(pair: Pair) -> None:
    """While Ada drags, Bob sees the box move, though nothing is committed; her release is exactly one revision."""
    ada, bob = pair
    box = await add("box", ada, bob)
    revision, before = await ada.figure("h.editor.revision"), await scene(bob)
    start = await drawn(bob, box)
    x, y = await grip(ada, box)
    for step in range(1, 9):
        await ada.page.mouse.move(x + 10 * step, y - 4 * step)
    await bob.until(f"Math.abs(h.editor.drawn('{box}').at[0] - {start[0]}) > 0.2")
    assert (await scene(bob), await bob.figure("h.editor.revision")) == (before, revision)
    await ada.page.mouse.up()
    both = await same(ada, bob)
    assert await bob.figure("h.editor.revision") == int(str(revision)) + 1
    position = both[box]["props"]["position"]
    assert abs(position[0] - start[0]) > 0.2
    await bob.until(f"Math.abs(h.editor.drawn('{box}').at[0] - {position[0]}) < 0.001")


async def test_both_type_in_one_note_at_once(pair: Pair) -> None:
    """Every letter of both is there, each one's in the order typed, and both fields show the same."""
    ada, bob = pair
    note = await add("text", ada, bob)
    await bob.figure(f"h.editor.select('{note}')")
    for one, other in ((ada, "Bob"), (bob, "Ada")):
        await one.page.locator(one.by("properties-others")).and_(one.page.get_by_title(other)).wait_for()
        await one.page.locator(one.by("note-text")).focus()
    await asyncio.gather(ada.page.keyboard.type("abcdefghij", delay=70), bob.page.keyboard.type("0123456789", delay=70))
    await asyncio.sleep(0.5)
    text = (await same(ada, bob))[note]["props"]["text"]
    assert "".join(c for c in text if c.isalpha()) == "abcdefghij"
    assert "".join(c for c in text if c.isdigit()) == "0123456789"
    for one in pair:
        assert await one.page.input_value(one.by("note-text")) == text


async def test_what_is_put_beneath_a_group_goes_with_it(pair: Pair) -> None:
    """Dropped on the group's line in the tree a thing stays where it is, and then follows the group for both."""
    ada, bob = pair
    await ada.figure("h.editor.select()")
    group, ball = await add("group", ada), await add("sphere", ada, bob)
    stands = await drawn(bob, ball)
    await ada.figure("h.editor.run('objects')")
    line = '[data-testid="tree-row"][data-entity="{}"]'.format
    await ada.page.drag_and_drop(line(ball), line(group))
    await ada.until(f"h.editor.entities['{ball}'].parent === '{group}'")
    both = await same(ada, bob)
    assert await drawn(bob, ball) == pytest.approx(stands, abs=0.001)
    x, y, z = both[group]["props"]["position"]
    await edit(bob, {"op": "set", "id": group, "path": ["position"], "value": [x, y + 1.5, z]})
    await same(ada, bob)
    assert await drawn(ada, ball) == pytest.approx([stands[0], stands[1] + 1.5, stands[2]], abs=0.001)
    await ada.page.click(ada.by("dock-close"))


async def test_an_undo_says_what_it_left_alone(pair: Pair) -> None:
    """Ada's undo does not take back what Bob has painted over since, and says so."""
    ada, bob = pair
    box = await add("box", ada, bob)
    await paint(ada, box, "#ff0000")
    await same(ada, bob)
    await paint(bob, box, "#0000ff")
    await same(ada, bob)
    await ada.page.click(ada.by("tool-undo"))
    await told(ada, "Not undone: somebody has changed the colour of")
    assert (await same(ada, bob))[box]["props"]["color"] == "#0000ff"


async def test_the_slider_shows_the_past_and_restores_it_for_both(pair: Pair) -> None:
    """A past revision is looked at by one alone, gets a name, is jumped to by it, and comes back for everybody."""
    ada, bob = pair
    box = await add("box", ada, bob)
    await paint(ada, box, "#aa0000")
    then = await ada.figure("h.editor.revision")
    await paint(ada, box, "#00aa00")
    await ada.figure("h.editor.run('history')")
    await ada.page.locator(ada.by("history-slider")).focus()
    await ada.page.keyboard.press("ArrowLeft")
    await ada.until(f"h.editor.past === {then} && h.editor.entities['{box}'].props.color === '#aa0000'")
    assert (await scene(bob))[box]["props"]["color"] == "#00aa00"
    assert await ada.page.locator(ada.by("add")).is_hidden()
    await ada.page.click(ada.by("milestone-open"))
    await ada.page.fill(ada.by("milestone-name"), "Still red")
    await ada.page.keyboard.press("Enter")
    await ada.page.locator(ada.by("milestone"), has_text="Still red").wait_for()
    await ada.page.click(ada.by("history-now"))
    await ada.until("h.editor.past === null")
    await ada.page.click(ada.by("milestone"))
    await ada.until(f"h.editor.past === {then}")
    await ada.page.click(ada.by("history-restore"))
    await ada.page.click(ada.by("confirm-restore"))
    await bob.until(f"{SYNCED} && h.editor.entities['{box}'].props.color === '#aa0000'")
    await ada.until("h.editor.past === null")
    assert (await same(ada, bob))[box]["props"]["color"] == "#aa0000"
    await ada.page.click(ada.by("dock-close"))
