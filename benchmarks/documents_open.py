"""Opening a document that has seen 100,000 edits, in workers that have never heard of it: beside Yjs, which has no log.

The edits are committed one to a revision by the committer itself, with its snapshots, into the database and the
bucket of a running local stack. A person who enters then joins, fetches and is up to date: that is what is timed, each
time in a stack whose workers are new. For Yjs it is decoding alone: no server, no network, no storage.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterable
from typing import Final

from benchmarks import peers
from benchmarks.client import Api
from benchmarks.editor import DocumentClient, scene_of
from benchmarks.report import Report
from chalicelib.aws.dynamo import Dynamo
from chalicelib.aws.settings import from_environment
from chalicelib.aws.storage import ObjectStore
from chalicelib.documents.committer import Committer
from chalicelib.documents.model import Submission
from chalicelib.documents.shelf import ShelfStore
from chalicelib.documents.snapshots import Snapshots
from chalicelib.documents.store import LogStore
from chalicelib.wire.operations import Create, Operation, Set
from local.dynamodb import unavailable
from local.stack import Stack

OPERATIONS: Final = 100_250  # the newest snapshot is of 100,000
ENTITIES: Final = 1_000
WRITERS: Final = 50
OPENINGS: Final = 5
BATCH: Final = 250
_BUILDER: Final = "scene001"


def main() -> Report:
    """Fills one document, then opens it again and again."""
    report = Report("documents-open")
    opened = asyncio.run(_ours(report))
    report.figure("open_100k_ops_s", max(opened), "s")
    report.figure("open_100k_ops_fastest_s", min(opened), "s")
    peers.install()
    job = ["node", "open.mjs", str(ENTITIES), str(OPERATIONS)]
    done = subprocess.run(job, cwd=peers.FOLDER, stdout=subprocess.PIPE, check=True, timeout=300)
    for name, value in json.loads(done.stdout).items():
        report.peer("yjs", name, value, "bytes" if name.endswith("bytes") else "s")
    return report


async def _ours(report: Report) -> list[float]:
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        async with Api(stack.base_url) as api:
            owner = await api.guest("Owner")
            session = await api.create(owner, "Old room")
            head = await fill(stack.env, scene_of(session.session_id))
            report.figure("revisions", head, "revisions")
            opened = []
            for _ in range(OPENINGS):
                await renew_workers(stack, api)
                person = await api.guest("Visitor")
                started = time.perf_counter()
                async with await DocumentClient.open(api, person, session.session_id) as visitor:
                    await until_at(visitor, head)
                    opened.append(time.perf_counter() - started)
                    report.figure("entities", len(visitor.entities), "entities")
            return opened


async def fill(settings: dict[str, str], document_id: str) -> int:
    """OPERATIONS edits, each a revision of its own, on ENTITIES entities. Returns the head."""
    os.environ.update(settings)
    s = from_environment()
    dynamo = Dynamo(s.dynamodb_endpoint, s.region)
    log = LogStore(dynamo, s.table_prefix)
    shelf = ShelfStore(dynamo, s.table_prefix)
    snapshots = Snapshots(log, shelf, ObjectStore(s.documents_bucket, s.s3_endpoint, s.region))
    committer = Committer(log, now_ms=lambda: time.time_ns() // 1_000_000, jitter=random.random)
    head = 0
    for start in range(0, OPERATIONS, BATCH):
        made = [_submission(n, head, operation) for n, operation in _edits(start)]
        for answer in await committer.submit_all(document_id, made):
            if isinstance(answer, BaseException):
                raise answer
            head = answer.revision
        await snapshots.keep_up(document_id, head)
    return head


def _edits(start: int) -> Iterable[tuple[int, Operation]]:
    rng = random.Random(start)
    for n in range(start, start + BATCH):
        if n < ENTITIES:
            props = {"kind": "box", "color": "#8899aa", "position": [n % 32 - 16, 0.5, n // 32 - 16]}
            yield n, Create(id=f"{_BUILDER}.e{n}", props=props)
        else:
            place = [round(rng.uniform(-9, 9), 3), 0.5, round(rng.uniform(-9, 9), 3)]
            yield n, Set(id=f"{_BUILDER}.e{rng.randrange(ENTITIES)}", path=("position",), value=place)


def _submission(n: int, base: int, operation: Operation) -> Submission:
    writer = n % WRITERS
    return Submission(
        client=f"writer{writer:03}",
        seq=n // WRITERS + 1,
        base=base,
        user_id=f"usr_{writer:03}",
        operations=(operation,),
    )


async def renew_workers(stack: Stack, api: Api) -> None:
    """Workers that know nothing yet of that document, though they have served another."""
    old = set(stack.pids()["worker"])
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    while not (now := set(stack.pids().get("worker", ()))) or old & now:  # noqa: ASYNC110 - the supervisor restarts them
        await asyncio.sleep(0.1)
    person = await api.guest("Somebody else")
    for _ in range(3):
        other = await api.create(person, "Another room")
        async with await DocumentClient.open(api, person, other.session_id) as client:
            await until_at(client, 0)


async def until_at(client: DocumentClient, head: int) -> None:
    """Until it has read everything there is."""
    await client.until(lambda: client.editor.current and client.editor.revision >= head)
