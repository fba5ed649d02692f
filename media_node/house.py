"""All rooms of a media node: which it has, who may come in, what happens on their links, and the ticks.

The law: a room is served only while the relay item in the registry names this node, which is looked up before the first
peer of a room is answered, and again and again after. Being wrong for a moment harms nothing: states are ordered by
their senders, operations by the log.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import msgspec

from chalicelib.aws import log
from chalicelib.peers.model import Relay
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.messages import ErrorMessage
from chalicelib.wire.signals import PeerOffer
from chalicelib.wire.types import Role
from media_node.across import Across, Post
from media_node.census import Census, Reading
from media_node.lodging import Known, Lodging, as_it_is_now
from media_node.member import Member
from media_node.model import Person, key_of
from media_node.ports import Link, Transport
from media_node.room import Carrying, Room
from media_node.rounds import Rounds
from media_node.ruling import Ruling, VoiceReading
from media_node.tap import Deaf, Tap
from media_node.voice import Voice

CENSUS_S: Final = 1.0
_ABSENT_MS: Final = 15_000
"""How long the channel of somebody outlives their WebSocket."""
_EMPTY_MS: Final = 30_000
"""How long a room without peers is kept: they may all be coming again."""
_QUIET: Final = frozenset({"left", "removed", "replaced", "moved"})
"""Ends of links after which nobody waits for anything by another way."""


class Assignments(Protocol):
    """Who relays which room."""

    async def relay(self, session_id: str) -> Relay: ...


class House:
    """See the module. Also the transport's `LinkEvents`."""

    def __init__(
        self,
        node_id: str,
        *,
        assignments: Assignments,
        reading: Reading,
        post: Post,
        carrying: Carrying,
        voices: VoiceReading,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        tap: Tap | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.node_id = node_id
        self.transport: Transport | None = None
        self.draining = False
        self.rooms: dict[str, Lodging] = {}
        self._assignments = assignments
        self._reading = reading
        self._post = post
        self._carrying = carrying
        self._voices = voices
        self._tap = tap or Deaf()
        self._now_ms = now_ms
        self._new_id = new_id
        self._people: dict[str, Known] = {}
        """Who a link's key is."""
        self._heard_in: dict[Link, Voice] = {}
        """The voice of the room that a link is open to, at hand for each packet."""
        self._offers = Limiter(rate=limits.OFFER_REFILL_PER_S, burst=limits.OFFER_BURST)
        """Of each page: a link brings allowances of its own, and a new one is none of them."""
        self._absent: dict[str, int] = {}
        self._leaving: set[str] = set()
        self._across = Across(post, now_ms, self._start)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._empty = asyncio.Event()
        self.rounds = Rounds(self.rooms, self._across, lambda session_id: self.give_up(session_id, "failed"), clock)

    @property
    def peers(self) -> int:
        """How many are on the relay."""
        return sum(len(lodging.room) for lodging in self.rooms.values())

    @property
    def kept(self) -> int:
        """Entries of all that is kept of people beside rooms, and of their voices: nothing, once everybody has gone."""
        tables = (self._people, self._heard_in, self._absent, self._leaving, self._across.posting, self._tasks)
        voices = sum(lodging.room.voice.kept for lodging in self.rooms.values())
        return sum(len(table) for table in tables) + voices

    @property
    def waiting_bytes(self) -> int:
        """What waits on all links, because its peer or the network does not take it yet."""
        links = [member.link for lodging in self.rooms.values() for member in lodging.room]
        return sum([link.presence_buffered + link.control_buffered for link in links])

    @property
    def voices(self) -> Counter[str]:
        """What there is of voice in all rooms; see `Voice.counts`."""
        return sum((lodging.room.voice.counts() for lodging in self.rooms.values()), Counter())

    # -- signals --

    async def offer(self, offer: PeerOffer) -> str:
        """The answer's SDP. RELAY_REFUSED, RELAY_FULL, SDP_INVALID; RATE_LIMITED for a page that offers too often."""
        session_id, peer, connection_id = offer.session_id, offer.peer, offer.connection_id
        if session_id is None or peer is None or connection_id is None or self.transport is None:
            raise AppError(Code.RELAY_REFUSED)
        wait_ms = self._offers.take(key_of(session_id, peer.peer_id), self._now_ms()).wait_ms
        if wait_ms:
            raise AppError(Code.RATE_LIMITED, retry_after_ms=wait_ms)
        if self.draining or not await self._ours(session_id):
            raise AppError(Code.RELAY_REFUSED)
        person = Person(session_id, peer.peer_id, peer.user_id, peer.role, connection_id, peer.name)
        before = self._people.get(person.key)
        self._people[person.key] = Known(person, offer.link, self._now_ms())
        try:
            return await self.transport.answer(person.key, offer.link, offer.sdp)
        except Exception:
            if before is None:
                del self._people[person.key]
            else:
                self._people[person.key] = before
            raise

    def bye(self, session_id: str, peer_id: str, link_id: str) -> None:
        """A peer ends its link."""
        link = self.transport.link(key_of(session_id, peer_id)) if self.transport else None
        if link is not None and link.link_id == link_id:
            link.close("left")

    def give_up(self, session_id: str, reason: str) -> None:
        """The room is another node's, or over."""
        lodging = self.rooms.pop(session_id, None)
        if lodging is not None:
            log.event("room.given_up", session_id=session_id, reason=reason, peers=len(lodging.room))
            lodging.room.close(reason)
            self._tap.gone(session_id)

    def give_up_all(self, reason: str) -> None:
        """Every room may be another node's."""
        for session_id in tuple(self.rooms):
            self.give_up(session_id, reason)

    def remove(self, session_id: str, user_id: str) -> None:
        """A participant was removed: every carrier at once, a link that has not opened yet as well."""
        lodging = self.rooms.get(session_id)
        if lodging is not None:
            lodging.census.remove(user_id)
        for key, known in list(self._people.items()):
            link = self.transport.link(key) if self.transport else None
            if link is not None and (known.person.session_id, known.person.user_id) == (session_id, user_id):
                link.close("removed")

    def change_role(self, session_id: str, user_id: str, role: Role) -> None:
        """A participant has another role."""
        lodging = self.rooms.get(session_id)
        if lodging is not None:
            lodging.census.change_role(user_id, role)
            lodging.room.change_role(user_id, role)

    def voice_changed(self, session_id: str) -> None:
        """A room's voice is another one."""
        lodging = self.rooms.get(session_id)
        if lodging is not None:
            self._start(self._rule(lodging))

    # -- links (ports.LinkEvents) --

    def opened(self, link: Link) -> None:
        """Both channels can be used: the peer is on the relay."""
        known = self._people.get(link.key)
        lodging = self.rooms.get(known.person.session_id) if known else None
        person = as_it_is_now(known, lodging.census) if known and lodging else None
        if person is None or lodging is None:
            link.close("refused")
            return
        try:
            lodging.room.join(link, person)
        except AppError:
            link.close("full")
            return
        self._heard_in[link] = lodging.room.voice
        lodging.peopled_at_ms = self._now_ms()
        if lodging.ruling.due:
            self._start(self._rule(lodging))
        log.event("peer.joined", session_id=person.session_id, peer_id=person.peer_id, link_id=link.link_id)

    def presence(self, link: Link, data: str | bytes) -> None:
        """A message on the presence channel."""
        session_id, _, peer_id = link.key.partition(" ")
        lodging = self.rooms.get(session_id)
        if lodging is not None:
            lodging.room.presence(link, peer_id, data)

    def control(self, link: Link, data: str | bytes) -> None:
        """A message on the control channel."""
        session_id, _, peer_id = link.key.partition(" ")
        lodging = self.rooms.get(session_id)
        if lodging is not None:
            lodging.room.control(link, peer_id, data)

    def media(self, link: Link, packet: bytes, now: float) -> None:
        """RTP: see `voice`."""
        voice = self._heard_in.get(link)
        if voice is not None:
            voice.media(link, packet, now)

    def media_control(self, link: Link, packet: bytes, now: float) -> None:
        """RTCP."""
        voice = self._heard_in.get(link)
        if voice is not None:
            voice.media_control(link, packet, now)

    def refused(self, link: Link, code: Code) -> None:
        """Messages were over a limit and dropped."""
        exc = AppError(code, retry_after_ms=1000)
        error = ErrorMessage(
            code=code, message=exc.message, correlation_id=self._new_id(), retry_after_ms=exc.retry_after_ms
        )
        link.send_control(msgspec.json.encode(error).decode())

    def closed(self, link: Link, reason: str) -> None:
        """The end of a link. What it may have lost in its last moments, the WebSocket makes good."""
        self._heard_in.pop(link, None)
        known = self._people.get(link.key)
        if known is not None and known.link_id == link.link_id:
            del self._people[link.key]
            self._absent.pop(link.key, None)
            self._leaving.discard(link.key)
        session_id = link.key.partition(" ")[0]
        lodging = self.rooms.get(session_id)
        member = lodging.room.leave(link) if lodging is not None else None
        if member is None:
            return
        if not self.peers:
            self._empty.set()
        log.event("peer.left", session_id=session_id, peer_id=member.person.peer_id, reason=reason)
        if reason not in _QUIET:
            self._hint(session_id, member.person.connection_id)

    async def emptied(self, at_most_s: float) -> None:
        """Until nobody is on the relay any more, or so much time has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                while self.peers:
                    self._empty.clear()
                    await self._empty.wait()

    # -- time --

    async def censuses(self) -> None:
        """Looks after every room each CENSUS_S, until cancelled."""
        while True:
            await asyncio.sleep(CENSUS_S)
            sessions = list(self.rooms)
            outcomes = await asyncio.gather(*map(self.look_after, sessions), return_exceptions=True)
            for session_id, outcome in zip(sessions, outcomes, strict=True):
                if outcome is not None:
                    log.warning("room.not_looked_after", session_id=session_id, reason=type(outcome).__name__)

    async def look_after(self, session_id: str) -> None:
        """Whether the room is still this node's, and who is in it."""
        lodging = self.rooms.get(session_id)
        if lodging is None:  # given up meanwhile
            return
        now = self._now_ms()
        if len(lodging.room):
            lodging.peopled_at_ms = now
            if lodging.ruling.due:
                self._start(self._rule(lodging))
        elif now - lodging.peopled_at_ms > _EMPTY_MS:
            self.give_up(session_id, "empty")
            return
        try:
            relay = await self._assignments.relay(session_id)
            if relay.node_id != self.node_id:
                self.give_up(session_id, "moved")
                return
            await lodging.census.read()
        except AppError:  # the database is away: what is known will do
            return
        self._compare(lodging)

    def _compare(self, lodging: Lodging) -> None:
        """The people on the relay with those in the rows."""
        now, room, rows = self._now_ms(), lodging.room, lodging.census.rows
        for member in list(room):
            row, key = rows.get(member.person.peer_id), member.person.key
            if row is not None:
                self._absent.pop(key, None)
                room.change(row.peer_id, role=lodging.census.role(row), connection_id=row.connection_id)
                (self._leaving.add if row.leaving_at_ms or row.gone(now) else self._leaving.discard)(key)
            elif key not in self._leaving:
                member.link.close("removed")
            elif now - self._absent.setdefault(key, now) > _ABSENT_MS:
                member.link.close("idle")
        reachable = frozenset(row.connection_id for row in rows.values() if row.reachable(now))
        for connection_id in reachable - lodging.reachable:
            if lodging.reachable and room.member_at(connection_id) is None:
                self._hint(room.session_id, connection_id)
        lodging.reachable = reachable

    def census(self, session_id: str) -> Census:
        """Who is in a session, whether or not it has a room here."""
        lodging = self.rooms.get(session_id)
        return lodging.census if lodging else Census(session_id, self._reading, self._now_ms)

    def room(self, session_id: str) -> Room | None:
        """A session's room, where it has one here."""
        lodging = self.rooms.get(session_id)
        return lodging.room if lodging else None

    def members(self, session_id: str) -> list[Member]:
        """Who of a session is on the relay."""
        lodging = self.rooms.get(session_id)
        return list(lodging.room) if lodging else []

    def member_at(self, connection_id: str) -> Member | None:
        """Whose page a WebSocket is, where they have a channel that is open."""
        for lodging in self.rooms.values():
            member = lodging.room.member_at(connection_id)
            if member is not None:
                return member
        return None

    # -- within --

    async def _ours(self, session_id: str) -> bool:
        """Whether the room is this node's; it has its place here from then on."""
        if session_id not in self.rooms:
            relay = await self._assignments.relay(session_id)
            if relay.node_id != self.node_id:
                return False
            if session_id not in self.rooms and len(self.rooms) >= limits.NODE_ROOMS_MAX:
                raise AppError(Code.RELAY_FULL)
            now_ms = self._now_ms
            room = Room(session_id, self._carrying, now_ms=now_ms, new_id=self._new_id, tap=self._tap)
            census = Census(session_id, self._reading, now_ms)
            ruling = Ruling(session_id, room.voice, self._voices, now_ms)
            self.rooms.setdefault(session_id, Lodging(room, census, ruling, now_ms()))
            log.event("room.opened", session_id=session_id, generation=relay.generation)
        return True

    async def _rule(self, lodging: Lodging) -> None:
        with contextlib.suppress(AppError):  # what is known will do; it is read again before long
            await lodging.ruling.read()

    def _hint(self, session_id: str, connection_id: str) -> None:
        for hint in self._carrying.hints(session_id):
            self._start(self._post(connection_id, hint))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("house.task_failed", reason=type(task.exception()).__name__)
