"""The activity feed in memory; passes the same contract suite as the real store."""

from chalicelib.activity.model import Entry
from chalicelib.sessions.paging import Position
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError


class MemoryFeed:
    """The activity table; `down` makes it unreachable."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.down = False

    def append(self, entry: Entry) -> None:
        if self.down:
            raise AppError(Code.UPSTREAM_UNAVAILABLE)
        self.entries.append(entry)

    def page(self, session_id: str, *, limit: int, after: Position | None) -> tuple[tuple[Entry, ...], Position | None]:
        ours = (e for e in self.entries if e.session_id == session_id)
        newest = sorted(ours, key=lambda e: (e.at_ms, e.mark), reverse=True)
        rest = [e for e in newest if after is None or (e.at_ms, e.mark) < (after.at_ms, after.key)]
        page = tuple(rest[:limit])
        return page, page[-1].position if len(rest) > limit else None

    def erase(self, session_id: str) -> None:
        self.entries = [e for e in self.entries if e.session_id != session_id]
