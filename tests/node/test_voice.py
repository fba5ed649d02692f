"""A real peer's audio goes through a node and back: Opus by SRTP, in the sections that were agreed on, and nothing else."""

import asyncio
from fractions import Fraction
from struct import pack_into

import pytest
from aiortc import AudioStreamTrack, RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport
from av import AudioFrame

from chalicelib.wire import limits
from media_node.ports import Link
from tests.node.peers import Page, Told, listening

KEY = "ses_a peer.one"


class Echo(Told):
    """Sends what it hears back, in every slot, and control as it came."""

    def media(self, link: Link, packet: bytes, now: float) -> None:
        super().media(link, packet, now)
        audio = link.audio
        for ssrc in audio.slots if audio and self.echo else ():
            again = bytearray(packet)
            pack_into("!I", again, 8, ssrc)
            link.send_media(bytes(again))


class Voice(Page):
    """A page with a source and slots."""

    def __init__(self, slots: int = limits.VOICE_SLOTS, *, speaks: bool = False) -> None:
        super().__init__()
        self.source: RTCRtpTransceiver = self.connection.addTransceiver(
            AudioStreamTrack() if speaks else "audio", direction="sendonly"
        )
        self.slots = [self.connection.addTransceiver("audio", direction="recvonly") for _ in range(slots)]

    @property
    def transport(self) -> RTCDtlsTransport:
        return self.source.sender.transport

    async def heard(self, slot: int) -> AudioFrame:
        frame = await self.slots[slot].receiver.track.recv()
        assert isinstance(frame, AudioFrame)
        return frame


@pytest.fixture
async def told() -> Echo:
    return Echo(echo=True)


async def test_what_a_page_says_comes_back_in_every_slot(told: Echo) -> None:
    """Encoded by one Opus, protected, deciphered, protected again and decoded."""
    node, page = await listening(told), Voice(speaks=True)
    await page.connect(node, KEY)
    await page.opened()
    link = node.link(KEY)
    assert link is not None
    assert link.audio is not None
    assert len(link.audio.slots) == limits.VOICE_SLOTS
    assert link.audio.sends
    async with asyncio.timeout(20):
        frames = await asyncio.gather(*(page.heard(slot) for slot in range(limits.VOICE_SLOTS)))
    assert {(each.sample_rate, each.samples, each.time_base) for each in frames} == {(48000, 960, Fraction(1, 48000))}
    await told.until(lambda: bool(told.of("media_control")))
    stats = node.stats()
    assert stats.rtp_in >= 1
    assert stats.rtp_out >= stats.rtp_in
    assert stats.rtcp_in >= 1
    assert (stats.srtp_errors, stats.rtp_dropped) == (0, 0)
    await page.close()
    await node.close()
