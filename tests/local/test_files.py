"""The bucket below /files: what is signed and has not ended is read, in spans too; nothing else is."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chalicelib.aws.client import SignedClient
from chalicelib.aws.credentials import Keyring
from chalicelib.aws.sigv4 import Credentials
from local.gateway.files import PREFIX, Files

KEYS = Credentials("local", "local")
PATH = "/bucket/recordings/ses_1/rec_1/tracks/ada.tab00001.ogg"


async def _bucket(request: web.Request) -> web.Response:
    if request.path != PATH:
        return web.Response(status=404)
    said = request.query.get("response-content-disposition")
    headers = {"Content-Disposition": said} if said else {}
    if request.headers.get("Range") == "bytes=2-3":
        return web.Response(status=206, body=b"23", headers={**headers, "Content-Range": "bytes 2-3/10"})
    return web.Response(body=b"0123456789", content_type="audio/ogg", headers=headers)


@asynccontextmanager
async def served(later_s: float = 0) -> AsyncIterator[tuple[aiohttp.ClientSession, str, SignedClient]]:
    """A client, where /files is, and whoever signs; looked at so much later."""
    behind = web.Application()
    behind.router.add_get("/{tail:.*}", _bucket)
    async with TestServer(behind) as bucket, aiohttp.ClientSession() as http:
        endpoint = str(bucket.make_url("")).rstrip("/")
        signer = SignedClient(endpoint, region="us-east-1", service="s3", timeout_s=5, ring=Keyring(KEYS))
        files = Files(endpoint, KEYS, "us-east-1", now_s=lambda: time.time() + later_s)
        app = web.Application()
        app.cleanup_ctx.append(files.life)
        app.router.add_get(PREFIX + "/{tail:(?s:.*)}", files.handle)
        async with TestServer(app) as front:
            yield http, str(front.make_url(PREFIX)), signer


async def test_a_signed_address_is_read_in_spans_too() -> None:
    """As a player does; and under the name that it was given."""
    said = 'attachment; filename="Stand-up - Ada.ogg"'
    async with served() as (http, at, signer):
        url = at + signer.presigned(PATH, 900, {"response-content-disposition": said})
        async with http.get(url) as reply:
            assert (reply.status, await reply.read(), reply.content_type) == (200, b"0123456789", "audio/ogg")
            assert reply.headers["Content-Disposition"] == said
            assert reply.headers["Accept-Ranges"] == "bytes"
        async with http.get(url, headers={"Range": "bytes=2-3"}) as reply:
            assert (reply.status, await reply.read()) == (206, b"23")
            assert reply.headers["Content-Range"] == "bytes 2-3/10"


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.partition("?")[0],
        lambda url: url.replace("rec_1", "rec_2"),
        lambda url: url.replace("Expires=900", "Expires=9000"),
        lambda url: url.replace("Expires=900", "Expires=x"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url + "&response-content-type=text/html",
        lambda url: url.replace("X-Amz-Date", "X-Amz-Day"),
    ],
)
async def test_what_is_not_signed_is_refused(change: object) -> None:
    """Another object, a longer life, one parameter more: none of it was signed."""
    async with served() as (http, at, signer):
        url = change(at + signer.presigned(PATH, 900, {}))  # type: ignore[operator]
        async with http.get(url) as reply:
            assert reply.status == 403


async def test_an_address_ends() -> None:
    """After as long as it was made for."""
    async with served(later_s=901) as (http, at, signer), http.get(at + signer.presigned(PATH, 900, {})) as reply:
        assert reply.status == 403
