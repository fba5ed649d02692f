"""Who speaks and who hears: packets at their moments, reports each second, what was lost asked for and given again."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from benchmarks.voices.heard import Heard
from benchmarks.voices.link import Link, now_s
from benchmarks.voices.marks import MARK_BYTES, mark, marked
from benchmarks.voices.meter import Meter
from benchmarks.voices.opus import RATE_HZ, Frame, comfort
from benchmarks.voices.sdp import PAYLOAD_TYPE
from media_node import rtcp
from media_node.rtcp import Nack, ReceiverReport, RtcpError, SenderReport
from media_node.rtp import HEADER_BYTES, build

SPEAK_S: Final = 0.02
QUIET_S: Final = 0.4
REPORT_S: Final = 1.0
_ASK_S: Final = 0.05
_RING: Final = 128
_BLOCKS_MAX: Final = 31


class Speaker:
    """One participant's microphone, by one link. `speaking` may be changed at any time."""

    def __init__(self, link: Link, number: int, frames: Sequence[Frame], meter: Meter, *, speaking: bool) -> None:
        self.link = link
        self.number = number
        self.speaking = speaking
        self.packets = self.octets = self.ticks = 0
        self._level_id = link.theirs.level_id if link.theirs else 0
        self._frames = frames
        self._comfort = comfort()
        self._meter = meter
        self._at = number * 37 % len(frames)
        self._sequence = number * 1009 & 0xFFFF
        self._count = 0
        self._was_speaking = False
        self._ring: dict[int, tuple[int, int, bytes]] = {}

    def speak(self) -> float:
        """Sends a packet; after how many seconds the next one is."""
        speaking = self.speaking
        frame = self._frames[self._at] if speaking else self._comfort
        self._at = (self._at + 1) % len(self._frames)
        self._count += 1
        self._sequence = (self._sequence + 1) & 0xFFFF
        packet = build(
            PAYLOAD_TYPE,
            self._sequence,
            self.ticks,
            self.link.ssrc,
            frame.payload + mark(self.number, self._count),
            level=(self._level_id, frame.level),
            marker=speaking and not self._was_speaking,
        )
        self._was_speaking = speaking
        self._meter.sends(self.number, self._count, now_s())
        protected = self.link.send_rtp(packet)
        self._ring[self._sequence % _RING] = (self._sequence, self._count, protected)
        self.packets += 1
        self.octets += len(packet) - HEADER_BYTES
        pause_s = SPEAK_S if speaking else QUIET_S
        self.ticks = (self.ticks + int(pause_s * RATE_HZ)) & 0xFFFFFFFF
        return pause_s

    def asked_again(self, sequences: Sequence[int]) -> None:
        """Somebody misses packets."""
        for sequence in sequences:
            kept = self._ring.get(sequence % _RING)
            if kept is not None and kept[0] == sequence:
                self._meter.sends_again(self.number, kept[1], now_s())
                self.link.send(kept[2])


class Ear:
    """What one participant hears, by one link. `mixed`: by a mixer, whose packets bear no marks."""

    def __init__(self, link: Link, meter: Meter, *, mixed: bool = False) -> None:
        self.link = link
        self.sources: dict[bytes, Heard] = {}
        self.on_mark: Callable[[int, int, float], None] | None = None
        self._meter = meter
        self._mixed = mixed

    def media(self, packet: bytes, now: float) -> None:
        """An RTP packet came."""
        whose = packet[8:12]
        source = self.sources.get(whose)
        if source is None:
            source = self.sources[whose] = Heard(int.from_bytes(whose, "big"))
        asked = source.take(int.from_bytes(packet[2:4], "big"), now)
        if self._mixed or len(packet) < HEADER_BYTES + MARK_BYTES:
            self._meter.comes_unmarked()
        else:
            sender, count = marked(packet)
            self._meter.comes(sender, count, now, asked=asked)
            if self.on_mark is not None:
                self.on_mark(sender, count, now)
        if source.missing:
            self.ask(source, now)

    def ask(self, source: Heard, now: float) -> None:
        """For what is missing of it, if it is time."""
        sequences = source.due(now)
        if sequences:
            self._meter.nacks += 1
            ssrc = self.link.ssrc
            report = rtcp.receiver_report(ReceiverReport(ssrc, (source.block(now),)))  # RFC 4585 section 3.1: first
            self.link.send_rtcp(report + rtcp.nack(ssrc, source.of, sequences))

    def reported(self, report: SenderReport, now: float) -> None:
        """A sender report came."""
        source = self.sources.get(report.ssrc.to_bytes(4, "big"))
        if source is not None:
            source.sender_reported(rtcp.middle(report.ntp), now)


class Connection:
    """A link with who speaks and who hears on it, either of which may be absent."""

    def __init__(self, link: Link, speaker: Speaker | None, ear: Ear | None) -> None:
        self.link = link
        self.speaker = speaker
        self.ear = ear
        if ear is not None:
            link.media = ear.media
        link.control = self._control

    def report(self, now: float) -> None:
        """One compound: what was sent, what was heard."""
        sources = self.ear.sources.values() if self.ear else ()
        blocks = tuple(source.block(now) for source in itertools.islice(sources, _BLOCKS_MAX))
        ssrc, speaker = self.link.ssrc, self.speaker
        if speaker is None:
            self.link.send_rtcp(rtcp.receiver_report(ReceiverReport(ssrc, blocks)))
            return
        ntp = rtcp.ntp_of(time.time())
        report = SenderReport(ssrc, ntp, speaker.ticks, speaker.packets, speaker.octets, blocks)
        self.link.send_rtcp(rtcp.sender_report(report))

    def ask(self, now: float) -> None:
        """What is still missing, once more."""
        if self.ear is not None:
            for source in self.ear.sources.values():
                if source.missing:
                    self.ear.ask(source, now)

    def _control(self, compound: bytes, now: float) -> None:
        try:
            items = rtcp.parse(compound)
        except RtcpError:
            return
        for item in items:
            if isinstance(item, Nack) and self.speaker is not None and item.ssrc == self.link.ssrc:
                self.speaker.asked_again(item.sequences)
            elif isinstance(item, SenderReport) and self.ear is not None:
                self.ear.reported(item, now)


class Pace:
    """Has everybody speak at their moments, which are spread, report each second, and ask for what is missing."""

    def __init__(self, connections: Sequence[Connection], seed: int) -> None:
        chance = Random(seed)
        self._loop = asyncio.get_running_loop()
        began = now_s()
        order = self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[float], float]]] = []
        for connection in connections:
            if connection.speaker is not None:
                speaker = connection.speaker
                first = began + chance.random() * (SPEAK_S if speaker.speaking else QUIET_S)
                self._due.append((first, next(order), _speaks(speaker)))
            self._due.append((began + chance.random() * REPORT_S, next(order), _reports(connection)))
            self._due.append((began + chance.random() * _ASK_S, next(order), _asks(connection)))
        heapq.heapify(self._due)
        self._timer: asyncio.Handle = self._loop.call_soon(self._act)

    def add(self, act: Callable[[float], float], after_s: float) -> None:
        """Something else to do from then on; it says after how many seconds again."""
        heapq.heappush(self._due, (now_s() + after_s, next(self._order), act))

    def stop(self) -> None:
        """No more."""
        self._timer.cancel()

    def _act(self) -> None:
        due = self._due
        now = now_s()
        while due[0][0] <= now:
            at, order, act = due[0]
            heapq.heapreplace(due, (at + act(now), order, act))
        self._timer = self._loop.call_later(max(0.0, due[0][0] - now_s()), self._act)


def _speaks(speaker: Speaker) -> Callable[[float], float]:
    return lambda _now: speaker.speak()


def _reports(connection: Connection) -> Callable[[float], float]:
    def act(now: float) -> float:
        connection.report(now)
        return REPORT_S

    return act


def _asks(connection: Connection) -> Callable[[float], float]:
    def act(now: float) -> float:
        connection.ask(now)
        return _ASK_S

    return act
