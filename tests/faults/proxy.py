"""A way to the database that fails as networks and DynamoDB fail: before the write, after it, slowly, or not at all.

The functions' processes are given its address instead of the emulator's. What it does to each request is drawn from a
seeded random generator; how often, is set while it runs.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from local.process import free_port

_THROTTLED = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}'
)
_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding"})
_GET_OFF_S = 30.0


class Fault(Enum):
    """What happens to a request."""

    THROTTLE = "throttle"
    """Refused, as DynamoDB refuses what exceeds the provisioned throughput."""
    DROP = "drop"
    """The connection breaks before the request reached the database."""
    LOSE = "lose"
    """The database did it, and the connection breaks before the answer came."""
    DELAY = "delay"
    """It waits before it is done."""


@dataclass(slots=True)
class Weather:
    """How often which fault happens, for which operations; a partition lets nothing through."""

    rates: dict[Fault, float] = field(default_factory=dict)
    operations: frozenset[str] = frozenset()
    """DynamoDB's names; none: all of them."""
    delay_s: float = 0.3
    partitioned: bool = False


class Proxy:
    """The way to one database. `upstream` is where that is; requests wait until it is known."""

    def __init__(self, seed: int) -> None:
        self.port = free_port()
        self.weather = Weather()
        self.happened: Counter[Fault | str] = Counter()
        self._rng = random.Random(seed)
        self._upstream: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> str:
        """What the functions take for the database."""
        return f"http://127.0.0.1:{self.port}"

    def lead_to(self, upstream: str) -> None:
        """Where the database is."""
        self._upstream.set_result(upstream)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.weather = Weather()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self._drawn(request.headers.get("X-Amz-Target", "").rpartition(".")[2])
        if self.weather.partitioned:
            self.happened["partition"] += 1
            return _broken(request)
        if fault is not None:
            self.happened[fault] += 1
        if fault is Fault.THROTTLE:
            return web.Response(status=400, body=_THROTTLED, content_type="application/x-amz-json-1.0")
        if fault is Fault.DROP:
            return _broken(request)
        if fault is Fault.DELAY:
            await asyncio.sleep(self.weather.delay_s)
        status, headers, answer = await self._forwarded(request, body)
        if fault is Fault.LOSE:
            return _broken(request)
        return web.Response(status=status, headers=headers, body=answer)

    def _drawn(self, operation: str) -> Fault | None:
        weather = self.weather
        if weather.operations and operation not in weather.operations:
            return None
        chance = self._rng.random()
        for fault, rate in weather.rates.items():
            chance -= rate
            if chance < 0:
                return fault
        return None

    async def _forwarded(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        assert self._http is not None
        upstream = await self._upstream
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
        timeout = aiohttp.ClientTimeout(total=_GET_OFF_S)
        async with self._http.request(
            request.method, upstream + request.path_qs, data=body, headers=headers, timeout=timeout
        ) as reply:
            kept = {key: value for key, value in reply.headers.items() if key.lower() not in _HOP}
            return reply.status, kept, await reply.read()


def _broken(request: web.Request) -> web.StreamResponse:
    """No answer: the connection is cut."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
