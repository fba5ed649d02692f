"""Health, and the documentation as it is served: /openapi.json, /asyncapi.json, and /docs to browse them."""

import time
from collections.abc import Callable
from functools import cache
from typing import Final

import msgspec
from chalice.app import Response

from chalicelib.apidocs.asyncapi import asyncapi
from chalicelib.apidocs.openapi import openapi
from chalicelib.endpoint import Authenticate, Call, Endpoint, Nothing, Routes
from chalicelib.wire import PROTOCOL_VERSION
from chalicelib.wire.bodies import Health

VERSION: Final = "0.1.0"

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Holodeck API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script type="module" src="/vendor/rapidoc-min.js"></script></head>
<body><rapi-doc spec-url="/api/openapi.json" theme="dark" render-style="read" show-header="false"
allow-server-selection="false" load-fonts="false" regular-font="system-ui" mono-font="ui-monospace"></rapi-doc>
</body></html>
"""
_PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


def routes(
    authenticate: Authenticate,
    documented: Callable[[], list[Endpoint]],
    *,
    stage: str,
    open_guests: bool,
    accounts: bool,
) -> Routes:
    """The blueprint of this room. `documented` gives every endpoint of the app, this room's too."""
    r = Routes("meta", authenticate)

    @r.get("/health", response=Health, public=True)
    def get_health(call: Call[Nothing]) -> Health:
        """Whether the functions answer, which protocol they speak, and how one may enter."""
        return Health(
            status="ok",
            version=VERSION,
            protocol=PROTOCOL_VERSION,
            stage=stage,
            open_guests=open_guests,
            accounts=accounts,
            time_ms=time.time_ns() // 1_000_000,
        )

    @cache
    def openapi_json() -> str:
        return msgspec.json.encode(openapi(documented(), version=VERSION)).decode()

    @cache
    def asyncapi_json() -> str:
        return msgspec.json.encode(asyncapi(version=VERSION)).decode()

    @r.blueprint.route("/openapi.json", methods=["GET"], name="get_openapi")
    def get_openapi() -> Response:
        return _text(openapi_json(), "application/json")

    @r.blueprint.route("/asyncapi.json", methods=["GET"], name="get_asyncapi")
    def get_asyncapi() -> Response:
        return _text(asyncapi_json(), "application/json")

    @r.blueprint.route("/docs", methods=["GET"], name="get_docs")
    def get_docs() -> Response:
        return _text(_PAGE, "text/html; charset=utf-8", {"Content-Security-Policy": _PAGE_POLICY})

    return r


def _text(body: str, content_type: str, more: dict[str, str] | None = None) -> Response:
    headers: dict[str, str | list[str]] = {
        "Content-Type": content_type,
        "Cache-Control": "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
        **(more or {}),
    }
    return Response(body=body, headers=headers)
