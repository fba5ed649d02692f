"""Fan-out of one 4 KB message to 50 connections: our sender beside boto3, CPU and wall time of the sending process.

Both post to the same sink, a process of its own that answers 200 at once. boto3 is given a thread pool of 16 and a
connection pool as large, which is its best here. Each does ROUNDS fan-outs after a warm-up; they take turns.
"""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from statistics import median

import boto3
from aiohttp import web
from botocore.config import Config

from benchmarks.report import Report, percentile
from chalicelib.aws.client import loop_thread
from chalicelib.aws.connections import ConnectionSender

RECIPIENTS = 50
ROUNDS = 40
BODY = b'{"type":"presence.frame","pad":"' + b"x" * 4000 + b'"}'


def sink(pipe: Connection) -> None:
    """Answers every post with 200."""

    async def main() -> None:
        async def handle(request: web.Request) -> web.Response:
            await request.read()
            return web.Response()

        app = web.Application()
        app.router.add_post("/{tail:.*}", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


def measure(fan_out: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of one fan-out."""
    cpu, wall = time.process_time(), time.perf_counter()
    fan_out()
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> Report:
    """Runs both, in turns."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
    ours_end, theirs_end = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=sink, args=(theirs_end,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{ours_end.recv()}/api"
    connections = [f"L0SM9cOFvHcCIh{i:02d}=" for i in range(RECIPIENTS)]
    sender = ConnectionSender(url, "us-east-1")
    boto = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=url,
        region_name="us-east-1",
        config=Config(max_pool_connections=16),
    )
    pool = ThreadPoolExecutor(16)

    def ours() -> None:
        loop_thread().run(sender.post_all(connections, BODY))

    def theirs() -> None:
        list(pool.map(lambda c: boto.post_to_connection(ConnectionId=c, Data=BODY), connections))

    for warm in (ours, theirs, ours, theirs):
        warm()
    samples: dict[str, list[tuple[float, float]]] = {"ours": [], "boto3": []}
    for _ in range(ROUNDS):
        samples["ours"].append(measure(ours))
        samples["boto3"].append(measure(theirs))
    process.terminate()
    report = Report("fanout")
    cpu = {name: median(c for c, _ in rows) * 1000 for name, rows in samples.items()}
    for name, rows in samples.items():
        note = report.figure if name == "ours" else lambda n, v, u: report.peer("boto3", n, v, u)
        note("cpu_ms_per_fanout", cpu[name], "ms")
        note("cpu_us_per_post", cpu[name] * 1000 / RECIPIENTS, "us")
        walls = [w * 1000 for _, w in rows]
        note("wall_p50_ms", percentile(walls, 50), "ms")
        note("wall_p99_ms", percentile(walls, 99), "ms")
    report.figure("cpu_ratio_to_boto3", cpu["ours"] / cpu["boto3"], "ratio")
    report.figure("times_less_cpu_than_boto3", cpu["boto3"] / cpu["ours"], "times")
    return report
