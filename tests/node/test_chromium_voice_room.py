"""Two real Chromium pages in a room on a node, over a network that loses a twentieth both ways."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from chalicelib.wire import limits
from tests.node.floor import Floor, until
from tests.node.middle import Middle
from tests.node.peers import own_address
from tests.node.test_chromium import ANSWER, CHROMIUM, OPEN
from tests.node.test_chromium_voice import CONNECTION, OFFER

HEARD = """async () => {
  const all = [...(await pc.getStats()).values()];
  const slot = all.find(({ type, mid }) => type === 'inbound-rtp' && mid === pc.getTransceivers()[1].mid);
  const remote = all.find(({ type }) => type === 'remote-outbound-rtp');
  const { packetsReceived, packetsLost, packetsDiscarded, concealedSamples, silentConcealedSamples } = slot;
  const { totalSamplesReceived, totalAudioEnergy, nackCount, jitter } = slot;
  return { packetsReceived, packetsLost, packetsDiscarded, totalSamplesReceived, totalAudioEnergy, nackCount, jitter,
    concealed: concealedSamples - silentConcealedSamples, sender: remote?.packetsSent ?? 0 };
}"""
SENT = """async () => {
  const all = [...(await pc.getStats()).values()];
  const { packetsSent, retransmittedPacketsSent } = all.find(({ type }) => type === 'outbound-rtp');
  const remote = all.find(({ type }) => type === 'remote-inbound-rtp');
  return { packetsSent, retransmittedPacketsSent, lost: remote?.packetsLost ?? null, rtt: remote?.roundTripTime ?? null };
}"""
LOSS, PACKETS = 0.05, 750


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium, whose pages may play without a gesture."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=args)
        yield browser
        await browser.close()


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    """A node with one room."""
    floor = Floor()
    await floor.begin()
    yield floor
    await floor.end()


@pytest.fixture
async def middle(floor: Floor) -> AsyncIterator[Middle]:
    """The network before it."""
    middle = Middle(own_address(), floor.transport.port, seed=5)
    yield middle
    middle.close()


async def enter(floor: Floor, middle: Middle, name: str, page: Page) -> None:
    """A page of somebody's is on the relay, and in voice."""
    await page.evaluate(CONNECTION, [limits.PRESENCE_CHANNEL, limits.CONTROL_CHANNEL, limits.VOICE_SLOTS])
    answer = await floor.answer(name, await page.evaluate(OFFER, {}))
    await page.evaluate(ANSWER, middle.sdp(answer))
    await page.wait_for_function(OPEN, timeout=20_000)


async def test_of_a_twentieth_that_is_lost_on_either_way_hardly_any_stays_lost(
    browser: Browser, floor: Floor, middle: Middle
) -> None:
    """Asked for by the node of who speaks, and by who listens of the node; reports are understood."""
    floor.rule(1)
    node = floor.transport
    pages = [await browser.new_page() for _ in range(2)]
    for name, page in zip(("ada", "bob"), pages, strict=True):
        await enter(floor, middle, name, page)
    await until(lambda: node.stats().rtp_out > 50)
    middle.loss = LOSS
    heard: dict[str, float] = {}
    deadline = time.monotonic() + 60
    while heard.get("packetsReceived", 0) < PACKETS and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        heard = await pages[1].evaluate(HEARD)
    sent = await pages[0].evaluate(SENT)
    assert heard["packetsReceived"] >= PACKETS
    assert heard["totalAudioEnergy"] > 1
    assert heard["nackCount"] > 0
    assert heard["packetsLost"] < LOSS / 2 * heard["packetsReceived"]
    assert heard["sender"] > 0
    assert sent["retransmittedPacketsSent"] > 0
    assert sent["rtt"] is not None
    assert node.stats().srtp_errors <= sent["retransmittedPacketsSent"]  # what came twice
