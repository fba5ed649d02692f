"""The real-time plane over stores in memory: reports as the store keeps them, a room whose pages are set by hand.

`MemoryReports` passes the same contract suite as the real store (tests/contract/test_peers_quality.py).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.peers.plane import Page, Plane
from chalicelib.peers.turn import Ice
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import PeerQuality, RelayState, RelayStatus
from chalicelib.wire.tokens import Identity

SESSION = "ses_" + "a" * 20
NOW_MS = 1_700_000_000_000
ICE = Ice(("stun:turn.test",), ("turn:turn.test",), ("holodeck-test-secret-0123456789abcdef",))

Field = str | int | float | bool | None


class MemoryReports:
    """The reports of the media table."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, PeerQuality]] = {}
        self._hours: dict[str, dict[int, Counter[str]]] = {}

    async def put(self, session_id: str, quality: PeerQuality) -> None:
        self._newest.setdefault(session_id, {})[quality.peer_id] = quality

    async def add(self, session_id: str, hour_ms: int, sums: Mapping[str, int]) -> None:
        self._hours.setdefault(session_id, {}).setdefault(hour_ms, Counter()).update(sums)

    async def newest(self, session_id: str, peer_ids: Collection[str]) -> tuple[PeerQuality, ...]:
        found = self._newest.get(session_id, {})
        return tuple(found[peer_id] for peer_id in sorted(found) if peer_id in peer_ids)

    async def hours(self, session_id: str, since_ms: int) -> dict[int, dict[str, int]]:
        found = self._hours.get(session_id, {})
        return {hour: dict(found[hour]) for hour in sorted(found) if hour >= since_ms}

    async def erase(self, session_id: str) -> None:
        self._newest.pop(session_id, None)
        self._hours.pop(session_id, None)


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """An open page; `here` is whether it is connected."""

    peer_id: str
    connection_id: str = "c1="
    rtc: bool = False
    here: bool = True

    def reachable(self, now_ms: int) -> bool:
        return self.here


class MemoryRoom:
    """One session: ann and bob are in it, eve was removed, everybody else is a stranger."""

    def __init__(self) -> None:
        self.people = {"ann", "bob"}
        self.banned = {"eve"}
        self.rows: dict[str, MemoryPage] = {}
        self.state = RelayState(status=RelayStatus.NONE)
        self.told: list[tuple[str, bool]] = []
        self.going = ""
        """A page that goes in the moment in which something is written of it."""

    def add(self, *pages: MemoryPage) -> None:
        """Pages that are there."""
        self.rows |= {page.peer_id: page for page in pages}

    async def viewer(self, session_id: str, identity: Identity) -> None:
        if session_id != SESSION:
            raise AppError(Code.SESSION_UNKNOWN)
        if identity.user_id in self.banned:
            raise AppError(Code.PARTICIPANT_BANNED)
        if identity.user_id not in self.people:
            raise AppError(Code.ROLE_INSUFFICIENT)

    async def pages(self, session_id: str) -> Sequence[Page]:
        return tuple(self.rows.values())

    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool:
        if self.going == peer_id:
            del self.rows[peer_id]
            return False
        self.told.append((peer_id, rtc))
        self.rows[peer_id] = replace(self.rows[peer_id], rtc=rtc)
        return True

    async def relay(self, session_id: str) -> RelayState:
        return self.state

    async def crowded(self, session_id: str) -> RelayState:
        if sum(page.rtc for page in self.rows.values()) > limits.MESH_MAX:
            self.state = RelayState(status=RelayStatus.STARTING, generation=1)
        return self.state


class Planes:
    """The room, its reports, its plane, and what was logged."""

    def __init__(self, ice: Ice = ICE) -> None:
        self.now_ms = NOW_MS
        self.room = MemoryRoom()
        self.reports = MemoryReports()
        self.logged: list[dict[str, Field]] = []
        self.plane = Plane(self.room, self.reports, ice, self._log, now_ms=lambda: self.now_ms)

    def _log(self, name: str, **fields: Field) -> None:
        self.logged.append({"event": name, **fields})
