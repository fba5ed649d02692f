"""What presence knows: connections, the rows of a room, and who of them is there at a given moment. Pure.

One row per peer (an open page of a participant) in the room's partition. It carries the peer's newest state already
encoded, so that the broadcaster only joins fragments. A dropped connection leaves its row for LEAVE_GRACE_S, so that
the page may resume as the same peer without the others seeing it leave.
"""

from dataclasses import dataclass

import msgspec

from chalicelib.wire import limits
from chalicelib.wire.messages import PeerState
from chalicelib.wire.signals import Peer
from chalicelib.wire.types import PresenceState, Role, UserKind

REST_TAB = "rest"
"""The tab of a peer that has no page: somebody who moves a cursor by REST."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A WebSocket, and the peer it was opened for, as its ticket proved."""

    connection_id: str
    session_id: str
    peer_id: str
    user_id: str
    name: str
    color: str
    kind: UserKind


@dataclass(frozen=True, slots=True)
class NodeConnection:
    """A WebSocket of a media node, as its token proved. It belongs to no session."""

    connection_id: str
    node_id: str


Caller = Connection | NodeConnection


@dataclass(frozen=True, slots=True)
class Row:
    """One peer in a room. Times are ms since the epoch.

    `connection_id` is empty for a peer that has none. `fragment` is the JSON of its newest `PeerState`, empty before the
    first. `leaving_at_ms` is when a dropped peer counts as gone; 0 while it is connected.
    """

    session_id: str
    peer_id: str
    user_id: str
    connection_id: str
    name: str
    color: str
    role: Role
    kind: UserKind
    joined_at_ms: int
    seen_at_ms: int
    entered: bool = False
    epoch: int = 0
    counter: int = 0
    fragment: bytes = b""
    leaving_at_ms: int = 0
    rtc: bool = False
    """Whether it can be offered to (WebRTC)."""
    resuming: bool = False
    """Whether it came again on a connection that has not entered yet: the others see it on, frames do not go there yet."""

    @property
    def order(self) -> tuple[int, int]:
        """What orders this peer's states: the greater is the newer."""
        return (self.epoch, self.counter)

    def gone(self, now_ms: int) -> bool:
        """Whether the peer has left: said so, dropped longer than the grace, or silent longer than its TTL."""
        if self.leaving_at_ms and self.leaving_at_ms <= now_ms:
            return True
        return self.seen_at_ms + limits.PRESENCE_TTL_S * 1000 <= now_ms

    def reachable(self, now_ms: int) -> bool:
        """Whether frames are to be posted to it."""
        there = self.entered and not self.resuming and not self.leaving_at_ms
        return bool(self.connection_id) and there and not self.gone(now_ms)

    def visible(self, now_ms: int) -> bool:
        """Whether others see it."""
        return self.entered and not self.gone(now_ms)

    def peer(self) -> Peer:
        """As it is announced."""
        return Peer(
            peer_id=self.peer_id,
            user_id=self.user_id,
            name=self.name,
            color=self.color,
            role=self.role,
            kind=self.kind,
            joined_at_ms=self.joined_at_ms,
            rtc=self.rtc,
        )

    def state(self) -> PresenceState:
        """Its newest state, decoded; the empty one before the first."""
        if not self.fragment:
            return PresenceState()
        return msgspec.json.decode(self.fragment, type=PeerState).state


@dataclass(frozen=True, slots=True)
class Lease:
    """The room's broadcaster: whoever holds this polls the room until `until_ms`, and once after."""

    holder: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Room:
    """One consistent read of a room's rows."""

    rows: tuple[Row, ...]
    lease: Lease | None = None

    def visible(self, now_ms: int) -> tuple[Row, ...]:
        """Who is there."""
        return tuple(row for row in self.rows if row.visible(now_ms))
