"""A room with a media node: real functions, a real node, native WebRTC clients. And what happens when the node dies."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import psutil
import pytest

from benchmarks.client import Api, PeerClient
from benchmarks.editor import scene_of
from benchmarks.relayed import RelayClient, Turned
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import (
    DocCommits,
    DocFetch,
    ErrorMessage,
    OpAck,
    OpCommitted,
    OpRejected,
    OpSubmit,
    Ping,
    Pong,
    PresenceUpdate,
)
from chalicelib.wire.operations import Create
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus
from chalicelib.wire.signals import PeerBye, RelayChanged
from chalicelib.wire.types import Held, Pose, PresenceState
from local.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def system() -> Iterator[Stack]:
    """A system of its own: its node is killed."""
    with Stack(settings={"NODE_MAX": "2"}) as running:
        yield running


@pytest.fixture
async def api(system: Stack) -> AsyncIterator[Api]:
    """A client of it."""
    async with Api(system.base_url) as made:
        yield made


class Party:
    """Some people in one room."""

    def __init__(self, session_id: str, peers: list[PeerClient]) -> None:
        self.session_id = session_id
        self.peers = peers
        self.told: list[list[RelayState]] = [[] for _ in peers]
        self.relayed: list[RelayClient] = []

    @property
    def scene(self) -> str:
        """The session's document."""
        return scene_of(self.session_id)

    async def relay(self) -> RelayState:
        """The room's media node, asked for by the first."""
        return await RelayClient(self.peers[0]).relay(RelayReason.UPLINK, timeout_s=40)

    async def connect(self, count: int) -> list[RelayClient]:
        """So many have channels to the node."""
        relay = await self.relay()
        self.relayed = [RelayClient(peer) for peer in self.peers[:count]]
        await asyncio.gather(*(relayed.connect(relay) for relayed in self.relayed))
        return self.relayed


@asynccontextmanager
async def party(api: Api, count: int) -> AsyncIterator[Party]:
    """So many enter a room; all go in the end."""
    owner = await api.guest("P0")
    session_id = (await api.create(owner, "Relay")).session_id
    people = [owner, *[await api.guest(f"P{number}") for number in range(1, count)]]
    async with contextlib.AsyncExitStack() as stack:
        peers = [
            await stack.enter_async_context(await api.enter(who, session_id, f"tab{number:05d}"))
            for number, who in enumerate(people)
        ]
        for number, who in enumerate(people):
            await api.offerable(who, session_id, f"tab{number:05d}")
        made = Party(session_id, peers)
        yield made
        for relayed in made.relayed:
            await relayed.close()


def standing(x_m: float) -> PresenceState:
    """Somebody who stands there."""
    return PresenceState(pose=Pose(position=(x_m, 1.6, 0.0), rotation=(0.0, 0.0, 0.0, 1.0)))


def submit(scene: str, seq: int, base: int, client: str = "ada00000") -> OpSubmit:
    """One transaction."""
    made = (Create(id=f"{client}.{seq}"),)
    return OpSubmit(id=f"r{seq}", document_id=scene, client=client, seq=seq, base=base, operations=made)


async def test_everybody_in_the_room_sees_everybody(api: Api) -> None:
    """By frames where there is a channel; who has the WebSocket alone is told by it."""
    async with party(api, 8) as room:
        relayed = await room.connect(7)
        for number, client in enumerate(relayed):
            client.update(standing(float(number)))
        names = {peer.peer_id for peer in room.peers[:7]}
        for client in relayed:
            await client.until(lambda client=client: names - set(client.states) == {client.peer.peer_id})  # type: ignore[misc]
        outsider = room.peers[7]
        await outsider.until(lambda: names <= set(outsider.states))
        _, seen = relayed[0].states[relayed[3].peer.peer_id]
        assert seen.pose is not None
        assert seen.pose.position == (3.0, 1.6, 0.0)


async def test_an_edit_by_a_channel_reaches_everybody_and_is_durable(api: Api) -> None:
    """Its author hears it among what everybody is told; who has the WebSocket alone gets one post."""
    async with party(api, 4) as room:
        relayed = await room.connect(3)
        outside: list[int] = []
        room.peers[3].on_message = lambda message, _size: (
            outside.extend(commit.revision for commit in message.commits) if isinstance(message, OpCommitted) else None
        )
        for seq in range(1, 4):
            relayed[0].send(submit(room.scene, seq, seq - 1))
            for client in relayed:
                await client.until(lambda c=client, seq=seq: any(m.head >= seq for m in c.of(OpCommitted)))  # type: ignore[misc]
        await room.peers[3].until(lambda: outside == [1, 2, 3])
        assert len(relayed[0].of(OpAck)) <= 1  # the first round of a holder acknowledges in any case
        relayed[1].send(DocFetch(document_id=room.scene, since=0))
        await relayed[1].until(lambda: bool(relayed[1].of(DocCommits)))
        assert [commit.seq for commit in relayed[1].of(DocCommits)[0].commits] == [1, 2, 3]


async def test_an_edit_by_the_websocket_reaches_the_channels(api: Api) -> None:
    """Whichever of them holds the document's lease."""
    async with party(api, 3) as room:
        relayed = await room.connect(2)
        relayed[0].send(submit(room.scene, 1, 0))
        await relayed[1].until(lambda: bool(relayed[1].of(OpCommitted)))
        acked = asyncio.ensure_future(room.peers[2].next(OpAck))
        await asyncio.sleep(0)
        await room.peers[2].send(submit(room.scene, 1, 1, client="cyd00000"))
        assert (await acked).operation.revision == 2
        await relayed[1].until(lambda: any(m.head == 2 for m in relayed[1].of(OpCommitted)))


async def test_what_a_channel_may_not_carry_is_refused(api: Api) -> None:
    """Another's document, another's name, messages of another carrier, and what is no message; nothing comes of them."""
    async with party(api, 2) as room, party(api, 1) as other:
        (client,) = await room.connect(1)
        stranger = other.peers[0].peer_id.partition(".")[0]
        client.send(submit(other.scene, 1, 0))
        client.send(msgspec.structs.replace(submit(room.scene, 2, 0), user_id=stranger))
        client.send(DocFetch(id="f", document_id=other.scene, since=0))
        client.send(PeerBye(id="b", to=client.node, link=client.link))
        client.send(PresenceUpdate(id="u", epoch=1, counter=1, state=standing(1.0)))
        client.say("no message")
        client.say('{"type":"op.submit","id":"n"}')
        client.send(Ping(id="p", at_ms=5))
        await client.until(
            lambda: bool(client.of(Pong)) and len(client.of(ErrorMessage)) + len(client.of(OpRejected)) == 7
        )
        assert {message.id: message.code for message in client.of(OpRejected)} == {
            "r1": Code.DOCUMENT_UNKNOWN,
            "r2": Code.IDENTITY_MISMATCH,
        }
        assert {message.id: message.code for message in client.of(ErrorMessage)} == {
            "f": Code.DOCUMENT_UNKNOWN,
            "b": Code.MESSAGE_UNKNOWN,
            "u": Code.MESSAGE_UNKNOWN,
            None: Code.BODY_MALFORMED,
            "n": Code.BODY_INVALID,
        }
        assert client.of(Pong)[0].at_ms == 5
        assert client.open
        for scene, one in ((room.scene, room.peers[1]), (other.scene, other.peers[0])):
            reading = asyncio.ensure_future(one.next(DocCommits))
            await asyncio.sleep(0)
            await one.send(DocFetch(document_id=scene, since=0))
            assert (await reading).head == 0


async def test_a_state_in_anothers_name_is_refused(api: Api) -> None:
    """Whose a state is, the link says; one that says otherwise is nobody's."""
    async with party(api, 2) as room:
        forger, seeing = await room.connect(2)
        named = PresenceUpdate(epoch=9, counter=9, state=standing(6.0), user_id=seeing.peer.peer_id.partition(".")[0])
        forger.state(named)
        await forger.until(lambda: bool(forger.of(ErrorMessage)))
        assert [message.code for message in forger.of(ErrorMessage)] == [Code.IDENTITY_MISMATCH]
        forger.state(PresenceUpdate(epoch=1, counter=1, state=standing(7.0)))
        await seeing.until(lambda: forger.peer.peer_id in seeing.states)
        order, state = seeing.states[forger.peer.peer_id]
        assert order == (1, 1)
        assert state.pose is not None
        assert state.pose.position[0] == 7.0
        assert seeing.peer.peer_id not in forger.states


async def test_a_stranger_to_the_node_is_turned_away(api: Api) -> None:
    """An offer for a room that has no relay goes nowhere."""
    async with party(api, 2) as room, party(api, 2) as other:
        relay = await room.relay()
        with pytest.raises((Turned, TimeoutError)):
            await RelayClient(other.peers[0]).connect(relay, 3)


async def test_a_guest_drags_nothing(api: Api) -> None:
    """What a role may not is taken out of the state; the rest is told."""
    owner, guest = await api.guest("Ada"), await api.guest("Eve")
    session = await api.create(owner, "Roles")
    async with await api.enter(owner, session.session_id, "tab00001") as one:
        await api.join(guest, session.session_id)
        await api.call("PUT", f"/sessions/{session.session_id}/participants/{guest.user_id}", owner, {"role": "viewer"})
        async with await api.enter(guest, session.session_id, "tab00002") as other:
            for who, tab_id in ((owner, "tab00001"), (guest, "tab00002")):
                await api.offerable(who, session.session_id, tab_id)
            relay = await RelayClient(one).relay(RelayReason.UPLINK)
            async with RelayClient(one) as seeing, RelayClient(other) as dragging:
                await seeing.connect(relay)
                await dragging.connect(relay)
                held = Held(id="a.1", position=(0.0, 0.0, 0.0), rotation=(0.0, 0.0, 0.0, 1.0), scale=(1.0, 1.0, 1.0))
                dragging.update(PresenceState(pose=standing(1.0).pose, drag=(held,)))
                await seeing.until(lambda: other.peer_id in seeing.states)
                assert seeing.states[other.peer_id][1].drag == ()


async def test_whoever_is_removed_loses_the_channel_at_once(api: Api) -> None:
    """Every carrier, not only the WebSocket."""
    owner, guest = await api.guest("Ada"), await api.guest("Eve")
    session = await api.create(owner, "Removal")
    async with (
        await api.enter(owner, session.session_id, "tab00001") as one,
        await api.enter(guest, session.session_id, "tab00002") as other,
    ):
        for who, tab_id in ((owner, "tab00001"), (guest, "tab00002")):
            await api.offerable(who, session.session_id, tab_id)
        relay = await RelayClient(one).relay(RelayReason.UPLINK)
        async with RelayClient(other) as leaving:
            await leaving.connect(relay)
            await api.call("DELETE", f"/sessions/{session.session_id}/participants/{guest.user_id}", owner)
            await leaving.until(lambda: not leaving.open, 5)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_room_whose_node_ends_gets_another(api: Api, system: Stack, number: signal.Signals) -> None:
    """Killed or told to go: the room is given to the node that comes instead, and nothing acknowledged is lost."""
    async with party(api, 3) as room:
        relayed = await room.connect(2)
        relayed[0].send(submit(room.scene, 1, 0))
        await relayed[1].until(lambda: any(m.head == 1 for m in relayed[1].of(OpCommitted)))
        before = await room.relay()
        changed: asyncio.Future[RelayState] = asyncio.get_running_loop().create_future()

        def hear(message: object, _size: int) -> None:
            told = isinstance(message, RelayChanged) and message.relay
            if told and told.status is RelayStatus.READY and told.peer_id != before.peer_id and not changed.done():
                changed.set_result(told)

        room.peers[2].on_message = hear
        for pid in system.pids()["media"]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                os.kill(pid, number)
        async with asyncio.timeout(30):
            after = await changed
        assert after.generation > before.generation
        again = RelayClient(room.peers[1])
        async with again:
            await again.connect(after)
            again.send(DocFetch(document_id=room.scene, since=0))
            await again.until(lambda: bool(again.of(DocCommits)))
            assert [commit.seq for commit in again.of(DocCommits)[0].commits] == [1]
            again.send(submit(room.scene, 1, 1, client="bob00000"))
            await again.until(lambda: any(m.head == 2 for m in again.of(OpCommitted)))


async def test_a_node_that_has_nothing_to_do_ends_and_the_next_room_starts_one() -> None:
    """From one to zero, and from zero to one, by the number that the service desires."""
    with Stack(workers=1, settings={"NODE_IDLE_S": "2"}) as small:
        async with Api(small.base_url) as api:
            async with asyncio.timeout(40):
                while small.pids().get("media"):  # noqa: ASYNC110 - real time
                    await asyncio.sleep(0.1)
            async with party(api, 2) as room:
                (client,) = await room.connect(1)
                client.update(standing(1.0))
                await room.peers[1].until(lambda: room.peers[0].peer_id in room.peers[1].states)
            assert len(small.pids()["media"]) == 1
