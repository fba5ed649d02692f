"""A document's state at any revision: the nearest snapshot before it, and the log from there (clause Z8).

Snapshots bound the replay; they are no truth. One that is missing or unreadable costs time, nothing else: the state is then
made of an older one, or of the whole log. They are made off the hot path, by whoever has just committed.
"""

import asyncio
import contextlib
import zlib
from typing import Final

import msgspec

from chalicelib.documents.model import History, Objects, Pointer, Shelf
from chalicelib.ot.apply import apply_all
from chalicelib.ot.state import Entity
from chalicelib.wire import limits
from chalicelib.wire.errors import AppError

_KEPT: Final = 8
"""Newest states that a container keeps."""


class State(msgspec.Struct, frozen=True):
    """Every entity at a revision, tombstones too. Not to be changed."""

    revision: int
    entities: dict[str, Entity]


_EMPTY: Final = State(0, {})
_state: Final = msgspec.json.Decoder(State)


class Snapshots:
    """States of documents, and their snapshots."""

    def __init__(self, log: History, shelf: Shelf, objects: Objects) -> None:
        self._log = log
        self._shelf = shelf
        self._objects = objects
        self._newest: dict[str, State] = {}
        self._made: dict[str, int] = {}

    async def at(self, document_id: str, revision: int | None = None) -> State:
        """The state at a revision, or at the head. Ends before `revision` where the log does."""
        known = self._newest.get(document_id)
        if known is None or (revision is not None and known.revision > revision):
            known = await self._stored(document_id, limits.INTEGER_MAX if revision is None else revision)
        state = await self._replayed(document_id, known, revision)
        if state.revision >= self._newest.get(document_id, _EMPTY).revision:
            if len(self._newest) >= _KEPT:
                self._newest.pop(next(iter(self._newest)))
            self._newest[document_id] = state
        return state

    async def keep_up(self, document_id: str, head: int) -> None:
        """Stores a snapshot where SNAPSHOT_EVERY revisions passed since the last. It may fail: the next one will not."""
        with contextlib.suppress(AppError):  # what is in the log is there all the same
            made = self._made.get(document_id)
            if made is None:
                pointer = await self._shelf.pointer(document_id, limits.INTEGER_MAX)
                made = self._made[document_id] = pointer.revision if pointer else 0
            if head - made >= limits.SNAPSHOT_EVERY:
                self._made[document_id] = head
                await self._make(document_id)

    async def _make(self, document_id: str) -> None:
        state = await self.at(document_id)
        data = await asyncio.to_thread(lambda: zlib.compress(msgspec.json.encode(state), 6))
        key = f"snapshots/{document_id}/{state.revision:016d}.json.z"
        await self._objects.put(key, data)
        await self._shelf.add_pointer(document_id, Pointer(revision=state.revision, key=key, size_bytes=len(data)))

    def forget(self) -> None:
        """Drops the states that are kept here."""
        self._newest.clear()
        self._made.clear()

    async def erase(self, document_id: str) -> None:
        """Removes every snapshot, and what else is on the document's shelf."""
        for pointer in await self._shelf.erase(document_id):
            await self._objects.delete(pointer.key)
        self._newest.pop(document_id, None)
        self._made.pop(document_id, None)

    async def _stored(self, document_id: str, revision: int) -> State:
        while (pointer := await self._shelf.pointer(document_id, revision)) is not None:
            try:
                data = await self._objects.get(pointer.key)
                if data is not None:
                    return _state.decode(zlib.decompress(data))
            except (AppError, zlib.error, msgspec.DecodeError):
                pass  # an older one will do
            revision = pointer.revision - 1
        return _EMPTY

    async def _replayed(self, document_id: str, start: State, revision: int | None) -> State:
        entities, reached, boundary = dict(start.entities), start.revision, False
        while revision is None or reached < revision:
            records = await self._log.since(document_id, reached, limits.LOG_PAGE, boundary=boundary)
            for record in records:
                if revision is not None and record.revision > revision:
                    break
                apply_all(entities, record.operations)
                reached = record.revision
            if len(records) < limits.LOG_PAGE:
                break
        return State(reached, entities)
