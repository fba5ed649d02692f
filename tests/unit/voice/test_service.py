"""Voice of a room over the fakes, which pass the stores' contract: joining, moderation, races, what is told."""

import asyncio

import pytest
from msgspec.structs import replace as changed

from chalicelib.voice.book import Book, Person
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ParticipantRemoved
from chalicelib.wire.peers import RelayState, RelayStatus, Topology
from chalicelib.wire.types import UserKind
from chalicelib.wire.voice import (
    ActiveRecording,
    JoinVoice,
    VoiceChanged,
    VoiceChannelSettings,
    VoiceJoined,
    VoicePersonChange,
    Zone,
)
from tests.fakes.voice import TAB, Hall, S, who

OLGA, ANN, EVE = who("olga"), who("ann"), who("x-eve")
Change = VoicePersonChange


@pytest.fixture
async def hall() -> Hall:
    """A room with nobody in it."""
    return Hall()


async def test_joining_says_how_to_be_heard(hall: Hall) -> None:
    """What the seed's handler says, and everything that a page needs."""
    joined = await hall.join("ann")
    assert (joined.success, joined.message) == (True, "Voice chat joined successfully")
    assert joined.peer_connection_id.startswith("pc_")
    assert (joined.session_id, joined.channel.channel_id, joined.slots) == (S, "main", limits.VOICE_SLOTS)
    assert (joined.carrier, joined.relay.status) == (Topology.MESH, RelayStatus.NONE)
    assert joined.ice.ice_servers[0].urls == ("stun:turn.test",)
    assert joined.voice == await hall.voice.state(S, ANN)
    assert (await hall.join("ann")).peer_connection_id == joined.peer_connection_id


async def test_on_a_relay_the_node_carries(hall: Hall) -> None:
    """Once it is ready."""
    hall.carrier.state = RelayState(status=RelayStatus.READY, generation=2, peer_id="node_1.relay")
    joined = await hall.join("ann")
    assert (joined.carrier, joined.relay) == (Topology.RELAY, hall.carrier.state)


async def test_every_change_is_told_with_all_of_voice(hall: Hall) -> None:
    """To everybody in the room, in voice or not; to the node without it. Revisions grow by one."""
    await hall.page("bob")
    first = await hall.join("ann")
    await hall.voice.change_person(S, ANN, "ann", Change(hand_raised=True))
    await hall.voice.leave(S, ANN, TAB)
    revisions = [told.voice.revision for told in hall.told("bob") if told.voice]
    assert revisions == [1, 2, 3]
    assert hall.told("bob")[0].voice == first.voice
    assert hall.told("bob")[-1].voice == await hall.voice.state(S, ANN)
    assert hall.node.told == [VoiceChanged()] * 3


async def test_what_changes_nothing_is_not_told(hall: Hall) -> None:
    """Nor written: joining again, leaving twice, the same word twice."""
    await hall.join("ann")
    await hall.join("ann")
    for _ in range(2):
        await hall.voice.change_person(S, OLGA, "ann", Change(muted=True))
    for _ in range(2):
        await hall.voice.leave(S, ANN, TAB)
    assert (hall.store.writes, len(hall.told("ann"))) == (3, 3)


async def test_a_page_is_ones_own_and_is_there(hall: Hall) -> None:
    """Or it cannot join, whosoever else's it may be."""
    await hall.page("bob")
    for tab in (TAB, "nobody01"):
        with pytest.raises(AppError) as caught:
            await hall.voice.join(S, ANN, JoinVoice(tab_id=tab))
        assert caught.value.code is Code.PEER_UNKNOWN
    assert hall.store.writes == 0


async def test_strangers_are_refused_everything(hall: Hall) -> None:
    """By the gate, before anything is looked at."""
    settings = VoiceChannelSettings(name="Side")
    calls = (
        hall.voice.state(S, EVE),
        hall.voice.join(S, EVE, JoinVoice(tab_id=TAB)),
        hall.voice.leave(S, EVE, TAB),
        hall.voice.channels(S, EVE),
        hall.voice.make_channel(S, EVE, settings),
        hall.voice.change_channel(S, EVE, "main", settings),
        hall.voice.drop_channel(S, EVE, "main"),
        hall.voice.change_person(S, EVE, EVE.user_id, Change(self_muted=True)),
        hall.voice.blocks(S, EVE),
        hall.voice.block(S, EVE, "ann"),
        hall.voice.unblock(S, EVE, "ann"),
    )
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, AppError)
        assert outcome.code is Code.ROLE_INSUFFICIENT


async def test_a_channel_with_a_zone_is_walked_into(hall: Hall) -> None:
    """Nobody listens in from elsewhere, unseen; an owner puts there whom they like."""
    zone = Zone(least=(0, 0, 0), greatest=(2, 3, 2))
    booth = (await hall.voice.make_channel(S, OLGA, VoiceChannelSettings(name="Booth", zone=zone))).channel_id
    await hall.page("ann")
    with pytest.raises(AppError) as caught:
        await hall.voice.join(S, ANN, JoinVoice(tab_id=TAB, channel_id=booth))
    assert caught.value.code is Code.ROLE_INSUFFICIENT
    await hall.join("ann")
    with pytest.raises(AppError) as caught:
        await hall.voice.change_person(S, ANN, "ann", Change(channel_id=booth))
    assert caught.value.code is Code.ROLE_INSUFFICIENT
    assert (await hall.voice.state(S, ANN)).people[0].channel_id == "main"
    assert (await hall.voice.change_person(S, OLGA, "ann", Change(channel_id=booth))).channel_id == booth


async def test_channels_are_the_owners_affair(hall: Hall) -> None:
    """They make, change and drop them; others see them."""
    settings = VoiceChannelSettings(name="Side")
    for call in (
        hall.voice.make_channel(S, ANN, settings),
        hall.voice.change_channel(S, ANN, "main", settings),
        hall.voice.drop_channel(S, ANN, "main"),
    ):
        with pytest.raises(AppError) as caught:
            await call
        assert caught.value.code is Code.ROLE_INSUFFICIENT
    made = await hall.voice.make_channel(S, OLGA, settings)
    changed = await hall.voice.change_channel(S, OLGA, made.channel_id, VoiceChannelSettings(name="Aside"))
    assert [c.name for c in (await hall.voice.channels(S, ANN)).channels] == ["Main", "Aside"]
    await hall.voice.drop_channel(S, OLGA, changed.channel_id)
    assert [c.name for c in (await hall.voice.channels(S, ANN)).channels] == ["Main"]


async def test_moderating_is_the_owners_affair(hall: Hall) -> None:
    """And one's own microphone one's own."""
    await hall.join("ann")
    await hall.join("bob")
    for identity, what in ((ANN, Change(muted=True)), (OLGA, Change(self_muted=False))):
        with pytest.raises(AppError) as caught:
            await hall.voice.change_person(S, identity, "bob", what)
        assert caught.value.code is Code.ROLE_INSUFFICIENT
    assert (await hall.voice.change_person(S, OLGA, "bob", Change(muted=True, priority=True))).muted


async def test_nobody_takes_themselves_out(hall: Hall) -> None:
    """An owner who did would be told that they were removed; another's word they may take back."""
    await hall.join("olga")
    with pytest.raises(AppError) as caught:
        await hall.voice.change_person(S, who("olga"), "olga", VoicePersonChange(removed=True))
    assert caught.value.code is Code.ROLE_INSUFFICIENT
    state = await hall.voice.state(S, who("olga"))
    assert (len(state.people), state.removed) == (1, ())
    await hall.voice.change_person(S, who("olga"), "olga", VoicePersonChange(removed=False))


async def test_two_who_race_for_the_last_place(hall: Hall) -> None:
    """However many functions decide at once, a channel has as many as it may; everybody else is told why."""
    made = await hall.voice.make_channel(S, OLGA, VoiceChannelSettings(name="Booth", capacity=3))
    names = [f"p{n}" for n in range(12)]
    for name in names:
        await hall.page(name)
    body = JoinVoice(tab_id=TAB, channel_id=made.channel_id)
    outcomes = await asyncio.gather(
        *(hall.container().join(S, who(name), body) for name in names), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, AppError)]
    assert {error.code for error in refused} == {Code.VOICE_CHANNEL_FULL}
    assert len(refused) == 9
    assert len((await hall.voice.state(S, ANN)).people) == 3
    entered = sorted(o.voice.revision for o in outcomes if isinstance(o, VoiceJoined))
    assert entered == [2, 3, 4]


async def test_a_change_whose_answer_was_lost_is_made_once(hall: Hall) -> None:
    """It is found to be there already, and is told all the same."""
    hall.store.lost_answers = 1
    await hall.page("ann")
    made = await hall.voice.make_channel(S, OLGA, VoiceChannelSettings(name="Side"))
    assert [c.channel_id for c in (await hall.voice.channels(S, ANN)).channels] == ["main", made.channel_id]
    assert hall.store.writes == 1
    assert len(hall.told("ann")) == 1


async def test_who_always_comes_second_is_told_to_come_again(hall: Hall) -> None:
    """After a bounded number of attempts."""
    hall.store.lost_answers = 1000
    await hall.page("ann")

    def other(book: Book) -> ActiveRecording:
        return ActiveRecording(
            recording_id="rec_" + "0" * 20, channel_id="main", started_by="ann", started_at_ms=book.revision
        )

    with pytest.raises(AppError) as caught:
        await hall.voice.record(S, other)
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
    assert caught.value.retry_after_ms


async def test_a_page_that_crashed_is_out(hall: Hall) -> None:
    """Before anybody has noticed; the next change writes it down."""
    await hall.join("ann")
    await hall.join("bob")
    await hall.crash("ann")
    assert [p.user_id for p in (await hall.voice.state(S, OLGA)).people] == ["bob"]
    await hall.voice.change_person(S, who("bob"), "bob", Change(hand_raised=True))
    assert list((await hall.store.read(S)).members) == [f"bob.{TAB}"]


async def test_a_page_that_is_swept_away_leaves_voice(hall: Hall) -> None:
    """The others are told at once; nothing is, of one that was not in it."""
    await hall.join("ann")
    await hall.join("bob")
    await hall.page("cyd")
    for name in ("ann", "cyd"):
        await hall.crash(name)
    before = len(hall.told("bob"))
    await hall.presence.broadcast(S)
    (told,) = hall.told("bob")[before:]
    assert told.voice is not None
    assert [p.user_id for p in told.voice.people] == ["bob"]


async def test_a_page_that_drops_for_a_moment_stays(hall: Hall) -> None:
    """Its row has its grace; and it is the same page, since when it was."""
    await hall.join("ann")
    await hall.rows.leave(S, f"ann.{TAB}", f"c-ann-{TAB}", hall.clock.ms + limits.LEAVE_GRACE_S * 1000)
    hall.clock.ms += 1000
    assert len((await hall.voice.state(S, ANN)).people) == 1
    await hall.page("ann")
    assert len((await hall.voice.state(S, ANN)).people) == 1
    await hall.crash("ann")
    hall.clock.ms += 1000
    await hall.page("ann")
    assert (await hall.voice.state(S, ANN)).people == ()


async def test_who_is_put_out_of_the_room_is_out_of_voice(hall: Hall) -> None:
    """With all pages."""
    await hall.join("ann")
    await hall.join("ann", "tab00002")
    await hall.join("bob")
    await hall.presence.expel(S, "ann", ParticipantRemoved(user_id="ann", banned=False, by="olga"))
    await hall.voice.expelled(S, "ann")
    await hall.voice.expelled(S, "cyd")
    told = hall.told("bob")[-1].voice
    assert told is not None
    assert [p.user_id for p in told.people] == ["bob"]
    assert hall.store.writes == 4


async def test_a_change_stands_though_nobody_could_be_told(hall: Hall) -> None:
    """It is noted; the next one tells all of it."""
    hall.node.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    joined = await hall.join("ann")
    assert joined.success
    assert hall.logged == ["voice.not_told"]
    await hall.voice.block(S, ANN, "bob")
    assert hall.logged == ["voice.not_told"] * 2


async def test_blocks_are_ones_own_and_nobody_is_told(hall: Hall) -> None:
    """But the node, which reads them; they are the same in every room."""
    await hall.join("ann")
    before = len(hall.told("ann"))
    assert (await hall.voice.block(S, ANN, "bob")).blocked == ("bob",)
    assert (await hall.voice.block(S, who("ann", UserKind.GUEST), "abe")).blocked == ("abe", "bob")
    assert (await hall.voice.blocks(S, who("bob"))).blocked == ()
    await hall.voice.unblock(S, ANN, "abe")
    assert (await hall.voice.blocks(S, ANN)).blocked == ("bob",)
    assert (len(hall.told("ann")), len(hall.node.told)) == (before, 4)
    assert (await hall.voice.block(S, ANN, "ann")).blocked == ("bob",)
    hall.store.sets["ann"] = frozenset(f"u{n}" for n in range(limits.VOICE_BLOCKS_MAX))
    with pytest.raises(AppError) as caught:
        await hall.voice.block(S, ANN, "bob")
    assert caught.value.code is Code.VOICE_BLOCK_LIMIT


async def test_a_node_reads_state_and_blocks_together(hall: Hall) -> None:
    """Of who is in voice and there; nothing of others'."""
    assert (await hall.reading.rules(S)).state == await hall.voice.state(S, ANN)
    for name in ("ann", "bob", "cyd"):
        await hall.join(name)
        await hall.voice.block(S, who(name), "eve")
    await hall.voice.block(S, who("zoe"), "ann")
    await hall.crash("cyd")
    rules = await hall.reading.rules(S)
    assert rules.state == await hall.voice.state(S, ANN)
    assert rules.blocks == {"ann": {"eve"}, "bob": {"eve"}}


async def test_what_is_recorded_is_told(hall: Hall) -> None:
    """And taken away again; whoever refuses changes nothing."""
    await hall.page("ann")
    recording = ActiveRecording(recording_id="rec_" + "0" * 20, channel_id="main", started_by="olga", started_at_ms=1)
    assert (await hall.voice.record(S, lambda _: recording)).recording == recording

    def refuse(_: Book) -> None:
        raise AppError(Code.ROLE_INSUFFICIENT)

    with pytest.raises(AppError):
        await hall.voice.record(S, refuse)
    assert (await hall.voice.record(S, lambda _: None)).recording is None
    assert [bool(told.voice and told.voice.recording) for told in hall.told("ann")] == [True, False]


async def test_more_than_a_message_carries_is_read(hall: Hall) -> None:
    """Pages are told that there is something, without it."""
    names = tuple(f"{n:064}" for n in range(limits.VOICE_SPEAKERS_MAX))
    await hall.page("ann")
    for _ in range(limits.VOICE_CHANNELS_MAX - 1):
        await hall.voice.make_channel(S, OLGA, VoiceChannelSettings(name="\N{MUSICAL NOTE}" * 64, speaker_ids=names))
    assert hall.told("ann")[-1].voice is not None
    book = await hall.store.read(S)
    removed = {f"{n:064}": Person(removed=True) for n in range(limits.VOICE_REMEMBERED_MAX)}
    await hall.store.swap(S, book.revision, changed(book, revision=book.revision + 1, people=removed), 0)
    joined = await hall.join("ann")
    assert hall.told("ann")[-1] == VoiceChanged()
    assert await hall.voice.state(S, ANN) == joined.voice


async def test_an_ended_session_leaves_no_voice(hall: Hall) -> None:
    """Its book goes; what people block is theirs."""
    await hall.join("ann")
    await hall.voice.block(S, ANN, "bob")
    await hall.voice.erase(S)
    assert await hall.store.read(S) == Book()
    assert await hall.store.blocked("ann") == {"bob"}
