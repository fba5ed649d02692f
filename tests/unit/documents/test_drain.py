"""Draining: one holder at a time, nothing that was put in the queue is left there, and nobody waits for the slow."""

import asyncio

import pytest

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpRejected
from tests.fakes.drainers import D, Room


async def test_one_holder_drains_for_all() -> None:
    """Another container puts its submission into the queue and is done at once; the holder answers both."""
    room = Room()
    holding = room.submit(room.container(), "ada", 1)
    await room.time.rest()
    handing = room.submit(room.container(), "bob", 1)
    await room.time.rest()
    assert (holding.done(), handing.done()) == (False, True)
    await room.finish()
    assert room.committed == [("ada", 1), ("bob", 1)]
    assert [ack.operation.revision for ack in room.mail.of("c-bob", OpAck)] == [2]
    assert room.queue.waiting[D] == {}


async def test_of_many_who_come_at_once_one_holds() -> None:
    """All the others have handed theirs over before any time has passed."""
    room = Room()
    containers = [room.container() for _ in range(5)]
    tasks = [room.submit(container, "ada", seq) for seq, container in enumerate(containers * 4, start=1)]
    await room.time.rest()
    assert sum(not task.done() for task in tasks) == 1
    await room.finish()
    assert sorted(room.committed) == [("ada", seq) for seq in range(1, 21)]


async def test_within_a_process_it_is_handed_over_in_memory() -> None:
    """The queue is not touched, and what came in one tick is one append."""
    room = Room()
    drainer = room.container()
    room.submit(drainer, "ada", 1)
    await room.time.rest()
    for seq in range(2, 8):
        room.submit(drainer, "bob", seq)
    await room.time.pass_ms(limits.DRAIN_TICK_MS)
    assert len(room.committed) == 7
    assert (room.queue.waiting, room.log.appends) == ({}, 2)
    await room.finish()


async def test_whoever_holds_it_leaves_when_nothing_comes() -> None:
    """And says where the document is, for its snapshots; the next one takes the lease anew."""
    room = Room()
    drainer = room.container()
    await room.time.run(room.submit(drainer, "ada", 1))
    assert room.kept_up == [1]
    await room.time.run(room.submit(drainer, "ada", 2))
    assert room.kept_up == [1, 2]
    assert room.time.at_ms < 1_000_000 + 2 * (limits.DRAIN_LEASE_MS + 500)


@pytest.mark.parametrize("after_ms", range(0, 2000, 20))
async def test_no_moment_is_bad_for_a_submission(after_ms: int) -> None:
    """What is put in the queue before, at or after the end of a promise is committed once, by somebody."""
    room = Room()
    room.submit(room.container(), "ada", 1)
    await room.time.pass_ms(after_ms)
    room.submit(room.container(), "bob", 1)
    await room.finish()
    assert room.committed == [("ada", 1), ("bob", 1)]
    assert {ack.operation.revision for ack in room.mail.of("c-bob", OpAck)} == {2}
    assert room.queue.waiting.get(D, {}) == {}


async def test_a_promise_that_is_about_to_end_is_not_relied_on() -> None:
    """Clocks differ: whoever put a submission so late stays, and drains it if nobody else has."""
    room = Room()
    room.queue.leases[D] = ("killed", room.time.at_ms + 50)
    late = room.submit(room.container(), "bob", 1)
    await room.time.rest()
    assert not late.done()
    await room.finish()
    assert room.committed == [("bob", 1)]


async def test_nothing_is_lost_with_its_holder() -> None:
    """Killed after any number of steps: its clients send again, and each has one revision, the first."""
    revisions = []
    for steps in range(40):
        room = Room()
        holding = room.submit(room.container(), "ada", 1)
        for _ in range(steps):
            await asyncio.sleep(0)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        room.tasks.clear()
        await room.time.pass_ms(4000)
        room.submit(room.container(), "bob", 1)
        await room.time.rest()
        room.submit(room.container(), "ada", 1)
        await room.finish()
        assert sorted(room.committed) == [("ada", 1), ("bob", 1)]
        (record,) = (record for record in room.log.logs[D] if record.user_id == "ada")
        assert {ack.operation.revision for ack in room.mail.of("c-ada", OpAck)} == {record.revision}
        revisions.append(record.revision)
    assert set(revisions) == {1, 2}  # so it was killed before it wrote, and after


async def test_what_a_killed_holder_left_in_the_queue_is_found() -> None:
    """By whoever drains next, though nobody sends it again."""
    room = Room()
    holding = room.submit(room.container(), "ada", 1)
    await room.time.rest()
    await room.time.run(room.submit(room.container(), "bob", 1))
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    room.tasks.clear()
    await room.time.pass_ms(2000)
    room.submit(room.container(), "ada", 2)
    await room.finish()
    assert sorted(room.committed) == [("ada", 1), ("ada", 2), ("bob", 1)]
    assert len(room.mail.of("c-bob", OpAck)) == 1


async def test_a_lease_that_went_to_another() -> None:
    """Whoever lost it stops at the end of its own promise, and hands what comes later to the new holder."""
    room = Room()
    first = room.container()
    holding = room.submit(first, "ada", 1)
    await room.time.rest()
    end_ms = room.time.at_ms + 60_000
    room.queue.leases[D] = ("another", end_ms)
    seq = 0
    while not holding.done():
        seq += 1
        await room.queue.put(D, room.waiting("bob", seq), 0)
        await room.time.pass_ms(30)
        assert room.time.at_ms < 1_000_000 + limits.DRAIN_LEASE_MS + 500
    assert room.queue.leases[D] == ("another", end_ms)
    drained = len(room.committed)
    left = len(room.queue.waiting[D])
    later = room.submit(first, "ada", 2)
    await room.time.rest()
    assert later.done()
    assert len(room.queue.waiting[D]) == left + 1
    assert len(room.committed) == drained


@pytest.mark.parametrize("containers", [1, 2])
async def test_nobody_holds_it_longer_than_an_invocation_lives(containers: int) -> None:
    """However busy the document is: another goes on, and everything is committed once."""
    room = Room()
    all_of_them = [room.container() for _ in range(containers)]
    longest_ms = limits.BROADCAST_LONGEST_S * 1000 + limits.DRAIN_LEASE_MS + 500
    started: dict[asyncio.Task[None], int] = {}
    for seq in range(1, 1001):
        task = room.submit(all_of_them[seq % containers], "ada", seq)
        started[task] = room.time.at_ms
        await room.time.pass_ms(30)
        assert all(room.time.at_ms - at < longest_ms for other, at in started.items() if not other.done())
    await room.finish()
    assert sorted(room.committed) == [("ada", seq) for seq in range(1, 1001)]
    assert {ack.operation.seq for ack in room.mail.of("c-ada", OpAck)} == set(range(1, 1001))


async def test_more_than_one_look_shows() -> None:
    """A queue that is longer than a read is drained to its end, even after the promise has ended."""
    room = Room()
    room.queue.page, room.queue.removal_s = 2, 0.4
    for seq in range(1, 8):
        await room.queue.put(D, room.waiting("bob", seq), 0)
    room.submit(room.container(), "ada", 1)
    await room.time.rest()
    room.time.at_ms += limits.DRAIN_LEASE_MS + 1
    await room.finish()
    assert sorted(room.committed) == [("ada", 1), *(("bob", seq) for seq in range(1, 8))]
    assert room.queue.waiting[D] == {}


async def test_a_removal_that_fails() -> None:
    """The submission is answered once more, with the same revision, and then it is gone."""
    room = Room()
    room.queue.unremovable = [AppError(Code.UPSTREAM_UNAVAILABLE)]
    await room.queue.put(D, room.waiting("bob", 1), 0)
    room.submit(room.container(), "ada", 1)
    await room.finish()
    assert [ack.operation.revision for ack in room.mail.of("c-bob", OpAck)] == [1, 1]
    assert room.queue.waiting[D] == {}
    assert len(room.committed) == 2


async def test_an_audience_that_cannot_be_asked() -> None:
    """Those who handed theirs over are refused for now, in the contract's words; sending again works."""
    room = Room()
    room.absent = [AppError(Code.UPSTREAM_UNAVAILABLE)]
    drainer = room.container()
    await room.time.run(room.submit(drainer, "ada", 1))
    (rejected,) = room.mail.of("c-ada", OpRejected)
    assert (rejected.code, rejected.seq, rejected.id) == (Code.UPSTREAM_UNAVAILABLE, 1, "r1")
    assert room.committed == []
    await room.time.pass_ms(2000)
    await room.time.run(room.submit(drainer, "ada", 1))
    assert room.committed == [("ada", 1)]
    assert len(room.mail.of("c-ada", OpAck)) == 1


async def test_many_documents_are_forgotten_again() -> None:
    """What a container remembers of leases is bounded."""
    room = Room()
    drainer = room.container()
    for n in range(limits.TAILS_KEPT + 3):
        room.start(drainer.submit(f"doc_{n:020}", "ses_" + "a" * 20, room.waiting("ada", 1)))
    await room.finish()
    assert len(room.mail.of("c-ada", OpAck)) == limits.TAILS_KEPT + 3
    assert len(drainer._promised) <= limits.TAILS_KEPT + 1


async def test_an_idle_holder_is_woken() -> None:
    """The queue is read rarely where nothing comes, but what this process hands over waits a tick or two only."""
    room = Room()
    drainer = room.container()
    room.submit(drainer, "ada", 1)
    await room.time.pass_ms(8 * limits.DRAIN_TICK_MS + 10)
    room.submit(drainer, "bob", 1)
    await room.time.pass_ms(2 * limits.DRAIN_TICK_MS)
    assert room.committed == [("ada", 1), ("bob", 1)]
    await room.finish()


async def test_it_does_not_leave_before_the_queue_is_tidy() -> None:
    """A removal that takes long is waited for: an invocation that has ended does nothing more."""
    room = Room()
    room.queue.removal_s = 5
    await room.queue.put(D, room.waiting("bob", 1), 0)
    room.submit(room.container(), "ada", 1)
    await room.finish()
    assert room.queue.waiting[D] == {}
    assert len(room.mail.of("c-bob", OpAck)) == 1
