"""The checker is itself checked: a good history passes, and each known-bad one is caught and named by its clause."""

from collections.abc import Callable
from copy import copy

import pytest
from msgspec.structs import replace

from chalicelib.ot.apply import apply_all
from chalicelib.ot.pending import Fallen, Rejected
from chalicelib.ot.state import Entity
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit
from chalicelib.wire.operations import Create, Delete, Drop, Operation, Overridden, Restore, Set, Text
from tests.faults.checker import Clause, check
from tests.faults.history import Acked, End, Heard, History, Loaded, Made, Read, Refused, Sent

ADA, BOB = "ada00000", "bob00000"
BOX = f"{ADA}.1"
COLOR = ("color",)


def state_at(log: list[Commit], revision: int) -> dict[str, Entity]:
    """The replay."""
    state: dict[str, Entity] = {}
    for commit in log[:revision]:
        apply_all(state, commit.operations)
    return state


def commit(revision: int, client: str, seq: int, base: int, *operations: Operation, **fields: object) -> Commit:
    """One of them."""
    made = Commit(
        revision=revision, client=client, seq=seq, user_id=client[:3], at_ms=revision, base=base, operations=operations
    )
    return replace(made, **fields)


def red_over_blue() -> Overridden:
    """Bob's color went over Ada's."""
    return Overridden(revision=2, user_id="ada", entity=BOX, register=COLOR)


def good() -> History:
    """Ada makes a box and colors it; Bob, who has not seen that, colors it too; Ada deletes it while Bob writes on it, and
    brings it back. One more of Bob's is rejected, one of Ada's is still pending.
    """
    log = [
        commit(1, ADA, 1, 0, Create(id=BOX, props={"t": ""})),
        commit(2, ADA, 2, 1, Set(id=BOX, path=COLOR, value="blue")),
        commit(3, BOB, 1, 1, Set(id=BOX, path=COLOR, value="red"), overridden=(red_over_blue(),), conflicts_with=(2,)),
        commit(4, ADA, 3, 3, Delete(id=BOX)),
        commit(5, BOB, 2, 3, Text(id=BOX, path=("t",), edit=("<bob:1>",)), conflicts_with=(4,)),
        commit(6, ADA, 4, 5, Restore(id=BOX)),
    ]
    refused = (Set(id=BOX, path=COLOR, value="green"),)
    waiting = (Text(id=BOX, path=("t",), edit=(7, "<ada:1>")),)
    history = History(log=log, told=log[::-1])
    history.made = [Made(client=BOB, token="<bob:1>"), Made(client=ADA, token="<ada:1>")]
    for each in log:
        history.sent += [Sent(client=each.client, seq=each.seq, base=each.base, operations=each.payload)] * 2
        history.acked += [Acked(at=10 * each.revision, client=each.client, seq=each.seq, commit=each)] * 2
        history.heard += [Heard(client=client, commit=each) for client in (ADA, BOB)]
        history.snapshots[each.revision] = state_at(log, each.revision)
        at = 10 * each.revision + 1
        history.reads.append(
            Read(began=at, ended=at + 1, since=0, head=each.revision, commits=tuple(log[: each.revision]))
        )
    history.sent.append(Sent(client=BOB, seq=3, base=6, operations=refused))
    history.refused.append(Refused(client=BOB, seq=3, code=Code.LOCK_HELD, final=True, operations=refused))
    history.sent.append(Sent(client=ADA, seq=5, base=6, operations=waiting))
    back = Rejected(seq=3, code=Code.LOCK_HELD, message="held", operations=refused)
    state = state_at(log, 6)
    history.ends = [
        End(client=ADA, user_id="ada", revision=6, entities=state, pending={5: waiting}),
        End(client=BOB, user_id="bob", revision=6, entities=state, rejected=(back,)),
    ]
    return history


def rewritten(history: History, revision: int, **fields: object) -> None:
    """The log, the history and everybody have another record for a revision."""

    def new(each: Commit) -> Commit:
        return replace(each, **fields) if each.revision == revision else each

    history.log = [new(each) for each in history.log]
    history.told = [new(each) for each in history.told]
    history.heard = [replace(each, commit=new(each.commit)) for each in history.heard]
    history.acked = [replace(each, commit=new(each.commit)) for each in history.acked]
    history.reads = [replace(each, commits=tuple(map(new, each.commits))) for each in history.reads]


def lost(h: History) -> None:
    """An acknowledged operation is not in the log."""
    h.log, h.told = h.log[:-1], h.told[1:]


def duplicated(h: History) -> None:
    """One transaction is there at two revisions."""
    h.log.append(replace(h.log[4], revision=7))


def gap(h: History) -> None:
    """A revision is missing."""
    del h.log[3]


def overwritten(h: History) -> None:
    """A revision that was told to somebody means something else now."""
    h.log[1] = replace(h.log[1], operations=(Set(id=BOX, path=COLOR, value="black"),))


def written_twice(h: History) -> None:
    """An edit took effect twice, under two names."""
    again = commit(7, BOB, 9, 6, Text(id=BOX, path=("t",), edit=("<bob:1>",)))
    h.log.append(again)


def acknowledged_elsewhere(h: History) -> None:
    """A resend was answered with another revision."""
    h.acked.append(replace(h.acked[2], commit=replace(h.acked[2].commit, revision=6)))


def answered_with_anothers(h: History) -> None:
    """A resend was answered with somebody else's commit."""
    h.acked.append(Acked(at=99, client=BOB, seq=1, commit=h.log[3]))


def payload_lost(h: History) -> None:
    """History has only what took effect."""
    rewritten(h, 5, submitted=(Text(id=BOX, path=("t",), edit=("?",)),))


def history_forgot(h: History) -> None:
    """An overridden revision cannot be read any more."""
    h.told = [each for each in h.told if each.revision != 2]


def unreported(h: History) -> None:
    """An override that nobody was told of."""
    rewritten(h, 3, overridden=())


def wrong_author(h: History) -> None:
    """An override that was reported to somebody else."""
    rewritten(h, 3, overridden=(replace(red_over_blue(), user_id="bob"),))


def author_not_told(h: History) -> None:
    """The author of what was overridden never heard of it."""
    h.heard = [each for each in h.heard if (each.client, each.commit.revision) != (ADA, 3)]


def unseen_unreported(h: History) -> None:
    """An override of what the client had rebased past, though its author had not seen it."""
    rewritten(h, 3, overridden=(), base=2)
    h.sent = [replace(s, base=2, seen=1) if (s.client, s.seq) == (BOB, 1) else s for s in h.sent]


def edit_on_a_tombstone_dropped(h: History) -> None:
    """A set was thrown away because its entity was deleted."""
    rewritten(h, 3, operations=(), submitted=h.log[2].operations, dropped={0: Drop.EMPTY})


def edit_on_a_tombstone_gone(h: History) -> None:
    """What was written while it was deleted is not there after the restore."""
    there = h.snapshots[6][BOX]
    h.snapshots[6] = {BOX: replace(there, props={**there.props, "t": ""})}


def not_restored(h: History) -> None:
    """The restore had no effect."""
    h.snapshots[6] = {BOX: replace(h.snapshots[6][BOX], alive=False)}


def without_reason(h: History) -> None:
    """A rejection that does not say why."""
    h.refused[0] = replace(h.refused[0], code=None)


def other_payload(h: History) -> None:
    """A rejection that returns something else."""
    h.refused[0] = replace(h.refused[0], operations=(Delete(id=BOX),))


def not_kept(h: History) -> None:
    """The client threw away what was rejected."""
    h.ends[1] = replace(h.ends[1], rejected=())


def vanished(h: History) -> None:
    """What was sent is not pending any more, and nowhere else."""
    h.ends[0] = replace(h.ends[0], pending={})


def never_sent(h: History) -> None:
    """An edit vanished before it was sent at all."""
    h.made.append(Made(client=BOB, token="<bob:2>"))


def wrong_snapshot(h: History) -> None:
    """The state of a revision is that of the one before."""
    h.snapshots[2] = h.snapshots[1]


def wrong_state_loaded(h: History) -> None:
    """Somebody was given another state of a revision in the middle of it all."""
    h.loaded.append(Loaded(client=BOB, revision=4, entities=h.snapshots[3]))


def snapshot_of_nothing(h: History) -> None:
    """A state of a revision that never was."""
    h.snapshots[7] = h.snapshots[6]


def head_goes_back(h: History) -> None:
    """Somebody read less than somebody before."""
    h.reads.append(replace(h.reads[2], began=70, ended=71))


def read_misses_acknowledged(h: History) -> None:
    """A read that began after an acknowledgement does not have it."""
    h.reads = [replace(h.reads[4], began=61, ended=62)]


def page_with_a_hole(h: History) -> None:
    """A page of the log leaves one out."""
    read = h.reads[5]
    h.reads[5] = replace(read, commits=(*read.commits[:2], *read.commits[3:]))


def empty_page(h: History) -> None:
    """There is more, but the page has nothing."""
    h.reads[5] = replace(h.reads[5], commits=())


def somebody_behind(h: History) -> None:
    """A client stands where the others stood before."""
    h.ends[1] = replace(h.ends[1], revision=5)


def somebody_apart(h: History) -> None:
    """A client has the same revision and another state."""
    h.ends[1] = replace(h.ends[1], entities={})


BAD: list[tuple[Clause, Callable[[History], None]]] = [
    (Clause.Z1, lost),
    (Clause.Z1, duplicated),
    (Clause.Z1, gap),
    (Clause.Z1, overwritten),
    (Clause.Z1, written_twice),
    (Clause.Z2, acknowledged_elsewhere),
    (Clause.Z2, answered_with_anothers),
    (Clause.Z3, payload_lost),
    (Clause.Z3, history_forgot),
    (Clause.Z4, unreported),
    (Clause.Z4, wrong_author),
    (Clause.Z4, author_not_told),
    (Clause.Z4, unseen_unreported),
    (Clause.Z5, edit_on_a_tombstone_dropped),
    (Clause.Z5, edit_on_a_tombstone_gone),
    (Clause.Z5, not_restored),
    (Clause.Z6, without_reason),
    (Clause.Z6, other_payload),
    (Clause.Z6, not_kept),
    (Clause.Z7, vanished),
    (Clause.Z7, never_sent),
    (Clause.Z8, wrong_snapshot),
    (Clause.Z8, wrong_state_loaded),
    (Clause.Z8, snapshot_of_nothing),
    (Clause.STALE, head_goes_back),
    (Clause.STALE, read_misses_acknowledged),
    (Clause.STALE, page_with_a_hole),
    (Clause.STALE, empty_page),
    (Clause.APART, somebody_behind),
    (Clause.APART, somebody_apart),
]


def test_a_good_history_passes() -> None:
    """Overrides that are reported, edits on tombstones, rejections that are kept and what is pending are no violations."""
    assert check(good()) == []


@pytest.mark.parametrize(("clause", "spoil"), BAD, ids=[f"{clause.name}-{spoil.__name__}" for clause, spoil in BAD])
def test_a_known_bad_history_is_caught(clause: Clause, spoil: Callable[[History], None]) -> None:
    """Each is named by the clause that it breaks."""
    history = good()
    spoil(history)
    found = check(history)
    assert clause in {violation.clause for violation in found}, found


def test_every_clause_has_a_known_bad_history() -> None:
    """None of them could be deleted from the checker unnoticed."""
    assert {clause for clause, _ in BAD} == set(Clause)


def test_a_snapshot_excuses_from_hearing_one_by_one() -> None:
    """Who took a snapshot past an override was not told of it; its report is in the history."""
    history = good()
    author_not_told(history)
    history.loaded.append(Loaded(client=ADA, revision=4))
    assert check(history) == []


def test_what_fell_before_it_was_sent_again_is_not_lost() -> None:
    """A text that somebody replaced meanwhile: its editor has it back, and that is where its token is."""
    history = good()
    (pending,) = history.ends[0].pending.values()
    fallen = Fallen(revision=6, operation=pending[0], why=Drop.REPLACED)
    history.ends[0] = replace(history.ends[0], pending={}, fallen=(fallen,))
    assert check(history) == []


def test_a_copy_that_was_committed_after_another_was_refused_is_not_lost() -> None:
    """The log is right, and the client may forget the refusal."""
    history = good()
    history.refused.append(
        Refused(client=BOB, seq=2, code=Code.LOCK_HELD, final=True, operations=history.log[4].payload)
    )
    assert check(copy(history)) == []
