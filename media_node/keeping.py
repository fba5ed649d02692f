"""Snapshots of a document that is busy for long: its state is followed often, and stored now and then.

Following is cheap while it is often: what came since is in the memory of the committer still. What has to
be read again instead, some thousand records at once, holds up every round of the document meanwhile.
"""

import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from chalicelib.wire.errors import AppError

STORE_MS: Final = 5000


class States(Protocol):
    """States of documents, and their snapshots."""

    async def at(self, document_id: str, revision: int | None = None) -> object: ...
    async def keep_up(self, document_id: str, head: int) -> None: ...


class Keeping:
    """What a media node's drainer calls after its rounds."""

    def __init__(self, states: States, now_ms: Callable[[], int]) -> None:
        self._states = states
        self._now_ms = now_ms
        self._stored_at_ms: dict[str, int] = {}

    async def keep_up(self, document_id: str, head: int) -> None:
        """Follows the document; stores a snapshot where the last was STORE_MS ago and is far behind.

        It may fail, as `Snapshots.keep_up`: who calls has answered what was committed, and is told nothing.
        """
        with contextlib.suppress(AppError):
            await self._states.at(document_id)
        now = self._now_ms()
        if now - self._stored_at_ms.get(document_id, 0) < STORE_MS:
            return
        self._stored_at_ms = {key: at for key, at in self._stored_at_ms.items() if now - at < STORE_MS}
        self._stored_at_ms[document_id] = now
        await self._states.keep_up(document_id, head)
