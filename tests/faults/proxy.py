"""Between the functions and DynamoDB: an HTTP proxy that throttles, delays, loses requests or answers, and cuts off.

A request that is dropped was never carried out; one whose answer is lost was. Those two look the same from a function,
and everything that must be true of both is what the documents are tested for. Which requests are met is decided by rules and
by a seeded generator; what happened is counted, so that a test waits for its fault and not for a time.
"""

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import aiohttp
from aiohttp import web

from local.process import free_port

_THROTTLED: Final = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",'
    b'"message":"The level of configured provisioned throughput for the table was exceeded."}'
)
_TYPE: Final = "application/x-amz-json-1.0"
_PASSED_ON: Final = ("content-type", "x-amz-crc32", "x-amzn-requestid")


class Fault(StrEnum):
    """What may become of a request."""

    THROTTLE = "throttle"
    """Refused as DynamoDB refuses: 400, before anything is written."""
    DROP = "drop"
    """The connection ends before the request was carried out."""
    LOSE = "lose"
    """It was carried out, and the connection ends without an answer."""
    DELAY = "delay"
    """It is carried out late."""
    LATE = "late"
    """It is carried out late, and its sender is told at once that the connection ended."""
    WATCH = "watch"
    """Nothing; it is only counted, and `then` is called when it has been answered."""


class Where(NamedTuple):
    """Which requests: an operation, and something of the body, such as a table's name or the beginning of a key."""

    operation: str = ""
    has: bytes = b""


ANYWHERE: Final = Where()


@dataclass(slots=True)
class Rule:
    """Which requests meet a fault, and how many of them. `then` is given the port that the request came from."""

    fault: Fault
    name: str
    where: Where = ANYWHERE
    chance: float = 1.0
    times: int = 1_000_000
    delay_s: float = 0.0
    then: Callable[[int], None] = lambda _port: None


class InThread:
    """An event loop of its own, so that what stands in the middle serves a stack that is started synchronously."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="faults", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something on the loop, and waits for it."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    async def start(self) -> None:
        """Listens."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Listens no more."""
        raise NotImplementedError


class DynamoProxy(InThread):
    """DynamoDB, as the functions see it."""

    def __init__(self, upstream_port: int, seed: int = 0) -> None:
        super().__init__()
        self.upstream = f"http://127.0.0.1:{upstream_port}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.met: Counter[str] = Counter()
        """How many requests met each rule, by its name."""
        self._rules: tuple[Rule, ...] = ()
        self._rng = random.Random(seed)
        self._whole: asyncio.Event | None = None
        self._late: set[asyncio.Task[Any]] = set()

    def rule(self, *rules: Rule, seed: int | None = None) -> None:
        """From now on these rules; the first that fits a request is its fate."""
        if seed is not None:
            self._rng = random.Random(seed)
        self._rules = rules

    def partition(self) -> None:
        """No request arrives, and none is refused either, until `heal`."""
        self._set(lambda whole: whole.clear())

    def heal(self) -> None:
        """Nothing goes wrong any more. What waited behind the partition was lost with its connections."""
        self._rules = ()
        self._set(lambda whole: whole.set())

    def _set(self, change: Callable[[asyncio.Event], None]) -> None:
        assert self._whole is not None
        self.loop.call_soon_threadsafe(change, self._whole)

    async def start(self) -> None:
        """Listens."""
        self._whole = asyncio.Event()
        self._whole.set()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), auto_decompress=False, timeout=aiohttp.ClientTimeout(30)
        )
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Listens no more."""
        for task in self._late:
            task.cancel()
        await self._runner.cleanup()
        await self._http.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.read()
        except OSError:
            return _gone(request)
        assert self._whole is not None
        if not self._whole.is_set():
            self.met["partition"] += 1
            await self._whole.wait()
            return _gone(request)
        rule = self._rule_for(request.headers.get("X-Amz-Target", "").rpartition(".")[2], body)
        if rule is None:
            return await self._forward(request, body)
        try:
            return await self._spoil(rule, request, body)
        finally:
            self.met[rule.name] += 1

    async def _spoil(self, rule: Rule, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        port = _port(request)
        if rule.fault is Fault.WATCH:
            answer = await self._forward(request, body)
            rule.then(port)
            return answer
        if rule.fault is Fault.THROTTLE:
            rule.then(port)
            return web.Response(status=400, body=_THROTTLED, headers={"content-type": _TYPE})
        if rule.fault is Fault.DELAY:
            rule.then(port)
            await asyncio.sleep(rule.delay_s)
            return await self._forward(request, body)
        if rule.fault is Fault.LATE:
            task = asyncio.ensure_future(self._afterwards(rule.delay_s, lambda: self._forward(request, body)))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif rule.fault is Fault.LOSE:
            await self._forward(request, body)
        rule.then(port)
        return _gone(request)

    def _rule_for(self, operation: str, body: bytes) -> Rule | None:
        for rule in self._rules:
            fits = rule.where.operation in {"", operation} and rule.where.has in body and rule.times > 0
            if fits and self._rng.random() < rule.chance:
                rule.times -= 1
                return rule
        return None

    async def _forward(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        try:
            async with self._http.request(
                request.method, self.upstream + request.raw_path, data=body, headers=headers
            ) as answer:
                data = await answer.read()
                kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
                return web.Response(status=answer.status, body=data, headers=kept)
        except (aiohttp.ClientError, OSError):
            return _gone(request)

    async def _afterwards(self, delay_s: float, work: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(delay_s)
        await work()


def _port(request: web.BaseRequest) -> int:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return int(peer[1]) if peer else 0


def _gone(request: web.BaseRequest) -> web.StreamResponse:
    """The connection is over; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


class Line(InThread):
    """Between the clients and the gateway: a relay of bytes that can be cut, or go silent without being cut."""

    def __init__(self, upstream_port: int) -> None:
        super().__init__()
        self._upstream_port = upstream_port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.cuts = 0
        """Connections that were cut."""
        self._open: set[asyncio.StreamWriter] = set()
        self.silent = False
        """Nothing arrives any more, and nobody is told."""

    def cut(self) -> None:
        """Every connection ends, in the middle of whatever it carries."""
        self.run(self._cut())

    def silence(self) -> None:
        """Nothing arrives any more in either direction, and nobody is told."""
        self.silent = True

    def heal(self) -> None:
        """New connections are whole; those that were silent are over."""
        self.silent = False
        self.cut()

    async def start(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Listens no more."""
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        self.cuts += len(self._open) // 2
        for writer in list(self._open):
            writer.transport.abort()
        self._open.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back}
        self._open |= both
        try:
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        finally:
            self._open -= both
            for each in both:
                each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
        writer.close()
