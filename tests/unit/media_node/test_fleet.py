"""The service that nodes run in, against a real server: one task fewer, and protection, as far as they can be had."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from media_node.fleet import Fleet


class Ecs:
    """A service that desires two."""

    def __init__(self) -> None:
        self.desired: int | None = 2
        self.protection: list[dict[str, Any]] = []
        self.status = 200

    async def serve(self, request: web.Request) -> web.Response:
        """One call."""
        if self.status != 200:
            return web.Response(status=self.status)
        body = json.loads(await request.read())
        if request.method == "PUT":
            self.protection.append(body)
            return web.json_response({})
        assert request.headers["content-type"] == "application/x-amz-json-1.1"
        assert body["cluster"] == "c"
        if request.headers["x-amz-target"].endswith("UpdateService"):
            self.desired = body["desiredCount"]
            return web.json_response({})
        found = [] if self.desired is None else [{"serviceName": "media", "desiredCount": self.desired}]
        return web.json_response({"services": found})


@asynccontextmanager
async def ecs() -> AsyncIterator[tuple[Ecs, Fleet, str]]:
    """Served."""
    made = Ecs()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.serve)
    server = TestServer(app)
    await server.start_server()
    origin = f"http://127.0.0.1:{server.port}"
    fleet = Fleet("c", "media", origin, "us-east-1")
    try:
        yield made, fleet, origin
    finally:
        await fleet.close()
        await server.close()


async def test_one_task_fewer_is_asked_for_and_never_less_than_none() -> None:
    """By what there is at the moment."""
    async with ecs() as (service, fleet, _):
        assert [await fleet.one_fewer() for _ in range(3)] == [True, True, True]
        assert service.desired == 0


@pytest.mark.parametrize(("desired", "status"), [(None, 200), (2, 500)])
async def test_a_service_that_is_not_there_or_does_not_answer_is_no_reason_to_stay(
    desired: int | None, status: int
) -> None:
    """Nor is there anything to do where there is no cluster."""
    async with ecs() as (service, fleet, origin):
        service.desired, service.status = desired, status
        assert not await fleet.one_fewer()
        nowhere = Fleet("", "media", origin, "us-east-1")
        assert not await nowhere.one_fewer()
        await nowhere.close()


async def test_a_task_is_protected_by_its_own_agent() -> None:
    """Where there is one, and it answers."""
    async with ecs() as (service, fleet, origin):
        assert not await fleet.protect(protected=True, env={})
        assert await fleet.protect(protected=True, env={"ECS_AGENT_URI": origin})
        assert await fleet.protect(protected=False, env={"ECS_AGENT_URI": origin})
        assert service.protection == [
            {"ProtectionEnabled": True, "ExpiresInMinutes": 60},
            {"ProtectionEnabled": False},
        ]
        assert not await fleet.protect(protected=True, env={"ECS_AGENT_URI": "http://127.0.0.1:9"})
