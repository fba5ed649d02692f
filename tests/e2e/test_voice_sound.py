"""What one hears and what is sent, by the page's own Sound and Microphone in real Chromium: offline, and on fake devices.

The page is `web/tests/lab`, built for this test alone and served as the product's page is, with the same
Content-Security-Policy.
"""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, cast

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from local.gateway.page import Page as Site
from local.system import ROOT
from tests.e2e.conftest import CHROMIUM, FLAGS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

DEVICES: Final = ["--use-fake-device-for-media-stream", "--auto-accept-camera-and-microphone-capture"]
CLICK_DBFS: Final = -40.0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab, built."""
    folder = tmp_path_factory.mktemp("lab")
    command = [
        "npx",
        "vite",
        "build",
        "--config",
        "tests/lab/vite.config.ts",
        "--outDir",
        str(folder),
        "--logLevel",
        "warn",
    ]
    subprocess.run(command, cwd=Path(ROOT) / "web", check=True)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(built: Path) -> AsyncIterator[str]:
    """The lab, served."""
    app = web.Application()
    app.router.add_get("/{tail:.*}", Site(built).handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Chromium with a microphone that beeps."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*FLAGS, *DEVICES])
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def lab(chromium: Browser, address: str) -> AsyncIterator[Page]:
    """The lab's page, in which nothing goes wrong."""
    context = await chromium.new_context(permissions=["microphone"])
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    await page.goto(address)
    yield page
    await context.close()
    assert problems == []


async def sides(lab: Page, mode: str, x: float, hz: float) -> tuple[float, float]:
    """Left and right, in dBFS."""
    left, right = cast(list[float], await lab.evaluate(f"lab.side('{mode}', {x}, {hz})"))
    return left, right


@pytest.mark.parametrize(("mode", "hz"), [("hrtf", 500), ("hrtf", 1500), ("stereo", 500)])
async def test_a_voice_comes_from_its_side(lab: Page, mode: str, hz: float) -> None:
    """A tone a metre to one side is at least 3 dB louder there."""
    left, right = await sides(lab, mode, 1, hz)
    assert right - left >= 3
    left, right = await sides(lab, mode, -1, hz)
    assert left - right >= 3


async def test_mono_has_no_side(lab: Page) -> None:
    """In mono both ears hear the same."""
    left, right = await sides(lab, "mono", 1, 500)
    assert left == right > -60


async def test_the_modes_are_as_loud_as_each_other(lab: Page) -> None:
    """Whoever changes from one to another does not reach for the volume: straight ahead they are within 3 dB."""
    powers = [max(await sides(lab, mode, 0.001, 500)) for mode in ("hrtf", "stereo", "mono")]
    assert max(powers) - min(powers) < 3


@pytest.mark.parametrize("model", ["inverse", "linear", "exponential"])
async def test_the_law_of_distance(lab: Page, model: str) -> None:
    """At each distance the tone is as loud as the law says, within 1 dB, and never louder than at the reference."""
    off = cast(list[float], await lab.evaluate(f"lab.distances('{model}', [0.2, 0.8, 1.5, 3, 6, 12, 24, 36])"))
    assert max(abs(db) for db in off) < 1


async def test_a_click_is_heard_by_the_measure(lab: Page) -> None:
    """What steps without a ramp is louder than what is allowed: the measure of the tests below finds clicks."""
    assert cast(float, await lab.evaluate("lab.stepped()")) > CLICK_DBFS


@pytest.mark.parametrize("mode", ["hrtf", "stereo", "mono"])
async def test_a_slot_changes_hands_without_a_click(lab: Page, mode: str) -> None:
    """Another voice, elsewhere, on a stage, and back: nothing above 2 kHz of tones of 440 Hz is louder than -40 dBFS."""
    assert cast(float, await lab.evaluate(f"lab.switched('{mode}')")) < CLICK_DBFS


@pytest.mark.parametrize("mode", ["hrtf", "stereo"])
async def test_walking_past_and_through_somebody_does_not_click(lab: Page, mode: str) -> None:
    """Two metres a tenth of a second, right through the listener's head."""
    assert cast(float, await lab.evaluate(f"lab.walked('{mode}')")) < CLICK_DBFS


async def test_settings_change_without_a_click(lab: Page) -> None:
    """Volumes, modes, hearing everyone equally, another track, silence."""
    assert cast(float, await lab.evaluate("lab.changed()")) < CLICK_DBFS


async def test_silence_is_silence(lab: Page) -> None:
    """Without a placement, at no volume, with the master at nothing, beyond the law's end, without a track."""
    heard = cast(list[float | None], await lab.evaluate("lab.silences()"))
    assert all(db is None or db < -100 for db in heard)


async def test_many_voices_do_not_clip_and_one_is_untouched(lab: Page) -> None:
    """Twelve loud voices at once stay below full scale; one voice alone comes out as it came in."""
    heard = cast(dict[str, float], await lab.evaluate("lab.crowd(12)"))
    assert heard["peak"] <= 1
    assert abs(heard["aloneDb"]) < 0.5


async def test_rnnoise_takes_noise_and_leaves_the_voice(lab: Page) -> None:
    """More than 10 dB from the hiss behind a voice; the voice itself within 2 dB."""
    heard = cast(dict[str, float], await lab.evaluate("lab.denoised()"))
    assert heard["noiseDb"] < -10
    assert abs(heard["voiceDb"]) < 2


async def test_what_is_played_goes_where_echo_cancellers_hear_it(lab: Page) -> None:
    """Through the page's own peer connection, in stereo: a tone on the right stays there. Nothing is left of it after."""
    left, right, playing = cast(list[float | None], await lab.evaluate("lab.loopback()"))
    assert right is not None
    assert right > -40
    assert left is None or right - left > 20
    assert playing == 0


async def test_a_microphone_lives(lab: Page) -> None:
    """Live, metered, tested, muted, with RNNoise: one track all the time, which ends with it."""
    told = cast(dict[str, float | str | bool | None], await lab.evaluate("lab.microphone()"))
    assert (told["state"], told["same"], told["notice"]) == ("live", True, None)
    assert (told["closed"], told["ended"]) == ("off", "ended")
    assert cast(float, told["open"]) > -60
    assert told["muted"] is None or cast(float, told["muted"]) < -100
    assert 1.19 < cast(float, told["testedS"]) < 1.25
    assert cast(float, told["testedDb"]) > -60
    assert told["device"]
    assert cast(int, told["inputs"]) >= 1


@pytest.mark.parametrize(("devices", "state"), [(DEVICES[:1], "denied"), ([], "none")])
async def test_without_a_microphone_one_is_told_why(address: str, devices: list[str], state: str) -> None:
    """The person does not allow it (headless Chromium refuses where it cannot ask); there is no device."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*FLAGS, *devices])
        page = await (await browser.new_context(permissions=["microphone"] if state == "none" else [])).new_page()
        await page.goto(address)
        assert await page.evaluate("lab.refused()") == state
        await browser.close()


async def test_a_page_that_may_not_play_yet_says_so_and_plays_after_a_click(address: str) -> None:
    """Chromium's own policy of autoplay: blocked until a gesture."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    flags = [flag for flag in FLAGS if not flag.startswith("--autoplay-policy")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        page = await browser.new_page()
        await page.goto(f"{address}/#gesture")
        await page.wait_for_timeout(1000)
        await page.mouse.click(50, 50)
        assert await page.evaluate("lab.gesture") == ["blocked", "running"]
        await browser.close()
