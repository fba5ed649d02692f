"""Zero data loss, clause by clause (DESIGN, Z1-Z8), each on the whole stack while something goes wrong.

On both carriers: by functions, and by the channels of a media node.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from benchmarks.client import PeerClient, Refused
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Lock, OperationResult
from chalicelib.wire.messages import OpAck, OpCommitted, OpSubmit, ServerMessage
from chalicelib.wire.operations import Delete, Move, Restore, Set, Text
from chalicelib.wire.peers import RelayReason
from tests.faults.crew import Crew, until
from tests.faults.history import Acked, Sent
from tests.faults.house import APPEND, SHELF, House, judged
from tests.faults.proxy import Fault, Rule
from tests.faults.relays import Network, RelayedHand, ThroughMiddle
from tests.faults.rooms import on_node, on_websocket

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture(params=["websocket", "relay"])
async def crew(house: House, seed: int, request: pytest.FixtureRequest) -> AsyncIterator[Crew]:
    """People in a room of their own, whole so far, on one carrier or the other."""
    async with (on_websocket if request.param == "websocket" else on_node)(house, seed) as made:
        yield made


async def test_z1_an_acknowledged_operation_is_in_the_log_once_at_a_gap_free_revision(house: House, crew: Crew) -> None:
    """Though most appends' answers are lost."""
    house.dynamodb.rule(Rule(Fault.LOSE, "append lost", APPEND, chance=0.6))
    await crew.work(8)
    history = await judged(house, crew)
    assert [commit.revision for commit in history.log] == list(range(1, len(history.log) + 1))
    assert {acked.commit.revision for acked in history.acked} <= {commit.revision for commit in history.log}


async def test_z2_sending_again_returns_the_original_revision(house: House, crew: Crew) -> None:
    """By REST, with every append's first answer lost, while others go on."""
    house.dynamodb.rule(Rule(Fault.LOSE, "append lost", APPEND, chance=0.5))
    working = asyncio.create_task(crew.work(6))
    operations = (Set(id=crew.boxes[0], path=("a",), value="once"),)
    body = {"client": "rest0000", "seq": 1, "base": 1, "operations": operations}
    crew.history.sent.append(Sent(client="rest0000", seq=1, base=1, operations=operations))
    revisions: set[int] = set()
    while len(crew.history.acked) < 12 or len(revisions) < 1:
        try:
            path = f"/documents/{crew.document_id}/operations"
            hand = crew.hands[0]
            done = await hand.api.call("POST", path, hand.who, body, OperationResult)
        except Refused:
            continue
        crew.history.acked.append(Acked(at=time.monotonic_ns(), client="rest0000", seq=1, commit=done.operation))
        revisions.add(done.operation.revision)
    await working
    await judged(house, crew)
    assert len(revisions) == 1


async def test_z2_sending_again_on_a_channel_returns_the_original_revision(house: House, relay_crew: Crew) -> None:
    """By channel again and again, then by WebSocket, with most appends' answers lost, while others go on."""
    crew = relay_crew
    house.dynamodb.rule(Rule(Fault.LOSE, "append lost", APPEND, chance=0.5))
    working = asyncio.create_task(crew.work(4))
    operations = (Set(id=crew.boxes[0], path=("a",), value="once"),)
    again = OpSubmit(document_id=crew.document_id, client="twice000", seq=1, base=1, operations=operations)
    crew.history.sent.append(Sent(client="twice000", seq=1, base=1, operations=operations))
    async with bare(crew) as (peer, channels):
        for send in (channels.send, peer.send, channels.send):
            known = len(channels.answers)
            async with asyncio.timeout(60):
                while len(channels.answers) < known + 2:
                    sent = send(again)
                    if sent is not None:
                        await sent
                    await asyncio.sleep(0.2)
    await working
    crew.history.acked += channels.answers
    history = await judged(house, crew)
    assert len({acked.commit.revision for acked in channels.answers}) == 1
    assert [commit.seq for commit in history.log if commit.client == "twice000"] == [1]


class Answered(ThroughMiddle):
    """Channels of somebody without an editor; `answers` are what is said of what it submitted, by either carrier."""

    def __init__(self, peer: PeerClient, network: Network) -> None:
        super().__init__(peer, network)
        self.answers: list[Acked] = []
        self.on_message = self.hear
        peer.on_message = lambda message, _size: self.hear(message)

    def hear(self, message: ServerMessage) -> None:
        """Its own commit, acknowledged or told."""
        told = list(message.commits) if isinstance(message, OpCommitted) else []
        if isinstance(message, OpAck):
            told.append(message.operation)
        for commit in told:
            if commit.client == "twice000":
                self.answers.append(Acked(at=time.monotonic_ns(), client="twice000", seq=commit.seq, commit=commit))


@asynccontextmanager
async def bare(crew: Crew) -> AsyncIterator[tuple[PeerClient, Answered]]:
    """One person more, by both carriers, who sends what they are told to."""
    hand = crew.hands[0]
    who = hand.who
    async with await hand.api.enter(who, crew.session_id, "tab00009") as peer:
        await hand.api.offerable(who, crew.session_id, "tab00009")
        async with Answered(peer, RelayedHand.network) as channels:
            await channels.connect(await channels.relay(RelayReason.UPLINK))
            yield peer, channels


async def test_z3_every_accepted_payload_is_readable_from_history(house: House, crew: Crew) -> None:
    """One that was overridden, and one that was written on a tombstone."""
    house.dynamodb.rule(Rule(Fault.THROTTLE, "throttled", chance=0.3))
    box = crew.boxes[0]
    for number, hand in enumerate(crew.hands):
        await hand.edit(Set(id=box, path=("color",), value=f"color {number}"))
    await crew.hands[0].edit(Delete(id=box))
    history = await judged(house, crew)
    payloads = [operation for commit in history.told for operation in commit.payload]
    for number in range(len(crew.hands)):
        assert Set(id=box, path=("color",), value=f"color {number}") in payloads


async def test_z4_every_override_is_reported_to_its_author(house: House, crew: Crew) -> None:
    """Two color the same box without knowing of each other, and the messages between are lost now and then."""
    crew.weather = lambda rng, _way: () if rng.random() < 0.2 else (0.0,)
    box = crew.boxes[0]
    ada, bob, _ = crew.hands
    await asyncio.gather(*(hand.edit(Set(id=box, path=("color",), value=hand.name)) for hand in (ada, bob)))
    history = await judged(house, crew)
    (later,) = [commit for commit in history.log if commit.overridden]
    (over,) = later.overridden
    loser = next(hand for hand in (ada, bob) if hand.name != later.client)
    assert (over.entity, over.register, over.user_id) == (box, ("color",), loser.who.user_id)
    assert any(heard.client == loser.name and heard.commit == later for heard in history.heard)


async def test_z5_after_a_delete_concurrent_edits_and_a_restore_all_edits_are_present(house: House, crew: Crew) -> None:
    """Nobody knows of the delete while editing; requests and answers are lost."""
    house.dynamodb.rule(Rule(Fault.LOSE, "lost", chance=0.2), Rule(Fault.DROP, "dropped", chance=0.1))
    box, other, _ = crew.boxes
    ada, bob, eve = crew.hands
    await asyncio.gather(
        ada.edit(Delete(id=box)),
        bob.edit(Set(id=box, path=("color",), value="red"), Text(id=box, path=("t",), edit=(5, " bob"))),
        eve.edit(Move(id=box, parent=other, order="A"), Text(id=box, path=("t",), edit=("eve ",))),
    )
    await asyncio.gather(*(hand.client.settled(60) for hand in crew.hands))
    await ada.edit(Restore(id=box))
    history = await judged(house, crew)
    there = history.snapshots[len(history.log)][box]
    assert (there.alive, there.parent, there.props["color"], there.props["t"]) == (True, other, "red", "eve hello bob")


async def test_z6_a_rejected_operation_returns_reason_and_payload_and_the_client_keeps_it(
    house: House, crew: Crew
) -> None:
    """On an object that somebody else has locked; it is still there after a reload."""
    ada, bob, _ = crew.hands
    box = crew.boxes[0]
    path = f"/collaboration/sessions/{crew.session_id}/locks"
    await bob.api.call("POST", path, bob.who, {"object_id": box, "ttl_s": limits.LOCK_TTL_MAX_S}, Lock)
    house.dynamodb.rule(Rule(Fault.THROTTLE, "throttled", chance=0.3))
    await ada.edit(Set(id=box, path=("color",), value="green"))
    await until(lambda: bool(ada.client.editor.rejected), "rejected")
    await ada.reload()
    history = await judged(house, crew)
    kept = ada.client.editor.rejected
    refused = [each for each in history.refused if each.final]
    assert {each.code for each in kept} | {each.code for each in refused} == {Code.LOCK_HELD}
    assert Set(id=box, path=("color",), value="green") in kept[0].operations
    assert kept[0].operations in [each.operations for each in refused]


async def test_z7_what_is_not_acknowledged_survives_reload_and_reconnect(house: House, crew: Crew) -> None:
    """Made while the database is away: sent, not answered, the pages reloaded, the connections cut."""
    before = house.dynamodb.met["partition"]
    house.dynamodb.partition()
    tokens = [await hand.edit() for hand in crew.hands]
    await until(lambda: house.dynamodb.met["partition"] > before, "partitioned")
    assert not any(hand.client.editor.settled for hand in crew.hands)
    house.line.cut()
    reloading = [asyncio.create_task(hand.reload()) for hand in crew.hands]
    house.dynamodb.heal()
    await asyncio.gather(*reloading)
    history = await judged(house, crew)
    text = history.snapshots[len(history.log)][crew.book].props["t"]
    assert [text.count(token) for token in tokens] == [1] * len(tokens)


async def test_z7_a_client_that_lost_its_seat_meanwhile_comes_back_with_what_it_made(house: House, crew: Crew) -> None:
    """Whoever is away for longer than the grace is a participant still, and takes a seat again."""
    ada = crew.hands[1]
    assert ada.client.peer is not None
    house.dynamodb.rule(Rule(Fault.THROTTLE, "kept out", APPEND))
    token = await ada.edit()
    await ada.client.peer.leave()
    await ada.client.until(lambda: ada.client.peer is None)
    history = await judged(house, crew)
    assert history.snapshots[len(history.log)][crew.book].props["t"].count(token) == 1


async def test_z8_the_snapshot_of_a_revision_is_the_replay_up_to_it(house: House, crew: Crew) -> None:
    """On both sides of one that was stored while appends' answers were lost."""
    await crew.fill(limits.SNAPSHOT_EVERY - 1)
    before = house.dynamodb.met["shelved"]
    house.dynamodb.rule(Rule(Fault.WATCH, "shelved", SHELF), Rule(Fault.LOSE, "append lost", APPEND, chance=0.3))
    await crew.work(8)
    await until(lambda: house.dynamodb.met["shelved"] > before, "shelved")
    history = await judged(house, crew, states=25)
    assert any(revision > limits.SNAPSHOT_EVERY for revision in history.snapshots)
