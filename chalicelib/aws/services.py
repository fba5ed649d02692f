"""An ECS service's size, through the lean client: the one thing that functions ask of ECS.

boto3's own client costs 160 ms of CPU to import; this is two requests of the JSON 1.1 protocol that ECS speaks
(Amazon ECS API Reference, DescribeServices and UpdateService).
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from chalicelib.aws import log
from chalicelib.aws.client import SignedClient
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

T = TypeVar("T")
_TARGET: Final = "AmazonEC2ContainerServiceV20141113."
_CONTENT_TYPE: Final = "application/x-amz-json-1.1"


class _Service(msgspec.Struct):
    desired: int = msgspec.field(name="desiredCount", default=0)


class _Services(msgspec.Struct):
    services: list[_Service] = []


class EcsService:
    """How many tasks a service is to run. `size(desired, alive, most)` decides, and may be asked twice."""

    def __init__(
        self,
        cluster: str,
        service: str,
        most: int,
        size: Callable[[int, int, int], int],
        endpoint: str | None,
        region: str,
    ) -> None:
        self._cluster = cluster
        self._service = service
        self._most = most
        self._size = size
        url = endpoint or f"https://ecs.{region}.amazonaws.com"
        self._client = SignedClient(url, region=region, service="ecs", timeout_s=5.0)

    async def another(self, alive: int) -> bool:
        """Asks for one more than are alive, unless one is on its way. False: there are as many as there may be.

        UPSTREAM_UNAVAILABLE where ECS does not answer, or knows of no such service.
        """
        asked = {"cluster": self._cluster, "services": [self._service]}
        found = (await self._call("DescribeServices", asked, _Services)).services
        if not found:
            raise AppError(Code.UPSTREAM_UNAVAILABLE)
        desired = found[0].desired
        wanted = self._size(desired, alive, self._most)
        if wanted > desired:
            change = {"cluster": self._cluster, "service": self._service, "desiredCount": wanted}
            await self._call("UpdateService", change, dict)
            log.event("node.asked_for", desired=wanted, alive=alive)
        return wanted > min(alive, desired)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _call(self, action: str, request: dict[str, Any], type_: type[T]) -> T:
        body = msgspec.json.encode(request)
        try:
            reply = await self._client.request("POST", "/", body, target=_TARGET + action, content_type=_CONTENT_TYPE)
        except OSError as exc:
            log.warning("ecs.unavailable", action=action, reason=type(exc).__name__)
            raise AppError(Code.UPSTREAM_UNAVAILABLE) from exc
        if reply.status != 200:
            log.warning("ecs.refused", action=action, status=reply.status)
            raise AppError(Code.UPSTREAM_UNAVAILABLE)
        return msgspec.json.decode(reply.body, type=type_)
