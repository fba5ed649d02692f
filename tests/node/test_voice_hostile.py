"""A client that is against the others: it sends by its own keys whatever it likes, and gains nothing by it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from aiortc import RTCSessionDescription

from chalicelib.voice.model import MAIN
from chalicelib.wire import limits
from chalicelib.wire.types import Role
from chalicelib.wire.voice import Speakers, VoicePrefer
from media_node import rtcp
from media_node.link import PeerLink
from media_node.party import Party
from media_node.rewrite import Line
from media_node.rtp import Rtp, build, parse
from media_node.source import Stream
from media_node.srtp import Srtp
from tests.fakes.relay import SESSION, person
from tests.fakes.talk import goodbye
from tests.node.floor import Floor, in_voice, until
from tests.node.test_voice import Voice

SIDE = msgspec.structs.replace(MAIN, channel_id="vch_" + "s" * 12)
EDITORS = msgspec.structs.replace(MAIN, speakers=Speakers.EDITORS)
NAMED = msgspec.structs.replace(MAIN, speakers=Speakers.NAMED, speaker_ids=("cyd",))


CLIENTS: list["Client"] = []


class Client(Voice):
    """A page that says packets of its own making, and keeps what it hears as it came."""

    def __init__(self, name: str, slots: int = limits.VOICE_SLOTS) -> None:
        super().__init__(slots)
        CLIENTS.append(self)
        self.name, self.ssrc, self.said = name, sum(name.encode()), 0
        self.heard_of: list[Rtp] = []
        self.level_id = self.payload_type = 0

    async def enter(self, floor: Floor, role: Role = Role.EDITOR, link_id: str = "link0001") -> None:
        """Comes into the room."""
        answer = await floor.answer(self.name, await self.offer(), role, link_id)
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        await self.opened()
        await until(lambda: self._link(floor) is not None)
        audio = self._link(floor).audio
        self.level_id, self.payload_type = audio.level_id, audio.payload_type
        self.transport._handle_rtp_data = self._note  # type: ignore[method-assign]

    def _link(self, floor: Floor) -> Any:
        room = floor.house.room(SESSION)
        links = [member.link for member in room or () if member.person.user_id == self.name]
        return links[0] if links else None

    async def _note(self, data: bytes, arrival_time_ms: int) -> None:
        read = parse(data, None)
        if read is not None:
            self.heard_of.append(read)

    async def say(self, level: int = 0, *, ssrc: int | None = None, size: int = 60) -> None:
        """The next packet; a shout unless it says another level."""
        self.said += 1
        payload = f"{self.name} {self.said} ".encode().ljust(size, b".")
        await self.transport._send_rtp(
            build(
                self.payload_type,
                self.said,
                960 * self.said,
                self.ssrc if ssrc is None else ssrc,
                payload,
                level=(self.level_id, level),
            )
        )

    def voices(self) -> set[str]:
        """Whom it has heard since it was asked last."""
        heard, self.heard_of = self.heard_of, []
        return {packet.payload.partition(b" ")[0].decode() for packet in heard}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    made = Floor()
    await made.begin()
    yield made
    await asyncio.gather(*(client.close() for client in CLIENTS))
    CLIENTS.clear()
    await made.end()


async def entered(floor: Floor, *names: str, roles: dict[str, Role] | None = None) -> list[Client]:
    clients = [Client(name) for name in names]
    for client in clients:
        await client.enter(floor, (roles or {}).get(client.name, Role.EDITOR))
    return clients


async def talk(listener: Client, *speakers: Client, until_heard: str, packets: int = 15) -> set[str]:
    """These speak at the pace of speech until so much was heard of one; whom else the listener heard."""

    def heard() -> int:
        return sum(packet.payload.startswith(until_heard.encode()) for packet in listener.heard_of)

    listener.voices()
    async with asyncio.timeout(20):
        while heard() < packets:
            for speaker in speakers:
                await speaker.say(0 if speaker.name != until_heard else 30)
            await asyncio.sleep(limits.VOICE_FRAME_MS / 1000)
    return listener.voices()


CASES: dict[str, Callable[[Floor, int], None]] = {
    "muted": lambda f, n: f.set(n, in_voice("ada", muted=True), in_voice("bob"), in_voice("cyd")),
    "muted by itself": lambda f, n: f.set(n, in_voice("ada", self_muted=True), in_voice("bob"), in_voice("cyd")),
    "not in voice": lambda f, n: f.set(n, in_voice("bob"), in_voice("cyd")),
    "in voice by another page": lambda f, n: f.set(
        n, in_voice("ada", peers=("ada.tab00009",)), in_voice("bob"), in_voice("cyd")
    ),
    "in another channel": lambda f, n: f.set(
        n, in_voice("ada", channel_id=SIDE.channel_id), in_voice("bob"), in_voice("cyd"), channels=(MAIN, SIDE)
    ),
    "a viewer among editors": lambda f, n: f.set(
        n, in_voice("ada"), in_voice("bob"), in_voice("cyd"), channels=(EDITORS,)
    ),
    "not named": lambda f, n: f.set(n, in_voice("ada"), in_voice("bob"), in_voice("cyd"), channels=(NAMED,)),
    "blocked": lambda f, n: f.set(
        n, in_voice("ada"), in_voice("bob"), in_voice("cyd"), blocks={"bob": frozenset({"ada"})}
    ),
    "who blocks the listener": lambda f, n: f.set(
        n, in_voice("ada"), in_voice("bob"), in_voice("cyd"), blocks={"ada": frozenset({"bob"})}
    ),
}


async def test_whoever_may_not_be_heard_is_not_whatever_they_send(floor: Floor) -> None:
    """Authentic packets of a shout, by their own keys; between the cases they may speak, and are heard."""
    ada, bob, cyd = await entered(floor, "ada", "bob", "cyd", roles={"ada": Role.VIEWER})
    heard = {}
    for number, (case, rule) in enumerate(CASES.items()):
        floor.set(3 * number + 1, in_voice("ada"), in_voice("bob"), in_voice("cyd"))
        await floor.known(3 * number + 1)
        await talk(bob, ada, until_heard="ada")
        rule(floor, 3 * number + 2)
        await floor.known(3 * number + 2)
        await talk(bob, cyd, until_heard="cyd", packets=1)  # what was under way is over
        heard[case] = await talk(bob, ada, cyd, until_heard="cyd")
    assert heard == {case: {"cyd"} for case in CASES}


async def test_whoever_is_taken_out_of_voice_hears_nothing_more(floor: Floor) -> None:
    """Their link is there all the same; one who is put out of the room has none."""
    ada, bob, cyd = await entered(floor, "ada", "bob", "cyd")
    floor.set(1, in_voice("ada"), in_voice("bob"), in_voice("cyd"))
    await floor.known(1)
    assert await talk(ada, cyd, until_heard="cyd") == {"cyd"}
    assert await talk(bob, cyd, until_heard="cyd") == {"cyd"}
    floor.set(2, in_voice("bob"), in_voice("cyd"))
    await floor.known(2)
    await talk(bob, cyd, until_heard="cyd", packets=3)
    ada.voices()
    await talk(bob, cyd, until_heard="cyd")
    assert ada.voices() == set()
    floor.house.remove(SESSION, "bob")
    bob.voices()
    before = floor.transport.stats()
    for _ in range(20):
        await cyd.say()
    await until(lambda: floor.transport.stats().rtp_in >= before.rtp_in + 20)
    assert floor.transport.stats().rtp_out == before.rtp_out
    assert bob.voices() == set()


async def test_a_role_that_is_lowered_counts_for_the_next_packet(floor: Floor) -> None:
    """A channel for editors."""
    ada, bob, cyd = await entered(floor, "ada", "bob", "cyd")
    floor.set(1, in_voice("ada"), in_voice("bob"), in_voice("cyd"), channels=(EDITORS,))
    await floor.known(1)
    assert "ada" in await talk(bob, ada, cyd, until_heard="ada")
    floor.house.change_role(SESSION, "ada", Role.VIEWER)
    await talk(bob, cyd, until_heard="cyd", packets=1)
    assert await talk(bob, ada, cyd, until_heard="cyd") == {"cyd"}


async def test_by_anothers_ssrc_one_speaks_in_ones_own_name(floor: Floor) -> None:
    """The other's stream goes on as it did, in its own slot, without a gap."""
    ada, bob, cyd = await entered(floor, "ada", "bob", "cyd")
    floor.set(1, in_voice("ada"), in_voice("bob"), in_voice("cyd"))
    await floor.known(1)
    ada.ssrc = cyd.ssrc
    await talk(bob, ada, cyd, until_heard="cyd", packets=3)
    async with asyncio.timeout(20):
        while sum(packet.payload.startswith(b"cyd") for packet in bob.heard_of) < 15:
            await ada.say()
            await cyd.say(30)
            await asyncio.sleep(limits.VOICE_FRAME_MS / 1000)
    told = [msgspec.json.decode(text) for text in bob.got["control"]]
    slots = {each["peer_id"]: each["slot"] for each in [m for m in told if m["type"] == "voice.slots"][-1]["slots"]}
    of = {name: {p.ssrc for p in bob.heard_of if p.payload.startswith(name.encode())} for name in ("ada", "cyd")}
    assert len(of["ada"]) == len(of["cyd"]) == 1
    assert of["ada"] != of["cyd"]
    assert {person("ada").peer_id, person("cyd").peer_id} <= slots.keys()
    numbers = [packet.sequence for packet in bob.heard_of if packet.payload.startswith(b"cyd")]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]


async def test_a_storm_of_control_costs_only_who_makes_it(floor: Floor) -> None:
    """Requests for all that ever was, pictures, names and goodbyes without end: the others speak on meanwhile."""
    ada, bob, cyd = await entered(floor, "ada", "bob", "cyd")
    floor.set(1, in_voice("ada"), in_voice("bob"), in_voice("cyd"))
    await floor.known(1)
    await talk(ada, cyd, until_heard="cyd")
    slot = ada._link(floor).audio.slots[0]
    everything = bytearray(rtcp.nack(1, slot, range(0, 0x10000, 17))[:12])
    for first in range(0, 0x10000, 17):
        everything += first.to_bytes(2) + b"\xff\xff"
    storm = [
        bytes((0x81, 205)) + (2 + 300).to_bytes(2) + everything[4 : 12 + 4 * 300],
        bytes((0x81, 206, 0, 2)) + bytes(8),
        rtcp.description([(number, "x" * 250) for number in range(4)]),
        goodbye(*range(31)),
        b"".join([goodbye(1)] * 64),
    ]
    before = floor.transport.stats()
    for number in range(600):
        await ada.transport._send_rtp(storm[number % len(storm)])
        if number % 40 == 0:
            await cyd.say(30)
    assert await talk(bob, cyd, until_heard="cyd") == {"cyd"}
    after = floor.transport.stats()
    resent = after.rtp_out - before.rtp_out - 2 * cyd.said
    assert resent <= 2 * limits.VOICE_NACKS_PER_S
    assert ada._link(floor) is not None


async def test_what_a_listener_wants_is_its_own_affair(floor: Floor) -> None:
    """No message names another page: who else is silenced is silenced for the sender alone."""
    ada, bob, cyd = await entered(floor, "ada", "bob", "cyd")
    floor.set(1, in_voice("ada"), in_voice("bob"), in_voice("cyd"))
    await floor.known(1)
    for sent in (
        msgspec.json.encode(VoicePrefer(silenced=("cyd",), slots=0)),
        b'{"type":"voice.prefer","silenced":["cyd"],"user_id":"bob","peer_id":"bob.tab00001"}',
        b'{"type":"voice.changed","session_id":"' + SESSION.encode() + b'","voice":null}',
        b'{"type":"voice.slots","slots":[]}',
        b'{"type":"voice.prefer","slots":99}',
    ):
        ada.control.send(sent.decode())
    await ada.until(lambda: sum('"error"' in str(each) for each in ada.got["control"]) >= 3)
    ada.voices()
    assert await talk(bob, cyd, until_heard="cyd", packets=30) == {"cyd"}
    assert ada.voices() == set()


async def test_a_hundred_who_come_speak_and_go_leave_nothing_behind(floor: Floor) -> None:
    """Real links: in the house, in the transport, and as objects."""
    (bob,) = await entered(floor, "bob")
    kinds = (PeerLink, Party, Line, Stream, Srtp)
    kept = floor.house.kept
    gc.collect()
    before = {kind: sum(isinstance(each, kind) for each in gc.get_objects()) for kind in kinds}
    for number in range(100):
        floor.set(number + 1, in_voice("ada"), in_voice("bob"))
        ada = Client("ada", slots=1)
        floor.later_ms += int(1000 / limits.OFFER_REFILL_PER_S)  # as often as a page may come
        await ada.enter(floor, link_id=f"link{number:04d}")
        await floor.known(number + 1)
        await talk(bob, ada, until_heard="ada", packets=3)
        await ada.close()
        CLIENTS.remove(ada)
        await until(lambda: floor.transport.stats().links == 1)
    gc.collect()
    after = {kind: sum(isinstance(each, kind) for each in gc.get_objects()) for kind in kinds}
    assert after == before
    assert floor.house.kept <= kept
