"""A full-ICE peer connects, talks on both channels, restarts, moves, and leaves."""

from collections.abc import AsyncIterator

import pytest

from tests.node.peers import Page, Told, listening

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
