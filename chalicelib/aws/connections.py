"""The lean sender: posts to WebSocket connections through API Gateway's @connections.

boto3 costs about 1 ms of CPU a post and a thread each; this signs in 30 us and keeps the posts in flight on one loop.
Delivery is at most once. A connection that is gone is an expected outcome, not an error.
"""

import asyncio
import hashlib
from functools import lru_cache
from urllib.parse import quote

from chalicelib.aws import log
from chalicelib.aws.client import SignedClient
from chalicelib.aws.credentials import Keyring
from chalicelib.wire import limits
from chalicelib.wire.types import Delivery


@lru_cache(maxsize=4096)
def _quoted(connection_id: str) -> str:
    return quote(connection_id, safe="")


class ConnectionSender:
    """Posts bytes to connections and closes them. One slow or failing recipient delays no other."""

    def __init__(self, endpoint: str, region: str, ring: Keyring | None = None) -> None:
        self._client = SignedClient(
            endpoint, region=region, service="execute-api", timeout_s=limits.POST_TIMEOUT_S, ring=ring
        )

    async def post(self, connection_id: str, data: bytes, payload_sha256: str | None = None) -> Delivery:
        """Sends one message (at most WS_MESSAGE_BYTES)."""
        return await self._call("POST", connection_id, data, payload_sha256)

    async def post_all(self, connection_ids: list[str], data: bytes) -> dict[str, Delivery]:
        """Sends one message to many, all at once."""
        digest = hashlib.sha256(data).hexdigest()
        outcomes = await asyncio.gather(*(self.post(c, data, digest) for c in connection_ids))
        return dict(zip(connection_ids, outcomes, strict=True))

    async def disconnect(self, connection_id: str) -> Delivery:
        """Closes a connection from the server's side."""
        return await self._call("DELETE", connection_id, b"", None)

    async def close(self) -> None:
        """Closes the sender's own HTTP connections."""
        await self._client.close()

    async def _call(self, method: str, connection_id: str, data: bytes, payload_sha256: str | None) -> Delivery:
        path = f"{self._client.base_path}/@connections/{_quoted(connection_id)}"
        try:
            reply = await self._client.request(method, path, data, payload_sha256=payload_sha256)
        except OSError as exc:
            log.warning("connection.post_failed", connection_id=connection_id, reason=type(exc).__name__)
            return Delivery.FAILED
        if reply.status < 300:
            return Delivery.SENT
        if reply.status == 410:
            return Delivery.GONE
        log.warning("connection.post_refused", connection_id=connection_id, status=reply.status)
        return Delivery.FAILED
