"""One scene of 1,000 entities, 50 people on WebSockets, a durable log: beside ShareDB and Yjs, which keep theirs in memory.

Every edit goes gateway -> worker -> queue -> committer -> log in the DynamoDB emulator, and from there to everybody. The
job and its clients are benchmarks/peers/drive.mjs, the same for all. Server CPU is workers and gateway; the
emulator's is reported apart.
"""

import asyncio
import json
import os
import tempfile
from pathlib import Path
from urllib.parse import urlencode, urljoin

import msgspec

from benchmarks import peers
from benchmarks.client import Api, Person
from benchmarks.report import Report
from chalicelib.wire.bodies import Ticket
from chalicelib.wire.documents import OperationResult
from local.stack import Stack

SECONDS = float(os.environ.get("SECONDS", "10"))
WARM_UP_S = 10.0  # a Java emulator compiles its hot paths first
CLIENTS = 50
ENTITIES = 1000
RATE = int(os.environ.get("RATE", "1000"))
SUBMIT_EVERY_MS = int(os.environ.get("SUBMIT_EVERY_MS", "100"))
"""As the page's (web/src/sync/delivery.ts)."""
_BUILDER = "scene001"


async def furnish(api: Api, who: Person, document_id: str) -> int:
    """The scene, as the peers have it. Returns its revision."""
    revision = 0
    ids = list(range(ENTITIES))
    for seq, start in enumerate(range(0, ENTITIES, 200), start=1):
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


async def run(stack: Stack, *, loop: peers.Loop, rate: int, shared: float) -> dict[str, float]:
    """The job once, in a fresh room."""
    async with Api(stack.base_url) as api:
        people = [await api.guest(f"Person {n}") for n in range(CLIENTS)]
        session = await api.create(people[0], "Benchmark")
        for person in people:
            await api.join(person, session.session_id)
        document_id = session.session_id.replace("ses_", "doc_")
        revision = await furnish(api, people[0], document_id)
        handshakes = []
        for n, person in enumerate(people):
            ticket = await api.call(
                "POST", "/auth/tickets", person, {"session_id": session.session_id, "tab_id": f"tab{n:05}"}, Ticket
            )
            url = urljoin(stack.base_url.replace("http", "ws", 1), ticket.url)
            handshakes.append(f"{url}?{urlencode({'ticket': ticket.ticket})}")
        room = {
            "document_id": document_id,
            "revision": revision,
            "handshakes": handshakes,
            "submit_every_ms": SUBMIT_EVERY_MS,
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(room))
            file.flush()
            return await _drive(stack, Path(file.name), loop, rate, shared)


async def _drive(stack: Stack, room: Path, loop: peers.Loop, rate: int, shared: float) -> dict[str, float]:
    job = [loop, str(rate), str(shared), str(SECONDS), str(WARM_UP_S)]
    async with peers.node(
        "--max-semi-space-size=64", "drive.mjs", "holodeck", "0", *job, HOLODECK_ROOM=str(room)
    ) as driver:
        await peers.line(driver, "WINDOW_START")
        before, driver_before = stack.cpu_seconds(), peers.cpu_s(driver)
        await peers.line(driver, "WINDOW_END")
        used = {role: seconds - before.get(role, 0.0) for role, seconds in stack.cpu_seconds().items()}
        driver_s = peers.cpu_s(driver) - driver_before
        driven = msgspec.json.decode(await peers.line(driver, "{"), type=peers.Driven)
    found = peers.figures_of(driven, used.get("gateway", 0.0) + used.get("worker", 0.0), driver_s)
    for role in ("gateway", "worker", "emulator"):
        found[f"{role}_cpu_us_per_op"] = used.get(role, 0.0) * 1e6 / max(1, driven.ops)
    return found


def main() -> Report:
    """Open and closed loop, 0% and 20% shared; each peer right after ours."""
    report = Report("documents-websocket")
    asyncio.run(_all(report))
    return report


async def _all(report: Report) -> None:
    from local.dynamodb import unavailable  # noqa: PLC0415

    await asyncio.to_thread(peers.install)
    database = "local" if unavailable() is None else "moto"
    with Stack(dynamodb=database) as stack:
        for loop in ("open", "closed"):
            for shared in (0.0, 0.2):
                found = await run(stack, loop=loop, rate=RATE, shared=shared)
                print(loop, shared, {k: round(v, 1) for k, v in found.items()}, flush=True)


if __name__ == "__main__":
    main()
