"""What a packet of voice costs in a node's engine alone: no SRTP, no socket.

    python -m benchmarks.voice_engine [talkers] [speaking] [seconds]

Prints microseconds of CPU: of a packet in, of a packet out, and of a tick's work a second and page. Fifty talkers with
four slots each are 2,500 packets a second in, 10,000 out.
"""

import sys
import time
from random import Random
from typing import Final

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.types import Pose, PresenceState, Role
from chalicelib.wire.voice import VoicePerson, VoiceState
from media_node.member import Member
from media_node.model import Person
from media_node.ports import Audio
from media_node.rtp import build
from media_node.srtp import is_control
from media_node.tap import Deaf
from media_node.voice import Voice

_SESSION: Final = "ses_" + "b" * 20
_FRAME_S: Final = limits.VOICE_FRAME_MS / 1000
_PAYLOAD: Final = bytes(80)


class _Sink:
    """A link that only counts: packets of voice, and messages."""

    open = True
    rtt_ms: float | None = 20.0
    loss: float | None = None
    available_kbps: float | None = None
    presence_buffered = control_buffered = 0
    link_id = "link0001"

    def __init__(self, number: int) -> None:
        self.key = f"{_SESSION} user{number}.tab00001"
        self.audio = Audio(111, 1, tuple(10 * number + slot for slot in range(1, 5)), sends=True, nack=True)
        self.packets = 0
        self.told = 0

    def send_media(self, packet: bytes) -> None:
        self.packets += not is_control(packet)

    def send_media_control(self, packet: bytes) -> None:
        """Reports are not counted."""

    def send_control(self, data: str | bytes) -> None:
        self.told += 1

    def send_presence(self, data: bytes) -> None:
        """Nobody sends any."""

    def close(self, reason: str) -> None:
        """Nobody does."""


class _Room:
    """So many pages in one place, so many of whom speak."""

    def __init__(self, pages: int, speaking: int, chance: Random) -> None:
        self.chance = chance
        self.voice = Voice(_SESSION, Deaf(), wall_ms=lambda: 0, chance=chance)
        self.links = [_Sink(number) for number in range(1, pages + 1)]
        self.speaking = self.links[:speaking]
        self.members = [self._member(link) for link in self.links]
        people = tuple(
            VoicePerson(user_id=each.person.user_id, channel_id="main", peers=(each.person.peer_id,))
            for each in self.members
        )
        self.voice.follow(VoiceRules(VoiceState(revision=1, channels=(MAIN,), people=people)))

    def _member(self, link: _Sink) -> Member:
        peer_id = link.key.partition(" ")[2]
        place = (self.chance.uniform(-8, 8), 1.6, self.chance.uniform(-8, 8))
        state = PresenceState(pose=Pose(position=place, rotation=(0.0, 0.0, 0.0, 1.0)))
        person = Person(_SESSION, peer_id, peer_id.partition(".")[0], Role.EDITOR, f"c-{peer_id}")
        member = Member(link, person, 0, state=state)
        self.voice.join(member)
        return member

    def run(self, frames: int, first: int) -> tuple[float, float]:
        """CPU seconds of packets, and of ticks, over so many frames of each speaker's."""
        media, voice, packets_s, ticks_s = self.voice.media, self.voice, 0.0, 0.0
        for frame in range(first, first + frames):
            now = frame * _FRAME_S
            said = [
                (link, build(111, frame, frame * 960, number, _PAYLOAD, level=(1, 22 + self.chance.randrange(8))))
                for number, link in enumerate(self.speaking)
            ]
            began = time.process_time()
            for link, packet in said:
                media(link, packet, now)
            passed = time.process_time()
            packets_s += passed - began
            if frame % 5 in {0, 3}:
                voice.tick(now)
                while voice.waits:
                    voice.choose()
            ticks_s += time.process_time() - passed
        return packets_s, ticks_s


def main(pages: int = 50, speaking: int = 50, seconds: int = 20) -> None:
    """Prints the figures."""
    room, per_s = _Room(pages, speaking, Random(1)), round(1 / _FRAME_S)
    room.run(2 * per_s, 0)
    before = sum(link.packets for link in room.links)
    packets_s, ticks_s = room.run(seconds * per_s, 2 * per_s)
    sent = sum(link.packets for link in room.links) - before
    taken = seconds * per_s * speaking
    print(f"{pages} pages, {speaking} speak, {seconds} s: {taken} packets in, {sent} out")
    print(f"us_per_packet_in {packets_s / taken * 1e6:.2f} (with its way to {sent / taken:.1f} listeners)")
    print(f"us_per_packet_out {packets_s / sent * 1e6:.2f} (with its share of the way in)")
    print(f"us_tick_per_page_second {ticks_s / seconds / pages * 1e6:.1f}")
    print(f"share_of_a_core {(packets_s + ticks_s) / seconds:.4f}")
    print(f"told_per_page_second {sum(link.told for link in room.links) / (seconds + 2) / pages:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
