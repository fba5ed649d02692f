"""Whoever is not the peer changes nothing, learns nothing, and gets no byte."""

import asyncio
import socket
import time
from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from aiortc import RTCSessionDescription

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from media_node.ice import ADDRESSES_MAX
from media_node.transport import Transport
from tests.node.peers import Page, Told, listening, own_address
from tests.node.test_bad_networks import check_of, line_of

KEY = "ses_a peer.one"


class Stranger:
    """A socket of somebody's, on this machine."""

    def __init__(self, node: Transport) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((own_address(), 0))
        self._to = (own_address(), node.port)

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self._to)

    def got(self) -> list[bytes]:
        """Everything that came back."""
        read = []
        while True:
            try:
                read.append(self.socket.recv(2048))
            except OSError:
                return read


def has_echoes(page: Page, count: int) -> bool:
    return len(page.got["control"]) == count


async def taken(node: Transport, packets: int) -> None:
    """Waits until the node has read so many datagrams."""
    await comes(lambda: node.stats().packets_in >= packets)


async def comes(there: Callable[[], bool]) -> None:
    """Waits until something is so of which nothing is told."""
    for _ in range(4000):
        if there():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come")


async def test_what_is_not_authentic_gets_no_answer_and_moves_nobody() -> None:
    """A wrong password, an unknown name, no name: not a byte; the page talks on."""
    told, page = Told(echo=True), Page()
    node = await listening(told)
    offer = await page.offer()
    answer = await page.connect(node, KEY)
    await page.opened()
    stranger = Stranger(node)
    before = node.stats()
    forged = check_of(offer, answer, password="guessed")
    for data in (forged, forged.replace(line_of(answer, "a=ice-ufrag:").encode(), b"0" * 16), forged[:40], b"\0\1"):
        stranger.send(data)
    await taken(node, before.packets_in + 4)
    page.control.send("on")
    await page.until(lambda: page.got["control"] == ["on"])
    assert stranger.got() == []
    assert node.stats().stun_errors >= before.stun_errors + 4
    stranger.socket.close()
    await page.close()
    await node.close()


async def test_a_peer_may_not_take_another_peers_address() -> None:
    """A check from an address whose datagrams are somebody's is not even looked at."""
    told, page, other = Told(echo=True), Page(), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    offer = await other.offer()
    answer = await node.answer("ses_a peer.two", "link0002", offer)
    address = next(iter(node._at))
    node._check(check_of(offer, answer), address, node.now())
    assert node._at[address].key == KEY
    page.control.send("mine")
    await page.until(lambda: page.got["control"] == ["mine"])
    await page.close()
    await other.close()
    await node.close()


async def test_another_certificate_than_the_signalled_one_is_refused() -> None:
    """The link ends, and was never open."""
    told, page = Told(), Page()
    node = await listening(told)
    offer = await page.offer()
    lied = "".join(
        line[:-4] + ("00\r\n" if not line.endswith("00\r\n") else "11\r\n")
        if line.startswith("a=fingerprint")
        else line
        for line in offer.splitlines(keepends=True)
    )
    answer = await node.answer(KEY, "link0001", lied)
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
    await told.until(lambda: bool(told.of("closed")))
    assert told.events == [("closed", KEY, "refused")]
    assert node.stats().dtls_errors == 1
    await page.close()
    await node.close()


async def test_a_role_conflict_is_answered() -> None:
    """To who is authentic; 487."""
    told, page = Told(), Page()
    node = await listening(told)
    offer = await page.offer()
    answer = await node.answer(KEY, "link0001", offer)
    stranger = Stranger(node)
    stranger.send(check_of(offer, answer, controlled=True))
    await taken(node, 1)
    (reply,) = stranger.got()
    assert b"Role Conflict" in reply
    stranger.socket.close()
    await page.close()
    await node.close()


async def test_malformed_datagrams_are_counted_and_nothing_else() -> None:
    """Seeded: STUN, DTLS, RTP and whatever, from strangers and from the peer's own address; two peers talk on through it."""
    chance = Random(11)
    told, pages = Told(echo=True), [Page(), Page()]
    node = await listening(told)
    offer = await pages[0].offer()
    answer = await pages[0].connect(node, KEY)
    await pages[1].connect(node, "ses_a peer.two")
    for page in pages:
        await page.opened()
    stranger, address = Stranger(node), next(iter(node._at))
    real = check_of(offer, answer, use=False)
    for index in range(3000):
        first = chance.choice([0, 1, 20, 22, 23, 25, 44, 63, 128, 144, 191, 200, 255])
        data = bytes((first,)) + chance.randbytes(chance.choice([0, 1, 12, 13, 19, 40, 300, 1400]))
        if index % 3 == 0:
            broken = bytearray(real)
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            data = bytes(broken)
        elif index % 3 == 1 and len(data) > 13:
            data = data[:1] + b"\xfe\xfd\0\1" + data[5:11] + (len(data) - 13).to_bytes(2, "big") + data[13:]
        if index % 2:
            stranger.send(data)
        else:
            node._take(data, address, node.now())
        if index % 100 == 0:
            for page in pages:
                page.control.send(f"{index}")
            await asyncio.sleep(0)
    for page in pages:
        await page.until(partial(has_echoes, page, 30))
    stats = node.stats()
    assert stats.stun_errors > 900
    assert stats.unknown_dropped > 300
    assert stats.rtp_dropped > 0
    assert stats.open_links == 2
    assert stranger.got() == []
    stranger.socket.close()
    for page in pages:
        await page.close()
    await node.close()


async def test_who_sends_too_much_is_told_and_the_others_do_not_notice() -> None:
    """What is over the allowance is dropped; told once a second at most."""
    told, page, other = Told(), Page(), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await other.connect(node, "ses_a peer.two")
    await page.opened()
    await other.opened()
    for index in range(limits.CHANNEL_BURST * 3):
        page.control.send(f"{index}")
    page.control.send(bytes(limits.CHANNEL_MESSAGE_BYTES))
    other.control.send("calm")
    await told.until(lambda: node.stats().refused > 0 and "calm" in told.of("control"))
    assert told.of("refused")[0] is Code.CHANNEL_TOO_MUCH
    assert len(told.of("control", KEY)) <= limits.CHANNEL_BURST * 2
    assert told.of("refused", "ses_a peer.two") == []
    await page.close()
    await other.close()
    await node.close()


async def test_a_flood_is_dropped_unread() -> None:
    """Up to a number of datagrams a second they are looked at; then the core is the others'."""
    told, page = Told(), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    link, now = node._links[KEY], node.now()
    garbage = b"\x17\xfe\xfd" + bytes(8) + b"\0\x10" + bytes(16)
    for _ in range(limits.LINK_DATAGRAMS_PER_S + 100):
        link.datagram(garbage, now)
    assert node.stats().refused >= 100
    page.control.send("a second later")
    link.datagram(garbage, now + 1)
    await told.until(lambda: told.of("control") == ["a second later"])
    await page.close()
    await node.close()


async def test_who_takes_too_much_of_the_core_is_not_read_for_the_rest_of_the_second() -> None:
    """However few datagrams that takes: there is always one that costs more than it should."""
    told, page = Told(), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    link, now = node._links[KEY], node.now()
    spent = iter(range(1000))
    node.clock = lambda: float(next(spent))
    garbage = b"\x17\xfe\xfd" + bytes(8) + b"\0\x10" + bytes(16)
    refused = node.stats().refused
    for _ in range(3):
        link.datagram(garbage, now + 1)
    assert node.stats().refused == refused + 2
    node.clock = lambda: 0.0
    page.control.send("a second later")
    link.datagram(garbage, now + 3)
    await told.until(lambda: told.of("control") == ["a second later"])
    await page.close()
    await node.close()


async def test_a_link_that_fails_in_time_ends_and_the_others_have_their_turn() -> None:
    """Whatever it was that nobody thought of."""
    told, page, other = Told(), Page(), Page()
    node = await listening(told)
    for each, key in ((page, KEY), (other, "ses_a peer.two")):
        await each.connect(node, key)
        await each.opened()
    broken = node._links[KEY]
    del broken.agent.consent_at
    node._due = broken.due = node._links["ses_a peer.two"].due = 0
    await told.until(lambda: ("closed", KEY, "failed") in told.events)
    await comes(lambda: node._links["ses_a peer.two"].due > 0)
    for each in (page, other):
        await each.close()
    await node.close()


async def test_a_node_that_is_full_says_so() -> None:
    """But a peer that comes again takes its own place."""
    told, page = Told(), Page()
    node = await listening(told, capacity=1)
    offer = await page.offer()
    await node.answer(KEY, "link0001", offer)
    with pytest.raises(AppError) as caught:
        await node.answer("ses_a peer.two", "link0002", offer)
    assert caught.value.code is Code.RELAY_FULL
    await node.answer(KEY, "link0003", offer)
    assert told.events == [("closed", KEY, "replaced")]
    with pytest.raises(AppError) as caught:
        await node.answer(KEY, "link0003", offer.replace("a=setup:actpass", "a=setup:passive"))
    assert caught.value.code is Code.SDP_INVALID
    assert node.stats().links == 1
    await page.close()
    await node.close()


async def test_another_certificate_needs_another_link() -> None:
    """A renegotiation cannot change who is at the other end."""
    told, page, other = Told(), Page(), Page()
    node = await listening(told)
    await node.answer(KEY, "link0001", await page.offer())
    with pytest.raises(AppError) as caught:
        await node.answer(KEY, "link0001", await other.offer())
    assert caught.value.code is Code.SDP_INVALID
    await page.close()
    await other.close()
    await node.close()


async def test_malformed_packets_within_dtls_are_counted_and_the_link_goes_on() -> None:
    """From the peer itself: who can encrypt may still be broken."""
    told, page = Told(echo=True), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    assert page.connection.sctp is not None
    for data in (b"x", bytes(100), Random(1).randbytes(1100)):
        await page.connection.sctp.transport._send_data(data)
    page.control.send("on")
    await page.until(lambda: page.got["control"] == ["on"])
    assert node.stats().sctp_errors == 3
    await page.close()
    await node.close()


async def test_a_peer_with_many_addresses_keeps_the_newest() -> None:
    """The bound holds for who may be demultiplexed to it, too."""
    told, page = Told(), Page()
    node = await listening(told)
    offer = await page.offer()
    answer = await node.answer(KEY, "link0001", offer)
    strangers = [Stranger(node) for _ in range(ADDRESSES_MAX + 4)]
    for number, stranger in enumerate(strangers):
        stranger.send(check_of(offer, answer, use=number == 0))
        await taken(node, number + 1)
    assert len(node._at) == ADDRESSES_MAX
    assert set(node._at) == node._links[KEY].claimed == node._links[KEY].agent.addresses.keys()
    assert strangers[0].socket.getsockname() in node._at
    assert strangers[1].socket.getsockname() not in node._at
    for stranger in strangers:
        stranger.socket.close()
    await page.close()
    await node.close()


async def test_an_address_that_its_peer_left_long_ago_may_be_anothers() -> None:
    """NATs give ports out again."""
    ahead = [0.0]
    told, page = Told(), Page()
    address = own_address()
    node = await Transport.listen(
        host=address, port=0, public_address=address, events=told, capacity=9, now=lambda: time.monotonic() + ahead[0]
    )
    offer = await page.offer()
    first, second = [await node.answer(f"ses_a {each}", f"link000{each}", offer) for each in (1, 2)]
    stranger = Stranger(node)
    for number, answer in enumerate((first, second)):
        stranger.send(check_of(offer, answer))
        await taken(node, number + 1)
    (where,) = node._at
    assert node._at[where].key == "ses_a 1"
    ahead[0] = 11.0
    stranger.send(check_of(offer, second))
    await taken(node, 3)
    assert node._at[where].key == "ses_a 2"
    assert node._links["ses_a 1"].claimed == set()
    stranger.socket.close()
    await page.close()
    await node.close()
