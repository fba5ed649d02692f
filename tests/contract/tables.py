"""The databases that contract suites run on, and how to get a store over each.

`memory` is the fakes; `moto` is a moto server, its requests serialised; `dynamodb-local` is Amazon's own emulator.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chalicelib.documents.model import History
from chalicelib.presence.service import Rows
from tests.fakes.documents import MemoryLog
from tests.fakes.presence import MemoryRows


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
        bind(model, prefix + name, region="us-east-1", host=database.endpoint).create_table(wait=True)
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
    from chalicelib.aws.dynamo import Dynamo  # noqa: PLC0415
    from chalicelib.aws.tables import bind  # noqa: PLC0415
    from chalicelib.documents.store import LogStore  # noqa: PLC0415
    from chalicelib.documents.tables import OpLogModel  # noqa: PLC0415

    prefix = f"t{uuid.uuid4().hex[:12]}-"
    bind(OpLogModel, f"{prefix}oplog", region="us-east-1", host=database.endpoint).create_table(wait=True)
    dynamo = Dynamo(database.endpoint, "us-east-1")
    try:
        yield LogStore(dynamo, prefix)
    finally:
        await dynamo.close()
