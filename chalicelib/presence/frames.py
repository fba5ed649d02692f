"""What to tell whom at a tick: the pure core of the broadcaster.

A `Ledger` remembers what the room was last told. `advance` compares a room with it and gives the change, encoded once
for everyone. A recipient whose last post is still under way gets nothing now; what it misses is kept, newest state per
peer only, and goes out merged when it is free: a slow recipient gets fewer and newer frames, never a growing queue.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from chalicelib.presence.model import Room, Row
from chalicelib.wire import limits

_json = msgspec.json.Encoder()


@dataclass(slots=True)
class Change:
    """What a recipient has yet to be told, by peer id. Mutable: a backlog grows by `merge`."""

    joined: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    left: dict[str, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.joined or self.states or self.left)

    def merge(self, newer: "Change") -> None:
        """Adds what came after. Who left is not joined, and who joined has not left."""
        for peer_id in newer.left:
            self.joined.pop(peer_id, None)
            self.states.pop(peer_id, None)
            self.left[peer_id] = None
        for peer_id, fragment in newer.joined.items():
            self.left.pop(peer_id, None)
            self.joined[peer_id] = fragment
        self.states.update(newer.states)


def encode(change: Change, *, at_ms: int, full: bool) -> list[bytes]:
    """The change as `presence.frame` messages, each below FRAME_TARGET_BYTES unless one entry alone is larger."""
    entries: list[tuple[str, bytes]] = [("joined", f) for f in change.joined.values()]
    entries += [("states", f) for f in change.states.values()]
    entries += [("left", _json.encode(peer_id)) for peer_id in change.left]
    parts: list[dict[str, list[bytes]]] = [{}]
    size = 0
    for kind, fragment in entries:
        if size and size + len(fragment) > limits.FRAME_TARGET_BYTES:
            parts.append({})
            size = 0
        parts[-1].setdefault(kind, []).append(fragment)
        size += len(fragment) + 1
    return [_frame(part, at_ms, full, number, len(parts)) for number, part in enumerate(parts)]


def _frame(part: dict[str, list[bytes]], at_ms: int, full: bool, number: int, parts: int) -> bytes:
    head = b'{"type":"presence.frame","at_ms":%d,"full":%s,"part":%d,"parts":%d' % (
        at_ms,
        b"true" if full else b"false",
        number,
        parts,
    )
    lists = (b',"%s":[%s]' % (kind.encode(), b",".join(fragments)) for kind, fragments in part.items())
    return head + b"".join(lists) + b"}"


def everything(rows: Iterable[Row]) -> Change:
    """All that a newcomer must be told."""
    change = Change()
    for row in rows:
        change.joined[row.peer_id] = _json.encode(row.peer())
        if row.fragment:
            change.states[row.peer_id] = row.fragment
    return change


@dataclass(slots=True)
class Post:
    """One recipient's messages of this tick, in order."""

    connection_id: str
    messages: list[bytes]


class Ledger:
    """What the room was told, and what each busy recipient has missed."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Row, tuple[int, int]]] = {}
        self._missed: dict[str, Change] = {}
        self._lost: set[str] = set()
        self._first = True

    @property
    def backlog(self) -> bool:
        """Whether somebody has yet to be told something."""
        return bool(self._missed or self._lost)

    def retell(self, connections: set[str]) -> None:
        """These did not get their last post: they are told everything at the next tick."""
        self._lost |= connections

    def advance(self, room: Room, now_ms: int, busy: frozenset[str]) -> tuple[list[Post], bool]:
        """The posts of this tick, and whether anything in the room changed.

        `busy` are the connections whose last post is still under way. The first call tells everyone everything.
        """
        visible = room.visible(now_ms)
        full = self._first
        change = everything(visible) if full else self._difference(visible)
        self._told = {row.peer_id: (row, row.order) for row in visible}
        self._first = False
        recipients = [row.connection_id for row in visible if row.reachable(now_ms)]
        self._lost &= set(recipients)
        self._missed = {c: missed for c, missed in self._missed.items() if c in set(recipients)}
        shared = encode(change, at_ms=now_ms, full=full) if change or full else []
        posts = []
        for connection_id in recipients:
            if connection_id in self._lost and connection_id not in busy:
                self._lost.discard(connection_id)
                self._missed.pop(connection_id, None)
                messages = encode(everything(visible), at_ms=now_ms, full=True)
            else:
                messages = self._for(connection_id, change, shared, now_ms, connection_id in busy)
            if messages:
                posts.append(Post(connection_id, messages))
        return posts, bool(change)

    def _difference(self, visible: tuple[Row, ...]) -> Change:
        change = Change()
        present = set()
        for row in visible:
            present.add(row.peer_id)
            told = self._told.get(row.peer_id)
            if told is None or _announced_differently(told[0], row):
                change.joined[row.peer_id] = _json.encode(row.peer())
            if row.fragment and (told is None or row.order != told[1]):
                change.states[row.peer_id] = row.fragment
        for peer_id in self._told:
            if peer_id not in present:
                change.left[peer_id] = None
        return change

    def _for(self, connection_id: str, change: Change, shared: list[bytes], now_ms: int, busy: bool) -> list[bytes]:
        missed = self._missed.get(connection_id)
        if busy:
            if change:
                self._missed.setdefault(connection_id, Change()).merge(change)
            return []
        if missed is None:
            return shared
        missed.merge(change)
        del self._missed[connection_id]
        return encode(missed, at_ms=now_ms, full=False)


def _announced_differently(told: Row, row: Row) -> bool:
    return _announced(told) != _announced(row)


def _announced(row: Row) -> tuple[object, ...]:
    return (row.name, row.color, row.role, row.joined_at_ms, row.rtc)
