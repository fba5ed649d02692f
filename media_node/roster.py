"""Which index stands for which peer in a room's frames. Pure.

An index is 10 bits of every entry instead of a peer id of 70 bytes. It names one peer of one epoch: a page that was
loaded anew gets another, for its counters begin anew. Indices go round, so that one that was let go is given again as
late as possible, and an entry that is late on the unordered channel is nobody else's.
"""

from dataclasses import dataclass

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.signals import RelayRoster, RosterMember


@dataclass(slots=True)
class _Place:
    index: int
    epoch: int | None = None
    """None before the first state: nobody needs to know it yet."""


class Roster:
    """The peers of one room."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._taken: set[int] = set()
        self._next = 0
        self._joined: dict[str, None] = {}
        self._left: list[int] = []

    def join(self, peer_id: str) -> int:
        """An index for a peer; the one it has. RELAY_FULL past RELAY_INDEX_MAX."""
        there = self._places.get(peer_id)
        if there is None:
            there = self._places[peer_id] = _Place(self._free())
        return there.index

    def begin(self, peer_id: str, epoch: int) -> int:
        """The peer's states are of this epoch from now on: its index, a new one where it had another epoch."""
        place = self._places[peer_id]
        if place.epoch is not None and place.epoch != epoch:
            self._let_go(place)
            place = self._places[peer_id] = _Place(self._free())
        place.epoch = epoch
        self._joined[peer_id] = None
        return place.index

    def leave(self, peer_id: str) -> None:
        """The peer is not on the relay any more."""
        place = self._places.pop(peer_id, None)
        if place is not None:
            self._joined.pop(peer_id, None)
            self._let_go(place)

    def full(self) -> RelayRoster:
        """Everybody, for who comes."""
        return RelayRoster(full=True, members=tuple(self._member(peer_id) for peer_id in self._known()))

    def changes(self) -> RelayRoster | None:
        """What changed since the last time, for all others; None: nothing."""
        if not self._joined and not self._left:
            return None
        told = RelayRoster(members=tuple(self._member(peer_id) for peer_id in self._joined), left=tuple(self._left))
        self._joined, self._left = {}, []
        return told

    def _known(self) -> list[str]:
        return [peer_id for peer_id, place in self._places.items() if place.epoch is not None]

    def _member(self, peer_id: str) -> RosterMember:
        place = self._places[peer_id]
        return RosterMember(index=place.index, peer_id=peer_id, epoch=place.epoch or 0)

    def _let_go(self, place: _Place) -> None:
        self._taken.discard(place.index)
        if place.epoch is not None:
            self._left.append(place.index)

    def _free(self) -> int:
        if len(self._taken) > limits.RELAY_INDEX_MAX:
            raise AppError(Code.RELAY_FULL)
        while self._next in self._taken:
            self._next = (self._next + 1) % (limits.RELAY_INDEX_MAX + 1)
        index, self._next = self._next, (self._next + 1) % (limits.RELAY_INDEX_MAX + 1)
        self._taken.add(index)
        return index
