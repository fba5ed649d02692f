"""Real Chromium pages connect to the node: negotiated and in band, with media beside, over restarts and loss."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

from chalicelib.wire import limits
from media_node.transport import Transport
from tests.node.middle import Middle
from tests.node.peers import Told, listening, own_address

CHROMIUM = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
KEY = "ses_a peer.one"
CONNECTION = """([presence, control, negotiated, media]) => {
  const at = (id) => (negotiated ? { negotiated: true, id } : {});
  const pc = (window.pc = new RTCPeerConnection());
  if (media) { pc.addTransceiver('audio'); pc.addTransceiver('video'); }
  window.got = [];
  const channels = (window.channels = {
    presence: pc.createDataChannel('presence', { ordered: false, maxRetransmits: 0, ...at(presence) }),
    control: pc.createDataChannel('control', at(control)),
  });
  for (const [label, channel] of Object.entries(channels)) {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => window.got.push([label, typeof data === 'string' ? data : data.byteLength]);
  }
}"""
OFFER = "async (options) => { await pc.setLocalDescription(await pc.createOffer(options)); return pc.localDescription.sdp; }"
ANSWER = "(sdp) => pc.setRemoteDescription({ type: 'answer', sdp })"
OPEN = "() => Object.values(channels).every((channel) => channel.readyState === 'open')"

SAY = """(count) => {
  for (let i = 0; i < count; i++) {
    channels.control.send(`${i} ` + 'u'.repeat((i * 41) % 3000));
    channels.presence.send(`${i}`);
  }
}"""
HAVE = "(count) => got.filter(([label]) => label === 'control').length === count"


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield await browser.new_page()
        await browser.close()


async def connect(
    page: Page, node: Transport, middle: Middle | None = None, *, negotiated: bool = True, media: bool = False
) -> None:
    await page.evaluate(CONNECTION, [limits.PRESENCE_CHANNEL, limits.CONTROL_CHANNEL, negotiated, media])
    answer = await node.answer(KEY, "link0001", await page.evaluate(OFFER, {}))
    await page.evaluate(ANSWER, middle.sdp(answer) if middle else answer)
    await page.wait_for_function(OPEN, timeout=20_000)


@pytest.mark.parametrize(("negotiated", "media"), [(True, False), (False, False), (True, True)])
async def test_a_page_talks_on_both_channels(page: Page, negotiated: bool, media: bool) -> None:
    """Negotiated, opened in band, and beside audio that is taken and video that is not; text and bytes, short and long."""
    told = Told(echo=True)
    node = await listening(told)
    await connect(page, node, negotiated=negotiated, media=media)
    await page.evaluate("() => channels.control.send('salut')")
    await page.evaluate("() => channels.presence.send('{}')")
    await page.evaluate("() => channels.control.send(new Uint8Array(30000))")
    await page.wait_for_function("() => got.length === 3", timeout=20_000)
    assert sorted(await page.evaluate("() => got"), key=str) == [
        ["control", "salut"],
        ["control", 30000],
        ["presence", 2],
    ]
    assert told.of("control") == ["salut", bytes(30_000)]
    link = node.link(KEY)
    assert link is not None
    link.send_control("d" * 120_000)
    link.send_presence(bytes(limits.RELAY_FRAME_BYTES))
    await page.wait_for_function("() => got.length === 5", timeout=20_000)
    assert link.rtt_ms is not None
    await page.evaluate("() => pc.close()")
    await told.until(lambda: told.of("closed") == ["left"])
    await node.close()


async def test_an_ice_restart_of_the_page_keeps_its_channels(page: Page) -> None:
    """A new offer on the same link; the association goes on."""
    told = Told(echo=True)
    node = await listening(told)
    await connect(page, node)
    await page.evaluate("() => channels.control.send('before')")
    await told.until(lambda: told.of("control") == ["before"])
    again = await node.answer(KEY, "link0001", await page.evaluate(OFFER, {"iceRestart": True}))
    await page.evaluate(ANSWER, again)
    link = node._links[KEY]
    await page.evaluate("() => channels.control.send('after')")
    await page.wait_for_function("() => got.length === 2", timeout=20_000)
    for _ in range(400):
        if link.agent.before is None:
            break
        await page.wait_for_timeout(25)
    assert link.agent.before is None, "the new generation has chosen no address"
    assert told.of("opened") == ["link0001"]
    assert link.version == 2
    await node.close()


async def test_loss_is_made_good_where_it_has_to_be(page: Page) -> None:
    """Ten percent both ways: dcSCTP and ours agree on what was lost, what is sent again and what is given up."""
    told = Told()
    node = await listening(told)
    middle = Middle(own_address(), node.port, seed=3)
    await connect(page, node, middle)
    await told.until(lambda: bool(told.of("opened")))
    middle.loss, middle.reorder = 0.1, 0.05
    link = node.link(KEY)
    assert link is not None
    count = 50
    for index in range(count):
        link.send_control(f"{index} " + "d" * (index * 37 % 3000))
        link.send_presence(bytes(2000))
    await page.evaluate(SAY, count)
    await told.until(lambda: len(told.of("control")) == count, 60)
    await page.wait_for_function(HAVE, arg=count, timeout=60_000)
    assert [str(each).split()[0] for each in told.of("control")] == [str(each) for each in range(count)]
    down = await page.evaluate("() => got.filter(([label]) => label === 'control').map(([, data]) => parseInt(data))")
    assert down == list(range(count))
    for _ in range(60):
        link.send_presence(bytes(2000))
        await page.wait_for_timeout(50)
    assert link.loss == pytest.approx(0.1, abs=0.09)
    middle.loss = middle.reorder = 0.0
    before = await page.evaluate("() => got.filter(([label]) => label === 'presence').length")
    for _ in range(20):
        link.send_presence(b"later")
    await page.wait_for_function(
        "(before) => got.filter(([label]) => label === 'presence').length > before", arg=before, timeout=20_000
    )
    assert node.stats().sctp_errors == 0
    await node.close()
    middle.close()
