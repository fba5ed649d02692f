"""One room on a media node: its links, who is behind them, what they say, what they are told.

The law: who a message is from is the person whom signalling verified for the link. A state is taken if it is newer
(epoch, then counter) and its author's role allows it; it is told in the next tick. What is reliable (roster, answers,
commits) goes on the control channel.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import SystemRandom
from typing import Final, Protocol

import msgspec

from chalicelib.sessions.model import Permission, allows
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message, request_id_of
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import (
    DocFetch,
    ErrorMessage,
    OpSubmit,
    PeerState,
    Ping,
    Pong,
    PresenceUpdate,
)
from chalicelib.wire.signals import RelayPrefer, RelayRoster
from chalicelib.wire.types import Activity, PresenceState, Role
from chalicelib.wire.voice import VoicePrefer
from media_node.audience import Audience
from media_node.bridge import Bridge
from media_node.frames import entry
from media_node.member import Member
from media_node.model import Person
from media_node.ports import Link
from media_node.roster import Roster
from media_node.tap import Deaf, Tap
from media_node.voice import Voice

_encode: Final = msgspec.json.Encoder().encode
_update: Final = msgspec.json.Decoder(PresenceUpdate)


class Carrying(Protocol):
    """What becomes of messages that are about documents."""

    def handle(self, person: Person, message: OpSubmit | DocFetch) -> None:
        """Begins; the answer comes by the person's channel, or their WebSocket."""
        ...

    def hints(self, session_id: str) -> list[bytes]:
        """How far the documents of a session are that are served here: whoever knows less fetches."""
        ...


class Room:
    """One session's peers on this node."""

    def __init__(
        self,
        session_id: str,
        carrying: Carrying,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        tap: Tap | None = None,
    ) -> None:
        self.session_id = session_id
        self.bridge = Bridge()
        self.voice = Voice(session_id, tap or Deaf(), wall_ms=now_ms, chance=SystemRandom())
        self._carrying = carrying
        self._now_ms = now_ms
        self._new_id = new_id
        self._members: dict[str, Member] = {}
        self._by_index: dict[int, Member] = {}
        self._by_connection: dict[str, Member] = {}
        self._roster = Roster()
        self._audience = Audience()

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    # -- coming and going --

    def join(self, link: Link, person: Person) -> None:
        """A link opened. An older one of the same peer counts no more. RELAY_FULL."""
        index = self._roster.join(person.peer_id)
        there = self._members.get(person.peer_id)
        if there is None:
            there = self._members[person.peer_id] = self._by_index[index] = Member(link, person, index)
        else:
            self._by_connection.pop(there.person.connection_id, None)
            there.link, there.person, there.frame_bytes = link, person, limits.RELAY_FRAME_BYTES
        self._by_connection[person.connection_id] = there
        self._audience.join(index)
        self.voice.join(self._members[person.peer_id])
        link.send_control(_encode(self._roster.full()).decode())
        for hint in self._carrying.hints(self.session_id):
            link.send_control(hint.decode())

    def leave(self, link: Link) -> Member | None:
        """A link closed; who that was, if it was their newest."""
        self.voice.leave(link)
        member = next((m for m in self._members.values() if m.link is link), None)
        if member is None:
            return None
        peer_id = member.person.peer_id
        del self._members[peer_id], self._by_index[member.index]
        self._by_connection.pop(member.person.connection_id, None)
        self._roster.leave(peer_id)
        self._audience.leave(member.index)
        self.bridge.leave(peer_id)
        return member

    def close(self, reason: str, *, user_id: str | None = None) -> None:
        """Ends all links, or all of one person."""
        for member in list(self._members.values()):
            if user_id in {None, member.person.user_id}:
                member.link.close(reason)

    def change(self, peer_id: str, *, role: Role, connection_id: str) -> None:
        """What is known of somebody by now."""
        member = self._members.get(peer_id)
        if member is None or (member.person.role, member.person.connection_id) == (role, connection_id):
            return
        self._by_connection.pop(member.person.connection_id, None)
        before, member.person = member.person, replace(member.person, role=role, connection_id=connection_id)
        self._by_connection[connection_id] = member
        if role is not before.role:
            self.voice.refresh()

    def change_role(self, user_id: str, role: Role) -> None:
        """Somebody has another role, in all their pages."""
        for member in list(self._members.values()):
            if member.person.user_id == user_id:
                self.change(member.person.peer_id, role=role, connection_id=member.person.connection_id)

    # -- what they say --

    def presence(self, link: Link, peer_id: str, data: str | bytes) -> None:
        """A `presence.update`; an older one than is known is dropped silently."""
        member = self._members.get(peer_id)
        if member is None or member.link is not link:
            return
        try:
            message = _update.decode(data)
            if message.user_id not in {None, member.person.user_id}:
                raise AppError(Code.IDENTITY_MISMATCH)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._refuse(link, data, AppError(Code.BODY_INVALID))
            return
        except AppError as exc:
            self._refuse(link, data, exc)
            return
        order = (message.epoch, message.counter)
        if order <= member.order:
            return
        if message.epoch != member.order[0]:
            self._begin(member, message.epoch)
        member.order = order
        editor = not message.state.drag or allows(member.person.role, Permission.EDIT)
        self._take(member, message.state if editor else _empty_handed(message.state))

    def control(self, link: Link, peer_id: str, data: str | bytes) -> None:
        """A message of the WebSocket's vocabulary."""
        member = self._members.get(peer_id)
        if member is None or member.link is not link:
            return
        text = data
        try:
            text = _inflated(data) if isinstance(data, bytes) else data
            message = decode_client_message(text)
            wait_ms = member.fetch_wait_ms(self._now_ms()) if isinstance(message, DocFetch) else 0
            if wait_ms:
                raise AppError(Code.RATE_LIMITED, retry_after_ms=wait_ms)
            if isinstance(message, Ping):
                self._answer(link, message)
            elif isinstance(message, OpSubmit | DocFetch):
                self._carrying.handle(member.person, message)
            elif isinstance(message, VoicePrefer):
                self.voice.prefer(link, message)
            elif isinstance(message, RelayPrefer):
                member.frame_bytes = message.frame_bytes
                self._audience.prefer(member.index, message.frame_bytes)
            else:
                raise AppError(Code.MESSAGE_UNKNOWN, "not on this carrier")
        except AppError as exc:
            self._refuse(link, text, exc)

    # -- what they are told --

    def tick(self, tick: int, at_ms: float) -> int:
        """One frame for each listener that is due; how many bytes that was."""
        roster = self._roster.changes()
        if roster is not None:
            self._tell(roster)
        members = self._by_index
        sent = 0
        for index, data in self._audience.frames(tick, at_ms, self._held_up):
            members[index].link.send_presence(data)
            sent += len(data)
        return sent

    def member_at(self, connection_id: str) -> Member | None:
        """Whose page a WebSocket is, where they have a channel that is open."""
        member = self._by_connection.get(connection_id)
        return member if member is not None and member.link.open else None

    def fragment(self, peer_id: str) -> bytes:
        """A peer's newest state, as `presence.frame` has it."""
        member = self._members[peer_id]
        epoch, counter = member.order
        state = PeerState(peer_id=peer_id, epoch=epoch, counter=counter, at_ms=member.state_at_ms, state=member.state)
        return _encode(state)

    # -- within --

    def _begin(self, member: Member, epoch: int) -> None:
        """The first state of an epoch: a page that was loaded anew is another index."""
        index = self._roster.begin(member.person.peer_id, epoch)
        if index != member.index:
            self._audience.leave(member.index)
            del self._by_index[member.index]
            member.index = index
            self._by_index[index] = member
            self._audience.join(index)
            self._audience.prefer(index, member.frame_bytes)

    def _take(self, member: Member, state: PresenceState) -> None:
        member.state, member.state_at_ms = state, self._now_ms()
        data = entry(member.index, member.order[1], state)
        position = state.pose.position if state.pose is not None else None
        self._audience.update(member.index, data, position, speaking=state.activity is Activity.SPEAKING)
        self.bridge.update(member.person.peer_id)

    def _held_up(self, index: int) -> bool:
        link = self._by_index[index].link
        return not link.open or link.presence_buffered > limits.RELAY_BUFFER_BYTES

    def _tell(self, roster: RelayRoster) -> None:
        data = _encode(roster).decode()
        for member in self._members.values():
            member.link.send_control(data)

    def _answer(self, link: Link, ping: Ping) -> None:
        """With what a page cannot measure itself of the way to it."""
        pong = Pong(
            id=ping.id,
            at_ms=ping.at_ms,
            server_time_ms=self._now_ms(),
            loss=link.loss,
            available_kbps=link.available_kbps,
        )
        link.send_control(_encode(pong).decode())

    def _refuse(self, link: Link, data: str | bytes, exc: AppError) -> None:
        error = ErrorMessage(
            id=request_id_of(data),
            code=exc.code,
            message=exc.message,
            correlation_id=self._new_id(),
            retry_after_ms=exc.retry_after_ms,
        )
        link.send_control(_encode(error).decode())


def _empty_handed(state: PresenceState) -> PresenceState:
    """The same with empty hands."""
    return msgspec.structs.replace(state, drag=())


def _inflated(data: bytes) -> bytes:
    """What a binary message says. Never more than a message may be, whatever it claims."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = inflater.decompress(data, limits.CHANNEL_MESSAGE_BYTES)
    except zlib.error as exc:
        raise AppError(Code.BODY_MALFORMED) from exc
    if not inflater.eof:
        raise AppError(Code.BODY_TOO_LARGE if inflater.unconsumed_tail else Code.BODY_MALFORMED)
    return text
