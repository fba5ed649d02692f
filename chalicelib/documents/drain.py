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
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from chalicelib.documents.courier import Telling, answer, committed, packed
from chalicelib.documents.model import Desk, Listener, Queue, Record, Renewal, Submission, Waiting, refusal
from chalicelib.documents.pace import FUNCTION, Pace
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

_SKEW_MS: Final = 100
"""How far the clocks of two containers may differ; a promise is trusted only so long before its end."""
_PATIENCE_MS: Final = 5000
"""How long a holder that meets a failing database tries on; an integration ends at 29 s, and one attempt may take 20."""
_YIELD_MS: Final = 600
"""Whoever had to let the lease run out lets others try first for so long: somebody wanted it."""
_IDLE_TICKS: Final = 4
"""An empty queue is read so much more rarely, at the most."""
_IDLE_TICK_MS: Final = limits.DRAIN_TICK_MS


class Committing(Protocol):
    """The committer."""

    async def submit_all(
        self, document_id: str, submissions: Sequence[Submission]
    ) -> Sequence[Record | BaseException]: ...
    async def find(self, document_id: str, submission: Submission) -> Record | None: ...


Audience = Callable[[str, frozenset[str]], Awaitable[tuple[Listener, ...]]]
"""Who is connected to a session, as it was just now. It may be a second old where it knows all of these connections."""


class _Look:
    """A reading of the desk that is under way, or was a moment ago."""

    def __init__(self, at_ms: int, desk: Awaitable[Desk], answered: frozenset[str]) -> None:
        self.at_ms = at_ms
        self.answered = answered
        """What was answered when it began: it may show it still."""
        self.task = asyncio.ensure_future(desk)

    def drop(self) -> None:
        """Nobody wants it any more."""
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self.task.cancel()


class _Serving:
    """One holder's time: what was handed to it here, and what it has answered but not removed from the queue yet."""

    def __init__(self, session_id: str, tick_ms: float) -> None:
        self.session_id = session_id
        self.handed: list[Waiting] = []
        self.answered: set[str] = set()
        self.woken = asyncio.Event()
        self.removals: set[asyncio.Task[None]] = set()
        self.tick_ms = tick_ms
        self.look: _Look | None = None
        """Begun before its round."""
        self.head = 0
        """The newest revision that everybody was told."""
        self.more = False
        """Whether the queue was longer than what was read of it last."""
        self.failing_since = 0
        """Since when every look failed; while it is not 0, nobody knows what waits."""
        self.closed = False
        """Whether this is the last look: what comes now is for the next holder, however busy the document is."""
        self.holder = ""
        self.until_ms = 0
        self.lost = False
        """Whether the lease is another's, or will be."""
        self.kept_at_ms = self.kept_head = 0
        self.keeping: asyncio.Task[None] | None = None

    @property
    def unsure(self) -> bool:
        """Whether something may wait still."""
        return bool(self.handed) or self.more or self.failing_since > 0

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
        courier: Callable[[str], Telling],
        keep_up: Callable[[str, int], Awaitable[None]],
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        pace: Pace = FUNCTION,
    ) -> None:
        self._queue = queue
        self._committer = committer
        self._audience = audience
        self._courier = courier
        self._keep_up = keep_up
        self._now_ms = now_ms
        self._new_id = new_id
        self._sleep = sleep
        self._pace = pace
        self._promised: dict[str, int] = {}
        self._serving: dict[str, _Serving] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._yielding: dict[str, int] = {}
        self._retiring = False

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
                if self._retiring and not queued:
                    raise AppError(Code.DOCUMENT_BUSY, retry_after_ms=500)
                mine = await self._lease(document_id) if serving is None else None
                if mine is not None:
                    serving = self._serving[document_id] = _Serving(session_id, self._pace.tick_ms)
                    if not queued:
                        serving.hand(waiting)
            if mine is not None and serving is not None:
                await self._serve(document_id, session_id, serving, *mine)
                return
            if not queued:
                await self._queue.put(document_id, waiting, self._now_ms() // 1000 + limits.INBOX_TTL_S)
                queued = True
            left_ms = self._promised.get(document_id, 0) - self._now_ms()
            if self._retiring or (left_ms > _SKEW_MS and not self._pace.insists):
                return
            # The promise is about to end and the queue may have been read for the last time: stay, and try after it.
            # Who insists stays in any case: it costs nothing there, and the holder may be dead.
            await self._sleep(max(_SKEW_MS, left_ms + 2 * _SKEW_MS) / 1000)

    @property
    def served(self) -> int:
        """How many documents are served here now."""
        return len(self._serving)

    def heads(self, session_id: str) -> dict[str, int]:
        """A session's documents that are served here now, and how far everybody was told of each."""
        return {
            document_id: serving.head
            for document_id, serving in self._serving.items()
            if serving.session_id == session_id
        }

    async def retire(self) -> None:
        """Keeps its promises, makes no more, and returns when the last has been kept."""
        self._retiring = True
        for serving in self._serving.values():
            serving.woken.set()
        while self._serving:
            await self._sleep(_IDLE_TICK_MS / 1000)

    async def _lease(self, document_id: str) -> tuple[str, int] | None:
        """The lease, with its end, if it could be taken; None: it is promised by another."""
        now = self._now_ms()
        if self._promised.get(document_id, 0) > now + _SKEW_MS or self._yielding.get(document_id, 0) > now:
            return None
        holder = self._new_id()
        held_by, until_ms = await self._queue.acquire(document_id, holder, now + self._pace.lease_ms, now)
        if len(self._promised) > limits.TAILS_KEPT:
            self._promised.clear()
            self._yielding.clear()
            self._asking = {key: lock for key, lock in self._asking.items() if lock.locked()}
        self._promised[document_id] = until_ms
        if held_by == holder:
            return holder, until_ms
        if self._pace.insists:
            with contextlib.suppress(AppError):  # then it leaves when it would have left
                await self._queue.want(document_id)
        return None

    async def _serve(self, document_id: str, session_id: str, serving: _Serving, holder: str, until_ms: int) -> None:
        courier = self._courier(session_id)
        serving.holder, serving.until_ms = holder, until_ms
        started = lively_at = self._now_ms()
        idle = 0
        try:
            while True:
                begun = self._now_ms()
                overdue = self._retiring or begun - started >= (self._pace.longest_s or float("inf")) * 1000
                leaving = overdue or serving.lost
                serving.woken.clear()
                look, serving.look = serving.look, None
                if look is None:
                    serving.closed = begun > serving.until_ms and leaving
                    look = self._look(document_id, serving)
                reached = await self._tried(document_id, session_id, serving, courier, look, started)
                if (reached is None or serving.closed) and look.at_ms > serving.until_ms and not serving.unsure:
                    return
                if reached is not None:
                    lively_at, idle = begun, 0
                else:
                    idle = min(idle + 1, _IDLE_TICKS)
                now = self._now_ms()
                self._snapshot(document_id, serving, now)
                if not leaving and lively_at + self._pace.linger_ms > now:
                    await self._renew(document_id, serving, now)
                await self._rest(document_id, serving, begun, idle, ahead=not (leaving or serving.lost))
        except AppError as exc:
            self._promised.pop(document_id, None)  # it was not kept, and nobody here relies on it
            _refuse(document_id, serving, courier, exc)
        finally:
            await self._leave(document_id, serving, courier)

    async def _leave(self, document_id: str, serving: _Serving, courier: Telling) -> None:
        del self._serving[document_id]
        if serving.look is not None:
            serving.look.drop()
        await courier.close(committed(document_id, serving.head))
        if serving.removals:
            await asyncio.wait(serving.removals)
        if serving.keeping is not None:
            await asyncio.wait([serving.keeping])
        if serving.head:
            await self._keep_up(document_id, serving.head)

    async def _tried(
        self, document_id: str, session_id: str, serving: _Serving, courier: Telling, look: _Look, started: int
    ) -> int | None:
        """A round, and whether it failed; raises once the holder has been patient for long enough."""
        try:
            reached = await self._round(document_id, session_id, serving, courier, look)
        except AppError as exc:  # what was handed over, its clients send again; to read the queue was promised
            serving.failing_since = serving.failing_since or look.at_ms
            if look.at_ms - (started if self._pace.longest_s else serving.failing_since) > _PATIENCE_MS:
                raise
            _refuse(document_id, serving, courier, exc)
            return None
        serving.failing_since = 0
        serving.head = max(serving.head, reached or 0)
        return reached

    async def _renew(self, document_id: str, serving: _Serving, now: int) -> None:
        """Promises to go on, where half of the time is over."""
        if serving.until_ms - now >= self._pace.lease_ms // 2:
            return
        later_ms = now + self._pace.lease_ms
        with contextlib.suppress(AppError):  # then it ends sooner
            renewal = await self._queue.renew(document_id, serving.holder, later_ms)
            if renewal is Renewal.HELD:
                self._promised[document_id] = serving.until_ms = later_ms
                return
            serving.lost = True
            if renewal is Renewal.WANTED:
                self._yielding[document_id] = serving.until_ms + _YIELD_MS

    def _look(self, document_id: str, serving: _Serving) -> _Look:
        """Begins to read the desk."""

        async def desk() -> Desk:
            if serving.more and serving.removals:  # else it shows the same
                await asyncio.wait(serving.removals)
            return await self._queue.desk(document_id)

        return _Look(self._now_ms(), desk(), frozenset(serving.answered))

    async def _rest(self, document_id: str, serving: _Serving, begun: int, idle: int, *, ahead: bool) -> None:
        """Until a tick has passed since the round began; longer where nothing comes, unless somebody here wakes it.

        `ahead`: where the next round is surely not the last, what it reads is asked for before it begins.
        """
        ahead_ms = self._pace.ahead_ms if ahead and idle == 0 else 0
        await self._sleep(max(0, begun + serving.tick_ms - ahead_ms - self._now_ms()) / 1000)
        if ahead_ms and self._now_ms() < serving.until_ms:
            serving.look = self._look(document_id, serving)
            await self._sleep(max(0, begun + serving.tick_ms - self._now_ms()) / 1000)
        if idle > 1 and not serving.woken.is_set():
            waking = asyncio.ensure_future(serving.woken.wait())
            resting = asyncio.ensure_future(self._sleep((idle - 1) * _IDLE_TICK_MS / 1000))
            await asyncio.wait({waking, resting}, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
            resting.cancel()

    def _snapshot(self, document_id: str, serving: _Serving, now_ms: int) -> None:
        """Beside the rounds, where the document is served for so long that its end is not waited for."""
        if not self._pace.snapshot_ms or now_ms - serving.kept_at_ms < self._pace.snapshot_ms:
            return
        if serving.head - serving.kept_head < limits.SNAPSHOT_EVERY or (serving.keeping and not serving.keeping.done()):
            return
        serving.kept_at_ms, serving.kept_head = now_ms, serving.head

        async def keep_up(head: int) -> None:
            await self._keep_up(document_id, head)

        serving.keeping = asyncio.ensure_future(keep_up(serving.head))

    async def _round(
        self, document_id: str, session_id: str, serving: _Serving, courier: Telling, look: _Look
    ) -> int | None:
        """Commits, answers and tells what waits. The newest revision of it (0: none was committed); None: nothing waited."""
        desk = await look.task
        serving.more = desk.more
        seen = serving.answered | look.answered
        queued = [waiting for waiting in desk.waiting if waiting.place not in seen]
        if not queued and not serving.handed:
            return None
        handed = list(serving.handed)
        everything = [*queued, *handed]
        listeners = await self._audience(session_id, frozenset(waiting.connection_id for waiting in everything))
        serving.tick_ms = self._pace.between_ms(len(listeners))
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
                # In doubt (the first round of a holder, a resend) it is acknowledged by itself.
                if 0 < serving.head < outcome.revision and courier.hears(waiting.connection_id):
                    continue
            courier.send(waiting.connection_id, answer(document_id, waiting, outcome))
        told = [commits[revision] for revision in sorted(commits)]
        for data in packed(document_id, told):
            courier.tell(listeners, data)
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


def _refuse(document_id: str, serving: _Serving, courier: Telling, why: AppError) -> None:
    """Tells those who handed something over in this process; their clients send it again."""
    handed, serving.handed = serving.handed, []
    for waiting in handed:
        courier.send(waiting.connection_id, answer(document_id, waiting, why))
