"""Over a network that loses and overtakes: one channel delivers everything in order, the other goes on."""

import pytest
from aioice import stun as aioice
from aiortc import RTCSessionDescription

from tests.node.middle import Middle
from tests.node.peers import Page, Told, listening, own_address

KEY = "ses_a peer.one"


def check_of(
    offer: str, answer: str, *, use: bool = True, password: str | None = None, controlled: bool = False
) -> bytes:
    """An ICE check as the page of an offer would make it."""
    theirs, ours = (line_of(each, "a=ice-ufrag:") for each in (offer, answer))
    message = aioice.Message(message_method=aioice.Method.BINDING, message_class=aioice.Class.REQUEST)
    message.attributes = {"USERNAME": f"{ours}:{theirs}", "PRIORITY": 1}
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 1
    if use:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity((password or line_of(answer, "a=ice-pwd:")).encode())
    return bytes(message)


def line_of(sdp: str, start: str) -> str:
    return next(line.removeprefix(start) for line in sdp.splitlines() if line.startswith(start))


@pytest.mark.parametrize("loss", [0.02, 0.1])
async def test_the_reliable_channel_delivers_all_in_order_and_the_other_goes_on(loss: float) -> None:
    """Both ways, with aiortc's association on the other side."""
    told, page = Told(), Page()
    node = await listening(told)
    middle = Middle(own_address(), node.port, seed=7)
    answer = await node.answer(KEY, "link0001", await page.offer())
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=middle.sdp(answer), type="answer"))
    await page.opened()
    await told.until(lambda: bool(told.of("opened")))
    middle.loss, middle.reorder = loss, 0.05
    link = node.link(KEY)
    assert link is not None
    count = 55  # of each: together within the allowance's burst
    for index in range(count):
        page.control.send(f"{index}" + "u" * (index * 17 % 3000))
        link.send_control(f"{index}" + "d" * (index * 19 % 3000))
        page.presence.send(f"{index}")
        link.send_presence(f"{index}".encode() * 500)
    await told.until(lambda: len(told.of("control")) == count, 60)
    await page.until(lambda: len(page.got["control"]) == count, 60)
    assert [str(each).rstrip("u") for each in told.of("control")] == [str(each) for each in range(count)]
    assert [str(each).rstrip("d") for each in page.got["control"]] == [str(each) for each in range(count)]
    assert middle.lost > 0
    middle.loss = middle.reorder = 0.0
    before = len(page.got["presence"])
    for _ in range(20):
        link.send_presence(b"later")
        page.presence.send("later")
    await page.until(lambda: b"later" in page.got["presence"][before:])
    await told.until(lambda: "later" in told.of("presence"))
    assert (node.stats().dtls_errors, node.stats().sctp_errors) == (0, 0)
    await page.close()
    await node.close()
    middle.close()


async def test_a_page_whose_address_changes_goes_on_from_the_new_one() -> None:
    """By an authentic USE-CANDIDATE, and not before it; the association never notices."""
    told, page = Told(echo=True), Page()
    node = await listening(told)
    middle = Middle(own_address(), node.port)
    offer = await page.offer()
    answer = await node.answer(KEY, "link0001", offer)
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=middle.sdp(answer), type="answer"))
    await page.opened()
    old = middle.addresses()
    middle.move(check_of(offer, answer))
    assert middle.addresses() != old
    page.control.send("from elsewhere")
    await page.until(lambda: page.got["control"] == ["from elsewhere"])
    await page.close()
    await node.close()
    middle.close()


async def test_an_ice_restart_goes_on_with_the_same_association() -> None:
    """New credentials on both sides, another address, the same DTLS, the same channels; `opened` is not told again."""
    told, page = Told(echo=True), Page()
    node = await listening(told)
    middle = Middle(own_address(), node.port)
    offer = await page.offer()
    answer = await node.answer(KEY, "link0001", offer)
    await page.connection.setRemoteDescription(RTCSessionDescription(sdp=middle.sdp(answer), type="answer"))
    await page.opened()
    page.control.send("before")
    await page.until(lambda: page.got["control"] == ["before"])
    restarted = offer.replace(line_of(offer, "a=ice-ufrag:"), "anew").replace(line_of(offer, "a=ice-pwd:"), "p" * 24)
    again = await node.answer(KEY, "link0001", restarted)
    assert line_of(again, "a=ice-pwd:") != line_of(answer, "a=ice-pwd:")
    assert line_of(again, "o=").split()[1:3] == [line_of(answer, "o=").split()[1], "2"]
    page.control.send("between")
    await page.until(lambda: page.got["control"] == ["before", "between"])
    middle.move(check_of(restarted, again))
    page.control.send("after")
    await page.until(lambda: page.got["control"] == ["before", "between", "after"])
    assert told.of("opened") == ["link0001"]
    await page.close()
    await node.close()
    middle.close()
