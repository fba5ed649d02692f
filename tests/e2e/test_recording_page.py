"""A recording by the page's own controls: started, consented to, stopped, played from its places, downloaded, deleted."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from local.stack import Stack
from media_node.ogg import Reader
from tests.e2e.conftest import Window
from tests.e2e.speech import SILENCE_DB, join, louder, stand, talkers
from tests.fakes.recordings import accepted, decoded, programs, rms_db

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), programs]

AHEAD = (0.0, 1.6, 0.0)
PATIENCE_MS = 90_000
SPOKEN_MS = 6000


def of(who: Window, testid: str) -> Locator:
    """An element of somebody's page."""
    return who.page.locator(who.by(testid)).first


async def press(who: Window, testid: str) -> None:
    """A button, wherever the panel has scrolled it, however small the window is."""
    await expect(of(who, testid)).to_be_enabled(timeout=PATIENCE_MS)
    await of(who, testid).evaluate("(button) => button.click()")


async def show(who: Window) -> None:
    """The panel's recordings."""
    await of(who, "stage").focus()
    await who.page.keyboard.press("k")
    await press(who, "tab-recordings")
    await expect(of(who, "recordings")).to_be_visible()


async def test_what_was_said_is_played_from_where_it_was_said(stack: Stack, tmp_path: Path) -> None:
    """Two who are alone in a room get a node for it. Later, one plays it: the other's voice comes from the right."""
    async with talkers(stack, tmp_path, 2) as (ada, bob):
        await stand(bob, (0.0, 1.6, 14.0), AHEAD)
        await stand(ada, (1.5, 1.6, 14.0), AHEAD)
        await join(ada, bob)
        for one in (ada, bob):
            await show(one)
        await expect(of(bob, "recording-start")).to_be_hidden()
        await press(ada, "recording-start")
        await expect(of(bob, "recording-mark")).to_be_visible(timeout=PATIENCE_MS)
        await bob.page.evaluate("window.__holodeck.speech().consent(true)")
        for one in (ada, bob):
            await one.until("h.voice.view.carrier === 'relay'", timeout_s=90)
        await bob.until(louder(-50), timeout_s=60)
        await ada.page.wait_for_timeout(SPOKEN_MS)
        await press(ada, "recording-stop")
        await expect(of(bob, "recording-mark")).to_be_hidden(timeout=PATIENCE_MS)
        for one in (ada, bob):
            await one.page.evaluate("window.__holodeck.speech().leave()")
            await one.until("h.voice.view.status.kind === 'out'")
        await press(bob, "recording-play")
        # His own voice is heard from where he stands himself, in the middle; hers is added on the right.
        await bob.until(f"{louder(-50)} && h.voice.output[1] - h.voice.output[0] > 2", timeout_s=60)
        await press(bob, "player-toggle")
        await bob.until(f"!({louder(SILENCE_DB)})")
        await of(bob, "player-scrubber").evaluate(
            "(bar) => { bar.value = 1000; for (const kind of ['input', 'change']) bar.dispatchEvent(new Event(kind)); }"
        )
        await press(bob, "player-toggle")
        await bob.until(louder(-50), timeout_s=60)
        await bob.page.screenshot(path=tmp_path / "player.png")
        await downloads(ada, tmp_path)
        await expect(of(bob, "recording-player")).to_be_visible()
        await press(ada, "recording-delete")
        await press(ada, "confirm-delete")
        await expect(of(ada, "recording")).to_be_hidden(timeout=PATIENCE_MS)
        for gone in ("recording", "recording-player"):  # nobody told Bob's page: it looks again
            await expect(of(bob, gone)).to_be_hidden(timeout=PATIENCE_MS)


async def downloads(who: Window, folder: Path) -> None:
    """Each file is kept under a name that says what it is, and other programs play it."""
    await press(who, "recording-download")
    links = who.page.locator(f"{who.by('recording-files')} a")
    await expect(links).to_have_count(3, timeout=PATIENCE_MS)
    await press(who, "recording-play")
    await expect(of(who, "recording-player")).to_be_visible(timeout=PATIENCE_MS)
    await expect(links).to_have_count(3)  # what else the list shows takes none of them away
    for number in range(2):
        async with who.page.expect_download() as coming:
            await links.nth(number).evaluate("(link) => link.click()")
        file = await coming.value
        name, path = file.suggested_filename, folder / f"{number}.ogg"
        await file.save_as(path)
        assert name in {"Recording in Main - Ada.ogg", "Recording in Main - Bob.ogg"}
        data = path.read_bytes()
        assert accepted(data, folder) * 1000 > SPOKEN_MS - 3000
        assert rms_db(decoded(Reader().feed(data))[0]) > -40
