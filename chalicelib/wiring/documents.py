"""The documents room, joined to its stores and to the rooms that it asks."""

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.aws import log
from chalicelib.aws.once import once
from chalicelib.documents.committer import Committer
from chalicelib.documents.courier import Courier, packed
from chalicelib.documents.drain import Drainer
from chalicelib.documents.locks import Locks
from chalicelib.documents.model import Listener
from chalicelib.documents.service import Documents, scene_id
from chalicelib.documents.snapshots import Snapshots
from chalicelib.documents.socket import Socket
from chalicelib.sessions.model import Permission, allows
from chalicelib.wire.documents import Commit
from chalicelib.wire.tokens import Identity

if TYPE_CHECKING:
    from chalicelib.documents.queue import QueueStore
    from chalicelib.documents.shelf import ShelfStore
    from chalicelib.documents.store import LogStore


class _Gate:
    """The documents room's way to ask the sessions room, which computes in threads."""

    async def view(self, session_id: str, identity: Identity) -> tuple[str, int]:
        return await self._member(session_id, identity, Permission.VIEW)

    async def edit(self, session_id: str, identity: Identity) -> tuple[str, int]:
        return await self._member(session_id, identity, Permission.EDIT)

    async def configure(self, session_id: str, identity: Identity) -> None:
        await self._member(session_id, identity, Permission.CONFIGURE)

    async def _member(self, session_id: str, identity: Identity, permission: Permission) -> tuple[str, int]:
        found = await asyncio.to_thread(wiring.sessions().member, session_id, identity, permission)
        return found.session.owner_id, found.session.created_at_ms


async def _audience(session_id: str, _connections: frozenset[str] = frozenset()) -> tuple[Listener, ...]:
    now = wiring.now_ms()
    return tuple(
        Listener(
            connection_id=row.connection_id,
            user_id=row.user_id,
            may_edit=allows(row.role, Permission.EDIT),
            reachable=row.reachable(now),
        )
        for row in await wiring.presence().rows(session_id)
        if row.connection_id
    )


async def _tell(document_id: str, session_id: str, commits: Sequence[Commit]) -> None:
    listeners = await _audience(session_id)
    for data in packed(document_id, commits):
        await wiring.sender().post_all([listener.connection_id for listener in listeners if listener.reachable], data)


async def _note(session_id: str, kind: str, identity: Identity, object_id: str) -> None:
    await asyncio.to_thread(
        wiring.activity().record, session_id, kind, identity.user_id, identity.name, object_id=object_id
    )


@once
def _log_store() -> "LogStore":
    from chalicelib.documents.store import LogStore  # noqa: PLC0415

    return LogStore(wiring.dynamo(), wiring.settings().table_prefix)


@once
def _queue() -> "QueueStore":
    from chalicelib.documents.queue import QueueStore  # noqa: PLC0415

    return QueueStore(wiring.dynamo(), wiring.settings().table_prefix)


@once
def _shelf() -> "ShelfStore":
    from chalicelib.documents.shelf import ShelfStore  # noqa: PLC0415

    return ShelfStore(wiring.dynamo(), wiring.settings().table_prefix)


@once
def _committer() -> Committer:
    return Committer(_log_store(), now_ms=wiring.now_ms, jitter=random.random)


@once
def _snapshots() -> Snapshots:
    from chalicelib.aws.storage import ObjectStore  # noqa: PLC0415

    s = wiring.settings()
    return Snapshots(_log_store(), _shelf(), ObjectStore(s.documents_bucket, s.s3_endpoint, s.region))


def forget() -> None:
    """Drops the states that this container keeps; the next reader has the snapshots."""
    _snapshots().forget()


@once
def service() -> Documents:
    """The shared documents."""
    return Documents(
        _log_store(),
        _queue(),
        _shelf(),
        _snapshots(),
        _committer(),
        _Gate(),
        _tell,
        now_ms=wiring.now_ms,
        random_id=wiring.random_id,
    )


@once
def locks() -> Locks:
    """Leases of the scene's objects."""
    return Locks(_queue(), _Gate(), _note, scene_id, now_ms=wiring.now_ms)


@once
def socket() -> Socket:
    """Its messages."""
    drainer = Drainer(
        _queue(),
        _committer(),
        _audience,
        lambda _session_id: Courier(wiring.sender().post),
        _snapshots().keep_up,
        now_ms=wiring.now_ms,
        new_id=wiring.random_id,
    )
    return Socket(
        service(),
        drainer,
        wiring.sender().post,
        now_ms=wiring.now_ms,
        new_id=lambda: wiring.random_id(8),
        correlation=log.correlation_id.get,
    )
