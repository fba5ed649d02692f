"""A real peer's audio goes through a node and back: Opus by SRTP, in the sections that were agreed on, and nothing else."""

import asyncio
import socket
from fractions import Fraction
from random import Random
from struct import pack, pack_into, unpack_from

import pytest
from aiortc import AudioStreamTrack, RTCRtpTransceiver, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCDtlsTransport
from av import AudioFrame

from chalicelib.wire import limits
from media_node.ports import Audio, Link
from media_node.srtp import SSRCS_MAX, is_control
from media_node.stun import Address, Kind, kind_of
from media_node.transport import Transport
from tests.node.peers import Page, Told, listening
from tests.node.test_hostile import taken
from tests.unit.media_node.secured import report, rtp

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
    assert stats.srtp_errors == 0
    await page.close()
    await node.close()


async def sent(page: Page, node: Transport, *packets: bytes) -> None:
    """Protects and sends packets of the page's, and waits until the node has read them."""
    assert page.connection.sctp is not None
    before = node.stats().packets_in
    for packet in packets:
        await page.connection.sctp.transport._send_rtp(packet)
    await taken(node, before + len(packets))


async def connected(told: Told, page: Page) -> Transport:
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    await told.until(lambda: bool(told.of("opened")))
    stopped = node.now() + 1
    node.now, node.clock = (lambda: stopped), (lambda: 0.0)  # nothing here is to depend on how busy the machine is
    return node


async def test_packets_are_told_as_they_were(told: Echo) -> None:
    """Media and control, byte for byte, each to its own."""
    told.echo = False
    page = Voice(0)
    node = await connected(told, page)
    await sent(page, node, rtp(1), report(), rtp(2))
    await told.until(lambda: len(told.of("media")) == 2)
    assert told.of("media") == [rtp(1), rtp(2)]
    assert told.of("media_control") == [report()]
    await page.close()
    await node.close()


async def test_what_was_overheard_and_is_played_again_is_dropped(told: Echo) -> None:
    """From the peer's own address, which is as far as anybody on the way gets."""
    told.echo = False
    page, heard = Voice(0), list[tuple[bytes, Address]]()
    node = await connected(told, page)
    take = node._take

    def overhear(data: bytes, address: Address, now: float) -> None:
        if kind_of(data) is Kind.RTP:
            heard.append((data, address))
        take(data, address, now)

    node._take = overhear  # type: ignore[method-assign]
    await sent(page, node, rtp(1), report(), rtp(2))
    await told.until(lambda: len(told.of("media")) == 2 and bool(told.of("media_control")))
    assert len(heard) == 3
    errors = node.stats().srtp_errors
    for data, address in heard:
        take(data, address, node.now())
    assert len(told.of("media")) == 2
    assert len(told.of("media_control")) == 1
    assert node.stats().srtp_errors == errors + 3
    await page.close()
    await node.close()


async def test_another_ssrc_than_the_sources_is_dropped(told: Echo) -> None:
    """And none of thousands has a place."""
    told.echo = False
    page = Voice(0)
    node = await connected(told, page)
    await sent(page, node, rtp(1, ssrc=1), *(rtp(1, ssrc=each) for each in range(2, 500)))
    assert told.of("media") == [rtp(1, ssrc=1)]
    assert node.stats().rtp_dropped >= 498
    await sent(page, node, *(report(each) for each in range(1, 500)))
    assert len(told.of("media_control")) == SSRCS_MAX
    await page.close()
    await node.close()


async def test_a_page_without_audio_is_not_heard(told: Echo) -> None:
    """Its keys would do; it never said that it would speak."""
    page = Page()
    node = await connected(told, page)
    link = node.link(KEY)
    assert link is not None
    assert link.audio is None
    await sent(page, node, rtp(1), report())
    assert told.of("media") == told.of("media_control") == []
    assert node.stats().rtp_dropped == 2
    await page.close()
    await node.close()


async def test_what_is_too_long_or_malformed_is_dropped(told: Echo) -> None:
    """Before or after its keys were tried, and either way nobody is told."""
    told.echo = False
    page = Voice(0)
    node = await connected(told, page)
    await sent(page, node, rtp(1, payload=bytes(limits.VOICE_PACKET_BYTES)), rtp(2, payload=bytes(1300)))
    (address,) = {each for each, link in node._at.items() if link.key == KEY}
    for data in (b"\x80", b"\x80\xc9\0\1", rtp()[:11], report() + bytes(20), rtp(), b"\x9f" + bytes(2000)):
        node._take(data, address, node.now())
    assert told.of("media") == told.of("media_control") == []
    stats = node.stats()
    assert stats.rtp_dropped + stats.srtp_errors == 8
    link = node.link(KEY)
    assert link is not None
    for packet in (b"", b"\x80", bytes(2000), rtp(payload=bytes(1400))):
        link.send_media(packet)
    assert node.stats().srtp_errors == stats.srtp_errors + 4
    await sent(page, node, rtp(3))
    assert told.of("media") == [rtp(3)]
    await page.close()
    await node.close()


async def test_malformed_media_is_counted_and_nothing_else(told: Echo) -> None:
    """Seeded: bytes, packets of the peer's that were broken on the way, and authentic ones that are not RTP within."""
    chance, raw = Random(31), list[bytes]()
    told.echo = False
    page = Voice(0)
    node = await connected(told, page)
    ((address, _),) = node._at.items()
    assert page.connection.sctp is not None
    keys = page.connection.sctp.transport._tx_srtp
    for index in range(3000):
        packet = bytes((chance.randrange(128, 192),)) + chance.randbytes(chance.choice((0, 1, 3, 7, 11, 12, 40, 1500)))
        if index % 3 == 1:
            broken = bytearray(keys.protect_rtcp(report()) if index % 2 else keys.protect(rtp(index)))
            broken[chance.randrange(1, len(broken))] ^= 1 << chance.randrange(8)
            packet = bytes(broken)
        elif index % 3 == 2:
            head = pack("!BBHI", 0x80 | chance.randrange(32), 200 + chance.randrange(8), chance.randrange(9), 7)
            raw.append(head + chance.randbytes(4 * chance.randrange(9)))
            packet = keys.protect_rtcp(raw[-1])
        node._take(packet, address, node.now() + index / 1000)
    assert told.of("media") == []
    assert told.of("media_control") == raw
    stats = node.stats()
    assert stats.rtp_dropped + stats.srtp_errors == 2000
    assert stats.rtcp_in == 1000
    await sent(page, node, rtp(5000))
    assert told.of("media") == [rtp(5000)]
    await page.close()
    await node.close()


async def test_a_flood_of_media_is_dropped_unread(told: Echo) -> None:
    """It counts like anything else that the peer sends."""
    told.echo = False
    page = Voice(0)
    node = await connected(told, page)
    link, now = node._links[KEY], node.now() + 1
    for _ in range(limits.LINK_DATAGRAMS_PER_S + 100):
        link.media(rtp(), now)
    assert node.stats().refused == 100
    await page.close()
    await node.close()


async def test_passing_media_on_is_not_its_senders_account(told: Echo) -> None:
    """A talker with many listeners is heard through the second; what is done with his control is his to answer for."""
    told.echo = False
    page, spent = Voice(0), [0.0]
    node = await connected(told, page)
    node.clock = lambda: spent[0]
    hear, obey = told.media, told.media_control

    def slowly(link: Link, packet: bytes, now: float) -> None:
        spent[0] += 2 * limits.LINK_BUSY_S
        (obey if is_control(packet) else hear)(link, packet, now)

    told.media = told.media_control = slowly  # type: ignore[method-assign]
    await sent(page, node, *(rtp(each) for each in range(1, 6)))
    assert len(told.of("media")) == 5
    await sent(page, node, *(report() for _ in range(5)))
    assert len(told.of("media_control")) == 1
    await page.close()
    await node.close()


async def test_a_renegotiation_and_a_restart_keep_the_slots(told: Echo) -> None:
    """The same SSRCs, and packets go on in them."""
    page = Voice(2, speaks=True)
    node = await connected(told, page)
    link = node.link(KEY)
    assert link is not None
    before = link.audio
    offer = await page.offer()
    answer = await node.answer(KEY, "link0001", offer)
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
    assert node.link(KEY) is link
    assert link.audio == before
    restarted = await node.answer(KEY, "link0001", offer.replace("a=ice-ufrag:", "a=ice-ufrag:again"))
    for ssrc in before.slots if before else ():
        assert f"a=ssrc:{ssrc} cname:slot" in answer
        assert f"a=ssrc:{ssrc} cname:slot" in restarted
    async with asyncio.timeout(20):
        await asyncio.gather(page.heard(0), page.heard(1))
    await page.close()
    await node.close()


async def test_an_offer_that_takes_audio_away_ends_it(told: Echo) -> None:
    """The channels go on."""
    page = Voice(0)
    node = await connected(told, page)
    link = node.link(KEY)
    assert link is not None
    stopped = (await page.offer()).replace("a=sendonly", "a=inactive")
    await node.answer(KEY, "link0001", stopped)
    assert link.audio == Audio(payload_type=96, level_id=2, slots=(), sends=False, nack=False)
    await sent(page, node, rtp(1), report())
    await node.answer(KEY, "link0001", stopped.replace("opus/48000/2", "opus/16000/2"))
    await sent(page, node, rtp(2), report())
    assert told.of("media") == []
    assert told.of("media_control") == [report()]
    page.control.send("still")
    await page.until(lambda: page.got["control"] == ["still"])
    await page.close()
    await node.close()


async def test_media_goes_where_its_peer_is_by_now(told: Echo) -> None:
    """Who moved is sent nothing at their old address."""
    page = Voice(1)
    node = await connected(told, page)
    (link,) = node._links.values()
    here, there = link.agent.chosen, socket.socket(node._socket.family, socket.SOCK_DGRAM)
    assert here is not None
    there.bind((here[0], 0))
    there.settimeout(5)
    for number, address in enumerate((here, there.getsockname(), here), 1):
        link.agent.chosen = address
        link.chosen(node.now())
        link.send_media(rtp(number))
        await asyncio.sleep(0)  # the turn in which it leaves
    assert unpack_from("!H", there.recv(2048), 2) == (2,)
    there.setblocking(False)
    with pytest.raises(BlockingIOError):
        there.recv(2048)
    there.close()
    await page.close()
    await node.close()


async def test_a_link_that_is_not_open_sends_nothing(told: Echo) -> None:
    """Nor one that has ended."""
    page = Voice(1)
    node = await listening(told)
    await node.answer(KEY, "link0001", await page.offer())
    link = node.link(KEY)
    assert link is not None
    assert link.audio is not None
    link.send_media(rtp())
    link.close("removed")
    link.send_media(rtp())
    assert (node.stats().rtp_out, node.stats().srtp_errors) == (0, 0)
    await page.close()
    await node.close()
