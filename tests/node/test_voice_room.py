"""Real peers in a room on a node: who is heard by whom, as sound, over a network that loses some of it."""

import asyncio
import time
from fractions import Fraction

import msgspec
import pytest
from aiortc import MediaStreamTrack, RTCSessionDescription
from av import AudioFrame
from numpy import abs as size_of
from numpy import arange, frombuffer, int16, pi, sin
from numpy.fft import rfft

from tests.fakes.relay import person, state_at, update
from tests.node.floor import Floor, in_voice, until
from tests.node.middle import Middle
from tests.node.peers import own_address
from tests.node.test_voice import Voice

RATE, SAMPLES = 48_000, 960


class Tone(MediaStreamTrack):
    """A sine for ever, at the pace of a microphone."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz, self._at = hertz, 0
        self._began = time.monotonic()

    async def recv(self) -> AudioFrame:
        wave = 8000 * sin(2 * pi * self._hertz * (arange(SAMPLES) + self._at) / RATE)
        frame = AudioFrame.from_ndarray(wave.astype(int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, Fraction(1, RATE)
        self._at += SAMPLES
        await asyncio.sleep(self._began + self._at / RATE - time.monotonic())
        return frame


def loud_at(frame: AudioFrame) -> float:
    """The frequency that there is most of; 0 where there is nothing."""
    wave = frombuffer(bytes(frame.planes[0])[: frame.samples * 4], int16)[::2]
    spectrum = size_of(rfft(wave))
    loudest = int(spectrum.argmax())
    return loudest * RATE / len(wave) if spectrum[loudest] > 50_000 else 0.0


async def heard_until(page: Voice, slot: int, hertz: float) -> None:
    """Until a slot sounds so."""
    async with asyncio.timeout(20):
        while abs(loud_at(await page.heard(slot)) - hertz) > 60:
            pass


def seated(page: Voice) -> list[str | None]:
    """Whom a page was told to be in its slots."""
    told = [msgspec.json.decode(text) for text in page.got["control"]]
    slots = [each["slots"] for each in told if each["type"] == "voice.slots"]
    return [slot.get("peer_id") for slot in slots[-1]] if slots else []


@pytest.mark.parametrize("loss", [0.0, 0.05])
async def test_a_tone_goes_from_page_to_page_in_the_slot_that_was_told_and_a_mute_ends_it(loss: float) -> None:
    """Through Opus, SRTP and the node, over a network that loses as much both ways."""
    floor = Floor()
    node = await floor.begin()
    middle = Middle(own_address(), node.port, seed=3)
    floor.rule(1)
    ada, bob = Voice(), Voice()
    ada.source.sender.replaceTrack(Tone(1000))
    try:
        for name, page in (("ada", ada), ("bob", bob)):
            answer = await floor.answer(name, await page.offer())
            await page.connection.setRemoteDescription(RTCSessionDescription(sdp=middle.sdp(answer), type="answer"))
            await page.opened()
        middle.loss = loss
        await heard_until(bob, 0, 1000)
        await bob.until(
            lambda: seated(bob)[:1] == [person("ada").peer_id]
        )  # told before, and told again where it was lost
        floor.rule(2, muted=True)
        await floor.known(2)
        before = node.stats()
        await until(lambda: node.stats().rtp_in >= before.rtp_in + 25)
        assert node.stats().rtp_out == before.rtp_out
        floor.rule(3)
        await heard_until(bob, 0, 1000)
        assert node.stats().srtp_errors == 0
    finally:
        await asyncio.gather(ada.close(), bob.close())
        middle.close()
        await floor.end()


async def test_of_seven_who_speak_at_once_the_four_nearest_are_heard_and_one_who_comes_near_takes_a_place() -> None:
    """As sound, each in the slot that was told."""
    names = ["ada", *(f"speaker{number}" for number in range(7))]
    hertz = {person(name).peer_id: 500.0 + 250 * number for number, name in enumerate(names)}
    floor = Floor(*names)
    await floor.begin()
    floor.set(1, *map(in_voice, names))
    pages = {name: Voice() if name == "ada" else Voice(0) for name in names}
    try:
        for number, (name, page) in enumerate(pages.items()):
            if number:
                page.source.sender.replaceTrack(Tone(hertz[person(name).peer_id]))
            answer = await floor.answer(name, await page.offer())
            await page.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
            await page.opened()
            stand(page, 1, 1.5 * 1.5**number if number else 0.0)
        near, ada = {person(name).peer_id for name in names[1:5]}, pages["ada"]
        await ada.until(lambda: set(seated(ada)) == near)
        for slot, peer_id in enumerate(seated(ada)):
            await heard_until(ada, slot, hertz[str(peer_id)])

        stand(pages["speaker6"], 2, 1.0)
        near = near - {person("speaker3").peer_id} | {person("speaker6").peer_id}
        await ada.until(lambda: set(seated(ada)) == near)
        for slot, peer_id in enumerate(seated(ada)):
            await heard_until(ada, slot, hertz[str(peer_id)])
    finally:
        await asyncio.gather(*(page.close() for page in pages.values()))
        await floor.end()


def stand(page: Voice, counter: int, metres: float) -> None:
    """So far from the middle."""
    page.presence.send(update(counter, state_at((metres, 0.0, 0.0))).decode())
