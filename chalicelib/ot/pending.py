"""What an editor has made and the log has not told yet: one transaction in flight, and a buffer of those to come.

The buffer is a row of transactions, each small enough for one message. Only its last one grows, by composing: so what was
made by one `add` commits together, unless it is too big for any message. What is here is always based on one revision of
the log; `past` takes it to the next, exactly as the committer would.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.ot.compose import compose
from chalicelib.ot.invert import invert
from chalicelib.ot.state import Entities
from chalicelib.ot.text import Step, normal
from chalicelib.ot.transform import rebase
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Create, Cut, Drop, Move, Operation, Text

SUBMIT_BYTES: Final = 24 * 1024  # of JSON; a message is at most 32 KB, and rebasing may make a text edit longer
_PIECE_CHARS: Final = 2000  # of an insertion that is cut up; at most 6 bytes each as JSON
_PIECE_BYTES: Final = SUBMIT_BYTES // 2

_encode = msgspec.json.Encoder().encode
Operations = tuple[Operation, ...]


class Fallen(Struct, frozen=True, kw_only=True):
    """An operation that was overtaken before it was sent, so that no history has it. Its editor keeps it here."""

    revision: int
    """What overtook it."""
    operation: Operation
    why: Drop


class Rejected(Struct, frozen=True, kw_only=True):
    """A transaction that the server will not have (clause Z6), and what was built upon it and cannot be without it."""

    seq: int
    code: Code
    message: str
    operations: Operations
    along: Operations = ()


class Flight(Struct, kw_only=True):
    """The transaction that was sent, as it is now."""

    seq: int
    operations: Operations
    seen: int | None = None
    """What its author saw when making the oldest of it."""
    acknowledged: bool = False
    """It is in the log; its revision has not been reached yet."""
    fallen: list[Fallen] = field(default_factory=list)


class Pending:
    """All that is not confirmed, in the order in which it was made."""

    def __init__(self) -> None:
        self.flight: Flight | None = None
        self.buffer: list[Operations] = []
        self.seen: int | None = None
        self.fallen: list[Fallen] = []

    def __bool__(self) -> bool:
        return self.flight is not None or bool(self.buffer)

    @property
    def operations(self) -> Operations:
        """All of it."""
        flying = () if self.flight is None else self.flight.operations
        return (*flying, *(operation for each in self.buffer for operation in each))

    def add(self, operations: Operations, seen: int) -> None:
        """Something made on top of all that is here, by who saw that revision."""
        if not self.buffer:
            self.seen = seen
        if self.buffer:
            both = compose(self.buffer[-1], operations)
            if fits_submit(both):
                self.buffer[-1] = both
                return
        self.buffer += parted(compose((), operations))

    def take_off(self, seq: int) -> Flight:
        """The buffer's first is to be sent from now on. There is one, and none is in flight."""
        first, *rest = parted(self.buffer[0])
        self.buffer[:1] = rest
        self.flight = Flight(seq=seq, operations=first, seen=self.seen)
        return self.flight

    def restore(self, flight: Flight | None, buffer: list[Operations], fallen: list[Fallen], seen: int | None) -> None:
        """As it was saved."""
        self.flight, self.buffer, self.fallen, self.seen = flight, buffer, fallen, seen

    def give_up(self) -> None:
        """Nothing is left of the one in flight to be sent again."""
        assert self.flight is not None
        self.fallen += self.flight.fallen
        self.flight = None

    def past(self, commit: Commit, client: str) -> None:
        """The next revision of the log; one's own lands."""
        flight = self.flight
        if flight is None or commit.client != client or commit.seq != flight.seq:
            self._rebase(commit.operations, commit.revision, foreign=commit.client != client)
            return
        # What fell away after the base of the copy that was committed is in the history, as submitted.
        self.fallen += [each for each in flight.fallen if each.revision <= commit.base]
        self.flight = None

    def reject(self, confirmed: Entities, code: Code, message: str) -> Rejected:
        """Takes the one in flight out from beneath the buffer. `confirmed` is the state that all is based on."""
        flight = self.flight
        assert flight is not None
        self.give_up()
        along = self._take_dependent({operation.id for operation in flight.operations if isinstance(operation, Create)})
        back = invert(flight.operations, confirmed)
        before = len(self.fallen)
        self._rebase(back, 0, foreign=False)
        lost = self.fallen[before:]
        del self.fallen[before:]
        along += [each.operation for each in lost if each.why is not Drop.EMPTY]
        return Rejected(seq=flight.seq, code=code, message=message, operations=flight.operations, along=tuple(along))

    def _take_dependent(self, gone: set[str]) -> list[Operation]:
        """Out of the buffer, what needs an entity that will not be."""
        taken: list[Operation] = []
        left: list[Operations] = []
        for each in self.buffer:
            stay: list[Operation] = []
            for operation in each:
                beneath = isinstance(operation, Create | Move) and operation.parent in gone
                if beneath and isinstance(operation, Create):
                    gone.add(operation.id)
                (taken if beneath or operation.id in gone else stay).append(operation)
            left.append(tuple(stay))
        self.buffer = [each for each in left if each]
        return taken

    def _rebase(self, others: Sequence[Operation], revision: int, *, foreign: bool) -> None:
        mine = self.operations
        ids = {operation.id for operation in others}
        if all(operation.id not in ids for operation in mine):
            return
        moved = rebase(mine, others, revision=revision, foreign=foreign)
        fallen = {
            index: Fallen(revision=revision, operation=mine[index], why=why) for index, why in moved.dropped.items()
        }
        at = 0
        if self.flight is not None:
            at = len(self.flight.operations)
            self.flight.operations = tuple(o for o in moved.operations[:at] if o is not None)
            self.flight.fallen += [each for index, each in fallen.items() if index < at]
        self.fallen += [each for index, each in fallen.items() if index >= at]
        for place, each in enumerate(self.buffer):
            end = at + len(each)
            self.buffer[place] = tuple(o for o in moved.operations[at:end] if o is not None)
            at = end
        self.buffer = [each for each in self.buffer if each]


def fits_submit(operations: Operations) -> bool:
    """Whether one message carries it."""
    return len(operations) <= limits.OPERATIONS_PER_TRANSACTION and len(_encode(operations)) <= SUBMIT_BYTES


def parted(operations: Operations) -> list[Operations]:
    """As few transactions as there must be to send it, one after the other."""
    operations = bounded(operations)
    if fits_submit(operations):
        return [operations]
    parts: list[list[Operation]] = [[]]
    size = 0
    for operation in operations:
        more = len(_encode(operation)) + 1
        if parts[-1] and (size + more >= SUBMIT_BYTES or len(parts[-1]) == limits.OPERATIONS_PER_TRANSACTION):
            parts.append([])
            size = 0
        parts[-1].append(operation)
        size += more
    return [tuple(part) for part in parts]


def bounded(operations: Operations) -> Operations:
    """The same with text edits that are too long (rebasing adds parts) as several, one after the other."""
    done: list[Operation] = []
    for operation in operations:
        if isinstance(operation, Text) and (
            len(operation.edit) > limits.TEXT_PARTS or len(_encode(operation)) > _PIECE_BYTES
        ):
            done += _pieces(operation)
        else:
            done.append(operation)
    return tuple(done)


def _pieces(long: Text) -> list[Text]:
    pieces: list[Text] = []
    at = offset = size = 0  # `at`: where the walk is in the text as the pieces leave it; `offset`: where this one began
    steps: list[Step] = []
    for step in _short(long.edit):
        if steps and (len(steps) + 1 >= limits.TEXT_PARTS or size + len(_encode(step)) > _PIECE_BYTES):
            pieces.append(replace(long, edit=normal([offset, *steps])))
            steps, size, offset = [], 0, at
        steps.append(step)
        size += len(_encode(step)) + 1
        if not isinstance(step, Cut):
            at += len(step) if isinstance(step, str) else step
    pieces.append(replace(long, edit=normal([offset, *steps])))
    return [piece for piece in pieces if piece.edit]


def _short(edit: Sequence[Step]) -> list[Step]:
    """The edit's steps, with no insertion too long for a piece."""
    done: list[Step] = []
    for step in edit:
        if isinstance(step, str):
            done += [step[start : start + _PIECE_CHARS] for start in range(0, len(step), _PIECE_CHARS)]
        else:
            done.append(step)
    return done
