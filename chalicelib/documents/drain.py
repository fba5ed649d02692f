"""Draining a document's queue: one function invocation commits and tells for all who submit, the others only put.

Theory of operation. Functions share no memory, and when many of them append to one log by trying again, they collapse
(docs/adr/0007). So a submission is put into the document's queue, durably, and whoever put it asks `ensure`. The holder
of the document's lease promises to read the queue until `until_ms` and ONCE MORE AFTER it: what was put before
`until_ms` is certain to be drained, and its writer has nothing to do. Otherwise the writer takes the lease itself. The
holder commits each round's submissions with one append, answers each, tells everybody once, and only then removes them
from the queue. If it is killed at any instant, whoever drains next finds the submissions still there: those that were
committed are found again by (client, seq), and answered with their revision. A lease fences nothing; the append does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec

from chalicelib.documents.committer import Committer
from chalicelib.documents.model import CODE_OF, Desk, Listener, Queue, Record, Refused, Waiting, locked
from chalicelib.wire import limits
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpCommitted, OpRejected
from chalicelib.wire.types import Delivery

_SKEW_MS: Final = 100
"""How far the clocks of two containers may differ; a promise is trusted only so long before its end."""
_LINGER_MS: Final = 500
"""How long the holder stays after the last submission."""
_IDLE_TICKS: Final = 4
"""An empty queue is read so much more rarely, at the most."""
_UNDER_WAY_MAX: Final = 16
"""Posts to one connection at once; past them it is told later that it missed something, and fetches."""


class Post(Protocol):
    """Posts to a connection."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


Audience = Callable[[str], Awaitable[tuple[Listener, ...]]]
"""Who is connected to a session now, read consistently."""


class Courier:
    """Posts that nobody waits for: a slow or failing recipient delays no other."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._under_way: dict[str, set[asyncio.Task[Delivery]]] = {}
        self._missed: set[str] = set()

    def send(self, connection_id: str, data: bytes) -> None:
        """Posts, unless too much is on its way to that connection already."""
        tasks = self._under_way.setdefault(connection_id, set())
        if len(tasks) >= _UNDER_WAY_MAX:
            self._missed.add(connection_id)
            return
        task = asyncio.ensure_future(self._post(connection_id, data))
        tasks.add(task)
        task.add_done_callback(lambda done: self._posted(connection_id, done))

    async def close(self, hint: bytes) -> None:
        """Waits for all; whoever missed something is told that there is more."""
        while any(self._under_way.values()):
            await asyncio.wait([task for tasks in self._under_way.values() for task in tasks])
        await asyncio.gather(*(self._post(connection_id, hint) for connection_id in self._missed))

    def _posted(self, connection_id: str, task: asyncio.Task[Delivery]) -> None:
        self._under_way[connection_id].discard(task)
        if task.cancelled() or task.exception() is not None or task.result() is Delivery.FAILED:
            self._missed.add(connection_id)


class Drainer:
    """Drains documents from this container."""

    def __init__(
        self,
        queue: Queue,
        committer: Committer,
        audience: Audience,
        post: Post,
        keep_up: Callable[[str, int], Awaitable[None]],
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queue = queue
        self._committer = committer
        self._audience = audience
        self._post = post
        self._keep_up = keep_up
        self._now_ms = now_ms
        self._new_id = new_id
        self._sleep = sleep
        self._promised: dict[str, int] = {}
        self._woken: dict[str, asyncio.Event] = {}

    async def ensure(self, document_id: str, session_id: str) -> None:
        """Returns when somebody has promised to drain what was put before this call, or after having drained it."""
        while True:
            now = self._now_ms()
            if self._promised.get(document_id, 0) > now + _SKEW_MS:
                if document_id in self._woken:
                    self._woken[document_id].set()
                return
            holder, until_ms = self._new_id(), now + limits.DRAIN_LEASE_MS
            held_by, held_until_ms = await self._queue.acquire(document_id, holder, until_ms, now)
            if len(self._promised) > limits.TAILS_KEPT:
                self._promised.clear()
            self._promised[document_id] = held_until_ms
            if held_by == holder:
                await self._serve(document_id, session_id, holder, until_ms)
                return
            if held_until_ms > self._now_ms() + _SKEW_MS:
                return
            # It is about to end and may have read the queue for the last time already: stay, and try after it.
            await self._sleep((held_until_ms - self._now_ms() + 2 * _SKEW_MS) / 1000)

    async def _serve(self, document_id: str, session_id: str, holder: str, until_ms: int) -> None:
        courier = Courier(self._post)
        woken = self._woken[document_id] = asyncio.Event()
        started = lively_at = self._now_ms()
        head = idle = 0
        try:
            while True:
                tick = self._now_ms()
                woken.clear()
                reached = await self._round(document_id, session_id, courier)
                head = max(head, reached or 0)
                if reached is not None:
                    lively_at, idle = tick, 0
                elif tick > until_ms:
                    return
                else:
                    idle = min(idle + 1, _IDLE_TICKS)
                now = self._now_ms()
                lively = lively_at + _LINGER_MS > now and now - started < limits.BROADCAST_LONGEST_S * 1000
                if lively and until_ms - now < limits.DRAIN_LEASE_MS // 2:
                    later_ms = now + limits.DRAIN_LEASE_MS
                    if await self._queue.renew(document_id, holder, later_ms):
                        self._promised[document_id] = until_ms = later_ms
                await self._rest(woken, tick, idle)
        finally:
            if self._woken.get(document_id) is woken:
                del self._woken[document_id]
            await courier.close(_committed(document_id, head, ()))
            if head:
                await self._keep_up(document_id, head)

    async def _rest(self, woken: asyncio.Event, tick: int, idle: int) -> None:
        """Until a tick has passed since the round began; longer where nothing comes, unless somebody here wakes it."""
        await self._sleep(max(0, tick + limits.DRAIN_TICK_MS - self._now_ms()) / 1000)
        for _ in range(idle - 1):
            if woken.is_set():
                return
            await self._sleep(limits.DRAIN_TICK_MS / 1000)

    async def _round(self, document_id: str, session_id: str, courier: Courier) -> int | None:
        """Commits, answers and tells what waits. The newest revision of it (0: none was committed); None: nothing waited."""
        desk = await self._queue.desk(document_id)
        if not desk.waiting:
            return None
        listeners = await self._audience(session_id)
        editors = {listener.connection_id: listener.user_id for listener in listeners if listener.may_edit}
        now = self._now_ms()
        may = [w for w in desk.waiting if refusal(w, editors, desk, now) is None]
        answers = await self._committer.submit_all(document_id, [w.submission for w in may])
        commits: dict[int, Record] = {}
        outcomes: dict[str, Record | BaseException] = {w.place: a for w, a in zip(may, answers, strict=True)}
        for waiting in desk.waiting:
            outcome = outcomes.get(waiting.place) or AppError(refusal(waiting, editors, desk, now) or Code.INTERNAL)
            if isinstance(outcome, Record):
                commits[outcome.revision] = outcome
            courier.send(waiting.connection_id, answer(document_id, waiting, outcome))
        told = [commits[revision] for revision in sorted(commits)]
        for data in packed(document_id, told):
            for listener in listeners:
                if listener.reachable:
                    courier.send(listener.connection_id, data)
        await self._queue.remove(document_id, tuple(w.place for w in desk.waiting))
        return told[-1].revision if told else 0


def refusal(waiting: Waiting, editors: dict[str, str], desk: Desk, now_ms: int) -> Code | None:
    """Why a submission may not be committed, judged by the roles and locks of this moment."""
    submission = waiting.submission
    if editors.get(waiting.connection_id) != submission.user_id:
        return Code.ROLE_INSUFFICIENT
    return Code.LOCK_HELD if locked(submission.operations, submission.user_id, desk.locks, now_ms) else None


def answer(document_id: str, waiting: Waiting, outcome: Record | BaseException) -> bytes:
    """The `op.ack` or `op.rejected` of a submission."""
    if isinstance(outcome, Record):
        ack = OpAck(
            id=waiting.request_id,
            document_id=document_id,
            operation=outcome,
            transformed=outcome.submitted is not None,
            conflicts_with=outcome.conflicts_with,
        )
        return msgspec.json.encode(ack)
    if isinstance(outcome, Refused):
        outcome = AppError(CODE_OF[outcome.reason])
    code = outcome.code if isinstance(outcome, AppError) else Code.INTERNAL
    rejected = OpRejected(
        id=waiting.request_id,
        document_id=document_id,
        client=waiting.submission.client,
        seq=waiting.submission.seq,
        code=code,
        message=outcome.message if isinstance(outcome, AppError) else MESSAGE[code],
        correlation_id=waiting.correlation_id,
        operations=waiting.sent or waiting.submission.operations,
    )
    return msgspec.json.encode(rejected)


def packed(document_id: str, commits: Sequence[Record]) -> list[bytes]:
    """`op.committed` messages for consecutive commits, each below the size of a message."""
    messages: list[bytes] = []
    batch: list[Record] = []
    size_bytes = 0
    for commit in commits:
        own_bytes = len(msgspec.json.encode(commit))
        if batch and size_bytes + own_bytes > limits.FRAME_TARGET_BYTES:
            messages.append(_committed(document_id, commits[-1].revision, tuple(batch)))
            batch, size_bytes = [], 0
        batch.append(commit)
        size_bytes += own_bytes
    if batch:
        messages.append(_committed(document_id, commits[-1].revision, tuple(batch)))
    return messages


def _committed(document_id: str, head: int, commits: tuple[Record, ...]) -> bytes:
    return msgspec.json.encode(OpCommitted(document_id=document_id, head=head, commits=commits))
