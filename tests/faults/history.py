"""What a run under faults leaves behind: who sent, heard and read what and when, and what was there in the end.

Times are of one monotonic clock, in any unit: only their order counts.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from chalicelib.ot.pending import Fallen, Rejected
from chalicelib.ot.state import Entity
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Operation


class Made(Struct, frozen=True, kw_only=True):
    """An edit that a person made. Its token stands once in an inserted text that nobody deletes or replaces."""

    client: str
    token: str


class Sent(Struct, frozen=True, kw_only=True):
    """One copy of a submission, whether it arrived or not."""

    client: str
    seq: int
    base: int
    seen: int | None = None
    operations: tuple[Operation, ...]


class Acked(Struct, frozen=True, kw_only=True):
    """The server said that a submission is in the log."""

    at: int
    client: str
    seq: int
    commit: Commit


class Refused(Struct, frozen=True, kw_only=True):
    """The server said that a submission is not in the log. `final`: its client does not send it again."""

    client: str
    seq: int
    code: Code | None
    final: bool
    operations: tuple[Operation, ...]


class Heard(Struct, frozen=True, kw_only=True):
    """A client was told of a commit."""

    client: str
    commit: Commit


class Loaded(Struct, frozen=True, kw_only=True):
    """A client took a snapshot, and so was not told one by one of what lies before."""

    client: str
    revision: int
    entities: Mapping[str, Entity] | None = None


class Read(Struct, frozen=True, kw_only=True):
    """Somebody read the log's end, from the asking to the answer."""

    began: int
    ended: int
    since: int
    head: int
    commits: tuple[Commit, ...]


class End(Struct, frozen=True, kw_only=True):
    """A client when nothing goes wrong any more and nobody edits."""

    client: str
    user_id: str
    revision: int
    entities: Mapping[str, Entity]
    pending: Mapping[int, tuple[Operation, ...]] = {}
    """What is not settled, by seq (0: not sent yet)."""
    rejected: tuple[Rejected, ...] = ()
    fallen: tuple[Fallen, ...] = ()


class History(Struct, kw_only=True):
    """All of it."""

    made: list[Made] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    acked: list[Acked] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    loaded: list[Loaded] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    log: list[Commit] = field(default_factory=list)
    """As `operations` tells it, from the first revision on."""
    told: list[Commit] = field(default_factory=list)
    """As `history` tells it, newest first."""
    snapshots: dict[int, Mapping[str, Entity]] = field(default_factory=dict)
    """States that the server gave, by revision."""
