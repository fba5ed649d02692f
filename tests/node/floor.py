"""A house of a media node on a real port, with rules of voice that a test makes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chalicelib.peers.model import Relay
from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire.types import Role
from chalicelib.wire.voice import VoiceChannel, VoicePerson, VoiceState
from media_node.house import House
from media_node.transport import Transport
from tests.fakes.relay import SESSION, FakeCarrying, FakePosts, FakeRegistry, offered, person, row
from tests.fakes.talk import FakeVoices
from tests.node.peers import own_address

NODE = "node_" + "a" * 12


async def until(there: Callable[[], bool]) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(20):
        while not there():  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.01)


def in_voice(name: str, **changes: Any) -> VoicePerson:
    """Somebody with their page."""
    told = VoicePerson(user_id=name, channel_id="main", peers=(person(name).peer_id,))
    return msgspec.structs.replace(told, **changes)


class Floor:
    """A house on a real port, with rules that the test makes."""

    def __init__(self, *names: str) -> None:
        registry = FakeRegistry(relays={SESSION: Relay(SESSION, node_id=NODE, generation=1)})
        registry.rows = [row(name) for name in (names or ("ada", "bob", "cyd"))]
        self.voices = FakeVoices()
        self.later_ms = 0
        """By so much the house's time of day is ahead."""
        self.house = House(
            NODE,
            assignments=registry,
            reading=registry,
            post=FakePosts(),
            carrying=FakeCarrying(),
            voices=self.voices,
            now_ms=lambda: time.time_ns() // 1_000_000 + self.later_ms,
            new_id=lambda: "corr",
        )

    async def begin(self) -> Transport:
        """Listens, and ticks."""
        address = own_address()
        self.transport = await Transport.listen(
            host=address, port=0, public_address=address, events=self.house, capacity=10
        )
        self.house.transport = self.transport
        self._ticking = asyncio.ensure_future(self.house.rounds.run())
        return self.transport

    async def end(self) -> None:
        self._ticking.cancel()
        await self.transport.close()

    def rule(self, revision: int, **of_ada: Any) -> None:
        """Both are in voice; one of them as it is said here."""
        ada, bob = in_voice("ada"), in_voice("bob")
        self.set(revision, msgspec.structs.replace(ada, **of_ada), bob)

    def set(
        self,
        revision: int,
        *people: VoicePerson,
        channels: tuple[VoiceChannel, ...] = (MAIN,),
        blocks: dict[str, frozenset[str]] | None = None,
    ) -> None:
        """The room's voice is so, and the node is told that it is another one."""
        state = VoiceState(revision=revision, channels=channels, people=people)
        self.voices.rules_of = {SESSION: VoiceRules(state, blocks or {})}
        self.house.voice_changed(SESSION)

    async def known(self, revision: int) -> None:
        """Until the node has read it."""
        room = self.house.room(SESSION)
        assert room is not None
        await until(lambda: room.voice.rules.state.revision >= revision)

    async def answer(self, name: str, offer_sdp: str, role: Role = Role.EDITOR, link_id: str = "link0001") -> str:
        """To an offer of somebody's, as the functions hand it on."""
        return await self.house.offer(offered(person(name, role), NODE, link_id, offer_sdp))
