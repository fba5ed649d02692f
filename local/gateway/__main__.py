"""The gateway's process: two ports (everything; @connections) and the socket that workers come to."""

import asyncio
import os
import signal
from pathlib import Path

from aiohttp import web

from chalicelib.aws.credentials import of_environment
from local.gateway.files import Files
from local.gateway.invoker import Invoker
from local.gateway.server import LINE_BYTES, applications
from local.gateway.settings import from_environment
from local.process import die_with_parent


async def serve() -> None:
    """Serves until it is told to end."""
    settings = from_environment()
    invoker = Invoker(Path(os.environ["GATEWAY_SOCKET"]), settings.integration_timeout_s, fill=settings.fill)
    await invoker.start()
    credentials = of_environment()
    files = Files(os.environ["AWS_ENDPOINT_URL_S3"], credentials, os.environ["AWS_REGION"])
    apps = applications(invoker, settings, Path(os.environ["PAGE_ROOT"]), credentials, files)
    runners = [
        web.AppRunner(a, access_log=None, shutdown_timeout=0.5, max_line_size=LINE_BYTES, max_field_size=LINE_BYTES)
        for a in apps
    ]
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
