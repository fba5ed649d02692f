"""A room's real-time plane as REST shows it: open it, join it with a page, leave it, say and see how good it is.

Nothing here connects anybody: pages find each other by `rtc` in presence, and connect by signals (docs/webrtc.md). The law:
a page is the caller's own and is connected, or it is PEER_UNKNOWN, whosoever else's it may be.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from chalicelib.peers.quality import HOUR_MS, hour_of, sums_of, totals_of
from chalicelib.peers.turn import Ice, ice_servers
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import (
    IceServers,
    LinkPath,
    PeerQuality,
    QualityReport,
    RelayState,
    RelayStatus,
    Topology,
    VoiceQuality,
    WebRtcSession,
    WebRtcStats,
)
from chalicelib.wire.tokens import Identity


class Page(Protocol):
    """What is asked of a row of presence."""

    @property
    def peer_id(self) -> str: ...
    @property
    def connection_id(self) -> str: ...
    @property
    def rtc(self) -> bool: ...
    def reachable(self, now_ms: int) -> bool: ...


class Room(Protocol):
    """The rooms that this one asks: who may see a session, who is in it, who relays it."""

    async def viewer(self, session_id: str, identity: Identity) -> None:
        """Refuses whoever may not see what is in the session, as the sessions room does."""
        ...

    async def pages(self, session_id: str) -> Sequence[Page]: ...
    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool:
        """Says whether a page can be offered to, and tells the others. False: it has gone."""
        ...

    async def relay(self, session_id: str) -> RelayState: ...
    async def crowded(self, session_id: str) -> RelayState:
        """The same, where a page more can be offered to: the room may need a relay now."""
        ...


class Reports(Protocol):
    """Where reports are; `peers.quality_store` is the real one."""

    async def put(self, session_id: str, quality: PeerQuality) -> None: ...
    async def add(self, session_id: str, hour_ms: int, sums: Mapping[str, int]) -> None: ...
    async def newest(self, session_id: str, peer_ids: Collection[str]) -> tuple[PeerQuality, ...]: ...
    async def hours(self, session_id: str, since_ms: int) -> dict[int, dict[str, int]]: ...
    async def erase(self, session_id: str) -> None: ...


class Log(Protocol):
    """Notes what happened, for whoever analyses it."""

    def __call__(self, name: str, **fields: str | int | float | bool | None) -> None: ...


class Plane:
    """What the routes do. The caller's identity is always the token's."""

    def __init__(self, room: Room, reports: Reports, ice: Ice, log: Log, *, now_ms: Callable[[], int]) -> None:
        self._room = room
        self._reports = reports
        self._ice = ice
        self._log = log
        self._now_ms = now_ms

    def ice_servers(self, identity: Identity) -> IceServers:
        """For this person's pages."""
        return ice_servers(self._ice, identity.user_id, now_ms=self._now_ms(), ttl_s=limits.ICE_TTL_S)

    async def open(self, session_id: str, identity: Identity) -> WebRtcSession:
        """How a room is carried now. What the gate raises for who may not see it."""
        await self._room.viewer(session_id, identity)
        pages, relay = await asyncio.gather(self._reachable(session_id), self._room.relay(session_id))
        return self._session(session_id, identity, pages, relay)

    async def join(self, session_id: str, identity: Identity, tab_id: str) -> WebRtcSession:
        """The page can be offered to from now on; who else can be. PEER_UNKNOWN for a page that is not connected."""
        await self._room.viewer(session_id, identity)
        pages = await self._reachable(session_id)
        page = _own(pages, identity, tab_id)
        if not page.rtc and not await self._room.set_rtc(session_id, page.peer_id, True):
            raise AppError(Code.PEER_UNKNOWN)
        others = [other for other in pages if other.peer_id != page.peer_id]
        return self._session(session_id, identity, others, await self._room.crowded(session_id))

    async def leave(self, session_id: str, identity: Identity, tab_id: str) -> None:
        """The page is on the WebSocket alone from now on. One that has gone is so already."""
        await self._room.viewer(session_id, identity)
        peer_id = _peer_id(identity, tab_id)
        if any(page.rtc and page.peer_id == peer_id for page in await self._room.pages(session_id)):
            await self._room.set_rtc(session_id, peer_id, False)

    async def report(self, session_id: str, identity: Identity, report: QualityReport) -> None:
        """Keeps what a page says of its connections. PEER_UNKNOWN for a page that is not connected."""
        await self._room.viewer(session_id, identity)
        page = _own(await self._reachable(session_id), identity, report.tab_id)
        now_ms = self._now_ms()
        quality = PeerQuality(
            peer_id=page.peer_id,
            reported_at_ms=now_ms,
            carrier=report.carrier,
            score=report.score,
            links=report.links,
            voice=report.voice,
        )
        await asyncio.gather(
            self._reports.put(session_id, quality),
            self._reports.add(session_id, hour_of(now_ms), sums_of(report)),
        )
        self._note(session_id, page.connection_id, report)

    async def stats(self, session_id: str, identity: Identity) -> WebRtcStats:
        """The newest report of each page that is there, and the last hours, the oldest first."""
        await self._room.viewer(session_id, identity)
        now_ms = self._now_ms()
        since_ms = hour_of(now_ms) - (limits.QUALITY_HOURS_SHOWN - 1) * HOUR_MS
        newest, relay, hours = await asyncio.gather(
            self._newest(session_id),
            self._room.relay(session_id),
            self._reports.hours(session_id, since_ms),
        )
        oldest_ms = now_ms - limits.QUALITY_KEPT_S * 1000
        return WebRtcStats(
            session_id=session_id,
            at_ms=now_ms,
            topology=_topology(relay),
            relay=relay,
            peers=tuple(q for q in newest if q.reported_at_ms > oldest_ms),
            hours=tuple(totals_of(hour_ms, sums) for hour_ms, sums in hours.items()),
        )

    async def erase(self, session_id: str) -> None:
        """All that was reported of a session."""
        await self._reports.erase(session_id)

    async def _newest(self, session_id: str) -> tuple[PeerQuality, ...]:
        """Of each page that is there."""
        return await self._reports.newest(session_id, [page.peer_id for page in await self._reachable(session_id)])

    async def _reachable(self, session_id: str) -> list[Page]:
        now_ms = self._now_ms()
        return [page for page in await self._room.pages(session_id) if page.reachable(now_ms)]

    def _session(self, session_id: str, identity: Identity, pages: Sequence[Page], relay: RelayState) -> WebRtcSession:
        return WebRtcSession(
            session_id=session_id,
            topology=_topology(relay),
            mesh_max=limits.MESH_MAX,
            relay=relay,
            peers=tuple(page.peer_id for page in pages if page.rtc),
            ice=self.ice_servers(identity),
        )

    def _note(self, session_id: str, connection_id: str, report: QualityReport) -> None:
        """One event a report, of plain numbers, which log analytics can sum without this code."""
        paths = [link.path for link in report.links]
        voice = report.voice or VoiceQuality()
        self._log(
            "quality.reported",
            session_id=session_id,
            connection_id=connection_id,
            carrier=report.carrier.value,
            score=report.score,
            **{f"links_{path.value}": paths.count(path) for path in LinkPath},
            rtt_max_ms=max((link.rtt_ms for link in report.links if link.rtt_ms is not None), default=None),
            loss_max=max((link.loss for link in report.links if link.loss is not None), default=None),
            voice_mos=voice.mos,
            voice_loss=voice.loss,
            voice_concealed=voice.concealed,
        )


def _peer_id(identity: Identity, tab_id: str) -> str:
    return f"{identity.user_id}.{tab_id}"


def _own(pages: Sequence[Page], identity: Identity, tab_id: str) -> Page:
    peer_id = _peer_id(identity, tab_id)
    page = next((page for page in pages if page.peer_id == peer_id), None)
    if page is None:
        raise AppError(Code.PEER_UNKNOWN)
    return page


def _topology(relay: RelayState) -> Topology:
    return Topology.RELAY if relay.status is RelayStatus.READY else Topology.MESH
