"""Objects in one S3 bucket, through the lean client: small ones, that a function itself reads and writes."""

from chalicelib.aws import log
from chalicelib.aws.client import SignedClient
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

_TIMEOUT_S = 10.0


class ObjectStore:
    """Bytes by key (a-z, 0-9, /, _, . and -). `endpoint` is an emulator's, which has the bucket in its path."""

    def __init__(self, bucket: str, endpoint: str | None, region: str) -> None:
        self._client = SignedClient(
            endpoint or f"https://{bucket}.s3.{region}.amazonaws.com",
            region=region,
            service="s3",
            timeout_s=_TIMEOUT_S,
        )
        self._base = f"/{bucket}" if endpoint else ""

    async def put(self, key: str, data: bytes) -> None:
        """Stores an object; UPSTREAM_UNAVAILABLE."""
        await self._call("PUT", key, data, (200,))

    async def get(self, key: str) -> bytes | None:
        """An object; None: there is none. UPSTREAM_UNAVAILABLE."""
        return await self._call("GET", key, b"", (200, 404))

    async def delete(self, key: str) -> None:
        """Removes an object, if it is there; UPSTREAM_UNAVAILABLE."""
        await self._call("DELETE", key, b"", (204, 404))

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _call(self, method: str, key: str, data: bytes, expected: tuple[int, ...]) -> bytes | None:
        try:
            reply = await self._client.request(method, f"{self._base}/{key}", data)
        except OSError as exc:
            log.warning("s3.unavailable", method=method, reason=type(exc).__name__)
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500) from exc
        if reply.status not in expected:
            log.warning("s3.refused", method=method, status=reply.status)
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)
        return reply.body if reply.status == 200 else None
