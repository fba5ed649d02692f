"""Draining at a media node's pace: for as long as the document is busy, and with channels that lose nothing."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from chalicelib.documents.courier import Courier
from chalicelib.documents.drain import Drainer
from chalicelib.documents.model import Listener
from chalicelib.documents.pace import NODE, Pace
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import OpAck, OpCommitted, OpRejected
from tests.fakes.drainers import SESSION, D, Room


class Channels(Courier):
    """Some of the listeners have a channel: what is told to them surely arrives."""

    def __init__(self, room: Room, names: Sequence[str]) -> None:
        super().__init__(room.mail.post)
        self._names = {f"c-{name}" for name in names}

    def hears(self, connection_id: str) -> bool:
        """Whether it has one."""
        return connection_id in self._names


def _node(room: Room, *names: str, pace: Pace = NODE) -> Drainer:
    return room.container(pace=pace, courier=lambda _: Channels(room, names))


async def test_a_node_stays_for_as_long_as_the_document_is_busy() -> None:
    """Past what a function may; and leaves when it has been quiet for a while."""
    room = Room()
    node = _node(room)
    for seq in range(1, 40):
        room.submit(node, "ada", seq)
        await room.time.pass_ms(1000)
    assert len(node.heads(SESSION)) == 1
    assert room.kept_up == []
    await room.finish()
    assert room.time.at_ms > 1_000_000 + 39_000 + limits.RELAY_LINGER_MS - 1000
    assert (node.heads(SESSION), len(room.committed), room.kept_up) == ({}, 39, [39])


async def test_a_submission_wakes_a_node_that_rests() -> None:
    """It is not polled for: it is committed at once, however quiet it was."""
    room = Room()
    node = _node(room)
    room.submit(node, "ada", 1)
    await room.time.pass_ms(2000)
    before = room.time.at_ms
    room.submit(node, "ada", 2)
    await room.time.rest()
    assert (len(room.committed), room.time.at_ms) == (2, before)
    await room.finish()


async def test_rounds_are_rarer_where_many_are_told() -> None:
    """Telling is what costs."""
    assert [NODE.between_ms(listeners) for listeners in (2, 50, 400)] == [8, 20, 40]
    room = Room()
    for number in range(48):
        room.enter(f"p{number}")
    node = _node(room)
    for seq in range(1, 101):
        room.submit(node, "ada", seq)
        await room.time.pass_ms(3)
    await room.finish()
    assert 15 <= room.log.appends <= 16


async def test_whoever_hears_for_sure_is_acknowledged_by_what_is_told() -> None:
    """But in a holder's first round, of which it does not know what others told, and for a resend."""
    room = Room()
    node = _node(room, "ada")
    first = room.waiting("ada", 1)
    room.start(node.submit(D, SESSION, first))
    await room.time.pass_ms(100)
    room.submit(node, "ada", 2)
    room.submit(node, "bob", 1)
    await room.time.pass_ms(100)
    room.start(node.submit(D, SESSION, replace(first, place=first.place + "again")))
    await room.finish()
    assert [ack.operation.seq for ack in room.mail.of("c-ada", OpAck)] == [1, 1]
    assert [ack.operation.seq for ack in room.mail.of("c-bob", OpAck)] == [1]
    told = [commit.revision for message in room.mail.of("c-ada", OpCommitted) for commit in message.commits]
    assert set(told) == {1, 2, 3}


async def test_a_function_that_holds_the_lease_leaves_when_a_node_wants_it() -> None:
    """Within the time of its lease, though it is busy; the node has the document from then on."""
    room = Room()
    function, node = room.container(), _node(room)
    for seq in range(1, 31):
        room.submit(function, "ada", seq)
        room.submit(node, "bob", seq)
        await room.time.pass_ms(100)
    assert (len(function.heads(SESSION)), len(node.heads(SESSION))) == (0, 1)
    assert room.queue.wanted == set()
    await room.finish()
    assert sorted(room.committed) == sorted((name, seq) for name in ("ada", "bob") for seq in range(1, 31))


async def test_a_holder_that_is_dead_is_not_waited_for_longer_than_its_lease() -> None:
    """Whoever submits to a node needs not send it again, as whoever submits to a function does."""
    room = Room()
    dead = room.submit(_node(room), "ada", 1)
    await room.time.pass_ms(100)
    dead.cancel()
    room.tasks.remove(dead)
    room.submit(_node(room), "bob", 1)
    await room.time.pass_ms(limits.RELAY_LEASE_MS + 500)
    assert room.committed == [("ada", 1), ("bob", 1)]
    await room.finish()


async def test_a_node_that_retires_leaves_what_is_queued_to_the_holder() -> None:
    """It takes no lease any more."""
    room = Room()
    function, node = room.container(), _node(room)
    room.submit(function, "ada", 1)
    room.submit(node, "bob", 1)
    await room.time.rest()
    await node.retire()
    await room.finish()
    assert (sorted(room.committed), node.heads(SESSION)) == ([("ada", 1), ("bob", 1)], {})


async def test_a_queue_that_does_not_take_the_wish_changes_nothing() -> None:
    """The node waits until the holder leaves by itself."""
    room = Room()
    function, node = room.container(), _node(room)
    room.queue.unwantable = [AppError(Code.UPSTREAM_UNAVAILABLE)]
    room.submit(function, "ada", 1)
    await room.time.rest()
    room.submit(node, "bob", 1)
    await room.finish()
    assert sorted(room.committed) == [("ada", 1), ("bob", 1)]


async def test_a_node_that_retires_keeps_its_promises_and_makes_no_more() -> None:
    """What was put in the queue on the strength of them is committed; what comes later is for another."""
    room = Room()
    node = _node(room)
    room.submit(node, "ada", 1)
    await room.time.rest()
    room.submit(room.container(), "bob", 1)
    retiring = room.start(node.retire())
    await room.finish()
    assert retiring.done()
    assert room.committed == [("ada", 1), ("bob", 1)]
    late = room.submit(node, "ada", 2)
    with pytest.raises(AppError) as refused:
        await room.time.run(late)
    assert refused.value.code is Code.DOCUMENT_BUSY
    room.tasks.clear()
    assert len(room.committed) == 2


async def test_a_node_that_has_served_for_long_bears_a_database_that_is_away_for_a_while() -> None:
    """Its patience begins with the failure, not with its service; what was handed over is given back at once."""
    room = Room()
    node = _node(room)
    for seq in range(1, 11):
        room.submit(node, "ada", seq)
        await room.time.pass_ms(1000)
    room.log.unappendable = [AppError(Code.UPSTREAM_UNAVAILABLE)]
    room.submit(node, "ada", 11)
    await room.time.pass_ms(200)
    assert [r.code for r in room.mail.of("c-ada", OpRejected)] == [Code.UPSTREAM_UNAVAILABLE]
    assert len(node.heads(SESSION)) == 1
    room.submit(node, "ada", 12)
    await room.finish()
    assert len(room.committed) == 11


async def test_snapshots_are_kept_up_while_a_node_stays() -> None:
    """Beside the rounds, and not too often."""
    room = Room()
    node = _node(room, pace=replace(NODE, snapshot_ms=1000))
    for seq in range(1, 2 * limits.SNAPSHOT_EVERY + 1):
        room.submit(node, "ada", seq)
        await room.time.pass_ms(8)
    kept = list(room.kept_up)
    assert len(kept) == 2
    assert kept[0] >= limits.SNAPSHOT_EVERY
    await room.finish()
    assert room.kept_up[-1] == 2 * limits.SNAPSHOT_EVERY


async def test_what_was_read_ahead_may_show_what_is_answered_and_it_is_answered_once() -> None:
    """Its removal was under way when the reading began, and over when it ended."""
    room = Room()
    node = _node(room)
    room.queue.removal_s = 0.020
    room.queue.reading_s = 0.030
    room.submit(node, "ada", 1)
    await room.time.rest()
    for seq in range(1, 6):
        room.submit(room.container(), "bob", seq)
        room.submit(node, "ada", seq + 1)
        await room.time.pass_ms(20)
    await room.finish()
    assert [ack.operation.seq for ack in room.mail.of("c-bob", OpAck)] == [1, 2, 3, 4, 5]


async def test_a_listener_is_looked_for_anew_where_a_submission_is_of_one_that_is_not_known() -> None:
    """The audience is told whose submissions it is asked for."""
    room = Room()
    asked: list[frozenset[str]] = []

    async def audience(session_id: str, connections: frozenset[str]) -> tuple[Listener, ...]:
        asked.append(connections)
        return tuple(room.listeners.values())

    node = room.container(pace=NODE, audience=audience)
    room.submit(node, "ada", 1)
    await room.finish()
    assert asked == [frozenset({"c-ada"})]
