"""The lean clients against a real HTTP server that answers as AWS does, well and badly."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from chalicelib.aws.client import loop_thread
from chalicelib.aws.connections import ConnectionSender
from chalicelib.aws.dynamo import ConditionFailed, Dynamo
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Delivery

Answer = Callable[[web.Request], web.Response | Awaitable[web.Response]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server on a free port, and the requests that it got."""
    seen: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request)
        made = answer(request)
        return await made if inspect.isawaitable(made) else made

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address: Any = runner.addresses[0]
    try:
        yield f"http://127.0.0.1:{address[1]}", seen
    finally:
        await runner.cleanup()


def failing(name: str, status: int = 400, times: int = 100) -> Answer:
    """Fails so often with a DynamoDB error, then succeeds."""
    left = [times]

    def answer(request: web.Request) -> web.Response:
        left[0] -= 1
        if left[0] >= 0:
            return web.json_response({"__type": f"com.amazonaws.dynamodb.v20120810#{name}"}, status=status)
        return web.json_response({"Items": []})

    return answer


async def test_a_throttled_write_is_tried_again() -> None:
    """Throttling and 5xx are retried, a few times."""
    async with server(failing("ProvisionedThroughputExceededException", times=2)) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        assert await dynamo.call("Query", {}, dict) == {"Items": []}
        await dynamo.close()
    assert len(seen) == 3
    assert seen[0].headers["x-amz-target"] == "DynamoDB_20120810.Query"


@pytest.mark.parametrize("answer", [failing("InternalServerError", 500), lambda _: web.Response(status=502)])
async def test_retries_are_bounded(answer: Answer) -> None:
    """A table that does not recover is reported as unavailable, in the client's own code."""
    async with server(answer) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(AppError) as caught:
            await dynamo.call("Query", {}, dict)
        await dynamo.close()
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
    assert len(seen) == 4


async def test_nobody_there() -> None:
    """An endpoint that does not answer at all is unavailable too."""
    dynamo = Dynamo("http://127.0.0.1:1", "us-east-1")
    with pytest.raises(AppError) as caught:
        await dynamo.call("Query", {}, dict)
    await dynamo.close()
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE


async def test_a_failed_condition_is_an_outcome() -> None:
    """A condition that failed is not retried, and brings what was found."""
    body = {"__type": "x#ConditionalCheckFailedException", "Item": {"a": {"S": "b"}}}
    async with server(lambda _: web.json_response(body, status=400)) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(ConditionFailed) as caught:
            await dynamo.call("UpdateItem", {}, dict)
        await dynamo.close()
    assert caught.value.item == {"a": {"S": "b"}}
    assert len(seen) == 1


async def test_a_mistake_of_ours_is_loud() -> None:
    """A request that DynamoDB calls invalid is a fault in the code, not an outage."""
    async with server(failing("ValidationException")) as (url, _):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(RuntimeError, match="ValidationException"):
            await dynamo.call("UpdateItem", {}, dict)
        await dynamo.close()


async def test_posts_and_their_outcomes() -> None:
    """200 is sent, 410 is gone, anything else failed; the id goes percent-encoded once."""
    by_id = {"ok=": 200, "gone=": 410, "slow=": 429}

    def answer(request: web.Request) -> web.Response:
        return web.Response(status=by_id[request.path.rpartition("/")[2]])

    async with server(answer) as (url, seen):
        sender = ConnectionSender(f"{url}/api", "us-east-1")
        outcomes = await sender.post_all(list(by_id), b"{}")
        assert await sender.disconnect("ok=") is Delivery.SENT
        await sender.close()
    assert list(outcomes.values()) == [Delivery.SENT, Delivery.GONE, Delivery.FAILED]
    assert seen[0].raw_path.startswith("/api/@connections/")
    assert seen[0].raw_path.endswith("%3D")
    assert seen[-1].method == "DELETE"


async def test_an_endpoint_that_is_down_fails_the_post() -> None:
    """Nobody at the endpoint: the post failed, nothing is raised."""
    sender = ConnectionSender("http://127.0.0.1:1", "us-east-1")
    assert await sender.post("c=", b"{}") is Delivery.FAILED
    await sender.close()


def test_the_loop_thread_runs_work_and_passes_errors_on() -> None:
    """A handler thread gets the result, or the error, of what it handed over."""

    async def ok() -> int:
        await asyncio.sleep(0)
        return 7

    async def bad() -> None:
        raise AppError(Code.SESSION_FULL)

    assert loop_thread().run(ok()) == 7
    assert loop_thread() is loop_thread()
    with pytest.raises(AppError):
        loop_thread().run(bad())
