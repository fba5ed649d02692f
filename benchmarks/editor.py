"""A document over REST and the WebSocket, by asyncio: for bots, tests and loads. docs/bots.md says what it guarantees.

async with Api(base_url) as api:
who = await api.guest("Robot", invite)
async with await DocumentClient.open(api, who, session_id) as document:
await document.edit([Create(id=document.new_id(), props={"type": "box"})])
await document.settled()

All decisions are `ot.editor`'s; here are the connection, the clock and the file.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import Final, Self

import aiohttp
import msgspec

from benchmarks.client import Api, PeerClient, Person, Refused
from chalicelib.ot.editor import Editor, Received
from chalicelib.ot.state import Entity
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Snapshot
from chalicelib.wire.limits import PING_INTERVAL_S
from chalicelib.wire.messages import OpSubmit, ServerMessage
from chalicelib.wire.operations import Operation

AGAIN_S: Final = 0.25  # before the first reconnect; doubled each time
AGAIN_MAX_S: Final = 10.0
SNAPSHOT_EVERY_S: Final = 5.0
SILENT_S: Final = 3 * PING_INTERVAL_S  # a connection that says nothing for so long is dead
LOST: Final = (OSError, TimeoutError, aiohttp.ClientError, msgspec.DecodeError)


class Way(Enum):
    """Which way a message goes."""

    UP = "up"
    DOWN = "down"


Faults = Callable[[Way, msgspec.Struct], Iterable[float]]
"""For tests: the delays, in seconds, of each copy of a message. (0,) is as it is, () loses it, (0, 0) doubles it."""


def no_faults(_way: Way, _message: msgspec.Struct) -> Iterable[float]:
    """As it is."""
    return (0.0,)


def scene_of(session_id: str) -> str:
    """A session's own document."""
    return f"doc_{session_id.removeprefix('ses_')}"


class DocumentClient:
    """One document, followed and edited. It reconnects by itself until it is closed or refused for good."""

    def __init__(
        self,
        api: Api,
        who: Person,
        session_id: str,
        editor: Editor,
        *,
        save: Callable[[bytes], None] = lambda _saved: None,
        faults: Faults = no_faults,
    ) -> None:
        self.editor = editor
        self.peer: PeerClient | None = None
        """The connection, while there is one; for cursors and the like."""
        self.failure: Refused | None = None
        """Why it gave up, if it did."""
        self._api = api
        self._who = who
        self._session_id = session_id
        self._save = save
        self._faults = faults
        self._made = 0
        self._stamp = f"{time.time_ns() // 1_000_000:x}"
        self._heard_s = 0.0
        self._asked_s = -SNAPSHOT_EVERY_S
        self._news = asyncio.Event()
        self._changed = asyncio.Condition()
        self._runner: asyncio.Task[None] | None = None
        self._late: set[asyncio.Future[None]] = set()

    @classmethod
    async def open(
        cls,
        api: Api,
        who: Person,
        session_id: str,
        document_id: str | None = None,
        *,
        invite: str | None = None,
        saved: bytes | None = None,
        save: Callable[[bytes], None] = lambda _saved: None,
        faults: Faults = no_faults,
    ) -> Self:
        """Joins, loads the document (the scene, if none is named) and follows it. Raises Refused.

        `save` is given what to store, before anything is sent that depends on it; `saved` is the last of that, after a
        restart.
        """
        if saved is not None:
            editor = Editor.restore(saved)
        else:
            editor = Editor(document_id or scene_of(session_id), secrets.token_hex(8))
        self = cls(api, who, session_id, editor, save=save, faults=faults)
        await api.join(who, session_id, invite=invite)
        await self._load()
        self._runner = asyncio.create_task(self._run())
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- for its user --

    @property
    def entities(self) -> Mapping[str, Entity]:
        """The document with one's own edits, tombstones (`alive` false) included."""
        return self.editor.entities

    def new_id(self) -> str:
        """An id for an entity to create, that nobody else makes, not even this client after a restart."""
        self._made += 1
        return f"{self.editor.client}.{self._stamp}.{self._made}"

    async def edit(self, operations: Sequence[Operation]) -> None:
        """Makes a transaction: it shows, and is saved, when this returns. Raises InvalidOperation, and Refused."""
        await self.until(lambda: self.editor.ready, None)
        self.editor.edit(operations)
        self._save(self.editor.saved())
        self._news.set()

    async def settled(self, timeout_s: float | None = 30.0) -> None:
        """Waits until all edits are in the log, or in `editor.rejected`. Raises TimeoutError, and Refused."""
        await self.until(lambda: self.editor.settled, timeout_s)

    async def until(self, condition: Callable[[], bool], timeout_s: float | None = 30.0) -> None:
        """Waits until what was heard makes it true. Raises TimeoutError, and Refused if nothing will be heard any more."""
        async with asyncio.timeout(timeout_s), self._changed:
            while not condition():
                if self.failure is not None:
                    raise self.failure
                if self._runner is not None and self._runner.done():
                    raise RuntimeError("closed, or broken") from self._broken()
                await self._changed.wait()

    async def close(self) -> None:
        """Stops. What is not settled stays in what was saved."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
            await self._tell()

    def _broken(self) -> BaseException | None:
        return None if self._runner is None or self._runner.cancelled() else self._runner.exception()

    # -- the connection --

    async def _run(self) -> None:
        attempt = 0
        while self.failure is None:
            try:
                peer = await self._enter()
                peer.on_message = self._arrived
                peer.on_gone = self._news.set
                async with peer:
                    attempt = 0
                    await self._follow(peer)
            except Refused as exc:
                if exc.status not in (408, 429) and exc.status < 500:
                    self.failure = exc
            except LOST:
                pass  # what was on its way is sent again
            finally:
                self.peer = None
                self.editor.disconnected()
            await self._tell()
            await asyncio.sleep(random.random() * min(AGAIN_MAX_S, AGAIN_S * 2 ** min(attempt, 10)))
            attempt += 1

    async def _enter(self) -> PeerClient:
        """In again. Whoever was away for long has no seat any more, and takes one; whoever was removed may not even read."""
        try:
            return await self._api.enter(self._who, self._session_id, self.editor.client, join=False)
        except Refused as exc:
            if exc.error.code is not Code.PARTICIPANT_NOT_JOINED:
                raise
        await self._api.call("GET", f"/documents/{self.editor.document_id}/operations?limit=1", self._who)
        return await self._api.enter(self._who, self._session_id, self.editor.client)

    async def _follow(self, peer: PeerClient) -> None:
        """Until the connection is gone."""
        self.peer = peer
        self._heard_s = pinged_s = time.monotonic()
        self.editor.reconnected(now_ms())
        while not peer.socket.closed and time.monotonic() - self._heard_s < SILENT_S:
            self._news.clear()
            await self._load_if_helpful()
            messages, wake_at_ms = self.editor.poll(now_ms())
            if any(isinstance(message, OpSubmit) for message in messages):
                self._save(self.editor.saved())
            for message in messages:
                for delay_s in self._faults(Way.UP, message):
                    if delay_s:
                        asyncio.get_running_loop().call_later(delay_s, self._send_late, peer, message)
                    else:
                        await self._sent(peer, message)
            await self._tell()
            if time.monotonic() - pinged_s >= PING_INTERVAL_S:
                pinged_s = time.monotonic()
                await peer.ping()
            wait_s = PING_INTERVAL_S if wake_at_ms is None else (wake_at_ms - now_ms()) / 1000
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the news, and `close` hangs.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(PING_INTERVAL_S, max(0.001, wait_s))):
                    await self._news.wait()

    async def _sent(self, peer: PeerClient, message: msgspec.Struct) -> None:
        """By whatever carries it; `relayed_editor` knows another way."""
        await peer.send(message)

    def _send_late(self, peer: PeerClient, message: msgspec.Struct) -> None:
        async def send() -> None:
            with contextlib.suppress(*LOST):
                await self._sent(peer, message)

        task = asyncio.ensure_future(send())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _arrived(self, message: ServerMessage, _size: int) -> None:
        self._heard_s = time.monotonic()
        if not isinstance(message, Received):
            return
        for delay_s in self._faults(Way.DOWN, message):
            if delay_s:
                asyncio.get_running_loop().call_later(delay_s, self._receive, message)
            else:
                self._receive(message)

    def _receive(self, message: Received) -> None:
        self.editor.receive(message, now_ms())
        self._news.set()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # -- snapshots --

    async def _load_if_helpful(self) -> None:
        if self.editor.needs_snapshot and time.monotonic() - self._asked_s >= SNAPSHOT_EVERY_S:
            with contextlib.suppress(Refused, *LOST):  # the log is read instead
                await self._load()

    async def _load(self) -> None:
        self._asked_s = time.monotonic()
        try:
            snapshot = await self._api.call("GET", f"/documents/{self.editor.document_id}", self._who, None, Snapshot)
        except Refused as exc:
            if exc.error.code is not Code.DOCUMENT_TOO_LARGE:
                raise
        else:
            self.editor.load(snapshot)


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
