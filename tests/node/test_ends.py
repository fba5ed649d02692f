"""How links end, and that nothing of them is left."""

import asyncio
import gc
import time

from aiortc import RTCSessionDescription

from chalicelib.wire import limits
from media_node.dtls import Dtls
from media_node.link import PeerLink
from media_node.sctp import Association
from media_node.transport import Transport
from tests.node.middle import Middle
from tests.node.peers import Page, Told, listening, own_address

KEY = "ses_a peer.one"


async def test_without_a_check_the_link_ends_as_idle() -> None:
    """RFC 7675, by a clock that jumps; one that never connected ends so too."""
    ahead = [0.0]
    told, page = Told(), Page()
    address = own_address()
    node = await Transport.listen(
        host=address, port=0, public_address=address, events=told, capacity=9, now=lambda: time.monotonic() + ahead[0]
    )
    await page.connect(node, KEY)
    await page.opened()
    await node.answer("ses_a peer.two", "link0002", await page.offer())
    ahead[0] = limits.CONSENT_S + 5.0
    await told.until(lambda: len(told.of("closed")) == 2)
    assert told.of("closed") == ["idle", "idle"]
    await page.close()
    await node.close()


async def test_a_peer_that_takes_nothing_any_more_is_let_go() -> None:
    """Frames are dropped meanwhile, messages are kept up to a bound; then it comes again, and reads on."""
    told, page = Told(), Page()
    node = await listening(told)
    middle = Middle(own_address(), node.port)
    answer = await node.answer(KEY, "link0001", await page.offer())
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=middle.sdp(answer), type="answer"))
    await page.opened()
    await told.until(lambda: bool(told.of("opened")))
    middle.loss = 1.0
    link = node.link(KEY)
    assert link is not None
    for _ in range(50):
        link.send_presence(bytes(2000))
        await asyncio.sleep(0)
    assert 0 < link.presence_buffered < 10 * limits.RELAY_BUFFER_BYTES
    while link.open:
        link.send_control(bytes(100_000))
    assert link.control_buffered > limits.CONTROL_BUFFER_BYTES - 200_000
    link.send_control("too late")
    await told.until(lambda: bool(told.of("closed")))
    assert told.of("closed") == ["slow"]
    assert node.link(KEY) is None
    await page.close()
    await node.close()
    middle.close()


async def test_a_message_that_the_peer_cannot_take_ends_the_link_rather_than_being_lost() -> None:
    """`control` promises to deliver."""
    told, page = Told(), Page()
    node = await listening(told)
    offer = (await page.offer()).replace("max-message-size:262144", "max-message-size:1000")
    answer = await node.answer(KEY, "link0001", offer)
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
    await told.until(lambda: bool(told.of("opened")))
    link = node.link(KEY)
    assert link is not None
    link.send_control(bytes(1001))
    await told.until(lambda: bool(told.of("closed")))
    await page.close()
    await node.close()


async def test_closing_a_link_tells_the_peer_and_the_rooms_once() -> None:
    """With the reason that was given."""
    told, page = Told(), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    await told.until(lambda: bool(told.of("opened")))
    link = node.link(KEY)
    assert link is not None
    page.control.on("close", page.changed.set)
    link.close("removed")
    link.close("again")
    await page.until(lambda: page.control.readyState == "closed")
    assert told.of("closed") == ["removed"]
    link.send_presence(b"x")
    link.send_control("x")
    assert link.presence_buffered == link.control_buffered == 0
    await page.close()
    await node.close()


async def test_a_page_that_closes_a_channel_has_left() -> None:
    """A link has both or is none."""
    told, page = Told(), Page()
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    page.control.close()
    await told.until(lambda: told.of("closed") == ["left"])
    await page.close()
    await node.close()


async def test_fifty_connections_leave_nothing_behind() -> None:
    """No task, no entry in a table, no association, no OpenSSL object."""
    told = Told(echo=True)
    node = await listening(told)
    tasks = len(asyncio.all_tasks())

    async def visit(number: int) -> None:
        page = Page()
        await page.connect(node, f"ses_a peer.{number}")
        await page.opened()
        page.control.send("hello")
        await page.until(lambda: page.got["control"] == ["hello"])
        await page.close()

    for round_ in range(10):
        await asyncio.gather(*(visit(5 * round_ + each) for each in range(5)))
    await told.until(lambda: len(told.of("closed")) == 50)
    assert told.of("closed") == ["left"] * 50
    assert (node._links, node._by_ufrag, node._at, node._dirty) == ({}, {}, {}, [])
    await asyncio.sleep(0)
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, PeerLink | Dtls | Association)] == []
    assert len(asyncio.all_tasks()) <= tasks
    await node.close()
