"""A room's recordings: started, consented to, stopped, mixed, played, deleted. Nodes write them and make their files.

Who may: owners start, stop, mix and delete; everybody in voice says whether they may be recorded; everybody who may
be in the room lists and plays. The laws: whoever has not said yes is not written (whoever starts one says so by that);
what is recorded is in the room's voice, for everybody to see, for as long as it is; and nobody watches, so whoever comes by
(this service, at every look) sees to what has run out, and asks a node for what is due.
"""

from collections.abc import Callable
from typing import Final, Protocol

from msgspec.structs import replace

from chalicelib.voice import recordings_model as model
from chalicelib.voice.book import Book, users_of
from chalicelib.voice.recordings_model import RecordingRow
from chalicelib.voice.recordings_step import Shelf, step
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.peers import RelayState
from chalicelib.wire.tokens import Identity
from chalicelib.wire.voice import (
    ActiveRecording,
    ChangeRecording,
    EmptyBecause,
    MixStatus,
    Recording,
    Recordings,
    RecordingStatus,
    StartRecording,
    VoiceMix,
    VoiceState,
)

_ASKED_MS: Final = 5000
"""A node is asked for the same work no sooner again."""
_REMEMBERED: Final = 1000
_WHY: Final = {
    EmptyBecause.NO_NODE: "it was over before a media node had begun to write",
    EmptyBecause.NOBODY_SPOKE: "nobody who consented was heard",
    EmptyBecause.NOT_MADE: "its files could not be made",
}


class Gate(Protocol):
    """Who may be in a room, and who moderates it; the sessions room."""

    async def moderates(self, session_id: str, identity: Identity) -> bool:
        """Whether somebody moderates. Refuses whoever may not be present, as the sessions room does."""
        ...


class Voice(Protocol):
    """The room's voice, where everybody sees what is recorded."""

    async def state(self, session_id: str, identity: Identity) -> VoiceState: ...
    async def record(self, session_id: str, change: Callable[[Book], ActiveRecording | None]) -> VoiceState: ...


class Nodes(Protocol):
    """Media nodes; the peers room."""

    async def record(self, session_id: str) -> RelayState: ...
    async def recorded(self, session_id: str) -> None: ...
    async def work(self, message: VoiceMix) -> bool: ...


class Files(Protocol):
    """The bucket; `aws.files` is the real one."""

    def url(self, key: str, ttl_s: int, *, download_as: str | None = None) -> str: ...
    async def delete_all(self, prefix: str) -> None: ...


class Log(Protocol):
    """One structured event."""

    def __call__(self, name: str, **fields: str | int | float | bool | None) -> None: ...


class RecordingService:
    """What the routes do. The caller's identity is always the token's."""

    def __init__(
        self,
        gate: Gate,
        shelf: Shelf,
        files: Files,
        voice: Voice,
        nodes: Nodes,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[int], str],
        log: Log,
    ) -> None:
        self._gate = gate
        self._shelf = shelf
        self._files = files
        self._voice = voice
        self._nodes = nodes
        self._now_ms = now_ms
        self._new_id = new_id
        self._log = log
        self._asked: dict[str, int] = {}

    async def start(self, session_id: str, identity: Identity, body: StartRecording) -> Recording:
        """One begins, as soon as a node has the room. RECORDING_UNDER_WAY, RECORDING_LIMIT, VOICE_CHANNEL_UNKNOWN."""
        await self._moderator(session_id, identity)
        rows = await self._all(session_id, identity)
        if any(row.status is RecordingStatus.RECORDING for row in rows):
            raise AppError(Code.RECORDING_UNDER_WAY)
        if len(rows) >= limits.RECORDINGS_MAX:
            raise AppError(Code.RECORDING_LIMIT)
        row = self._new_row(session_id, identity, body, await self._voice.state(session_id, identity))
        await self._shelf.add(row)
        try:
            await self._voice.record(session_id, lambda book: _begun(book, row))
            await self._nodes.record(session_id)
        except AppError:
            await self._hide(row)
            await self._shelf.drop(row)
            raise
        self._log("recording.started", session_id=session_id, recording_id=row.recording_id, user_id=identity.user_id)
        return row.told(self._now_ms())

    async def list(self, session_id: str, identity: Identity) -> Recordings:
        """All of a room's, the newest first, without their files."""
        await self._gate.moderates(session_id, identity)
        rows = await self._all(session_id, identity)
        return Recordings(recordings=tuple(row.told(self._now_ms()) for row in rows))

    async def get(self, session_id: str, identity: Identity, recording_id: str) -> Recording:
        """One, with its files once they are there. RECORDING_UNKNOWN."""
        await self._gate.moderates(session_id, identity)
        return self._with_files(await self._looked_at(session_id, recording_id))

    async def change(self, session_id: str, identity: Identity, recording_id: str, body: ChangeRecording) -> Recording:
        """Consents or declines, stops, asks for the mix.

        RECORDING_UNKNOWN, RECORDING_NOT_READY, RECORDING_EMPTY (there is nothing to mix, nor will be), VOICE_NOT_JOINED.
        """
        if body.stop or body.mix:
            await self._moderator(session_id, identity)
        else:
            await self._gate.moderates(session_id, identity)
        row = await self._looked_at(session_id, recording_id)
        if body.consent is not None:
            consent = body.consent
            await self._voice.record(
                session_id, lambda book: _said(book, recording_id, identity.user_id, consent=consent)
            )
        if body.stop:
            row = await self._stop(row)
        if body.mix:
            row = await self._mix(row)
        return self._with_files(row)

    async def delete(self, session_id: str, identity: Identity, recording_id: str) -> None:
        """It and all of its files; one that is under way ends. RECORDING_UNKNOWN."""
        await self._moderator(session_id, identity)
        await self._remove(await self._row(session_id, recording_id))
        self._log("recording.deleted", session_id=session_id, recording_id=recording_id, user_id=identity.user_id)

    async def erase(self, session_id: str) -> None:
        """All of a session's. Once more is harmless."""
        for row in await self._shelf.of(session_id):
            await self._remove(row)

    # -- steps --

    async def _moderator(self, session_id: str, identity: Identity) -> None:
        if not await self._gate.moderates(session_id, identity):
            raise AppError(Code.ROLE_INSUFFICIENT)

    async def _row(self, session_id: str, recording_id: str) -> RecordingRow:
        row = await self._shelf.get(session_id, recording_id)
        if row is None:
            raise AppError(Code.RECORDING_UNKNOWN)
        return row

    def _new_row(self, session_id: str, identity: Identity, body: StartRecording, state: VoiceState) -> RecordingRow:
        channel = next((each for each in state.channels if each.channel_id == body.channel_id), None)
        if channel is None:
            raise AppError(Code.VOICE_CHANNEL_UNKNOWN)
        now = self._now_ms()
        return RecordingRow(
            session_id=session_id,
            recording_id=f"rec_{self._new_id(20)}",
            name=body.name or f"Recording in {channel.name}",
            channel_id=channel.channel_id,
            kind=channel.kind,
            distance=channel.distance,
            started_by=identity.user_id,
            started_at_ms=now,
            until_ms=now + limits.NODE_START_S * 1000,
        )

    async def _all(self, session_id: str, identity: Identity) -> tuple[RecordingRow, ...]:
        """The rows; and what everybody sees being recorded is. (Nodes end recordings too, but cannot say so there.)"""
        rows = tuple([await self._seen_to(row) for row in await self._shelf.of(session_id)])
        active = (await self._voice.state(session_id, identity)).recording
        for row in rows:
            if active and row.recording_id == active.recording_id and row.status is not RecordingStatus.RECORDING:
                await self._hide(row)
        return rows

    async def _looked_at(self, session_id: str, recording_id: str) -> RecordingRow:
        row = await self._seen_to(await self._row(session_id, recording_id))
        if row.status is not RecordingStatus.RECORDING:
            await self._hide(row)
        return row

    async def _seen_to(self, row: RecordingRow) -> RecordingRow:
        """The row after what had run out was ended; and a node knows of what is due."""
        now = self._now_ms()
        if model.lapsed(row, now):
            ended = await step(self._shelf, row.session_id, row.recording_id, lambda each: model.lapsed(each, now))
            row = ended or await self._shelf.get(row.session_id, row.recording_id) or row
            self._log("recording.lapsed", session_id=row.session_id, recording_id=row.recording_id)
        if row.pending:
            await self._ask(row)
        return row

    async def _stop(self, row: RecordingRow) -> RecordingRow:
        now = self._now_ms()
        ended = await step(self._shelf, row.session_id, row.recording_id, lambda each: model.stopped(each, now))
        await self._hide(row)
        row = ended or await self._row(row.session_id, row.recording_id)
        await self._ask(row)
        return row

    async def _mix(self, row: RecordingRow) -> RecordingRow:
        if row.empty_because is not None:
            raise AppError(Code.RECORDING_EMPTY, _WHY[row.empty_because])
        if row.status is not RecordingStatus.READY:
            raise AppError(Code.RECORDING_NOT_READY)
        wanted = await step(self._shelf, row.session_id, row.recording_id, model.wanted)
        row = wanted or await self._row(row.session_id, row.recording_id)
        await self._ask(row)
        return row

    async def _ask(self, row: RecordingRow) -> None:
        """Lets a node know of what is due, beside what its caller does: whoever looks next asks again."""
        now = self._now_ms()
        if row.due(now) is None or self._asked.get(row.recording_id, 0) + _ASKED_MS > now:
            return
        if len(self._asked) > _REMEMBERED:
            self._asked.clear()
        self._asked[row.recording_id] = now
        try:
            await self._nodes.work(VoiceMix(session_id=row.session_id, recording_id=row.recording_id))
        except AppError as exc:
            self._log("recording.not_asked", recording_id=row.recording_id, code=exc.code)

    async def _hide(self, row: RecordingRow) -> None:
        """The room's voice shows it no more, and the room needs no node for it."""
        was: list[bool] = []

        def over(book: Book) -> ActiveRecording | None:
            active = book.recording
            was.append(active is not None and active.recording_id == row.recording_id)
            return None if was[-1] else active

        await self._voice.record(row.session_id, over)
        if was[-1]:
            await self._nodes.recorded(row.session_id)

    async def _remove(self, row: RecordingRow) -> None:
        """Its files, the row, and what somebody may have stored in between; whoever still works at it finds it gone."""
        await self._hide(row)
        await self._remove_files(row)
        await self._shelf.drop(row)
        await self._remove_files(row)

    async def _remove_files(self, row: RecordingRow) -> None:
        await self._files.delete_all(model.parts_prefix(row.session_id, row.recording_id))
        await self._files.delete_all(model.files_prefix(row.session_id, row.recording_id))

    def _with_files(self, row: RecordingRow) -> Recording:
        told = row.told(self._now_ms())
        if row.status is not RecordingStatus.READY:
            return told
        return replace(
            told,
            tracks=tuple(
                row.told_track(track, self._url(model.track_key(row, track.peer_id), f"{row.name} - {track.name}.ogg"))
                for track in row.tracks
            ),
            timeline_url=self._url(model.timeline_key(row), f"{row.name}.jsonl"),
            mix_url=self._url(model.mix_key(row), f"{row.name}.ogg") if row.mix is MixStatus.READY else None,
        )

    def _url(self, key: str, name: str) -> str:
        return self._files.url(key, limits.RECORDING_URL_TTL_S, download_as=name)


def _begun(book: Book, row: RecordingRow) -> ActiveRecording:
    """What is recorded, once this one has begun. Whoever starts it is in it."""
    if book.recording is not None and book.recording.recording_id != row.recording_id:
        raise AppError(Code.RECORDING_UNDER_WAY)
    return ActiveRecording(
        recording_id=row.recording_id,
        channel_id=row.channel_id,
        started_by=row.started_by,
        started_at_ms=row.started_at_ms,
        consented=(row.started_by,),
    )


def _said(book: Book, recording_id: str, user_id: str, *, consent: bool) -> ActiveRecording:
    """Who may be recorded, once somebody has said whether they may."""
    active = book.recording
    if active is None or active.recording_id != recording_id:
        raise AppError(Code.RECORDING_UNKNOWN, "it is not under way")
    if consent and user_id not in users_of(book) | {active.started_by}:
        raise AppError(Code.VOICE_NOT_JOINED)
    there = users_of(book) | {active.started_by}
    yes = (set(active.consented) & there) - {user_id} | ({user_id} if consent else set())
    no = (set(active.declined) & there) - {user_id} | (set() if consent else {user_id} & there)
    return replace(active, consented=tuple(sorted(yes)), declined=tuple(sorted(no)))
