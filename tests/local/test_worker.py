"""A worker: functions are invoked at the same time, as in containers of their own, and what goes wrong stays theirs."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.gateway.invoker import InvocationFailed, Invoker
from local.worker import LambdaContext, Worker

Function = Callable[[dict[str, Any], LambdaContext], Any]


@asynccontextmanager
async def working(function: Function, threads: int = 4) -> AsyncIterator[Invoker]:
    """A gateway's invoker whose worker has this one function, `message`."""
    app = SimpleNamespace(routes={"/things": {"GET": None}}, api=SimpleNamespace(binary_types=["image/png"]))
    functions = SimpleNamespace(app=app, message=function)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(threads) as pool:
        path = Path(folder) / "gateway.sock"
        invoker = Invoker(path, 20)
        await invoker.start()
        worker = threading.Thread(target=Worker(functions, {"message": pool}).serve, args=(str(path),))
        worker.start()
        try:
            assert await invoker.ready()
            yield invoker
        finally:
            await invoker.close()
            await asyncio.to_thread(worker.join)


async def test_a_worker_tells_the_apps_routes() -> None:
    """The gateway knows them from nowhere else."""
    async with working(lambda *_: {}) as invoker:
        assert (invoker.routes, invoker.binary_types) == ({"/things": ["GET"]}, ["image/png"])


async def test_a_function_gets_event_and_context() -> None:
    """With Lambda's attributes, and the request's id."""

    def function(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        left = context.get_remaining_time_in_millis()
        told = [context.aws_request_id, context.function_name, context.invoked_function_arn, 0 < left <= 29_000]
        return {"event": event, "told": told}

    async with working(function) as invoker:
        result = await invoker.invoke("message", {"body": "hé"}, "req-1")
    name = "holodeck-local-message"
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert result == {"event": {"body": "hé"}, "told": ["req-1", name, arn, True]}


async def test_functions_run_at_the_same_time() -> None:
    """Four wait for each other; one after the other they would wait for ever. Each gets its own answer."""
    barrier = threading.Barrier(4)

    def function(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
        barrier.wait(15)
        return {"n": event["n"]}

    async with working(function) as invoker:
        results = await asyncio.gather(*(invoker.invoke("message", {"n": n}, "r") for n in range(4)))
    assert results == [{"n": n} for n in range(4)]


@pytest.mark.parametrize("result", [object(), {"x": lambda: None}, 2**70])
async def test_a_result_that_cannot_be_sent_is_an_error(result: object) -> None:
    """And not an answer that never comes."""
    async with working(lambda *_: result) as invoker:
        with pytest.raises(InvocationFailed):
            await invoker.invoke("message", {}, "r")


async def test_a_function_that_raises_fails_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """The error's name goes to the gateway, its text to the log, and the worker serves on."""

    def function(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
        if event["bad"]:
            raise KeyError("lost")
        return {"ok": True}

    async with working(function) as invoker:
        with pytest.raises(InvocationFailed, match="KeyError"):
            await invoker.invoke("message", {"bad": True}, "r")
        assert await invoker.invoke("message", {"bad": False}, "r") == {"ok": True}
    assert "message raised KeyError: 'lost'" in capfd.readouterr().err
