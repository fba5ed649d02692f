"""What a drainer answers and tells, in which words, and how it reaches people: nobody waits for the slow."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from chalicelib.documents.model import CODE_OF, Listener, Record, Refused, Waiting
from chalicelib.wire import limits
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpRejected
from chalicelib.wire.types import Delivery

_UNDER_WAY_MAX: Final = 16
"""Posts to one connection at once; past them it is told later that it missed something, and fetches."""
_encode: Final = msgspec.json.Encoder().encode


class Post(Protocol):
    """Posts to a connection."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


class Telling(Protocol):
    """How a drainer reaches people while it serves a document."""

    def send(self, connection_id: str, data: bytes) -> None:
        """Answers one."""
        ...

    def tell(self, listeners: Sequence[Listener], data: bytes) -> None:
        """Tells everybody what was committed."""
        ...

    def hears(self, connection_id: str) -> bool:
        """Whether whatever is told surely reaches it, in order: then its own commit among it is its acknowledgement."""
        ...

    async def close(self, hint: bytes) -> None:
        """Waits for what is on its way; whoever missed something gets the hint."""
        ...


class Courier:
    """Posts that nobody waits for: a slow or failing recipient delays no other."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._under_way: dict[str, set[asyncio.Task[Delivery]]] = {}
        self._missed: set[str] = set()

    def send(self, connection_id: str, data: bytes) -> None:
        """Posts, unless too much is on its way to that connection already."""
        tasks = self._under_way.setdefault(connection_id, set())
        if len(tasks) >= _UNDER_WAY_MAX:
            self._missed.add(connection_id)
            return
        task = asyncio.ensure_future(self._post(connection_id, data))
        tasks.add(task)
        task.add_done_callback(lambda done: self._posted(connection_id, done))

    def tell(self, listeners: Sequence[Listener], data: bytes) -> None:
        """Posts to everybody who can be reached."""
        for listener in listeners:
            if listener.reachable:
                self.send(listener.connection_id, data)

    def hears(self, connection_id: str) -> bool:
        """A post may be lost, or be overtaken."""
        return False

    async def close(self, hint: bytes) -> None:
        """Waits for all; whoever missed something is told that there is more."""
        while self._under_way:
            await asyncio.wait([task for tasks in self._under_way.values() for task in tasks])
        hints = (self._post(connection_id, hint) for connection_id in self._missed)
        await asyncio.gather(*hints, return_exceptions=True)

    def _posted(self, connection_id: str, task: asyncio.Task[Delivery]) -> None:
        tasks = self._under_way[connection_id]
        tasks.discard(task)
        if not tasks:
            del self._under_way[connection_id]
        if task.cancelled() or task.exception() is not None or task.result() is Delivery.FAILED:
            self._missed.add(connection_id)


def answer(document_id: str, waiting: Waiting, outcome: Record | BaseException) -> bytes:
    """The `op.ack` or `op.rejected` of a submission."""
    if isinstance(outcome, Record):
        ack = OpAck(
            id=waiting.request_id,
            document_id=document_id,
            operation=outcome,
            transformed=outcome.submitted is not None,
            conflicts_with=outcome.conflicts_with,
        )
        return msgspec.json.encode(ack)
    if isinstance(outcome, Refused):
        outcome = AppError(CODE_OF[outcome.reason])
    code = outcome.code if isinstance(outcome, AppError) else Code.INTERNAL
    rejected = OpRejected(
        id=waiting.request_id,
        document_id=document_id,
        client=waiting.submission.client,
        seq=waiting.submission.seq,
        code=code,
        message=outcome.message if isinstance(outcome, AppError) else MESSAGE[code],
        correlation_id=waiting.correlation_id,
        operations=waiting.sent or waiting.submission.operations,
    )
    return msgspec.json.encode(rejected)


def packed(document_id: str, commits: Sequence[Record]) -> list[bytes]:
    """`op.committed` messages for consecutive commits, each below the size of a message."""
    messages: list[bytes] = []
    batch: list[bytes] = []
    size_bytes = 0
    for commit in commits:
        fragment = _encode(commit)
        if batch and size_bytes + len(fragment) > limits.FRAME_TARGET_BYTES:
            messages.append(committed(document_id, commits[-1].revision, batch))
            batch, size_bytes = [], 0
        batch.append(fragment)
        size_bytes += len(fragment)
    if batch:
        messages.append(committed(document_id, commits[-1].revision, batch))
    return messages


def committed(document_id: str, head: int, fragments: Sequence[bytes] = ()) -> bytes:
    """An `op.committed` of encoded commits; without any, a hint: whoever knows less than the head fetches."""
    start = b'{"type":"op.committed","document_id":"%s","head":%d,"commits":[' % (document_id.encode(), head)
    return start + b",".join(fragments) + b"]}"
