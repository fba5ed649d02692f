"""A house of a media node on a real port, with rules of voice that a test makes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chalicelib.peers.model import Relay
from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire.signals import Peer, PeerOffer
from chalicelib.wire.types import Role, UserKind
from chalicelib.wire.voice import VoicePerson, VoiceState
from media_node.house import House
from media_node.transport import Transport
from tests.fakes.relay import SESSION, FakeCarrying, FakePosts, FakeRegistry, person, row
from tests.fakes.talk import FakeVoices
from tests.node.peers import own_address

NODE = "node_" + "a" * 12


async def until(there: Callable[[], bool]) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(20):
        while not there():  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.01)


class Floor:
    """A house on a real port, with rules that the test makes."""

    def __init__(self) -> None:
        registry = FakeRegistry(relays={SESSION: Relay(SESSION, node_id=NODE, generation=1)})
        registry.rows = [row(name) for name in ("ada", "bob")]
        self.voices = FakeVoices()
        self.house = House(
            NODE,
            assignments=registry,
            reading=registry,
            post=FakePosts(),
            carrying=FakeCarrying(),
            voices=self.voices,
            now_ms=lambda: time.time_ns() // 1_000_000,
            new_id=lambda: "corr",
        )

    async def begin(self) -> Transport:
        """Listens, and ticks."""
        address = own_address()
        self.transport = await Transport.listen(
            host=address, port=0, public_address=address, events=self.house, capacity=10
        )
        self.house.transport = self.transport
        self._ticking = asyncio.ensure_future(self.house.ticks())
        return self.transport

    async def end(self) -> None:
        self._ticking.cancel()
        await self.transport.close()

    def rule(self, revision: int, **of_ada: Any) -> None:
        """Both are in voice; one of them as it is said here."""
        people = [
            VoicePerson(user_id=name, channel_id="main", peers=(person(name).peer_id,)) for name in ("ada", "bob")
        ]
        people[0] = msgspec.structs.replace(people[0], **of_ada)
        state = VoiceState(revision=revision, channels=(MAIN,), people=tuple(people))
        self.voices.rules_of = {SESSION: VoiceRules(state)}
        self.house.voice_changed(SESSION)

    async def known(self, revision: int) -> None:
        """Until the node has read it."""
        room = self.house.room(SESSION)
        assert room is not None
        await until(lambda: room.voice.rules.state.revision >= revision)

    async def answer(self, name: str, offer_sdp: str) -> str:
        """To an offer of somebody's, as the functions hand it on."""
        who = person(name)
        peer = Peer(
            peer_id=who.peer_id,
            user_id=name,
            name=name,
            color="#ffffff",
            role=Role.EDITOR,
            kind=UserKind.GUEST,
            joined_at_ms=1,
        )
        return await self.house.offer(
            PeerOffer(
                to=f"{NODE}.relay",
                link="link0001",
                sdp=offer_sdp,
                from_=who.peer_id,
                session_id=SESSION,
                peer=peer,
                connection_id=who.connection_id,
            )
        )
