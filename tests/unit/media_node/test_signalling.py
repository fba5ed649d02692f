"""A node's WebSocket, against a real server: entered, kept, opened anew before and after it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import msgspec
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from chalicelib.wire.decode import decode_client_message
from chalicelib.wire.messages import Ping, Pong, ServerMessage, SessionEnded
from chalicelib.wire.signals import NodeEnter, NodeGone, NodeState
from media_node.signalling import Signalling

SESSION = "ses_" + "a" * 20
BROKEN = SessionEnded(session_id="ses_" + "b" * 20)


class Functions:
    """The other side."""

    def __init__(self) -> None:
        self.tickets: list[str] = []
        self.open: list[web.WebSocketResponse] = []
        self.said: list[object] = []
        self.refuse = 0
        self.mute = 0
        self.silent = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection."""
        self.tickets.append(request.query["ticket"])
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.mute:
            self.mute -= 1
            await socket.close()
            return socket
        self.open.append(socket)
        async for raw in socket:
            if raw.type is WSMsgType.TEXT:
                await self._answer(socket, decode_client_message(raw.data))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, message: object) -> None:
        self.said.append(message)
        if isinstance(message, NodeEnter) and self.silent:
            self.silent -= 1
        elif isinstance(message, NodeEnter):
            state = NodeState(node_id="node_a", connection_id=f"c{len(self.open)}", server_time_ms=1)
            await self.tell(socket, state)

    async def tell(self, socket: web.WebSocketResponse, message: msgspec.Struct) -> None:
        """The node."""
        await socket.send_str(msgspec.json.encode(message).decode())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Something happened."""

        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - real time
                await asyncio.sleep(0.02)


class Side:
    """Both sides."""

    def __init__(self, functions: Functions, signalling: Signalling, heard: list[ServerMessage]) -> None:
        self.functions = functions
        self.signalling = signalling
        self.heard = heard


@asynccontextmanager
async def node(renew_s: float = 1000, functions: Functions | None = None, open_s: float = 15) -> AsyncIterator[Side]:
    """A node's WebSocket that runs."""
    made = functions or Functions()
    app = web.Application()
    app.router.add_get("/ws", made.serve)
    server = TestServer(app)
    await server.start_server()
    heard: list[ServerMessage] = []
    numbers = iter(range(100))

    def handle(message: ServerMessage) -> None:
        heard.append(message)
        if message == BROKEN:
            raise RuntimeError

    signalling = Signalling(
        f"ws://127.0.0.1:{server.port}/ws",
        lambda: f"t{next(numbers)}",
        handle,
        chance=Random(1),
        renew_s=renew_s,
        open_s=open_s,
    )
    running = asyncio.ensure_future(signalling.run())
    try:
        yield Side(made, signalling, heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await server.close()


async def test_a_connection_is_entered_and_brings_signals_both_ways() -> None:
    """Pongs and what cannot be read are nobody's business."""
    async with node() as side:
        assert not await side.signalling.send(NodeGone())
        await side.functions.until(lambda: side.signalling.connected)
        (socket,) = side.functions.open
        await socket.send_str('{"type":"what.is.this"}')
        await side.functions.tell(socket, Pong(at_ms=1, server_time_ms=1))
        await side.functions.tell(socket, SessionEnded(session_id=SESSION))
        await side.functions.until(lambda: bool(side.heard))
        assert side.heard == [SessionEnded(session_id=SESSION)]
        assert await side.signalling.send(NodeGone(sessions=(SESSION,)))
        await side.functions.until(lambda: NodeGone(sessions=(SESSION,)) in side.functions.said)


async def test_a_connection_that_is_lost_is_opened_anew_with_a_new_ticket() -> None:
    """Each is used once; however often it is refused meanwhile."""
    functions = Functions()
    functions.refuse, functions.mute = 2, 1
    async with node(functions=functions) as side:
        await functions.until(lambda: side.signalling.connected)
        assert functions.tickets == ["t0", "t1", "t2", "t3"]
        await functions.open[0].close()
        await functions.until(lambda: len(functions.open) == 2)
        await functions.until(lambda: len([m for m in functions.said if isinstance(m, NodeEnter)]) == 2)
        assert functions.tickets[-1] == "t4"


async def test_a_connection_that_is_not_entered_in_time_is_closed() -> None:
    """Nobody would ever use it, and each pong keeps it alive."""
    functions = Functions()
    functions.silent = 1
    async with node(functions=functions, open_s=0.3) as side:
        await functions.until(lambda: side.signalling.connected)
        await functions.until(lambda: functions.open[0].closed)
        assert not functions.open[1].closed


async def test_a_message_that_cannot_be_handled_costs_no_connection() -> None:
    """Those after it are taken."""
    async with node() as side:
        await side.functions.until(lambda: side.signalling.connected)
        for message in (BROKEN, SessionEnded(session_id=SESSION)):
            await side.functions.tell(side.functions.open[0], message)
        await side.functions.until(lambda: len(side.heard) == 2)
        assert len(side.functions.open) == 1
        assert side.signalling.connected


async def test_the_next_connection_is_entered_before_the_old_one_is_closed() -> None:
    """What is sent to either reaches the node."""
    async with node(renew_s=0.2) as side:
        await side.functions.until(lambda: len(side.functions.open) >= 2)
        await side.functions.until(lambda: len([m for m in side.functions.said if isinstance(m, NodeEnter)]) >= 2)
        first = side.functions.open[0]
        assert not first.closed
        await side.functions.tell(first, SessionEnded(session_id=SESSION))
        await side.functions.until(lambda: bool(side.heard))
        assert not [message for message in side.functions.said if isinstance(message, Ping)]
