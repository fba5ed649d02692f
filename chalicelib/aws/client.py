"""One event loop in a thread, and one keep-alive HTTP client on it, for the hot paths of a function's container.

Handlers are synchronous (Chalice); fan-out and the room's broadcaster are not. A handler hands a coroutine to `run` and
waits; the loop, its connections and its TLS sessions outlive the invocation and serve the next one.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from chalicelib.aws import sigv4
from chalicelib.aws.credentials import Keyring, keyring
from chalicelib.aws.http import HttpClient, Reply
from chalicelib.aws.once import once
from chalicelib.aws.sigv4 import EMPTY_SHA256, sign

T = TypeVar("T")


class LoopThread:
    """An event loop that runs in its own daemon thread for the life of the process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="aws-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the loop and waits for it. Never call it from the loop itself."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()


@once
def loop_thread() -> LoopThread:
    """The container's one loop."""
    return LoopThread()


class SignedClient:
    """Sends signed requests to one endpoint of one service."""

    def __init__(
        self, endpoint: str, *, region: str, service: str, timeout_s: float, ring: Keyring | None = None
    ) -> None:
        parts = urlsplit(endpoint)
        self._http = HttpClient(f"{parts.scheme}://{parts.netloc}", timeout_s)
        self.base_path = parts.path.rstrip("/")
        self._region = region
        self._service = service
        self._keyring = ring or keyring()
        self._date: tuple[int, str] = (0, "")

    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        target: str | None = None,
        content_type: str | None = None,
        payload_sha256: str | None = None,
        query: str = "",
        span: str | None = None,
    ) -> Reply:
        """One signed request. Raises OSError (a TimeoutError is one); the callers translate it.

        `payload_sha256` may be given where one body goes to many. `query` is `sigv4.query_of`'s, `span` a Range.
        """
        digest = payload_sha256 or (hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256)
        headers = sign(
            method,
            self._http.host,
            path,
            digest,
            self._keyring.current,
            region=self._region,
            service=self._service,
            amz_date=self._amz_date(),
            target=target,
            query=query,
        )
        if content_type:
            headers["content-type"] = content_type
        if span:
            headers["range"] = span
        return await self._http.request(method, f"{path}?{query}" if query else path, headers, body)

    def presigned(self, path: str, ttl_s: int, parameters: Mapping[str, str]) -> str:
        """A path and query by which whoever has them may read it; see `sigv4.presigned`."""
        return sigv4.presigned(
            self._http.host,
            path,
            self._keyring.current,
            region=self._region,
            amz_date=self._amz_date(),
            ttl_s=ttl_s,
            parameters=parameters,
        )

    async def close(self) -> None:
        """Closes the connections; the next request opens new ones."""
        await self._http.close()

    def _amz_date(self) -> str:
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)))
        return self._date[1]
