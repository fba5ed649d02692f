"""Which recordings a node's worker sees to: told by `voice.mix`, by its own rooms, and by looking each LOOK_S.

One process at a time (`finishing.py`) does the work. Two nodes may both start one for the same recording: its lease lets one
of them do it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from chalicelib.aws import log
from chalicelib.voice import recordings_model as model
from chalicelib.voice.recordings_step import Shelf, step
from chalicelib.wire.errors import AppError

LOOK_S: Final = 30.0
_WAITING: Final = 64
"""What waits here at most; the rest is found at the next look."""
Start = Callable[[str, str], Awaitable[int]]
"""Runs the process for (session id, recording id) to its end; its exit status."""


class Finisher:
    """See the module."""

    def __init__(self, shelf: Shelf, start: Start, now_ms: Callable[[], int], look_s: float = LOOK_S) -> None:
        self._shelf = shelf
        self._start = start
        self._now_ms = now_ms
        self._look_s = look_s
        self._due: dict[tuple[str, str], None] = {}
        self._told = asyncio.Event()
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether anything is under way here, or waits."""
        return self._working or bool(self._due)

    def ask(self, session_id: str, recording_id: str) -> None:
        """Something of it may be due."""
        if len(self._due) < _WAITING:
            self._due[session_id, recording_id] = None
            self._told.set()

    async def run(self) -> None:
        """Until cancelled."""
        looking = asyncio.ensure_future(self._looks())
        try:
            while True:
                await self._told.wait()
                self._told.clear()
                while self._due:
                    session_id, recording_id = next(iter(self._due))
                    del self._due[session_id, recording_id]
                    self._working = True
                    try:
                        await self._see_to(session_id, recording_id)
                    finally:
                        self._working = False
        finally:
            looking.cancel()

    async def look(self) -> None:
        """What of all rooms' recordings is due, or has ended by itself."""
        for session_id, recording_id in await self._shelf.pending():
            row = await self._shelf.get(session_id, recording_id)
            if row is None:
                await self._shelf.unlist(session_id, recording_id)
            elif model.lapsed(row, self._now_ms()) or row.due(self._now_ms()):
                self.ask(session_id, recording_id)

    async def _looks(self) -> None:
        while True:
            try:
                await self.look()
            except AppError as exc:
                log.warning("recordings.not_looked_at", code=exc.code)
            await asyncio.sleep(self._look_s)

    async def _see_to(self, session_id: str, recording_id: str) -> None:
        try:
            await step(self._shelf, session_id, recording_id, lambda row: model.lapsed(row, self._now_ms()))
            row = await self._shelf.get(session_id, recording_id)
            if row is not None and row.due(self._now_ms()):
                status = await self._start(session_id, recording_id)
                if status:
                    log.warning("recording.worker_failed", recording_id=recording_id, status=status)
        except AppError as exc:
            log.warning("recording.not_seen_to", recording_id=recording_id, code=exc.code)
        except OSError as exc:  # no process to be had: the next look tries again, and the node's rooms go on
            log.warning("recording.worker_not_started", recording_id=recording_id, reason=type(exc).__name__)


async def start(session_id: str, recording_id: str) -> int:
    """The real process. It is ended where this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media_node.finishing", session_id, recording_id, stdin=asyncio.subprocess.PIPE
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
