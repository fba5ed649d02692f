"""Two people in one room, each in a real Chromium window: what one does, the other sees."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from playwright.async_api import Browser

from local.stack import Stack
from tests.e2e.conftest import Window, create_room, open_link, window

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def walks(who: Window, name: str, x: float, z: float, watcher: Window) -> None:
    """Somebody goes to a place (or beside it, if somebody stands there), and the other sees them arrive there."""
    await who.figure(f"h.moveTo([{x}, 1.6, {z}])")
    await who.until(f"Math.hypot(h.me.position[0] - ({x}), h.me.position[2] - ({z})) < 3")
    await asyncio.sleep(0.5)
    stands = cast(list[float], await who.figure("h.me.position"))
    await watcher.until(
        f"h.peers.some(p => p.name === '{name}' && p.position"
        f" && Math.hypot(p.position[0] - ({stands[0]}), p.position[2] - ({stands[2]})) < 0.1)"
    )


async def test_two_windows_see_each_other(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    """Avatar and cursor of each move in the other's window, by its figures and by its pixels; leaving is seen."""
    ada, bob = await window(browser, 800, 500), await window(browser, 800, 500)
    link = await create_room(ada, stack.base_url, "Ada", "Garden")
    await open_link(bob, link, "Bob")
    for one in (ada, bob):
        await one.until("h.participants === 2 && h.peers.length >= 1 && h.connection === 'live'")
    await walks(bob, "Bob", 5, 11, ada)
    await walks(ada, "Ada", -3, 12, bob)
    await bob.figure("h.pointAt([0, 0.5, 0])")
    await ada.until("h.peers.some(p => p.cursor && Math.hypot(p.cursor[0], p.cursor[1] - 0.5, p.cursor[2]) < 0.05)")
    await ada.figure("h.lookAt([5, 1.2, 11])")
    await ada.page.wait_for_timeout(1500)
    before = await ada.page.screenshot(path=tmp_path / "before.png")
    await walks(bob, "Bob", -5, 5, ada)
    after = await ada.page.screenshot(path=tmp_path / "after.png")
    assert before != after
    await bob.page.close()
    await ada.until("h.participants === 1 && h.peers.length === 0")
    assert ada.problems == []
    assert bob.problems == []


async def test_remote_motion_is_smooth(browser: Browser, stack: Stack) -> None:
    """A peer that walks at a steady pace is displayed without jumps, though it is told five times a second."""
    ada, bob = await window(browser, 800, 600), await window(browser, 640, 480)
    link = await create_room(ada, stack.base_url, "Ada", "Track")
    await open_link(bob, link, "Bob")
    await ada.until("h.peers.length === 1")
    await bob.page.evaluate(
        """() => { const start = performance.now(); const h = window.__holodeck;
        const walk = () => { const s = (performance.now() - start) / 1000;
          if (s < 5) { h.moveTo([s * 1.5, 1.6, 14]); requestAnimationFrame(walk); } }; walk(); }"""
    )
    steps = await ada.page.evaluate(
        """() => new Promise(done => { const h = window.__holodeck; const seen = []; const start = performance.now();
        const look = () => { const p = h.peers[0]; if (p && p.position) seen.push([performance.now(), p.position[0]]);
          performance.now() - start < 4500 ? setTimeout(look, 16) : done(seen); }; look(); })"""
    )
    start = min(range(len(steps)), key=lambda n: steps[n][1])  # before that, Bob was put to where the walk begins
    moving = [(t, x) for t, x in steps[start:] if 0.5 < x < 6.5]
    assert len(moving) > 5
    jumps = [abs(b[1] - a[1]) / max(b[0] - a[0], 16) for a, b in pairwise(moving)]
    assert max(jumps) < 0.02, "metres a millisecond: walking is 0.0015, a jump of one tick 0.02 and more"


async def test_an_invite_lets_in_and_removal_puts_out(browser: Browser, stack: Stack) -> None:
    """An owner copies an invite; who comes by it is in; the owner removes them and they are told why."""
    ada, bob = await window(browser, 800, 500), await window(browser, 800, 500)
    await create_room(ada, stack.base_url, "Ada", "Private")
    await ada.page.click(ada.by("open-invite"))
    await ada.page.click(ada.by("copy-invite"))
    await ada.page.wait_for_selector(ada.by("invite-link"))
    link = await ada.page.input_value(ada.by("invite-link"))
    assert "#invite=" in link
    await open_link(bob, link, "Bob")
    await ada.until("h.participants === 2")
    await ada.page.click(ada.by("tab-people"))
    await ada.page.locator(ada.by("person"), has_text="Bob").locator(ada.by("person-remove")).click()
    await ada.page.click(ada.by("confirm-remove"))
    await ada.until("h.participants === 1")
    await bob.page.wait_for_selector(bob.by("problem-title"))
    assert ada.problems == []


async def test_a_reload_resumes(browser: Browser, stack: Stack) -> None:
    """Reloading the page brings the same person back into the room."""
    ada, bob = await window(browser, 800, 500), await window(browser, 800, 500)
    link = await create_room(ada, stack.base_url, "Ada", "Again")
    await open_link(bob, link, "Bob")
    await bob.until("h.participants === 2")
    await bob.page.reload()
    await bob.page.click(bob.by("enter-room"))
    await bob.until("h.me && h.participants === 2")
    await ada.until("h.participants === 2")


async def test_a_phone_has_what_it_needs(browser: Browser, stack: Stack) -> None:
    """On a phone the room opens with a joystick, and nothing is wider than the screen."""
    ada = await window(browser, 390, 844, touch=True)
    await create_room(ada, stack.base_url, "Ada", "Pocket")
    await ada.page.wait_for_selector(ada.by("stage"))
    wide = await ada.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    assert ada.problems == []


async def test_an_unknown_room_says_so(browser: Browser, stack: Stack) -> None:
    """A link to a room that is not there ends in words and a way back, not in an empty page."""
    bob = await window(browser)
    await bob.page.goto(f"{stack.base_url}/r/ses_{'x' * 20}")
    await bob.page.wait_for_selector(f"{bob.by('problem-title')}, {bob.by('enter-room')}")
    if await bob.page.locator(bob.by("enter-room")).count():
        await bob.page.fill(bob.by("name-input"), "Bob")
        await bob.page.click(bob.by("enter-room"))
        await bob.page.wait_for_selector(f"{bob.by('problem-title')}, {bob.by('entry-error')}")
