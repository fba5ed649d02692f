"""The house: which rooms are this node's, who comes in, who has to go, and who is told by post."""

import asyncio

import pytest

from chalicelib.documents.courier import committed
from chalicelib.peers.model import Relay
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ErrorMessage, OpCommitted
from chalicelib.wire.signals import PeerOffer
from chalicelib.wire.types import Role
from tests.fakes.relay import SESSION, FakeLink, person, row
from tests.fakes.site import NODE, Site

DOCUMENT = "doc_" + "a" * 20


async def test_an_offer_of_a_room_of_this_node_is_answered() -> None:
    """And once its channels are open, the peer is on the relay."""
    site = Site()
    assert await site.offer("ada") == "answer to v=0"
    assert site.house.peers == 0
    site.house.opened(site.link("ada"))
    assert (site.house.peers, len(site.house.members(SESSION))) == (1, 1)
    assert site.house.member_at("c-ada") is not None
    assert site.house.member_at("c-bob") is None


@pytest.mark.parametrize("relay", [None, Relay(SESSION, node_id="node_" + "b" * 12, generation=1)])
async def test_an_offer_of_anothers_room_is_refused(relay: Relay | None) -> None:
    """Or of nobody's."""
    site = Site()
    site.registry.relays = {SESSION: relay} if relay else {}
    with pytest.raises(AppError) as refused:
        await site.offer("ada")
    assert refused.value.code is Code.RELAY_REFUSED
    assert site.house.rooms == {}


async def test_a_node_that_drains_takes_nobody() -> None:
    """Nor does one that was not told who offers."""
    site = Site()
    with pytest.raises(AppError):
        await site.house.offer(PeerOffer(to=f"{NODE}.relay", link="link0001", sdp="v=0"))
    site.house.draining = True
    with pytest.raises(AppError):
        await site.offer("ada")


async def test_a_transport_that_refuses_leaves_nothing_behind() -> None:
    """Whoever it was comes again."""
    site = Site()
    site.transport.refusal = AppError(Code.SDP_INVALID)
    with pytest.raises(AppError):
        await site.offer("ada")
    site.transport.refusal = None
    await site.enter("ada")
    assert site.house.peers == 1


async def test_a_page_offers_only_so_often() -> None:
    """Whatever becomes of its links in between; others' offers are answered, and its own again after a while."""
    site = Site()
    for number in range(limits.OFFER_BURST):
        await site.offer("ada", f"link{number:04d}")
        site.leave("ada", "left")
    with pytest.raises(AppError) as refused:
        await site.offer("ada", "link9999")
    assert refused.value.code is Code.RATE_LIMITED
    await site.enter("bob")
    site.time.at_ms += int(1000 / limits.OFFER_REFILL_PER_S)
    await site.enter("ada")
    assert site.house.peers == 2


async def test_a_node_has_only_so_many_rooms() -> None:
    """RELAY_FULL past them."""
    site = Site()
    await site.enter("ada")
    lodging = site.house.rooms.pop(SESSION)
    site.house.rooms.update({f"ses_{number:020d}": lodging for number in range(limits.NODE_ROOMS_MAX)})
    with pytest.raises(AppError) as refused:
        await site.offer("bob")
    assert refused.value.code is Code.RELAY_FULL


async def test_a_room_that_is_another_nodes_by_now_is_given_up() -> None:
    """Told, or found out."""
    site = Site()
    link = await site.enter("ada")
    site.registry.relays = {}
    await site.census()
    assert (link.ended, site.house.rooms) == ("moved", {})
    site.house.give_up(SESSION, "moved")
    site.house.presence(link, b"{}")
    site.house.control(link, "{}")
    site.house.closed(link, "moved")
    late = FakeLink(person("bob"))
    site.house.opened(late)
    assert late.ended == "refused"


async def test_whoever_was_removed_has_to_go_at_once() -> None:
    """Told, or found out by their row."""
    site = Site()
    for name in ("ada", "bob", "cyd"):
        await site.enter(name)
    await site.census()
    site.house.remove(SESSION, "ada")
    site.house.remove("ses_" + "z" * 20, "bob")
    assert site.link("ada").ended == "removed"
    site.registry.rows = [row("cyd")]
    await site.census()
    assert [site.link(name).ended for name in ("bob", "cyd")] == ["removed", None]


async def test_whoever_was_removed_before_their_channels_opened_never_comes_in() -> None:
    """Told, or found out by their row; a link may wait with its handshake for as long as it likes."""
    site = Site()
    site.registry.rows = [row(name) for name in ("ada", "bob", "cyd")]
    for name in ("ada", "bob", "cyd"):
        await site.offer(name)
    site.house.remove(SESSION, "ada")
    assert [site.link(name).ended for name in ("ada", "bob", "cyd")] == ["removed", None, None]
    site.registry.rows = [row("cyd")]
    await site.census()
    for name in ("bob", "cyd"):
        site.house.opened(site.link(name))
    assert (site.link("bob").ended, site.house.peers) == ("refused", 1)


@pytest.mark.parametrize("read", [False, True])
async def test_whose_role_changed_before_their_channels_opened_comes_in_with_the_new_one(read: bool) -> None:
    """Pushed, or read meanwhile."""
    site = Site()
    await site.offer("ada")
    if read:
        site.registry.rows = [row("ada", Role.VIEWER)]
        await site.census()
    else:
        site.house.change_role(SESSION, "ada", Role.VIEWER)
    site.house.opened(site.link("ada"))
    assert site.house.members(SESSION)[0].person.role is Role.VIEWER


async def test_an_offer_that_is_no_offer_changes_nothing_of_the_link_there_is() -> None:
    """Whose it is stays known, and nothing is left of it when it ends."""
    site = Site()
    link = await site.enter("ada")
    site.transport.refusal = AppError(Code.SDP_INVALID)
    with pytest.raises(AppError):
        await site.offer("ada", "link0002")
    site.leave("ada", "left")
    site.house.opened(link)
    assert (link.ended, site.house.peers) == ("refused", 0)


async def test_a_room_that_was_given_up_is_not_looked_after() -> None:
    """It may go in the moment before."""
    site = Site()
    await site.enter("ada")
    site.house.give_up(SESSION, "moved")
    await site.house.look_after(SESSION)
    assert site.registry.reads == 0


async def test_a_census_that_fails_ends_nothing() -> None:
    """Whatever a row may hold that nobody can read."""
    site = Site()
    await site.enter("ada")
    site.registry.rows = [None]  # type: ignore[list-item]
    looking = asyncio.ensure_future(site.house.censuses())
    async with asyncio.timeout(10):
        while site.registry.reads < 2:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
    assert not looking.done()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_whose_websocket_dropped_keeps_the_channel_for_a_while() -> None:
    """It may be the functions that are away, not the person."""
    site = Site()
    link = await site.enter("ada")
    site.registry.rows = [row("ada", leaving_at_ms=site.time.at_ms + 5000)]
    await site.census()
    site.registry.rows = []
    for _ in range(10):
        await site.census()
    assert link.ended is None
    for _ in range(10):
        await site.census()
    assert link.ended == "idle"


async def test_a_role_and_a_new_websocket_are_learned() -> None:
    """Pushed, or by the rows."""
    site = Site()
    await site.enter("ada")
    site.house.change_role(SESSION, "ada", Role.VIEWER)
    site.house.change_role("ses_" + "z" * 20, "ada", Role.VIEWER)
    roles = [site.house.members(SESSION)[0].person.role]
    await site.census()  # the rows may be older than what was pushed
    roles.append(site.house.members(SESSION)[0].person.role)
    site.time.at_ms += 4000
    await site.census()
    roles.append(site.house.members(SESSION)[0].person.role)
    assert roles == [Role.VIEWER, Role.VIEWER, Role.EDITOR]


async def test_a_database_that_is_away_changes_nothing() -> None:
    """What is known will do."""
    site = Site()
    link = await site.enter("ada")
    site.registry.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    await site.census()
    assert (link.ended, site.house.peers) == (None, 1)


async def test_an_empty_room_is_kept_for_a_while() -> None:
    """Its people may all be coming again."""
    site = Site()
    await site.enter("ada")
    site.leave("ada", "left")
    await site.census()
    assert SESSION in site.house.rooms
    site.time.at_ms += 40_000
    await site.census()
    assert site.house.rooms == {}


async def test_a_link_that_broke_is_made_good_by_post() -> None:
    """Whatever it may have lost of documents; one that ended well lost nothing."""
    site = Site()
    for name in ("ada", "bob"):
        await site.enter(name)
    site.carrying.served = [committed(DOCUMENT, 9)]
    site.leave("ada", "left")
    site.leave("bob", "consent")
    await site.time.rest()
    assert site.posts.of("c-ada", OpCommitted) == []
    assert [message.head for message in site.posts.of("c-bob", OpCommitted)] == [9]


async def test_who_comes_by_websocket_alone_is_told_where_the_documents_are() -> None:
    """They were not told what was committed between their opening the document and the census."""
    site = Site()
    await site.enter("ada")
    await site.census()
    site.carrying.served = [committed(DOCUMENT, 9)]
    site.registry.rows.append(row("eve", Role.VIEWER))
    await site.census()
    await site.census()
    await site.time.rest()
    assert [message.head for message in site.posts.of("c-eve", OpCommitted)] == [9]
    assert site.posts.of("c-ada", OpCommitted) == []


async def test_a_page_that_says_goodbye_is_let_go() -> None:
    """By the link that it means."""
    site = Site()
    link = await site.enter("ada")
    site.house.bye(SESSION, person("ada").peer_id, "link0009")
    assert link.ended is None
    site.house.bye(SESSION, person("ada").peer_id, "link0001")
    assert link.ended == "left"


async def test_another_link_takes_the_place_of_the_first() -> None:
    """The old one's end changes nothing."""
    site = Site()
    await site.enter("ada")
    await site.offer("ada", "link0002")
    assert site.house.peers == 0
    site.house.opened(site.link("ada"))
    assert site.house.peers == 1


async def test_what_was_too_much_is_said() -> None:
    """On the channel itself."""
    site = Site()
    link = await site.enter("ada")
    site.house.refused(link, Code.CHANNEL_TOO_MUCH)
    assert [error.code for error in link.of(ErrorMessage)] == [Code.CHANNEL_TOO_MUCH]


async def test_whoever_waits_until_all_have_gone_is_told() -> None:
    """Or gives up."""
    site = Site()
    await site.enter("ada")
    waiting = asyncio.ensure_future(site.house.emptied(60))
    await asyncio.sleep(0)
    site.leave("ada", "left")
    await waiting
    await site.enter("ada")
    await site.house.emptied(0)


async def test_a_session_without_a_room_here_has_a_census_all_the_same() -> None:
    """A document of it may be served still."""
    site = Site()
    site.registry.rows = [row("ada")]
    (listener,) = await site.house.census(SESSION).listeners(frozenset())
    assert listener.user_id == "ada"
    assert site.house.room(SESSION) is None
    assert site.house.members(SESSION) == []
