"""The databases that contract suites run on, and how to get a store over each.

`memory` is the fakes; `moto` is a moto server, its requests serialised; `dynamodb-local` is Amazon's own emulator.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.documents.model import History, Queue, Shelf
from chalicelib.peers.plane import Reports
from chalicelib.peers.service import Registry
from chalicelib.presence.service import Rows
from chalicelib.voice.recordings_step import Shelf as RecordingShelf
from local.resources import make_table
from tests.fakes.documents import MemoryLog, MemoryQueue, MemoryShelf
from tests.fakes.nodes import MemoryNodes
from tests.fakes.plane import MemoryReports
from tests.fakes.presence import MemoryRows
from tests.fakes.recordings import MemoryShelf as MemoryShelves
from tests.fakes.voice import MemoryVoice

if TYPE_CHECKING:
    from pynamodb.models import Model

    from chalicelib.aws.dynamo import Dynamo
    from chalicelib.voice.store import VoiceStore


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
    from chalicelib.aws.dynamo import Dynamo  # noqa: PLC0415
    from chalicelib.aws.tables import bind  # noqa: PLC0415
    from chalicelib.presence.store import PresenceStore  # noqa: PLC0415
    from chalicelib.presence.tables import ConnectionModel, PresenceModel  # noqa: PLC0415

    prefix = f"t{uuid.uuid4().hex[:12]}-"
    for model, name in ((PresenceModel, "presence"), (ConnectionModel, "connections")):
        make_table(bind(model, prefix + name, region="us-east-1", host=database.endpoint))
    dynamo = Dynamo(database.endpoint, "us-east-1")
    try:
        yield PresenceStore(dynamo, prefix)
    finally:
        await dynamo.close()


@asynccontextmanager
async def op_log(database: Database) -> AsyncIterator[History]:
    """An empty log over a database."""
    if database.endpoint is None:
        yield MemoryLog()
        return
    from chalicelib.documents.store import LogStore  # noqa: PLC0415
    from chalicelib.documents.tables import OpLogModel  # noqa: PLC0415

    async with _table(database.endpoint, OpLogModel, "oplog") as (dynamo, prefix):
        yield LogStore(dynamo, prefix)


@asynccontextmanager
async def queue(database: Database) -> AsyncIterator[Queue]:
    """An empty queue over a database."""
    if database.endpoint is None:
        yield MemoryQueue()
        return
    from chalicelib.documents.queue import QueueStore  # noqa: PLC0415
    from chalicelib.documents.tables import QueueModel  # noqa: PLC0415

    async with _table(database.endpoint, QueueModel, "queue") as (dynamo, prefix):
        yield QueueStore(dynamo, prefix)


@asynccontextmanager
async def shelf(database: Database) -> AsyncIterator[Shelf]:
    """An empty shelf over a database."""
    if database.endpoint is None:
        yield MemoryShelf()
        return
    from chalicelib.documents.shelf import ShelfStore  # noqa: PLC0415
    from chalicelib.documents.tables import DocumentModel  # noqa: PLC0415

    async with _table(database.endpoint, DocumentModel, "documents") as (dynamo, prefix):
        yield ShelfStore(dynamo, prefix)


@asynccontextmanager
async def quality_reports(database: Database) -> AsyncIterator[Reports]:
    """No reports over a database."""
    if database.endpoint is None:
        yield MemoryReports()
        return
    from chalicelib.peers.quality_store import QualityStore  # noqa: PLC0415
    from chalicelib.peers.tables import MediaModel  # noqa: PLC0415

    async with _table(database.endpoint, MediaModel, "media") as (dynamo, prefix):
        yield QualityStore(dynamo, prefix)


@asynccontextmanager
async def media_nodes(database: Database) -> AsyncIterator[Registry]:
    """No media nodes yet, over a database."""
    if database.endpoint is None:
        yield MemoryNodes()
        return
    from chalicelib.peers.nodes import NodeStore  # noqa: PLC0415
    from chalicelib.peers.tables import MediaModel  # noqa: PLC0415

    async with _table(database.endpoint, MediaModel, "media") as (dynamo, prefix):
        yield NodeStore(dynamo, prefix)


@asynccontextmanager
async def voice_store(database: Database) -> "AsyncIterator[MemoryVoice | VoiceStore]":
    """No voice anywhere, over a database."""
    if database.endpoint is None:
        yield MemoryVoice()
        return
    from chalicelib.peers.tables import MediaModel  # noqa: PLC0415
    from chalicelib.voice.store import VoiceStore  # noqa: PLC0415

    async with _table(database.endpoint, MediaModel, "media") as (dynamo, prefix):
        yield VoiceStore(dynamo, prefix)


@asynccontextmanager
async def recordings(database: Database) -> AsyncIterator[RecordingShelf]:
    """No recordings yet, over a database."""
    if database.endpoint is None:
        yield MemoryShelves()
        return
    from chalicelib.peers.tables import MediaModel  # noqa: PLC0415
    from chalicelib.voice.recordings_store import RecordingStore  # noqa: PLC0415

    async with _table(database.endpoint, MediaModel, "media") as (dynamo, prefix):
        yield RecordingStore(dynamo, prefix)


@asynccontextmanager
async def _table(endpoint: str, model: "type[Model]", name: str) -> "AsyncIterator[tuple[Dynamo, str]]":
    """A client, and the prefix of a table that nobody else has."""
    from chalicelib.aws.dynamo import Dynamo  # noqa: PLC0415
    from chalicelib.aws.tables import bind  # noqa: PLC0415

    prefix = f"t{uuid.uuid4().hex[:12]}-"
    make_table(bind(model, prefix + name, region="us-east-1", host=endpoint))
    dynamo = Dynamo(endpoint, "us-east-1")
    try:
        yield dynamo, prefix
    finally:
        await dynamo.close()
