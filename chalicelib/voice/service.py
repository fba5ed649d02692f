"""A room's voice: who is in it and in which channel, who may be heard, and who is kept from whom.

Nothing here carries sound: pages hear each other over the connections that they have, and a media node, which reads what
is written here, keeps everybody to it (docs/voice.md). The laws: a page is the caller's own and is in the room, or it is
PEER_UNKNOWN; owners moderate, and nobody opens another's microphone; whom somebody blocks, only they learn.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from chalicelib.presence.model import Row
from chalicelib.voice import acts
from chalicelib.voice.book import Book, Pages, channel_of, person_of, person_told, told, user_of
from chalicelib.voice.changes import Changes
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import IceServers, RelayState, RelayStatus, Topology
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import UserKind
from chalicelib.wire.voice import (
    ActiveRecording,
    JoinVoice,
    VoiceBlocks,
    VoiceChannel,
    VoiceChannels,
    VoiceChannelSettings,
    VoiceJoined,
    VoicePerson,
    VoicePersonChange,
    VoiceState,
)


class Gate(Protocol):
    """Who may be in a room, and who moderates it; the sessions room."""

    async def moderates(self, session_id: str, identity: Identity) -> bool:
        """Whether somebody moderates. Refuses whoever may not be present, as the sessions room does."""
        ...


class Carrier(Protocol):
    """How a room is carried; the peers room."""

    async def relay(self, session_id: str) -> RelayState: ...
    def ice_servers(self, identity: Identity) -> IceServers: ...


class Blocks(Protocol):
    """Who blocks whom; `voice.store` is the real one."""

    async def blocked(self, user_id: str) -> frozenset[str]: ...
    async def block(self, user_id: str, other_id: str, *, ends: bool, now_ms: int) -> frozenset[str] | None: ...
    async def unblock(self, user_id: str, other_id: str) -> None: ...


class Voice:
    """What the routes do, and what other rooms tell. The caller's identity is always the token's."""

    def __init__(
        self,
        gate: Gate,
        changes: Changes,
        blocks: Blocks,
        carrier: Carrier,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[int], str],
    ) -> None:
        self._gate = gate
        self._changes = changes
        self._blocks = blocks
        self._carrier = carrier
        self._now_ms = now_ms
        self._new_id = new_id

    # -- being in it --

    async def state(self, session_id: str, identity: Identity) -> VoiceState:
        """All of a room's voice, for who may be in the room."""
        await self._gate.moderates(session_id, identity)
        return await self._changes.state(session_id)

    async def join(self, session_id: str, identity: Identity, body: JoinVoice) -> VoiceJoined:
        """A page is in voice from now on. PEER_UNKNOWN for one that is not in the room; and what `acts.join` and
        `acts.choose` refuse.
        """
        moderates = await self._gate.moderates(session_id, identity)
        peer_id, stay = f"{identity.user_id}.{body.tab_id}", f"pc_{self._new_id(20)}"

        def act(book: Book, pages: Pages) -> Book:
            if peer_id not in pages:
                raise AppError(Code.PEER_UNKNOWN)
            acts.choose(book, body.channel_id, moderates=moderates)
            return acts.join(book, peer_id, pages[peer_id], body, stay)

        book, relay = await asyncio.gather(self._changes.make(session_id, act), self._carrier.relay(session_id))
        return VoiceJoined(
            success=True,
            message="Voice chat joined successfully",
            peer_connection_id=book.members[peer_id].stay,
            session_id=session_id,
            channel=channel_of(book, person_of(book, identity.user_id).channel_id),
            carrier=Topology.RELAY if relay.status is RelayStatus.READY else Topology.MESH,
            slots=limits.VOICE_SLOTS,
            relay=relay,
            ice=self._carrier.ice_servers(identity),
            voice=told(book),
        )

    async def leave(self, session_id: str, identity: Identity, tab_id: str) -> None:
        """A page is out of voice. One that was not in it is so already."""
        await self._gate.moderates(session_id, identity)
        peer_id = f"{identity.user_id}.{tab_id}"
        await self._changes.make(session_id, lambda book, _: acts.leave(book, peer_id, self._now_ms()))

    # -- channels --

    async def channels(self, session_id: str, identity: Identity) -> VoiceChannels:
        """A room's channels, `main` first."""
        await self._gate.moderates(session_id, identity)
        return VoiceChannels(channels=(await self._changes.state(session_id)).channels)

    async def make_channel(self, session_id: str, identity: Identity, settings: VoiceChannelSettings) -> VoiceChannel:
        """A channel more; what `acts.make_channel` refuses."""
        await self._moderator(session_id, identity)
        channel_id = f"vch_{self._new_id(12)}"
        book = await self._changes.make(session_id, lambda book, _: acts.make_channel(book, channel_id, settings))
        return channel_of(book, channel_id)

    async def change_channel(
        self, session_id: str, identity: Identity, channel_id: str, settings: VoiceChannelSettings
    ) -> VoiceChannel:
        """A channel is so from now on; what `acts.change_channel` refuses."""
        await self._moderator(session_id, identity)
        book = await self._changes.make(session_id, lambda book, _: acts.change_channel(book, channel_id, settings))
        return channel_of(book, channel_id)

    async def drop_channel(self, session_id: str, identity: Identity, channel_id: str) -> None:
        """A channel less; what `acts.drop_channel` refuses."""
        await self._moderator(session_id, identity)
        await self._changes.make(session_id, lambda book, _: acts.drop_channel(book, channel_id))

    # -- people --

    async def change_person(
        self, session_id: str, identity: Identity, user_id: str, change: VoicePersonChange
    ) -> VoicePerson:
        """Somebody is so from now on. ROLE_INSUFFICIENT for what is not the caller's to say, nor for anybody to take
        themselves out; and see `acts.change_person`.
        """
        moderates = await self._gate.moderates(session_id, identity)
        own = user_id == identity.user_id
        if not acts.allowed(change, own=own, moderates=moderates):
            raise AppError(Code.ROLE_INSUFFICIENT)
        if own and change.removed:
            raise AppError(Code.ROLE_INSUFFICIENT, "nobody takes themselves out; leave voice instead")

        def act(book: Book, pages: Pages) -> Book:
            known = any(user_of(peer_id) == user_id for peer_id in pages)
            acts.choose(book, change.channel_id, moderates=moderates)
            return acts.change_person(book, user_id, change, known=known, now_ms=self._now_ms())

        return person_told(await self._changes.make(session_id, act), user_id)

    async def blocks(self, session_id: str, identity: Identity) -> VoiceBlocks:
        """Whom the caller blocks, in every room."""
        await self._gate.moderates(session_id, identity)
        return VoiceBlocks(blocked=tuple(sorted(await self._blocks.blocked(identity.user_id))))

    async def block(self, session_id: str, identity: Identity, user_id: str) -> VoiceBlocks:
        """The caller blocks somebody, in every room. VOICE_BLOCK_LIMIT. Nobody blocks themselves: that changes nothing."""
        await self._gate.moderates(session_id, identity)
        if user_id == identity.user_id:
            return await self.blocks(session_id, identity)
        ends = identity.kind is UserKind.GUEST
        blocked = await self._blocks.block(identity.user_id, user_id, ends=ends, now_ms=self._now_ms())
        if blocked is None:
            raise AppError(Code.VOICE_BLOCK_LIMIT)
        await self._changes.blocked(session_id)
        return VoiceBlocks(blocked=tuple(sorted(blocked)))

    async def unblock(self, session_id: str, identity: Identity, user_id: str) -> None:
        """The caller blocks somebody no longer; who was not blocked is so already."""
        await self._gate.moderates(session_id, identity)
        await self._blocks.unblock(identity.user_id, user_id)
        await self._changes.blocked(session_id)

    # -- for other rooms --

    async def left(self, row: Row) -> None:
        """A page has gone from the room."""
        await self._changes.left(row.session_id, lambda book: row.peer_id in book.members)

    async def expelled(self, session_id: str, user_id: str) -> None:
        """Somebody was put out of the room, or left it, with all of their pages."""
        await self._changes.left(session_id, lambda book: any(user_of(peer_id) == user_id for peer_id in book.members))

    async def record(self, session_id: str, change: Callable[[Book], ActiveRecording | None]) -> VoiceState:
        """What is recorded in a room is from now on what `change` makes of the book, which may refuse; told to everybody."""
        return told(await self._changes.make(session_id, lambda book, _: acts.record(book, change(book))))

    async def erase(self, session_id: str) -> None:
        """All that is kept of a session; whom people block is theirs."""
        await self._changes.erase(session_id)

    async def _moderator(self, session_id: str, identity: Identity) -> None:
        if not await self._gate.moderates(session_id, identity):
            raise AppError(Code.ROLE_INSUFFICIENT)
