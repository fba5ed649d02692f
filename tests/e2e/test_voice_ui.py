"""Voice by the page's own controls: what one person does there, another sees. Real Chromium, a tone for each microphone."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Locator, async_playwright, expect

from local.stack import Stack
from tests.e2e.conftest import CHROMIUM, Window, create_room, open_link
from tests.e2e.gathering import SELDOM
from tests.e2e.speech import PLAIN, hearing, louder, stand, tone

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

PATIENCE_MS = 60_000
DENIED = """navigator.mediaDevices.getUserMedia =
  () => Promise.reject(new DOMException("Permission denied", "NotAllowedError"));"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Window, Window, Window]]:
    """Ada, who owns the room, and Bob; Cleo, whom the browser gives no microphone. Nothing goes wrong in a page."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright, AsyncExitStack() as browsers:
        made: list[Window] = []
        link = ""
        for name, hz in (("Ada", 440), ("Bob", 660), ("Cleo", 880)):
            captured = tone(tmp_path_factory.mktemp("tones") / f"{hz}.wav", hz)
            browser = await hearing(playwright, captured)
            browsers.push_async_callback(browser.close)
            context = await browser.new_context(viewport={"width": 1100, "height": 760}, permissions=["microphone"])
            context.set_default_timeout(60_000)  # three browsers that draw in software share a machine
            one = Window(await context.new_page())
            await one.page.add_init_script(f"(() => {{ {SELDOM}{DENIED if name == 'Cleo' else ''} }})()")
            if link:
                await open_link(one, link, name)
            else:
                link = await create_room(one, stack.base_url, name, "Speech")
            made.append(one)
        ada, bob, cleo = made
        yield ada, bob, cleo
        for one in made:
            assert one.problems == []


def of(who: Window, testid: str, text: str | None = None) -> Locator:
    """An element of somebody's page."""
    found = who.page.locator(who.by(testid))
    return found.filter(has_text=text) if text else found


async def says(who: Window, testid: str, text: str) -> None:
    """Waits until an element says this."""
    await expect(of(who, testid).first).to_contain_text(text, timeout=PATIENCE_MS)


async def press(who: Window, key: str) -> None:
    """A key, while the room has the focus."""
    await of(who, "stage").focus()
    await who.page.keyboard.press(key)


async def row(who: Window, name: str) -> Locator:
    """Somebody in the list of voices, which is opened."""
    if not await of(who, "voice-people").is_visible():
        await press(who, "k")
    return of(who, "voice-person", name)


async def described(who: Window, name: str, text: str) -> None:
    """Waits until somebody's row says this."""
    person = await row(who, name)
    await expect(person.locator(who.by("voice-person-state"))).to_have_text(text, timeout=PATIENCE_MS)


async def more(who: Window, name: str) -> Locator:
    """Somebody's row, opened."""
    person = await row(who, name)
    if not await person.locator(who.by("voice-drawer")).is_visible():
        await person.locator(who.by("voice-more")).click()
    return person


async def comes_back(who: Window, name: str, other: Window) -> None:
    """Somebody who is out of voice joins by the bar, and is heard of."""
    await of(who, "voice-join").click()
    await of(who, "voice-join-speaker").click()
    await described(other, name, "Speaking")


async def let_back(who: Window, testid: str) -> None:
    """Lets back the only one of a list, who is in it no more."""
    await of(who, testid).get_by_role("button").click()
    await expect(of(who, testid)).to_have_count(0, timeout=PATIENCE_MS)


async def test_one_tries_the_microphone_then_joins(people: tuple[Window, Window, Window]) -> None:
    """The preview's meter moves before anybody hears; after joining, the others' lists show who speaks."""
    ada, bob, _ = people
    await of(ada, "voice-join").click()
    meter = of(ada, "voice-preview").locator(ada.by("voice-meter"))
    await expect(meter).not_to_have_attribute("aria-valuenow", "0", timeout=PATIENCE_MS)
    await expect(of(bob, "voice-others")).to_have_attribute("aria-label", re.compile("^Nobody is in voice"))
    await of(ada, "voice-join-speaker").click()
    await says(ada, "voice-state", "Speaking")
    await press(bob, "j")
    await of(bob, "voice-join-speaker").click()
    await says(bob, "voice-state", "Speaking")
    await described(bob, "Ada", "Speaking")
    await described(ada, "Bob", "Speaking")


async def test_the_key_m_mutes_and_unmutes(people: tuple[Window, Window, Window]) -> None:
    """Muted is said at once here and told to the others."""
    ada, bob, _ = people
    await press(ada, "m")
    await says(ada, "voice-state", "Muted")
    await described(bob, "Ada", "Muted")
    await press(ada, "m")
    await described(bob, "Ada", "Speaking")


async def test_push_to_talk_by_key(people: tuple[Window, Window, Window]) -> None:
    """Chosen in the panel; heard while B is held, by whatever has the focus, and not after."""
    ada, bob, _ = people
    await row(bob, "Ada")
    await of(bob, "tab-sound").click()
    await of(bob, "voice-sound").locator(bob.by("voice-mode-push")).check()
    await described(ada, "Bob", "Microphone on")
    await expect(of(bob, "voice-mic")).to_contain_text("Hold to speak")
    await of(bob, "voice-mic").focus()
    await bob.page.keyboard.down("b")
    await described(ada, "Bob", "Speaking")
    await bob.page.keyboard.up("b")
    await described(ada, "Bob", "Microphone on")
    await of(bob, "voice-sound").locator(bob.by("voice-mode-open")).check()
    await described(ada, "Bob", "Speaking")


async def test_directions_are_as_the_switches_say(people: tuple[Window, Window, Window]) -> None:
    """Somebody to the right: as loud on both sides in mono and where all are heard equally, on the right otherwise."""
    ada, bob, _ = people
    await ada.figure(PLAIN)
    await stand(bob, (0.0, 1.6, 14.0), (0.0, 1.6, 0.0))
    await stand(ada, (1.0, 1.6, 14.0), (0.0, 1.6, 0.0))
    await row(bob, "Ada")
    await of(bob, "tab-sound").click()
    page = of(bob, "voice-sound")
    right, middle = "h.voice.output[1] - h.voice.output[0] > 3", "Math.abs(h.voice.output[1] - h.voice.output[0]) < 0.5"
    await bob.until(f"{louder(-60)} && {right}")
    for mode, heard in (("mono", middle), ("stereo", right), ("mono", middle), ("hrtf", right)):
        await page.locator(bob.by(f"voice-output-mode-{mode}")).check()
        await bob.until(f"h.voice.view.settings.mode === '{mode}' && {louder(-60)} && {heard}")
    await page.locator(bob.by("voice-equal")).check()
    await bob.until(f"{louder(-60)} && {middle}")
    await page.locator(bob.by("voice-equal")).uncheck()
    await bob.until(f"{louder(-60)} && {right}")
    await of(bob, "tab-voices").click()


async def test_who_was_taken_out_is_listed_and_let_back_in(people: tuple[Window, Window, Window]) -> None:
    """For the owner alone; until then the one who was taken out is told so as often as they try."""
    ada, bob, _ = people
    person = await more(ada, "Bob")
    await person.locator(ada.by("voice-remove")).click()
    await of(ada, "confirm-remove").click()
    await says(ada, "voice-removed", "Bob")
    await says(bob, "voice-failed", "removed")
    await expect(of(bob, "voice-removed")).to_have_count(0)
    await let_back(ada, "voice-removed")
    await comes_back(bob, "Bob", ada)


async def test_whom_one_blocks_is_listed_though_they_have_left(people: tuple[Window, Window, Window]) -> None:
    """Unblocked from there."""
    ada, bob, _ = people
    person = await more(bob, "Ada")
    await person.locator(bob.by("voice-block")).click()
    await described(bob, "Ada", "Blocked")
    await expect(of(bob, "voice-blocked")).to_have_count(0)
    await of(ada, "voice-leave").click()
    await says(bob, "voice-blocked", "Ada")
    await let_back(bob, "voice-blocked")
    await comes_back(ada, "Ada", bob)


async def test_who_loads_the_page_anew_is_asked_whether_to_come_back(people: tuple[Window, Window, Window]) -> None:
    """Nothing is heard of them before; one press, and they are in voice as they were."""
    ada, bob, _ = people
    await bob.page.reload()
    await of(bob, "enter-room").click()
    await says(bob, "voice-notice-return", "You were in voice")
    await expect(of(ada, "voice-person", "Bob")).to_have_count(0, timeout=PATIENCE_MS)
    assert await bob.figure("h.voice.view.own.microphone") == "off"
    await of(bob, "voice-return").click()
    await says(bob, "voice-state", "Speaking")
    await expect(of(bob, "voice-notice-return")).to_have_count(0)
    await described(ada, "Bob", "Speaking")


async def test_a_raised_hand_is_seen_and_lowered(people: tuple[Window, Window, Window]) -> None:
    """By the key U; an owner lowers it."""
    ada, bob, _ = people
    await press(bob, "u")
    await row(ada, "Bob")
    await says(ada, "voice-hands", "Bob")
    await of(ada, "voice-hand-up", "Bob").get_by_role("button").click()
    await expect(of(bob, "voice-hand")).to_have_attribute("aria-pressed", "false", timeout=PATIENCE_MS)
    await expect(of(ada, "voice-hand-up")).to_have_count(0)


async def test_an_owner_mutes_a_guest_who_is_told(people: tuple[Window, Window, Window]) -> None:
    """The guest sees that a moderator did it, as long as it is so, and has no such power over others."""
    ada, bob, _ = people
    person = await more(ada, "Bob")
    await person.locator(ada.by("voice-mute-other")).click()
    await says(bob, "voice-state", "Muted by a moderator")
    await expect(of(bob, "toast", "A moderator muted you")).to_be_visible()
    await described(ada, "Bob", "Muted by a moderator")
    theirs = await more(bob, "Ada")
    await expect(theirs.locator(bob.by("voice-mute-other"))).to_be_hidden()
    await person.locator(ada.by("voice-mute-other")).click()
    await says(bob, "voice-state", "Speaking")
    await expect(of(bob, "toast", "You may speak again")).to_be_visible()
    await expect(of(bob, "toast", "A moderator muted you")).to_have_count(0)


async def test_a_request_to_unmute_is_a_question(people: tuple[Window, Window, Window]) -> None:
    """It unmutes nobody: who is asked answers."""
    ada, bob, _ = people
    await press(bob, "m")
    await described(ada, "Bob", "Muted")
    person = await more(ada, "Bob")
    await person.locator(ada.by("voice-ask-unmute")).click()
    await says(bob, "voice-notice-unmute", "You are asked to speak")
    await says(bob, "voice-state", "Muted")
    await of(bob, "voice-unmute").click()
    await described(ada, "Bob", "Speaking")
    await expect(of(bob, "voice-notice-unmute")).to_have_count(0)


async def test_without_a_microphone_one_listens(people: tuple[Window, Window, Window]) -> None:
    """Denied: said with what to do, before joining and after; the others see a listener."""
    ada, _, cleo = people
    await of(cleo, "voice-join").click()
    await says(cleo, "voice-trouble", "Microphone not allowed")
    again = of(cleo, "voice-microphone-again")
    await again.evaluate("(button) => { button.dataset.kept = 'yes'; }")
    await cleo.figure("h.speech().settings({ master: 0.9 })")  # the button that is about to be pressed stays
    await expect(again).to_have_attribute("data-kept", "yes")
    await of(cleo, "voice-join-speaker").click()
    await says(cleo, "voice-notice-microphone", "You hear the others")
    await says(cleo, "voice-state", "Microphone not allowed")
    await described(ada, "Cleo", "Listening")
    await described(cleo, "Ada", "Speaking")


async def test_channels_are_made_and_gone_to(people: tuple[Window, Window, Window]) -> None:
    """An owner makes a stage; a guest goes there, and is heard of in it."""
    ada, bob, _ = people
    await row(ada, "Bob")
    await of(ada, "tab-channels").click()
    await of(ada, "channel-new").click()
    await of(ada, "channel-name").fill("   ")
    await of(ada, "channel-save").click()
    await expect(of(ada, "channel-name")).to_be_focused()
    said = "(field) => field.validationMessage"
    assert await of(ada, "channel-name").evaluate(said) == "Give it a name: blanks alone are none."
    await of(ada, "channel-name").fill("Lecture")
    assert await of(ada, "channel-name").evaluate(said) == ""
    await of(ada, "channel-kind-stage").check()
    await of(ada, "channel-save").click()
    await row(bob, "Ada")
    await of(bob, "tab-channels").click()
    lecture = of(bob, "channel", "Lecture")
    await expect(lecture).to_contain_text("Stage", timeout=PATIENCE_MS)
    await expect(of(bob, "channel-new")).to_be_hidden()
    await lecture.locator(bob.by("channel-enter")).click()
    await expect(lecture).to_contain_text("You are here", timeout=PATIENCE_MS)
    await says(bob, "voice-where-words", "Lecture")
    await expect(of(ada, "channel", "Lecture")).to_contain_text("1 person", timeout=PATIENCE_MS)


async def test_a_recording_is_seen_by_all_and_asks_each(people: tuple[Window, Window, Window]) -> None:
    """A red dot with words for everybody, in voice or not; a yes or a no, which may be changed; gone when it is stopped."""
    ada, bob, cleo = people
    await of(cleo, "voice-leave").click()
    await of(ada, "tab-recordings").click()
    await of(ada, "recording-start").click()
    for one in people:
        await says(one, "recording-mark", "Recording Main")
    await says(bob, "voice-notice-consent", "Ada records Main")
    await expect(of(cleo, "voice-notice-consent")).to_have_count(0)
    await of(bob, "voice-consent").click()
    await expect(of(ada, "voice-recordings")).to_contain_text(re.compile("Agreed: .*Bob"), timeout=PATIENCE_MS)
    await of(bob, "recording-mark").click()
    for one in (ada, bob):  # who starts one agrees by that
        await of(one, "recording-consent").uncheck()
    await says(ada, "voice-recordings", "Nobody agrees any more")
    await of(ada, "recording-stop").click()
    for one in people:
        await expect(of(one, "recording-mark")).to_be_hidden(timeout=PATIENCE_MS)
