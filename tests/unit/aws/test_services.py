"""An ECS service's size, against moto's ECS and against servers that do not answer well."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import boto3
import pytest
from aiohttp import web

from chalicelib.aws.services import EcsService
from chalicelib.peers.model import desired_tasks
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from local import dynamodb
from local.process import free_port
from local.resources import make_service
from local.system import REGION, ROOT
from tests.unit.aws.test_clients import server


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The local system's emulator."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "local.moto_server", str(port)], cwd=ROOT)
    endpoint = f"http://127.0.0.1:{port}"
    dynamodb.wait_until_up(endpoint, process)
    yield endpoint
    process.kill()
    process.wait()


@asynccontextmanager
async def service(endpoint: str, name: str, most: int = 2) -> AsyncIterator[EcsService]:
    """A client of a service."""
    made = EcsService("rooms", name, most, desired_tasks, endpoint, REGION)
    yield made
    await made.close()


def desired(endpoint: str, name: str) -> int:
    """What the service is to run, as ECS says."""
    ecs = boto3.client("ecs", endpoint_url=endpoint, region_name=REGION)
    return int(ecs.describe_services(cluster="rooms", services=[name])["services"][0]["desiredCount"])


async def test_one_more_is_asked_for_until_there_are_enough(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From zero up to the most; one that is on its way is waited for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    make_service("rooms", "media", moto, REGION, nodes=0)
    make_service("rooms", "media", moto, REGION, nodes=0)
    async with service(moto, "media") as media:
        sizes = []
        for alive in (0, 0, 1, 2):
            sizes.append((await media.another(alive), desired(moto, "media")))
        assert sizes == [(True, 1), (True, 1), (True, 2), (False, 2)]


async def test_a_service_that_is_not_there(moto: str) -> None:
    """Is unavailable, not a reason to make one."""
    async with service(moto, "other") as other:
        with pytest.raises(AppError) as caught:
            await other.another(0)
        assert caught.value.code is Code.UPSTREAM_UNAVAILABLE


async def test_an_ecs_that_refuses_or_is_not_there() -> None:
    """Is unavailable."""
    async with server(lambda _: web.Response(status=400, body=b"{}")) as (url, seen):
        async with service(url, "media") as media:
            with pytest.raises(AppError) as caught:
                await media.another(0)
            assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
        assert "/us-east-1/ecs/aws4_request" in seen[0].headers["Authorization"]
        assert seen[0].headers["X-Amz-Target"].endswith(".DescribeServices")
    async with service(f"http://127.0.0.1:{free_port()}", "media") as nobody:
        with pytest.raises(AppError) as caught:
            await nobody.another(0)
        assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
