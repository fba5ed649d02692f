"""One page as it listens: its slots, the streams in them, what it misses and what it is reported. Pure but for `send`."""

from collections.abc import Callable, Iterable
from random import Random

from chalicelib.wire import limits
from media_node.ports import Audio
from media_node.rewrite import Budget, Line
from media_node.rtcp import Nack, SenderReport, ntp_of
from media_node.source import Bucket
from media_node.speaker import Speaker


class Listener:
    """See the module. `lines` are by slot, each for the life of the link: numbers never begin anew under an SSRC."""

    __slots__ = ("_by_ssrc", "_chance", "_nacks", "_send", "budget", "lines", "refused")

    def __init__(self, audio: Audio, send: Callable[[bytes], None], chance: Random, now: float) -> None:
        self.budget = Budget(len(audio.slots), now)
        self.lines: list[Line] = []
        self.refused = 0
        """What it asked for and was not sent: too much of it, or gone."""
        self._by_ssrc: dict[int, Line] = {}
        self._chance = chance
        self._send = send
        self.agree(audio)
        self._nacks = Bucket(limits.VOICE_NACKS_PER_S, limits.VOICE_NACKS_PER_S, now)

    def agree(self, audio: Audio) -> None:
        """So many slots, of this payload type, from now on. Nobody is in any at the moment."""
        self.budget.allow(len(audio.slots))
        for ssrc in audio.slots:
            if ssrc not in self._by_ssrc:
                self._by_ssrc[ssrc] = Line(ssrc, audio.payload_type, self._send, self.budget, self._chance)
        for line in self._by_ssrc.values():
            line.change(audio.payload_type)
        self.lines = [self._by_ssrc[ssrc] for ssrc in audio.slots]

    def resend(self, nack: Nack, now: float) -> None:
        """What it misses of a slot, under the numbers that it misses."""
        line = self._by_ssrc.get(nack.ssrc)
        wanted = nack.sequences[-limits.VOICE_RING_PACKETS :]  # nobody has more of them
        self.refused += len(nack.sequences) - len(wanted)
        for number, sequence in enumerate(wanted):
            if line is None or self.budget.tokens < 1 or not self._nacks.take(now):
                self.refused += len(wanted) - number
                return
            packet = line.again(sequence)
            if packet is None:
                self.refused += 1
            else:
                self.budget.tokens -= 1
                self._send(packet)

    def forget(self, speaker: Speaker) -> None:
        """Keeps nothing of somebody who has gone."""
        for line in self._by_ssrc.values():
            line.forget(speaker)

    def reports(self, speakers: Iterable[Speaker | None], now: float, wall_s: float) -> list[SenderReport]:
        """By slot, of those that something went out in since the last time; `speakers` is who is in them."""
        made = []
        for line, speaker in zip(self.lines, speakers, strict=True):
            if speaker is None or line.stream is None or line.packets == line.reported:
                continue
            line.reported = line.packets
            timestamp = speaker.clock.timestamp(line.stream, now, wall_s) + line.timestamp_offset
            made.append(SenderReport(line.ssrc, ntp_of(wall_s), timestamp & 0xFFFFFFFF, line.packets, line.octets))
        return made
