"""The bucket, as a browser reaches it: signed addresses below /files, checked as S3 checks them, for moto checks nothing.

So a page on one machine needs no other origin: what CORS and the bucket's own host are in AWS, is `FILES_URL` here.
"""

import hmac
import time
from calendar import timegm
from collections.abc import AsyncIterator, Callable
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from chalicelib.aws.sigv4 import Credentials, presigned

PREFIX: Final = "/files"
_OURS: Final = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
    }
)
_PASSED: Final = ("Content-Type", "Content-Length", "Content-Range", "Content-Disposition", "ETag", "Last-Modified")


class Files:
    """GET of an object by a signed address. `endpoint` is the emulator's."""

    def __init__(
        self, endpoint: str, credentials: Credentials, region: str, now_s: Callable[[], float] = time.time
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credentials = credentials
        self._region = region
        self._now_s = now_s
        self._http: aiohttp.ClientSession | None = None

    async def life(self, _app: web.Application) -> AsyncIterator[None]:
        """The client, for as long as the application lasts."""
        async with aiohttp.ClientSession(auto_decompress=False) as self._http:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The object, or a span of it. 403 where the address is not signed, or has ended."""
        if not self._good(request):
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>", content_type="text/xml")
        assert self._http is not None
        headers = {"Range": request.headers["Range"]} if "Range" in request.headers else {}
        async with self._http.get(self._endpoint + _path(request), params=request.query, headers=headers) as reply:
            passed = {name: reply.headers[name] for name in _PASSED if name in reply.headers}
            response = web.StreamResponse(
                status=reply.status, headers={**passed, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
            )
            await response.prepare(request)
            async for chunk in reply.content.iter_chunked(64 * 1024):
                await response.write(chunk)
            return response

    def _good(self, request: web.Request) -> bool:
        query = request.query
        try:
            ttl_s, date = int(query["X-Amz-Expires"]), query["X-Amz-Date"]
            ends_s = timegm(time.strptime(date, "%Y%m%dT%H%M%SZ")) + ttl_s
            told = query["X-Amz-Signature"]
        except (KeyError, ValueError):
            return False
        want = presigned(
            urlsplit(self._endpoint).netloc,
            _path(request),
            self._credentials,
            region=self._region,
            amz_date=date,
            ttl_s=ttl_s,
            parameters={name: value for name, value in query.items() if name not in _OURS},
        )
        signature = want.rpartition("=")[2]
        return self._now_s() < ends_s and hmac.compare_digest(signature.encode(), told.encode())


def _path(request: web.Request) -> str:
    return request.path.removeprefix(PREFIX)
