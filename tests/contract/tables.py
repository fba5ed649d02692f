"""The databases that contract suites run on, and how to get a store over each.

`memory` is the fakes; `moto` is a moto server, its requests serialised; `dynamodb-local` is Amazon's own emulator.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.documents.model import History, Queue, Shelf
from chalicelib.presence.service import Rows
from tests.fakes.documents import MemoryLog, MemoryQueue, MemoryShelf
from tests.fakes.presence import MemoryRows

if TYPE_CHECKING:
    from pynamodb.models import Model

    from chalicelib.aws.dynamo import Dynamo


@dataclass(frozen=True, slots=True)
class Database:
    """`endpoint` is None for the fakes."""

    kind: str
    endpoint: str | None


@asynccontextmanager
async def presence_rows(database: Database) -> AsyncIterator[Rows]:
    """Empty presence rows over a database."""
    if database.endpoint is None:
        yield MemoryRows()
        return
    from chalicelib.presence.store import PresenceStore  # noqa: PLC0415
    from chalicelib.presence.tables import ConnectionModel, PresenceModel  # noqa: PLC0415

    async with _made(database.endpoint, presence=PresenceModel, connections=ConnectionModel) as (dynamo, prefix):
        yield PresenceStore(dynamo, prefix)


@asynccontextmanager
async def op_log(database: Database) -> AsyncIterator[History]:
    """An empty log over a database."""
    if database.endpoint is None:
        yield MemoryLog()
        return
    from chalicelib.documents.store import LogStore  # noqa: PLC0415
    from chalicelib.documents.tables import OpLogModel  # noqa: PLC0415

    async with _made(database.endpoint, oplog=OpLogModel) as (dynamo, prefix):
        yield LogStore(dynamo, prefix)


@asynccontextmanager
async def queues(database: Database) -> AsyncIterator[Queue]:
    """Empty queues over a database."""
    if database.endpoint is None:
        yield MemoryQueue()
        return
    from chalicelib.documents.queue import QueueStore  # noqa: PLC0415
    from chalicelib.documents.tables import QueueModel  # noqa: PLC0415

    async with _made(database.endpoint, queue=QueueModel) as (dynamo, prefix):
        yield QueueStore(dynamo, prefix)


@asynccontextmanager
async def shelves(database: Database) -> AsyncIterator[Shelf]:
    """An empty shelf over a database."""
    if database.endpoint is None:
        yield MemoryShelf()
        return
    from chalicelib.documents.shelf import ShelfStore  # noqa: PLC0415
    from chalicelib.documents.tables import DocumentModel  # noqa: PLC0415

    async with _made(database.endpoint, documents=DocumentModel) as (dynamo, prefix):
        yield ShelfStore(dynamo, prefix)


@asynccontextmanager
async def _made(endpoint: str, **models: "type[Model]") -> AsyncIterator[tuple["Dynamo", str]]:
    """Tables of one's own, by short name: a client for them, and their prefix."""
    from chalicelib.aws.dynamo import Dynamo  # noqa: PLC0415
    from chalicelib.aws.tables import bind  # noqa: PLC0415

    prefix = f"t{uuid.uuid4().hex[:12]}-"
    for name, model in models.items():
        bind(model, prefix + name, region="us-east-1", host=endpoint).create_table(wait=True)
    dynamo = Dynamo(endpoint, "us-east-1")
    try:
        yield dynamo, prefix
    finally:
        await dynamo.close()
