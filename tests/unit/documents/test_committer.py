"""The committer: group commit, the fence, refusals, and what happens when the log does not answer."""

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from chalicelib.documents.committer import Committer
from chalicelib.documents.model import Reason, Record, Refused, Submission
from chalicelib.ot.apply import apply_all
from chalicelib.ot.state import Entity
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Create, Operation, Set, Text
from tests.fakes.documents import MemoryLog

D = "doc_1"
E = "ada00000.1"


@dataclass
class SlowLog(MemoryLog):
    """A log that takes its time, fails when told to, and can be beaten to a revision."""

    failures: list[Exception | str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def append(self, document_id: str, records: tuple[Record, ...]) -> bool:
        """The next failure, if there is one: an exception, "lost" (written, not answered), or "beaten"."""
        await asyncio.sleep(0)
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, Exception):
            raise failure
        if failure == "beaten":
            head = len(self.logs.get(document_id, []))
            await super().append(document_id, (other(head + 1),))
        done = await super().append(document_id, records)
        return False if failure == "lost" else done


def other(revision: int) -> Record:
    """Somebody else's."""
    operation = Set(id=E, path=("a",), value="other")
    return Record(
        revision=revision, client="eve00000", seq=revision, user_id="eve", at_ms=0, base=0, operations=(operation,)
    )


def made(log: MemoryLog) -> Committer:
    """Without waiting between attempts."""
    return Committer(log, now_ms=lambda: 7, jitter=lambda: 0.0)


def submission(
    client: str = "ada00000",
    seq: int = 1,
    base: int = 0,
    value: object = 1,
    operations: tuple[Operation, ...] | None = None,
) -> Submission:
    """A set, unless other operations are given."""
    operations = operations or (Set(id=E, path=("a",), value=value),)
    return Submission(client=client, seq=seq, base=base, user_id=client, operations=operations)


async def test_what_waits_is_one_append() -> None:
    """Group commit: fifty writers at once take two writes, and each is told of whom it overrode."""
    log = SlowLog()
    committer = made(log)
    done = await asyncio.gather(*(committer.submit(D, submission(f"client{n:02}", value=n)) for n in range(50)))
    assert [r.revision for r in done] == list(range(1, 51))
    assert log.appends == 2
    assert [o.revision for o in done[2].overridden] == [1, 2]
    assert done[2].conflicts_with == (1, 2)


async def test_documents_do_not_wait_for_each_other() -> None:
    """A queue each."""
    log = SlowLog()
    committer = made(log)
    await asyncio.gather(*(committer.submit(f"doc_{n}", submission()) for n in range(5)))
    assert log.appends == 5


async def test_beaten_to_a_revision() -> None:
    """It reads what came, settles anew on top of it, and says so."""
    log = SlowLog(failures=["beaten", "beaten"])
    done = await made(log).submit(D, submission())
    assert (done.revision, done.conflicts_with) == (3, (1, 2))
    assert [r.client for r in log.logs[D]] == ["eve00000", "eve00000", "ada00000"]


async def test_an_answer_that_was_lost() -> None:
    """The append was carried out but nobody was told: it is found in the log, not written again."""
    log = SlowLog(failures=["lost"])
    done = await made(log).submit(D, submission())
    assert (done.revision, len(log.logs[D])) == (1, 1)


async def test_a_log_that_does_not_answer() -> None:
    """Everybody who waits is told, nothing is acknowledged, and sending again works."""
    log = SlowLog(failures=[AppError(Code.UPSTREAM_UNAVAILABLE)])
    committer = made(log)
    results = await asyncio.gather(
        *(committer.submit(D, submission(f"client{n:02}")) for n in range(3)), return_exceptions=True
    )
    assert [type(r) for r in results] == [AppError, Record, Record]
    assert (await committer.submit(D, submission("client00"))).revision == 3


async def test_too_many_lost_races() -> None:
    """It gives up after COMMIT_ATTEMPTS, with a hint to come again."""
    log = SlowLog(failures=["beaten"] * limits.COMMIT_ATTEMPTS)
    with pytest.raises(AppError) as caught:
        await made(log).submit(D, submission())
    assert (caught.value.code, caught.value.retry_after_ms) == (Code.DOCUMENT_BUSY, 500)


async def test_refusals_do_not_hold_up_the_others() -> None:
    """Each in its place, and nothing of the refused is written."""
    log = SlowLog()
    log.logs[D] = [other(1)]
    committer = made(log)
    await committer.submit(D, submission(base=1))
    ahead, behind, good = await asyncio.gather(
        committer.submit(D, submission("bob00000", base=9)),
        committer.submit(D, submission(seq=2)),
        committer.submit(D, submission("cyd00000")),
        return_exceptions=True,
    )
    assert isinstance(ahead, Refused)
    assert isinstance(behind, Refused)
    assert (ahead.reason, behind.reason) == (Reason.BASE_AHEAD, Reason.BASE_BEHIND_OWN)
    assert isinstance(good, Record)
    assert good.revision == 3


async def test_a_client_that_does_not_wait() -> None:
    """Its next transaction may be made on its own that it has not heard of: they stay in each other's context."""
    log = SlowLog()
    committer = made(log)
    text = Text(id="ada00000.1", path=("t",), edit=("ac",))
    await committer.submit(D, submission(operations=(Create(id="ada00000.1", props={"t": ""}),)))
    await committer.submit(D, submission("bob00000", base=1, operations=(replace(text, edit=("XY",)),)))
    for seq, edit in ((2, ("ac",)), (3, (1, "b")), (4, (3, "d"))):
        await committer.submit(D, submission(seq=seq, base=1, operations=(replace(text, edit=edit),)))
    entities: dict[str, Entity] = {}
    for record in log.logs[D]:
        apply_all(entities, record.operations)
    assert sorted([entities["ada00000.1"].props["t"].replace("XY", ""), "XY"]) == ["XY", "abcd"]


async def test_a_base_before_the_tail_is_read_from_the_log() -> None:
    """And one that is too far behind is refused."""
    log = SlowLog()
    log.logs[D] = [other(r) for r in range(1, limits.REBASE_RECORDS + 2)]
    committer = made(log)
    done = await committer.submit(D, submission(base=1))
    assert len(done.conflicts_with) == limits.REBASE_RECORDS
    with pytest.raises(Refused, match="base_too_old"):
        await committer.submit(D, submission("bob00000", base=1))


async def test_a_record_keeps_what_was_submitted() -> None:
    """Z3: moved by the rebase, the text that was sent can still be read; unchanged ones are stored once."""
    log = SlowLog()
    committer = made(log)
    text = Text(id=E, path=("t",), edit=("ab",))
    sent = Submission(client="ada00000", seq=1, base=0, user_id="ada", operations=(text,))
    first = await committer.submit(D, sent)
    second = await committer.submit(D, Submission(client="bob00000", seq=1, base=0, user_id="bob", operations=(text,)))
    assert (first.submitted, first.payload) == (None, (text,))
    assert second.operations == (Text(id=E, path=("t",), edit=(2, "ab")),)
    assert second.payload == (text,)


async def test_big_submissions_take_an_item_each() -> None:
    """No item comes near DynamoDB's 400 KB."""
    log = SlowLog()
    committer = made(log)
    big = "x" * (limits.LOG_ITEM_BYTES // 2)
    await asyncio.gather(*(committer.submit(D, submission(f"client{n:02}", value=big)) for n in range(4)))
    assert log.appends == 4


async def test_many_documents_are_forgotten_again() -> None:
    """What a container keeps is bounded; a forgotten document is simply read again."""
    log = SlowLog()
    committer = made(log)
    for n in range(limits.TAILS_KEPT + 2):
        await committer.submit(f"doc_{n}", submission())
    assert (await committer.submit("doc_0", submission("bob00000", base=1))).revision == 2


async def test_whoever_drains_is_cancelled() -> None:
    """Those who waited for it are cancelled too, and the next one starts anew."""
    log = SlowLog()
    committer = made(log)
    tasks = [asyncio.create_task(committer.submit(D, submission(f"client{n:02}"))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(r, asyncio.CancelledError) for r in results)
    assert (await committer.submit(D, submission("client09"))).revision == 1


async def test_what_was_rebased_by_its_client_still_reports_what_it_overrides() -> None:
    """A client that was behind rebases before it sends: those it overrides meanwhile hear of it all the same (Z4)."""
    log = SlowLog()
    log.logs[D] = [other(1), other(2)]
    fresh = await made(log).submit(D, submission(base=2))
    assert fresh.overridden == ()
    late = await made(log).submit(D, replace(submission("bob00000", base=2), seen=1))
    assert [(o.revision, o.user_id) for o in late.overridden] == [(2, "eve"), (3, "ada00000")]
    assert late.submitted is None


async def test_what_is_older_than_what_is_kept_is_read_from_the_log() -> None:
    """Reading on from any revision, however much of an old document a process has read."""
    log = SlowLog()
    log.logs[D] = [other(r) for r in range(1, limits.LOG_PAGE + 11)]
    committer = made(log)
    for since in (0, 5, 9, 10, 11, limits.LOG_PAGE + 10):
        found, head = await committer.since(D, since, 3)
        assert ([r.revision for r in found], head) == ([r.revision for r in log.logs[D][since : since + 3]], 510)
    assert await committer.since("doc_2", 0, 3) == ((), 0)


async def test_what_a_process_keeps_of_a_document_is_bounded() -> None:
    """What was forgotten is read again, where somebody was so far behind."""
    log = SlowLog()
    committer = made(log)
    for seq in range(1, limits.TAIL_RECORDS + 3):
        await committer.submit(D, submission(seq=seq, base=seq - 1))
    assert len(committer._tails[D].records) < limits.TAIL_RECORDS
    done = await committer.submit(D, submission("bob00000", base=5))
    assert len(done.conflicts_with) == limits.TAIL_RECORDS - 3


async def test_a_transaction_is_found_by_its_name() -> None:
    """Where it may not be committed any more: the record it is, or nothing."""
    log = SlowLog()
    committer = made(log)
    first = await committer.submit(D, submission())
    await committer.submit(D, submission("bob00000", base=1))
    assert await made(log).find(D, submission()) == first
    assert await made(log).find(D, submission(seq=2)) is None
    assert await made(log).find(D, submission(seq=2, base=99)) is None
    assert await made(log).find("doc_2", submission()) is None


async def test_those_who_ask_at_once_are_read_for_at_once() -> None:
    """One reading serves all who came while another was under way."""

    class Counting(SlowLog):
        readings = 0

        async def since(
            self, document_id: str, revision: int, limit: int, *, boundary: bool = False
        ) -> tuple[Record, ...]:
            self.readings += 1
            await asyncio.sleep(0)
            return await super().since(document_id, revision, limit, boundary=boundary)

    log = Counting()
    log.logs[D] = [other(1)]
    committer = made(log)
    await committer.since(D, 0, 10)
    log.logs[D] += [other(r) for r in range(2, 2 * limits.LOG_PAGE)]
    answers = await asyncio.gather(*(committer.since(D, 2 * limits.LOG_PAGE - 9, 10) for _ in range(20)))
    assert {head for _, head in answers} == {2 * limits.LOG_PAGE - 1}
    assert log.readings <= 4


async def test_whoever_waits_is_cancelled() -> None:
    """Its transaction is committed with the others all the same, and is answered when it is sent again."""
    log = SlowLog()
    committer = made(log)
    tasks = [asyncio.create_task(committer.submit(D, submission(f"client{n:02}"))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(r) for r in results] == [Record, asyncio.CancelledError, Record]
    again = await committer.submit(D, submission("client01"))
    assert [r.client for r in log.logs[D]].count("client01") == 1
    assert log.logs[D][again.revision - 1] == again
