"""A room's recordings over the fakes: who may what, what is shown, what ends by itself, what is left of it."""

import asyncio

import pytest
from msgspec.structs import replace

from chalicelib.voice import recordings_model as model
from chalicelib.voice.recordings import RecordingService
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import RelayState, RelayStatus
from chalicelib.wire.voice import (
    ChangeRecording,
    ChannelKind,
    MixStatus,
    Recording,
    RecordingStatus,
    StartRecording,
    VoiceChannelSettings,
    VoiceMix,
)
from tests.fakes.recordings import MemoryFiles, MemoryShelf
from tests.fakes.voice import Hall, MemoryGate, S, who

OLGA, ANN, EVE = who("olga"), who("ann"), who("x-eve")
START, STOP, MIX = StartRecording(), ChangeRecording(stop=True), ChangeRecording(mix=True)
YES, NO = ChangeRecording(consent=True), ChangeRecording(consent=False)
LEASE_MS = limits.RECORDING_LEASE_S * 1000


class Nodes:
    """Media nodes: what they were told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.work_of: list[VoiceMix] = []
        self.away: AppError | None = None

    async def record(self, session_id: str) -> RelayState:
        if self.away:
            raise self.away
        self.calls.append("record")
        return RelayState(status=RelayStatus.STARTING)

    async def recorded(self, session_id: str) -> None:
        self.calls.append("recorded")

    async def work(self, message: VoiceMix) -> bool:
        if self.away:
            raise self.away
        self.work_of.append(message)
        return True


class Studio:
    """A room with voice, where things are recorded."""

    def __init__(self) -> None:
        self.hall = Hall()
        self.shelf, self.files, self.nodes = MemoryShelf(), MemoryFiles(), Nodes()
        self.logged: list[str] = []
        self._ids = 0
        self.service = RecordingService(
            MemoryGate(),
            self.shelf,
            self.files,
            self.hall.voice,
            self.nodes,
            now_ms=self.hall.clock,
            new_id=self._new_id,
            log=lambda name, **_: self.logged.append(name),
        )

    def _new_id(self, characters: int) -> str:
        self._ids += 1
        return f"{self._ids:0{characters}d}"

    async def start(self) -> str:
        """Olga starts one."""
        return (await self.service.start(S, OLGA, START)).recording_id

    async def consented(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Who may be written, and who not; as everybody sees it."""
        active = (await self.hall.voice.state(S, OLGA)).recording
        assert active is not None
        return active.consented, active.declined

    async def shown(self) -> str | None:
        """What everybody sees being recorded."""
        active = (await self.hall.voice.state(S, OLGA)).recording
        return active.recording_id if active else None

    async def ready(self) -> str:
        """One that was written, stopped and finished, with a track."""
        recording_id = await self.start()
        await self.step(lambda row: model.taken(row, "node_1", self.hall.clock()))
        await self.service.change(S, OLGA, recording_id, STOP)
        await self.step(lambda row: model.written(row, "node_1", self.hall.clock()))
        await self.step(lambda row: model.begun(row, "w", self.hall.clock()))
        track = model.Track(
            peer_id="ann.tab00001", user_id="ann", name="Ann", from_ms=500, duration_ms=900, size_bytes=7
        )
        await self.step(lambda row: model.finished(row, "w", (track,), 2000))
        return recording_id

    async def step(self, change: object) -> None:
        """As a node does."""
        after = change(self.shelf.row)  # type: ignore[operator]
        assert after is not None
        assert await self.shelf.change(self.shelf.row, after)


@pytest.fixture
async def studio() -> Studio:
    """Olga, who owns the room, and Ann, both in voice."""
    made = Studio()
    for name in ("olga", "ann"):
        await made.hall.join(name)
    return made


async def refused(code: Code, call: object) -> None:
    """That it is, so."""
    with pytest.raises(AppError) as caught:
        await call  # type: ignore[misc]
    assert caught.value.code is code


async def test_everybody_sees_what_is_recorded(studio: Studio) -> None:
    """Who starts it is in it; the room has a node from then on; a channel's law is kept with it."""
    settings = VoiceChannelSettings(name="Stage", kind=ChannelKind.STAGE)
    channel = await studio.hall.voice.make_channel(S, OLGA, settings)
    started = await studio.service.start(S, OLGA, StartRecording(channel_id=channel.channel_id, name="Talk"))
    assert (started.name, started.status, started.duration_ms) == ("Talk", RecordingStatus.RECORDING, 0)
    assert await studio.shown() == started.recording_id
    assert await studio.consented() == (("olga",), ())
    assert studio.nodes.calls == ["record"]
    assert (studio.shelf.row.kind, studio.shelf.row.started_by) == (ChannelKind.STAGE, "olga")
    assert (await studio.service.list(S, ANN)).recordings == (started,)
    assert await studio.service.get(S, ANN, started.recording_id) == started


async def test_only_owners_start_stop_mix_and_delete(studio: Studio) -> None:
    """A stranger does not even see one."""
    recording_id = await studio.start()
    service = studio.service
    for call in (
        service.start(S, ANN, START),
        service.change(S, ANN, recording_id, STOP),
        service.change(S, ANN, recording_id, MIX),
        service.delete(S, ANN, recording_id),
        service.list(S, EVE),
        service.get(S, EVE, recording_id),
        service.change(S, EVE, recording_id, YES),
    ):
        await refused(Code.ROLE_INSUFFICIENT, call)


async def test_everybody_says_for_themselves(studio: Studio) -> None:
    """Yes, no, and yes again; who is not in voice has nothing to consent to."""
    recording_id = await studio.start()
    change = studio.service.change
    for said, want in (
        (YES, (("ann", "olga"), ())),
        (NO, (("olga",), ("ann",))),
        (NO, (("olga",), ("ann",))),
        (YES, (("ann", "olga"), ())),
    ):
        await change(S, ANN, recording_id, said)
        assert await studio.consented() == want
    await change(S, OLGA, recording_id, NO)
    assert await studio.consented() == (("ann",), ("olga",))
    await refused(Code.VOICE_NOT_JOINED, change(S, who("bob"), recording_id, YES))
    await change(S, who("bob"), recording_id, NO)
    assert await studio.consented() == (("ann",), ("olga",))


async def test_one_at_a_time(studio: Studio) -> None:
    """Of two that start at once one does."""
    outcomes = await asyncio.gather(studio.start(), studio.start(), return_exceptions=True)
    refusals = [each for each in outcomes if isinstance(each, AppError)]
    assert [each.code for each in refusals] == [Code.RECORDING_UNDER_WAY]
    assert len(studio.shelf.rows) == 1
    assert await studio.shown() == studio.shelf.row.recording_id
    await refused(Code.RECORDING_UNDER_WAY, studio.start())


async def test_a_start_that_fails_leaves_nothing(studio: Studio) -> None:
    """Neither a row nor something that everybody sees."""
    studio.nodes.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    await refused(Code.UPSTREAM_UNAVAILABLE, studio.start())
    assert (studio.shelf.rows, await studio.shown()) == ({}, None)


async def test_a_channel_that_is_not_there(studio: Studio) -> None:
    """Is not recorded."""
    body = StartRecording(channel_id="vch_" + "z" * 12)
    await refused(Code.VOICE_CHANNEL_UNKNOWN, studio.service.start(S, OLGA, body))
    await refused(Code.RECORDING_UNKNOWN, studio.service.get(S, OLGA, "rec_" + "z" * 20))


async def test_there_are_only_so_many(studio: Studio) -> None:
    """One is deleted first."""
    await studio.ready()
    for n in range(limits.RECORDINGS_MAX - 1):
        studio.shelf.rows[S, f"rec_{n}"] = replace(
            studio.shelf.rows[S, "rec_" + "1".zfill(20)], recording_id=f"rec_{n}"
        )
    await refused(Code.RECORDING_LIMIT, studio.start())


async def test_it_stops(studio: Studio) -> None:
    """Nobody sees it recorded any more; the node, which still has something of it, is not asked for anything yet."""
    recording_id = await studio.start()
    await studio.step(lambda row: model.taken(row, "node_1", studio.hall.clock()))
    for _ in range(2):
        stopped = await studio.service.change(S, OLGA, recording_id, STOP)
        assert stopped.status is RecordingStatus.FINISHING
    assert await studio.shown() is None
    assert studio.nodes.calls == ["record", "recorded"]
    assert studio.nodes.work_of == []
    await refused(Code.RECORDING_UNKNOWN, studio.service.change(S, ANN, recording_id, YES))


async def test_one_whose_node_died_is_seen_by_whoever_looks(studio: Studio) -> None:
    """It is finished by another: asked once, and again where that came to nothing."""
    recording_id = await studio.start()
    await studio.step(lambda row: model.taken(row, "node_1", studio.hall.clock()))
    studio.hall.clock.ms += LEASE_MS - 1
    assert (await studio.service.get(S, ANN, recording_id)).status is RecordingStatus.RECORDING
    studio.hall.clock.ms += 1
    for _ in range(2):
        (seen,) = (await studio.service.list(S, ANN)).recordings
        assert seen.status is RecordingStatus.FINISHING
    assert await studio.shown() is None
    mix = VoiceMix(session_id=S, recording_id=recording_id)
    assert studio.nodes.work_of == [mix]
    studio.hall.clock.ms += 5001
    await studio.service.get(S, ANN, recording_id)
    assert studio.nodes.work_of == [mix, mix]
    assert "recording.lapsed" in studio.logged


@pytest.mark.parametrize("look", ["list", "get", "start"])
async def test_one_that_a_node_has_ended_is_shown_no_more(studio: Studio, look: str) -> None:
    """Its files may be there before anybody looks; the room gives its node back."""
    recording_id = await studio.start()
    await studio.step(lambda row: model.taken(row, "node_1", studio.hall.clock()))
    await studio.step(lambda row: model.stopped(row, studio.hall.clock()))
    await studio.step(lambda row: model.written(row, "node_1", studio.hall.clock()))
    await studio.step(lambda row: model.begun(row, "w", studio.hall.clock()))
    await studio.step(lambda row: model.finished(row, "w", (), 2000))
    assert await studio.shown() == recording_id
    if look == "list":
        await studio.service.list(S, ANN)
    elif look == "get":
        await studio.service.get(S, ANN, recording_id)
    else:
        assert await studio.start() == await studio.shown() != recording_id
        return
    assert await studio.shown() is None
    assert studio.nodes.calls == ["record", "recorded"]


async def test_nodes_that_are_away_keep_nobody_from_looking(studio: Studio) -> None:
    """They look by themselves, later."""
    recording_id = await studio.start()
    studio.nodes.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    assert (await studio.service.change(S, OLGA, recording_id, STOP)).status is RecordingStatus.FINISHING
    assert "recording.not_asked" in studio.logged


async def test_another_may_start_once_the_first_ran_out(studio: Studio) -> None:
    """Though nobody stopped it."""
    first = await studio.start()
    studio.hall.clock.ms += limits.NODE_START_S * 1000
    second = await studio.start()
    assert await studio.shown() == second != first


async def test_files_are_there_when_it_is_ready(studio: Studio) -> None:
    """By addresses that end; each is kept under a name that says what it is."""
    recording_id = await studio.ready()
    got = await studio.service.get(S, ANN, recording_id)
    prefix, ttl = f"https://bucket/recordings/{S}/{recording_id}/", limits.RECORDING_URL_TTL_S
    assert got.tracks[0].url == f"{prefix}tracks/ann.tab00001.ogg?ttl={ttl}&as=Recording in Main - Ann.ogg"
    assert got.timeline_url == f"{prefix}timeline.jsonl?ttl={ttl}&as=Recording in Main.jsonl"
    assert (got.mix, got.mix_url, got.duration_ms) == (MixStatus.NONE, None, 2000)
    (listed,) = (await studio.service.list(S, ANN)).recordings
    assert (listed.tracks, listed.timeline_url) == ((), None)


async def test_a_mix_is_asked_for(studio: Studio) -> None:
    """Once it is ready; a node is told; once more asks nobody for another."""
    recording_id = await studio.start()
    await refused(Code.RECORDING_NOT_READY, studio.service.change(S, OLGA, recording_id, MIX))
    await studio.service.delete(S, OLGA, recording_id)
    recording_id = await studio.ready()
    studio.nodes.work_of.clear()
    studio.hall.clock.ms += 6000
    for _ in range(2):
        assert (await studio.service.change(S, OLGA, recording_id, MIX)).mix is MixStatus.QUEUED
    assert studio.nodes.work_of == [VoiceMix(session_id=S, recording_id=recording_id)]
    await studio.step(lambda row: model.begun(row, "w", studio.hall.clock()))
    await studio.step(lambda row: model.mixed(row, "w"))
    got: Recording = await studio.service.get(S, ANN, recording_id)
    assert got.mix_url is not None
    assert "/mix.ogg?" in got.mix_url


async def test_a_mix_of_nothing_is_refused_for_good(studio: Studio) -> None:
    """Nobody is told to wait for one that will never be; what it was for lack of is said."""
    recording_id = await studio.start()
    await studio.service.change(S, OLGA, recording_id, STOP)
    await studio.step(lambda row: model.begun(row, "w", studio.hall.clock()))
    await studio.step(lambda row: model.finished(row, "w", (), 0))
    failed = studio.shelf.row
    for row, why in (
        (failed, "it was over before a media node had begun to write"),
        (replace(failed, heard_at_ms=1), "its files could not be made"),
        (replace(failed, status=RecordingStatus.READY, heard_at_ms=1), "nobody who consented was heard"),
    ):
        studio.shelf.rows[S, recording_id] = row
        with pytest.raises(AppError) as caught:
            await studio.service.change(S, OLGA, recording_id, MIX)
        assert (caught.value.code, caught.value.detail) == (Code.RECORDING_EMPTY, why)


async def test_what_is_deleted_is_gone(studio: Studio) -> None:
    """The row, the parts, the files; nothing of another. One that is under way ends."""
    recording_id = await studio.start()
    other = f"recordings/{S}/rec_other/mix.ogg"
    for key in (f"parts/{S}/{recording_id}/1", f"recordings/{S}/{recording_id}/mix.ogg", other):
        await studio.files.put(key, b"x", "audio/ogg")
    await studio.service.delete(S, OLGA, recording_id)
    assert (studio.shelf.rows, list(studio.files.held), await studio.shown()) == ({}, [other], None)
    assert studio.nodes.calls == ["record", "recorded"]
    await refused(Code.RECORDING_UNKNOWN, studio.service.delete(S, OLGA, recording_id))


async def test_nothing_is_left_of_a_session(studio: Studio) -> None:
    """Once more is harmless."""
    recording_id = await studio.ready()
    await studio.files.put(f"recordings/{S}/{recording_id}/mix.ogg", b"x", "audio/ogg")
    for _ in range(2):
        await studio.service.erase(S)
    assert (studio.shelf.rows, studio.files.held) == ({}, {})


async def test_what_a_container_remembers_is_bounded(studio: Studio) -> None:
    """Of what it asked for."""
    recording_id = await studio.start()
    studio.service._asked.update({f"rec_{n}": 0 for n in range(1001)})
    await studio.service.change(S, OLGA, recording_id, STOP)
    assert list(studio.service._asked) == [recording_id]
