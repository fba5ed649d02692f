"""Rooms are given to media nodes, moved and taken back: over the fakes, which pass the stores' contract."""

import asyncio
from dataclasses import replace

import pytest

from chalicelib.peers.model import Relay
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ParticipantRemoved, SessionEnded
from chalicelib.wire.peers import RelayReason, RelayState, RelayStatus
from chalicelib.wire.signals import RelayChanged
from chalicelib.wire.voice import VoiceChanged, VoiceMix
from tests.fakes.nodes import MemoryNodes
from tests.fakes.plaza import N1, N2, Plaza, S, request

NONE = RelayState(status=RelayStatus.NONE)
MANY = limits.MESH_MAX + 1


def ready(generation: int, node_id: str = N1) -> RelayState:
    """What pages are told of a node."""
    return RelayState(status=RelayStatus.READY, generation=generation, peer_id=f"{node_id}.relay")


def starting(generation: int) -> RelayState:
    """What pages are told while one comes."""
    return RelayState(status=RelayStatus.STARTING, generation=generation)


@pytest.fixture
async def plaza() -> Plaza:
    """Nobody there."""
    return Plaza()


# -- getting one --


async def test_a_mesh_needs_no_relay(plaza: Plaza) -> None:
    """Up to MESH_MAX pages, and whoever is on the WebSocket alone does not count; nothing is written."""
    await plaza.node()
    (first, *_) = await plaza.crowd(limits.MESH_MAX)
    await plaza.page("bot", rtc=False)
    assert await plaza.peers.crowded(S) == NONE
    assert await plaza.peers.request(first, request()) == NONE
    assert plaza.nodes.relays == {}


async def test_one_page_too_many_gets_the_room_a_node(plaza: Plaza) -> None:
    """Everybody is told; who asks again hears the same, and nobody is told twice."""
    await plaza.node()
    await plaza.crowd(MANY)
    assert await plaza.peers.crowded(S) == ready(1)
    assert await plaza.peers.crowded(S) == await plaza.peers.state(S) == ready(1)
    assert [plaza.told(f"p{n}", RelayChanged) for n in range(MANY)] == [[RelayChanged(relay=ready(1))]] * MANY
    assert plaza.scaler.asked == []


async def test_a_page_may_ask_by_count(plaza: Plaza) -> None:
    """It is believed where it is so."""
    await plaza.node()
    (first, *_) = await plaza.crowd(MANY)
    assert await plaza.peers.request(first, request()) == ready(1)


async def test_a_page_may_ask_by_its_uplink(plaza: Plaza) -> None:
    """Nobody else can measure it; alone it needs none."""
    await plaza.node()
    first = await plaza.page("ada")
    assert await plaza.peers.request(first, request(RelayReason.UPLINK)) == NONE
    await plaza.page("bob")
    assert await plaza.peers.request(first, request(RelayReason.UPLINK)) == ready(1)


async def test_who_was_removed_asks_for_nothing(plaza: Plaza) -> None:
    """The connection is not its row's any more."""
    (first, *_) = await plaza.crowd(MANY)
    await plaza.presence.expel(S, "p0", ParticipantRemoved(user_id="p0", banned=False, by="x"))
    with pytest.raises(AppError) as caught:
        await plaza.peers.request(first, request())
    assert caught.value.code is Code.CONNECTION_GONE


async def test_of_all_who_assign_at_once_one_wins(plaza: Plaza) -> None:
    """Functions that saw different loads agree; the room is told once."""
    await plaza.node(N1)
    await plaza.node(N2)
    await plaza.crowd(MANY)

    async def decide(number: int) -> RelayState:
        await plaza.beat(N1, load=number % 3)
        await plaza.beat(N2, load=(number + 1) % 3)
        return await plaza.container().crowded(S)

    states = await asyncio.gather(*(decide(number) for number in range(8)))
    assert len(set(states)) == 1
    assert states[0].generation == 1
    assert len(plaza.told("p0", RelayChanged)) == 1


# -- recording --


async def test_a_recording_has_a_node_for_one_page(plaza: Plaza) -> None:
    """As long as it goes on; after it, the room gives the node back as any small one does."""
    await plaza.node()
    await plaza.page("ada")
    assert await plaza.peers.record(S) == ready(1)
    for _ in range(3):
        plaza.clock.ms += limits.RELAY_KEEP_S * 1000
        await stay(plaza, "ada")
        await plaza.peers.look(S)
    assert await plaza.peers.state(S) == ready(1)
    await plaza.peers.recorded(S)
    for _ in range(2):
        plaza.clock.ms += limits.RELAY_KEEP_S * 1000
        await stay(plaza, "ada")
        await plaza.peers.look(S)
    assert (await plaza.peers.state(S)).status is RelayStatus.NONE


async def test_a_recording_keeps_the_node_that_is_there(plaza: Plaza) -> None:
    """Nobody connects anew by it, nor by its end."""
    await plaza.node()
    await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    assert await plaza.peers.record(S) == await plaza.peers.record(S) == ready(1)
    assert (await plaza.nodes.relay(S)).reason is RelayReason.RECORDING
    await plaza.peers.recorded(S)
    await plaza.peers.recorded(S)
    assert (await plaza.nodes.relay(S)).reason is RelayReason.COUNT
    assert len(plaza.told("p0", RelayChanged)) == 1


async def test_a_recording_moves_with_its_room(plaza: Plaza) -> None:
    """To a node that comes up, to another when that is lost, and what is recorded stays the reason."""
    await plaza.page("ada")
    assert (await plaza.peers.record(S)).status is RelayStatus.STARTING
    await plaza.node(N1)
    assert await plaza.peers.state(S) == ready(2)
    await plaza.node(N2)
    await plaza.peers.node_disconnected(N1, f"n-{N1}")
    assert await plaza.peers.state(S) == ready(3, N2)
    assert (await plaza.nodes.relay(S)).reason is RelayReason.RECORDING


class Overtaken(MemoryNodes):
    """Somebody else gives the room a node between what is read and what is noted, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def note_reason(self, relay: Relay) -> bool:
        """As the table's: not where the generation is another by now."""
        self.times -= 1
        return False if self.times >= 0 else await super().note_reason(relay)


@pytest.mark.parametrize(("times", "noted"), [(1, True), (1000, False)])
async def test_a_recording_is_noted_though_the_room_moves_meanwhile(plaza: Plaza, times: int, noted: bool) -> None:
    """It is tried again on what there is by then; one that is overtaken every time says when to come again."""
    plaza.nodes = Overtaken(times)
    plaza.peers = plaza.container()
    await plaza.node()
    await plaza.page("ada")
    if noted:
        assert await plaza.peers.record(S) == ready(1)
        plaza.nodes.times = times
        await plaza.peers.recorded(S)
        assert (await plaza.nodes.relay(S)).reason is RelayReason.COUNT
        return
    with pytest.raises(AppError) as caught:
        await plaza.peers.record(S)
    assert (caught.value.code, caught.value.retry_after_ms) == (Code.UPSTREAM_UNAVAILABLE, 500)
    plaza.nodes.relays[S] = replace(await plaza.nodes.relay(S), reason=RelayReason.RECORDING)
    with pytest.raises(AppError) as caught:
        await plaza.peers.recorded(S)
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE


async def test_no_page_asks_for_a_recording(plaza: Plaza) -> None:
    """It is as if it had counted."""
    await plaza.node()
    first = await plaza.page("ada")
    await plaza.page("bob")
    assert await plaza.peers.request(first, request(RelayReason.RECORDING)) == NONE
    await plaza.crowd(MANY)
    assert await plaza.peers.request(first, request(RelayReason.RECORDING)) == ready(1)
    assert (await plaza.nodes.relay(S)).reason is RelayReason.COUNT


async def stay(plaza: Plaza, name: str) -> None:
    """A page and the node go on."""
    await plaza.rows.touch(S, f"{name}.tab00001", f"c-{name}", plaza.clock.ms)
    await plaza.beat(N1)


# -- losing one --


async def test_a_silent_node_loses_the_room_to_another(plaza: Plaza) -> None:
    """Whoever comes by finds out; the lost one is told, should it live after all."""
    await plaza.node(N1)
    (first, *_) = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    plaza.clock.ms += limits.NODE_LOST_S * 1000
    await plaza.node(N2)
    assert await plaza.peers.request(first, request(RelayReason.LOST, 1)) == ready(2, N2)
    assert plaza.told("p0", RelayChanged)[-1] == RelayChanged(relay=ready(2, N2))
    assert plaza.told_node(N1, RelayChanged) == [RelayChanged(session_id=S, relay=ready(2, N2))]
    assert (await plaza.nodes.rooms_of(N1), await plaza.nodes.rooms_of(N2)) == ((), (S,))


async def test_a_node_that_lives_is_not_lost(plaza: Plaza) -> None:
    """What one page says of it moves nobody: others may reach it well."""
    await plaza.node(N1)
    await plaza.node(N2)
    (first, *_) = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    assert await plaza.peers.request(first, request(RelayReason.LOST, 1)) == ready(1)


async def test_a_closed_connection_moves_all_rooms_at_once(plaza: Plaza) -> None:
    """Where it was the node's only one; an older one that ends late moves nothing."""
    await plaza.node(N1)
    other = "ses_" + "b" * 20
    for session_id in (S, other):
        await plaza.crowd(MANY, session_id)
        await plaza.peers.crowded(session_id)
    await plaza.node(N2)
    await plaza.peers.node_disconnected(N1, "n-older")
    assert (await plaza.peers.state(S), await plaza.peers.state(other)) == (ready(1), ready(1))
    await plaza.peers.node_disconnected(N1, f"n-{N1}")
    assert (await plaza.peers.state(S), await plaza.peers.state(other)) == (ready(2, N2), ready(2, N2))


async def test_a_draining_node_gives_back_what_it_names(plaza: Plaza) -> None:
    """Or all, where it names nothing; never to itself, though its row may not say yet that it drains."""
    await plaza.node(N1)
    other = "ses_" + "b" * 20
    for session_id in (S, other):
        await plaza.crowd(MANY, session_id)
        await plaza.peers.crowded(session_id)
    await plaza.node(N2, load=50)
    await plaza.peers.node_gone(N1, (S,))
    assert (await plaza.peers.state(S), await plaza.peers.state(other)) == (ready(2, N2), ready(1))
    await plaza.peers.node_gone(N1, ())
    assert await plaza.peers.state(other) == ready(2, N2)


async def test_a_node_cannot_give_away_what_is_not_its_own(plaza: Plaza) -> None:
    """Another's room stays; a list that was not true any more is mended."""
    await plaza.node(N1)
    await plaza.node(N2, load=50)
    await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    plaza.nodes.listed[N2, S] = 0
    await plaza.peers.node_gone(N2, (S,))
    assert await plaza.peers.state(S) == ready(1)
    assert await plaza.nodes.rooms_of(N2) == ()


async def test_a_small_room_that_loses_its_node_goes_back_to_mesh(plaza: Plaza) -> None:
    """There is no use in moving it."""
    await plaza.node(N1)
    crowd = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    for gone in crowd[limits.MESH_LEAVE :]:
        await plaza.presence.disconnected(gone, at_once=True)
    await plaza.node(N2)
    await plaza.peers.node_disconnected(N1, f"n-{N1}")
    assert await plaza.peers.state(S) == RelayState(status=RelayStatus.NONE, generation=2)


# -- waiting for one --


async def test_a_room_waits_until_a_node_comes(plaza: Plaza) -> None:
    """One task is asked for, once; the node that comes up takes the room, and everybody is told both times."""
    (first, *_) = await plaza.crowd(MANY)
    assert await plaza.peers.crowded(S) == starting(1)
    assert await plaza.peers.request(first, request()) == await plaza.peers.state(S) == starting(1)
    assert plaza.scaler.asked == [0]
    await plaza.node()
    assert await plaza.peers.state(S) == ready(2)
    assert plaza.told("p0", RelayChanged) == [RelayChanged(relay=starting(1)), RelayChanged(relay=ready(2))]
    assert await plaza.nodes.waiting() == ()


async def test_two_rooms_ask_once(plaza: Plaza) -> None:
    """The second waits for the same task."""
    other = "ses_" + "b" * 20
    for session_id in (S, other):
        await plaza.crowd(MANY, session_id)
        assert await plaza.peers.crowded(session_id) == starting(1)
    assert plaza.scaler.asked == [0]
    await plaza.node()
    assert (await plaza.peers.state(S), await plaza.peers.state(other)) == (ready(2), ready(2))


async def test_a_task_that_never_comes_is_asked_for_again(plaza: Plaza) -> None:
    """After NODE_START_S."""
    (first, *_) = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    plaza.clock.ms += limits.NODE_START_S * 1000
    for page in await plaza.crowd(MANY):
        await plaza.presence.touch(page)
    assert await plaza.peers.request(first, request()) == starting(2)
    assert plaza.scaler.asked == [0, 0]


@pytest.mark.parametrize("why", ["as many as may be", "refused", "no service"])
async def test_where_none_can_come_there_is_none(why: str) -> None:
    """Pages are not told to wait; but the room is listed, for a node that comes all the same."""
    plaza = Plaza(scaling=why != "no service")
    plaza.scaler.coming = False
    plaza.scaler.broken = AppError(Code.UPSTREAM_UNAVAILABLE) if why == "refused" else None
    await plaza.crowd(MANY)
    assert await plaza.peers.crowded(S) == RelayState(status=RelayStatus.NONE, generation=1)
    assert plaza.nodes.started_ms is None
    await plaza.node()
    assert await plaza.peers.state(S) == ready(2)


async def test_who_waits_in_vain_is_forgotten(plaza: Plaza) -> None:
    """A room that became small while it waited needs no node any more."""
    crowd = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    for gone in crowd[1:]:
        await plaza.presence.disconnected(gone, at_once=True)
    await plaza.node()
    assert await plaza.peers.state(S) == RelayState(status=RelayStatus.NONE, generation=2)
    plaza.nodes.listed["waiting", S] = 9
    await plaza.peers.serve_waiting()
    assert (await plaza.peers.state(S)).generation == 2


async def test_a_full_node_takes_no_room(plaza: Plaza) -> None:
    """Another is asked for beside it."""
    await plaza.node(N1, load=95)
    await plaza.crowd(MANY)
    assert await plaza.peers.crowded(S) == starting(1)
    assert plaza.scaler.asked == [1]


async def test_a_node_that_did_not_register_may_not_enter(plaza: Plaza) -> None:
    """Nobody would know where it is."""
    with pytest.raises(AppError) as caught:
        await plaza.peers.node_entered(N1, "n=")
    assert caught.value.code is Code.RELAY_REFUSED


# -- giving it back --


async def look(plaza: Plaza, seconds: int) -> None:
    """Time passes, in which everybody and the node live, and pages ping."""
    for _ in range(0, seconds, 2):
        plaza.clock.ms += 2000
        for row in list(plaza.rows.rows.values()):
            await plaza.rows.touch(S, row.peer_id, row.connection_id, plaza.clock.ms)
        await plaza.beat(N1)
        await plaza.peers.look(S)


async def test_a_room_that_became_small_gives_its_relay_back_after_a_while(plaza: Plaza) -> None:
    """Not at once: it may grow again; and a room that grows again starts that while anew."""
    await plaza.node()
    crowd = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    for gone in crowd[limits.MESH_LEAVE :]:
        await plaza.presence.disconnected(gone, at_once=True)
    await look(plaza, limits.RELAY_LOOK_S)
    assert (await plaza.nodes.relay(S)).few_ms
    await plaza.crowd(MANY)
    await look(plaza, 2 * limits.RELAY_LOOK_S)
    assert not (await plaza.nodes.relay(S)).few_ms
    for gone in crowd[limits.MESH_LEAVE :]:
        await plaza.presence.disconnected(gone, at_once=True)
    await look(plaza, limits.RELAY_KEEP_S)
    assert await plaza.peers.state(S) == ready(1)
    await look(plaza, 2 * limits.RELAY_LOOK_S)
    assert await plaza.peers.state(S) == RelayState(status=RelayStatus.NONE, generation=2)
    assert plaza.told("p0", RelayChanged)[-1].relay.status is RelayStatus.NONE
    assert plaza.told_node(N1, RelayChanged)[-1].session_id == S
    assert await plaza.nodes.rooms_of(N1) == ()


async def test_a_look_finds_a_lost_node(plaza: Plaza) -> None:
    """A ping is enough for a room to get another; a look at a room without a relay reads one item."""
    await plaza.peers.look(S)
    await plaza.node(N1)
    await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    plaza.clock.ms += limits.RELAY_LOOK_S * 1000
    await plaza.node(N2)
    await plaza.peers.look(S)
    assert await plaza.peers.state(S) == ready(2, N2)


async def test_what_a_container_remembers_is_bounded(plaza: Plaza) -> None:
    """When it last looked at which room."""
    plaza.peers._looked = {f"s{n}": plaza.clock.ms for n in range(10_001)}
    await plaza.peers.look(S)
    assert list(plaza.peers._looked) == [S]


async def test_an_empty_room_gives_it_back_at_once(plaza: Plaza) -> None:
    """With its last page; before, nothing happens."""
    await plaza.node()
    crowd = await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    await plaza.peers.left(S)
    assert await plaza.peers.state(S) == ready(1)
    for gone in crowd:
        await plaza.presence.disconnected(gone, at_once=True)
    await plaza.peers.left(S)
    assert (await plaza.nodes.relay(S)).node_id == ""
    await plaza.peers.left(S)
    assert (await plaza.nodes.relay(S)).generation == 2


async def test_who_takes_back_too_late_takes_nothing(plaza: Plaza) -> None:
    """Another function changed it first: what that one made of it is the answer."""
    await plaza.node()
    await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    assert await plaza.peers._take_back(Relay(S)) == ready(1)


async def test_who_always_comes_second_takes_what_there_is(plaza: Plaza) -> None:
    """Attempts are bounded."""
    await plaza.crowd(MANY)

    async def never(relay: Relay, now_ms: int) -> bool:
        return False

    plaza.nodes.change = never  # type: ignore[method-assign]
    assert await plaza.peers.crowded(S) == NONE


# -- telling the node --


async def test_the_node_hears_of_removals_and_the_end(plaza: Plaza) -> None:
    """With the session that it is about; a room without a node tells nobody."""
    removed = ParticipantRemoved(user_id="p0", banned=True, by="ada")
    await plaza.peers.notify(S, removed)
    await plaza.node()
    await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    await plaza.peers.notify(S, removed)
    (heard,) = plaza.told_node(N1, ParticipantRemoved)
    assert (heard.user_id, heard.session_id) == ("p0", S)
    await plaza.peers.notify(S, SessionEnded(session_id=S))
    assert plaza.told_node(N1, SessionEnded) == [SessionEnded(session_id=S)]
    await plaza.peers.notify(S, VoiceChanged())
    assert plaza.told_node(N1, VoiceChanged) == [VoiceChanged(session_id=S)]
    await plaza.nodes.clear_connection(N1, f"n-{N1}")
    await plaza.peers.notify(S, removed)
    assert len(plaza.told_node(N1, ParticipantRemoved)) == 1


async def test_work_that_any_node_can_do_is_told_to_the_least_loaded(plaza: Plaza) -> None:
    """Of those that live; where none does, one is asked for."""
    work = VoiceMix(session_id=S, recording_id="rec_" + "a" * 20)
    assert not await plaza.peers.work(work)
    assert plaza.scaler.asked == [0]
    await plaza.node(N1, load=50)
    await plaza.node(N2, load=10)
    assert await plaza.peers.work(work)
    assert (plaza.told_node(N1, VoiceMix), plaza.told_node(N2, VoiceMix)) == ([], [work])
    await plaza.nodes.clear_connection(N2, f"n-{N2}")
    assert await plaza.peers.work(work)
    assert plaza.told_node(N1, VoiceMix) == [work]


async def test_a_registry_that_is_away_keeps_nobody_from_what_they_do_beside_it(plaza: Plaza) -> None:
    """A removal takes every carrier, a ping is answered, a seat is free, whether or not the node can be told."""
    plaza.nodes.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    await plaza.peers.notify(S, ParticipantRemoved(user_id="p0", banned=True, by="ada"))
    await plaza.peers.look(S)
    await plaza.peers.left(S)
    assert plaza.logged == ["relay.not_seen_to"] * 3


async def test_a_room_that_cannot_be_moved_keeps_no_other_from_it(plaza: Plaza) -> None:
    """The first failure is told, after all had their turn."""
    other = "ses_" + "b" * 20
    await plaza.node()
    await plaza.node(N2)
    for session_id in (S, other):
        await plaza.crowd(MANY, session_id)
        await plaza.peers.crowded(session_id)
    plaza.nodes.broken.add(S)
    with pytest.raises(AppError):
        await plaza.peers.node_gone(N1, (S, other))
    assert (await plaza.nodes.relay(other)).node_id == N2


async def test_nothing_is_left_of_a_session(plaza: Plaza) -> None:
    """Neither who relayed it nor that a node had it."""
    await plaza.node()
    await plaza.crowd(MANY)
    await plaza.peers.crowded(S)
    await plaza.peers.ended(S)
    await plaza.peers.ended(S)
    assert plaza.nodes.relays == {}
    assert await plaza.nodes.rooms_of(N1) == ()
