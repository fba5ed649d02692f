"""The documents room's messages on the WebSocket."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from chalicelib.documents.model import Submission, Waiting
from chalicelib.documents.service import Documents, checked, scene_id
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import DocCommits, DocFetch, OpRejected, OpSubmit
from chalicelib.wire.types import Delivery


class Connection(Protocol):
    """A WebSocket, as its ticket proved it."""

    @property
    def connection_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...


class Post(Protocol):
    """Answers one connection."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


class Draining(Protocol):
    """Sees to it that a submission is committed and answered."""

    async def submit(self, document_id: str, session_id: str, waiting: Waiting) -> None: ...


class Socket:
    """Handlers by message type, for the dispatch table."""

    def __init__(
        self,
        documents: Documents,
        drainer: Draining,
        post: Post,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        correlation: Callable[[], str],
    ) -> None:
        self._documents = documents
        self._drainer = drainer
        self._post = post
        self._now_ms = now_ms
        self._new_id = new_id
        self._correlation = correlation

    def table(self) -> dict[type[Any], Callable[[Any, Any], Awaitable[None]]]:
        """What this room answers."""
        return {OpSubmit: self.submit, DocFetch: self.fetch}

    async def submit(self, connection: Connection, message: OpSubmit) -> None:
        """`op.ack` or `op.rejected` comes from whoever drains. What cannot be submitted is rejected at once."""
        try:
            await self._own(connection, message.document_id)
            if message.user_id not in {None, connection.user_id}:
                raise AppError(Code.IDENTITY_MISMATCH)
            waiting = self._waiting(connection, message)
            await self._drainer.submit(message.document_id, connection.session_id, waiting)
        except AppError as exc:
            rejected = OpRejected(
                id=message.id,
                document_id=message.document_id,
                client=message.client,
                seq=message.seq,
                code=exc.code,
                message=exc.message,
                correlation_id=self._correlation(),
                operations=message.operations,
            )
            await self._post(connection.connection_id, msgspec.json.encode(rejected))

    async def fetch(self, connection: Connection, message: DocFetch) -> None:
        """Answers with what was committed since, as much as fits a message."""
        await self._own(connection, message.document_id)
        page = await self._documents.commits(
            message.document_id, message.since, limits.LOG_PAGE, limits.FRAME_TARGET_BYTES
        )
        reply = DocCommits(
            id=message.id,
            document_id=message.document_id,
            since=page.since,
            head=page.head,
            commits=page.operations,
        )
        await self._post(connection.connection_id, msgspec.json.encode(reply))

    async def _own(self, connection: Connection, document_id: str) -> None:
        session_id = connection.session_id
        if document_id != scene_id(session_id) and await self._documents.session_id(document_id) != session_id:
            raise AppError(Code.DOCUMENT_UNKNOWN)

    def _waiting(self, connection: Connection, message: OpSubmit) -> Waiting:
        operations = checked(message.operations, message.client, message.seq)
        return Waiting(
            place=f"{self._now_ms():013d}#{message.client}#{message.seq}#{self._new_id()}",
            connection_id=connection.connection_id,
            request_id=message.id,
            correlation_id=self._correlation(),
            sent=None if operations == message.operations else message.operations,
            submission=Submission(
                client=message.client,
                seq=message.seq,
                base=message.base,
                seen=message.seen,
                user_id=connection.user_id,
                operations=operations,
            ),
        )
