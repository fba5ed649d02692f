"""Two pages in real Chromium, one that speaks the sample and one that hears it, over a network that loses and delays.

The network is Chromium's own (Network.emulateNetworkConditions): of all that a page's peer connections send, and of all
that they receive, a share is lost, and each packet is late. What is heard is taken from the decoder, before it is placed
in space. Nothing is done to the voice before it is encoded: no echo cancellation, noise suppression, gain, or gate.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import fmean
from typing import Final

import msgspec
from playwright.async_api import Page, async_playwright

from local.stack import Stack
from tests.e2e.conftest import Window, create_room, open_link, window
from tests.e2e.gathering import SELDOM, SMALL
from tests.e2e.speech import PLAIN, hearing, join
from tests.e2e.test_relay_page import ON_RELAY, bots

LATENCY_MS: Final = 20
SETTLE_S: Final = 12.0
"""The rates have been adapted by then, and the page's figures are of this network."""
LOOK_S: Final = 2.0
LARGE: Final = 5
"""So many more make the room large enough for a node."""

LISTEN: Final = """
const Real = window.RTCPeerConnection;
const heard = (window.__heard = []);
window.__hearing = false;
window.RTCPeerConnection = class extends Real {
  constructor(...all) {
    super(...all);
    this.addEventListener('track', ({ track, transceiver }) => {
      if (track.kind === 'audio') void take({ pc: this, transceiver, pieces: [], rates: new Set() }, track);
    });
  }
};
const take = async (one, track) => {
  heard.push(one);
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 }).readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (window.__hearing) {
      const piece = new Float32Array(value.numberOfFrames);
      value.copyTo(piece, { planeIndex: 0, format: 'f32-planar' });
      one.pieces.push(piece);
      one.rates.add(value.sampleRate);
    }
    value.close();
  }
};"""
"""Keeps every decoder's samples of a while."""
NO_NACK: Final = """
const without = (text) => noFec(text.replace(/a=rtcp-fb:\\d+ nack(\\\\r\\\\n|\\r\\n)/g, ''));
const tell = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) { tell.call(this, typeof data === 'string' ? without(data) : data); };
const set = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  return set.call(this, { type, sdp: without(sdp) });
};"""
"""Nobody agrees to ask for what is missing: taken out of what the page tells, and of what it is told."""
KEEP_FEC: Final = "const noFec = (text) => text;"
NO_FEC: Final = "const noFec = (text) => text.replaceAll('useinbandfec=1', 'useinbandfec=0');"
COUNTERS: Final = """async () => {
  const found = [];
  for (const { pc, transceiver } of window.__heard) {
    const all = [...(await pc.getStats()).values()];
    const one = all.find(({ type, mid }) => type === 'inbound-rtp' && mid === transceiver.mid) ?? {};
    const missed = (one.concealedSamples ?? 0) - (one.silentConcealedSamples ?? 0);
    found.push([one.packetsReceived ?? 0, one.packetsLost ?? 0, one.totalSamplesReceived ?? 0, missed,
      one.nackCount ?? 0, one.fecPacketsReceived ?? 0,
      one.jitterBufferDelay ?? 0, one.jitterBufferEmittedCount ?? 0]);
  }
  return found;
}"""
LOUDEST: Final = """() => {
  const energy = (pieces) => pieces.reduce((sum, piece) => sum + piece.reduce((all, x) => all + x * x, 0), 0);
  const all = window.__heard.map(({ pieces }) => energy(pieces));
  const which = all.indexOf(Math.max(...all));
  if (which < 0 || all[which] < 1) throw new Error('nothing was heard');
  const { pieces, rates } = window.__heard[which];
  if (rates.size !== 1 || !rates.has(48000)) throw new Error('not at 48 kHz');
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) { bytes.set(new Uint8Array(piece.buffer), at); at += piece.byteLength; }
  let text = '';
  for (let i = 0; i < bytes.length; i += 30000) text += String.fromCharCode(...bytes.subarray(i, i + 30000));
  return [which, btoa(text)];
}"""


class Case(msgspec.Struct, frozen=True):
    """One measurement. `relay`: by the node, where both pages lose; else directly, where one does."""

    relay: bool
    loss_percent: int
    nack: bool = True
    fec: bool = True
    """In-band; left on where losses are asked for. An encoder puts in as much as is reported lost."""

    @property
    def script(self) -> str:
        """What is run in the pages before their own."""
        network = "" if self.nack else (KEEP_FEC if self.fec else NO_FEC) + NO_NACK
        return f"(() => {{ {SELDOM}{LISTEN}{network} }})()"


class Came(msgspec.Struct, frozen=True):
    """What was heard, float32 at 48 kHz, and how it came."""

    sound: bytes
    figures: dict[str, float]


async def hear(stack: Stack, sample: Path, silence: Path, case: Case, seconds: float) -> Came:
    """One page speaks the sample for so long, and the other, whose microphone hears silence, listens."""
    async with _two(stack, (sample, silence), case) as (ada, bob):
        await join(ada, bob)
        await bob.until("h.voice.view.people[0]?.quality?.mos !== undefined", timeout_s=60)
        await asyncio.sleep(SETTLE_S)
        before = await bob.page.evaluate(COUNTERS)
        await bob.page.evaluate("window.__hearing = true")
        looks = []
        for _ in range(round(seconds / LOOK_S)):
            await asyncio.sleep(LOOK_S)
            looks += await _look(ada, bob)
        await bob.page.evaluate("window.__hearing = false")
        after = await bob.page.evaluate(COUNTERS)
        which, text = await bob.page.evaluate(LOUDEST)
        grew = [new - old for new, old in zip(after[which], before[which], strict=True)]
        figures = _figures(grew) | {name: fmean(one[name] for one in looks) for name in looks[0]}
        return Came(base64.b64decode(text), figures)


async def _look(ada: Window, bob: Window) -> list[dict[str, float]]:
    """What the pages say of it: the listener's rating and round trip, the speaker's rate; nothing while they say nothing."""
    mos = await bob.figure("h.voice.view.people[0]?.quality?.mos ?? null")
    rtt = await bob.figure("h.voice.view.people[0]?.quality?.rttMs ?? null")
    kbps = await ada.figure("h.voice.view.figures?.targetKbps ?? null")
    named = (("mos", mos), ("rtt_ms", rtt), ("kbps", kbps))
    said = {name: float(value) for name, value in named if isinstance(value, int | float)}
    return [said] if len(said) == len(named) else []


def _figures(grew: list[float]) -> dict[str, float]:
    received, lost, samples, concealed, nacks, fec, buffered_s, emitted = grew
    return {
        "missing_percent": 100 * lost / max(1, received + lost),
        "concealed_percent": 100 * concealed / max(1, samples),
        "nacks": nacks,
        "fec_packets": fec,
        "buffer_ms": 1000 * buffered_s / max(1, emitted),
    }


@asynccontextmanager
async def _two(stack: Stack, microphones: tuple[Path, Path], case: Case) -> AsyncIterator[tuple[Window, Window]]:
    """Ada and Bob in one room, whose microphones hear these over and over."""
    async with async_playwright() as playwright, AsyncExitStack() as stay:
        people: list[Window] = []
        for microphone in microphones:
            browser = await hearing(playwright, microphone)
            stay.push_async_callback(browser.close)
            one = await window(browser, *SMALL)
            await one.page.add_init_script(case.script)
            if case.relay or people:
                await _worsen(one.page, case.loss_percent)
            people.append(one)
        ada, bob = people
        link = await create_room(ada, stack.base_url, "Ada", "Hearing")
        await open_link(bob, link, "Bob")
        for one in people:
            await one.figure(PLAIN)
        if case.relay:
            session_id = ada.page.url.rpartition("/")[2].partition("#")[0]
            await stay.enter_async_context(bots(stack, session_id, LARGE))
            for one in people:
                await one.until(ON_RELAY, timeout_s=60)
        else:
            await bob.until("h.carrier === 'mesh' && h.links.some((l) => l.open)")
        yield ada, bob


async def _worsen(page: Page, loss_percent: int) -> None:
    """The network of peer connections that the page makes from now on."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": 10**7, "uploadThroughput": 10**7}
    await session.send(
        "Network.emulateNetworkConditions", {**conditions, "packetLoss": loss_percent, "packetQueueLength": 0}
    )
