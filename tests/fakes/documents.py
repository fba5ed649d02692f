"""The documents' stores in memory. They pass the same contracts as the real ones."""

from msgspec.structs import replace

from chalicelib.documents.model import Desk, Pointer, Record, Renewal, Waiting
from chalicelib.wire.documents import Lock, Milestone, SharedDocument


class MemoryLog:
    """The OpLog without a database."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Record]] = {}
        self.appends = 0

    async def append(self, document_id: str, records: tuple[Record, ...]) -> bool:
        """All or none."""
        log = self.logs.setdefault(document_id, [])
        if records[0].revision <= len(log):
            return False
        self.appends += 1
        log.extend(records)
        return True

    async def since(self, document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        """A slice."""
        return tuple(self.logs.get(document_id, [])[revision : revision + limit])

    async def before(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]:
        """The same, backwards."""
        log = self.logs.get(document_id, [])
        return tuple(reversed(log[: max(0, revision - 1)]))[:limit]

    async def erase(self, document_id: str) -> None:
        """Forgets it."""
        self.logs.pop(document_id, None)


class MemoryQueue:
    """The Queue without a database."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, Waiting]] = {}
        self.leases: dict[str, tuple[str, int]] = {}
        self.wanted: set[str] = set()
        self.held: dict[str, dict[str, Lock]] = {}

    async def put(self, document_id: str, waiting: Waiting, expires_at_s: int) -> None:
        """By place."""
        self.waiting.setdefault(document_id, {})[waiting.place] = waiting

    async def desk(self, document_id: str) -> Desk:
        """All of it."""
        waiting = self.waiting.get(document_id, {})
        return Desk(waiting=tuple(waiting[place] for place in sorted(waiting)), locks=await self.locks(document_id))

    async def locks(self, document_id: str) -> dict[str, Lock]:
        """Those that were not let go."""
        return {key: lock for key, lock in self.held.get(document_id, {}).items() if lock.expires_at_ms}

    async def remove(self, document_id: str, places: tuple[str, ...]) -> None:
        """Whether they are there or not."""
        for place in places:
            self.waiting.get(document_id, {}).pop(place, None)

    async def acquire(self, document_id: str, holder: str, until_ms: int, now_ms: int) -> tuple[str, int]:
        """Free, run out or one's own."""
        there = self.leases.get(document_id)
        if there is None or there[1] < now_ms or there[0] == holder:
            self.leases[document_id] = (holder, until_ms)
            self.wanted.discard(document_id)
        return self.leases[document_id]

    async def renew(self, document_id: str, holder: str, until_ms: int) -> Renewal:
        """One's own only, and only while nobody wants it."""
        if self.leases.get(document_id, ("", 0))[0] != holder:
            return Renewal.LOST
        if document_id in self.wanted:
            return Renewal.WANTED
        self.leases[document_id] = (holder, until_ms)
        return Renewal.HELD

    async def want(self, document_id: str) -> None:
        """Of whoever holds it."""
        if document_id in self.leases:
            self.wanted.add(document_id)

    async def lock(self, document_id: str, lock: Lock, now_ms: int, *, take: bool) -> Lock | None:
        """With the next token."""
        held = self.held.setdefault(document_id, {})
        there = held.get(lock.object_id)
        if there and not take and there.user_id != lock.user_id and there.expires_at_ms >= now_ms:
            return None
        held[lock.object_id] = replace(lock, token=(there.token if there else now_ms) + 1)
        return held[lock.object_id]

    async def renew_lock(self, document_id: str, lock: Lock, now_ms: int) -> bool:
        """While it is this one."""
        there = self.held.get(document_id, {}).get(lock.object_id)
        if there is None or (there.user_id, there.token) != (lock.user_id, lock.token) or there.expires_at_ms < now_ms:
            return False
        self.held[document_id][lock.object_id] = lock
        return True

    async def unlock(self, document_id: str, object_id: str, user_id: str) -> bool:
        """The token stays."""
        there = self.held.get(document_id, {}).get(object_id)
        if there is None or there.user_id != user_id:
            return False
        self.held[document_id][object_id] = replace(there, expires_at_ms=0)
        return True

    async def erase(self, document_id: str) -> None:
        """All of it."""
        for kept in (self.waiting, self.leases, self.held):
            kept.pop(document_id, None)


class MemoryShelf:
    """The Shelf without a database."""

    def __init__(self) -> None:
        self.about: dict[str, SharedDocument] = {}
        self.named: dict[str, list[Milestone]] = {}
        self.pointers: dict[str, dict[int, Pointer]] = {}

    async def document(self, document_id: str) -> SharedDocument | None:
        """By id."""
        return self.about.get(document_id)

    async def documents(self, session_id: str) -> tuple[SharedDocument, ...]:
        """Oldest first."""
        found = [document for document in self.about.values() if document.session_id == session_id]
        return tuple(sorted(found, key=lambda d: (d.created_at_ms, d.document_id)))

    async def add(self, document: SharedDocument) -> None:
        """Adds one."""
        self.about[document.document_id] = document

    async def drop(self, document: SharedDocument) -> None:
        """Removes one."""
        self.about.pop(document.document_id, None)

    async def milestones(self, document_id: str) -> tuple[Milestone, ...]:
        """Newest revision first."""
        return tuple(sorted(self.named.get(document_id, []), key=lambda m: (m.revision, m.milestone_id), reverse=True))

    async def add_milestone(self, milestone: Milestone) -> None:
        """Adds one."""
        self.named.setdefault(milestone.document_id, []).append(milestone)

    async def pointer(self, document_id: str, revision: int) -> Pointer | None:
        """The newest at or before."""
        found = [r for r in self.pointers.get(document_id, {}) if r <= revision]
        return self.pointers[document_id][max(found)] if found else None

    async def add_pointer(self, document_id: str, pointer: Pointer) -> None:
        """Adds one."""
        self.pointers.setdefault(document_id, {})[pointer.revision] = pointer

    async def erase(self, document_id: str) -> tuple[Pointer, ...]:
        """All of it."""
        self.named.pop(document_id, None)
        return tuple(self.pointers.pop(document_id, {}).values())


class MemoryObjects:
    """The Objects without a bucket."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes) -> None:
        """Stores."""
        self.kept[key] = data

    async def get(self, key: str) -> bytes | None:
        """Finds."""
        return self.kept.get(key)

    async def delete(self, key: str) -> None:
        """Removes."""
        self.kept.pop(key, None)
