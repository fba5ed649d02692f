"""One worker of a media node: its parts joined, its life from the first heartbeat to the last.

It beats (a row in the registry, each NODE_BEAT_S), serves, and ends in one of two ways. Told to (SIGTERM), it drains:
takes nobody new, gives its rooms back, tells its peers to come again elsewhere, keeps the promises that it made to
documents, and goes within DRAIN_S. Idle for long enough, it does the same with nobody to tell, and asks the service for
one task fewer. Killed, it does nothing at all: its heartbeat ends, its rooms are given to another, and what it had
acknowledged is in the log.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, Final, Protocol

import msgspec

from chalicelib.aws import log
from chalicelib.peers.model import Node as Row
from chalicelib.peers.model import NodeStatus, Relay, peer_id_of
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import (
    ErrorMessage,
    ParticipantChanged,
    ParticipantRemoved,
    ServerMessage,
    SessionEnded,
)
from chalicelib.wire.signals import NodeGone, PeerAnswer, PeerBye, PeerOffer, RelayChanged
from chalicelib.wire.voice import VoiceChanged, VoiceMix
from media_node.committer import Operations
from media_node.house import House
from media_node.ports import Transport
from media_node.stats import held

_REHOME_S: Final = 4.0
"""How long peers of a draining node have to go by themselves."""
_PROTECT_S: Final = 1200
"""How often the task's protection is asked for anew while it has rooms."""
_MUTE_MS: Final = 10_000
"""Without its WebSocket for so long, a node is not in service, whatever the functions' side of it thinks."""
_REFUSAL: Final = {Code.RELAY_FULL: "full"}


class Registry(Protocol):
    """The nodes' rows; `peers.nodes.NodeStore`."""

    async def beat(self, node: Row) -> None: ...
    async def forget(self, node_id: str) -> None: ...
    async def rooms_of(self, node_id: str) -> tuple[str, ...]: ...
    async def relay(self, session_id: str) -> Relay: ...


class Protecting(Protocol):
    """The service that the node's task is in."""

    async def one_fewer(self) -> bool: ...
    async def protect(self, *, protected: bool) -> bool: ...


class Workshop(Protocol):
    """Who sees to recordings that are to be finished or mixed."""

    @property
    def busy(self) -> bool: ...
    def ask(self, session_id: str, recording_id: str) -> None: ...


class Saying(Protocol):
    """The node's WebSocket; `signalling` is the real one."""

    @property
    def connected(self) -> bool: ...
    async def send(self, message: msgspec.Struct) -> bool: ...


class Node:
    """One worker."""

    def __init__(
        self,
        node_id: str,
        house: House,
        operations: Operations,
        transport: Transport,
        registry: Registry,
        fleet: Protecting,
        *,
        version: str,
        capacity: int,
        idle_s: int,
        now_ms: Callable[[], int],
        workshop: Workshop | None = None,
    ) -> None:
        self.node_id = node_id
        self.signalling: Saying | None = None
        self._house = house
        self._operations = operations
        self._transport = transport
        self._registry = registry
        self._fleet = fleet
        self._version = version
        self._capacity = capacity
        self._idle_s = idle_s
        self._now_ms = now_ms
        self._workshop = workshop
        self._busy_at_ms = self._connected_at_ms = now_ms()
        self._protected_at_ms = 0
        self._unused: set[tuple[str, int]] = set()
        """Rooms, with their generations, that nobody had come to when it was idle last."""
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- signals --

    def take(self, message: ServerMessage) -> None:
        """What came by the WebSocket."""
        match message:
            case PeerOffer():
                self._start(self._answered(message))
            case PeerBye(from_=str(peer_id), session_id=str(session_id)):
                self._house.bye(session_id, peer_id, message.link)
            case RelayChanged(session_id=str(session_id)):
                if message.relay.peer_id != peer_id_of(self.node_id):
                    self._house.give_up(session_id, "moved")
            case ParticipantRemoved(session_id=str(session_id)):
                self._house.remove(session_id, message.user_id)
            case ParticipantChanged(session_id=str(session_id)):
                self._house.change_role(session_id, message.user_id, message.role)
            case VoiceChanged(session_id=str(session_id)):
                self._house.voice_changed(session_id)
            case VoiceMix():
                if self._workshop is not None:
                    self._workshop.ask(message.session_id, message.recording_id)
            case SessionEnded():
                self._house.give_up(message.session_id, "removed")
            case ErrorMessage():
                log.warning("signalling.error", code=message.code, request=message.id)
            case _:
                pass  # candidates, and whatever else is no node's business

    async def _answered(self, offer: PeerOffer) -> None:
        if offer.from_ is None or offer.session_id is None:
            return
        back: dict[str, Any] = {"to": offer.from_, "link": offer.link, "session_id": offer.session_id}
        try:
            await self._say(PeerAnswer(sdp=await self._house.offer(offer), **back))
        except AppError as exc:
            if exc.code is Code.RATE_LIMITED:
                return  # nor is it told: a word each would be what it was to be kept from; an honest page asks again
            log.event("peer.refused", session_id=offer.session_id, peer_id=offer.from_, code=exc.code)
            await self._say(PeerBye(reason=_REFUSAL.get(exc.code, "refused"), **back))
        except Exception:
            await self._say(PeerBye(reason="refused", **back))
            raise

    async def _say(self, message: msgspec.Struct) -> None:
        if self.signalling is not None and not await self.signalling.send(message):
            log.warning("signalling.unsent", type=type(message).__name__)

    # -- the heartbeat --

    async def beat(self, status: NodeStatus = NodeStatus.SERVING) -> None:
        """Writes the node's row. UPSTREAM_UNAVAILABLE."""
        await self._registry.beat(
            Row(
                node_id=self.node_id,
                address=self._transport.public_address,
                port=self._transport.port,
                capacity=self._capacity,
                load=self._house.peers,
                rooms=len(self._house.rooms),
                version=self._version,
                status=status,
                seen_at_ms=self._now_ms(),
            )
        )

    async def beats(self) -> None:
        """Until it has been idle for so long that it is to end.

        A node that could not beat for NODE_LOST_S counts as lost, and its rooms as anybody's. It lets its people go
        then: their edits would wait with it for a database that perhaps it alone does not reach.
        """
        beaten_at_ms = self._now_ms()
        for number in count():
            await asyncio.sleep(limits.NODE_BEAT_S)
            now = self._now_ms()
            if self._house.rooms:
                self._unused.clear()
            if self._house.rooms or (self._workshop is not None and self._workshop.busy):
                self._busy_at_ms = now
            self._start(self._protect(now))
            try:
                await self.beat(self._status(now))
                beaten_at_ms = self._now_ms()
                if self._idle_s and now - self._busy_at_ms > self._idle_s * 1000 and await self._retired():
                    log.event("node.idle", idle_s=self._idle_s)
                    return
            except AppError as exc:  # it counts as lost after NODE_LOST_S; its rooms find others
                log.warning("node.not_beating", code=exc.code)
                if self._now_ms() - beaten_at_ms > limits.NODE_LOST_S * 1000:
                    self._house.give_up_all("lost")
            if number % 60 == 59:
                self.report()

    def _status(self, now: int) -> NodeStatus:
        """Cut off from the functions, nobody can come to it: its rooms find others."""
        if self.signalling is None or self.signalling.connected:
            self._connected_at_ms = now
        return NodeStatus.DRAINING if now - self._connected_at_ms > _MUTE_MS else NodeStatus.SERVING

    async def _retired(self) -> bool:
        """Takes itself out of service, unless a room was given to it meanwhile.

        One that it had when it was idle before, and that nobody came to since, holds it no longer: whose last page went
        unnoticed would hold it for ever.
        """
        await self.beat(NodeStatus.DRAINING)
        relays = [await self._registry.relay(session_id) for session_id in await self._registry.rooms_of(self.node_id)]
        before = self._unused
        self._unused = {(relay.session_id, relay.generation) for relay in relays if relay.node_id == self.node_id}
        if self._house.rooms or self._unused - before:
            self._busy_at_ms = self._now_ms()
            return False
        return True

    async def _protect(self, now: int) -> None:
        """The task is not to be chosen when there are to be fewer, while it has rooms."""
        if not self._house.rooms and self._protected_at_ms:
            self._protected_at_ms = 0
            await self._fleet.protect(protected=False)
        elif self._house.rooms and now - self._protected_at_ms > _PROTECT_S * 1000:
            self._protected_at_ms = now
            await self._fleet.protect(protected=True)

    def report(self, *, collect: bool = False) -> None:
        """Says in the log what there is."""
        stats = self._transport.stats()
        log.event(
            "node.stats",
            rooms=len(self._house.rooms),
            peers=self._house.peers,
            links=stats.links,
            kept=self._house.kept,
            waiting_bytes=self._house.waiting_bytes,
            documents=self._operations.served,
            cpu_s=round(stats.cpu_s, 1),
            bytes_in=stats.bytes_in,
            bytes_out=stats.bytes_out,
            refused=stats.refused,
            rtp_in=stats.rtp_in,
            rtp_out=stats.rtp_out,
            rtp_dropped=stats.rtp_dropped,
            srtp_errors=stats.srtp_errors,
            **self._house.voices,
            **held(collect=collect),
        )

    # -- the end --

    async def drain(self) -> None:
        """Gives everything back, and forgets itself. Bounded by DRAIN_S."""
        self._house.draining = True
        began = time.monotonic()
        log.event("node.draining", rooms=len(self._house.rooms), peers=self._house.peers)
        try:
            async with asyncio.timeout(limits.DRAIN_S):
                await self._give_back()
                await self._house.emptied(_REHOME_S)
                await self._transport.close()
                await self._operations.retire()
                await self._registry.forget(self.node_id)
        except (TimeoutError, AppError) as exc:
            log.warning("node.drained_in_part", reason=type(exc).__name__)
        log.event("node.drained", took_s=round(time.monotonic() - began, 2))

    async def _give_back(self) -> None:
        try:
            await self.beat(NodeStatus.DRAINING)
        except AppError as exc:
            log.warning("node.not_beating", code=exc.code)
        await self._say(NodeGone())  # all that it was given, also what nobody has come to yet
        for session_id in tuple(self._house.rooms):
            for member in self._house.members(session_id):
                bye = PeerBye(
                    to=member.person.peer_id, link=member.link.link_id, reason="draining", session_id=session_id
                )
                await self._say(bye)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("node.task_failed", reason=type(task.exception()).__name__)
