"""Signals between pages and media nodes, and rooms that get, lose and await one: through the real gateway and functions."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import pytest

from benchmarks.client import Api, PeerClient, Person
from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import (
    ParticipantChanged,
    ParticipantRemoved,
    Pong,
    RoomEnter,
    ServerMessage,
    SessionEnded,
)
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus
from chalicelib.wire.signals import (
    NodeEnter,
    PeerAnswer,
    PeerBye,
    PeerOffer,
    PeerRestart,
    RelayChanged,
    RelayRequest,
)
from chalicelib.wire.types import Role
from local.stack import Stack
from tests.stack.nodes import Backstage, FakeNode

pytestmark = pytest.mark.stack
M = TypeVar("M")
LINK = "link0001"
MANY = limits.MESH_MAX + 1


@pytest.fixture(scope="module")
def quiet() -> Iterator[Stack]:
    """A system without media nodes of its own, which starts none."""
    with Stack(settings={"RELAY": "0"}) as running:
        yield running


@dataclass
class Hall:
    """People in rooms, all of whom are recorded."""

    api: Api
    back: Backstage
    doors: AsyncExitStack
    heard: dict[str, list[ServerMessage]] = field(default_factory=dict)

    async def enter(self, who: Person, session_id: str, tab: int = 1) -> PeerClient:
        """A page that can be offered to."""
        page = await self.api.enter(who, session_id, f"tab0000{tab}")
        self.heard[page.peer_id] = []
        page.on_message = lambda message, _size: self.heard[page.peer_id].append(message)
        await self.doors.enter_async_context(page)
        assert await self.back.presence.set_rtc(session_id, page.peer_id, True)
        return page

    async def room(self, pages: int = 1) -> tuple[Person, str, list[PeerClient]]:
        """A room and so many pages of its owner."""
        owner = await self.api.guest("Ada")
        session_id = (await self.api.create(owner, "Room")).session_id
        return owner, session_id, [await self.enter(owner, session_id, n + 1) for n in range(pages)]

    async def node(self, *, load: int = 0) -> FakeNode:
        """A media node."""
        return await self.doors.enter_async_context(FakeNode(self.api, self.back, load=load))

    def of(self, page: PeerClient, type_: type[M]) -> list[M]:
        """What of a type a page heard."""
        return [message for message in self.heard[page.peer_id] if isinstance(message, type_)]

    async def hears(self, page: PeerClient, type_: type[M], count: int = 1) -> M:
        """Until a page has heard so many of a type; the last of them."""
        await page.until(lambda: len(self.of(page, type_)) >= count, 30)
        return self.of(page, type_)[count - 1]

    async def relay(self, page: PeerClient, status: RelayStatus, generation: int) -> RelayState:
        """Until a page was told so of the room's relay."""

        def told() -> list[RelayState]:
            return [
                m.relay
                for m in self.of(page, RelayChanged)
                if m.relay.status is status and m.relay.generation >= generation
            ]

        await page.until(lambda: bool(told()), 30)
        return told()[0]


@pytest.fixture
async def hall(quiet: Stack) -> AsyncIterator[Hall]:
    """Nobody there."""
    async with Api(quiet.base_url) as api, AsyncExitStack() as doors:
        back = Backstage(quiet)
        doors.push_async_callback(back.dynamo.close)
        yield Hall(api, back, doors)


async def node_hears(node: FakeNode, type_: type[M]) -> M:
    """Until a node has heard one of a type."""
    await node.socket.until(lambda: any(isinstance(m, type_) for m in node.heard), 30)
    return next(m for m in node.heard if isinstance(m, type_))


def asks(reason: RelayReason = RelayReason.COUNT, generation: int = 0) -> RelayRequest:
    """For a relay."""
    return RelayRequest(id="q", reason=reason, generation=generation)


async def test_two_pages_signal_both_ways(hall: Hall) -> None:
    """Each kind arrives, from the peer that signalling verified; a viewer may as well."""
    _, session_id, (ada,) = await hall.room()
    viewer = await hall.api.guest("Vic")
    await hall.api.join(viewer, session_id)
    vic = await hall.enter(viewer, session_id)
    await ada.send(PeerOffer(id="1", to=vic.peer_id, link=LINK, sdp="v=0\r\n"))
    offer = await hall.hears(vic, PeerOffer)
    assert (offer.from_, offer.to, offer.sdp, offer.id, offer.peer) == (ada.peer_id, vic.peer_id, "v=0\r\n", None, None)
    await vic.send(PeerAnswer(to=ada.peer_id, link=LINK, sdp="v=0"))
    await vic.send(PeerRestart(to=ada.peer_id, link=LINK))
    await vic.send(PeerBye(to=ada.peer_id, link=LINK, reason="left"))
    assert (await hall.hears(ada, PeerAnswer)).from_ == vic.peer_id
    assert (await hall.hears(ada, PeerRestart)).from_ == vic.peer_id
    assert (await hall.hears(ada, PeerBye)).from_ == vic.peer_id
    assert ada.errors == vic.errors == []


async def test_what_is_refused(hall: Hall) -> None:
    """A forged sender, a peer of another room, one that is not there, what only a node may say."""
    _, _, (ada,) = await hall.room()
    _, _, (bob,) = await hall.room()
    refused = {
        "forged": (PeerBye(id="forged", to=ada.peer_id, link=LINK, from_=bob.peer_id), Code.IDENTITY_MISMATCH),
        "elsewhere": (PeerBye(id="elsewhere", to=bob.peer_id, link=LINK), Code.PEER_UNKNOWN),
        "nobody": (PeerBye(id="nobody", to="nobody.tab00001", link=LINK), Code.PEER_UNKNOWN),
        "no-node": (PeerBye(id="no-node", to=f"node_{'0' * 12}.relay", link=LINK), Code.PEER_UNKNOWN),
        "no-right": (NodeEnter(id="no-right", protocol=PROTOCOL_VERSION), Code.ROLE_INSUFFICIENT),
    }
    for message, _ in refused.values():
        await ada.send(message)
    await ada.until(lambda: len(ada.errors) == len(refused), 30)
    assert {e.id: e.code for e in ada.errors} == {name: code for name, (_, code) in refused.items()}
    assert hall.of(bob, PeerBye) == []


async def test_more_signals_than_a_bucket_holds(hall: Hall) -> None:
    """Each arrives or is refused with a wait; presence goes on beside it (workers have buckets of their own)."""
    _, session_id, (ada,) = await hall.room()
    bob = await hall.enter(await hall.api.guest("Bob"), session_id)
    sent = limits.SIGNAL_BURST + limits.VIOLATIONS_MAX - 10
    for _ in range(sent):
        await ada.send(PeerBye(to=bob.peer_id, link=LINK))
    await ada.ping()
    await hall.hears(ada, Pong)
    await bob.until(lambda: len(hall.of(bob, PeerBye)) >= limits.SIGNAL_BURST, 60)
    for _ in range(600):
        if len(hall.of(bob, PeerBye)) + len(ada.errors) == sent:
            break
        await asyncio.sleep(0.1)
    assert len(hall.of(bob, PeerBye)) + len(ada.errors) == sent
    assert {e.code for e in ada.errors} <= {Code.RATE_LIMITED}


async def test_a_room_gets_a_node_and_talks_to_it(hall: Hall) -> None:
    """The page that asks is answered, all are told; the node learns who offers, and answers through its own connection."""
    node = await hall.node()
    _, session_id, pages = await hall.room(MANY)
    ada = pages[0]
    await ada.send(asks())
    for page in pages:
        assert await hall.relay(page, RelayStatus.READY, 1) == RelayState(
            status=RelayStatus.READY, generation=1, peer_id=node.peer_id
        )
    await ada.send(PeerOffer(to=node.peer_id, link=LINK, sdp="v=0"))
    offer = await node_hears(node, PeerOffer)
    assert (offer.from_, offer.session_id) == (ada.peer_id, session_id)
    assert offer.peer is not None
    assert (offer.peer.role, offer.peer.rtc, bool(offer.connection_id)) == (Role.OWNER, True, True)
    await node.socket.send(PeerAnswer(to=ada.peer_id, link=LINK, sdp="v=0", session_id=session_id))
    assert (await hall.hears(ada, PeerAnswer)).from_ == node.peer_id
    again = await hall.api.enter(await hall.api.guest("Late"), session_id, "tab00001")
    async with again:
        assert again.room is not None
        assert again.room.relay.peer_id == node.peer_id


async def test_a_node_reaches_its_rooms_only_and_is_no_participant(hall: Hall) -> None:
    """Whatever it says."""
    node = await hall.node()
    _, session_id, (ada,) = await hall.room()
    await node.socket.send(PeerBye(id="alien", to=ada.peer_id, link=LINK, session_id=session_id))
    await node.socket.send(PeerBye(id="which", to=ada.peer_id, link=LINK))
    await node.socket.send(RoomEnter(id="page", protocol=PROTOCOL_VERSION, epoch=1))
    await node.socket.until(lambda: len(node.socket.errors) == 3, 30)
    assert {e.id: e.code for e in node.socket.errors} == {
        "alien": Code.RELAY_REFUSED,
        "which": Code.BODY_INVALID,
        "page": Code.ROLE_INSUFFICIENT,
    }
    assert hall.of(ada, PeerBye) == []


async def test_who_may_come_in_as_a_node(hall: Hall) -> None:
    """A token is good once, and only with the nodes' own keys: not with those that sign tickets."""
    node = await hall.node()
    token = hall.back.token(node.node_id)
    async with await node.dial(token):
        pass
    for bad in (token, hall.back.token(node.node_id, hall.back.token_key), "nonsense"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await node.dial(bad)
        assert refused.value.status == 401


async def test_the_node_hears_of_removals_roles_and_the_end_at_once(hall: Hall) -> None:
    """With the session that it is about; of an ended one nothing is left."""
    node = await hall.node()
    owner, session_id, pages = await hall.room(MANY)
    bob, eve = await hall.api.guest("Bob"), await hall.api.guest("Eve")
    await hall.api.join(eve, session_id)
    page = await hall.enter(bob, session_id)
    await pages[0].send(asks())
    await hall.relay(page, RelayStatus.READY, 1)
    await hall.api.call("DELETE", f"/sessions/{session_id}/participants/{bob.user_id}", owner)
    removed = await node_hears(node, ParticipantRemoved)
    assert (removed.user_id, removed.session_id) == (bob.user_id, session_id)
    await hall.hears(page, ParticipantRemoved)
    await hall.api.call("PUT", f"/sessions/{session_id}/participants/{eve.user_id}", owner, {"role": "viewer"})
    changed = await node_hears(node, ParticipantChanged)
    assert (changed.user_id, changed.role, changed.session_id) == (eve.user_id, Role.VIEWER, session_id)
    assert bob.user_id not in {row.user_id for row in (await hall.back.presence.room(session_id)).rows}
    await hall.api.call("DELETE", f"/sessions/{session_id}", owner)
    assert (await node_hears(node, SessionEnded)).session_id == session_id
    assert (await hall.back.nodes.relay(session_id)).generation == 0
    assert await hall.back.nodes.rooms_of(node.node_id) == ()


async def test_a_node_that_dies_is_replaced(hall: Hall) -> None:
    """Its connection ends, and its rooms are another's: all are told, and a signal to the dead one finds nobody."""
    first, second = await hall.node(), await hall.node(load=50)
    _, session_id, pages = await hall.room(MANY)
    ada = pages[0]
    await ada.send(asks())
    assert (await hall.relay(ada, RelayStatus.READY, 1)).peer_id == first.peer_id
    await first.die()
    for page in pages:
        assert (await hall.relay(page, RelayStatus.READY, 2)).peer_id == second.peer_id
    await ada.send(PeerBye(id="late", to=first.peer_id, link=LINK))
    await ada.until(lambda: any(e.id == "late" and e.code is Code.PEER_UNKNOWN for e in ada.errors), 30)
    await ada.send(asks(RelayReason.LOST, 1))
    answer = await ada.next(RelayChanged)
    assert (answer.id, answer.relay.generation, answer.relay.peer_id) == ("q", 2, second.peer_id)
    await ada.send(PeerRestart(to=second.peer_id, link=LINK))
    assert (await node_hears(second, PeerRestart)).session_id == session_id


async def test_a_room_that_waits_is_given_the_node_that_comes(hall: Hall) -> None:
    """Everybody hears of it without asking again."""
    _, _, pages = await hall.room(MANY)
    await pages[0].send(asks())
    answer = await pages[0].next(RelayChanged, 30)
    assert answer.relay.status is not RelayStatus.READY
    node = await hall.node()
    for page in pages:
        assert (await hall.relay(page, RelayStatus.READY, 2)).peer_id == node.peer_id


async def test_from_starting_to_ready() -> None:
    """With a service of nodes that runs none: a task is asked for, pages are told to wait, and then where to go."""
    with Stack(settings={"MEDIA_NODES": "0"}) as running:
        async with Api(running.base_url) as api, AsyncExitStack() as doors:
            back = Backstage(running)
            doors.push_async_callback(back.dynamo.close)
            hall = Hall(api, back, doors)
            _, _, pages = await hall.room(MANY)
            await pages[0].send(asks())
            await hall.relay(pages[1], RelayStatus.STARTING, 1)
            await hall.node()
            assert (await hall.relay(pages[1], RelayStatus.READY, 2)).peer_id is not None
