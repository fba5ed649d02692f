"""Draining a document's queue: one function invocation commits and tells for all who submit; the others hand theirs over.

Theory of operation. Functions share no memory, and when many of them append to one log by trying again, they collapse
(docs/adr/0006). So whoever submits takes the document's lease, or learns who has it. The holder commits what it has, and
promises to read the queue until `until_ms` and ONCE MORE AFTER it; so a submission that is put there, durably, before
`until_ms` is certain to be drained, and its writer has nothing more to do. Within one process it is handed over in
memory. Each round commits with one append, answers each, tells everybody once, and only then removes what it took from the
queue. Nothing is acknowledged before the append: if the holder is killed at any instant, what was in its memory is sent
again by its client, and what is in the queue is found by whoever drains next; what was committed already is found
again by (client, seq), and answered with its revision. A lease fences nothing; the append does.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from chalicelib.documents.model import CODE_OF, Desk, Listener, Queue, Record, Refused, Submission, Waiting, locked
from chalicelib.wire import limits
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpCommitted, OpRejected
from chalicelib.wire.types import Delivery

_SKEW_MS: Final = 100
"""How far the clocks of two containers may differ; a promise is trusted only so long before its end."""
_LINGER_MS: Final = 500
"""How long the holder stays after the last submission."""
_PATIENCE_MS: Final = 5000
"""How long a holder that meets a failing database tries on; an integration ends at 29 s, and one attempt may take 20."""
_IDLE_TICKS: Final = 4
"""An empty queue is read so much more rarely, at the most."""
_UNDER_WAY_MAX: Final = 16
"""Posts to one connection at once; past them it is told later that it missed something, and fetches."""


class Post(Protocol):
    """Posts to a connection."""

    async def __call__(self, connection_id: str, data: bytes) -> Delivery: ...


class Committing(Protocol):
    """The committer."""

    async def submit_all(
        self, document_id: str, submissions: Sequence[Submission]
    ) -> Sequence[Record | BaseException]: ...
    async def find(self, document_id: str, submission: Submission) -> Record | None: ...


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
        hints = (self._post(connection_id, hint) for connection_id in self._missed)
        await asyncio.gather(*hints, return_exceptions=True)

    def _posted(self, connection_id: str, task: asyncio.Task[Delivery]) -> None:
        self._under_way[connection_id].discard(task)
        if task.cancelled() or task.exception() is not None or task.result() is Delivery.FAILED:
            self._missed.add(connection_id)


class _Serving:
    """One holder's time: what was handed to it here, and what it has answered but not removed from the queue yet."""

    def __init__(self) -> None:
        self.handed: list[Waiting] = []
        self.answered: set[str] = set()
        self.woken = asyncio.Event()
        self.removals: set[asyncio.Task[None]] = set()
        self.tick_ms: int = limits.DRAIN_TICK_MS
        self.more = False
        """Whether the queue was longer than what was read of it last."""
        self.failed = False
        """Whether the last look failed: then nobody knows what waits."""
        self.closed = False
        """Whether this is the last look: what comes now is for the next holder, however busy the document is."""

    @property
    def unsure(self) -> bool:
        """Whether something may wait still."""
        return bool(self.handed) or self.more or self.failed

    def hand(self, waiting: Waiting) -> None:
        """Takes over a submission of this process."""
        self.handed.append(waiting)
        self.woken.set()


class Drainer:
    """Drains documents from this container."""

    def __init__(
        self,
        queue: Queue,
        committer: Committing,
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
        self._serving: dict[str, _Serving] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def submit(self, document_id: str, session_id: str, waiting: Waiting) -> None:
        """Returns when somebody has promised to drain it, or after having drained it and what came meanwhile."""
        queued = False
        while True:
            async with self._asking.setdefault(document_id, asyncio.Lock()):
                serving = self._serving.get(document_id)
                if serving is not None and not serving.closed:
                    if not queued:
                        serving.hand(waiting)
                    return
                mine = await self._lease(document_id) if serving is None else None
                if mine is not None:
                    serving = self._serving[document_id] = _Serving()
                    if not queued:
                        serving.hand(waiting)
            if mine is not None and serving is not None:
                await self._serve(document_id, session_id, serving, *mine)
                return
            if not queued:
                await self._queue.put(document_id, waiting, self._now_ms() // 1000 + limits.INBOX_TTL_S)
                queued = True
            left_ms = self._promised.get(document_id, 0) - self._now_ms()
            if left_ms > _SKEW_MS:
                return
            # The promise is about to end and the queue may have been read for the last time: stay, and try after it.
            await self._sleep(max(_SKEW_MS, left_ms + 2 * _SKEW_MS) / 1000)

    async def _lease(self, document_id: str) -> tuple[str, int] | None:
        """The lease, with its end, if it could be taken; None: it is promised by another."""
        now = self._now_ms()
        if self._promised.get(document_id, 0) > now + _SKEW_MS:
            return None
        holder = self._new_id()
        held_by, until_ms = await self._queue.acquire(document_id, holder, now + limits.DRAIN_LEASE_MS, now)
        if len(self._promised) > limits.TAILS_KEPT:
            self._promised.clear()
            self._asking = {key: lock for key, lock in self._asking.items() if lock.locked()}
        self._promised[document_id] = until_ms
        return (holder, until_ms) if held_by == holder else None

    async def _serve(self, document_id: str, session_id: str, serving: _Serving, holder: str, until_ms: int) -> None:
        courier = Courier(self._post)
        started = lively_at = self._now_ms()
        head = idle = 0
        lost = False
        try:
            while True:
                tick = self._now_ms()
                overdue = tick - started >= limits.BROADCAST_LONGEST_S * 1000
                serving.closed = tick > until_ms and (lost or overdue)
                serving.woken.clear()
                try:
                    reached = await self._round(document_id, session_id, serving, courier)
                    serving.failed = False
                except AppError as exc:  # what was handed over, its clients send again; to read the queue was promised
                    if tick - started > _PATIENCE_MS:
                        raise
                    _refuse(document_id, serving, courier, exc)
                    reached, serving.failed = None, True
                head = max(head, reached or 0)
                if (reached is None or serving.closed) and tick > until_ms and not serving.unsure:
                    return
                if reached is not None:
                    lively_at, idle = tick, 0
                else:
                    idle = min(idle + 1, _IDLE_TICKS)
                now = self._now_ms()
                lively = lively_at + _LINGER_MS > now and not (overdue or lost)
                if lively and until_ms - now < limits.DRAIN_LEASE_MS // 2:
                    later_ms = now + limits.DRAIN_LEASE_MS
                    with contextlib.suppress(AppError):  # then it ends sooner
                        lost = not await self._queue.renew(document_id, holder, later_ms)
                        if not lost:
                            self._promised[document_id] = until_ms = later_ms
                await self._rest(serving, tick, idle)
        except AppError as exc:
            self._promised.pop(document_id, None)  # it was not kept, and nobody here relies on it
            _refuse(document_id, serving, courier, exc)
        finally:
            del self._serving[document_id]
            await courier.close(_committed(document_id, head, ()))
            if serving.removals:
                await asyncio.wait(serving.removals)
            if head:
                await self._keep_up(document_id, head)

    async def _rest(self, serving: _Serving, tick: int, idle: int) -> None:
        """Until a tick has passed since the round began; longer where nothing comes, unless somebody here wakes it."""
        await self._sleep(max(0, tick + serving.tick_ms - self._now_ms()) / 1000)
        for _ in range(idle - 1):
            if serving.woken.is_set():
                return
            await self._sleep(limits.DRAIN_TICK_MS / 1000)

    async def _round(self, document_id: str, session_id: str, serving: _Serving, courier: Courier) -> int | None:
        """Commits, answers and tells what waits. The newest revision of it (0: none was committed); None: nothing waited."""
        if serving.more and serving.removals:  # else the next look shows the same
            await asyncio.wait(serving.removals)
        desk = await self._queue.desk(document_id)
        serving.more = desk.more
        queued = [waiting for waiting in desk.waiting if waiting.place not in serving.answered]
        if not queued and not serving.handed:
            return None
        listeners = await self._audience(session_id)
        wanted_ms = len(listeners) * limits.DRAIN_TICK_PER_LISTENER_MS
        serving.tick_ms = min(limits.DRAIN_TICK_MAX_MS, max(limits.DRAIN_TICK_MS, wanted_ms))
        handed = list(serving.handed)
        everything = [*queued, *handed]
        people = {listener.connection_id: listener for listener in listeners}
        now = self._now_ms()
        refused = {waiting.place: refusal(waiting, people, desk, now) for waiting in everything}
        outcomes = await self._outcomes(document_id, everything, refused)
        del serving.handed[: len(handed)]
        commits: dict[int, Record] = {}
        for waiting in everything:
            outcome = outcomes[waiting.place]
            if isinstance(outcome, Record):
                commits[outcome.revision] = outcome
            courier.send(waiting.connection_id, answer(document_id, waiting, outcome))
        told = [commits[revision] for revision in sorted(commits)]
        for data in packed(document_id, told):
            for listener in listeners:
                if listener.reachable:
                    courier.send(listener.connection_id, data)
        if queued:
            self._remove(document_id, serving, tuple(waiting.place for waiting in queued))
        return told[-1].revision if told else 0

    async def _outcomes(
        self, document_id: str, everything: Sequence[Waiting], refused: dict[str, Code | None]
    ) -> dict[str, Record | BaseException]:
        """What becomes of each. One that may not be committed may have been already: then that is what is answered."""
        may = [waiting for waiting in everything if refused[waiting.place] is None]
        answers = await self._committer.submit_all(document_id, [waiting.submission for waiting in may])
        outcomes = dict(zip((waiting.place for waiting in may), answers, strict=True))
        for waiting in everything:
            code = refused[waiting.place]
            if code is not None:
                try:
                    known = await self._committer.find(document_id, waiting.submission)
                    outcomes[waiting.place] = known or AppError(code)
                except AppError as exc:
                    outcomes[waiting.place] = exc
        return outcomes

    def _remove(self, document_id: str, serving: _Serving, places: tuple[str, ...]) -> None:
        """Takes what was answered out of the queue, while the next round runs."""
        serving.answered.update(places)

        async def remove() -> None:
            with contextlib.suppress(AppError):  # it is answered once more then
                await self._queue.remove(document_id, places)
            serving.answered.difference_update(places)

        task = asyncio.ensure_future(remove())
        serving.removals.add(task)
        task.add_done_callback(serving.removals.discard)


def _refuse(document_id: str, serving: _Serving, courier: Courier, why: AppError) -> None:
    """Tells those who handed something over in this process; their clients send it again."""
    handed, serving.handed = serving.handed, []
    for waiting in handed:
        courier.send(waiting.connection_id, answer(document_id, waiting, why))


def refusal(waiting: Waiting, people: Mapping[str, Listener], desk: Desk, now_ms: int) -> Code | None:
    """Why a submission may not be committed, judged by the roles and locks of this moment.

    Of a connection that is nobody's any more (its peer left, or was away for too long) nothing is known: its client comes
    again by another, and keeps what it made until then.
    """
    submission = waiting.submission
    listener = people.get(waiting.connection_id)
    if listener is None:
        return Code.CONNECTION_GONE
    if not listener.may_edit or listener.user_id != submission.user_id:
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
