"""The process that makes a recording's files, as a node starts it: against moto, with its standard input held open."""

import asyncio
import random
import sys
import uuid

import boto3
import pytest

from chalicelib.aws.dynamo import Dynamo
from chalicelib.aws.tables import bind
from chalicelib.peers.tables import MediaModel
from chalicelib.voice.recordings_store import RecordingStore
from chalicelib.wire.voice import RecordingStatus
from local.resources import make_table
from media_node.finisher import start
from tests.fakes.recordings import RECORDING, SESSION, START_MS, row

REGION = "us-east-1"


@pytest.fixture
def prefix(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty table, an empty bucket, and the settings of a process that is to work with them."""
    made, bucket = f"t{uuid.uuid4().hex[:12]}-", f"files{random.getrandbits(60)}"
    make_table(bind(MediaModel, f"{made}media", region=REGION, host=moto_endpoint))
    boto3.client("s3", endpoint_url=moto_endpoint, region_name=REGION).create_bucket(Bucket=bucket)
    for name, value in {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": moto_endpoint,
        "AWS_ENDPOINT_URL_S3": moto_endpoint,
        "DOCUMENTS_BUCKET": bucket,
        "TABLE_PREFIX": made,
    }.items():
        monkeypatch.setenv(name, value)
    return made


async def test_a_worker_that_did_all_ends_well(moto_endpoint: str, prefix: str) -> None:
    """Though its standard input is open still: the thread that waits there for its end is in nobody's way."""
    dynamo = Dynamo(moto_endpoint, REGION)
    shelf = RecordingStore(dynamo, prefix)
    await shelf.add(row(status=RecordingStatus.FINISHING, ended_at_ms=START_MS + 3000, heard_at_ms=START_MS + 2000))
    assert await start(SESSION, RECORDING) == 0
    done = await shelf.get(SESSION, RECORDING)
    await dynamo.close()
    assert done is not None
    assert (done.status, done.tracks, done.duration_ms) == (RecordingStatus.READY, (), 3000)


async def test_a_worker_ends_with_whoever_started_it(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a database that says nothing, and is gone as soon as its standard input has an end."""
    asked: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _reader, writer: asked.put_nowait(writer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://{host}:{port}")
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "media_node.finishing", SESSION, RECORDING)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stderr=pipe)
    writer = await asked.get()
    assert process.stdin is not None
    process.stdin.close()
    _, said = await process.communicate()
    writer.close()
    server.close()
    assert (process.returncode, said) == (1, b"")
