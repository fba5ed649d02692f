"""A recording through the whole system: real functions, a real node, native voices; and one whose node is killed."""

import asyncio
import fractions
import math
import os
import signal
import time
import urllib.request
from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection
from av import AudioFrame

from benchmarks.client import Api, PeerClient, Person, Refused
from benchmarks.relayed import RelayClient
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.peers import RelayState, RelayStatus
from chalicelib.wire.signals import RelayChanged
from chalicelib.wire.types import Pose, PresenceState, Vec3
from chalicelib.wire.voice import MixStatus, Recording, Recordings, RecordingStatus, TimelineEvent, VoiceState
from local.stack import Stack
from media_node.ogg import Reader
from tests.fakes.recordings import accepted, decoded, programs, rms_db

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), programs]
RATE, FRAME, TAB = 48_000, 960, "tab00001"
PLACES: tuple[Vec3, Vec3] = ((-3.0, 1.6, 0.0), (3.0, 1.6, 0.0))


class Tone(MediaStreamTrack):
    """Somebody hums."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._sent = 0
        self._began_s = 0.0

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due."""
        self._began_s = self._began_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._began_s + self._sent / RATE - time.monotonic()))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        tone = (8000 * math.sin(2 * math.pi * self._hertz * (self._sent + n) / RATE) for n in range(FRAME))
        frame.planes[0].update(array("h", map(int, tone)).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sent, fractions.Fraction(1, RATE)
        self._sent += FRAME
        return frame


class Voice:
    """Somebody in the room, who is in voice."""

    def __init__(self, api: Api, person: Person, page: PeerClient, path: str, hertz: float) -> None:
        self.api, self.person, self.path = api, person, path
        self.page = page
        self.relayed = RelayClient(page)
        self.relayed.prepare = self._prepare
        self.generation = 0
        """Of the room's relay."""
        self._hertz = hertz

    def _prepare(self, connection: RTCPeerConnection) -> None:
        connection.addTransceiver(Tone(self._hertz), direction="sendonly")

    async def at(self, relay: RelayState, place: Vec3) -> None:
        """Speaks from there, by that node."""
        self.generation = relay.generation
        await self.relayed.connect(relay, timeout_s=30)
        self.relayed.update(PresenceState(pose=Pose(position=place, rotation=(0.0, 0.0, 0.0, 1.0))))

    async def ask(self, method: str, tail: str = "", body: object = None) -> Recording:
        """Of one recording."""
        return await self.api.call(method, f"{self.path}/recordings{tail}", self.person, body, Recording)

    async def until(self, recording_id: str, ready: str, seconds: float = 60) -> Recording:
        """Looks again and again, as a page does, until it or its mix is ready."""
        async with asyncio.timeout(seconds):
            while True:
                found = await self.ask("GET", f"/{recording_id}")
                status = found.status if ready == "files" else found.mix
                if status in {RecordingStatus.READY, MixStatus.READY}:
                    return found
                assert status not in {RecordingStatus.FAILED, MixStatus.FAILED}
                await asyncio.sleep(0.3)

    async def fetch(self, url: str) -> bytes:
        """A file."""

        def read() -> bytes:
            with urllib.request.urlopen(self.api.base_url + url) as reply:
                data: bytes = reply.read()
                return data

        return await asyncio.to_thread(read)


@pytest.fixture(scope="module")
def system() -> Iterator[Stack]:
    """A system of its own: its node is killed."""
    with Stack() as running:
        yield running


@pytest.fixture
async def api(system: Stack) -> AsyncIterator[Api]:
    """A client of it."""
    async with Api(system.base_url) as made:
        yield made


@asynccontextmanager
async def recorded(api: Api) -> AsyncIterator[tuple[Voice, Voice, str]]:
    """Ada, who owns the room, on the left, and Bob on the right, on the room's node; a recording that both consent to."""
    async with AsyncExitStack() as ends:
        people = [await api.guest(name) for name in ("Ada", "Bob")]
        session_id = (await api.create(people[0], "Studio")).session_id
        path = f"/collaboration/sessions/{session_id}/voice"
        voices = []
        for person, hertz in zip(people, (440.0, 1000.0), strict=True):
            page = await ends.enter_async_context(await api.enter(person, session_id, TAB))
            await api.offerable(person, session_id, TAB)
            await api.call("POST", path, person, {"tab_id": TAB}, msgspec.Raw)
            voices.append(Voice(api, person, page, path, hertz))
        ada, bob = voices
        told = asyncio.ensure_future(ada.page.next(RelayChanged, 60))
        await asyncio.sleep(0)
        recording = await ada.ask("POST", "", {"name": "Stand-up"})
        relay = (await told).relay
        while relay.status is not RelayStatus.READY:
            relay = (await ada.page.next(RelayChanged, 60)).relay
        for voice, place in zip(voices, PLACES, strict=True):
            ends.push_async_callback(voice.relayed.close)
            await voice.at(relay, place)
        await bob.ask("PUT", f"/{recording.recording_id}", {"consent": True})
        yield ada, bob, recording.recording_id


async def test_two_people_are_recorded_mixed_and_deleted(api: Api, tmp_path: Path) -> None:
    """What they said is in their files, by the place they stood at; strangers do nothing; what is deleted is gone."""
    async with recorded(api) as (ada, bob, recording_id):
        with pytest.raises(Refused) as caught:
            await ada.ask("POST", "", {})
        assert caught.value.error.code is Code.RECORDING_UNDER_WAY
        with pytest.raises(Refused) as caught:
            await bob.ask("PUT", f"/{recording_id}", {"stop": True})
        assert caught.value.error.code is Code.ROLE_INSUFFICIENT
        state = await api.call("GET", bob.path, bob.person, None, VoiceState)
        assert state.recording is not None
        assert set(state.recording.consented) == {ada.person.user_id, bob.person.user_id}
        await asyncio.sleep(5)
        await bob.ask("PUT", f"/{recording_id}", {"consent": False})
        await asyncio.sleep(2.5)
        stopped = await ada.ask("PUT", f"/{recording_id}", {"stop": True})
        assert stopped.status is not RecordingStatus.RECORDING
        done = await bob.until(recording_id, "files")
        tracks = {track.name: track for track in done.tracks}
        assert set(tracks) == {"Ada", "Bob"}
        for track in done.tracks:
            data = await bob.fetch(track.url)
            assert len(data) == track.size_bytes
            assert abs(accepted(data, tmp_path) * 1000 - track.duration_ms) < 50
            assert rms_db(decoded(Reader().feed(data))[0][RATE:]) > -30
        assert tracks["Ada"].duration_ms > 7000
        assert 4500 < tracks["Bob"].duration_ms < 6500  # not a word after he had said no
        lines = (await bob.fetch(done.timeline_url or "")).splitlines()
        events = [msgspec.json.decode(line, type=TimelineEvent) for line in lines]
        assert {(e.user_id, e.event) for e in events} >= {
            (who.person.user_id, event) for who in (ada, bob) for event in ("joined", "speaks", "silent")
        }
        assert [e.at_ms for e in events] == sorted(e.at_ms for e in events)
        await ada.ask("PUT", f"/{recording_id}", {"mix": True})
        mixed = await ada.until(recording_id, "mix")
        mix = await ada.fetch(mixed.mix_url or "")
        assert abs(accepted(mix, tmp_path) * 1000 - mixed.duration_ms) < 50
        left, right = decoded(Reader().feed(mix))
        alone = slice(int((tracks["Bob"].duration_ms + 1500) * 48), int((tracks["Bob"].duration_ms + 2000) * 48))
        assert rms_db(left[alone]) - rms_db(right[alone]) > 6  # Ada alone, on the left
        await api.call("DELETE", f"{ada.path}/recordings/{recording_id}", ada.person)
        assert (await api.call("GET", f"{ada.path}/recordings", bob.person, None, Recordings)).recordings == ()
        with pytest.raises(urllib.request.HTTPError):
            await bob.fetch(done.tracks[0].url)


async def test_a_recording_goes_on_where_its_room_is_moved_to(system: Stack, api: Api, tmp_path: Path) -> None:
    """A node that is told to go stores what it has, and the next one goes on: one file a page, of both."""
    async with recorded(api) as (ada, bob, recording_id):
        await asyncio.sleep(4)
        for pid in system.pids()["media"]:
            os.kill(pid, signal.SIGTERM)
        relay = await ada.relayed.relay(generation=ada.generation, timeout_s=60)
        for voice, place in zip((ada, bob), PLACES, strict=True):
            await voice.at(relay, place)
        await asyncio.sleep(4)
        await ada.ask("PUT", f"/{recording_id}", {"stop": True})
        done = await bob.until(recording_id, "files")
        assert {track.name for track in done.tracks} == {"Ada", "Bob"}
        for track in done.tracks:
            data = await bob.fetch(track.url)
            assert track.duration_ms > 7000
            assert abs(accepted(data, tmp_path) * 1000 - track.duration_ms) < 50
            samples = decoded(Reader().feed(data))[0]
            assert rms_db(samples[RATE : 2 * RATE]) > -30
            assert rms_db(samples[-2 * RATE : -RATE]) > -30


async def test_a_recording_whose_node_is_killed_plays(system: Stack, api: Api, tmp_path: Path) -> None:
    """Whoever looks finds that it has ended; another worker finishes it; no more than a part is lost, and some."""
    async with recorded(api) as (_, bob, recording_id):
        began_s = time.monotonic()
        await asyncio.sleep(8)
        for pid in system.pids()["media"]:
            os.kill(pid, signal.SIGKILL)
        said_ms = (time.monotonic() - began_s) * 1000
        killed_s = time.monotonic()
        done = await bob.until(recording_id, "files", seconds=limits.RECORDING_LEASE_S + 60)
        assert time.monotonic() - killed_s < limits.RECORDING_LEASE_S + 45
        assert {track.name for track in done.tracks} == {"Ada", "Bob"}
        for track in done.tracks:
            assert track.duration_ms > said_ms - limits.RECORDING_PART_S * 1000 - 1500
            assert abs(accepted(await bob.fetch(track.url), tmp_path) * 1000 - track.duration_ms) < 50
        state = await api.call("GET", bob.path, bob.person, None, VoiceState)
        assert state.recording is None
