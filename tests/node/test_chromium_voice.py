"""A real Chromium page speaks to the node and hears what the node sends in its slots; both ask for what was lost."""

from collections.abc import AsyncIterator
from struct import pack, pack_into, unpack_from

import pytest
from playwright.async_api import Page, async_playwright

from chalicelib.wire import limits
from media_node.ports import Link
from media_node.transport import Transport
from tests.node.peers import Told, listening
from tests.node.test_chromium import ANSWER, CHROMIUM, KEY, OPEN

CONNECTION = """async ([presence, control, slots]) => {
  const pc = (window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }));
  window.channels = {
    presence: pc.createDataChannel('presence', { ordered: false, maxRetransmits: 0, negotiated: true, id: presence }),
    control: pc.createDataChannel('control', { negotiated: true, id: control }),
  };
  const context = new AudioContext();
  const tone = context.createOscillator();
  const out = context.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  pc.addTransceiver(out.stream.getAudioTracks()[0], { direction: 'sendonly' });
  window.streams = [];
  pc.ontrack = ({ track, streams }) => {
    window.streams.push(streams[0].id);
    const player = new Audio();
    player.srcObject = new MediaStream([track]);
    void player.play();
  };
  for (let i = 0; i < slots; i++) pc.addTransceiver('audio', { direction: 'recvonly' });
}"""
OFFER = """async (options) => {
  const offer = await pc.createOffer(options);
  offer.sdp = offer.sdp.replace(/(a=rtcp-fb:(\\d+) transport-cc\\r\\n)/g, '$1a=rtcp-fb:$2 nack\\r\\n');
  await pc.setLocalDescription(offer);
  return pc.localDescription.sdp;
}"""
LOUD = """async (count) => {
  const slots = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
  return slots.length === count && slots.every((slot) => slot.totalAudioEnergy > 0.1);
}"""
CIPHER = "async () => [...(await pc.getStats()).values()].find(({ type }) => type === 'transport').srtpCipher"


class Lossy(Told):
    """Sends what it hears back in every slot; loses packets as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lose_next = False
        self.lost: list[int] = []

    def media(self, link: Link, packet: bytes, now: float) -> None:
        super().media(link, packet, now)
        if self.lose_next:
            self.lose_next = False
            self.lost.append(unpack_from("!H", packet, 2)[0])
            return
        audio = link.audio
        for ssrc in audio.slots if audio else ():
            again = bytearray(packet)
            pack_into("!I", again, 8, ssrc)
            link.send_media(bytes(again))

    def asked_for(self) -> set[tuple[int, int]]:
        """By the page's NACKs (RFC 4585 section 6.2.1): SSRC and first sequence number."""
        asked = set()
        for packet in self.of("media_control"):
            assert isinstance(packet, bytes)
            at = 0
            while at < len(packet):
                first, kind, words = unpack_from("!BBH", packet, at)
                if (first & 31, kind) == (1, 205):
                    asked.add(unpack_from("!IH", packet, at + 8))
                at += 4 + 4 * words
        return asked


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of headless Chromium that may play without a gesture."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=args)
        yield await browser.new_page()
        await browser.close()


async def connect(page: Page, told: Told) -> tuple[Transport, Link]:
    node = await listening(told)
    await page.evaluate(CONNECTION, [limits.PRESENCE_CHANNEL, limits.CONTROL_CHANNEL, limits.VOICE_SLOTS])
    await page.evaluate(ANSWER, await node.answer(KEY, "link0001", await page.evaluate(OFFER, {})))
    await page.wait_for_function(OPEN, timeout=20_000)
    link = node.link(KEY)
    assert link is not None
    return node, link


async def test_a_page_hears_itself_in_every_slot(page: Page) -> None:
    """Decoded, and of some loudness; over an ICE restart too."""
    told = Lossy()
    node, link = await connect(page, told)
    await page.wait_for_function(LOUD, arg=limits.VOICE_SLOTS, timeout=20_000)
    assert sorted(await page.evaluate("() => streams")) == [f"slot{each}" for each in range(limits.VOICE_SLOTS)]
    assert await page.evaluate(CIPHER) == "SRTP_AEAD_AES_128_GCM"
    audio = link.audio
    assert audio is not None
    assert (audio.sends, audio.nack, len(audio.slots)) == (True, True, limits.VOICE_SLOTS)
    assert audio.level_id is not None
    await page.evaluate(ANSWER, await node.answer(KEY, "link0001", await page.evaluate(OFFER, {"iceRestart": True})))
    heard = len(told.of("media"))
    await told.until(lambda: len(told.of("media")) > heard + 10)
    assert link.audio == audio
    assert node.stats().srtp_errors == 0
    await node.close()


async def test_what_was_lost_is_asked_for_and_sent_again(page: Page) -> None:
    """The page asks for what did not come in a slot, and answers when it is asked."""
    told = Lossy()
    node, link = await connect(page, told)
    await told.until(lambda: len(told.of("media")) > 20)
    told.lose_next = True
    await told.until(lambda: bool(told.lost))
    audio = link.audio
    assert audio is not None
    await told.until(lambda: told.asked_for() >= {(ssrc, told.lost[0]) for ssrc in audio.slots})

    take, missing = node._take, list[bytes]()

    def lose_one(data: bytes, address: tuple[str, int], now: float) -> None:
        if not missing and 128 <= data[0] < 192 and data[1] & 127 == audio.payload_type:
            missing.append(data[2:12])
        else:
            take(data, address, now)

    node._take = lose_one  # type: ignore[method-assign,assignment]
    await told.until(lambda: bool(missing))
    (sequence,), ssrc = unpack_from("!H", missing[0]), unpack_from("!I", missing[0], 6)[0]
    ours = audio.slots[0]
    link.send_media_control(pack("!BBHI", 0x80, 201, 1, ours) + pack("!BBHIIHH", 0x81, 205, 3, ours, ssrc, sequence, 0))
    await told.until(lambda: any(isinstance(each, bytes) and each[2:12] == missing[0] for each in told.of("media")))
    await node.close()
