"""The job of a shared scene on whichever carrier: 50 people, 1,000 entities, a durable log; beside ShareDB and Yjs.

The clients are benchmarks/peers/drive.mjs, the same job for all. Server CPU is of every process of the running system but
the database's emulator, which is reported apart.
"""

import asyncio
import json
import os
import tempfile
from typing import Final, Literal

import msgspec

from benchmarks import peers
from benchmarks.client import Api, Person
from benchmarks.relay import DRIVER, drive, server_s
from benchmarks.report import Report, medians
from chalicelib.wire.documents import OperationResult
from local.dynamodb import unavailable
from local.stack import Stack

SECONDS = float(os.environ.get("SECONDS", "10"))
WARM_UP_S = 10.0  # a Java emulator compiles its hot paths first
REPEATS = int(os.environ.get("REPEATS", "3"))
CLIENTS = 50
ENTITIES = 1_000
RATE = int(os.environ.get("RATE", "1000"))
Carrier = Literal["holodeck", "relay"]
"""As drive.mjs names them: the WebSocket, or WebRTC to the media node."""
SUBMIT_EVERY_MS: Final[dict[Carrier, int]] = {"holodeck": 100, "relay": 40}
"""As the page's (web/src/sync/delivery.ts)."""
_BUILDER = "scene001"
OURS: Final = "holodeck"
PEERS: Final[tuple[peers.Kind, ...]] = ("sharedb-json1", "yjs")
"""ShareDB with the quicker of its two types for a tree (FACTS: json0 takes twice the CPU of json1 here)."""
HEADLINE: Final = "open_shared20"
_OPEN: Final[tuple[tuple[str, peers.Loop, float], ...]] = (("open_shared0", "open", 0.0), (HEADLINE, "open", 0.2))
JOBS: Final[tuple[tuple[str, peers.Loop, float], ...]] = (
    *_OPEN * REPEATS,
    ("closed_shared0", "closed", 0.0),
    ("closed_shared20", "closed", 0.2),
)


async def furnish(api: Api, who: Person, document_id: str, entities: int) -> int:
    """The scene, as the peers have it. Returns its revision."""
    revision = 0
    ids = list(range(entities))
    for seq, start in enumerate(range(0, entities, 200), start=1):
        operations = [
            {
                "op": "create",
                "id": f"{_BUILDER}.e{n}",
                "props": {"kind": "box", "color": "#8899aa", "position": [n % 32 - 16, 0.5, n // 32 - 16]},
            }
            for n in ids[start : start + 200]
        ]
        body = {"client": _BUILDER, "seq": seq, "base": revision, "operations": operations}
        result = await api.call("POST", f"/documents/{document_id}/operations", who, body, OperationResult)
        revision = result.operation.revision
    return revision


async def run(
    stack: Stack,
    *,
    loop: peers.Loop,
    rate: int,
    shared: float,
    entities: int = ENTITIES,
    carrier: Carrier = "holodeck",
) -> dict[str, float]:
    """The job once, in a fresh room."""
    async with Api(stack.base_url) as api:
        people = [await api.guest(f"Person {n}") for n in range(CLIENTS)]
        session = await api.create(people[0], "Benchmark")
        for person in people:
            await api.join(person, session.session_id)
        document_id = session.session_id.replace("ses_", "doc_")
        revision = await furnish(api, people[0], document_id, entities)
        room = {
            "document_id": document_id,
            "revision": revision,
            "url": stack.base_url,
            "session_id": session.session_id,
            "people": [{"token": person.token, "tab": f"tab{n:05}"} for n, person in enumerate(people)],
            "submit_every_ms": SUBMIT_EVERY_MS[carrier],
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(room))
            file.flush()
            job = [loop, str(rate), str(shared), str(SECONDS), str(WARM_UP_S)]
            environment = {"HOLODECK_ROOM": file.name, "ENTITIES": str(entities)}
            return _figures(*await drive(stack, "drive.mjs", carrier, "0", *job, **environment))


def _figures(driven: dict[str, float], used: dict[str, float]) -> dict[str, float]:
    ops = max(1.0, driven["ops"])
    found = peers.figures_of(msgspec.convert(driven, peers.Driven), server_s(used), used.pop(DRIVER))
    return found | {f"{role}_cpu_us_per_op": seconds * 1e6 / ops for role, seconds in sorted(used.items())}


async def compare(report: Report, carrier: Carrier) -> None:
    """Everybody at every job, one right after the other; open loops REPEATS times, of which medians count."""
    await asyncio.to_thread(peers.install)
    why_not = unavailable()
    if why_not is not None:
        print(f"DynamoDB Local is not used: {why_not}")
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with Stack(dynamodb="moto" if why_not else "local") as stack:
        for job, loop, shared in JOBS:
            one = await run(stack, loop=loop, rate=RATE, shared=shared, carrier=carrier)
            found.setdefault((job, OURS), []).append(said(job, OURS, one))
            for kind in PEERS:
                one = await peers.run_peer(kind, loop=loop, rate=RATE, shared=shared, seconds=SECONDS)
                found.setdefault((job, kind), []).append(said(job, kind, one))
    _tell(report, {key: medians(many) for key, many in found.items()})


def said(job: str, who: str, figures: dict[str, float]) -> dict[str, float]:
    """The figures, printed: the whole takes minutes."""
    print(job, who, {name: round(value, 2) for name, value in figures.items()}, flush=True)
    return figures


def _tell(report: Report, found: dict[tuple[str, str], dict[str, float]]) -> None:
    """The open loop with 20% shared goes by the plain names; ratios are ours by theirs."""
    ours = found[HEADLINE, OURS]
    for name, value in ours.items():
        report.figure(name, value, peers.unit_of(name))
    alone = found["open_shared0", OURS]["server_cpu_us_per_op"]
    report.figure("shared20_cpu_ratio", ours["server_cpu_us_per_op"] / alone, "ratio")
    for kind in PEERS:
        theirs = found[HEADLINE, kind]
        for figure, stem in (("op_to_other_p99_ms", "op_to_other_p99"), ("server_cpu_us_per_op", "server_cpu")):
            report.figure(f"{stem}_ratio_to_{kind.partition('-')[0]}", ours[figure] / theirs[figure], "ratio")
    for (job, who), figures in found.items():
        for name, value in figures.items():
            if who != OURS:
                report.peer(who, f"{job}_{name}", value, peers.unit_of(name))
            elif job != HEADLINE:
                report.figure(f"{job}_{name}", value, peers.unit_of(name))
