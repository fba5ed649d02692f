"""What the drainer answers and tells: to whom, in which words, and that nobody waits for the slow."""

import msgspec
import pytest

from chalicelib.documents.courier import answer, packed
from chalicelib.documents.model import Reason, Record, Refused
from chalicelib.wire import limits
from chalicelib.wire.codes import MESSAGE, Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpCommitted, OpRejected
from chalicelib.wire.operations import Add, Set
from chalicelib.wire.types import Delivery
from tests.fakes.drainers import D, E, Room


async def test_everybody_is_told_once_a_round() -> None:
    """One message a connection for all that a round committed; only whoever submitted gets an acknowledgement."""
    room = Room()
    room.enter("eve", may_edit=False)
    room.enter("cyd", reachable=False)
    drainer = room.container()
    room.submit(drainer, "ada", 1)
    room.submit(drainer, "bob", 1)
    room.submit(drainer, "cyd", 1)
    await room.finish()
    for name in ("ada", "bob", "eve"):
        told = room.mail.of(f"c-{name}", OpCommitted)
        assert [[commit.revision for commit in message.commits] for message in told] == [[1, 2, 3]]
        assert [message.head for message in told] == [3]
    assert room.mail.of("c-cyd", OpCommitted) == []
    assert [len(room.mail.of(f"c-{name}", OpAck)) for name in ("ada", "bob", "cyd", "eve")] == [1, 1, 1, 0]


async def test_an_acknowledgement_says_what_became_of_it() -> None:
    """The request, the record, and with what it met."""
    room = Room()
    drainer = room.container()
    room.submit(drainer, "ada", 1, Set(id=E, path=("a",), value=1))
    room.submit(drainer, "bob", 1, Set(id=E, path=("a",), value=2))
    await room.finish()
    (ack,) = room.mail.of("c-bob", OpAck)
    assert (ack.id, ack.document_id, ack.operation) == ("r1", D, room.log.logs[D][1])
    assert (ack.transformed, ack.conflicts_with, ack.operation.overridden[0].user_id) == (False, (1,), "ada")


async def test_a_slow_recipient_delays_nobody() -> None:
    """The others have their answers while its first one is still on the way."""
    room = Room()
    room.mail.slow_s["c-bob"] = 10
    drainer = room.container()
    for seq in range(1, 6):
        room.submit(drainer, "ada", seq)
        await room.time.pass_ms(limits.DRAIN_TICK_MS)
    assert [ack.operation.seq for ack in room.mail.of("c-ada", OpAck)] == [1, 2, 3, 4, 5]
    assert "c-bob" not in room.mail.got
    await room.finish()
    told = room.mail.of("c-bob", OpCommitted)
    assert [commit.revision for message in told for commit in message.commits] == [1, 2, 3, 4, 5]


async def test_who_is_too_slow_is_told_to_fetch() -> None:
    """Only so much is on its way to a connection at once; past that it hears in the end where the head is."""
    room = Room()
    room.mail.slow_s["c-bob"] = 60
    drainer = room.container()
    for seq in range(1, 31):
        room.submit(drainer, "ada", seq)
        await room.time.pass_ms(limits.DRAIN_TICK_MS)
    await room.finish()
    told = room.mail.of("c-bob", OpCommitted)
    assert len(told) < 20
    assert (told[-1].head, told[-1].commits) == (30, ())
    assert len(room.mail.of("c-ada", OpAck)) == 30


@pytest.mark.parametrize("outcome", [Delivery.FAILED, OSError("broken")])
async def test_who_could_not_be_told_is_told_to_fetch(outcome: Delivery | Exception) -> None:
    """Once, at the end; nobody else hears of it."""
    room = Room()
    room.mail.outcome["c-bob"] = outcome
    room.submit(room.container(), "ada", 1)
    await room.time.rest()
    room.mail.outcome.clear()
    await room.finish()
    assert [(told.head, told.commits) for told in room.mail.of("c-bob", OpCommitted)] == [(1, ())]
    assert [len(told.commits) for told in room.mail.of("c-ada", OpCommitted)] == [1]


async def test_who_can_never_be_told_harms_nobody() -> None:
    """Neither an endpoint that breaks every time nor a connection that is gone."""
    room = Room()
    room.mail.outcome = {"c-bob": OSError("broken"), "c-eve": Delivery.GONE}
    room.enter("eve")
    room.submit(room.container(), "ada", 1)
    await room.finish()
    assert room.kept_up == [1]
    assert len(room.mail.of("c-ada", OpAck)) == 1


async def test_who_may_not_edit_is_refused() -> None:
    """A viewer, and a connection that is another's: with the code and the payload (Z6); who is not there comes again."""
    room = Room()
    room.enter("eve", may_edit=False)
    foreign = room.waiting("ada", 2)
    drainer = room.container()
    room.submit(drainer, "eve", 1)
    room.submit(drainer, "zoe", 1)
    room.start(drainer.submit(D, "ses_" + "a" * 20, msgspec.structs.replace(foreign, connection_id="c-bob")))
    await room.finish()
    codes = {"eve": Code.ROLE_INSUFFICIENT, "bob": Code.ROLE_INSUFFICIENT, "zoe": Code.CONNECTION_GONE}
    for name, code in codes.items():
        (rejected,) = room.mail.of(f"c-{name}", OpRejected)
        assert rejected.code is code
        assert rejected.message == MESSAGE[code]
        assert rejected.correlation_id == "corr"
        assert rejected.operations == (Add(id=E, path=("n",), by=1),)
    assert room.committed == []
    assert room.kept_up == []


async def test_what_another_has_locked_is_refused() -> None:
    """Before it is written; whoever has the lock, and other objects, are free. An ended lock locks nothing."""
    room = Room()
    await room.lock("ada")
    drainer = room.container()
    room.submit(drainer, "bob", 1)
    room.submit(drainer, "bob", 2, Add(id="bob00000.2", path=("n",), by=1))
    room.submit(drainer, "ada", 1)
    await room.finish()
    assert [rejected.code for rejected in room.mail.of("c-bob", OpRejected)] == [Code.LOCK_HELD]
    assert sorted(room.committed) == [("ada", 1), ("bob", 2)]
    await room.time.pass_ms(61_000)
    await room.time.run(room.submit(drainer, "bob", 3))
    assert ("bob", 3) in room.committed


async def test_what_was_committed_is_acknowledged_though_it_would_be_refused_now() -> None:
    """Z2: sent again after the object was locked and the role taken away, it has its first revision; new ones are
    refused."""
    room = Room()
    await room.time.run(room.submit(room.container(), "bob", 1))
    await room.lock("ada")
    room.enter("bob", may_edit=False)
    drainer = room.container()
    for seq in (1, 2):
        waiting = room.waiting("bob", seq)
        submission = msgspec.structs.replace(waiting.submission, base=0)
        room.start(drainer.submit(D, "ses_" + "a" * 20, msgspec.structs.replace(waiting, submission=submission)))
    await room.finish()
    assert [ack.operation for ack in room.mail.of("c-bob", OpAck)] == [room.log.logs[D][0]] * 2
    assert [rejected.seq for rejected in room.mail.of("c-bob", OpRejected)] == [2]
    assert room.committed == [("bob", 1)]


async def test_a_log_that_cannot_be_asked_about_one_refuses_only_that() -> None:
    """It may have been committed, so it is told to come again; the others are answered."""
    room = Room()
    room.enter("eve", may_edit=False)
    await room.time.run(room.submit(room.container(), "ada", 1))
    drainer = room.container()
    await room.time.run(room.submit(drainer, "ada", 2))
    room.submit(drainer, "eve", 1)
    room.submit(drainer, "ada", 3)
    room.log.unreadable = [AppError(Code.UPSTREAM_UNAVAILABLE)]
    await room.finish()
    assert [rejected.code for rejected in room.mail.of("c-eve", OpRejected)] == [Code.UPSTREAM_UNAVAILABLE]
    assert [ack.operation.seq for ack in room.mail.of("c-ada", OpAck)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Refused(Reason.BASE_AHEAD), Code.BASE_AHEAD),
        (Refused(Reason.BASE_TOO_OLD), Code.BASE_TOO_OLD),
        (Refused(Reason.BASE_BEHIND_OWN), Code.BASE_BEHIND_OWN),
        (AppError(Code.DOCUMENT_BUSY), Code.DOCUMENT_BUSY),
        (OSError("an address that is nobody's business"), Code.INTERNAL),
    ],
)
def test_every_outcome_has_its_code(outcome: BaseException, code: Code) -> None:
    """And its words, which tell nothing of the inside."""
    waiting = Room().waiting("ada", 7)
    rejected = msgspec.json.decode(answer(D, waiting, outcome), type=OpRejected)
    assert (rejected.code, rejected.message, rejected.seq) == (code, MESSAGE[code], 7)
    assert rejected.operations == waiting.submission.operations


def test_what_was_sent_as_sugar_is_given_back_as_sugar() -> None:
    """The client keeps what it wrote."""
    waiting = msgspec.structs.replace(Room().waiting("ada", 1), sent=(Set(id=E, path=("b",), value=1),))
    rejected = msgspec.json.decode(answer(D, waiting, AppError(Code.LOCK_HELD)), type=OpRejected)
    assert rejected.operations == waiting.sent


def test_big_commits_are_told_in_several_messages() -> None:
    """Each fits a message, together they are all, and each says where the head is."""
    commits = [
        Record(
            revision=revision,
            client="ada00000",
            seq=revision,
            user_id="ada",
            at_ms=1,
            base=0,
            operations=(Set(id=E, path=("a",), value="x" * 30_000),),
        )
        for revision in range(1, 11)
    ]
    messages = packed(D, commits)
    assert all(len(message) < limits.WS_MESSAGE_BYTES for message in messages)
    told = [msgspec.json.decode(message, type=OpCommitted) for message in messages]
    assert [commit for message in told for commit in message.commits] == commits
    assert {message.head for message in told} == {10}
    assert len(messages) == 4
    assert packed(D, []) == []
