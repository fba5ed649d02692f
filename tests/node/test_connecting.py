"""A full-ICE peer connects, talks on both channels, restarts, moves, and leaves."""

from collections.abc import AsyncIterator

import pytest

from media_node.transport import Transport
from tests.node.peers import Page, Told, listening, own_address

KEY = "ses_a peer.one"


@pytest.fixture
async def told() -> Told:
    return Told(echo=True)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page()
    yield page
    await page.close()


async def test_both_channels_carry_text_and_bytes_both_ways(told: Told, page: Page) -> None:
    """Text comes as text, bytes as bytes, a long message whole."""
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    page.control.send("salut")
    page.control.send(b"\0" * 30_000)
    page.presence.send("here")
    await page.until(lambda: len(page.got["control"]) == 2 and bool(page.got["presence"]))
    assert page.got["control"] == ["salut", b"\0" * 30_000]
    assert page.got["presence"] == [b"here"]
    assert told.of("opened") == ["link0001"]
    link = node.link(KEY)
    assert link is not None
    assert link.rtt_ms is not None
    await node.close()
    assert told.of("closed") == ["draining"]


async def test_channels_opened_in_band_are_taken_by_their_labels(told: Told) -> None:
    """A client that cannot negotiate opens them by DCEP."""
    node, page = await listening(told), Page(negotiated=False)
    await page.connect(node, KEY)
    await page.opened()
    page.control.send("salut")
    page.presence.send("here")
    await page.until(lambda: page.got["control"] == ["salut"] and page.got["presence"] == [b"here"])
    await page.close()
    await node.close()


async def test_a_peer_that_leaves_is_told_once(told: Told, page: Page) -> None:
    """Whether by its association or by close_notify."""
    node = await listening(told)
    await page.connect(node, KEY)
    await page.opened()
    await page.close()
    await told.until(lambda: bool(told.of("closed")))
    await node.close()
    assert told.of("closed") == ["left"]
    assert node.stats().links == 0


async def test_both_families_share_a_port() -> None:
    """`::` takes IPv4 as well, and the answer has a candidate for each; a page on either connects."""
    told, page = Told(echo=True), Page()
    node = await Transport.listen(
        host="::", port=0, public_address=f"{own_address()}, fd00::1", events=told, capacity=9
    )
    answer = await page.connect(node, KEY)
    assert answer.count("a=candidate:") == 2
    await page.opened()
    page.control.send("salut")
    await page.until(lambda: page.got["control"] == ["salut"])
    assert all(address[0].startswith("::ffff:") for address in node._at)
    await page.close()
    await node.close()


async def test_a_port_that_is_taken_is_an_error_of_the_systems() -> None:
    """The node does not start without its port."""
    node = await listening(Told())
    with pytest.raises(OSError, match="in use"):
        await Transport.listen(
            host=own_address(), port=node.port, public_address="192.0.2.1", events=Told(), capacity=1
        )
    await node.close()
