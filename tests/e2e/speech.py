"""People whose microphones hear a tone each (Chromium captures it from a file), and how loud it is where they are heard."""

import asyncio
import math
import statistics
import struct
import time
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, cast

import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright

from local.stack import Stack
from tests.e2e.conftest import CHROMIUM, FLAGS, Window, create_room, open_link, window
from tests.e2e.gathering import NAMES, SELDOM, SMALL

RATE_HZ: Final = 48_000
TONES_HZ: Final = (440, 660, 880, 1100)
AMPLITUDE: Final = 0.25
PLAIN: Final = """h.speech().settings({ headphones: true, processing: { echo: false, noise: 'off', gain: false },
talking: { mode: 'open', thresholdDb: -45, hangMs: 300 } })"""
"""Nothing is done to the tone on its way: a denoiser would take it for noise."""
SILENCE_DB: Final = -70.0


def tone(path: Path, hz: int, seconds: int = 10) -> Path:
    """Writes a steady tone of whole periods, which loops without a click."""
    samples = (round(32_767 * AMPLITUDE * math.sin(2 * math.pi * hz * n / RATE_HZ)) for n in range(seconds * RATE_HZ))
    with wave.open(str(path), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(RATE_HZ)
        made.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


async def hearing(playwright: Playwright, file: Path) -> Browser:
    """Chromium whose microphone hears a file over and over."""
    args = [
        *FLAGS,
        "--use-fake-device-for-media-stream",
        "--auto-accept-camera-and-microphone-capture",
        f"--use-file-for-fake-audio-capture={file}",
    ]
    return await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=args)


@asynccontextmanager
async def talkers(
    stack: Stack, where: Path, count: int, *scripts: str, loss_percent: int = 0
) -> AsyncIterator[list[Window]]:
    """So many people in one room, each with a tone of their own; none has joined voice yet. At the end nothing went wrong.

    `loss_percent` is that of what the last one sends and hears by WebRTC.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright, AsyncExitStack() as browsers:
        people: list[Window] = []
        link = ""
        for name, hz in list(zip(NAMES, TONES_HZ, strict=True))[:count]:
            captured = tone(where / f"{hz}.wav", hz)
            browser = await hearing(playwright, captured)
            browsers.push_async_callback(browser.close)
            made = await window(browser, *SMALL)
            await made.page.add_init_script(f"(() => {{ {SELDOM}{''.join(scripts)} }})()")
            if loss_percent and len(people) == count - 1:
                await lose(made.page, loss_percent)
            if link:
                await open_link(made, link, name)
            else:
                link = await create_room(made, stack.base_url, name, "Speech")
            await made.figure(PLAIN)
            people.append(made)
        yield people
        for one in people:
            assert one.problems == []


async def lose(page: Page, percent: int) -> None:
    """Loses so much of what peer connections of the page carry that are made from now on."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": 10**7, "uploadThroughput": 10**7}
    await session.send(
        "Network.emulateNetworkConditions", {**conditions, "packetLoss": percent, "packetQueueLength": 0}
    )


async def join(*people: Window) -> None:
    """Into voice, with microphone."""
    for one in people:
        await one.page.evaluate("void window.__holodeck.speech().join()")
    for one in people:
        await one.until("h.voice.view.status.kind === 'joined' && h.voice.view.own.microphone === 'live'")


async def stand(who: Window, position: tuple[float, float, float], towards: tuple[float, float, float]) -> None:
    """Stands there, and looks there."""
    await who.figure(f"h.moveTo({list(position)})")
    await who.figure(f"h.lookAt({list(towards)})")


async def output(listener: Window, seconds: float = 1.5) -> tuple[float, float]:
    """How loud it is left and right, in dBFS: the middle of what is measured for a while."""
    left: list[float] = []
    right: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        each = cast(list[float | None], await listener.figure("h.voice.output"))
        left.append(-120.0 if each[0] is None else each[0])
        right.append(-120.0 if each[1] is None else each[1])
        await asyncio.sleep(0.05)
    return statistics.median(left), statistics.median(right)


def louder(listener: float) -> str:
    """An expression: something is heard that is louder than that."""
    return f"Math.max(...h.voice.output.map((db) => db ?? -120)) > {listener}"


async def heard_after_ms(page: Page) -> float:
    """Joins, and how long it takes from there to the first sound, measured in the page."""
    return cast(
        float,
        await page.evaluate(
            """() => new Promise((resolve) => {
              const h = window.__holodeck; const began = performance.now();
              void h.speech().join();
              const look = () => Math.max(...h.voice.output.map((db) => db ?? -120)) > -50
                ? resolve(performance.now() - began) : setTimeout(look, 5);
              look();
            })"""
        ),
    )
