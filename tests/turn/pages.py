"""Two Chromium pages that connect to each other; what a page's peer connection says is carried between them by the test."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from playwright.async_api import Browser, Page, Playwright

from chalicelib.wire.peers import IceServer

CHROMIUM: Final = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--allow-loopback-in-peer-connection",
    "--ignore-certificate-errors",  # the server's certificate signs itself; WebRTC's TLS heeds this too
    "--disable-features=WebRtcHideLocalIpsWithMdns,HttpsUpgrades,MediaRouter,OptimizationHints",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_OPEN: Final = """async ([iceServers, iceTransportPolicy]) => {
  const pc = window.pc = new RTCPeerConnection({ iceServers, iceTransportPolicy });
  window.errors = []; window.came = [];
  pc.onicecandidateerror = (e) => window.errors.push(e.errorCode);
  window.channel = pc.createDataChannel('c', { negotiated: true, id: 1 });
  window.channel.onmessage = (e) => window.came.push(e.data);
}"""
_DESCRIBE: Final = """async (remote) => {
  const pc = window.pc;
  if (remote) await pc.setRemoteDescription(remote);
  if (!remote || remote.type === 'offer') {
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 20));
  }
  return pc.localDescription.toJSON();
}"""
_PAIR: Final = """async () => {
  const stats = [...(await window.pc.getStats()).values()];
  const transport = stats.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
  const pair = transport && stats.find((s) => s.id === transport.selectedCandidatePairId);
  const by = (id) => stats.find((s) => s.id === id);
  const ends = pair ? [by(pair.localCandidateId), by(pair.remoteCandidateId)] : [];
  return ends.map((end) => [end.candidateType, end.relayProtocol ?? '']);
}"""


@asynccontextmanager
async def chromium(playwright: Playwright, command: str | Path) -> AsyncIterator[Browser]:
    """Headless, by a command that may put it elsewhere."""
    made = await playwright.chromium.launch(executable_path=str(command), headless=True, args=FLAGS)
    try:
        yield made
    finally:
        await made.close()


async def page(browser: Browser, servers: Sequence[IceServer], policy: str = "relay") -> Page:
    """A page with a peer connection."""
    made = await browser.new_page()
    await made.evaluate(_OPEN, [msgspec.to_builtins(list(servers)), policy])
    return made


async def gather(made: Page) -> tuple[str, list[int]]:
    """A page's offer with all its candidates, and the errors that it met on the way."""
    async with asyncio.timeout(30):
        described = await made.evaluate(_DESCRIBE, None)
        errors = await made.evaluate("window.errors")
    return str(described["sdp"]), list(errors)


async def connect(one: Page, other: Page) -> None:
    """Offer, answer, channel open on both sides."""
    async with asyncio.timeout(30):
        offer = await one.evaluate(_DESCRIBE, None)
        answer = await other.evaluate(_DESCRIBE, offer)
        await one.evaluate(_DESCRIBE, answer)
    for made in (one, other):
        await until(made, "window.channel.readyState === 'open'")


async def talk(one: Page, other: Page) -> None:
    """A word each way."""
    for sender, receiver, word in ((one, other, "hello"), (other, one, "and you")):
        await sender.evaluate("(word) => window.channel.send(word)", word)
        await until(receiver, f"window.came.includes('{word}')")


async def pair(made: Page) -> list[list[str]]:
    """The selected candidate pair, local and remote: type, and by what the local one's relay is reached."""
    found: list[list[str]] = await made.evaluate(_PAIR)
    return found


async def until(made: Page, expression: str, timeout_s: float = 30) -> None:
    """Waits until an expression is true."""
    ends = time.monotonic() + timeout_s
    while not await made.evaluate(expression):
        if time.monotonic() > ends:
            states: Any = await made.evaluate(
                "[window.pc.iceConnectionState, window.pc.connectionState, window.errors]"
            )
            raise TimeoutError(f"not within {timeout_s} s: {expression}; {states}")
        await asyncio.sleep(0.05)
