"""What a recording goes through. Pure: a row and the clock in, the next row out; None where that step is not to be taken.

Theory of operation. Whoever works at a recording (the node that writes it, then a worker that puts it together or mixes it)
holds its lease, and says so again before that ends. Every step is a compare-and-set on `version`, so of all who try one
wins; a holder that was passed over finds out at its next step, and stops. Nobody watches: whoever comes by (a page
that asks, a node that enters) sees what has run out, and what is due.

    recording -> finishing -> ready | failed          by `stopped` or `lapsed`, then `finished` or `begun` once too often
    mix: none -> queued -> making -> ready | failed   once the recording is ready
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.wire import limits
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import (
    ChannelKind,
    Distance,
    EmptyBecause,
    MixStatus,
    Recording,
    RecordingStatus,
    RecordingTrack,
)

ATTEMPTS: Final = 3
"""How often the same work is begun: what kills every worker is given up."""
_LEASE_MS: Final = limits.RECORDING_LEASE_S * 1000


class Work(StrEnum):
    """What a worker is to do."""

    FINISH = "finish"
    MIX = "mix"


class Track(Struct, frozen=True, kw_only=True):
    """One page's file."""

    peer_id: str
    user_id: str
    name: str
    from_ms: int
    """After the recording's start."""
    duration_ms: int
    size_bytes: int
    middle: Vec3 | None = None
    """Where they stood, on the whole."""


class RecordingRow(Struct, frozen=True, kw_only=True):
    """A recording as it is kept."""

    session_id: str
    recording_id: str
    name: str
    channel_id: str
    kind: ChannelKind
    distance: Distance
    started_by: str
    started_at_ms: int
    version: int = 1
    status: RecordingStatus = RecordingStatus.RECORDING
    mix: MixStatus = MixStatus.NONE
    holder: str = ""
    """Who works at it."""
    until_ms: int = 0
    """How long nobody else is to, unless the holder goes on."""
    heard_at_ms: int = 0
    """When a node last wrote; 0: none ever did."""
    ended_at_ms: int = 0
    """0: it goes on."""
    attempts: int = 0
    """Of the work that is due."""
    duration_ms: int = 0
    tracks: tuple[Track, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether there is anything that a node is to do, now or later."""
        if self.status in {RecordingStatus.RECORDING, RecordingStatus.FINISHING}:
            return True
        return self.mix in {MixStatus.QUEUED, MixStatus.MAKING}

    def due(self, now_ms: int) -> Work | None:
        """What a worker may begin now."""
        if self.holder and self.until_ms > now_ms:
            return None
        if self.status is RecordingStatus.FINISHING:
            return Work.FINISH
        if self.status is RecordingStatus.READY and self.mix in {MixStatus.QUEUED, MixStatus.MAKING}:
            return Work.MIX
        return None

    @property
    def empty_because(self) -> EmptyBecause | None:
        """Why there is nothing in it, where that is so."""
        if self.status is RecordingStatus.FAILED:
            return EmptyBecause.NOT_MADE if self.heard_at_ms else EmptyBecause.NO_NODE
        return EmptyBecause.NOBODY_SPOKE if self.status is RecordingStatus.READY and not self.tracks else None

    def lasts_ms(self, now_ms: int) -> int:
        """How long it is, or will have been by now."""
        if self.status is RecordingStatus.READY:
            return self.duration_ms
        return max(0, min((self.ended_at_ms or now_ms) - self.started_at_ms, limits.RECORDING_LONGEST_S * 1000))

    def told(self, now_ms: int) -> Recording:
        """As everybody of the room sees it, without its files."""
        return Recording(
            recording_id=self.recording_id,
            name=self.name,
            channel_id=self.channel_id,
            started_by=self.started_by,
            started_at_ms=self.started_at_ms,
            duration_ms=self.lasts_ms(now_ms),
            status=self.status,
            mix=self.mix,
            empty_because=self.empty_because,
        )

    def told_track(self, track: Track, url: str) -> RecordingTrack:
        """A file of it, as it is told."""
        return RecordingTrack(
            peer_id=track.peer_id,
            user_id=track.user_id,
            name=track.name,
            from_ms=self.started_at_ms + track.from_ms,
            duration_ms=track.duration_ms,
            size_bytes=track.size_bytes,
            url=url,
        )


# -- a node that writes --


def taken(row: RecordingRow, node_id: str, now_ms: int) -> RecordingRow | None:
    """The room's node writes it from now on, whoever did before: pages are in one place only, and so is what they say."""
    if row.status is not RecordingStatus.RECORDING or over_long(row, now_ms):
        return None
    return _held(replace(row, heard_at_ms=now_ms), node_id, now_ms)


def kept(row: RecordingRow, holder: str, now_ms: int) -> RecordingRow | None:
    """Whoever holds it goes on. A node that was told to stop is about to: it keeps what it has."""
    if row.holder != holder:
        return None
    heard = now_ms if row.status is RecordingStatus.RECORDING else row.heard_at_ms
    return _held(replace(row, heard_at_ms=heard), holder, now_ms)


def written(row: RecordingRow, node_id: str, now_ms: int) -> RecordingRow | None:
    """The node has stored all it had, and writes no more. A recording that goes on waits for the room's next node."""
    if row.holder != node_id:
        return None
    waits = now_ms + _LEASE_MS if row.status is RecordingStatus.RECORDING else 0
    return replace(row, holder="", until_ms=waits)


def over_long(row: RecordingRow, now_ms: int) -> bool:
    """Whether it has gone on for as long as one may."""
    return now_ms - row.started_at_ms >= limits.RECORDING_LONGEST_S * 1000


# -- its end --


def stopped(row: RecordingRow, now_ms: int) -> RecordingRow | None:
    """It ends now. Its node, if there is one, still has to store what it has."""
    if row.status is not RecordingStatus.RECORDING:
        return None
    return replace(
        row, status=RecordingStatus.FINISHING, ended_at_ms=now_ms, until_ms=row.until_ms if row.holder else 0
    )


def lapsed(row: RecordingRow, now_ms: int) -> RecordingRow | None:
    """It has ended by itself: its node is gone, or none came, or it has gone on for too long."""
    if row.status is not RecordingStatus.RECORDING or (row.until_ms > now_ms and not over_long(row, now_ms)):
        return None
    return stopped(row, min(now_ms, max(row.heard_at_ms, row.started_at_ms)))


# -- workers --


def begun(row: RecordingRow, worker: str, now_ms: int) -> RecordingRow | None:
    """A worker takes what is due. Once too often, it has failed: the row that says so has no holder."""
    work = row.due(now_ms)
    if work is None:
        return None
    if row.attempts >= ATTEMPTS:
        return _failed(row, work)
    mix = MixStatus.MAKING if work is Work.MIX else row.mix
    return _held(replace(row, attempts=row.attempts + 1, mix=mix), worker, now_ms)


def finished(row: RecordingRow, worker: str, tracks: tuple[Track, ...], duration_ms: int) -> RecordingRow | None:
    """Its files are there. One that no node ever wrote has failed."""
    if row.holder != worker or row.status is not RecordingStatus.FINISHING:
        return None
    if not row.heard_at_ms:
        return _failed(row, Work.FINISH)
    done = replace(row, status=RecordingStatus.READY, tracks=tracks, duration_ms=duration_ms)
    return replace(done, holder="", until_ms=0, attempts=0)


def mixed(row: RecordingRow, worker: str) -> RecordingRow | None:
    """The mix is there."""
    if row.holder != worker or row.mix is not MixStatus.MAKING:
        return None
    return replace(row, mix=MixStatus.READY, holder="", until_ms=0, attempts=0)


def put_back(row: RecordingRow, worker: str) -> RecordingRow | None:
    """The worker could not, and says so: the next one may try at once."""
    if row.holder != worker:
        return None
    return replace(row, holder="", until_ms=0)


def wanted(row: RecordingRow) -> RecordingRow | None:
    """Its mix is asked for; None where it is made already, or there is nothing to mix."""
    if row.status is not RecordingStatus.READY or row.mix not in {MixStatus.NONE, MixStatus.FAILED} or not row.tracks:
        return None
    return replace(row, mix=MixStatus.QUEUED, attempts=0)


def _held(row: RecordingRow, holder: str, now_ms: int) -> RecordingRow:
    return replace(row, holder=holder, until_ms=now_ms + _LEASE_MS)


def _failed(row: RecordingRow, work: Work) -> RecordingRow:
    bare = replace(row, holder="", until_ms=0, attempts=0)
    return replace(bare, mix=MixStatus.FAILED) if work is Work.MIX else replace(bare, status=RecordingStatus.FAILED)


# -- where its bytes are, in the documents' bucket --


def parts_prefix(session_id: str, recording_id: str) -> str:
    """What is written while it goes on; removed once the files are there."""
    return f"parts/{session_id}/{recording_id}/"


def files_prefix(session_id: str, recording_id: str) -> str:
    """Its files."""
    return f"recordings/{session_id}/{recording_id}/"


def part_key(row: RecordingRow, at_ms: int, node_id: str, number: int) -> str:
    """A part's: they sort by when they begin, and two nodes' never meet."""
    return f"{parts_prefix(row.session_id, row.recording_id)}{at_ms:010d}-{number:06d}-{node_id}"


def track_key(row: RecordingRow, peer_id: str) -> str:
    """A page's file."""
    return f"{files_prefix(row.session_id, row.recording_id)}tracks/{peer_id}.ogg"


def timeline_key(row: RecordingRow) -> str:
    """Who did what when."""
    return f"{files_prefix(row.session_id, row.recording_id)}timeline.jsonl"


def mix_key(row: RecordingRow) -> str:
    """The one file in which everybody is."""
    return f"{files_prefix(row.session_id, row.recording_id)}mix.ogg"
