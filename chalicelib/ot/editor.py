"""The client's side of a document: what bots run, and what the page mirrors. No sockets and no clock; see docs/bots.md.

Theory of operation. An editor shows confirmed + in flight + buffer. What the log tells is taken strictly in the log's
order, whatever order it arrives in: it is applied to the confirmed state, and the pending is rebased past it. There are two
places in the log: `revision`, of the confirmed state, and `base`, of the pending. They differ only after a snapshot
or a restart: then the log between them is read too, because only there can an editor find out whether its own transaction
was committed, and only by its commits can a text edit be moved.

Exactly once: a transaction has its `seq` from its first sending on, and is sent again with it until the log or an
acknowledgement shows it. Its base is always what was read without finding it, so the committer finds the first copy if
there is one (clauses Z1, Z2). That holds over a restart if `saved()` is stored before what `poll` returned is sent: a
seq that was used and forgotten would be given to another transaction, which would then pass for the first. And nothing
that was edited is lost if it is stored after `edit` (Z7).
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self
from zlib import crc32

import msgspec
from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from chalicelib.ot.apply import apply_all
from chalicelib.ot.pending import Fallen, Flight, Operations, Pending, Rejected, bounded
from chalicelib.ot.state import Entity
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit, Snapshot
from chalicelib.wire.messages import DocCommits, DocFetch, ErrorMessage, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Operation, Transaction

GAP_MS: Final = 250  # what is missing may be on its way: an acknowledgement overtakes what others committed before
FETCH_MS: Final = 3000  # without an answer it is asked for again
ACK_MS: Final = 4000  # without an answer it is sent again
PAUSE_MS: Final = 250  # after a refusal; doubled each time
DOUBLED_MAX: Final = 7
AHEAD_MAX: Final = 2000  # so far ahead a commit is kept until it attaches; what is beyond is fetched

BEHIND: Final = frozenset({Code.BASE_BEHIND_OWN, Code.BASE_AHEAD, Code.BASE_TOO_OLD})
"""Refusals after which reading on helps."""
LATER: Final = frozenset(
    {Code.RATE_LIMITED, Code.UPSTREAM_UNAVAILABLE, Code.DOCUMENT_BUSY, Code.INTERNAL, Code.CONNECTION_GONE}
)
"""Refusals after which waiting helps. All others are final."""

Received = OpAck | OpCommitted | OpRejected | DocCommits | ErrorMessage
Sent = OpSubmit | DocFetch


class NotReady(Exception):  # noqa: N818 - an expected outcome
    """The pending is still being carried to the confirmed state's revision; edit when `ready`."""


class Poll(NamedTuple):
    """What to send now, and when to ask again if nothing happens before; None: only when something happens."""

    messages: tuple[Sent, ...]
    wake_at_ms: int | None


class _Saved(Struct, kw_only=True):
    document_id: str
    client: str
    next_seq: int
    base: int
    flight: Flight | None
    buffer: list[Operations]
    seen: int | None = None
    rejected: list[Rejected]
    fallen: list[Fallen]


class Editor:
    """One document as one client sees and edits it. Two running editors never share a `client`.

    `rejected` is what the server would not have, `fallen` what was overtaken before it was sent: the caller's to show, and
    to clear.
    """

    def __init__(self, document_id: str, client: str) -> None:
        self.document_id = document_id
        self.client = client
        self.revision = 0
        self.base = 0
        self.rejected: list[Rejected] = []
        self._confirmed: dict[str, Entity] = {}
        self._pending = Pending()
        self._view: dict[str, Entity] | None = None
        self._ahead: dict[int, Commit] = {}
        self._head = 0
        self._next_seq = 1
        self._online = False
        self._catching_up = True
        self._snapshot_helps = False
        self._fetch_at_ms = 0
        self._fetches = 0
        self._send_at_ms = 0
        self._sendings = 0

    # -- what it shows --

    @property
    def entities(self) -> Mapping[str, Entity]:
        """The document with all that this editor made, tombstones included. Never changes; ask again for a newer one.

        Until `ready` its texts may be a little wrong: the pending was made on another revision.
        """
        if self._view is None:
            self._view = dict(self._confirmed)
            apply_all(self._view, self._pending.operations)
        return self._view

    @property
    def fallen(self) -> list[Fallen]:
        """What was overtaken before it was sent."""
        return self._pending.fallen

    @property
    def ready(self) -> bool:
        """Whether it may be edited."""
        return self.base == self.revision

    @property
    def settled(self) -> bool:
        """Whether all that was made is in the log, or rejected."""
        flight = self._pending.flight
        return not self._pending.buffer and (flight is None or flight.acknowledged)

    @property
    def current(self) -> bool:
        """Whether it has read all that it knows to be in the log."""
        return not self._behind

    @property
    def needs_snapshot(self) -> bool:
        """Whether `load` would save much reading. Without it the log is read all the same."""
        return self._snapshot_helps or self._head - self.revision > limits.REBASE_RECORDS

    # -- what happens to it --

    def edit(self, operations: Sequence[Operation]) -> None:
        """Makes a transaction on what is shown. Raises InvalidOperation, and NotReady."""
        if not self.ready:
            raise NotReady
        made = validate(operations, self.client)
        try:
            made = convert(to_builtins(made), Transaction)
        except msgspec.ValidationError as exc:
            raise InvalidOperation(0, str(exc)) from None
        self._pending.add(made, self.revision)
        self._view = None

    def load(self, snapshot: Snapshot) -> None:
        """A newer state from the server. An older one is ignored."""
        self._head = max(self._head, snapshot.head)
        self._snapshot_helps = False
        if snapshot.revision <= self.revision:
            return
        self._confirmed = {
            key: Entity(alive=e.alive, parent=e.parent, order=e.order, props=e.props)
            for key, e in snapshot.entities.items()
        }
        self.revision = snapshot.revision
        self._view = None
        self._advance()
        if not self.ready:
            self._read_on(0)

    def reconnected(self, now_ms: int) -> None:
        """There is a (new) connection: reads on, and then sends again what was not acknowledged."""
        self._online = True
        self._read_on(now_ms)
        self._fetches = self._sendings = 0
        self._send_at_ms = now_ms

    def disconnected(self) -> None:
        """There is none: `poll` has nothing to say until `reconnected`."""
        self._online = False

    def receive(self, message: Received, now_ms: int) -> None:
        """Something from the server, in any order, any number of times."""
        if isinstance(message, ErrorMessage):
            self._failed(message, now_ms)
        elif message.document_id != self.document_id:
            return
        elif isinstance(message, OpRejected):
            if message.client == self.client:
                self._refused(message.seq, message.code, message.message, now_ms)
        elif isinstance(message, OpAck):
            self._hear((message.operation,), message.operation.revision, now_ms)
        elif isinstance(message, OpCommitted):
            self._hear(message.commits, message.head, now_ms)
            if not message.commits:
                self._fetch_at_ms = min(self._fetch_at_ms, now_ms)
        else:
            self._fetched(message, now_ms)

    def poll(self, now_ms: int) -> Poll:
        """What to send now. What is returned counts as sent: if it is lost, it is sent again later."""
        if not self._online:
            return Poll((), None)
        messages: list[Sent] = []
        wakes: list[int] = []
        if self._behind:
            if now_ms >= self._fetch_at_ms:
                messages.append(self._fetch(now_ms))
            wakes.append(self._fetch_at_ms)
        if not self._catching_up:
            submit = self._submit(now_ms)
            if submit is not None:
                messages.append(submit)
            flight = self._pending.flight
            if flight is not None and not flight.acknowledged:
                wakes.append(self._send_at_ms)
        return Poll(tuple(messages), min(wakes, default=None))

    # -- over a restart --

    def saved(self) -> bytes:
        """What must outlive this process: the pending, not the document."""
        return msgspec.json.encode(
            _Saved(
                document_id=self.document_id,
                client=self.client,
                next_seq=self._next_seq,
                base=self.base,
                flight=self._pending.flight,
                buffer=self._pending.buffer,
                seen=self._pending.seen,
                rejected=self.rejected,
                fallen=self.fallen,
            )
        )

    @classmethod
    def restore(cls, saved: bytes) -> Self:
        """The editor that was saved. It wants a snapshot, and reads what came since. Raises msgspec.DecodeError."""
        state = msgspec.json.decode(saved, type=_Saved)
        editor = cls(state.document_id, state.client)
        editor._next_seq = state.next_seq
        editor._pending.restore(state.flight, state.buffer, state.fallen, state.seen)
        editor.rejected = state.rejected
        editor.base = state.base if editor._pending else 0
        editor._snapshot_helps = True
        return editor

    # -- the log --

    @property
    def _place(self) -> int:
        """Up to where nothing in the log is news, neither for the confirmed nor for the pending."""
        return min(self.revision, self.base)

    @property
    def _behind(self) -> bool:
        return self._catching_up or self._head > self._place

    def _hear(self, commits: Sequence[Commit], head: int, now_ms: int) -> None:
        was_behind = self._behind
        flight = self._pending.flight
        for commit in commits:
            head = max(head, commit.revision)
            if flight is not None and commit.client == self.client and commit.seq == flight.seq:
                flight.acknowledged = True
            if 0 < commit.revision - self._place <= AHEAD_MAX:
                self._ahead[commit.revision] = commit
        self._head = max(self._head, head)
        self._advance()
        if self._behind and not was_behind:
            self._fetch_at_ms = now_ms + GAP_MS
            self._fetches = 0

    def _advance(self) -> None:
        """Takes what attaches."""
        if not self._pending:
            self.base = self.revision
        while (commit := self._ahead.pop(self._place + 1, None)) is not None:
            self._take(commit)
            if not self._pending:
                self.base = self.revision
        for revision in [each for each in self._ahead if each <= self._place]:
            del self._ahead[revision]

    def _take(self, commit: Commit) -> None:
        if commit.revision > self.revision:
            apply_all(self._confirmed, commit.operations)
            self.revision = commit.revision
        if commit.revision > self.base:
            self._pending.past(commit, self.client)
            self.base = commit.revision
            if commit.client == self.client:
                self._not_rejected(commit.seq)
        self._view = None

    def _not_rejected(self, seq: int) -> None:
        """One copy was refused, and another committed: the log is right."""
        found = [replace(each, operations=()) if each.seq == seq else each for each in self.rejected]
        self.rejected = [each for each in found if each.operations or each.along]

    def _fetched(self, message: DocCommits, now_ms: int) -> None:
        place = self._place
        self._hear(message.commits, message.head, now_ms)
        if self._place >= message.head:
            self._catching_up = self._snapshot_helps = False
        if self._place > place:  # the next page at once; an answer without progress waits for its time
            self._fetch_at_ms, self._fetches = now_ms, 0

    def _fetch(self, now_ms: int) -> DocFetch:
        self._fetches += 1
        self._fetch_at_ms = now_ms + FETCH_MS + self._pause_ms(self._fetches)
        return DocFetch(id=f"{self.client}.fetch", document_id=self.document_id, since=self._place)

    def _read_on(self, now_ms: int) -> None:
        self._catching_up = True
        self._fetch_at_ms = now_ms

    # -- submissions --

    def _submit(self, now_ms: int) -> OpSubmit | None:
        pending = self._pending
        if pending.flight is not None and now_ms >= self._send_at_ms:
            pending.flight.operations = bounded(pending.flight.operations)
            if not pending.flight.operations and not pending.flight.acknowledged:
                pending.give_up()
        if pending.flight is None and pending.buffer:
            pending.take_off(self._next_seq)
            self._next_seq += 1
            self._sendings, self._send_at_ms = 0, now_ms
        flight = pending.flight
        if flight is None or flight.acknowledged or now_ms < self._send_at_ms:
            return None
        self._sendings += 1
        self._send_at_ms = now_ms + ACK_MS + self._pause_ms(self._sendings)
        return OpSubmit(
            id=f"{self.client}.{flight.seq}",
            document_id=self.document_id,
            client=self.client,
            seq=flight.seq,
            base=self.base,
            seen=flight.seen if flight.seen is not None and flight.seen < self.base else None,
            operations=flight.operations,
        )

    def _refused(self, seq: int, code: Code, message: str, now_ms: int, retry_after_ms: int = 0) -> None:
        flight = self._pending.flight
        if flight is None or flight.seq != seq or flight.acknowledged:
            return
        if code in BEHIND:
            self._read_on(now_ms)
            self._snapshot_helps = self._snapshot_helps or code is Code.BASE_TOO_OLD
            self._send_at_ms = now_ms + (self._pause_ms(self._sendings) if self._sendings > 1 else 0)
        elif code in LATER:
            self._send_at_ms = now_ms + max(retry_after_ms, self._pause_ms(self._sendings))
        elif self.ready:  # otherwise it cannot be taken out yet; it is sent again, and refused again
            self.rejected.append(self._pending.reject(self._confirmed, code, message))
            self._view = None

    def _failed(self, message: ErrorMessage, now_ms: int) -> None:
        """An error that answers one of ours."""
        retry_after_ms = message.retry_after_ms or 0
        if message.id == f"{self.client}.fetch":
            self._fetch_at_ms = now_ms + max(retry_after_ms, self._pause_ms(self._fetches))
        elif message.id is not None and message.id.startswith(f"{self.client}."):
            seq = message.id.partition(".")[2]
            if seq.isdecimal():
                self._refused(int(seq), message.code, message.message, now_ms, retry_after_ms)

    def _pause_ms(self, attempt: int) -> int:
        """Doubled with each attempt; between a half and the whole of it, different for each client."""
        longest = PAUSE_MS << min(attempt, DOUBLED_MAX)
        spread = crc32(f"{self.client}.{self._next_seq}.{attempt}".encode()) / 2**32
        return int(longest * (0.5 + spread / 2))
