"""The document's client over real sockets, against a small server with a real committer."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterable

import aiohttp
import msgspec
import pytest
from aiohttp import web

from benchmarks.client import Api, Person, Refused
from benchmarks.editor import DocumentClient, Faults, Way, no_faults, scene_of
from chalicelib.documents.committer import Committer
from chalicelib.documents.model import Refused as NotCommitted
from chalicelib.documents.model import Submission
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.sugar import plain
from chalicelib.wire.bodies import ErrorBody, JoinResult, Ticket
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message
from chalicelib.wire.messages import (
    DocCommits,
    DocFetch,
    OpAck,
    OpCommitted,
    OpRejected,
    OpSubmit,
    Ping,
    Pong,
    RoomEnter,
    RoomState,
)
from chalicelib.wire.operations import Add, Create, Set
from chalicelib.wire.signals import Peer
from chalicelib.wire.types import Role, UserKind
from tests.fakes.documents import MemoryLog
from tests.fakes.notes import session
from tests.unit.ot.faulty import CODES, replayed, snapshot_of

ROOM = "ses_" + "a" * 20
SCENE = scene_of(ROOM)
ADA = Person("ada", "Ada", "token")


class House:
    """As much of the server as a document needs."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.committer = Committer(self.log, now_ms=lambda: 0, jitter=lambda: 0.0)
        self.sockets: set[web.WebSocketResponse] = set()
        self.refused: ErrorBody | None = None
        self.too_large = False
        self.url = ""

    async def ticket(self, _request: web.Request) -> web.Response:
        """Anybody gets one, until they are refused."""
        if self.refused is not None:
            return _json(self.refused, 403)
        return _json(Ticket(ticket="t", url="/ws", peer_id="ada.aaaaaaaa", expires_at_ms=0))

    async def document(self, _request: web.Request) -> web.Response:
        """The snapshot."""
        if self.too_large:
            return _json(ErrorBody(code=Code.DOCUMENT_TOO_LARGE, message="", correlation_id="c"), 409)
        return _json(snapshot_of(self.log.logs.get(SCENE, [])))

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.add(socket)
        async for raw in socket:
            if raw.type is aiohttp.WSMsgType.TEXT:
                await self._message(socket, raw.data)
        self.sockets.discard(socket)
        return socket

    async def _message(self, socket: web.WebSocketResponse, raw: str) -> None:
        message = decode_client_message(raw)
        if isinstance(message, RoomEnter):
            await _send(socket, _room_state())
        elif isinstance(message, Ping):
            await _send(socket, Pong(at_ms=message.at_ms, server_time_ms=0))
        elif isinstance(message, DocFetch):
            records = self.log.logs.get(SCENE, [])
            page = tuple(records[message.since : message.since + 5])
            await _send(socket, DocCommits(document_id=SCENE, since=message.since, head=len(records), commits=page))
        elif isinstance(message, OpSubmit):
            await self._submit(socket, message)

    async def _submit(self, socket: web.WebSocketResponse, message: OpSubmit) -> None:
        submission = Submission(
            client=message.client,
            seq=message.seq,
            base=message.base,
            user_id="ada",
            operations=plain(message.operations, message.client, message.seq),
        )
        try:
            record = await self.committer.submit(SCENE, submission)
        except NotCommitted as exc:
            await _send(
                socket,
                OpRejected(
                    document_id=SCENE,
                    client=message.client,
                    seq=message.seq,
                    code=CODES[exc.reason],
                    message="",
                    correlation_id="c",
                    operations=message.operations,
                ),
            )
            return
        await _send(socket, OpAck(document_id=SCENE, operation=record, transformed=False))
        for each in list(self.sockets):
            await _send(each, OpCommitted(document_id=SCENE, head=record.revision, commits=(record,)))

    async def cut(self) -> None:
        """Every connection is lost."""
        for socket in list(self.sockets):
            await socket.close()


class OpenApi(Api):
    """Everybody has a seat."""

    async def join(self, who: Person, session_id: str, **fields: object) -> JoinResult:
        """Nothing to do."""
        return None  # type: ignore[return-value]


def _json(body: msgspec.Struct, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


async def _send(socket: web.WebSocketResponse, message: msgspec.Struct) -> None:
    if not socket.closed:
        with contextlib.suppress(ConnectionError):  # it may be lost in between
            await socket.send_str(msgspec.json.encode(message).decode())


def _room_state() -> RoomState:
    you = Peer(
        peer_id="ada.aaaaaaaa",
        user_id="ada",
        name="Ada",
        color="#aabbcc",
        role=Role.EDITOR,
        kind=UserKind.GUEST,
        joined_at_ms=0,
    )
    return RoomState(session=session(1), you=you, server_time_ms=0, presence_hz=5, ping_interval_s=20)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """The server, at a free port."""
    house = House()
    app = web.Application()
    app.router.add_post("/api/auth/tickets", house.ticket)
    app.router.add_get("/api/documents/{id}", house.document)
    app.router.add_get("/ws", house.socket)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    house.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield house
    await house.cut()
    await runner.cleanup()


@pytest.fixture
async def api(house: House) -> AsyncIterator[Api]:
    """A client of it."""
    async with OpenApi(house.url) as api:
        yield api


def badly(seed: int) -> Faults:
    """Loses, doubles, delays and so reorders, both ways."""
    rng = random.Random(seed)

    def faults(_way: Way, _message: msgspec.Struct) -> Iterable[float]:
        return [rng.choice((0.0, 0.0, 0.05)) for _ in range(rng.choice((0, 1, 1, 1, 1, 2)))]

    return faults


@pytest.mark.parametrize("faults", [no_faults, badly(1)], ids=["well", "badly"])
async def test_two_bots_share_a_document(house: House, api: Api, faults: Faults) -> None:
    """Through lost connections too: all is in the log once, and both see it."""
    one = await DocumentClient.open(api, ADA, ROOM, faults=faults)
    two = await DocumentClient.open(api, ADA, ROOM, faults=faults)
    async with one, two:
        lamp = one.new_id()
        await one.edit([Create(id=lamp, props={"n": 0})])
        await two.until(lambda: lamp in two.entities)
        for i in range(20):
            await one.edit([Add(id=lamp, path=("n",), by=1)])
            await two.edit([Add(id=lamp, path=("n",), by=1), Set(id=lamp, path=("who",), value=i)])
            if i in (5, 12):
                await house.cut()
            await asyncio.sleep(0.01)
        await one.settled()
        await two.settled()
        state = replayed(house.log.logs[SCENE])
        assert state[lamp].props["n"] == 40
        await house.cut()  # a socket that loses its last message is one that ends: nothing else would tell of it
        for each in (one, two):
            await each.until(lambda each=each: state_hash(dict(each.entities)) == state_hash(state))  # type: ignore[misc]


async def test_a_bot_that_died_goes_on(house: House, api: Api) -> None:
    """From what it stored, though its messages were lost (clause Z7)."""
    disk: list[bytes] = []

    def deaf(way: Way, _message: msgspec.Struct) -> Iterable[float]:
        return () if way is Way.DOWN else (0.0,)

    house.too_large = True
    async with await DocumentClient.open(api, ADA, ROOM, save=disk.append, faults=deaf) as bot:
        lamp = bot.new_id()
        await bot.edit([Create(id=lamp)])
        await asyncio.sleep(0.1)
        assert not bot.editor.settled
    with pytest.raises(RuntimeError):
        await bot.settled()
    async with await DocumentClient.open(api, ADA, ROOM, saved=disk[-1]) as bot:
        await bot.settled()
        assert lamp in bot.entities
        assert bot.new_id() != lamp
    assert len(house.log.logs[SCENE]) == 1


async def test_who_is_refused_for_good_is_told(house: House, api: Api) -> None:
    """It does not knock for ever."""
    async with await DocumentClient.open(api, ADA, ROOM) as bot:
        await bot.until(lambda: bot.peer is not None)
        house.refused = ErrorBody(code=Code.PARTICIPANT_BANNED, message="", correlation_id="c")
        await house.cut()
        await bot.until(lambda: bot.failure is not None)
        with pytest.raises(Refused):
            await bot.until(lambda: False)
