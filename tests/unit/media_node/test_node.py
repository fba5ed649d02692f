"""A node's life: it beats, takes signals, ends when it is idle, and drains in order."""

import asyncio
from typing import Any

import msgspec
import pytest

from chalicelib.peers.model import Node as Row
from chalicelib.peers.model import NodeStatus, Relay, peer_id_of
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ErrorMessage, ParticipantChanged, ParticipantRemoved, SessionEnded
from chalicelib.wire.peers import IceCandidate, RelayState, RelayStatus
from chalicelib.wire.signals import NodeGone, Peer, PeerAnswer, PeerBye, PeerCandidate, PeerOffer, RelayChanged
from chalicelib.wire.types import Role, UserKind
from chalicelib.wire.voice import VoiceChanged, VoiceMix
from media_node.committer import Operations
from media_node.node import Node
from tests.fakes.relay import SESSION, FakePosts, person
from tests.fakes.site import NODE, Site
from tests.unit.media_node.test_committer import FakeDrainer, FakeSocket


class FakeSignalling:
    """What the node said by its WebSocket."""

    def __init__(self) -> None:
        self.sent: list[msgspec.Struct] = []
        self.connected = True

    async def send(self, message: msgspec.Struct) -> bool:
        """Unless there is none."""
        if self.connected:
            self.sent.append(message)
        return self.connected


class Rows:
    """The registry, as much of it as a node writes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.beats: list[Row] = []
        self.tried = 0
        self.forgotten: list[str] = []
        self.given: tuple[str, ...] = ()

    async def beat(self, node: Row) -> None:
        """Unless the database is away."""
        self.tried += 1
        if self.site.registry.away:
            raise self.site.registry.away
        self.beats.append(node)

    async def forget(self, node_id: str) -> None:
        """The last thing."""
        self.forgotten.append(node_id)

    async def rooms_of(self, node_id: str) -> tuple[str, ...]:
        """Those that it was given."""
        return self.given

    async def relay(self, session_id: str) -> Relay:
        """Of the site."""
        return await self.site.registry.relay(session_id)


class FakeFleet:
    """A service."""

    def __init__(self) -> None:
        self.protected = 0

    async def one_fewer(self) -> bool:
        """Never mind."""
        return True

    async def protect(self, *, protected: bool) -> bool:
        """Counts."""
        self.protected += protected
        return True


class FakeWorkshop:
    """Works until it is told not to."""

    def __init__(self) -> None:
        self.busy = False
        self.asked: list[tuple[str, str]] = []

    def ask(self, session_id: str, recording_id: str) -> None:
        """Begins."""
        self.busy = True
        self.asked.append((session_id, recording_id))


class Yard:
    """A node in its site."""

    def __init__(self, idle_s: int = 0) -> None:
        self.site = Site()
        self.rows = Rows(self.site)
        self.fleet = FakeFleet()
        self.drainer = FakeDrainer()
        self.signalling = FakeSignalling()
        self.workshop = FakeWorkshop()
        self.node = Node(
            NODE,
            self.site.house,
            Operations(FakeSocket(), self.drainer, FakePosts(), lambda: "corr"),
            self.site.transport,
            self.rows,
            self.fleet,
            version="1",
            capacity=400,
            idle_s=idle_s,
            now_ms=self.site.time.now_ms,
            workshop=self.workshop,
        )
        self.node.signalling = self.signalling

    async def take(self, message: Any) -> None:
        """A signal, and what follows from it."""
        self.node.take(message)
        await self.site.time.rest()

    def offer(self, session_id: str = SESSION) -> PeerOffer:
        """Ada's, as the functions hand it on."""
        who = person("ada")
        return PeerOffer(
            to=peer_id_of(NODE),
            link="link0001",
            sdp="v=0",
            from_=who.peer_id,
            session_id=session_id,
            connection_id=who.connection_id,
        )


async def test_an_offer_is_answered_or_refused_by_a_bye() -> None:
    """To whoever made it, for the link that it is of."""
    yard = Yard()
    await yard.site.offer("ada")
    refused = yard.offer()
    await yard.take(refused)
    (bye,) = yard.signalling.sent
    assert isinstance(bye, PeerBye)
    assert (bye.to, bye.link, bye.session_id, bye.reason) == (refused.from_, "link0001", SESSION, "refused")
    peer = next(iter(yard.site.house.rooms))
    assert peer == SESSION
    yard.signalling.sent.clear()
    who = person("ada")
    site_offer = msgspec.structs.replace(refused, peer=_peer("ada"))
    await yard.take(site_offer)
    (answer,) = yard.signalling.sent
    assert isinstance(answer, PeerAnswer)
    assert (answer.to, answer.sdp) == (who.peer_id, "answer to v=0")
    yard.site.transport.refusal = AppError(Code.RELAY_FULL)
    await yard.take(msgspec.structs.replace(site_offer, link="link0002"))
    assert isinstance(yard.signalling.sent[-1], PeerBye)
    assert yard.signalling.sent[-1].reason == "full"
    await yard.take(msgspec.structs.replace(site_offer, from_=None))
    assert len(yard.signalling.sent) == 2


def _peer(name: str) -> Any:
    return Peer(
        peer_id=person(name).peer_id,
        user_id=name,
        name=name,
        color="#ffffff",
        role=Role.EDITOR,
        kind=UserKind.GUEST,
        joined_at_ms=1,
    )


async def test_a_page_that_offers_too_often_is_not_even_refused() -> None:
    """Each word goes by the one WebSocket that all rooms have, which the functions close where there are too many."""
    yard = Yard()
    offer = msgspec.structs.replace(yard.offer(), peer=_peer("ada"))
    for _ in range(3 * limits.OFFER_BURST):
        await yard.take(offer)
    assert [type(said) for said in yard.signalling.sent] == [PeerAnswer] * limits.OFFER_BURST


async def test_an_offer_that_breaks_something_is_refused_too() -> None:
    """Whoever made it waits for an answer."""
    yard = Yard()
    yard.site.transport.refusal = RuntimeError()
    await yard.take(msgspec.structs.replace(yard.offer(), peer=_peer("ada")))
    (bye,) = yard.signalling.sent
    assert isinstance(bye, PeerBye)
    assert bye.reason == "refused"


async def test_notices_are_taken() -> None:
    """Of roles, removals, other relays, ends; what is no node's business is not."""
    yard = Yard()
    house = yard.site.house
    ada, bob = await yard.site.enter("ada"), await yard.site.enter("bob")
    await yard.take(ParticipantChanged(user_id="ada", role=Role.VIEWER, by="o", session_id=SESSION))
    assert house.members(SESSION)[0].person.role is Role.VIEWER
    reads = yard.site.voices.reads
    await yard.take(VoiceChanged(session_id=SESSION))
    assert yard.site.voices.reads == reads + 1
    await yard.take(ParticipantRemoved(user_id="ada", banned=False, by="o", session_id=SESSION))
    assert (ada.ended, bob.ended) == ("removed", None)
    await yard.take(PeerBye(to=peer_id_of(NODE), link="link0001", from_=person("bob").peer_id, session_id=SESSION))
    assert bob.ended == "left"
    mine = RelayState(status=RelayStatus.READY, generation=1, peer_id=peer_id_of(NODE))
    await yard.take(RelayChanged(session_id=SESSION, relay=mine))
    assert SESSION in house.rooms
    for message in (
        ErrorMessage(code=Code.RATE_LIMITED, message="m", correlation_id="c"),
        PeerCandidate(to="a.tab00001", link="link0001", candidates=(IceCandidate(candidate=""),)),
    ):
        await yard.take(message)
    await yard.take(RelayChanged(session_id=SESSION, relay=RelayState(status=RelayStatus.NONE, generation=2)))
    assert house.rooms == {}
    cyd = await yard.site.enter("cyd")
    await yard.take(SessionEnded(session_id=SESSION))
    assert cyd.ended == "removed"


async def test_a_heartbeat_says_what_the_node_carries() -> None:
    """And that the task is not to be chosen when there are to be fewer."""
    yard = Yard()
    await yard.site.enter("ada")
    await yard.node.beat()
    (beat,) = yard.rows.beats
    assert (beat.node_id, beat.load, beat.rooms, beat.port, beat.status) == (NODE, 1, 1, 4000, NodeStatus.SERVING)


async def test_an_idle_node_ends_unless_it_was_given_a_room_meanwhile() -> None:
    """It takes itself out of service first, and looks then."""
    yard = Yard(idle_s=5)
    yard.site.time.at_ms += 6000
    yard.rows.given = (SESSION,)
    beating = asyncio.ensure_future(yard.node.beats())
    async with asyncio.timeout(20):
        while NodeStatus.DRAINING not in [beat.status for beat in yard.rows.beats]:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
        assert not beating.done()
        yard.rows.given = ()
        yard.site.time.at_ms += 6000
        await beating
    assert yard.rows.beats[-1].status is NodeStatus.DRAINING


async def test_a_node_that_works_at_a_recording_is_not_idle() -> None:
    """It was told of it; a process of its own has it, which would end with the node."""
    yard = Yard(idle_s=5)
    yard.node.take(VoiceMix(session_id=SESSION, recording_id="rec_" + "a" * 20))
    assert yard.workshop.asked == [(SESSION, "rec_" + "a" * 20)]
    yard.site.time.at_ms += 6000
    beating = asyncio.ensure_future(yard.node.beats())
    async with asyncio.timeout(20):
        while not yard.rows.beats:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
        assert yard.rows.beats[-1].status is NodeStatus.SERVING
        yard.workshop.busy = False
        yard.site.time.at_ms += 6000
        await beating


async def test_a_room_that_nobody_comes_to_keeps_no_node_for_ever() -> None:
    """Whoever left it last was not seen to leave: nobody takes it back."""
    yard = Yard(idle_s=5)
    yard.rows.given = (SESSION,)
    beating = asyncio.ensure_future(yard.node.beats())
    async with asyncio.timeout(20):
        while not beating.done():
            yard.site.time.at_ms += 100
            await asyncio.sleep(0.01)
    drained = [beat for beat in yard.rows.beats if beat.status is NodeStatus.DRAINING]
    assert len(drained) == 2


async def test_a_node_that_is_cut_off_from_the_functions_is_not_in_service() -> None:
    """It beats all the same, so it would be given rooms that nobody could come to; once it is back, it serves."""
    yard = Yard()
    beating = asyncio.ensure_future(yard.node.beats())
    told = []
    async with asyncio.timeout(20):
        for connected, passed_ms in ((False, 5000), (False, 6000), (True, 0)):
            yard.signalling.connected = connected
            yard.site.time.at_ms += passed_ms
            count = len(yard.rows.beats)
            while len(yard.rows.beats) == count:  # noqa: ASYNC110 - real time
                await asyncio.sleep(0.05)
            told.append(yard.rows.beats[-1].status)
    beating.cancel()
    assert told == [NodeStatus.SERVING, NodeStatus.DRAINING, NodeStatus.SERVING]


async def test_a_database_that_is_away_does_not_end_a_node() -> None:
    """It beats again when it can; a task with rooms is protected meanwhile."""
    yard = Yard(idle_s=5)
    await yard.site.enter("ada")
    yard.site.time.at_ms += 10**7
    yard.site.registry.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    beating = asyncio.ensure_future(yard.node.beats())
    async with asyncio.timeout(20):
        while not yard.fleet.protected:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
        yard.site.registry.away = None
        while not yard.rows.beats:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
    assert not beating.done()
    beating.cancel()


async def test_a_node_that_counts_as_lost_lets_its_people_go() -> None:
    """Their edits would wait with it; a moment without the database is no reason."""
    yard = Yard()
    link = await yard.site.enter("ada")
    beating = asyncio.ensure_future(yard.node.beats())
    async with asyncio.timeout(20):
        while not yard.rows.beats:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
        yard.site.registry.away = AppError(Code.UPSTREAM_UNAVAILABLE)
        known = yard.rows.tried
        while yard.rows.tried == known:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
        assert yard.site.house.peers == 1
        yard.site.time.at_ms += limits.NODE_LOST_S * 1000 + 1
        while link.open:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
    assert (link.ended, yard.site.house.rooms) == ("lost", {})
    beating.cancel()


@pytest.mark.parametrize("connected", [True, False])
async def test_a_node_that_drains_gives_everything_back(connected: bool) -> None:
    """Whether or not it can say so: rooms, peers, documents, and last its own row."""
    yard = Yard()
    link = await yard.site.enter("ada")
    yard.signalling.connected = connected
    draining = asyncio.ensure_future(yard.node.drain())
    await yard.site.time.rest()
    assert yard.rows.beats[-1].status is NodeStatus.DRAINING
    if connected:
        gone, bye = yard.signalling.sent
        assert isinstance(gone, NodeGone)
        assert isinstance(bye, PeerBye)
        assert (gone.sessions, bye.to, bye.reason) == ((), person("ada").peer_id, "draining")
    yard.site.leave("ada", "left")
    await draining
    assert link.ended == "left"
    assert (yard.drainer.retired, yard.rows.forgotten) == (True, [NODE])


async def test_a_node_without_a_database_drains_all_the_same() -> None:
    """Its row ends by itself."""
    yard = Yard()
    yard.site.registry.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    await yard.node.drain()
    assert yard.drainer.retired
    assert limits.DRAIN_S > 4


async def test_what_it_holds_is_reported_to_its_log(caplog: pytest.LogCaptureFixture) -> None:
    """Rooms, links and what is kept beside them; tasks, timers, descriptors, memory: what a soak watches."""
    yard = Yard()
    await yard.site.enter("ada")
    yard.node.report(collect=True)
    said = vars(caplog.records[-1])
    assert (said["message"], said["rooms"], said["peers"], said["documents"]) == ("node.stats", 1, 1, 1)
    assert min(said[name] for name in ("kept", "tasks", "objects", "descriptors", "memory_bytes")) > 0
