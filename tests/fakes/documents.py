"""A log in memory. It passes the same contract as the real one."""

from chalicelib.documents.model import Record


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
