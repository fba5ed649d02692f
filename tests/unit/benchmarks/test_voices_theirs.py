"""A session at Janus, whose API is spoken to as it answers."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from benchmarks.voices.link import Link
from benchmarks.voices.sdp import Theirs
from benchmarks.voices.theirs import Janus


class Server:
    """What Janus says: keepalives and requests are acknowledged, and requests answered later."""

    def __init__(self) -> None:
        self.kept = 0
        self.keeps = asyncio.Event()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One session."""
        socket = web.WebSocketResponse(protocols=("janus-protocol",))
        await socket.prepare(request)
        async for raw in socket:
            if raw.type is WSMsgType.TEXT:
                for answer in self.answers(msgspec.json.decode(raw.data, type=dict[str, Any])):
                    await socket.send_json(answer)
        return socket

    def answers(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """To one message."""
        to = {"transaction": message["transaction"]}
        if message["janus"] in {"create", "attach"}:
            return [to | {"janus": "success", "data": {"id": 7}}]
        assert message["session_id"] == 7
        if message["janus"] == "keepalive":
            self.kept += 1
            if self.kept == 3:
                self.keeps.set()
            return [to | {"janus": "ack"}]
        request = message["body"]["request"]
        said = {"error": "no such room"} if request == "join" else {"room": 1}
        up = [{"janus": "webrtcup", "sender": message["handle_id"]}] if request == "late" else []
        return [to | {"janus": "ack"}, to | {"janus": "event", "plugindata": {"data": said}}, *up]


async def test_a_session_is_kept_for_as_long_as_it_lasts_and_requests_are_answered() -> None:
    """A keepalive is only acknowledged: nothing waits for more, and the next one goes."""
    server, app = Server(), web.Application()
    app.router.add_get("/", server.handle)
    async with TestServer(app) as running, Janus(str(running.make_url("/")), keep_s=0.01) as janus:
        handle = await janus.attach("audiobridge")
        assert (await handle.ask({"request": "create"}))["plugindata"]["data"] == {"room": 1}
        with pytest.raises(RuntimeError, match="no such room"):
            await handle.ask({"request": "join"})
        async with asyncio.timeout(20):
            await server.keeps.wait()


async def test_a_connection_is_there_once_janus_has_it_too() -> None:
    """Ours is open as soon as the handshake is; nobody subscribes to a publisher before Janus says that it is up."""
    server, app = Server(), web.Application()
    app.router.add_get("/", server.handle)

    async def opens(_theirs: Theirs, *, controlling: bool) -> None:
        assert controlling

    link = cast(Link, SimpleNamespace(connect=opens))
    async with TestServer(app) as running, Janus(str(running.make_url("/"))) as janus:
        handle = await janus.attach("videoroom")
        connecting = asyncio.ensure_future(handle.connect(link, cast(Theirs, None)))
        await handle.ask({"request": "create"})
        assert not connecting.done()
        await handle.ask({"request": "late"})
        async with asyncio.timeout(20):
            await connecting
