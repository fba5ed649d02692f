"""A log read by way of its committer: what that has in memory already is not asked for again."""

from typing import Protocol

from chalicelib.documents.model import History, Record


class Knowing(Protocol):
    """The committer."""

    def known(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]: ...


class Recent:
    """A History for who follows a busy document. It may end a moment before the log does."""

    def __init__(self, log: History, committer: Knowing) -> None:
        self._committer = committer
        self._log = log
        self.append = log.append
        self.before = log.before
        self.erase = log.erase

    async def since(self, document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        """As `OpLog.since`."""
        known = self._committer.known(document_id, revision, limit)
        return known or await self._log.since(document_id, revision, limit, boundary=boundary)
