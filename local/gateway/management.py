"""@connections, on a port of its own: POST, GET and DELETE of a connection, signed with SigV4 as in AWS.

The signature is checked for real, against the local credentials, so that a signer that AWS would refuse is refused here.
"""

import hashlib
import hmac
import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from aiohttp import WSCloseCode, web

from chalicelib.aws.sigv4 import Credentials, canonical_path, signing_key
from local.gateway.settings import Bucket
from local.gateway.sockets import Connection, Sockets

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/execute-api/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_SKEW_S: Final = 300


class Management:
    """The management API of the WebSocket stage."""

    def __init__(self, sockets: Sockets, credentials: Credentials, message_bytes: int, bucket: Bucket) -> None:
        self._sockets = sockets
        self._credentials = credentials
        self._message_bytes = message_bytes
        self._bucket = bucket

    def app(self) -> web.Application:
        """The server's routes."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{stage}/@connections/{connection_id}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.Response:
        """One call."""
        body = await request.read()
        if not self._signed(request, body):
            return _error(403, "ForbiddenException", "Missing or wrong signature")
        if not self._bucket.take(time.monotonic()):
            return _error(429, "LimitExceededException", "Too Many Requests")
        connection = self._sockets.find(unquote(request.match_info["connection_id"]))
        if connection is None:
            return _error(410, "GoneException", "Gone")
        if request.method == "POST":
            return self._post(connection, body)
        if request.method == "GET":
            return _status(connection)
        if request.method == "DELETE":
            self._sockets.close(connection, WSCloseCode.OK, "Connection Closed Normally")
            return web.Response(status=204)
        return _error(403, "ForbiddenException", "Unsupported method")

    def _post(self, connection: Connection, body: bytes) -> web.Response:
        if len(body) > self._message_bytes:
            return _error(413, "PayloadTooLargeException", "Payload too large")
        if not self._sockets.post(connection, body.decode("utf-8", "replace")):
            return _error(429, "LimitExceededException", "The client reads too slowly")
        return web.Response(status=200)

    def _signed(self, request: web.Request, body: bytes) -> bool:
        found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        amz_date = request.headers.get("X-Amz-Date", "")
        if found is None or not _recent(amz_date):
            return False
        key, date, region, names, signature = found.groups()
        if key != self._credentials.access_key or not amz_date.startswith(date) or "host" not in names.split(";"):
            return False
        digest = hashlib.sha256(body).hexdigest()
        if request.headers.get("X-Amz-Content-SHA256", digest) != digest:
            return False
        expected = _signature(request, names, digest, self._credentials, region, amz_date)
        return hmac.compare_digest(expected, signature)


def _signature(
    request: web.Request, names: str, digest: str, credentials: Credentials, region: str, amz_date: str
) -> str:
    """What SigV4 gives for a request as it arrived, over the headers that its sender signed."""
    path = canonical_path(request.rel_url.raw_path)
    lines = "".join(f"{n}:{' '.join(request.headers.get(n, '').split())}\n" for n in names.split(";"))
    canonical = f"{request.method}\n{path}\n{request.rel_url.raw_query_string}\n{lines}\n{names}\n{digest}"
    scope = f"{amz_date[:8]}/{region}/execute-api/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = signing_key(credentials.secret_key, amz_date[:8], region, "execute-api")
    return hmac.new(key, f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()


def _recent(amz_date: str) -> bool:
    at_s = _seconds(amz_date)
    return at_s is not None and abs(time.time() - at_s) <= _SKEW_S


@lru_cache(maxsize=16)
def _seconds(amz_date: str) -> float | None:
    try:
        return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _status(connection: Connection) -> web.Response:
    def iso(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    s = connection.socket
    return web.json_response(
        {
            "connectedAt": iso(s.connected_at_ms),
            "identity": {"sourceIp": s.source_ip, "userAgent": s.user_agent},
            "lastActiveAt": iso(connection.last_active_ms),
        }
    )


def _error(status: int, name: str, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status, headers={"x-amzn-ErrorType": name})
