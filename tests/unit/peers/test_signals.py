"""Who may signal to whom, and what arrives: over the fakes."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.peers.model import Relay
from chalicelib.presence.model import NodeConnection
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ParticipantRemoved
from chalicelib.wire.peers import IceCandidate
from chalicelib.wire.signals import PeerAnswer, PeerBye, PeerCandidate, PeerOffer, PeerRestart, Signal
from chalicelib.wire.types import Role
from tests.fakes.plaza import N1, N2, Plaza, S

LINK = "link0001"
ADA, BOB, RELAY = "ada.tab00001", "bob.tab00001", f"{N1}.relay"
OFFER = PeerOffer(id="r1", to=BOB, link=LINK, sdp="v=0")
NODE = NodeConnection(f"n-{N1}", N1)
OTHER = "ses_" + "b" * 20


@pytest.fixture
async def plaza() -> Plaza:
    """Ada and Bob in a room."""
    made = Plaza()
    await made.page("ada", role=Role.VIEWER)
    await made.page("bob", rtc=False)
    return made


@pytest.fixture
async def relayed(plaza: Plaza) -> Plaza:
    """The same, with a node that relays it."""
    await plaza.node(N1)
    await plaza.nodes.change(Relay(S, N1, 1), plaza.clock.ms)
    return plaza


async def refused(work: Any) -> Code:
    """The code that a call is refused with."""
    with pytest.raises(AppError) as caught:
        await work
    return caught.value.code


async def send(plaza: Plaza, name: str, message: Signal) -> None:
    """By a page."""
    caller = plaza.rows.connections[f"c-{name}"]
    assert not isinstance(caller, NodeConnection)
    await plaza.signals.from_page(caller, message)


@pytest.mark.parametrize(
    "message",
    [
        OFFER,
        PeerAnswer(id="r1", to=BOB, link=LINK, sdp="v=0"),
        PeerCandidate(id="r1", to=BOB, link=LINK, candidates=(IceCandidate(candidate="", sdp_mid="0"),)),
        PeerBye(id="r1", to=BOB, link=LINK, reason="left"),
        PeerRestart(id="r1", to=BOB, link=LINK),
    ],
    ids=lambda message: type(message).__name__,
)
async def test_a_signal_arrives_as_it_was_sent(plaza: Plaza, message: Signal) -> None:
    """From the peer of its connection, without the sender's request id; whoever is in the room may, viewers too."""
    await send(plaza, "ada", message)
    assert plaza.told("bob", type(message)) == [replace(message, id=None, from_=ADA)]


async def test_what_only_functions_say_is_not_taken_from_a_page(plaza: Plaza) -> None:
    """An offer between pages carries no peer and no connection, whatever was written in it."""
    lie = replace(OFFER, peer=plaza.rows.rows[S, BOB].peer(), connection_id="c-bob", session_id=S, from_=ADA)
    await send(plaza, "ada", lie)
    assert plaza.told("bob", PeerOffer) == [replace(OFFER, id=None, from_=ADA)]


async def test_a_forged_sender(plaza: Plaza) -> None:
    """Another peer's name or another session's is refused, to a page and to a node."""
    for to in (BOB, RELAY):
        for forged in (replace(OFFER, to=to, from_=BOB), replace(OFFER, to=to, session_id=OTHER)):
            assert await refused(send(plaza, "ada", forged)) is Code.IDENTITY_MISMATCH
    assert plaza.told("bob", PeerOffer) == []


@pytest.mark.parametrize("to", ["cyd.tab00001", "bob.tab00002", ADA, RELAY, f"{N2}.relay"])
async def test_who_is_not_there_is_unknown(plaza: Plaza, to: str) -> None:
    """Nobody of that name, oneself, a node that does not relay this room."""
    assert await refused(send(plaza, "ada", replace(OFFER, to=to))) is Code.PEER_UNKNOWN


async def test_another_room_is_out_of_reach(plaza: Plaza) -> None:
    """Though its peer exists."""
    await plaza.page("cyd", OTHER)
    assert await refused(send(plaza, "ada", replace(OFFER, to="cyd.tab00001"))) is Code.PEER_UNKNOWN


async def test_who_left_or_has_not_entered_is_unknown(plaza: Plaza) -> None:
    """Within its grace a dropped peer cannot be reached either."""
    await plaza.rows.leave(S, BOB, "c-bob", plaza.clock.ms + 5000)
    assert await refused(send(plaza, "ada", OFFER)) is Code.PEER_UNKNOWN


async def test_a_removed_sender_reaches_nobody(relayed: Plaza) -> None:
    """Though the container still remembers the connection; nor does one that was replaced."""
    ada = relayed.rows.connections["c-ada"]
    assert not isinstance(ada, NodeConnection)
    await relayed.presence.expel(S, "ada", ParticipantRemoved(user_id="ada", banned=False, by="bob"))
    for to in (BOB, RELAY):
        assert await refused(relayed.signals.from_page(ada, replace(OFFER, to=to))) is Code.CONNECTION_GONE
    assert relayed.told("bob", PeerOffer) == relayed.told_node(N1, PeerOffer) == []


async def test_a_target_that_is_gone_is_noted(plaza: Plaza) -> None:
    """A 410 is a $disconnect that never was sent: the peer leaves after its grace, as when a frame finds it gone."""
    plaza.sender.gone.add("c-bob")
    assert await refused(send(plaza, "ada", OFFER)) is Code.PEER_UNKNOWN
    assert plaza.rows.rows[S, BOB].leaving_at_ms == plaza.clock.ms + limits.LEAVE_GRACE_S * 1000


async def test_a_target_that_does_not_answer(plaza: Plaza) -> None:
    """It may be there yet: come again."""
    plaza.sender.failing.add("c-bob")
    assert await refused(send(plaza, "ada", OFFER)) is Code.UPSTREAM_UNAVAILABLE


# -- media nodes --


async def test_the_node_is_told_who_offers(relayed: Plaza) -> None:
    """The session, who the peer is at this moment, and where to answer it by WebSocket."""
    await send(relayed, "ada", replace(OFFER, to=RELAY))
    peer = relayed.rows.rows[S, ADA].peer()
    assert peer.role is Role.VIEWER
    assert relayed.told_node(N1, PeerOffer) == [
        PeerOffer(to=RELAY, link=LINK, sdp="v=0", from_=ADA, session_id=S, peer=peer, connection_id="c-ada")
    ]
    await send(relayed, "ada", PeerBye(to=RELAY, link=LINK))
    assert relayed.told_node(N1, PeerBye) == [PeerBye(to=RELAY, link=LINK, from_=ADA, session_id=S)]


async def test_the_node_answers(relayed: Plaza) -> None:
    """From its peer id."""
    await relayed.signals.from_node(NODE, PeerAnswer(to=ADA, link=LINK, sdp="v=0", session_id=S))
    assert relayed.told("ada", PeerAnswer) == [PeerAnswer(to=ADA, link=LINK, sdp="v=0", from_=RELAY)]


async def test_a_node_says_which_room(relayed: Plaza) -> None:
    """It serves many; and it says so of itself only."""
    bye = PeerBye(to=ADA, link=LINK)
    assert await refused(relayed.signals.from_node(NODE, bye)) is Code.BODY_INVALID
    forged = replace(bye, session_id=S, from_=BOB)
    assert await refused(relayed.signals.from_node(NODE, forged)) is Code.IDENTITY_MISMATCH


async def test_a_node_reaches_its_own_rooms_only(relayed: Plaza) -> None:
    """One that it never had, and one that was taken from it."""
    await relayed.page("cyd", OTHER)
    bye = PeerBye(to="cyd.tab00001", link=LINK, session_id=OTHER)
    assert await refused(relayed.signals.from_node(NODE, bye)) is Code.RELAY_REFUSED
    await relayed.nodes.change(Relay(S, N2, 2), relayed.clock.ms)
    assert await refused(relayed.signals.from_node(NODE, replace(bye, to=ADA, session_id=S))) is Code.RELAY_REFUSED
    assert await refused(send(relayed, "ada", replace(OFFER, to=RELAY))) is Code.PEER_UNKNOWN


async def test_a_node_reaches_who_is_there_only(relayed: Plaza) -> None:
    """As anybody."""
    bye = PeerBye(to="cyd.tab00001", link=LINK, session_id=S)
    assert await refused(relayed.signals.from_node(NODE, bye)) is Code.PEER_UNKNOWN


async def test_a_node_without_a_connection_is_unknown(relayed: Plaza) -> None:
    """It may come again."""
    await relayed.nodes.clear_connection(N1, f"n-{N1}")
    assert await refused(send(relayed, "ada", replace(OFFER, to=RELAY))) is Code.PEER_UNKNOWN


async def test_a_node_whose_connection_is_gone_loses_its_rooms(relayed: Plaza) -> None:
    """As if its $disconnect had come."""
    relayed.sender.gone.add(f"n-{N1}")
    assert await refused(send(relayed, "ada", replace(OFFER, to=RELAY))) is Code.PEER_UNKNOWN
    assert (await relayed.nodes.relay(S)).node_id == ""
