"""`python -m media_node.finishing SESSION RECORDING`: what is due of one recording, in a process of its own.

A node's worker starts it (`finisher.py`), so that nothing of it is ever in the way of a packet: its priority is the lowest
but some, its memory is bounded, and it ends with whoever started it. It holds the recording's lease while it works. Killed at
any moment it leaves a lease that runs out, and whoever comes next does all of it again.
"""

import asyncio
import contextlib
import os
import resource
import sys
import threading
from collections.abc import Callable
from typing import Final

from chalicelib.aws import log
from chalicelib.aws.dynamo import Dynamo
from chalicelib.aws.files import FileStore
from chalicelib.aws.settings import from_environment
from chalicelib.voice import recordings_model as model
from chalicelib.voice.recordings_model import RecordingRow
from chalicelib.voice.recordings_step import Shelf, step
from chalicelib.voice.recordings_store import RecordingStore
from chalicelib.wire import limits
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import MixStatus
from media_node.mixing import mix
from media_node.parts import credentials, now_ms, random_id
from media_node.together import Files, put_together

_NICE: Final = 10
_MEMORY_BYTES: Final = 1 << 30
_RENEW_S: Final = limits.RECORDING_LEASE_S / 3


class Worker:
    """Does what is due of a recording, and says so in its row."""

    def __init__(
        self, shelf: Shelf, files: Files, name: str, clock: Callable[[], int], renew_s: float = _RENEW_S
    ) -> None:
        self._shelf = shelf
        self._files = files
        self._name = name
        self._now_ms = clock
        self._renew_s = renew_s

    async def run(self, session_id: str, recording_id: str) -> bool:
        """Whether anything was due that it did."""
        row = await step(
            self._shelf, session_id, recording_id, lambda row: model.begun(row, self._name, self._now_ms())
        )
        if row is None or row.holder != self._name:
            return False
        keeping = asyncio.ensure_future(self._keep(row))
        working = asyncio.ensure_future(self._work(row))
        try:
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                log.warning("recording.lease_lost", recording_id=recording_id)
                return False
            await working
        except (AppError, ValueError) as exc:
            log.warning("recording.not_finished", recording_id=recording_id, reason=str(exc))
            await step(self._shelf, session_id, recording_id, lambda row: model.put_back(row, self._name))
            return False
        finally:
            for task in (keeping, working):
                task.cancel()
            await asyncio.gather(keeping, working, return_exceptions=True)
        return True

    async def _work(self, row: RecordingRow) -> None:
        if row.mix is MixStatus.MAKING:
            await mix(self._files, row)
            done = await self._say(row, lambda now: model.mixed(now, self._name))
        else:
            tracks, duration_ms = await put_together(self._files, row)
            done = await self._say(row, lambda now: model.finished(now, self._name, tracks, duration_ms))
        if done is not None:
            await self._files.delete_all(model.parts_prefix(row.session_id, row.recording_id))
        elif await self._shelf.get(row.session_id, row.recording_id) is None:  # deleted meanwhile
            for prefix in (model.parts_prefix, model.files_prefix):
                await self._files.delete_all(prefix(row.session_id, row.recording_id))

    async def _say(
        self, row: RecordingRow, change: Callable[[RecordingRow], RecordingRow | None]
    ) -> RecordingRow | None:
        return await step(self._shelf, row.session_id, row.recording_id, change)

    async def _keep(self, row: RecordingRow) -> None:
        """Renews the lease until it is somebody else's."""
        held: RecordingRow | None = row
        while held is not None:
            await asyncio.sleep(self._renew_s)
            with contextlib.suppress(AppError):
                held = await self._say(row, lambda now: model.kept(now, self._name, self._now_ms()))


async def work(session_id: str, recording_id: str) -> None:
    """All that is due of it now."""
    keeping = [asyncio.ensure_future(each) for each in await credentials()]
    aws = from_environment()
    dynamo = Dynamo(aws.dynamodb_endpoint, aws.region)
    files = FileStore(aws.documents_bucket, aws.s3_endpoint, aws.region)
    worker = Worker(RecordingStore(dynamo, aws.table_prefix), files, f"worker_{random_id(12)}", now_ms)
    try:
        while await worker.run(session_id, recording_id):
            log.event("recording.worked_on", session_id=session_id, recording_id=recording_id)
    finally:
        for each in keeping:
            each.cancel()
        await files.close()
        await dynamo.close()


def _end_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when its other end does.

    It is read below `sys.stdin`: whoever reads that holds its lock, which the interpreter wants as it ends, and aborts
    where a thread still has it.
    """
    pipe = sys.stdin.fileno()

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """The command."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m media_node.finishing SESSION RECORDING")
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    _end_with_parent()
    asyncio.run(work(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
