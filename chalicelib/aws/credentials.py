"""The credentials that requests are signed with: a function's hold for its container's life, a task's expire and are
fetched anew.

A Lambda runtime puts them into the environment. ECS serves a task's role by HTTP, at an address that only the task
reaches, for a few hours each time: `Keyring.keep` fetches the next ones well before ("Task IAM role", Amazon ECS
developer guide).
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from chalicelib.aws import log
from chalicelib.aws.once import once
from chalicelib.aws.sigv4 import Credentials

TASK_ORIGIN: Final = "http://169.254.170.2"
TASK_VARIABLE: Final = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_BEFORE_S: Final = 600
"""So long before they end, the next ones are fetched."""
_RETRY_S: Final = 5.0

Fetch = Callable[[], Awaitable[bytes]]
"""The document that ECS serves."""


class _Served(msgspec.Struct):
    access_key: str = msgspec.field(name="AccessKeyId")
    secret_key: str = msgspec.field(name="SecretAccessKey")
    token: str = msgspec.field(name="Token")
    expiration: str = msgspec.field(name="Expiration")


class Keyring:
    """One process's credentials, as they are now."""

    def __init__(self, current: Credentials) -> None:
        self.current = current

    async def refresh(self, fetch: Fetch) -> float:
        """Fetches the next ones; the second (since the epoch) in which they end. OSError, ValueError."""
        try:
            served = msgspec.json.decode(await fetch(), type=_Served)
        except msgspec.DecodeError as exc:
            raise ValueError("these are no credentials") from exc
        expires_s = datetime.fromisoformat(served.expiration.replace("Z", "+00:00")).timestamp()
        self.current = Credentials(served.access_key, served.secret_key, served.token)
        return expires_s

    async def keep(
        self,
        fetch: Fetch,
        expires_s: float,
        *,
        now_s: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Fetches them anew before they end, until cancelled."""
        while True:
            await sleep(max(_RETRY_S, expires_s - _BEFORE_S - now_s()))
            try:
                expires_s = await self.refresh(fetch)
            except (OSError, ValueError) as exc:
                log.warning("credentials.not_refreshed", reason=type(exc).__name__)


def of_environment(env: Mapping[str, str] | None = None) -> Credentials:
    """Those in the environment."""
    e = os.environ if env is None else env
    return Credentials(
        e.get("AWS_ACCESS_KEY_ID", ""), e.get("AWS_SECRET_ACCESS_KEY", ""), e.get("AWS_SESSION_TOKEN") or None
    )


@once
def keyring() -> Keyring:
    """The process's own."""
    return Keyring(of_environment())
