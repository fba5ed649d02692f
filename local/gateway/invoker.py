"""Invokes functions in the worker processes that are connected, the least busy first, as Lambda would in containers."""

import asyncio
import itertools
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

_FILLED: Final = frozenset({"message", "disconnect"})
_FULL: Final = 64
"""Below the threads that a worker has for messages."""


class InvocationFailed(Exception):  # noqa: N818 - an outcome that the callers map
    """The function raised, timed out, or its worker died. API Gateway answers 502 or 504."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        self.timed_out = timed_out
        super().__init__(reason)


@dataclass(slots=True, eq=False)
class _Worker:
    pid: int
    writer: asyncio.StreamWriter
    waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)


class Invoker:
    """The connected workers. `routes` and `binary_types` are the app's, as the first worker told them."""

    def __init__(self, socket_path: Path, timeout_s: float, *, fill: bool = True) -> None:
        self._path = socket_path
        self._timeout_s = timeout_s
        self._fill = fill
        self._workers: list[_Worker] = []
        self._ids = itertools.count(1)
        self._ready = asyncio.Event()
        self._encoder = msgspec.msgpack.Encoder()
        self._server: asyncio.AbstractServer | None = None
        self.routes: dict[str, list[str]] = {}
        self.binary_types: list[str] = []

    async def start(self) -> None:
        """Listens for workers."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._attend, str(self._path), limit=16 * 1024 * 1024)

    async def ready(self) -> bool:
        """Waits until there is a worker. False: there was none in time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ready.wait()
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.close()
            writers = [worker.writer for worker in self._workers]
            for writer in writers:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

    async def invoke(self, function: str, event: dict[str, Any], request_id: str) -> dict[str, Any]:
        """The function's result, or InvocationFailed."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._ready.wait()
                return await self._call(self._worker(function), function, event, request_id)
        except TimeoutError as exc:
            raise InvocationFailed("the integration timed out", timed_out=True) from exc

    def _worker(self, function: str) -> _Worker:
        """The least busy; messages fill one worker first, as Lambda's containers of one function are reused first."""
        first = self._workers[0]
        if self._fill and function in _FILLED and len(first.waiting) < _FULL:
            return first
        return min(self._workers, key=lambda w: len(w.waiting))

    async def _call(self, worker: _Worker, function: str, event: dict[str, Any], request_id: str) -> dict[str, Any]:
        number = next(self._ids)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        worker.waiting[number] = future
        data = self._encoder.encode({"id": number, "function": function, "event": event, "request_id": request_id})
        worker.writer.write(struct.pack(">I", len(data)) + data)
        try:
            answer = await future
        finally:
            worker.waiting.pop(number, None)
        if "error" in answer:
            raise InvocationFailed(str(answer["error"]))
        result: dict[str, Any] = answer["result"]
        return result

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        worker: _Worker | None = None
        try:
            hello = await _read(reader)
            self.routes, self.binary_types = hello["routes"], hello["binary_types"]
            worker = _Worker(hello["pid"], writer)
            self._workers.append(worker)
            self._ready.set()
            while True:
                answer = await _read(reader)
                future = worker.waiting.get(answer["id"])
                if future is not None and not future.done():
                    future.set_result(answer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            if worker is not None:
                self._dismiss(worker)
            writer.close()

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        if not self._workers:
            self._ready.clear()
        for future in worker.waiting.values():
            if not future.done():
                future.set_exception(InvocationFailed("the worker died"))


async def _read(reader: asyncio.StreamReader) -> dict[str, Any]:
    (size,) = struct.unpack(">I", await reader.readexactly(4))
    value: dict[str, Any] = msgspec.msgpack.decode(await reader.readexactly(size))
    return value
