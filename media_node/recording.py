"""Recordings that a node's rooms have under way: the shell between the engine's tap, the bucket and the table.

The law: only who has consented is written, from when this node knows of it until it knows better. A room's recording is
written by whichever node relays it: it takes the lease when it learns of it, says again that it is there, and stops where
another took it, where it is stopped, or after RECORDING_LONGEST_S. Nothing here waits in the path of a packet.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from chalicelib.aws import log
from chalicelib.voice import recordings_model as model
from chalicelib.voice.recordings_model import RecordingRow
from chalicelib.voice.recordings_step import Shelf, step
from chalicelib.wire import limits
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Vec3
from chalicelib.wire.voice import ActiveRecording, RecordingStatus, VoiceState
from media_node.recorder import Part, Recorder, TrackOf, Waiting
from media_node.rtp import Rtp

PART: Final = "application/octet-stream"
_LOOK_S: Final = 0.25
"""Where people stand is looked at so often."""
_RENEW_MS: Final = limits.RECORDING_LEASE_S * 1000 // 3
_RETRY_S: Final = 0.5
FLUSH_S: Final = 6.0
"""What waits for the bucket when a recording ends is waited for so long."""


class Bucket(Protocol):
    """Where parts go; `aws.files.FileStore`."""

    async def put(self, key: str, data: bytes, content_type: str) -> None: ...
    async def delete_all(self, prefix: str) -> None: ...


class Who(Protocol):
    """Who is in a room: by peer id their name, and where they stand."""

    def __call__(self, session_id: str) -> Mapping[str, tuple[str, Vec3 | None]]: ...


Ask = Callable[[str, str], None]
"""Something may be due of (session id, recording id); `Finisher.ask`."""


class Recordings:
    """The Tap that is real."""

    def __init__(
        self, node_id: str, shelf: Shelf, bucket: Bucket, who: Who, ask: Ask, now_ms: Callable[[], int]
    ) -> None:
        self._new = partial(Writing, node_id, shelf, bucket, who, ask, now_ms)
        self._rooms: dict[str, Writing] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """How many there are."""
        return len(self._rooms)

    def follow(self, session_id: str, state: VoiceState) -> None:
        """See `tap.Tap`."""
        active, here = state.recording, self._rooms.get(session_id)
        if here is not None and (active is None or active.recording_id != here.recording_id):
            self.gone(session_id)
            here = None
        if active is None:
            return
        if here is None:
            here = self._rooms[session_id] = self._new(session_id, active)
            here.task.add_done_callback(partial(self._done, session_id, here))
        here.consent(active)

    def heard(self, session_id: str, peer_id: str, user_id: str, channel_id: str, packet: Rtp) -> None:
        """See `tap.Tap`."""
        here = self._rooms.get(session_id)
        if here is not None and user_id in here.consented and channel_id == here.channel_id:
            here.hear(peer_id, user_id, packet)

    def gone(self, session_id: str) -> None:
        """See `tap.Tap`."""
        here = self._rooms.pop(session_id, None)
        if here is not None:
            here.stop()
            self._ending.add(here.task)
            here.task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Stores what there is of all; bounded by FLUSH_S, and some."""
        for session_id in tuple(self._rooms):
            self.gone(session_id)
        if self._ending:
            await asyncio.wait(self._ending, timeout=FLUSH_S + 2)

    def _done(self, session_id: str, ended: "Writing", task: asyncio.Task[None]) -> None:
        """It may have ended by itself; it is not begun again, for its row says so."""
        if not task.cancelled() and task.exception() is not None:
            log.warning("recording.failed", session_id=session_id, reason=type(task.exception()).__name__)


class Writing:
    """One recording on this node, from its first packet to its last part."""

    def __init__(
        self,
        node_id: str,
        shelf: Shelf,
        bucket: Bucket,
        who: Who,
        ask: Ask,
        now_ms: Callable[[], int],
        session_id: str,
        active: ActiveRecording,
    ) -> None:
        self.recording_id = active.recording_id
        self.channel_id = active.channel_id
        self.consented: frozenset[str] = frozenset()
        self._node_id = node_id
        self._shelf = shelf
        self._bucket = bucket
        self._who = who
        self._ask = ask
        self._now_ms = now_ms
        self._session_id = session_id
        self._started_at_ms = active.started_at_ms
        self._recorder = Recorder()
        self._waiting = Waiting()
        self._pages: dict[str, TrackOf] = {}
        self._cut_at_ms = self._renewed_at_ms = now_ms()
        self._left_out: set[str] = set()
        """Pages that are too many; nothing is done for their packets."""
        self._last = False
        self._stop = asyncio.Event()
        self._more = asyncio.Event()
        self.task = asyncio.ensure_future(self._run())

    # -- what comes --

    def consent(self, active: ActiveRecording) -> None:
        """Who may be written, from now on."""
        self.consented = frozenset(active.consented)
        for of in [of for of in self._pages.values() if of.user_id not in self.consented]:
            self._leave(of)

    def hear(self, peer_id: str, user_id: str, packet: Rtp) -> None:
        """A packet of somebody who consented. Nothing after the end."""
        if self._stop.is_set() or peer_id in self._left_out:
            return
        if peer_id not in self._pages and not self._join(peer_id, user_id):
            return
        self._recorder.hear(peer_id, packet, self._at_ms())
        if self._recorder.large:
            self._cut()

    def stop(self) -> None:
        """No more of it."""
        self._stop.set()

    def _join(self, peer_id: str, user_id: str) -> bool:
        name, position = self._who(self._session_id).get(peer_id, (user_id, None))
        of = TrackOf(peer_id, user_id, name)
        if not self._recorder.join(of, position, self._at_ms()):
            self._left_out.add(peer_id)
            where = {"session_id": self._session_id, "recording_id": self.recording_id}
            log.warning("recording.tracks_full", **where, user_id=user_id)
            return False
        self._pages[peer_id] = of
        return True

    def _leave(self, of: TrackOf) -> None:
        del self._pages[of.peer_id]
        self._recorder.leave(of, self._at_ms())

    def _at_ms(self) -> int:
        return min(max(0, self._now_ms() - self._started_at_ms), 0xFFFFFFFF)

    # -- its life --

    async def _run(self) -> None:
        row = await self._take()
        if row is None:  # it was stopped, or deleted, before this node knew
            self._stop.set()
            return
        log.event("recording.taken", session_id=self._session_id, recording_id=self.recording_id)
        storing = asyncio.ensure_future(self._store(row))
        try:
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _LOOK_S)
                await self._look()
        finally:
            self._stop.set()
            await self._flush(storing)
            await self._end()

    async def _take(self) -> RecordingRow | None:
        """The row, held; None: it is not to be written (any more). What comes meanwhile waits."""
        while not self._stop.is_set():
            try:
                return await self._step(lambda row: model.taken(row, self._node_id, self._now_ms()))
            except AppError as exc:
                log.warning("recording.not_taken", recording_id=self.recording_id, code=exc.code)
                await asyncio.sleep(_RETRY_S)
        return None

    async def _look(self) -> None:
        now = self._now_ms()
        people = self._who(self._session_id)
        self._left_out &= people.keys()
        for of in list(self._pages.values()):
            there = people.get(of.peer_id)
            if there is None:
                self._leave(of)
            elif there[1] is not None:
                self._recorder.move(of, there[1], self._at_ms())
        if now - self._cut_at_ms >= limits.RECORDING_PART_S * 1000:
            self._cut()
        if now - self._renewed_at_ms >= _RENEW_MS:
            self._renewed_at_ms = now
            await self._renew()

    async def _renew(self) -> None:
        """Goes on only while the table says so; without the table, until its lease would have ended anyhow."""
        try:
            row = await self._step(lambda row: model.kept(row, self._node_id, self._now_ms()))
            if row is not None and model.over_long(row, self._now_ms()):
                await self._step(lambda row: model.stopped(row, self._now_ms()))
                log.event("recording.over_long", session_id=self._session_id, recording_id=self.recording_id)
                self._stop.set()
            elif row is None or row.status is not RecordingStatus.RECORDING:
                self._stop.set()
        except AppError as exc:
            log.warning("recording.not_renewed", recording_id=self.recording_id, code=exc.code)

    def _cut(self) -> None:
        self._cut_at_ms = self._now_ms()
        part = self._recorder.cut()
        if part is None:
            return
        lost = self._waiting.put(part)
        if lost:
            log.warning("recording.parts_lost", recording_id=self.recording_id, parts=lost)
        self._more.set()

    async def _store(self, row: RecordingRow) -> None:
        """Brings parts to the bucket, one after another, until there are none and no more come."""
        while True:
            part = self._waiting.first()
            if part is None:
                if self._last:
                    return
                self._more.clear()
                await self._more.wait()
            else:
                await self._put(row, part)

    async def _put(self, row: RecordingRow, part: Part) -> None:
        try:
            await self._bucket.put(model.part_key(row, part.at_ms, self._node_id, part.number), part.data, PART)
        except AppError:
            await asyncio.sleep(_RETRY_S)
        else:
            self._waiting.done(part)

    async def _flush(self, storing: asyncio.Task[None]) -> None:
        self._cut()
        self._last = True
        self._more.set()
        _, late = await asyncio.wait({storing}, timeout=FLUSH_S)
        if late:
            storing.cancel()
            log.warning("recording.parts_lost", recording_id=self.recording_id, parts=len(self._waiting))

    async def _end(self) -> None:
        """Lets go of it. What was deleted meanwhile leaves nothing behind."""
        row = await self._step(lambda row: model.written(row, self._node_id, self._now_ms()))
        log.event(
            "recording.written",
            session_id=self._session_id,
            recording_id=self.recording_id,
            packets=self._recorder.packets,
            lost=self._waiting.lost,
        )
        if row is None and await self._shelf.get(self._session_id, self.recording_id) is None:
            await self._bucket.delete_all(model.parts_prefix(self._session_id, self.recording_id))
        elif row is not None:
            self._ask(self._session_id, self.recording_id)

    async def _step(self, change: Callable[[RecordingRow], RecordingRow | None]) -> RecordingRow | None:
        return await step(self._shelf, self._session_id, self.recording_id, change)
