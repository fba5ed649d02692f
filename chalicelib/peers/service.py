"""Which media node relays a room: given, moved, taken back; and what its pages and nodes are told of it.

Theory of operation. Who relays a room is one item (`Relay`), and every change of it is a compare-and-set on its generation:
of all functions that decide at once, one wins, and the others read again. Nobody watches the nodes: whoever comes by a room
(a page that enters, asks, pings) looks whether its node still beats and gives the room another one if not; a node's
$disconnect does so at once for all of its rooms. Where no node can take a room, it is listed as waiting and a task is
asked for; the node that comes up takes the rooms that wait. Until then mesh and WebSocket carry what there is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final, Protocol

import msgspec

from chalicelib.peers.model import Node, Relay, choose, too_few
from chalicelib.peers.promises import Promises
from chalicelib.presence.model import Connection, Row
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ParticipantChanged, ParticipantRemoved, ServerMessage, SessionEnded
from chalicelib.wire.peers import RelayReason, RelayState
from chalicelib.wire.signals import RelayChanged, RelayRequest
from chalicelib.wire.types import Delivery
from chalicelib.wire.voice import VoiceChanged, VoiceMix

_ATTEMPTS: Final = 6
"""How often an assignment is tried that others keep winning; after that what they made of it is the answer."""
_AT_ONCE: Final = 8
"""Rooms of a lost node that are moved at the same time."""


class Registry(Protocol):
    """Nodes and who relays what; `peers.nodes` is the real one."""

    async def beat(self, node: Node) -> None: ...
    async def forget(self, node_id: str) -> None: ...
    async def nodes(self) -> tuple[Node, ...]: ...
    async def node(self, node_id: str) -> Node | None: ...
    async def set_connection(self, node_id: str, connection_id: str) -> bool: ...
    async def clear_connection(self, node_id: str, connection_id: str) -> bool: ...
    async def relay(self, session_id: str) -> Relay: ...
    async def change(self, relay: Relay, now_ms: int) -> bool: ...
    async def note_few(self, relay: Relay) -> None: ...
    async def note_reason(self, relay: Relay) -> bool: ...
    async def unlist(self, old: Relay) -> None: ...
    async def rooms_of(self, node_id: str) -> tuple[str, ...]: ...
    async def waiting(self) -> tuple[str, ...]: ...
    async def erase(self, session_id: str) -> None: ...
    async def may_start(self, now_ms: int) -> bool: ...
    async def forget_start(self) -> None: ...


class Scaler(Protocol):
    """Starts nodes; `aws.services` is the real one."""

    async def another(self, alive: int) -> bool:
        """Asks for one more than are alive, unless one is on its way. False: there are as many as there may be."""
        ...


class People(Protocol):
    """Who is in a room, and how to tell all of them; the presence room."""

    async def rows(self, session_id: str) -> tuple[Row, ...]: ...
    async def announce(self, session_id: str, message: ServerMessage) -> None: ...


class Log(Protocol):
    """One structured event."""

    def __call__(self, name: str, **fields: str | int | float | bool | None) -> None: ...


Post = Callable[[str, bytes], Awaitable[Delivery]]
Notice = ParticipantChanged | ParticipantRemoved | SessionEnded | VoiceChanged


class Peers:
    """Rooms and media nodes. Without a `scaler` no node is ever asked for."""

    def __init__(
        self,
        registry: Registry,
        people: People,
        post: Post,
        scaler: Scaler | None,
        *,
        now_ms: Callable[[], int],
        log: Log,
    ) -> None:
        self._registry = registry
        self._people = people
        self._post = post
        self._scaler = scaler
        self._now_ms = now_ms
        self._log = log
        self._looked: dict[str, int] = {}
        self._promises = Promises()

    # -- rooms --

    async def state(self, session_id: str) -> RelayState:
        """Who relays a room. One whose node is lost is given another."""
        relay = await self._registry.relay(session_id)
        return await self._healed(relay)

    async def crowded(self, session_id: str) -> RelayState:
        """Somebody more can be offered to: a room that a mesh does not carry any more gets a node."""
        relay, pages = await asyncio.gather(self._registry.relay(session_id), self._pages(session_id))
        if relay.node_id or pages <= limits.MESH_MAX:
            return await self._healed(relay)
        return await self._give(session_id, pages, RelayReason.COUNT)

    async def request(self, connection: Connection, message: RelayRequest) -> RelayState:
        """A page asks. What it says is believed as far as it can be seen from here. CONNECTION_GONE if it was removed.

        `count`: there really are more pages than a mesh carries. `lost`: the node does not beat, or has no connection.
        `uplink`: always, with somebody else there; nobody but the page can measure it. `recording` is not a page's to say:
        it is as `count`.
        """
        session_id = connection.session_id
        relay, rows = await asyncio.gather(self._registry.relay(session_id), self._people.rows(session_id))
        now = self._now_ms()
        if not any(r.connection_id == connection.connection_id and not r.gone(now) for r in rows):
            raise AppError(Code.CONNECTION_GONE)
        pages = _pages(rows, now)
        reason = RelayReason.COUNT if message.reason is RelayReason.RECORDING else message.reason
        least = 1 if reason is RelayReason.UPLINK else limits.MESH_MAX
        if relay.node_id or pages <= least:
            return await self._healed(relay)
        return await self._give(session_id, pages, reason)

    async def record(self, session_id: str) -> RelayState:
        """A recording begins: the room has a node for it, or waits for one, until `recorded`, while a page is there."""
        pages = max(1, await self._pages(session_id))
        for _ in range(_ATTEMPTS):
            state = await self._give(session_id, pages, RelayReason.RECORDING)
            relay = Relay(session_id, generation=state.generation, reason=RelayReason.RECORDING)
            if await self._registry.note_reason(relay):
                return state
        raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)

    async def recorded(self, session_id: str) -> None:
        """It has ended: a room of few gives its node back, after RELAY_KEEP_S, as any does."""
        for _ in range(_ATTEMPTS):
            relay = await self._registry.relay(session_id)
            if relay.reason is not RelayReason.RECORDING:
                return
            if await self._registry.note_reason(replace(relay, reason=RelayReason.COUNT)):
                return
        raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)

    async def look(self, session_id: str) -> None:
        """Whether the room's relay is still right, at most each RELAY_LOOK_S: it is alive, and there are enough pages.

        Like `left` and `notify` beside what its caller does, which does not fail by it: the next one looks again.
        """
        await self._beside(session_id, self._look(session_id))

    async def _look(self, session_id: str) -> None:
        now = self._now_ms()
        if self._looked.get(session_id, 0) + limits.RELAY_LOOK_S * 1000 > now:
            return
        if len(self._looked) > 10_000:
            self._looked.clear()
        self._looked[session_id] = now
        relay = await self._registry.relay(session_id)
        if not relay.node_id:
            return
        pages = await self._pages(session_id)
        if not too_few(relay, pages):
            if relay.few_ms:
                await self._registry.note_few(replace(relay, few_ms=0))
            await self._healed(relay)
        elif not relay.few_ms:
            await self._registry.note_few(replace(relay, few_ms=now))
        elif relay.few_ms + limits.RELAY_KEEP_S * 1000 <= now:
            await self._take_back(relay)

    async def left(self, session_id: str) -> None:
        """A page has gone: an empty room needs no relay."""
        await self._beside(session_id, self._left(session_id))

    async def _left(self, session_id: str) -> None:
        relay = await self._registry.relay(session_id)
        if (relay.node_id or relay.asked_ms) and not await self._pages(session_id):
            await self._take_back(relay)

    async def notify(self, session_id: str, message: Notice) -> None:
        """Tells the room's node what it must not learn late: a role, a removal, voice, the end. It reads all soon anyway."""
        await self._beside(session_id, self._notify(session_id, message))

    async def _notify(self, session_id: str, message: Notice) -> None:
        relay = await self._registry.relay(session_id)
        if relay.node_id:
            await self._tell_node(relay.node_id, msgspec.structs.replace(message, session_id=session_id))

    async def ended(self, session_id: str) -> None:
        """Nothing of a session is left here."""
        relay = await self._registry.relay(session_id)
        if relay.node_id:
            await self._registry.unlist(relay)
        await self._registry.erase(session_id)

    async def work(self, message: VoiceMix) -> bool:
        """Some node that lives is told of work that any of them can do; where none does, one is asked for.

        Whether one was told. It looks by itself when it enters, and now and then: who is not told learns late.
        """
        now = self._now_ms()
        alive = [node for node in await self._registry.nodes() if node.alive(now)]
        if not alive:
            await self._ask(0, now)
            return False
        chosen = min(alive, key=lambda node: (node.load / node.capacity, node.node_id))
        return await self._post(chosen.connection_id, msgspec.json.encode(message)) is Delivery.SENT

    # -- nodes --

    async def node_entered(self, node_id: str, connection_id: str) -> None:
        """A node is reached by this connection from now on. RELAY_REFUSED for one that has not registered."""
        if not await self._registry.set_connection(node_id, connection_id):
            raise AppError(Code.RELAY_REFUSED, "a node registers before it enters")
        self._log("node.entered", node_id=node_id, connection_id=connection_id)

    async def serve_waiting(self) -> None:
        """A node has come: gives nodes to the rooms that wait, and lets another be asked for where that is not enough."""
        await self._registry.forget_start()
        await self._each(await self._registry.waiting(), self._serve_waiting)

    async def node_disconnected(self, node_id: str, connection_id: str) -> None:
        """A node's connection is over: where it was its only one, its rooms are given to others."""
        if await self._registry.clear_connection(node_id, connection_id):
            self._log("node.lost", node_id=node_id, connection_id=connection_id)
            await self.move_all(node_id, await self._registry.rooms_of(node_id))

    async def node_gone(self, node_id: str, sessions: tuple[str, ...]) -> None:
        """A node gives rooms back: those, or all."""
        self._log("node.gone", node_id=node_id, rooms=len(sessions))
        await self.move_all(node_id, sessions or await self._registry.rooms_of(node_id))

    async def move_all(self, node_id: str, sessions: Iterable[str]) -> None:
        """Gives a node's rooms to others; what is not its own (any more) stays."""

        async def move(session_id: str) -> None:
            relay = await self._registry.relay(session_id)
            if relay.node_id != node_id:
                await self._registry.unlist(replace(relay, node_id=node_id))
                return
            await self._replace(relay, besides=node_id)

        await self._each(sessions, move)

    # -- steps --

    async def _beside(self, session_id: str, work: Awaitable[None]) -> None:
        try:
            await work
        except AppError as exc:
            self._log("relay.not_seen_to", session_id=session_id, code=exc.code)

    async def _healed(self, relay: Relay) -> RelayState:
        """What pages are told of a relay, after a node that is lost was replaced."""
        now = self._now_ms()
        if not relay.node_id:
            return relay.state(now)
        node = await self._registry.node(relay.node_id)
        if node is not None and node.alive(now):
            return relay.state(now)
        return await self._replace(relay)

    async def _replace(self, lost: Relay, *, besides: str = "") -> RelayState:
        """Another node for a room whose own is lost, where there is still use for one."""
        pages = await self._pages(lost.session_id)
        if too_few(lost, pages):
            return await self._take_back(lost)
        return await self._give(lost.session_id, pages, lost.reason, besides=besides)

    async def _serve_waiting(self, session_id: str) -> None:
        relay = await self._registry.relay(session_id)
        if relay.asked_ms:
            await self._replace(relay)

    async def _give(self, session_id: str, pages: int, reason: RelayReason, *, besides: str = "") -> RelayState:
        """The room has a node that lives, or waits for one: whoever comes first decides."""
        for _ in range(_ATTEMPTS):
            relay, nodes = await asyncio.gather(self._registry.relay(session_id), self._registry.nodes())
            now = self._now_ms()
            alive = [n for n in nodes if n.alive(now) and n.node_id != besides]
            if any(n.node_id == relay.node_id for n in alive):
                return relay.state(now)
            chosen = choose(self._promises.counted(alive, now), pages, now)
            if chosen is None and relay.waits(now):
                return relay.state(now)
            if chosen is not None:
                self._promises.promise(next(n for n in alive if n.node_id == chosen.node_id), pages, now)
            given = Relay(
                session_id,
                node_id=chosen.node_id if chosen else "",
                generation=relay.generation + 1,
                asked_ms=0 if chosen else now,
                coming=chosen is None and await self._ask(len(alive), now),
                reason=reason,
            )
            if await self._change(relay, given, now):
                return given.state(now)
            self._promises.withdraw(given.node_id, pages)
        return (await self._registry.relay(session_id)).state(self._now_ms())

    async def _take_back(self, relay: Relay) -> RelayState:
        """The room has no relay, and needs none."""
        now = self._now_ms()
        bare = Relay(relay.session_id, generation=relay.generation + 1)
        if await self._change(relay, bare, now):
            return bare.state(now)
        return (await self._registry.relay(relay.session_id)).state(now)

    async def _change(self, old: Relay, new: Relay, now: int) -> bool:
        if not await self._registry.change(new, now):
            return False
        self._log("relay.changed", session_id=new.session_id, node_id=new.node_id, generation=new.generation)
        changed = RelayChanged(relay=new.state(now))
        told: list[Awaitable[None]] = [self._people.announce(new.session_id, changed)]
        if old.node_id and old.node_id != new.node_id:
            await self._registry.unlist(old)
            told.append(self._tell_node(old.node_id, RelayChanged(relay=changed.relay, session_id=new.session_id)))
        await asyncio.gather(*told)
        return True

    async def _ask(self, alive: int, now: int) -> bool:
        """Whether one more node is on its way; asks for it where nobody has."""
        if self._scaler is None:
            return False
        if not await self._registry.may_start(now):
            return True
        try:
            coming = await self._scaler.another(alive)
        except AppError as exc:
            self._log("node.not_started", code=exc.code)
            coming = False
        if not coming:
            await self._registry.forget_start()
        return coming

    async def _tell_node(self, node_id: str, message: msgspec.Struct) -> None:
        node = await self._registry.node(node_id)
        if node is not None and node.connection_id:
            await self._post(node.connection_id, msgspec.json.encode(message))

    async def _each(self, sessions: Iterable[str], work: Callable[[str], Awaitable[None]]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(session_id: str) -> None:
            async with gate:
                await work(session_id)

        outcomes = await asyncio.gather(*(one(session_id) for session_id in sessions), return_exceptions=True)
        for outcome in outcomes:  # one room that fails keeps no other waiting
            if outcome is not None:
                raise outcome

    async def _pages(self, session_id: str) -> int:
        return _pages(await self._people.rows(session_id), self._now_ms())


def _pages(rows: Iterable[Row], now_ms: int) -> int:
    """How many pages of a room can be connected by WebRTC."""
    return sum(row.rtc and row.visible(now_ms) for row in rows)
