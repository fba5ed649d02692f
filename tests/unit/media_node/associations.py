"""Two associations and a network between them, on a clock of their own: seeded loss, reordering and delay, no sleeps."""

import heapq
from dataclasses import dataclass, field
from random import Random

from media_node import sctp_chunks as wire
from media_node.sctp import Association, State
from media_node.sctp_chunks import SctpError
from media_node.sctp_inbound import WINDOW_BYTES, Inbound
from media_node.sctp_outbound import Outbound

Message = tuple[int, int, bytes]


class Opener(Association):
    """The active side, which a browser is: sends the INIT, and again until it is answered."""

    def __init__(self, chance: Random, got: list[Message], *, partial: bool = True) -> None:
        super().__init__(port=5000, peer_port=5000, deliver=lambda *message: got.append(message), chance=chance)
        self._partial = partial
        self._again = 0.0
        self._echo = b""
        self._handlers[wire.INIT_ACK] = self._init_ack
        self._handlers[wire.COOKIE_ACK] = self._cookie_ack

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.state is State.NEW and self._again <= now:
            self._again = now + 0.5
            if self._echo:
                self._replies = [wire.chunk(wire.COOKIE_ECHO, 0, self._echo)]
            else:
                init = wire.init_chunk(wire.INIT, self._tag, WINDOW_BYTES, self._first_tsn)
                if not self._partial:
                    init = wire.chunk(wire.INIT, 0, init[4:20])
                self._replies = [init]

    @property
    def deadline(self) -> float:
        return self._again if self.state is State.NEW else super().deadline

    def _init_ack(self, _: int, value: bytes, now: float) -> None:
        if self._echo:
            return
        tag, window, tsn, partial = wire.read_init(value)
        self._peer_tag = tag
        self._inbound = Inbound(tsn, self._deliver)
        self._outbound = Outbound(self._first_tsn, window, partial=partial)
        at = 16
        while value[at : at + 2] != b"\0\7":
            length = int.from_bytes(value[at + 2 : at + 4], "big")
            at += length + (-length & 3)
        self._echo = value[at + 4 : at + int.from_bytes(value[at + 2 : at + 4], "big")]
        self._again = 0.0
        self.tick(now)

    def _cookie_ack(self, _: int, __: bytes, now: float) -> None:
        if self.state is State.NEW:
            self.state = State.OPEN
            self._send_beat(now)


@dataclass
class Network:
    """Carries packets between `ends[0]`, who opens, and `ends[1]`."""

    seed: int
    loss: float = 0.0
    reorder: float = 0.0
    delay_s: float = 0.01
    partial: bool = True
    now: float = 100.0
    got: tuple[list[Message], list[Message]] = field(default_factory=lambda: ([], []))
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    drop: set[int] = field(default_factory=set)
    """Numbers of packets, as in `sent`, that do not arrive."""
    dark: bool = False

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self._flying: list[tuple[float, int, int, bytes]] = []
        opener = Opener(self.chance, self.got[0], partial=self.partial)
        self.node = Association(
            port=5000, peer_port=5000, deliver=lambda *message: self.got[1].append(message), chance=self.chance
        )
        self.opener: Association = opener
        self.ends: tuple[Association, Association] = (opener, self.node)

    def open(self) -> "Network":
        """Until both sides are open and have nothing to say."""
        self.run(lambda: all(each.state is State.OPEN and each.rtt_s is not None for each in self.ends))
        self.run_for(0.3)
        return self

    def run_for(self, seconds: float) -> None:
        """So much time passes."""
        end = self.now + seconds
        self.run(lambda: False, until=end)
        self.now = end

    def run(self, there: object, *, until: float | None = None, steps: int = 100_000) -> None:
        """Until something is so, a moment has come, or it is clear that it will never be."""
        assert callable(there)
        for _ in range(steps):
            self._flush()
            if there():
                return
            coming = min(self._flying[0][0] if self._flying else float("inf"), *(each.deadline for each in self.ends))
            if until is not None and coming > until:
                return
            assert coming < float("inf"), "nothing will ever happen again"
            self.now = max(self.now, coming)
            self._arrive()
            for each in self.ends:
                each.tick(self.now)
        raise AssertionError(f"it did not come to it (seed {self.seed})")

    def _flush(self) -> None:
        for index, end in enumerate(self.ends):
            for packet in end.flush(self.now):
                number = len(self.sent)
                self.sent.append((index, packet))
                if self.dark or number in self.drop or self.chance.random() < self.loss:
                    continue
                late = self.delay_s * (1 + 3 * self.chance.random()) if self.chance.random() < self.reorder else 0.0
                heapq.heappush(self._flying, (self.now + self.delay_s + late, number, 1 - index, packet))

    def _arrive(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, whose, packet = heapq.heappop(self._flying)
            try:
                self.ends[whose].receive(packet, self.now)
            except SctpError as broken:
                raise AssertionError(f"a packet of our own was refused: {broken}") from broken
