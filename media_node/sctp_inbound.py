"""What an association receives: TSNs, reassembly, order, acknowledgements (RFC 9260 section 6, RFC 3758 section 3.6). Pure.

Everything held is bounded by WINDOW_BYTES, each fragment counted with what keeping it costs, so a peer that never ends a
message or leaves gaps open fills its own association and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from media_node.sctp_chunks import BEGIN, END, HALF, IMMEDIATE, M32, UNORDERED, WHOLE, sack_chunk

WINDOW_BYTES: Final = 256 * 1024
SACK_DELAY_S: Final = 0.1
"""RFC 9260 section 6.2 allows 0.5; ours mostly ride on data that goes out anyway, every RELAY_HZ-th of a second."""
_AHEAD_MAX: Final = 512  # TSNs beyond a gap: twice the window in packets; all are looked at for each acknowledgement
_HELD_EACH: Final = 48
_GAPS_MAX: Final = 64
_DUPLICATES_MAX: Final = 16
_STREAMS_MAX: Final = 1024

Deliver = Callable[[int, int, bytes], None]
"""Stream, payload protocol (RFC 8831 section 8), message."""


@dataclass(slots=True)
class _Stream:
    next: int = 0
    waiting: dict[int, tuple[int, bytes]] = field(default_factory=dict)


class Inbound:
    """The receiving half. `overflowed`: the peer sent more than was ever allowed; the association is to end."""

    __slots__ = (
        "_ahead",
        "_deliver",
        "_duplicates",
        "_held",
        "_news",
        "_parts",
        "_streams",
        "_unacked",
        "cumulative",
        "overflowed",
        "sack_at",
    )

    def __init__(self, first_tsn: int, deliver: Deliver) -> None:
        self.cumulative = (first_tsn - 1) & M32
        self.overflowed = False
        self.sack_at: float | None = None
        """When an acknowledgement is due; 0: at once."""
        self._deliver = deliver
        self._held = 0
        self._unacked = 0
        self._news = False
        self._ahead: set[int] = set()
        self._duplicates: list[int] = []
        self._parts: dict[int, tuple[int, int, int, int, bytes]] = {}
        self._streams: dict[int, _Stream] = {}

    def data(self, flags: int, tsn: int, stream: int, sequence: int, protocol: int, payload: bytes) -> None:
        """Takes a DATA chunk."""
        ahead = (tsn - self.cumulative) & M32
        if ahead == 0 or ahead >= HALF or tsn in self._ahead:
            self.sack_at = 0.0
            if len(self._duplicates) < _DUPLICATES_MAX:
                self._duplicates.append(tsn)
            return
        if self._held > WINDOW_BYTES or ahead > _AHEAD_MAX:
            self.sack_at = 0.0
            if ahead != 1:
                return  # it comes again once there is room
            self.overflowed = self.overflowed or self._held > 2 * WINDOW_BYTES
        if ahead == 1:
            self.cumulative = tsn
            self._news = True
            if self._ahead or flags & IMMEDIATE:
                self._catch_up()
                self.sack_at = 0.0
        else:
            self._ahead.add(tsn)
            self.sack_at = 0.0
        if stream >= _STREAMS_MAX:
            return
        if flags & WHOLE == WHOLE:
            self._message(flags, stream, sequence, protocol, payload)
        else:
            self._parts[tsn] = (flags, stream, sequence, protocol, payload)
            self._held += len(payload) + _HELD_EACH
            self._assemble(tsn)

    def packet(self, now: float) -> None:
        """A packet is over: every second one with data is acknowledged at once (RFC 9260 section 6.2)."""
        if self._news:
            self._news = False
            self._unacked += 1
            if self._unacked > 1:
                self.sack_at = 0.0
            elif self.sack_at is None:
                self.sack_at = now + SACK_DELAY_S

    def forward(self, cumulative: int, skipped: list[tuple[int, int]]) -> None:
        """The peer gave up everything up to a TSN. One that is late still says which parts wait in vain."""
        self.sack_at = 0.0
        if 0 < (cumulative - self.cumulative) & M32 < HALF:
            self.cumulative = cumulative
            self._ahead = {tsn for tsn in self._ahead if 0 < (tsn - cumulative) & M32 < HALF}
            self._catch_up()
        self._forget_parts(cumulative)
        for stream, sequence in skipped:
            if stream < _STREAMS_MAX:
                self._skip(stream, sequence)

    def reset(self, streams: tuple[int, ...]) -> None:
        """The peer's sequence numbers of these streams begin anew; of all where none is named (RFC 6525 section 5.2.2)."""
        for stream in streams or tuple(self._streams):
            gone = self._streams.pop(stream, None)
            for _, payload in gone.waiting.values() if gone else ():
                self._held -= len(payload) + _HELD_EACH

    def sack(self) -> bytes:
        """The acknowledgement of everything so far."""
        gaps: list[tuple[int, int]] = []
        for ahead in sorted((tsn - self.cumulative) & M32 for tsn in self._ahead):
            if gaps and ahead == gaps[-1][1] + 1:
                gaps[-1] = (gaps[-1][0], ahead)
            elif len(gaps) == _GAPS_MAX:
                break
            else:
                gaps.append((ahead, ahead))
        made = sack_chunk(self.cumulative, max(0, WINDOW_BYTES - self._held), gaps, self._duplicates)
        self.sack_at = None
        self._unacked = 0
        self._duplicates.clear()
        return made

    def _catch_up(self) -> None:
        following = (self.cumulative + 1) & M32
        while following in self._ahead:
            self._ahead.remove(following)
            self.cumulative = following
            following = (following + 1) & M32

    def _assemble(self, tsn: int) -> None:
        """Joins the message that a fragment belongs to, if it is all there: fragments have consecutive TSNs."""
        parts = self._parts
        stream = parts[tsn][1]
        last = tsn  # the end first: what arrives in order is looked at once, not once a fragment
        while not parts[last][0] & END:
            last = (last + 1) & M32
            if last not in parts or parts[last][1] != stream or parts[last][0] & BEGIN:
                return
        first = tsn
        while not parts[first][0] & BEGIN:
            first = (first - 1) & M32
            if first not in parts or parts[first][1] != stream or parts[first][0] & END:
                return
        flags, stream, sequence, protocol, _ = parts[first]
        payloads = [parts.pop((first + index) & M32)[4] for index in range(((last - first) & M32) + 1)]
        message = b"".join(payloads)
        self._held -= len(message) + _HELD_EACH * len(payloads)
        self._message(flags, stream, sequence, protocol, message)

    def _message(self, flags: int, stream: int, sequence: int, protocol: int, message: bytes) -> None:
        if flags & UNORDERED:
            self._deliver(stream, protocol, message)
            return
        state = self._streams.get(stream)
        if state is None:
            state = self._streams[stream] = _Stream()
        if sequence == state.next:
            state.next = (sequence + 1) & 0xFFFF
            self._deliver(stream, protocol, message)
            if state.waiting:
                self._release(state, stream)
        elif (sequence - state.next) & 0xFFFF < 0x8000 and sequence not in state.waiting:
            state.waiting[sequence] = (protocol, message)
            self._held += len(message) + _HELD_EACH

    def _release(self, state: _Stream, stream: int) -> None:
        while (found := state.waiting.pop(state.next, None)) is not None:
            state.next = (state.next + 1) & 0xFFFF
            self._held -= len(found[1]) + _HELD_EACH
            self._deliver(stream, *found)

    def _skip(self, stream: int, sequence: int) -> None:
        """Everything up to a sequence number is delivered, as far as it is there, or missing for good."""
        state = self._streams.setdefault(stream, _Stream())
        if (sequence - state.next) & 0xFFFF >= 0x8000:
            return
        for late in sorted(state.waiting, key=lambda each: (each - state.next) & 0xFFFF):
            if (sequence - late) & 0xFFFF < 0x8000:
                found = state.waiting.pop(late)
                self._held -= len(found[1]) + _HELD_EACH
                self._deliver(stream, *found)
        state.next = (sequence + 1) & 0xFFFF
        self._release(state, stream)

    def _forget_parts(self, cumulative: int) -> None:
        """Drops fragments up to a TSN, but those of a message that goes on after it (RFC 3758 section 3.6)."""
        kept = cumulative
        while kept in self._parts and not self._parts[kept][0] & END:
            if self._parts[kept][0] & BEGIN:
                kept = (kept - 1) & M32
                break
            kept = (kept - 1) & M32
        else:
            kept = cumulative
        for tsn in [each for each in self._parts if (kept - each) & M32 < HALF]:
            self._held -= len(self._parts.pop(tsn)[4]) + _HELD_EACH
