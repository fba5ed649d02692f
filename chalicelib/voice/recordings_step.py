"""One step of a recording: read, decided by a pure function, put by compare-and-set; again where somebody was first."""

from collections.abc import Callable
from typing import Final, Protocol

from chalicelib.voice.recordings_model import RecordingRow
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

_ATTEMPTS: Final = 8
"""Nobody but a function, a node and a worker changes a row, now and then."""


class Shelf(Protocol):
    """Where rows are; `recordings_store` is the real one."""

    async def add(self, row: RecordingRow) -> None: ...
    async def get(self, session_id: str, recording_id: str) -> RecordingRow | None: ...
    async def of(self, session_id: str) -> tuple[RecordingRow, ...]: ...
    async def change(self, before: RecordingRow, after: RecordingRow) -> bool: ...
    async def drop(self, row: RecordingRow) -> None: ...
    async def pending(self) -> tuple[tuple[str, str], ...]: ...
    async def unlist(self, session_id: str, recording_id: str) -> None: ...


async def step(
    shelf: Shelf, session_id: str, recording_id: str, change: Callable[[RecordingRow], RecordingRow | None]
) -> RecordingRow | None:
    """The row after the step; None: there is no such row, or the step is not to be taken. UPSTREAM_UNAVAILABLE."""
    for _ in range(_ATTEMPTS):
        before = await shelf.get(session_id, recording_id)
        after = None if before is None else change(before)
        if before is None or after is None:
            return None
        if await shelf.change(before, after):
            return after
    raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)
