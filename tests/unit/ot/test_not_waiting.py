"""A client that does not wait: its transactions are made on its own earlier ones, heard of or not."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.commit import settle, settle_after_own
from chalicelib.ot.state import Entity
from chalicelib.ot.transform import rebase
from chalicelib.ot.validate import validate
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Operation, Set, Text
from tests.unit.ot.strategies import operations

ME, OTHER = "ada00000", "bob00000"


@dataclass
class Hasty:
    """An editor that sends each edit at once."""

    revision: int = 0
    confirmed: dict[str, Entity] = field(default_factory=dict)
    pending: list[tuple[Operation, ...]] = field(default_factory=list)

    def view(self) -> dict[str, Entity]:
        """What it shows."""
        entities = dict(self.confirmed)
        for transaction in self.pending:
            apply_all(entities, transaction)
        return entities

    def hear(self, commit: Commit) -> None:
        """The next revision: one's own oldest, or somebody else's."""
        if commit.client == ME:
            assert self.pending.pop(0) == commit.operations, "the log made of it what its editor did"
        else:
            flat = [operation for transaction in self.pending for operation in transaction]
            moved = rebase(flat, commit.operations, revision=commit.revision, foreign=True).operations
            at = 0
            for index, transaction in enumerate(self.pending):
                part = moved[at : at + len(transaction)]
                at += len(transaction)
                self.pending[index] = tuple(operation for operation in part if operation is not None)
        apply_all(self.confirmed, commit.operations)
        self.revision = commit.revision


def commit_of(log: list[Commit], client: str, base: int, made: tuple[Operation, ...]) -> Commit:
    """As the committer does it."""
    tail = log[base:]
    own = [commit.base for commit in tail if commit.client == client]
    since = log[min([base, *own]) :]
    outcome = settle_after_own(made, base, client, since) if own else settle(made, client, tail)
    return Commit(
        revision=len(log) + 1,
        client=client,
        seq=len(log) + 1,
        user_id=client,
        at_ms=0,
        base=base,
        operations=outcome.operations,
        submitted=made if outcome.transformed else None,
    )


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_committed_is_what_its_editor_meant(data: st.DataObject) -> None:
    """Sent without waiting, arriving in order between somebody else's: each is in the context it was made in."""
    log: list[Commit] = []
    me, others = Hasty(), Hasty()
    for n in range(data.draw(st.integers(1, 16))):
        what = data.draw(st.sampled_from(("mine", "mine", "theirs", "hear")))
        if what == "mine":
            made = validate((data.draw(operations(me.view(), f"{ME}.{n}")),), ME)
            me.pending.append(made)
            log.append(commit_of(log, ME, me.revision, made))
        elif what == "theirs":
            shown: dict[str, Entity] = {}
            for commit in log:
                apply_all(shown, commit.operations)
            made = validate((data.draw(operations(shown, f"{OTHER}.{n}")),), OTHER)
            log.append(commit_of(log, OTHER, len(log), made))
        elif me.revision < len(log):
            me.hear(log[me.revision])
    while me.revision < len(log):
        me.hear(log[me.revision])
    for commit in log:
        apply_all(others.confirmed, commit.operations)
    assert me.pending == []
    assert state_hash(me.confirmed) == state_hash(others.confirmed)


def test_what_its_client_rebased_is_reported_and_left_alone() -> None:
    """Of the entries up to its base only what it overrides is noted."""
    theirs = Commit(
        revision=1,
        client=OTHER,
        seq=1,
        user_id="bob",
        at_ms=0,
        base=0,
        operations=(Set(id="bob00000.1", path=("a",), value=1),),
    )
    mine = (Set(id="bob00000.1", path=("a",), value=2, guard=0),)
    outcome = settle(mine, ME, [theirs], 1)
    assert outcome.operations == mine
    assert outcome.dropped == {}
    assert outcome.conflicts_with == (1,)


def test_what_fell_away_of_ones_own_earlier_is_not_of_this_one() -> None:
    """Places in what is reported are of the submission, not of what its client sent before it."""
    box = "bob00000.1"
    log = [commit_of([], OTHER, 0, (Set(id=box, path=("note",), value="abc"),))]
    log.append(commit_of(log, OTHER, 1, (Set(id=box, path=("note",), value="xyz"),)))
    log.append(commit_of(log, ME, 1, (Text(id=box, path=("note",), edit=(1, "b")),)))
    assert log[2].operations == ()
    mine = (Set(id=box, path=("color",), value="#aabbcc"),)
    outcome = settle_after_own(mine, 1, ME, log[1:])
    assert outcome.operations == mine
    assert outcome.dropped == {}
