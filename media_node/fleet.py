"""The ECS service that nodes run in, as a node sees it: one task fewer when it ends for having nothing to do, and
protection while it has.

Best effort: a node that cannot say so ends all the same (then ECS starts another, which ends in its turn), and one that
is not protected drains when it is told to end.
"""

import os
from collections.abc import Mapping
from typing import Final

import msgspec

from chalicelib.aws import log
from chalicelib.aws.client import SignedClient
from chalicelib.aws.http import HttpClient

_TARGET: Final = "AmazonEC2ContainerServiceV20141113."
_JSON: Final = "application/x-amz-json-1.1"
_PROTECTED_MINUTES: Final = 60
_AGENT: Final = "ECS_AGENT_URI"


class _Service(msgspec.Struct):
    desired: int = msgspec.field(name="desiredCount")


class _Described(msgspec.Struct):
    services: list[_Service] = msgspec.field(default_factory=list)


class Fleet:
    """The service, and this task in it. Without a cluster there is none, and nothing happens."""

    def __init__(self, cluster: str, service: str, endpoint: str | None, region: str) -> None:
        self._cluster = cluster
        self._service = service
        self._client = SignedClient(
            endpoint or f"https://ecs.{region}.amazonaws.com", region=region, service="ecs", timeout_s=5.0
        )

    async def one_fewer(self) -> bool:
        """Asks for one task fewer. Whether that was done."""
        if not self._cluster:
            return False
        try:
            found = await self._call("DescribeServices", {"cluster": self._cluster, "services": [self._service]})
            services = msgspec.json.decode(found, type=_Described).services
            if not services:
                return False
            desired = max(0, services[0].desired - 1)
            update = {"cluster": self._cluster, "service": self._service, "desiredCount": desired}
            await self._call("UpdateService", update)
        except (OSError, msgspec.DecodeError) as exc:
            log.warning("fleet.not_lowered", reason=type(exc).__name__)
            return False
        log.event("fleet.lowered", desired=desired)
        return True

    async def protect(self, *, protected: bool, env: Mapping[str, str] | None = None) -> bool:
        """Keeps this task from being chosen when there are to be fewer. Whether that was done."""
        origin = (os.environ if env is None else env).get(_AGENT)
        if not origin:
            return False
        body: dict[str, bool | int] = {"ProtectionEnabled": protected}
        if protected:
            body["ExpiresInMinutes"] = _PROTECTED_MINUTES
        client = HttpClient(origin, 5.0)
        try:
            reply = await client.request(
                "PUT",
                "/task-protection/v1/state",
                {"host": client.host, "content-type": "application/json"},
                msgspec.json.encode(body),
            )
        except OSError as exc:
            log.warning("fleet.not_protected", reason=type(exc).__name__)
            return False
        finally:
            await client.close()
        return reply.status == 200

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _call(self, operation: str, request: dict[str, object]) -> bytes:
        reply = await self._client.request(
            "POST", "/", msgspec.json.encode(request), target=_TARGET + operation, content_type=_JSON
        )
        if reply.status != 200:
            raise OSError(f"ECS refused: {reply.status}")
        return reply.body
