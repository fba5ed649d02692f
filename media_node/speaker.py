"""One page as it speaks: what of its packets passes and to whom, what it is asked for. Pure but for `send`.

Whose a packet is, is the link that it came by. Its SSRC only tells whether the page has begun a new stream; a page has
one at a time, so one that mixes several only cuts up its own voice. While its page may not speak, nothing is made of a
packet at all.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from chalicelib.wire import limits
from media_node import rtcp
from media_node.ports import Audio
from media_node.rewrite import Line, forward, forward_late
from media_node.rtcp import Block, ReceiverReport, SenderReport
from media_node.rtp import MARKER, Rtp, parse
from media_node.slots import Loudness
from media_node.source import BEGINS, STRAY, Bucket, Kept, Stream

_CLOCK_HZ: Final = 48_000
_FRAME: Final = _CLOCK_HZ * limits.VOICE_FRAME_MS // 1000
_DRIFT_S: Final = 0.0005
"""By so much at a time the sender's clock is believed to lag more than it did: a slow way there is not a slow clock."""


class Clock:
    """A sender's clock on the node's, by its sender reports: which RTP timestamp is now."""

    __slots__ = ("_at", "_behind_s", "_report")

    def __init__(self) -> None:
        self._report: SenderReport | None = None
        self._behind_s: float | None = None
        self._at = 0.0

    def take(self, report: SenderReport, now: float, wall_s: float) -> None:
        """A report came. The least that the wall clock was ever ahead of it is the difference of the two clocks."""
        behind = wall_s - rtcp.seconds_of(report.ntp)
        known = self._behind_s
        if known is None or behind < known or self._report is None or report.ssrc != self._report.ssrc:
            self._behind_s = behind
        else:
            self._behind_s = min(behind, known + _DRIFT_S)
        self._report, self._at = report, now

    def timestamp(self, stream: Stream, now: float, wall_s: float) -> int:
        """The stream's at this moment; by its newest packet, where it has told nothing."""
        report = self._report
        if report is None or self._behind_s is None or report.ssrc != stream.ssrc:
            return stream.timestamp + round((now - stream.at) * _CLOCK_HZ)
        passed = wall_s - self._behind_s - rtcp.seconds_of(report.ntp)
        return report.timestamp + round(passed * _CLOCK_HZ)

    def last(self, ssrc: int, now: float) -> tuple[int, int]:
        """LSR and DLSR of a receiver report (RFC 3550 section 6.4.1); zeros before the first."""
        if self._report is None or self._report.ssrc != ssrc:
            return 0, 0
        return rtcp.middle(self._report.ntp), round((now - self._at) * 65536)


class Speaker:
    """See the module. `ssrc` is who the node is in its feedback."""

    __slots__ = (
        "_bucket",
        "_send",
        "audio",
        "clock",
        "dropped",
        "lines",
        "loudness",
        "may_speak",
        "recorded",
        "ssrc",
        "stream",
        "waiting",
    )

    def __init__(self, audio: Audio, send: Callable[[bytes], None], ssrc: int, now: float) -> None:
        self.audio = audio
        self.may_speak = False
        self.recorded = False
        """What it says is written: what is missing of it is asked for, whether or not anybody hears it."""
        self.stream: Stream | None = None
        self.lines: list[Line] = []
        """Where its packets go."""
        self.waiting: list[Line] = []
        """Where they go from the next one on."""
        self.loudness = Loudness()
        self.clock = Clock()
        self.dropped = 0
        """Packets that it might not send, or too many."""
        self._send = send
        self.ssrc = ssrc
        self._bucket = Bucket(limits.VOICE_PACKETS_BURST, limits.VOICE_PACKETS_PER_S, now)

    def take(self, data: bytes, now: float) -> Rtp | None:
        """A packet of its link, as it was read, where it passed and was not there before."""
        if not self.may_speak or not self._bucket.take(now):
            self.dropped += 1
            self.interrupt()
            return None
        packet = parse(data, self.audio.level_id)
        if packet is None or packet.payload_type != self.audio.payload_type:
            self.dropped += 1
            return None
        stream = self.stream
        ahead = BEGINS if stream is None else stream.ahead(packet)
        if stream is None or ahead == BEGINS:
            self.interrupt()
            stream, ahead = Stream(self, packet, now), 1
            self.stream = stream
        kept = stream.take(packet, ahead, now) if ahead != STRAY else None
        if kept is None:
            return None
        self.loudness.hear(packet.level, len(packet.payload))
        if ahead > 0:
            self._newest(stream, kept, ahead, now)
        else:
            forward_late(self.lines, kept)
        return packet

    def interrupt(self) -> None:
        """Its stream ends; what comes next is another, and goes to the same listeners."""
        if self.stream is None:
            return
        self.stream = None
        for line in self.lines:
            line.end()
        self.waiting += self.lines
        self.lines = []

    def allow(self, *, may_speak: bool) -> None:
        """By the rules as they are now."""
        if self.may_speak and not may_speak:
            self.interrupt()
            self.loudness.silence()
        self.may_speak = may_speak

    def attach(self, line: Line) -> None:
        """A slot is this speaker's, from its next packet on."""
        self.waiting.append(line)

    def detach(self, line: Line) -> None:
        """And is not any more."""
        if line in self.waiting:
            self.waiting.remove(line)
        else:
            self.lines.remove(line)
            line.end()

    def catch_up(self, packets: int, now: float) -> None:
        """Where its packets go from the next one on, the last few go already: none older than so many of speech are."""
        stream, lines = self.stream, self.waiting
        if stream is None or not lines:
            return
        last = [stream.kept(sequence) for sequence in range(stream.newest - packets + 1, stream.newest + 1)]
        spoken = [kept for kept in last if kept and (stream.timestamp - kept.timestamp) & 0xFFFFFFFF < packets * _FRAME]
        self._start(stream, spoken[0], now)
        for kept in spoken[1:]:
            forward(lines, kept)

    @property
    def awaits(self) -> bool:
        """Whether something was asked for and did not come yet."""
        return self.stream is not None and self.stream.awaits

    def remind(self, now: float, rtt_s: float) -> None:
        """Asks once more for what was asked for and did not come."""
        if self.stream is not None:
            self._ask(self.stream, self.stream.overdue(now, rtt_s))

    def report(self, now: float) -> tuple[Block, ...]:
        """How it is received."""
        if self.stream is None:
            return ()
        return (self.stream.report(*self.clock.last(self.stream.ssrc, now)),)

    def _newest(self, stream: Stream, kept: Kept, ahead: int, now: float) -> None:
        forward(self.lines, kept)
        if ahead > 1 and self.audio.nack and (self.lines or self.recorded):
            self._ask(stream, stream.gap(ahead, now))
        if self.waiting:
            self._start(stream, kept, now)

    def _start(self, stream: Stream, kept: Kept, now: float) -> None:
        """The stream is in all slots that wait for it from this packet on."""
        lines, self.waiting = self.waiting, []
        for line in lines:
            line.begin(stream, kept.sequence, kept.timestamp, now)
        forward(lines, replace(kept, marker=MARKER))
        self.lines += lines

    def _ask(self, stream: Stream, missing: Sequence[int]) -> None:
        if missing:
            wanted = [sequence & 0xFFFF for sequence in missing]
            report = rtcp.receiver_report(ReceiverReport(self.ssrc))
            self._send(report + rtcp.nack(self.ssrc, stream.ssrc, wanted))
