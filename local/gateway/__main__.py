"""The gateway's process: two ports (everything; @connections) and the socket that workers come to."""

import asyncio
import os
import signal
import time
from pathlib import Path

from aiohttp import web

from chalicelib.aws.client import environment_credentials
from local.gateway.invoker import Invoker
from local.gateway.management import Management
from local.gateway.page import Page
from local.gateway.rest import Rest
from local.gateway.settings import Bucket, from_environment
from local.gateway.sockets import Sockets
from local.process import die_with_parent


async def serve() -> None:
    """Serves until it is told to end."""
    settings = from_environment()
    invoker = Invoker(Path(os.environ["GATEWAY_SOCKET"]), settings.integration_timeout_s)
    await invoker.start()
    bucket = Bucket(settings.rate_per_s, settings.burst, time.monotonic())
    sockets = Sockets(invoker, settings, bucket)
    rest = Rest(invoker, settings, bucket)
    app = web.Application(client_max_size=settings.body_bytes)
    app.router.add_route("*", "/api/{tail:.*}", rest.handle)
    app.router.add_get("/ws", sockets.handle)
    app.router.add_get("/{tail:.*}", Page(Path(os.environ["PAGE_ROOT"])).handle)
    management = Management(sockets, environment_credentials(), settings.message_bytes, bucket)
    runners = [web.AppRunner(a, access_log=None, shutdown_timeout=0.5) for a in (app, management.app())]
    for runner in runners:
        await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, port = os.environ["GATEWAY_HOST"], int(os.environ["GATEWAY_PORT"])
    await web.TCPSite(runners[0], host, port, backlog=1024).start()
    await web.TCPSite(runners[1], "127.0.0.1", int(os.environ["CONNECTIONS_PORT"]), backlog=1024).start()
    await stop.wait()
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(serve())
