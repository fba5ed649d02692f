"""A gateway in this process, with functions of the test's own behind its real worker protocol."""

import asyncio
import contextlib
import struct
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp.test_utils import TestServer

from chalicelib.aws.sigv4 import Credentials
from local.gateway.invoker import Invoker
from local.gateway.server import LINE_BYTES, applications
from local.gateway.settings import from_environment

ROUTES = {"/things": ["POST", "GET"], "/things/{thing_id}": ["GET"]}
CREDENTIALS = Credentials("AKIDEXAMPLE", "a secret that nobody knows")
Function = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(slots=True)
class Functions:
    """A worker whose functions answer 200 unless the test replaces them. `events` are what they were given, by name."""

    replaced: dict[str, Function] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()

    async def serve(self, path: Path) -> None:
        """Serves the gateway at a Unix socket until it ends."""
        reader, writer = await asyncio.open_unix_connection(str(path))
        _write(writer, {"pid": 1, "routes": ROUTES, "binary_types": ["image/png"]})
        try:
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                call = msgspec.msgpack.decode(await reader.readexactly(size))
                self.events.setdefault(call["function"], []).append(call["event"])
                self.news.set()
                await self.held.wait()
                _write(writer, {"id": call["id"], **self._outcome(call["function"], call["event"])})
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def event(self, name: str) -> dict[str, Any]:
        """The next event that a function is given, or was and nobody asked yet."""
        async with asyncio.timeout(10):
            while not self.events.get(name):
                self.news.clear()
                await self.news.wait()
        return self.events[name].pop(0)

    def _outcome(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": self.replaced.get(name, _ok)(event)}
        except ZeroDivisionError as exc:
            return {"error": type(exc).__name__}


@dataclass(slots=True)
class House:
    """What a test sees of it."""

    functions: Functions
    http: aiohttp.ClientSession
    public: str
    management: str
    worker: asyncio.Task[None]

    async def open(self) -> tuple[aiohttp.ClientWebSocketResponse, str]:
        """A WebSocket and its connection id."""
        ws = await self.http.ws_connect(f"{self.public}/ws?ticket=t", max_msg_size=0, compress=0)
        event = await self.functions.event("connect")
        return ws, str(event["requestContext"]["connectionId"])


@asynccontextmanager
async def house(page: Path | None = None, **settings: float) -> AsyncIterator[House]:
    """A gateway with these GATEWAY_ settings, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.sock"
        chosen = from_environment({f"GATEWAY_{n.upper()}": str(v) for n, v in settings.items()})
        invoker = Invoker(path, chosen.integration_timeout_s)
        await invoker.start()
        functions = Functions()
        worker = asyncio.create_task(functions.serve(path))
        async with contextlib.AsyncExitStack() as ends:
            ends.push_async_callback(asyncio.wait, [worker])
            ends.push_async_callback(invoker.close)
            made = applications(invoker, chosen, page or Path(folder), CREDENTIALS)
            servers = [TestServer(a) for a in made]
            for server in servers:
                ends.push_async_callback(server.close)
                await server.start_server(shutdown_timeout=0.1, max_line_size=LINE_BYTES, max_field_size=LINE_BYTES)
            public, management = (str(server.make_url("")).rstrip("/") for server in servers)
            http = await ends.enter_async_context(aiohttp.ClientSession())
            ends.callback(functions.held.set)
            yield House(functions, http, public, f"{management}/api", worker)


def _ok(_event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200}


def _write(writer: asyncio.StreamWriter, value: object) -> None:
    data = msgspec.msgpack.encode(value)
    writer.write(struct.pack(">I", len(data)) + data)
