"""Two real pages that may use nothing but the relay, with what the functions give them."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from playwright.async_api import Browser, async_playwright

from tests.turn.client import ANA, BEN, credentials
from tests.turn.pages import CHROMIUM, chromium, connect, gather, page, pair, talk
from tests.turn.server import Coturn


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright, chromium(playwright, CHROMIUM) as made:
        yield made


@pytest.mark.parametrize("by", ["udp", "tcp", "tls"])
async def test_two_pages_meet_at_the_relay(coturn: Coturn, browser: Browser, by: str) -> None:
    """With `iceTransportPolicy: 'relay'` a channel opens between them by each transport, and both sides are relayed."""
    url = {"udp": coturn.udp, "tcp": coturn.tcp, "tls": coturn.tls}[by]
    one, other = [
        await page(browser, [msgspec.structs.replace(credentials(coturn, user), urls=(url,))]) for user in (ANA, BEN)
    ]
    await connect(one, other)
    await talk(one, other)
    assert await pair(one) == [["relay", by], ["relay", ""]]


@pytest.mark.parametrize(("secrets", "ttl_s"), [("x" * 40, 600), (None, -5)], ids=["wrong secret", "expired"])
async def test_a_page_without_a_good_credential_gets_no_relay(
    coturn: Coturn, browser: Browser, secrets: str | None, ttl_s: int
) -> None:
    """It gathers no candidate and is told 401."""
    given = {} if secrets is None else {"secrets": secrets}
    server = credentials(coturn, ttl_s=ttl_s, **given)
    made = await page(browser, [msgspec.structs.replace(server, urls=(coturn.udp,))])
    sdp, errors = await gather(made)
    assert "a=candidate" not in sdp
    assert 401 in errors
