"""moto as one process: DynamoDB, Cognito, S3, SSM. Requests are served one at a time.

moto loses writes and answers 500 when transactions and writes overlap (measured; docs/architecture.md), so its WSGI
application is called on the event loop, by one request after another. Everything it keeps is in memory and ends with it.

It also takes two short cuts, so that a room full of people holds on the default `make run`: a DynamoDB request needs no
search for the service that it is for, and items, which moto keeps as DynamoDB sends them, need no walk through their
shape. With aiohttp's server in place of werkzeug's, a conditional Put went from 4.2 ms of CPU to 1.5, a Query of 100
items from 105 to 12.
"""

import asyncio
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from moto.core.serialize import BaseJSONSerializer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.process import die_with_parent

_BODY_BYTES = 1 << 30

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Bridge:
    """Calls moto's WSGI applications. A call holds the event loop: that is what makes it one at a time."""

    def __init__(self) -> None:
        keep_items_as_they_are()
        self._dynamodb: Wsgi = create_backend_app("dynamodb")
        self._everything_else: Wsgi = DomainDispatcherApplication(create_backend_app)

    async def handle(self, request: web.Request) -> web.Response:
        """One request."""
        body = await request.read()
        target = request.headers.get("X-Amz-Target", "")
        wsgi = self._dynamodb if target.startswith("DynamoDB_") else self._everything_else
        started: list[Any] = []
        data = b"".join(wsgi(_environ(request, body), lambda *args: started.extend(args)))
        status, headers = started[0], started[1]
        response = web.Response(status=int(status.partition(" ")[0]), body=data)
        for name, value in headers:
            if name.lower() == "content-type":
                response.headers[name] = value
            elif name.lower() not in {"content-length", "connection", "server", "date"}:
                response.headers.add(name, value)
        if request.method == "HEAD":
            response.headers.update({n: v for n, v in headers if n.lower() == "content-length"})
        return response


def application() -> web.Application:
    """moto, for aiohttp's server."""
    app = web.Application(client_max_size=_BODY_BYTES)
    app.router.add_route("*", "/{tail:(?s:.*)}", Bridge().handle)
    return app


def keep_items_as_they_are() -> None:
    """An attribute value is serialised as it is kept."""
    walk = BaseJSONSerializer._serialize_type_structure

    def serialize(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue":
            serialized[key] = value
        else:
            walk(self, serialized, value, shape, key)

    BaseJSONSerializer._serialize_type_structure = serialize  # type: ignore[method-assign]


def _environ(request: web.Request, body: bytes) -> dict[str, Any]:
    """PEP 3333's environment of a request."""
    path, _, query = request.raw_path.partition("?")
    host, _, port = request.host.partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.raw_path,
        "REMOTE_ADDR": request.remote or "",
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
            environ[f"HTTP_{key}"] = f"{environ[f'HTTP_{key}']},{value}" if f"HTTP_{key}" in environ else value
    return environ


async def serve(port: int) -> None:
    """Serves until it is told to end."""
    app = application()
    gc.freeze()  # what was imported is not looked through at every collection
    runner = web.AppRunner(app, access_log=None, max_line_size=64 * 1024, max_field_size=64 * 1024)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(serve(int(sys.argv[1])))
