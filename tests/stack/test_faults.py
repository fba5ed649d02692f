"""Kill -9 of any process of the local system: it comes back, and the people in the room go on."""

import asyncio
import os
import signal

import aiohttp
import pytest

from benchmarks.client import Api, Refused
from chalicelib.wire.bodies import Session
from local import dynamodb
from local.stack import Stack
from tests.stack.test_websocket import TAB, at, room, sees

pytestmark = pytest.mark.stack


async def healthy(api: Api, timeout_s: float = 30.0) -> None:
    """Waits until the REST interface answers."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                if (await api.call("GET", "/health"))["status"] == "ok":
                    return
            except (aiohttp.ClientError, OSError, Exception):  # noqa: BLE001 - until it is back, anything may happen
                await asyncio.sleep(0.1)


async def test_a_killed_worker_comes_back(stack: Stack, api: Api) -> None:
    """With every worker killed in the middle of broadcasting, new ones go on, and what is said next is told."""
    owner, session_id = await room(api)
    async with (
        await api.enter(owner, session_id, TAB) as ada,
        await api.enter(await api.guest("Bob"), session_id, TAB) as bob,
    ):
        await ada.update(at(1.0))
        await bob.until(lambda: sees(bob, ada.peer_id, 1.0))
        for pid in stack.pids()["worker"]:
            os.kill(pid, signal.SIGKILL)
        await healthy(api)
        for i in range(40):
            await ada.update(at(2.0 + i))
            try:
                await bob.until(lambda i=i: sees(bob, ada.peer_id, 2.0 + i), 0.5)  # type: ignore[misc]
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("nothing was told after the workers were killed")


async def test_a_killed_gateway_comes_back(stack: Stack, api: Api) -> None:
    """The gateway's connections end with it; people get in again as the same peers."""
    owner, session_id = await room(api)
    ada = await api.enter(owner, session_id, TAB)
    await ada.__aenter__()
    for pid in stack.pids()["gateway"]:
        os.kill(pid, signal.SIGKILL)
    await ada.until(lambda: ada.socket.closed) if not ada.socket.closed else None
    await healthy(api)
    async with await api.enter(owner, session_id, TAB) as again:
        assert again.peer_id == ada.peer_id
        await again.update(at(7.0))
        await again.until(lambda: sees(again, again.peer_id, 7.0))
    await ada.close()


@pytest.mark.parametrize("database", ["moto", "local"])
async def test_killed_emulators_come_back(database: str) -> None:
    """With all of them killed at once. DynamoDB Local keeps rooms on disk; moto has lost them, and takes new ones."""
    if database == "local" and (reason := dynamodb.unavailable()):
        pytest.skip(reason)
    with Stack(dynamodb=database) as stack:
        async with Api(stack.base_url) as api:
            owner, session_id = await room(api)
            for pid in stack.pids()["emulator"]:
                os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(60):
                while True:
                    try:
                        _, other_id = await room(api)
                        break
                    except (aiohttp.ClientError, OSError, Refused):
                        await asyncio.sleep(0.2)
            assert other_id != session_id
            if database == "local":
                found = await api.call("GET", f"/sessions/{session_id}", owner, type_=Session)
                assert found.session_id == session_id
