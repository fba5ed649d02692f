"""Voice over stores in memory: books and blocks as the table keeps them, a room with real presence, a gate by hand.

`MemoryVoice` passes the same contract suite as the real store (tests/contract/test_voice_store.py).
"""

import asyncio
from collections.abc import Collection

import msgspec

from chalicelib.peers.turn import Ice, ice_servers
from chalicelib.presence.broadcast import Broadcaster
from chalicelib.presence.model import Connection, Row
from chalicelib.presence.service import Presence
from chalicelib.voice.book import Book
from chalicelib.voice.changes import Changes
from chalicelib.voice.reading import VoiceReading
from chalicelib.voice.service import Voice
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import IceServers, RelayState, RelayStatus
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role, UserKind
from chalicelib.wire.voice import JoinVoice, VoiceChanged, VoiceJoined
from tests.fakes.presence import Clock, MemoryRows, MemorySender

S = "ses_" + "a" * 20
TAB = "tab00001"


class MemoryVoice:
    """The books and blocks of the media table. Books are kept as JSON, as there."""

    def __init__(self) -> None:
        self.books: dict[str, bytes] = {}
        self.sets: dict[str, frozenset[str]] = {}
        self.writes = 0
        self.lost_answers = 0
        """So many of the next writes are made, and answered as if another had been first."""

    async def read(self, session_id: str) -> Book:
        body = self.books.get(session_id)
        await asyncio.sleep(0)
        return Book() if body is None else msgspec.json.decode(body, type=Book)

    async def swap(self, session_id: str, revision: int, book: Book, now_ms: int) -> bool:
        await asyncio.sleep(0)
        body = self.books.get(session_id)
        there = 0 if body is None else msgspec.json.decode(body, type=Book).revision
        if there != revision:
            return False
        self.books[session_id] = msgspec.json.encode(book)
        self.writes += 1
        if self.lost_answers:
            self.lost_answers -= 1
            return False
        return True

    async def erase(self, session_id: str) -> None:
        self.books.pop(session_id, None)

    async def blocked(self, user_id: str) -> frozenset[str]:
        return self.sets.get(user_id, frozenset())

    async def block(self, user_id: str, other_id: str, *, ends: bool, now_ms: int) -> frozenset[str] | None:
        old = self.sets.get(user_id, frozenset())
        if len(old) >= limits.VOICE_BLOCKS_MAX and other_id not in old:
            return None
        self.sets[user_id] = old | {other_id}
        return self.sets[user_id]

    async def unblock(self, user_id: str, other_id: str) -> None:
        self.sets[user_id] = self.sets.get(user_id, frozenset()) - {other_id}

    async def blocked_by(self, user_ids: Collection[str]) -> dict[str, frozenset[str]]:
        return {user_id: found for user_id in user_ids if (found := self.sets.get(user_id))}


class MemoryNode:
    """The room's media node: how often it was told."""

    def __init__(self) -> None:
        self.told: list[VoiceChanged] = []
        self.away: AppError | None = None

    async def notify(self, session_id: str, message: VoiceChanged) -> None:
        if self.away:
            raise self.away
        self.told.append(message)


class MemoryGate:
    """One session. `olga` owns it, everybody whose name begins with `x` is a stranger."""

    async def moderates(self, session_id: str, identity: Identity) -> bool:
        if session_id != S:
            raise AppError(Code.SESSION_UNKNOWN)
        if identity.user_id.startswith("x"):
            raise AppError(Code.ROLE_INSUFFICIENT)
        return identity.user_id == "olga"


class MemoryCarrier:
    """A mesh, until it is set otherwise."""

    def __init__(self) -> None:
        self.state = RelayState(status=RelayStatus.NONE)

    async def relay(self, session_id: str) -> RelayState:
        return self.state

    def ice_servers(self, identity: Identity) -> IceServers:
        return ice_servers(Ice(("stun:turn.test",)), identity.user_id, now_ms=0, ttl_s=60)


class Hall:
    """Everything. Pages are `page(name)`, their connections `c-<name>-<tab>`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = MemoryRows()
        self.sender = MemorySender()
        self.store = MemoryVoice()
        self.node = MemoryNode()
        self.carrier = MemoryCarrier()
        self.logged: list[str] = []
        broadcaster = Broadcaster(
            self.rows, self.sender, self._on_gone, now_ms=self.clock, new_id=lambda: "h", sleep=self.clock.sleep
        )
        self.presence = Presence(self.rows, self.sender, broadcaster, now_ms=self.clock)
        self.reading = VoiceReading(self.store, self.rows, now_ms=self.clock)
        self._ids = 0
        self.voice = self.container()

    def container(self) -> Voice:
        """Another process."""
        changes = Changes(
            self.store,
            self.presence,
            self.node,
            now_ms=self.clock,
            jitter=lambda: 0.5,
            log=self._log,
            sleep=lambda _seconds: asyncio.sleep(0),
        )
        return Voice(MemoryGate(), changes, self.store, self.carrier, now_ms=self.clock, new_id=self._new_id)

    async def page(self, name: str, tab: str = TAB) -> Connection:
        """Somebody's page, which has entered the room."""
        made = Connection(f"c-{name}-{tab}", S, f"{name}.{tab}", name, name.title(), "#aabbcc", UserKind.GUEST)
        await self.presence.connect(made, Role.EDITOR)
        await self.presence.enter(made)
        return made

    async def join(self, name: str, tab: str = TAB, **fields: object) -> VoiceJoined:
        """Somebody's page is in the room, and in voice."""
        await self.page(name, tab)
        body = msgspec.convert({"tab_id": tab, **fields}, JoinVoice)
        return await self.voice.join(S, who(name), body)

    async def crash(self, name: str, tab: str = TAB) -> None:
        """Somebody's page has gone for good; nobody was told."""
        await self.rows.leave(S, f"{name}.{tab}", f"c-{name}-{tab}", self.clock.ms)

    def told(self, name: str, tab: str = TAB) -> list[VoiceChanged]:
        """What of voice a page got."""
        data = self.sender.to(f"c-{name}-{tab}")
        return [msgspec.json.decode(d, type=VoiceChanged) for d in data if b'"voice.changed"' in d]

    def _new_id(self, characters: int) -> str:
        self._ids += 1
        return str(self._ids).zfill(characters)

    def _log(self, name: str, **fields: object) -> None:
        self.logged.append(name)

    async def _on_gone(self, row: Row) -> None:
        await self.voice.left(row)


def who(user_id: str, kind: UserKind = UserKind.ACCOUNT) -> Identity:
    """Somebody."""
    return Identity(user_id, user_id.title(), kind)
