"""Files in an S3 bucket, through the lean client: listed, read by ranges, written as streams, given to browsers by URL.

What is larger than PART_BYTES goes by multipart upload, a part at a time, so that nobody holds a whole file. A file is there
once it is finished, whole; what of it was never finished, the bucket's lifecycle removes.
"""

import asyncio
import html
import random
import re
from collections.abc import AsyncIterator, Callable
from typing import Final

from chalicelib.aws import log
from chalicelib.aws.client import SignedClient
from chalicelib.aws.http import Reply
from chalicelib.aws.sigv4 import query_of
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

PART_BYTES: Final = 5 << 20
"""S3 takes no smaller part, but for the last one."""
_TIMEOUT_S: Final = 30.0
_ATTEMPTS: Final = 4
_AT_ONCE: Final = 16
_KEY: Final = re.compile(r"<Key>([^<]*)</Key>")
_ETAG: Final = re.compile(r"<PartNumber>(\d+)</PartNumber>.*?<ETag>([^<]*)</ETag>", re.DOTALL)
_NEXT: Final = re.compile(r"<NextContinuationToken>([^<]*)</NextContinuationToken>")
_UPLOAD: Final = re.compile(r"<UploadId>([^<]*)</UploadId>")


class FileStore:
    """Bytes by key (A-Z, a-z, 0-9, /, _, . and -).

    `endpoint` is an emulator's, which has the bucket in its path. `public` is where browsers reach it, if elsewhere.
    """

    def __init__(self, bucket: str, endpoint: str | None, region: str, public: str | None = None) -> None:
        origin = endpoint or f"https://{bucket}.s3.{region}.amazonaws.com"
        self._client = SignedClient(origin, region=region, service="s3", timeout_s=_TIMEOUT_S)
        self._public = origin if public is None else public
        self._base = f"/{bucket}" if endpoint else ""

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Stores a file; UPSTREAM_UNAVAILABLE, as all of these."""
        await self._call("PUT", f"/{key}", data, content_type=content_type)

    async def read(self, key: str, start: int = 0, size: int | None = None) -> bytes | None:
        """A file, or so much of it from there on, at most; None: there is none, or nothing there."""
        span = f"bytes={start}-{'' if size is None else start + size - 1}"
        reply = await self._call("GET", f"/{key}", span=span, also=(206, 404, 416))
        if reply.status not in {200, 206}:
            return None
        body = reply.body if reply.status == 206 else reply.body[start:]
        return body if size is None else body[:size]

    async def delete(self, key: str) -> None:
        """Removes a file, if it is there."""
        await self._call("DELETE", f"/{key}", also=(204, 404))

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys that begin so, in order."""
        parameters = {"list-type": "2", "prefix": prefix}
        while True:
            text = (await self._call("GET", "" if self._base else "/", query=query_of(parameters))).body.decode()
            for key in _KEY.findall(text):
                yield html.unescape(key)
            more = _NEXT.search(text)
            if more is None:
                return
            parameters["continuation-token"] = html.unescape(more[1])

    async def delete_all(self, prefix: str) -> None:
        """Removes every file whose key begins so."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(key: str) -> None:
            async with gate:
                await self.delete(key)

        await asyncio.gather(*[one(key) async for key in self.keys(prefix)])

    def url(self, key: str, ttl_s: int, *, download_as: str | None = None) -> str:
        """Where a browser reads a file for so long; `download_as` names it where it is kept."""
        said = f'attachment; filename="{_plain(download_as)}"' if download_as else None
        parameters = {"response-content-disposition": said} if said else {}
        return self._public + self._client.presigned(f"{self._base}/{key}", ttl_s, parameters)

    def upload(self, key: str, content_type: str) -> "Upload":
        """A file that is written as a stream."""
        return Upload(self, key, content_type)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    # -- multipart uploads --

    async def begin(self, key: str, content_type: str) -> str:
        """The id of a new one."""
        reply = await self._call("POST", f"/{key}", query="uploads=", content_type=content_type)
        found = _UPLOAD.search(reply.body.decode())
        if found is None:
            raise AppError(Code.UPSTREAM_UNAVAILABLE)
        return html.unescape(found[1])

    async def part(self, key: str, upload_id: str, number: int, data: bytes) -> None:
        """The bytes of one part; once more is harmless."""
        query = query_of({"partNumber": str(number), "uploadId": upload_id})
        await self._call("PUT", f"/{key}", data, query=query)

    async def complete(self, key: str, upload_id: str) -> None:
        """The file is there, of all parts. (Ours are fewer than the thousand that one answer lists.)"""
        query = query_of({"uploadId": upload_id})
        listed = (await self._call("GET", f"/{key}", query=query)).body.decode()
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, etag in _ETAG.findall(listed)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        reply = await self._call("POST", f"/{key}", body, query=query)
        if b"<Error>" in reply.body:  # S3 may find it out after it has said 200
            raise AppError(Code.UPSTREAM_UNAVAILABLE)

    async def _call(
        self,
        method: str,
        path: str,
        data: bytes = b"",
        *,
        query: str = "",
        span: str | None = None,
        content_type: str | None = None,
        also: tuple[int, ...] = (),
        chance: Callable[[float, float], float] = random.uniform,
    ) -> Reply:
        """One request, again while S3 cannot be reached or is busy: all of these can be repeated."""
        reason: str | int = ""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                reply = await self._client.request(
                    method, self._base + path, data, query=query, span=span, content_type=content_type
                )
            except OSError as exc:
                reason = type(exc).__name__
            else:
                if reply.status == 200 or reply.status in also:
                    return reply
                reason = reply.status
                if reply.status < 500:
                    break
            if attempt < _ATTEMPTS:
                await asyncio.sleep(chance(0, 0.1 * 2**attempt))
        log.warning("s3.unavailable", method=method, reason=reason)
        raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)


class Upload:
    """A file as it is written. It is there after `finish`."""

    def __init__(self, files: FileStore, key: str, content_type: str) -> None:
        self._files = files
        self._key = key
        self._content_type = content_type
        self._data = bytearray()
        self._upload_id = ""
        self._number = 0

    async def write(self, data: bytes) -> None:
        """More of it."""
        self._data += data
        while len(self._data) >= PART_BYTES:
            if not self._upload_id:
                self._upload_id = await self._files.begin(self._key, self._content_type)
            await self._send(bytes(self._data[:PART_BYTES]))
            del self._data[:PART_BYTES]

    async def finish(self) -> None:
        """All of it."""
        if not self._upload_id:
            await self._files.put(self._key, bytes(self._data), self._content_type)
            return
        if self._data:
            await self._send(bytes(self._data))
        await self._files.complete(self._key, self._upload_id)

    async def _send(self, data: bytes) -> None:
        self._number += 1
        await self._files.part(self._key, self._upload_id, self._number, data)


def _plain(name: str) -> str:
    """A file's name that every system takes."""
    return re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)[:120]
