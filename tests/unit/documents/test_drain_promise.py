"""The drainer's promise, and whom it refuses."""

import asyncio
import time

import msgspec

from chalicelib.documents.committer import Committer
from chalicelib.documents.courier import Courier
from chalicelib.documents.drain import Drainer
from chalicelib.documents.model import Desk, Listener, Submission, Waiting, refusal
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.operations import Create
from chalicelib.wire.types import Delivery
from tests.fakes.documents import MemoryLog, MemoryQueue

D = "doc_1"
ADA = Listener(connection_id="c1", user_id="ada", may_edit=True, reachable=True)


def waiting(connection_id: str = "c1", seq: int = 1) -> Waiting:
    """A submission of Ada's."""
    operations = (Create(id=f"ada00000.{seq}"),)
    return Waiting(
        place=f"{seq:013d}",
        connection_id=connection_id,
        request_id=None,
        correlation_id="-",
        sent=None,
        submission=Submission(client="ada00000", seq=seq, base=0, user_id="ada", operations=operations),
    )


class _Throttled(MemoryQueue):
    """A queue that cannot be read once, after somebody else has relied on its being read."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def desk(self, document_id: str) -> Desk:
        """Fails so often."""
        if self.failures:
            self.failures -= 1
            raise AppError(Code.UPSTREAM_UNAVAILABLE)
        return await super().desk(document_id)


async def test_a_holder_that_is_throttled_once_keeps_its_promise() -> None:
    """What another function put into the queue meanwhile is committed; what was handed over in memory is given back."""
    queue, log = _Throttled(failures=1), MemoryLog()
    posted: list[str] = []

    async def post(connection_id: str, data: bytes) -> Delivery:
        posted.append(msgspec.json.decode(data)["type"])
        return Delivery.SENT

    async def audience(session_id: str, connections: frozenset[str]) -> tuple[Listener, ...]:
        return (ADA,)

    async def keep_up(document_id: str, head: int) -> None:
        """No snapshots."""

    def now_ms() -> int:
        return time.monotonic_ns() // 1_000_000

    committer = Committer(log, now_ms=now_ms, jitter=lambda: 0.0)
    drainer = Drainer(
        queue, committer, audience, lambda _: Courier(post), keep_up, now_ms=now_ms, new_id=lambda: "holder"
    )
    await queue.put(D, waiting(seq=2), 0)
    async with asyncio.timeout(20):
        await drainer.submit(D, "ses_1", waiting(seq=1))
    assert [record.seq for record in log.logs[D]] == [2]
    assert posted[:2] == ["op.rejected", "op.ack"]
    assert not queue.waiting[D]


def test_a_connection_that_is_nobodys_is_not_refused_for_good() -> None:
    """Its client comes again by another connection; only who is there and may not edit hears that they may not."""
    desk = Desk(waiting=(), locks={})
    viewer = Listener(connection_id="c2", user_id="ada", may_edit=False, reachable=True)
    people = {"c1": ADA, "c2": viewer}
    assert refusal(waiting("c1"), people, desk, 0) is None
    assert refusal(waiting("c2"), people, desk, 0) is Code.ROLE_INSUFFICIENT
    assert refusal(waiting("c3"), people, desk, 0) is Code.CONNECTION_GONE
