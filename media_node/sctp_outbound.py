"""What an association sends: queues, TSNs, sending again, giving up (RFC 9260 section 6, RFC 3758). Pure.

Messages wait whole, a queue a stream, served in turn, so a long message on one channel delays the other by one message at
most. TSNs are given as a message begins to go out. `sent` holds every TSN from the peer's cumulative acknowledgement on,
without a hole, so a gap block is an index into it.
"""

from collections import deque
from typing import Final

from media_node.sctp_chunks import (
    BEGIN,
    DATA_HEADER_BYTES,
    END,
    HALF,
    M32,
    PAYLOAD_BYTES,
    UNORDERED,
    SctpError,
    data_chunk,
    forward_chunk,
)
from media_node.sctp_congestion import Congestion, Losses

ERRORS_MAX: Final = 10  # RFC 9260 section 16: Association.Max.Retrans
_MISSES: Final = 3
_LIMITED_S: Final = 2.0
_SENT_MAX: Final = 2048
"""TSNs on from the first that is not acknowledged, or skipped: a peer that acknowledges all but one fills its own."""


class _Message:
    __slots__ = ("abandoned", "data", "ordered", "protocol", "retransmits", "sequence", "stream")

    def __init__(self, stream: int, protocol: int, data: bytes, *, ordered: bool, retransmits: int | None) -> None:
        self.stream = stream
        self.protocol = protocol
        self.data = data
        self.ordered = ordered
        self.retransmits = retransmits
        self.sequence = 0
        self.abandoned = False


class _Sent:
    __slots__ = ("acked", "chunk", "flying", "lost", "message", "misses", "payload", "sent_at", "size", "times", "tsn")

    def __init__(self, tsn: int, message: _Message, chunk: bytes, payload: int) -> None:
        self.tsn = tsn
        self.message = message
        self.chunk = chunk
        self.payload = payload
        self.size = payload + DATA_HEADER_BYTES
        self.acked = self.flying = self.lost = False
        self.misses = self.times = 0
        self.sent_at = 0.0


class Outbound:
    """The sending half."""

    def __init__(self, first_tsn: int, peer_window: int, *, partial: bool) -> None:
        self.buffered: dict[int, int] = {}
        """Bytes a stream that are not on the wire yet."""
        self.congestion = Congestion(threshold=peer_window)
        self.losses = Losses()
        self.errors = 0
        self.timer_at: float | None = None
        self._full_at = float("-inf")
        """When the window was full last."""
        self._partial = partial
        self._next_tsn = first_tsn
        self._acked = (first_tsn - 1) & M32
        self._peer_window = peer_window
        self._flight = 0
        self._queues: dict[int, deque[_Message]] = {}
        self._queued = 0
        """Messages in them."""
        self._cut: deque[_Sent] = deque()
        """Chunks of the message that is going out."""
        self._sent: deque[_Sent] = deque()
        self._lost = 0
        self._sequences: dict[int, int] = {}
        self._forward_due = False

    def send(self, stream: int, protocol: int, data: bytes, *, ordered: bool, retransmits: int | None) -> None:
        """Queues a message of at least one byte. `retransmits` bounds how often a part is sent again."""
        queue = self._queues.get(stream)
        if queue is None:
            queue = self._queues[stream] = deque()
            self.buffered[stream] = 0
        queue.append(_Message(stream, protocol, data, ordered=ordered, retransmits=retransmits))
        self._queued += 1
        self.buffered[stream] += len(data)

    def take(self, room: int, now: float) -> bytes | None:
        """The next chunk that may go out now and is not longer than `room`; None where there is none."""
        if self._forward_due:
            made = self._forward()
            if len(made) > room:
                return None
            self._forward_due = False
            self._start_timer(now)
            return made
        found = self._again() if self._lost else None
        if found is None and len(self._sent) < _SENT_MAX:
            found = self._fresh()
        if found is None or len(found.chunk) > room or not self._allowed(found):
            return None
        if found.lost:
            found.lost = False
            self._lost -= 1
            self.congestion.rush = False
            if found is self._sent[0]:
                self.timer_at = now + self.congestion.rto_s
        else:
            self._cut.popleft()
            self._sent.append(found)
            self.buffered[found.message.stream] -= found.payload
        found.times += 1
        found.misses = 0
        found.sent_at = now
        found.flying = True
        self.losses.sent()
        self._flight += found.size
        self._start_timer(now)
        return found.chunk

    def _start_timer(self, now: float) -> None:
        if self.timer_at is None:
            self.timer_at = now + self.congestion.rto_s

    def begin(self) -> None:
        """A packet run begins: bounds the burst that an opened window may let out (RFC 9260 section 6.1, D)."""
        self.congestion.begin(self._flight)

    def _allowed(self, found: _Sent) -> bool:
        if self._flight == 0 or (found.lost and self.congestion.rush):
            return True
        if self._flight >= self.congestion.limit:
            return False
        return found.lost or self._flight + found.size <= self._peer_window

    def _again(self) -> _Sent | None:
        return next((each for each in self._sent if each.lost), None)

    def _fresh(self) -> _Sent | None:
        if not self._cut:
            if not self._queued:
                return None
            self._queued -= 1
            stream = next(stream for stream, queue in self._queues.items() if queue)
            queue = self._queues[stream] = self._queues.pop(stream)  # to the end: its turn is over
            self._begin(queue.popleft())
        return self._cut[0]

    def _begin(self, message: _Message) -> None:
        if message.ordered:
            message.sequence = self._sequences.get(message.stream, 0)
            self._sequences[message.stream] = (message.sequence + 1) & 0xFFFF
        size = len(message.data)
        kind = 0 if message.ordered else UNORDERED
        for at in range(0, size, PAYLOAD_BYTES):
            part = message.data[at : at + PAYLOAD_BYTES]
            flags = kind | (0 if at else BEGIN) | (END if at + PAYLOAD_BYTES >= size else 0)
            tsn = self._next_tsn
            self._next_tsn = (tsn + 1) & M32
            made = data_chunk(flags, tsn, message.stream, message.sequence, message.protocol, part)
            self._cut.append(_Sent(tsn, message, made, len(part)))
        message.data = b""

    def limited(self, now: float) -> bool:
        """Whether lately it was the window that bounded what went out, and not how little there was."""
        return now - self._full_at < _LIMITED_S

    # -- what the peer says --

    def sacked(self, cumulative: int, window: int, gaps: list[tuple[int, int]], now: float) -> None:
        """Takes an acknowledgement. One of what was never sent is a SctpError, a late one is nothing."""
        newly = (cumulative - self._acked) & M32
        if newly >= HALF:
            return
        if newly > len(self._sent):
            raise SctpError("acknowledges what was not sent")
        full = self._flight >= self.congestion.window
        if full:
            self._full_at = now
        gained = self._gained(newly, now) if newly else 0
        self._acked = cumulative
        loss = False
        if gaps:
            more, loss = self._gapped(gaps)
            gained += more
        if gained or newly:
            self.errors = 0
        self.congestion.acknowledged(cumulative, gained if newly and full else 0)
        if loss:
            self.congestion.lost(self._sent[-1].tsn)
        if not self._sent:
            self.timer_at = None
        elif newly:
            self.timer_at = now + self.congestion.rto_s
        self._peer_window = window
        self._give_up_front()

    def _gained(self, newly: int, now: float) -> int:
        gained = 0
        measured = False
        for _ in range(newly):
            each = self._sent.popleft()
            if each.lost:
                each.lost = False
                self._lost -= 1
            if each.flying:
                self._flight -= each.size
            if not each.acked and not each.message.abandoned:
                gained += each.size
                if each.times == 1 and not measured:  # Karn: which of several was acknowledged is not known
                    measured = True
                    self.congestion.measured(now - each.sent_at)
        return gained

    def _gapped(self, gaps: list[tuple[int, int]]) -> tuple[int, bool]:
        """Newly acknowledged bytes, and whether something is now taken for lost (RFC 9260 section 7.2.4)."""
        sent = list(self._sent)
        gained, highest, before = 0, -1, 0
        for first, last in gaps:
            if not before < first <= last <= len(sent):  # each is looked at once, however many blocks name it
                break
            before = last
            for index in range(first - 1, last):
                each = sent[index]
                if not each.acked:
                    each.acked = True
                    gained += each.size
                    highest = max(highest, index)
                    self._land(each)
        loss = False
        for each in sent[: highest + 1]:
            if not each.acked and each.flying:
                each.misses += 1
                if each.misses >= _MISSES:
                    loss = True
                    self.losses.lost()
                    self._lose(each)
        return gained, loss

    def _land(self, each: _Sent) -> None:
        if each.flying:
            each.flying = False
            self._flight -= each.size
        if each.lost:
            each.lost = False
            self._lost -= 1

    def _lose(self, each: _Sent) -> None:
        self._land(each)
        message = each.message
        limit = message.retransmits
        if message.abandoned:
            return
        if limit is not None and self._partial and each.times > limit:
            self._abandon(message)
        else:
            each.lost = True
            self._lost += 1

    def _abandon(self, message: _Message) -> None:
        """RFC 3758 section 3.5, A3: all of the message, with what is not sent yet; its TSNs are skipped."""
        message.abandoned = True
        while self._cut and self._cut[0].message is message:
            part = self._cut.popleft()
            self.buffered[message.stream] -= part.payload
            self._sent.append(part)
        for each in self._sent:
            if each.message is message:
                self._land(each)

    def _give_up_front(self) -> None:
        """Tells the peer to wait no longer for what was abandoned at the front of what it misses."""
        self._forward_due = bool(self._sent) and self._sent[0].message.abandoned and not self._sent[0].acked

    def _forward(self) -> bytes:
        point = self._acked
        streams: dict[int, int] = {}
        for each in self._sent:
            if not each.message.abandoned:
                break
            point = each.tsn
            if each.message.ordered:
                streams[each.message.stream] = each.message.sequence
        return forward_chunk(point, streams.items())

    def expired(self, now: float) -> None:
        """The retransmission timer ran out (RFC 9260 section 6.3.3): everything unacknowledged is taken for lost."""
        self.errors += 1
        old = now - self.congestion.rto_s
        self.congestion.expired()
        for each in tuple(self._sent):
            if not each.acked and not each.lost:
                if each.flying and each.sent_at <= old:  # of what is newer nobody can know yet
                    self.losses.lost()
                self._lose(each)
        self.timer_at = now + self.congestion.rto_s if self._sent else None
        self._give_up_front()
