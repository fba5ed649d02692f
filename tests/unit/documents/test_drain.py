"""One drains for all: nothing that was handed over is lost, whoever dies, and nobody waits for anybody else."""

import asyncio
from collections.abc import Callable

from chalicelib.documents.drain import Courier, packed
from chalicelib.documents.model import Record
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import EntityUpdate, Lock
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpCommitted, OpRejected
from chalicelib.wire.operations import Create
from chalicelib.wire.types import Delivery, Role
from tests.unit.documents.house import D, E, House, put, waiting


async def test_a_submission_is_acknowledged_and_everybody_told(house: House) -> None:
    """The author by the answer, and with all the others by the commit."""
    await house.container().submit("ada", Create(id=E), put(1))
    (ack,) = house.heard("ada", OpAck)
    assert (ack.id, ack.operation, ack.transformed) == ("ada-1", house.records()[0], False)
    for name in house.roles:
        (told,) = house.heard(name, OpCommitted)
        assert (told.head, told.commits) == (1, tuple(house.records()))
    assert house.queue.waiting.get(D, {}) == {}


async def test_within_a_container_one_serves_all(house: House) -> None:
    """Handed over in memory: few appends, one answer each, in no need of the queue."""
    house.roles |= {f"p{n:02}": Role.EDITOR for n in range(30)}
    container = house.container()
    await asyncio.gather(*(container.submit(f"p{n:02}") for n in range(30)))
    assert sorted(house.acks(f"p{n:02}")[0] for n in range(30)) == list(range(1, 31))
    assert [len(house.acks(f"p{n:02}")) for n in range(30)] == [1] * 30
    assert house.log.appends <= 3
    assert house.told("vic") == list(range(1, 31))


async def test_of_many_containers_one_serves_all(house: House) -> None:
    """The others put theirs into the queue and are done; every one of them is committed once and answered."""
    house.roles |= {f"p{n:02}": Role.EDITOR for n in range(20)}
    containers = [house.container() for _ in range(5)]
    await asyncio.gather(*(containers[n % 5].submit(f"p{n:02}") for n in range(20)))
    assert sorted(revision for n in range(20) for revision in house.acks(f"p{n:02}")) == list(range(1, 21))
    assert [record.revision for record in house.records()] == list(range(1, 21))
    assert sorted(set(house.told("vic"))) == list(range(1, 21))
    assert house.queue.waiting[D] == {}


async def test_a_queued_submission_is_drained_by_the_holders_last_look(house: House) -> None:
    """Though it came just before the end of the promise."""
    first, second = house.container(), house.container()
    serving = asyncio.ensure_future(first.submit("ada"))
    await _until(lambda: house.acks("ada") == [1])
    await second.submit("bob", base=1)
    assert second.drainer is not first.drainer
    await serving
    assert house.acks("bob") == [2]


async def test_whoever_comes_at_the_end_of_a_promise_stays(house: House) -> None:
    """The holder is dead, its promise nearly over: the newcomer queues, waits, takes the lease and commits."""
    await house.queue.acquire(D, "dead", house.clock() + 50, house.clock())
    await house.container().submit("ada")
    assert house.acks("ada") == [1]
    assert house.queue.waiting[D] == {}


async def test_what_lies_in_the_queue_of_a_dead_holder_is_found_by_the_next(house: House) -> None:
    """And each of its writers is answered."""
    await house.queue.put(D, waiting(house, "bob", value="queued"), 0)
    await house.container().submit("ada")
    assert (house.acks("bob"), house.acks("ada")) == ([1], [2])
    assert house.records()[0].operations == (put("queued"),)


async def test_a_holder_killed_before_the_append_loses_nothing(house: House) -> None:
    """Nothing was acknowledged; the client sends again, and it is committed once."""
    reached = asyncio.Event()

    async def never(document_id: str, records: tuple[Record, ...]) -> bool:
        reached.set()
        await asyncio.Event().wait()
        return False

    first = house.container()
    real, house.log.append = house.log.append, never  # type: ignore[method-assign]
    killed = asyncio.ensure_future(first.submit("ada"))
    await reached.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    house.log.append = real  # type: ignore[method-assign]
    assert house.acks("ada") == []
    house.clock.ms += 2 * limits.DRAIN_LEASE_MS
    await house.container().submit("ada")
    assert house.acks("ada") == [1]
    assert len(house.records()) == 1


async def test_a_holder_killed_before_the_answer_has_committed_once(house: House) -> None:
    """Z2: the resend is answered with the first revision."""

    async def lost(connection_id: str, data: bytes) -> Delivery:
        return Delivery.GONE

    first = house.container()
    real, first.drainer._post = first.drainer._post, lost
    await first.submit("ada")
    assert (len(house.records()), house.acks("ada")) == (1, [])
    first.drainer._post = real
    await first.submit("bob", base=1)
    await house.container().submit("ada")
    assert house.acks("ada") == [1]
    assert len(house.records()) == 2


async def test_two_who_believe_they_hold_the_lease_do_no_harm(house: House) -> None:
    """The append fences them: no gap, nothing twice, all answered."""

    async def everyone(document_id: str, holder: str, until_ms: int, now_ms: int) -> tuple[str, int]:
        return holder, until_ms

    house.queue.acquire = everyone  # type: ignore[method-assign]
    containers = [house.container() for _ in range(2)]
    house.roles |= {f"p{n:02}": Role.EDITOR for n in range(10)}
    await asyncio.gather(*(containers[n % 2].submit(f"p{n:02}") for n in range(10)))
    assert [record.revision for record in house.records()] == list(range(1, 11))
    assert sorted(house.acks(f"p{n:02}")[0] for n in range(10)) == list(range(1, 11))


async def test_a_lease_that_another_took_is_not_renewed(house: House) -> None:
    """Its holder ends with its promise."""
    renewals: list[str] = []

    async def refused(document_id: str, holder: str, until_ms: int) -> bool:
        renewals.append(holder)
        return False

    house.queue.renew = refused  # type: ignore[method-assign]
    began = house.clock()
    container = house.container()
    serving = asyncio.ensure_future(container.submit("ada"))
    await _until(lambda: house.clock() - began >= limits.DRAIN_LEASE_MS // 3)
    await container.submit("bob", base=1)
    await serving
    assert renewals
    assert (house.acks("ada"), house.acks("bob")) == ([1], [2])
    assert house.clock() - began < 3 * limits.DRAIN_LEASE_MS


async def test_a_stuck_recipient_delays_nobody(house: House) -> None:
    """The others are answered while its post hangs; once free, it is told that it missed something."""
    house.sender.stuck["c-vic"] = asyncio.Event()
    container = house.container()
    serving = asyncio.ensure_future(container.submit("ada"))
    await _until(lambda: house.acks("ada") == [1] and house.told("bob") == [1])
    assert house.told("vic") == []
    house.sender.stuck.pop("c-vic").set()
    await serving
    assert house.told("vic") == [1]


async def test_who_missed_a_post_is_told_to_fetch(house: House) -> None:
    """By a commit without commits, which names the head."""
    house.sender.failing.add("c-vic")
    serving = asyncio.ensure_future(house.container().submit("ada"))
    await _until(lambda: house.acks("ada") == [1])
    house.sender.failing.clear()
    await serving
    (hint,) = house.heard("vic", OpCommitted)
    assert (hint.head, hint.commits) == (1, ())


async def test_a_recipient_with_too_much_on_its_way_is_told_later() -> None:
    """The courier holds so many posts at once for one connection, and no queue."""
    gate, posted = asyncio.Event(), []

    async def slow(connection_id: str, data: bytes) -> Delivery:
        await gate.wait()
        posted.append(data)
        return Delivery.SENT

    courier = Courier(slow)
    for n in range(40):
        courier.send("c", f"{n}".encode())
    gate.set()
    await courier.close(b"hint")
    assert posted == [*(f"{n}".encode() for n in range(16)), b"hint"]


async def test_who_may_not_edit_is_refused_with_the_payload(house: House) -> None:
    """Z6: by the role of this moment; a stranger's connection too; the rest of the round is committed."""
    container = house.container()
    await asyncio.gather(container.submit("vic", put("v")), container.submit("eve", put("e")), container.submit("ada"))
    assert house.acks("ada") == [1]
    for name in ("vic", "eve"):
        (rejected,) = house.heard(name, OpRejected)
        assert (rejected.code, rejected.client, rejected.seq) == (Code.ROLE_INSUFFICIENT, f"{name:0<8}", 1)
        assert rejected.operations == (put(name[0]),)
        assert rejected.correlation_id == "k-1"


async def test_a_locked_object_is_refused_to_others(house: House) -> None:
    """Before anything is written; its holder may go on."""
    now = house.clock()
    await house.queue.lock(D, Lock(object_id=E, user_id="bob", token=0, expires_at_ms=now + 60_000), now, take=False)
    container = house.container()
    await asyncio.gather(container.submit("ada"), container.submit("bob"))
    assert house.refusals("ada") == [Code.LOCK_HELD]
    assert (house.acks("bob"), len(house.records())) == ([1], 1)


async def test_what_is_committed_already_is_acknowledged_though_refused_now(house: House) -> None:
    """Z2: the role was taken, or the object locked, between the commit and the resend."""
    container = house.container()
    await container.submit("bob")
    house.roles["bob"] = Role.VIEWER
    await container.submit("bob")
    assert (house.acks("bob"), house.refusals("bob")) == ([1, 1], [])


async def test_a_base_that_never_was_is_refused(house: House) -> None:
    """And its neighbour in the round is committed."""
    container = house.container()
    await asyncio.gather(container.submit("bob", base=5), container.submit("ada"))
    assert house.refusals("bob") == [Code.BASE_AHEAD]
    assert house.acks("ada") == [1]


async def test_where_the_room_cannot_be_read_the_writer_is_told(house: House) -> None:
    """A typed rejection; the client keeps it, sends again, and it is committed."""
    container = house.container()
    house.audience_fails = True
    await container.submit("ada")
    assert house.refusals("ada") == [Code.UPSTREAM_UNAVAILABLE]
    house.audience_fails = False
    house.clock.ms += 2 * limits.DRAIN_LEASE_MS
    await container.submit("ada")
    assert house.acks("ada") == [1]


async def test_a_queue_that_cannot_be_cleared_answers_twice_and_commits_once(house: House) -> None:
    """What was answered stays in the queue until its TTL; nobody is harmed."""

    async def fails(document_id: str, places: tuple[str, ...]) -> None:
        raise AppError(Code.UPSTREAM_UNAVAILABLE)

    await house.queue.put(D, waiting(house, "bob"), 0)
    house.queue.remove = fails  # type: ignore[method-assign]
    await house.container().submit("ada")
    house.clock.ms += 2 * limits.DRAIN_LEASE_MS
    await house.container().submit("ada", seq=2, base=2)
    assert house.acks("bob") == [1, 1]
    assert len(house.records()) == 3


async def test_sugar_comes_back_as_it_was_sent(house: House) -> None:
    """A rejection holds what the client sent, not what it means."""
    sent = EntityUpdate(entity_id=E, props={"a": 1})
    await house.container().submit("vic", sent)  # type: ignore[arg-type]
    (rejected,) = house.heard("vic", OpRejected)
    assert rejected.operations == (sent,)


async def test_who_is_away_is_not_told(house: House) -> None:
    """A connection that has not entered, or that dropped, fetches when it comes."""
    house.away.add("vic")
    await house.container().submit("ada")
    assert house.told("vic") == []


def test_a_large_round_is_told_in_several_messages() -> None:
    """Each below what a connection takes, in order, each with its own head."""
    made = [
        Record(revision=r, client="ada00000", seq=r, user_id="ada", at_ms=1, base=0, operations=(put("x" * 15_000),))
        for r in range(1, 21)
    ]
    messages = packed(D, made)
    assert len(messages) > 1
    assert max(len(data) for data in messages) < limits.WS_MESSAGE_BYTES
    assert packed(D, []) == []


async def _until(condition: Callable[[], bool]) -> None:
    """Lets the others run until it is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - of everything, not of one event
            await asyncio.sleep(0)


async def test_an_unforeseen_failure_is_an_internal_error(house: House) -> None:
    """The writer hears of it, with nothing of its inside."""

    async def breaks(document_id: str, submissions: object) -> list[BaseException]:
        return [RuntimeError("secret")]

    container = house.container()
    container.drainer._committer.submit_all = breaks  # type: ignore[method-assign]
    await container.submit("ada")
    (rejected,) = house.heard("ada", OpRejected)
    assert rejected.code is Code.INTERNAL
    assert "secret" not in rejected.message
