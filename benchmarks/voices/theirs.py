"""Participants of Janus: its API by WebSocket, one session, a handle for each part that somebody plays.

AudioBridge: everybody sends, and gets one stream with everybody mixed. VideoRoom: everybody publishes by one connection, and
subscribes to others by a second, as its clients do.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
import msgspec

from benchmarks.voices import sdp
from benchmarks.voices.link import Link, Network

C = TypeVar("C")
ROOM: Final = 1234
AT_ONCE: Final = 10
KEEP_S: Final = 20.0
"""A session ends a minute after it was heard of last."""
_PATIENCE_S: Final = 60.0


class Handle:
    """A plugin's handle, for requests."""

    def __init__(self, janus: "Janus", handle_id: int, up: asyncio.Event) -> None:
        self._janus = janus
        self._id = handle_id
        self._up = up

    async def ask(self, body: dict[str, Any], jsep: tuple[str, str] | None = None) -> dict[str, Any]:
        """The event that answers a request, or the answer itself. RuntimeError where it is an error."""
        message: dict[str, Any] = {"janus": "message", "handle_id": self._id, "body": body}
        if jsep is not None:
            message["jsep"] = {"type": jsep[0], "sdp": jsep[1], "trickle": False}
        return await self._janus.ask(message)

    async def connect(self, link: Link, theirs: sdp.Theirs, *, controlling: bool = True) -> None:
        """Returns once it is open on Janus' side too: before that, a publisher is no feed."""
        await link.connect(theirs, controlling=controlling)
        async with asyncio.timeout(_PATIENCE_S):
            await self._up.wait()


class Janus:
    """One session. `async with Janus(url) as janus`."""

    def __init__(self, url: str, keep_s: float = KEEP_S) -> None:
        self._url = url
        self._keep_s = keep_s
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._session = 0
        self._transactions = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._up: dict[int, asyncio.Event] = {}
        """By handle: its connection is open."""
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._socket = await self._http.ws_connect(self._url, protocols=("janus-protocol",), max_msg_size=0)
        self._tasks.append(asyncio.create_task(self._read()))
        self._session = (await self.ask({"janus": "create"}))["data"]["id"]
        self._tasks.append(asyncio.create_task(self._keep()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        await self._http.close()

    async def attach(self, plugin: str) -> Handle:
        """A handle of a plugin."""
        made = await self.ask({"janus": "attach", "plugin": f"janus.plugin.{plugin}"})
        handle_id = made["data"]["id"]
        up = self._up[handle_id] = asyncio.Event()
        return Handle(self, handle_id, up)

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """What answers it, which is not its mere acknowledgement."""
        transaction = str(next(self._transactions))
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        await self._say(message, transaction)
        async with asyncio.timeout(_PATIENCE_S):
            answer: dict[str, Any] = await waiting
        said = answer.get("plugindata", {}).get("data", {})
        if answer["janus"] == "error" or "error" in said:
            raise RuntimeError(f"janus: {answer}")
        return answer

    async def _say(self, message: dict[str, Any], transaction: str) -> None:
        assert self._socket is not None
        whole = message | {"transaction": transaction} | ({"session_id": self._session} if self._session else {})
        await self._socket.send_str(msgspec.json.encode(whole).decode())

    async def _read(self) -> None:
        assert self._socket is not None
        async for raw in self._socket:
            answer: dict[str, Any] = msgspec.json.decode(raw.data)
            if answer["janus"] == "webrtcup":
                self._up[answer["sender"]].set()
            elif answer["janus"] != "ack":
                waiting = self._waiting.pop(answer.get("transaction", ""), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._keep_s)
            await self._say({"janus": "keepalive"}, "kept")  # it is acknowledged, and nothing else


async def by_few(come: Callable[[int], Awaitable[C]], people: int) -> list[C]:
    """So many come, few at a time."""
    came: list[C] = []
    for first in range(0, people, AT_ONCE):
        came += await asyncio.gather(*(come(number) for number in range(first, min(people, first + AT_ONCE))))
    return came


async def bridged(janus: Janus, network: Network, people: int) -> list[Link]:
    """So many in one AudioBridge room, at its defaults but for its levels: 48 kHz, mono."""
    room = {"request": "create", "room": ROOM, "sampling_rate": 48000, "permanent": False}
    await (await janus.attach("audiobridge")).ask(room | {"audiolevel_ext": True, "audiolevel_event": True})

    async def come(number: int) -> Link:
        handle, link = await janus.attach("audiobridge"), Link(network, data=False)
        await handle.ask({"request": "join", "room": ROOM, "display": f"Person {number}"})
        offer = sdp.offer(link.ours(), ("sendrecv",), data=False)
        answered = await handle.ask({"request": "configure", "muted": False}, ("offer", offer))
        await handle.connect(link, sdp.read(answered["jsep"]["sdp"]))
        return link

    return await by_few(come, people)


async def published(janus: Janus, network: Network, people: int) -> list[tuple[Link, int]]:
    """So many who publish audio into one VideoRoom room; each with the feed."""
    room = {"request": "create", "room": ROOM, "publishers": people, "audiocodec": "opus", "opus_fec": True}
    levels = {"audiolevel_ext": True, "audiolevel_event": True, "permanent": False}
    await (await janus.attach("videoroom")).ask(room | levels)

    async def come(number: int) -> tuple[Link, int]:
        handle, link = await janus.attach("videoroom"), Link(network, data=False)
        joined = await handle.ask({"request": "join", "ptype": "publisher", "room": ROOM, "display": f"P {number}"})
        offer = sdp.offer(link.ours(), ("sendonly",), data=False)
        answered = await handle.ask({"request": "publish"}, ("offer", offer))
        await handle.connect(link, sdp.read(answered["jsep"]["sdp"]))
        return link, joined["plugindata"]["data"]["id"]

    return await by_few(come, people)


async def subscribed(janus: Janus, network: Network, feeds: Sequence[int]) -> Link:
    """One who hears these."""
    handle, link = await janus.attach("videoroom"), Link(network, data=False)
    wanted = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed} for feed in feeds]}
    theirs = sdp.read((await handle.ask(wanted))["jsep"]["sdp"])
    await handle.ask({"request": "start"}, ("answer", sdp.answer(link.ours(), theirs)))
    await handle.connect(link, theirs, controlling=False)
    return link


def chosen(number: int, talking: Sequence[int], slots: int) -> list[int]:
    """Whom somebody subscribes to: as many of those who talk as there are slots, never themselves, not all the same."""
    others = [each for each in talking if each != number]
    start = number % max(1, len(others))
    return [others[(start + n) % len(others)] for n in range(min(slots, len(others)))]
