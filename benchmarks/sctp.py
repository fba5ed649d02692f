"""A data channel's message by CPU: our association beside aiortc's, both without a network below.

In: a page's state of 200 bytes, unordered, and the acknowledgements that it brings about. Out: a frame of 900 bytes,
unordered and never sent again, of which the peer acknowledges every second one. Packets are made beforehand. Each is
run by turns, and the median is told: a machine that is busy with other things slows both.
"""

import asyncio
import time
from random import Random
from statistics import median
from typing import Final, cast

from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport

from benchmarks.report import Report
from media_node import sctp_chunks as wire
from media_node.channels import BINARY
from media_node.sctp import Association
from media_node.sctp_chunks import M32

MESSAGES: Final = 4000
REPEATS: Final = 9
STATE: Final = bytes(200)
FRAME: Final = bytes(900)
_UNORDERED: Final = wire.WHOLE | wire.UNORDERED
_TSN: Final = 1000
_TAG: Final = 7


def packets_in(tag: int) -> list[bytes]:
    """States of a page, from TSN `_TSN` on."""
    return [
        wire.seal(5000, 5000, tag, [wire.data_chunk(_UNORDERED, (_TSN + index) & M32, 1, 0, BINARY, STATE)])
        for index in range(MESSAGES)
    ]


def sacks(tag: int, first: int) -> list[bytes]:
    """Every second one of what was sent from TSN `first` on."""
    return [
        wire.seal(5000, 5000, tag, [wire.sack_chunk((first + index) & M32, 1 << 20, [], [])])
        for index in range(1, MESSAGES, 2)
    ]


class Ours:
    """An association that was opened by hand."""

    def __init__(self) -> None:
        self.got = 0
        self.one = Association(port=5000, peer_port=5000, deliver=self._take, chance=Random(1))
        self.one.receive(wire.seal(5000, 5000, 0, [wire.init_chunk(wire.INIT, _TAG, 1 << 20, _TSN)]), 0.0)
        self.one.flush(0.0)
        self.one.receive(wire.seal(5000, 5000, self.one._tag, [wire.chunk(wire.COOKIE_ECHO, 0, self.one._cookie)]), 0.0)
        self.one.flush(0.0)

    def _take(self, _: int, __: int, ___: bytes) -> None:
        self.got += 1

    async def inward(self) -> float:
        packets = packets_in(self.one._tag)
        began = time.process_time()
        for packet in packets:
            self.one.receive(packet, 0.0)
            self.one.flush(0.0)
        return time.process_time() - began

    async def outward(self) -> float:
        acknowledged = iter(sacks(self.one._tag, self.one._first_tsn))
        began = time.process_time()
        for index in range(MESSAGES):
            self.one.send(1, BINARY, FRAME, ordered=False, retransmits=0)
            self.one.flush(0.0)
            if index % 2:
                self.one.receive(next(acknowledged), 0.0)
                self.one.flush(0.0)
        return time.process_time() - began


class _NoDtls:
    state = "connected"
    _role = "server"

    def _register_data_receiver(self, _: object) -> None: ...

    async def _send_data(self, _: bytes) -> None: ...


class Aiortcs:
    """RTCSctpTransport, likewise."""

    def __init__(self) -> None:
        self.got = 0
        self.one = RTCSctpTransport(cast(RTCDtlsTransport, _NoDtls()))
        self.one._remote_port = 5000
        self.one._remote_verification_tag = _TAG
        self.one._last_received_tsn = _TSN - 1
        self.one._ssthresh = 1 << 20
        self.one._association_state = self.one.State.ESTABLISHED
        self.channel = RTCDataChannel(
            self.one, RTCDataChannelParameters(label="p", negotiated=True, id=1, ordered=False, maxRetransmits=0), False
        )
        self.channel.on("message", self._take)

    def _take(self, _: object) -> None:
        self.got += 1

    async def inward(self) -> float:
        packets = packets_in(self.one._local_verification_tag)
        began = time.process_time()
        for packet in packets:
            await self.one._handle_data(packet)
        return time.process_time() - began

    async def outward(self) -> float:
        acknowledged = iter(sacks(self.one._local_verification_tag, self.one._local_tsn))
        began = time.process_time()
        for index in range(MESSAGES):
            self.channel.send(FRAME)
            await asyncio.sleep(0)
            if index % 2:
                await self.one._handle_data(next(acknowledged))
        took = time.process_time() - began
        self.one._t3_cancel()
        return took


async def measure() -> dict[str, float]:
    """Microseconds a message, by whose and which way."""
    took: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        for whose, kind in (("ours", Ours), ("aiortc", Aiortcs)):
            for way in ("in", "out"):
                side = kind()
                seconds = await (side.inward() if way == "in" else side.outward())
                if way == "in" and side.got != MESSAGES:
                    raise RuntimeError(f"{whose} took {side.got} of {MESSAGES} messages")
                took.setdefault(f"{whose}_{way}", []).append(seconds / MESSAGES * 1e6)
    return {name: median(values) for name, values in took.items()}


def main() -> Report:
    """Both ways, both implementations."""
    report = Report("sctp")
    figures = asyncio.run(measure())
    for way in ("in", "out"):
        report.figure(f"message_{way}_us", figures[f"ours_{way}"], "us")
        report.figure(f"{way}_times_less_cpu_than_aiortc", figures[f"aiortc_{way}"] / figures[f"ours_{way}"], "times")
        report.peer("aiortc", f"message_{way}_us", figures[f"aiortc_{way}"], "us")
    return report
