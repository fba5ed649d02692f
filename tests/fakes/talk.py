"""What a node's voice is tested with: pages that speak and listen without a network, weather for their packets, a hall."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

import msgspec

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Role, Vec3
from chalicelib.wire.voice import VoiceChannel, VoicePerson, VoicePrefer, VoiceSlots, VoiceSpeaking, VoiceState
from media_node.ports import Audio
from media_node.room import Room
from media_node.rtp import Rtp, build, parse
from media_node.tap import Tap
from tests.fakes.relay import SESSION, FakeCarrying, FakeLink, person, state_at, update

PAYLOAD_TYPE: Final = 111
LEVEL_ID: Final = 1
FRAME: Final = 960


def audio(number: int, slots: int = 4, *, sends: bool = True, nack: bool = True) -> Audio:
    """What was agreed on with the page of a number."""
    ssrcs = tuple(1000 * number + slot for slot in range(slots))
    return Audio(payload_type=PAYLOAD_TYPE, level_id=LEVEL_ID, slots=ssrcs, sends=sends, nack=nack)


def goodbye(*ssrcs: int) -> bytes:
    """A BYE (RFC 3550 section 6.6)."""
    return bytes((0x80 | len(ssrcs), 203, 0, len(ssrcs))) + b"".join(ssrc.to_bytes(4) for ssrc in ssrcs)


class Mouth:
    """A page's encoder: numbered packets, 20 ms apart. The payload says whose it is and its number."""

    def __init__(self, name: str, ssrc: int = 77, sequence: int = 65_500, timestamp: int = 2**32 - 5000) -> None:
        self.name, self.ssrc, self.sequence, self.timestamp = name, ssrc, sequence, timestamp
        self.said = 0

    def say(self, level: int | None = 25, *, size: int = 60, payload_type: int = PAYLOAD_TYPE) -> bytes:
        """The next packet."""
        text = f"{self.name} {self.said} ".encode()
        said = None if level is None else (LEVEL_ID, level)
        packet = build(payload_type, self.sequence, self.timestamp, self.ssrc, text.ljust(size, b"."), level=said)
        self.skip()
        return packet

    def skip(self, frames: int = 1) -> None:
        """Packets that are lost on their way."""
        self.said += frames
        self.sequence = (self.sequence + frames) & 0xFFFF
        self.timestamp = (self.timestamp + FRAME * frames) & 0xFFFFFFFF


def weather(
    packets: Iterable[tuple[float, bytes]], chance: Random, *, loss: float = 0.0, jitter_s: float = 0.0
) -> list[tuple[float, bytes]]:
    """When each packet that is not lost comes; jitter above 20 ms overtakes."""
    came = [(at + chance.uniform(0, jitter_s), data) for at, data in packets if chance.random() >= loss]
    return sorted(came, key=lambda each: each[0])


@dataclass
class FakeVoices:
    """The rules of rooms, as they would be read; away where it is told so."""

    rules_of: dict[str, VoiceRules] = field(default_factory=dict)
    away: AppError | None = None
    reads: int = 0

    async def rules(self, session_id: str) -> VoiceRules:
        """Of a room."""
        self.reads += 1
        if self.away:
            raise self.away
        return self.rules_of.get(session_id, VoiceRules())


@dataclass
class FakeTap:
    """What would be written."""

    followed: list[VoiceState] = field(default_factory=list)
    packets: list[tuple[str, str, str, str, Rtp]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def follow(self, _session_id: str, state: VoiceState) -> None:
        """Notes it."""
        self.followed.append(state)

    def heard(self, session_id: str, peer_id: str, user_id: str, channel_id: str, packet: Rtp) -> None:
        """Notes it."""
        self.packets.append((session_id, peer_id, user_id, channel_id, packet))

    def gone(self, session_id: str) -> None:
        """Notes it."""
        self.ended.append(session_id)


class Hall:
    """A room with people who speak and listen, and a clock."""

    def __init__(self, *names: str, tap: Tap | None = None) -> None:
        self.now = 100.0
        self.room = Room(SESSION, FakeCarrying(), now_ms=lambda: int(self.now * 1000), new_id=lambda: "c", tap=tap)
        self.voice = self.room.voice
        self.links: dict[str, FakeLink] = {}
        self.mouths: dict[str, Mouth] = {}
        self.people: dict[str, VoicePerson] = {}
        self.channels: dict[str, VoiceChannel] = {"main": MAIN}
        self.blocks: dict[str, frozenset[str]] = {}
        self.revision = 0
        self.tick_s = 0.05
        self._counter = 0
        self._ticked_at = self.now
        for name in names:
            self.enter(name)
        self.follow()

    def enter(self, name: str, role: Role = Role.EDITOR, *, joined: bool = True, slots: int = 4) -> FakeLink:
        """Somebody's link opens, with audio; they have joined voice, as far as the next `follow` is concerned."""
        who = person(name, role)
        link = FakeLink(who, f"link{len(self.links):04d}")
        link.audio = audio(len(self.mouths) + 1, slots)
        self.links[name], self.mouths[name] = link, Mouth(name)
        self.room.join(link, who)
        if joined:
            self.people[name] = VoicePerson(user_id=name, channel_id="main", peers=(who.peer_id,))
        return link

    def leave(self, name: str) -> None:
        """Their link ends."""
        self.room.leave(self.links.pop(name))
        del self.mouths[name]
        self.people.pop(name, None)

    def follow(self) -> None:
        """The room's voice is read."""
        self.revision += 1
        channels, people = tuple(self.channels.values()), tuple(self.people.values())
        self.voice.follow(VoiceRules(VoiceState(revision=self.revision, channels=channels, people=people), self.blocks))

    def change(self, name: str, **changes: object) -> None:
        """Something of a person is another, and read at once."""
        self.people[name] = msgspec.structs.replace(self.people[name], **changes)
        self.follow()

    def stand(self, name: str, place: Vec3) -> None:
        """Somebody goes there."""
        self._counter += 1
        self.room.presence(self.links[name], person(name).peer_id, update(self._counter, state_at(place)))

    def prefer(self, name: str, *silenced: str, slots: int = 4) -> None:
        """What somebody wants to hear."""
        message = msgspec.json.encode(VoicePrefer(slots=slots, silenced=silenced)).decode()
        self.room.control(self.links[name], person(name).peer_id, message)

    def pass_s(self, seconds: float, speaking: dict[str, int] | None = None, *, size: int = 60) -> None:
        """Time passes, and each of these says a packet each 20 ms, so loud."""
        for _ in range(round(seconds * 50)):
            for name, level in (speaking or {}).items():
                self.voice.media(self.links[name], self.mouths[name].say(level, size=size), self.now)
            self.pass_until(self.now + 0.02)

    def pass_until(self, now: float) -> None:
        """Time passes, with its ticks."""
        while now >= self._ticked_at + self.tick_s:
            self._ticked_at += self.tick_s
            self.voice.tick(self._ticked_at)
            while self.voice.waits:
                self.voice.choose()
        self.now = now

    def heard(self, name: str) -> list[Rtp]:
        """The RTP that somebody was sent since they were asked last."""
        media, self.links[name].media = self.links[name].media, []
        packets = [parse(data, None) for data in media if not 192 <= data[1] < 224]
        return [packet for packet in packets if packet is not None]

    def voices(self, name: str) -> set[str]:
        """Whom somebody was sent since they were asked last."""
        return {speaker_of(packet) for packet in self.heard(name)}

    def slots(self, name: str) -> list[str | None]:
        """Whom somebody was told to be in each slot."""
        told = self.links[name].of(VoiceSlots)
        peers = [slot.peer_id for slot in told[-1].slots] if told else []
        return [None if peer is None else peer.partition(".")[0] for peer in peers]

    def speakers(self, name: str) -> set[str]:
        """Whom somebody was told to be speaking."""
        told = self.links[name].of(VoiceSpeaking)
        return {peer.partition(".")[0] for peer in told[-1].peers} if told else set()


def speaker_of(packet: Rtp) -> str:
    """Whose voice a packet is, by its payload."""
    return packet.payload.partition(b" ")[0].decode()


def number_of(packet: Rtp) -> int:
    """Which packet of theirs."""
    return int(packet.payload.split(b" ")[1])
