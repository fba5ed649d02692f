"""A recording's parts made into its files: one Ogg a page, and the timeline; a stream through, never whole in memory.

The parts are read twice: for the timeline and for whom there is, then for their files, so many at a time as memory is for.
Whatever is written is written whole at its end, under the same key: done again after a crash, it is the same.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol

from chalicelib.aws import log
from chalicelib.voice.recordings_model import RecordingRow, Track, parts_prefix, timeline_key, track_key
from chalicelib.wire import limits
from chalicelib.wire.voice import TimelineEvent
from media_node.recorded import Heard, Middle, Record, Timeline, TrackWriter, records
from media_node.recorder import TrackOf

OGG: Final = "audio/ogg"
LINES: Final = "application/jsonl"
_AT_ONCE: Final = 16
"""Files that are written at a time: each has up to a part of an upload in memory."""
_AHEAD: Final = 4
"""Parts that are read ahead."""


class Writing(Protocol):
    """A file as it is written; `aws.files.Upload`."""

    async def write(self, data: bytes) -> None: ...
    async def finish(self) -> None: ...


class Files(Protocol):
    """The bucket; `aws.files.FileStore`."""

    async def put(self, key: str, data: bytes, content_type: str) -> None: ...
    async def read(self, key: str, start: int = 0, size: int | None = None) -> bytes | None: ...
    def keys(self, prefix: str) -> AsyncIterator[str]: ...
    async def delete_all(self, prefix: str) -> None: ...
    def upload(self, key: str, content_type: str) -> Writing: ...


async def put_together(files: Files, row: RecordingRow) -> tuple[tuple[Track, ...], int]:
    """The files that there are now, by when they begin, and how long all of it is. UPSTREAM_UNAVAILABLE."""
    keys = [key async for key in files.keys(parts_prefix(row.session_id, row.recording_id))]
    found = await _timeline(files, row, keys)
    tracks: list[Track] = []
    peers = list(found)[: limits.RECORDING_TRACKS_MAX]  # of several nodes together there may be more
    for first in range(0, len(peers), _AT_ONCE):
        tracks += await _tracks(files, row, keys, {peer: found[peer] for peer in peers[first : first + _AT_ONCE]})
    tracks.sort(key=lambda track: (track.from_ms, track.peer_id))
    ends = [track.from_ms + track.duration_ms for track in tracks]
    return tuple(tracks), max([row.ended_at_ms - row.started_at_ms, *ends])


class _Pages:
    """Who is who in the parts: numbers are a part's own."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[TrackOf, Middle]] = {}
        self._numbers: dict[int, TrackOf] = {}

    def see(self, record: Record) -> TrackOf | None:
        """Whose packet it is, where it is one."""
        if isinstance(record, tuple):
            self._numbers[record[0]] = record[1]
            self.found.setdefault(record[1].peer_id, (record[1], Middle()))
            return None
        return self._numbers.get(record.track) if isinstance(record, Heard) else None


async def _timeline(files: Files, row: RecordingRow, keys: list[str]) -> dict[str, tuple[TrackOf, Middle]]:
    upload = files.upload(timeline_key(row), LINES)
    timeline, pages, at_ms = Timeline(), _Pages(), 0
    stood: dict[str, Middle] = {}
    async for part in _each(files, keys):
        for record in part:
            of = pages.see(record)
            if isinstance(record, TimelineEvent):
                at_ms = max(at_ms, record.at_ms)
                stood.setdefault(record.peer_id, Middle()).stand(record.position, record.at_ms)
                timeline.tell(record)
            elif isinstance(record, Heard) and of is not None:
                at_ms = max(at_ms, record.at_ms)
                timeline.hear(of, record)
        await upload.write(timeline.take(at_ms))
    await upload.write(timeline.take(None))
    await upload.finish()
    for middle in stood.values():
        middle.stand(None, at_ms)
    return {peer: (of, stood.get(peer, middle)) for peer, (of, middle) in pages.found.items()}


async def _tracks(
    files: Files, row: RecordingRow, keys: list[str], wanted: dict[str, tuple[TrackOf, Middle]]
) -> list[Track]:
    uploads = {peer: files.upload(track_key(row, peer), OGG) for peer in wanted}
    writers = {peer: TrackWriter(number) for number, peer in enumerate(wanted)}
    pages, at_ms = _Pages(), 0
    async for part in _each(files, keys):
        for record in part:
            of = pages.see(record)
            if isinstance(record, Heard) and of is not None and of.peer_id in writers:
                at_ms = max(at_ms, record.at_ms)
                writers[of.peer_id].hear(record)
        for peer, writer in writers.items():
            await uploads[peer].write(writer.take(at_ms))
    made: list[Track] = []
    for peer, writer in writers.items():
        last = writer.take(None)
        if writer.from_samples is None:  # nothing of it was Opus
            continue
        await uploads[peer].write(last)
        await uploads[peer].finish()
        of, middle = wanted[peer]
        made.append(
            Track(
                peer_id=peer,
                user_id=of.user_id,
                name=of.name,
                from_ms=writer.from_ms,
                duration_ms=writer.duration_ms,
                size_bytes=writer.size_bytes,
                middle=middle.mean(at_ms),
            )
        )
    return made


async def _each(files: Files, keys: list[str]) -> AsyncIterator[list[Record]]:
    """The records of each part; what is damaged of one is left out, and told."""
    coming: list[asyncio.Task[bytes | None]] = []
    try:
        for number, key in enumerate(keys):
            ahead = keys[number + len(coming) : number + _AHEAD]
            coming += [asyncio.ensure_future(files.read(each)) for each in ahead]
            data = await coming.pop(0)
            found: list[Record] = []
            try:
                found += records(data or b"")
            except ValueError as exc:
                log.warning("recording.part_damaged", key=key, reason=str(exc))
            yield found
    finally:
        for task in coming:
            task.cancel()
