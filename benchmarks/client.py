"""A client of Holodeck for loads, tests and bots: guests, sessions and one peer on the WebSocket, by asyncio.

async with Api(base_url) as api:
owner = await api.guest("Ada")
session = await api.create(owner, "Studio")
async with await api.enter(owner, session, "tab00001") as peer:
await peer.update(PresenceState(...))
frame = await peer.next(PresenceFrame)
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlencode, urljoin

import aiohttp
import msgspec

from chalicelib.wire import PROTOCOL_VERSION
from chalicelib.wire.bodies import ErrorBody, JoinResult, Session, Ticket, TokenSet
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.messages import (
    ErrorMessage,
    Ping,
    PresenceFrame,
    PresenceUpdate,
    RoomEnter,
    RoomLeave,
    RoomState,
    ServerMessage,
)
from chalicelib.wire.peers import WebRtcSession
from chalicelib.wire.types import PresenceState

M = TypeVar("M")
B = TypeVar("B")


class Refused(Exception):  # noqa: N818 - what the server said, not a fault of the client
    """A typed refusal by REST."""

    def __init__(self, status: int, error: ErrorBody) -> None:
        self.status = status
        self.error = error
        super().__init__(f"{status} {error.code}: {error.message}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token."""

    user_id: str
    name: str
    token: str


class Api:
    """The REST interface."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The open client session."""
        if self._http is None:
            raise RuntimeError("use `async with`")
        return self._http

    async def call(
        self,
        method: str,
        path: str,
        who: Person | None = None,
        body: object = None,
        type_: type[B] = dict,  # type: ignore[assignment]
        headers: dict[str, str] | None = None,
    ) -> B:
        """One REST call; `path` without `/api`. Raises Refused."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if who is not None:
            sent["Authorization"] = f"Bearer {who.token}"
        data = None if body is None else msgspec.json.encode(body)
        async with self.http.request(method, f"{self.base_url}/api{path}", data=data, headers=sent) as response:
            raw = await response.read()
            if response.status >= 400:
                raise Refused(response.status, msgspec.json.decode(raw, type=ErrorBody))
            return msgspec.json.decode(raw, type=type_) if raw else cast(B, None)

    async def guest(self, name: str, invite: str | None = None) -> Person:
        """Enters as a guest."""
        tokens = await self.call("POST", "/auth/guest", None, {"name": name, "invite": invite}, TokenSet)
        return Person(tokens.user.user_id, name, tokens.access_token)

    async def create(self, owner: Person, name: str, **fields: object) -> Session:
        """A new session."""
        return await self.call("POST", "/sessions", owner, {"name": name, **fields}, Session)

    async def join(self, who: Person, session_id: str, **fields: object) -> JoinResult:
        """Takes a seat."""
        return await self.call("POST", f"/sessions/{session_id}/join", who, fields, JoinResult)

    async def enter(self, who: Person, session_id: str, tab_id: str, *, join: bool = True) -> "PeerClient":
        """Joins, gets a ticket, opens the WebSocket and enters the room."""
        if join:
            await self.join(who, session_id)
        ticket = await self.call("POST", "/auth/tickets", who, {"session_id": session_id, "tab_id": tab_id}, Ticket)
        return PeerClient(await self.connect(ticket), ticket.peer_id)

    async def offerable(self, who: Person, session_id: str, tab_id: str) -> WebRtcSession:
        """A page that is connected can be offered to from now on."""
        return await self.call("POST", f"/webrtc/sessions/{session_id}/join", who, {"tab_id": tab_id}, WebRtcSession)

    async def connect(self, ticket: Ticket) -> aiohttp.ClientWebSocketResponse:
        """Opens the WebSocket that a ticket is for. Raises aiohttp.WSServerHandshakeError."""
        url = urljoin(self.base_url.replace("http", "ws", 1) + "/", ticket.url)
        return await self.http.ws_connect(f"{url}?{urlencode({'ticket': ticket.ticket})}", max_msg_size=0, compress=0)


class PeerClient:
    """One peer in a room. `frames` are merged into `peers` and `states`, as a page would."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, peer_id: str) -> None:
        self.socket = socket
        self.peer_id = peer_id
        self.epoch = time.time_ns() // 1_000_000
        self.counter = 0
        self.peers: dict[str, str] = {}
        self.states: dict[str, tuple[tuple[int, int], PresenceState]] = {}
        self.room: RoomState | None = None
        self.errors: list[ErrorMessage] = []
        self.on_message: Callable[[ServerMessage, int], None] = lambda _message, _size: None
        self.on_gone: Callable[[], None] = lambda: None
        self._news = asyncio.Event()
        self._waiting: list[tuple[type[Any], asyncio.Future[Any]]] = []
        self._reader = asyncio.create_task(self._read())

    async def __aenter__(self) -> Self:
        try:
            await self.send(RoomEnter(protocol=PROTOCOL_VERSION, epoch=self.epoch))
            self.room = await self.next(RoomState)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, message: msgspec.Struct) -> None:
        """Sends one message."""
        await self.socket.send_str(msgspec.json.encode(message).decode())

    async def update(self, state: PresenceState) -> int:
        """Sends a newer state; returns its counter."""
        self.counter += 1
        await self.send(PresenceUpdate(epoch=self.epoch, counter=self.counter, state=state))
        return self.counter

    async def ping(self) -> None:
        """Keeps the connection."""
        await self.send(Ping(at_ms=time.time_ns() // 1_000_000))

    async def leave(self) -> None:
        """Leaves at once."""
        await self.send(RoomLeave())

    async def next(self, type_: type[M], timeout_s: float = 10.0) -> M:
        """The next message of a type. Raises TimeoutError."""
        future: asyncio.Future[M] = asyncio.get_running_loop().create_future()
        self._waiting.append((type_, future))
        async with asyncio.timeout(timeout_s):
            return await future

    async def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Waits until what the frames told makes the condition true. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        """Says goodbye and stops reading."""
        await self.socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async for raw in self.socket:
                if raw.type is aiohttp.WSMsgType.TEXT:
                    message = decode_server_message(raw.data)
                    if isinstance(message, PresenceFrame):
                        self._merge(message)
                    elif isinstance(message, ErrorMessage):
                        self.errors.append(message)
                    self.on_message(message, len(raw.data))
                    self._news.set()
                    self._wake(message)
        finally:
            self._news.set()
            self.on_gone()

    def _wake(self, message: ServerMessage) -> None:
        for waiting in list(self._waiting):
            type_, future = waiting
            if isinstance(message, type_):
                self._waiting.remove(waiting)
                if not future.done():
                    future.set_result(message)

    def _merge(self, frame: PresenceFrame) -> None:
        if frame.full and frame.part == 0:
            self.peers.clear()
        for peer_id in frame.left:
            self.peers.pop(peer_id, None)
            self.states.pop(peer_id, None)
        self.peers.update({p.peer_id: p.name for p in frame.joined})
        for state in frame.states:
            order = (state.epoch, state.counter)
            if state.peer_id not in self.states or self.states[state.peer_id][0] < order:
                self.states[state.peer_id] = (order, state.state)
