"""The gateway's two applications, put together: everything that a browser sees, and @connections."""

import time
from pathlib import Path
from typing import Final

from aiohttp import web

from chalicelib.aws.sigv4 import Credentials
from local.gateway.files import PREFIX, Files
from local.gateway.invoker import Invoker
from local.gateway.management import Management
from local.gateway.page import Page
from local.gateway.rest import Rest
from local.gateway.settings import Bucket, GatewaySettings
from local.gateway.sockets import Sockets

LINE_BYTES: Final = 64 * 1024
"""The longest line aiohttp's parser bears. `rest` refuses what is over API Gateway's own limit, in our error shape."""


def applications(
    invoker: Invoker, settings: GatewaySettings, page: Path, credentials: Credentials, files: Files | None = None
) -> tuple[web.Application, web.Application]:
    """The public one and the management one."""
    bucket = Bucket(settings.rate_per_s, settings.burst, time.monotonic())
    sockets = Sockets(invoker, settings, bucket)
    rest = Rest(invoker, settings, bucket)
    app = web.Application(client_max_size=settings.body_bytes)
    app.router.add_route("*", "/api", rest.handle)
    app.router.add_route("*", "/api/{tail:(?s:.*)}", rest.handle)
    app.router.add_get("/ws", sockets.handle)
    if files is not None:
        app.cleanup_ctx.append(files.life)
        app.router.add_get(PREFIX + "/{tail:(?s:.*)}", files.handle)
    app.router.add_get("/{tail:(?s:.*)}", Page(page).handle)
    return app, Management(sockets, credentials, settings.message_bytes, bucket).app()
