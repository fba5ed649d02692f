"""Documents on a media node: the same socket, drainer and committer as functions have, at the node's pace.

Theory of operation. A submission that comes by a channel is handed to the drainer of this process, which takes the
document's lease for as long as it is busy. A function that is asked to drain meanwhile puts what it has into the
document's queue, and the node answers that connection itself. Whoever has an open channel here is reached by it,
everybody else by a post to their WebSocket. What a round committed is encoded and compressed once, and the same bytes
go to everybody. Exactly once and nothing lost are the log's doing (docs/adr/0006, 0007): a node that is killed, paused
or cut off can do no harm.
"""

import asyncio
import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from chalicelib.aws import log
from chalicelib.documents.courier import Courier, committed
from chalicelib.documents.model import Listener
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import DocFetch, ErrorMessage, OpSubmit
from chalicelib.wire.types import Delivery
from media_node.member import Member
from media_node.model import Person
from media_node.room import Room

_WORTH_BYTES: Final = 400
"""Shorter messages go as text: compressing them saves no packet."""


class Post(Protocol):
    """Posts to a WebSocket."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


class Where(Protocol):
    """Who has a channel here."""

    def room(self, session_id: str) -> Room | None: ...
    def member_at(self, connection_id: str) -> Member | None: ...


def on_channel(data: bytes) -> str | bytes:
    """A message as a control channel carries it: text, or its raw deflate."""
    if len(data) < _WORTH_BYTES:
        return data.decode()
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


class Channels:
    """Reaches a session's people: by channel where there is one, by their WebSocket where not. See
    `courier.Telling`.
    """

    def __init__(self, where: Where, session_id: str, post: Post) -> None:
        self._where = where
        self._session_id = session_id
        self._courier = Courier(post)

    def send(self, connection_id: str, data: bytes) -> None:
        """Answers one."""
        room = self._where.room(self._session_id)
        member = room.member_at(connection_id) if room else None
        if member is None or not _say(member, on_channel(data)):
            self._courier.send(connection_id, data)

    def tell(self, listeners: Sequence[Listener], data: bytes) -> None:
        """Tells everybody on the relay, whether or not they are known to listen yet, and the others by post."""
        room = self._where.room(self._session_id)
        reached: set[str] = set()
        if room is not None and len(room):
            packed = on_channel(data)
            members = list(room)  # who takes no more leaves it
            reached = {member.person.connection_id for member in members if _say(member, packed)}
        for listener in listeners:
            if listener.reachable and listener.connection_id not in reached:
                self._courier.send(listener.connection_id, data)

    def hears(self, connection_id: str) -> bool:
        """Channels lose nothing while they are open; what was lost with one is fetched by the next carrier's hint."""
        room = self._where.room(self._session_id)
        return room is not None and room.member_at(connection_id) is not None

    async def close(self, hint: bytes) -> None:
        """Waits for what is on its way by post."""
        await self._courier.close(hint)


class Handling(Protocol):
    """The documents' socket."""

    async def submit(self, connection: Person, message: OpSubmit) -> None: ...
    async def fetch(self, connection: Person, message: DocFetch) -> None: ...


class Draining(Protocol):
    """The documents' drainer."""

    @property
    def served(self) -> int: ...
    def heads(self, session_id: str) -> dict[str, int]: ...
    async def retire(self) -> None: ...


class Operations:
    """What becomes of `op.submit` and `doc.fetch`; see `room.Carrying`."""

    def __init__(self, socket: Handling, drainer: Draining, post: Post, new_id: Callable[[], str]) -> None:
        self._socket = socket
        self._drainer = drainer
        self._post = post
        self._new_id = new_id
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, person: Person, message: OpSubmit | DocFetch) -> None:
        """Begins; nobody waits for it."""
        task = asyncio.ensure_future(self._handled(person, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hints(self, session_id: str) -> list[bytes]:
        """How far the documents of a session are that are served here."""
        return [committed(document_id, head) for document_id, head in self._drainer.heads(session_id).items() if head]

    @property
    def served(self) -> int:
        """How many documents are served here, and requests under way."""
        return self._drainer.served + len(self._tasks)

    async def retire(self) -> None:
        """Finishes what was promised, and promises no more."""
        await self._drainer.retire()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _handled(self, person: Person, message: OpSubmit | DocFetch) -> None:
        correlation = self._new_id()
        log.correlation_id.set(correlation)
        try:
            if isinstance(message, OpSubmit):
                await self._socket.submit(person, message)
            else:
                await self._socket.fetch(person, message)
        except Exception as failure:  # noqa: BLE001 - the shell's edge: logged and mapped once
            if not isinstance(failure, AppError):
                log.failure("operation.failed", connection_id=person.connection_id)
            exc = failure if isinstance(failure, AppError) else AppError(Code.INTERNAL)
            error = ErrorMessage(
                id=message.id,
                code=exc.code,
                message=exc.message,
                correlation_id=correlation,
                retry_after_ms=exc.retry_after_ms,
            )
            await self._post(person.connection_id, msgspec.json.encode(error))


async def answer(where: Where, post: Post, connection_id: str, data: bytes) -> Delivery:
    """By channel where there is one, by post where not."""
    member = where.member_at(connection_id)
    if member is not None and _say(member, on_channel(data)):
        return Delivery.SENT
    return await post(connection_id, data)


def _say(member: Member, packed: str | bytes) -> bool:
    """Sends on the control channel. One that takes no more is let go: its page comes again, and fetches what it
    missed.
    """
    link = member.link
    if not link.open:
        return False
    if link.control_buffered > limits.CONTROL_BUFFER_BYTES:
        link.close("slow")
        return False
    link.send_control(packed)
    return True
