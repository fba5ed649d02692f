"""The committer: submissions in, records in the log out. One engine for functions and, later, the media node.

Theory of operation. Whoever appends at head + 1 first has won; everybody else reads what came and tries again. What waits
for one document in one process is settled together and appended at once (group commit), so the log takes one
write for all of it. The tail is kept in memory, never trusted: an append to a revision that is taken fails (the fence),
and then the tail is read on. Nothing is acknowledged before its append succeeded.

Exactly once: before a submission is appended, the whole tail since its base is looked through for its (client, seq). A
resend's base is never later than what its client had seen without finding its own operation there, so the committed
copy, if there is one, lies in that tail (clauses Z1, Z2). The same look catches an append whose answer was lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from chalicelib.documents.model import History, Reason, Record, Refused, Submission, record_of
from chalicelib.ot.commit import duplicate_of, settle, settle_after_own
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

_Waiting = tuple[Submission, asyncio.Future[Record]]


class _Tail:
    """The newest records of a document that this process knows: consecutive, up to its head.

    The head is always the end of an append: the log fences at the first revision of each, not at those within.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.head = 0
        self.read = False
        self.reading = asyncio.Lock()
        self.readings = 0

    @property
    def start(self) -> int:
        """The revision just before the first record that is kept."""
        return self.head - len(self.records)

    def begin(self, newest_first: Sequence[Record]) -> None:
        """The newest of the log, and no more: a document may be old. What was appended here meanwhile is kept."""
        self.read = True
        if newest_first and newest_first[0].revision > self.head:
            self.records = list(reversed(newest_first))
            self.head = self.records[-1].revision

    def extend(self, records: Sequence[Record]) -> None:
        """What comes next in the log; forgets what is old. Whoever read at the same time may have brought some already."""
        for record in records:
            if record.revision == self.head + 1:
                self.records.append(record)
                self.head = record.revision
        if len(self.records) > limits.TAIL_RECORDS:
            del self.records[: -(limits.TAIL_RECORDS // 2)]

    def after(self, base: int) -> list[Record]:
        """The records after a revision that is not before `start`."""
        return self.records[base - self.start :]


class Committer:
    """Commits for many documents, each in its own queue."""

    def __init__(
        self,
        log: History,
        *,
        now_ms: Callable[[], int],
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._log = log
        self._now_ms = now_ms
        self._jitter = jitter
        self._sleep = sleep
        self._tails: dict[str, _Tail] = {}
        self._waiting: dict[str, list[tuple[Submission, asyncio.Future[Record]]]] = {}

    async def submit(self, document_id: str, submission: Submission) -> Record:
        """Commits, and returns its record; that of the first time for a resend.

        Refused, for a submission that cannot be right; DOCUMENT_BUSY after COMMIT_ATTEMPTS lost races. After
        either it is not in the log unless a resend says so, and may be sent again.
        """
        (answer,) = await self.submit_all(document_id, (submission,))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def submit_all(self, document_id: str, submissions: Sequence[Submission]) -> Sequence[Record | BaseException]:
        """The same for several, together with whatever else waits for the document; an answer for each, in order."""
        loop = asyncio.get_running_loop()
        queue = self._waiting.setdefault(document_id, [])
        first = not queue
        mine = [(submission, loop.create_future()) for submission in submissions]
        queue += mine
        if first:
            await self._drain(document_id, queue)
        answers: list[Record | BaseException] = await asyncio.gather(*(d for _, d in mine), return_exceptions=True)
        return answers

    async def since(self, document_id: str, revision: int, limit: int) -> tuple[tuple[Record, ...], int]:
        """At most `limit` records after a revision, and the head; read consistently; what is known is not read again."""
        tail = self._tail(document_id)
        await self._read_on(document_id, tail)
        if revision >= tail.start:
            return tuple(tail.after(revision)[:limit]), tail.head
        return await self._log.since(document_id, revision, limit), tail.head

    def known(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]:
        """At most `limit` records after a revision, of those that are known here: nothing is read."""
        tail = self._tails.get(document_id)
        return tuple(tail.after(revision)[:limit]) if tail and tail.start <= revision < tail.head else ()

    async def find(self, document_id: str, submission: Submission) -> Record | None:
        """The record that a submission already is, where it may not be committed any more; None: it is not in the log."""
        tail = self._tail(document_id)
        await self._read_on(document_id, tail)
        since = await self._since(document_id, tail, min(submission.base, tail.head))
        known = duplicate_of(submission.client, submission.seq, since or ())
        return known if isinstance(known, Record) else None

    async def _drain(self, document_id: str, queue: list[_Waiting]) -> None:
        """Commits what waits, batch after batch. Whoever came first does it for all who come meanwhile."""
        try:
            while queue:
                batch = queue[: limits.COMMIT_BATCH]
                taken = len(batch)
                try:
                    taken = await self._commit(document_id, batch)
                except (AppError, OSError) as exc:
                    for _, done in batch:
                        _answer(done, exc)
                del queue[:taken]
        finally:
            del self._waiting[document_id]
            for _, done in queue:  # this call was cancelled: those who waited for it send again
                done.cancel()

    async def _commit(self, document_id: str, batch: list[_Waiting]) -> int:
        """Answers the first so many of a batch."""
        tail = self._tail(document_id)
        for attempt in range(limits.COMMIT_ATTEMPTS):
            if attempt:
                await self._sleep(self._jitter() * limits.COMMIT_BACKOFF_S * 2 ** min(attempt, 5))
            if attempt or not tail.read or tail.head < max(submission.base for submission, _ in batch):
                await self._read_on(document_id, tail)
            answers, fresh = await self._settle(document_id, tail, batch)
            if not fresh or await self._log.append(document_id, tuple(fresh)):
                tail.extend(fresh)
                for (_, done), answer in zip(batch, answers, strict=False):
                    _answer(done, answer)
                return len(answers)
        raise AppError(Code.DOCUMENT_BUSY, retry_after_ms=500)

    async def _settle(
        self, document_id: str, tail: _Tail, batch: list[_Waiting]
    ) -> tuple[list[Record | Refused], list[Record]]:
        """An answer for each of the first submissions, and those of the answers that are to be appended."""
        answers: list[Record | Refused] = []
        fresh: list[Record] = []
        size_bytes = 0
        for submission, _ in batch:
            if submission.base > tail.head:
                answers.append(Refused(Reason.BASE_AHEAD))
                continue
            since = await self._made_on(document_id, tail, fresh, submission)
            if since is None:
                answers.append(Refused(Reason.BASE_TOO_OLD))
                continue
            answer = _settled(submission, since, tail.head + len(fresh) + 1, self._now_ms())
            if isinstance(answer, Record) and answer.revision > tail.head + len(fresh):
                size_bytes += len(msgspec.json.encode(answer))
                if fresh and size_bytes > limits.LOG_ITEM_BYTES:
                    break
                fresh.append(answer)
            answers.append(answer)
        return answers, fresh

    async def _made_on(
        self, document_id: str, tail: _Tail, fresh: list[Record], submission: Submission
    ) -> list[Record] | None:
        """The records since its base, and where its client did not wait, since the bases of its own among them."""
        base = submission.base
        if submission.seen is not None:
            base = min(base, max(submission.seen, tail.head - limits.REBASE_RECORDS))
        while True:
            since = await self._since(document_id, tail, base)
            if since is None:
                return None
            since = [*since, *fresh]
            own = (r.base for r in _own(submission, since) if r.revision > submission.base)
            earliest = min(own, default=base)
            if earliest >= base:
                return since
            base = earliest

    async def _since(self, document_id: str, tail: _Tail, base: int) -> list[Record] | None:
        """The records after a base; None if there are more than anybody should rebase over."""
        if base >= tail.start:
            return tail.after(base)
        if tail.head - base > limits.REBASE_RECORDS:
            return None
        older: list[Record] = []
        while base + len(older) < tail.start:
            older += await self._log.since(document_id, base + len(older), limits.LOG_PAGE)
        return [*older[: tail.start - base], *tail.records]

    async def _read_on(self, document_id: str, tail: _Tail) -> None:
        """Knows the head afterwards. Those who come during one reading wait for the next, which serves them all."""
        wanted = tail.readings + 1 + tail.reading.locked()
        async with tail.reading:
            if tail.readings >= wanted:  # one that began after this call has ended well
                return
            await self._read(document_id, tail)
            tail.readings += 1

    async def _read(self, document_id: str, tail: _Tail) -> None:
        if tail.read:
            records = await self._log.since(document_id, tail.head, limits.LOG_PAGE, boundary=True)
            if len(records) < limits.LOG_PAGE:
                tail.extend(records)
                return
        # A full page may end within somebody's append, and there the fence has a hole: only the log's end will do.
        tail.begin(await self._log.before(document_id, limits.INTEGER_MAX, limits.LOG_PAGE))

    def _tail(self, document_id: str) -> _Tail:
        if len(self._tails) > limits.TAILS_KEPT:
            self._tails.clear()
        return self._tails.setdefault(document_id, _Tail())


def _answer(done: asyncio.Future[Record], answer: Record | BaseException) -> None:
    """Tells whoever waits, unless they were cancelled."""
    if done.done():
        return
    if isinstance(answer, BaseException):
        done.set_exception(answer)
    else:
        done.set_result(answer)


def _own(submission: Submission, since: Sequence[Record]) -> list[Record]:
    """The commits of the same client that touch the same entities."""
    ids = {operation.id for operation in submission.operations}
    return [
        record
        for record in since
        if record.client == submission.client and any(operation.id in ids for operation in record.payload)
    ]


def _settled(submission: Submission, since: Sequence[Record], revision: int, at_ms: int) -> Record | Refused:
    known = duplicate_of(submission.client, submission.seq, since)
    if known is not None:
        assert isinstance(known, Record)
        return known
    own = [record for record in _own(submission, since) if record.revision > submission.base]
    if not own:
        outcome = settle(submission.operations, submission.client, since, submission.base)
    elif len(own) <= limits.PIPELINED and max(record.base for record in own) <= submission.base:
        outcome = settle_after_own(submission.operations, submission.base, submission.client, since)
    else:
        return Refused(Reason.BASE_BEHIND_OWN)
    return record_of(submission, revision, outcome, at_ms)
