"""An editor's rules, one by one. test_editor_faults.py has all of them at once."""

import msgspec
import pytest

from chalicelib.ot.apply import apply_all
from chalicelib.ot.editor import ACK_MS, AHEAD_MAX, FETCH_MS, GAP_MS, Editor, NotReady, Sent
from chalicelib.ot.pending import SUBMIT_BYTES, bounded, parted
from chalicelib.ot.state import Entity, value_at
from chalicelib.ot.sugar import plain
from chalicelib.ot.text import apply_edit
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message
from chalicelib.wire.documents import Commit
from chalicelib.wire.messages import DocCommits, DocFetch, ErrorMessage, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Add, Create, Cut, Drop, Move, Operation, Set, Text
from tests.unit.ot.faulty import DOCUMENT, snapshot_of

ME, BOB = "ada00000", "bob00000"
LAMP = f"{BOB}.1"


def commit(revision: int, *operations: Operation, client: str = BOB, seq: int | None = None, base: int = -1) -> Commit:
    """An entry of the log."""
    return Commit(
        revision=revision,
        client=client,
        seq=revision if seq is None else seq,
        user_id=client,
        at_ms=0,
        base=revision - 1 if base < 0 else base,
        operations=operations,
    )


LIT = commit(1, Create(id=LAMP, props={"t": "abc", "n": 1}))


def told(*commits: Commit, head: int = 0) -> OpCommitted:
    """A push."""
    return OpCommitted(document_id=DOCUMENT, head=head or max(c.revision for c in commits), commits=commits)


def page(since: int, *commits: Commit, head: int = 0) -> DocCommits:
    """The answer to a fetch."""
    return DocCommits(document_id=DOCUMENT, since=since, head=head or since + len(commits), commits=commits)


def ack(entry: Commit) -> OpAck:
    """An acknowledgement."""
    return OpAck(document_id=DOCUMENT, operation=entry, transformed=False)


def rejected(code: Code, seq: int = 1, client: str = ME) -> OpRejected:
    """A refusal."""
    return OpRejected(
        document_id=DOCUMENT, client=client, seq=seq, code=code, message="no", correlation_id="c", operations=()
    )


def error(code: Code, request: str | None, retry_after_ms: int | None = None) -> ErrorMessage:
    """What a message broke."""
    return ErrorMessage(id=request, code=code, message="no", correlation_id="c", retry_after_ms=retry_after_ms)


def opened(*commits: Commit) -> Editor:
    """An editor that is connected and has read the log."""
    editor = Editor(DOCUMENT, ME)
    editor.reconnected(0)
    editor.poll(0)
    editor.receive(page(0, *(commits or (LIT,))), 0)
    return editor


def sent(editor: Editor, now_ms: int = 0) -> Sent | None:
    """The one message that it sends now."""
    messages = editor.poll(now_ms).messages
    assert len(messages) <= 1
    return messages[0] if messages else None


def submitted(editor: Editor, now_ms: int = 0) -> OpSubmit:
    """The one submission that it sends now."""
    message = sent(editor, now_ms)
    assert isinstance(message, OpSubmit)
    return message


def done(editor: Editor) -> bool:
    """Whether all is in the log or rejected; a function, because the type checker takes properties for constants."""
    return editor.settled


def prop(editor: Editor, *path: str, of: str = LAMP) -> object:
    """A property, as it is shown."""
    value: object = value_at(editor.entities[of].props, path)
    return value


def write(value: object, *path: str) -> Set:
    """A property of the lamp gets a value."""
    return Set(id=LAMP, path=path or ("color",), value=value)


# -- editing --


def test_an_edit_shows_at_once() -> None:
    """Confirmed + in flight + buffer is what is shown."""
    editor = opened()
    editor.edit([write("red")])
    assert prop(editor, "color") == "red"
    submitted(editor)
    editor.edit([write("blue")])
    assert prop(editor, "color") == "blue"
    assert editor.entities is editor.entities


def test_one_transaction_is_in_flight() -> None:
    """What is made meanwhile is composed, and goes when the first is acknowledged and read."""
    editor = opened()
    editor.edit([write(1, "x")])
    first = submitted(editor)
    assert (first.seq, first.base, first.operations) == (1, 1, (write(1, "x"),))
    editor.edit([write(2, "x")])
    editor.edit([write(3, "x")])
    assert sent(editor) is None
    assert not done(editor)
    editor.receive(ack(commit(2, *plain(first.operations, ME, 0), client=ME, seq=1)), 5)
    second = submitted(editor, 5)
    assert (second.seq, second.base, second.operations) == (2, 2, (write(3, "x"),))
    editor.receive(told(commit(3, *plain(second.operations, ME, 0), client=ME, seq=2)), 6)
    assert editor.settled
    assert editor.poll(6) == ((), None)


def test_an_acknowledgement_that_overtakes_waits_for_what_is_before_it() -> None:
    """It settles, and is not sent again; what is missing is waited for, and then fetched."""
    editor = opened()
    editor.edit([write("red")])
    submission = submitted(editor)
    editor.edit([write("more", "y")])
    editor.receive(ack(commit(3, *plain(submission.operations, ME, 0), client=ME, seq=1)), 10)
    assert editor.poll(10) == ((), 10 + GAP_MS)
    fetch = sent(editor, 10 + GAP_MS)
    assert isinstance(fetch, DocFetch)
    assert fetch.since == 1
    editor.receive(rejected(Code.ROLE_INSUFFICIENT), 300)
    assert editor.rejected == [], "it is in the log, whatever is said of another copy"
    editor.receive(told(commit(2, write("blue")), head=3), 400)
    assert editor.revision == 3
    assert prop(editor, "color") == "red"
    assert submitted(editor, 400).base == 3


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        (Create(id="foreign0.1"),),
        (write(float("nan")),),
        (write(1, "a", "b", "c", "d"),),
        (Move(id=LAMP, order="!"),),
        (Text(id=LAMP, path=("t",), edit=(1, "a") * (limits.TEXT_PARTS // 2 + 1)),),
    ],
)
def test_what_breaks_a_rule_is_refused_at_once(wrong: tuple[Operation, ...]) -> None:
    """By the rules of the algebra, and by those of the wire."""
    editor = opened()
    with pytest.raises(InvalidOperation):
        editor.edit(wrong)
    assert editor.settled


def test_what_is_edited_later_does_not_reach_what_was_given() -> None:
    """Values are copied on the way in."""
    editor = opened()
    value = {"b": [1]}
    editor.edit([write(value)])
    value["b"].append(2)
    assert prop(editor, "color") == {"b": [1]}


# -- sizes --


def test_a_message_carries_what_fits() -> None:
    """What does not fit waits for the next, in the order in which it was made."""
    editor = opened()
    for i in range(5):
        editor.edit([write(f"{i}" * 10_000, f"p{i}")])
    seen = []
    for revision in range(2, 5):
        submission = submitted(editor)
        assert len(msgspec.json.encode(submission.operations)) <= SUBMIT_BYTES
        decode_client_message(msgspec.json.encode(submission))
        seen += [o.path[0] for o in submission.operations if isinstance(o, Set)]
        editor.receive(ack(commit(revision, *plain(submission.operations, ME, 0), client=ME, seq=revision - 1)), 0)
    assert seen == ["p0", "p1", "p2", "p3", "p4"]
    assert editor.settled


def test_an_edit_too_big_for_a_message_goes_in_parts() -> None:
    """By size, and by the number of operations."""
    big = tuple(write("x" * 10_000, f"p{i}") for i in range(3))
    assert [len(part) for part in parted(big)] == [2, 1]
    many = tuple(write(i, f"p{i}") for i in range(limits.OPERATIONS_PER_TRANSACTION + 1))
    assert [len(part) for part in parted(many)] == [limits.OPERATIONS_PER_TRANSACTION, 1]


@pytest.mark.parametrize(
    "edit",
    [
        tuple(step for _ in range(500) for step in (1, "é")),
        tuple(step for _ in range(300) for step in (2, "é", Cut(1))),
        ("😀" * 20_000,),
        ("\x00" * 5000, Cut(4), 3, "end"),
        (Cut(1), *(step for _ in range(450) for step in (1, Cut(1)))),
    ],
    ids=["parts", "deleting", "long", "escaped", "cuts"],
)
def test_a_long_text_edit_goes_in_pieces(edit: tuple[int | str | Cut, ...]) -> None:
    """Rebasing may add parts without end; the pieces, one after the other, are the same edit."""
    text = "0123456789" * 200
    pieces = bounded((Text(id=LAMP, path=("t",), edit=edit), write(1)))
    assert len(pieces) > 2
    assert pieces[-1] == write(1)
    after = text
    for piece in pieces[:-1]:
        assert isinstance(piece, Text)
        validate((piece,), ME)
        assert len(msgspec.json.encode(piece)) <= SUBMIT_BYTES
        after = apply_edit(after, piece.edit)
    assert after == apply_edit(text, edit)


# -- what comes from the log --


def test_out_of_order_and_twice() -> None:
    """Each revision takes effect once, at its place."""
    editor = opened()
    add = [commit(n, Add(id=LAMP, path=("n",), by=n)) for n in range(2, 6)]
    editor.receive(told(add[3], add[1]), 0)
    assert editor.revision == 1
    assert not editor.current
    editor.receive(told(add[0], add[0]), 0)
    assert editor.revision == 3
    editor.receive(told(add[2], add[1], add[3]), 0)
    assert prop(editor, "n") == 1 + 2 + 3 + 4 + 5
    assert editor.current


def test_what_others_commit_moves_the_pending() -> None:
    """What is in flight and what waits is rebased, and sent again as it is now, by the same seq."""
    editor = opened()
    editor.edit([Text(id=LAMP, path=("t",), edit=(3, "!"))])
    assert submitted(editor).base == 1
    editor.edit([Text(id=LAMP, path=("t",), edit=(4, "?"))])
    editor.receive(told(commit(2, Text(id=LAMP, path=("t",), edit=("__",)))), 0)
    assert prop(editor, "t") == "__abc!?"
    again = submitted(editor, 2 * ACK_MS)
    assert (again.seq, again.base) == (1, 2)
    assert again.operations == (Text(id=LAMP, path=("t",), edit=(5, "!")),)
    editor.receive(ack(commit(3, *again.operations, client=ME, seq=1)), 2 * ACK_MS)
    assert submitted(editor, 2 * ACK_MS).operations == (Text(id=LAMP, path=("t",), edit=(6, "?")),)


def test_an_empty_push_is_fetched_at_once() -> None:
    """The commits were too big to push."""
    editor = opened()
    editor.receive(told(head=4), 10)
    fetch = sent(editor, 10)
    assert isinstance(fetch, DocFetch)
    assert fetch.since == 1
    editor.receive(page(1, commit(2, write(1)), commit(3, write(2)), head=4), 11)
    following = sent(editor, 11)
    assert isinstance(following, DocFetch), "the next page at once"
    assert following.since == 3
    assert sent(editor, 12) is None, "but one at a time"
    editor.receive(page(3, head=4), 12)
    assert sent(editor, 12) is None, "an empty answer is no reason to ask at once"
    assert isinstance(sent(editor, 20 + 2 * FETCH_MS), DocFetch), "no answer: again"
    editor.receive(page(3, commit(4, write(3))), 20_000)
    assert editor.current


def test_only_so_much_is_kept_for_later() -> None:
    """What does not attach is bounded; the rest is fetched again."""
    editor = opened()
    editor.receive(told(*(commit(n, write(n)) for n in range(3, AHEAD_MAX + 10))), 0)
    editor.receive(told(commit(2, write(2))), 0)
    assert editor.revision == AHEAD_MAX + 1
    assert not editor.current
    assert isinstance(sent(editor, GAP_MS), DocFetch)


def test_other_documents_and_clients_are_others() -> None:
    """A connection carries many documents, and a refusal is for one client."""
    editor = opened()
    editor.edit([write("red")])
    submitted(editor)
    editor.receive(msgspec.structs.replace(rejected(Code.LOCK_HELD), document_id="doc_" + "b" * 20), 0)
    editor.receive(rejected(Code.LOCK_HELD, client=BOB), 0)
    editor.receive(rejected(Code.LOCK_HELD, seq=7), 0)
    assert editor.rejected == []
    assert not editor.settled


# -- connections --


def test_nothing_is_sent_without_a_connection() -> None:
    """Neither before the first nor after the last; edits wait."""
    editor = Editor(DOCUMENT, ME)
    editor.edit([Create(id=f"{ME}.1")])
    assert editor.poll(0) == ((), None)
    editor.reconnected(0)
    assert isinstance(sent(editor), DocFetch)
    editor.disconnected()
    assert editor.poll(99_999) == ((), None)


def test_after_a_reconnect_it_reads_on_before_it_sends_again() -> None:
    """And so finds what was committed though its acknowledgement was lost."""
    editor = opened()
    editor.edit([write("red")])
    first = submitted(editor)
    editor.reconnected(50)
    assert isinstance(sent(editor, 50), DocFetch)
    assert sent(editor, 60) is None
    editor.receive(page(1, commit(2, write("blue")), head=2), 70)
    again = submitted(editor, 70)
    assert (again.seq, again.base, again.operations) == (first.seq, 2, first.operations)
    editor.reconnected(80)
    sent(editor, 80)
    editor.receive(page(2, commit(3, *plain(first.operations, ME, 0), client=ME, seq=1)), 90)
    assert editor.settled
    assert sent(editor, 90) is None


def test_without_an_answer_it_is_sent_again_more_and_more_rarely() -> None:
    """By the same seq."""
    editor = opened()
    editor.edit([write("red")])
    now, waits = 0, []
    for _ in range(12):
        assert submitted(editor, now).seq == 1
        wake = editor.poll(now).wake_at_ms
        assert wake is not None
        waits.append(wake - now)
        now = wake
    assert waits[0] < ACK_MS + 1000
    assert 15_000 < waits[-1] < 40_000


# -- refusals --


@pytest.mark.parametrize("code", [Code.BASE_BEHIND_OWN, Code.BASE_AHEAD, Code.BASE_TOO_OLD])
def test_a_wrong_base_is_read_on_from(code: Code) -> None:
    """Then it is sent again by the same seq; a second time not at once."""
    editor = opened()
    editor.edit([write("red")])
    submitted(editor)
    editor.receive(rejected(code), 10)
    assert editor.needs_snapshot is (code is Code.BASE_TOO_OLD)
    assert isinstance(sent(editor, 10), DocFetch)
    editor.receive(page(1, commit(2, write("blue"))), 20)
    assert not editor.needs_snapshot
    again = submitted(editor, 20)
    assert (again.seq, again.base) == (1, 2)
    editor.receive(rejected(code), 30)
    sent(editor, 30)
    editor.receive(page(2), 40)
    assert sent(editor, 40) is None
    assert submitted(editor, 2000).base == 2


@pytest.mark.parametrize(
    "code",
    [Code.RATE_LIMITED, Code.UPSTREAM_UNAVAILABLE, Code.DOCUMENT_BUSY, Code.INTERNAL, Code.CONNECTION_GONE],
)
def test_what_may_pass_is_tried_again(code: Code) -> None:
    """After a pause, and not before the server said."""
    editor = opened()
    editor.edit([write("red")])
    submitted(editor)
    editor.receive(rejected(code), 10)
    assert sent(editor, 10) is None
    assert submitted(editor, 600).seq == 1
    editor.receive(error(code, f"{ME}.1", 7000), 600)
    assert sent(editor, 7500) is None
    assert submitted(editor, 7600).seq == 1


def test_errors_of_others_are_none_of_its_business() -> None:
    """Only those that answer its own messages count."""
    editor = opened()
    editor.edit([write("red")])
    submitted(editor)
    for request in (None, "other.1", f"{ME}.x"):
        editor.receive(error(Code.BODY_INVALID, request), 0)
    assert editor.rejected == []
    editor.receive(error(Code.BODY_INVALID, f"{ME}.1"), 0)
    assert [each.code for each in editor.rejected] == [Code.BODY_INVALID]


def test_a_fetch_that_is_refused_waits() -> None:
    """As long as the server says."""
    editor = Editor(DOCUMENT, ME)
    editor.reconnected(0)
    fetch = sent(editor)
    assert isinstance(fetch, DocFetch)
    editor.receive(error(Code.RATE_LIMITED, fetch.id, 2000), 10)
    assert editor.poll(1000) == ((), 2010)
    assert isinstance(sent(editor, 2010), DocFetch)


def test_a_final_refusal_takes_the_transaction_out_and_keeps_it() -> None:
    """What was made since stays, moved to where it belongs; the next has the next seq (clause Z6)."""
    editor = opened()
    editor.edit([Text(id=LAMP, path=("t",), edit=("XX",)), write("red")])
    first = submitted(editor)
    editor.edit([Text(id=LAMP, path=("t",), edit=(5, "!"))])
    assert prop(editor, "t") == "XXabc!"
    editor.receive(rejected(Code.LOCK_HELD), 0)
    assert prop(editor, "t") == "abc!"
    assert prop(editor, "color") is None
    (kept,) = editor.rejected
    assert (kept.seq, kept.code, kept.message, kept.operations, kept.along) == (
        1,
        Code.LOCK_HELD,
        "no",
        first.operations,
        (),
    )
    second = submitted(editor)
    assert (second.seq, second.operations) == (2, (Text(id=LAMP, path=("t",), edit=(3, "!")),))
    editor.receive(rejected(Code.LOCK_HELD), 0)
    assert len(editor.rejected) == 1, "a second refusal of the same is no news"


def test_what_was_built_on_it_goes_with_it() -> None:
    """An entity that will not be takes along what happened to it and beneath it; a text its edits."""
    editor = opened()
    table, leg, note = f"{ME}.1", f"{ME}.2", f"{ME}.3"
    editor.edit([Create(id=table), write("hello", "t")])
    submitted(editor)
    dependent: list[Operation] = [
        Set(id=table, path=("color",), value="red"),
        Create(id=leg, parent=table),
        Add(id=leg, path=("n",), by=1),
        Move(id=LAMP, parent=table, order="A"),
    ]
    typed = Text(id=LAMP, path=("t",), edit=(5, "!"))
    editor.edit(dependent)
    editor.edit([typed, Create(id=note)])
    editor.receive(rejected(Code.OPERATION_INVALID), 0)
    assert set(editor.entities) == {LAMP, note}
    assert prop(editor, "t") == "abc"
    (kept,) = editor.rejected
    assert set(map(str, kept.along)) == set(
        map(str, (dependent[0], Create(id=leg, parent=table, props={"n": 1}), dependent[3], typed))
    )
    assert submitted(editor).operations == (Create(id=note),)


def test_deleting_what_was_refused_is_done_by_the_refusal() -> None:
    """Nothing of it is left to keep."""
    editor = opened()
    editor.edit([Text(id=LAMP, path=("t",), edit=("XX",))])
    submitted(editor)
    editor.edit([Text(id=LAMP, path=("t",), edit=(Cut(2),))])
    editor.receive(rejected(Code.ROLE_INSUFFICIENT), 0)
    assert prop(editor, "t") == "abc"
    assert editor.rejected[0].along == ()
    assert editor.settled


def test_the_log_is_right_where_two_copies_had_two_answers() -> None:
    """One was refused and the other committed: it is not offered as rejected any more. What went along still is."""
    editor = opened()
    for seq, more in ((1, False), (2, True)):
        editor.edit([Create(id=f"{ME}.{seq}")])
        submission = submitted(editor, 10_000 * seq)
        if more:
            editor.edit([Move(id=LAMP, parent=f"{ME}.{seq}", order="A")])
        editor.receive(rejected(Code.LOCK_HELD, seq=seq), 10_000 * seq)
        editor.receive(told(commit(seq + 1, *plain(submission.operations, ME, 0), client=ME, seq=seq)), 10_000 * seq)
        assert f"{ME}.{seq}" in editor.entities
    (kept,) = editor.rejected
    assert (kept.seq, kept.operations) == (2, ())
    assert kept.along == (Move(id=LAMP, parent=f"{ME}.2", order="A"),)


# -- what is overtaken --


def test_what_is_overtaken_before_it_is_sent_is_kept() -> None:
    """No history has it, so the editor does, and says why."""
    editor = opened()
    editor.edit([write("red")])
    submitted(editor)
    typed = Text(id=LAMP, path=("t",), edit=(3, "!"))
    editor.edit([typed])
    editor.receive(told(commit(2, write("other", "t"))), 0)
    (lost,) = editor.fallen
    assert (lost.revision, lost.operation, lost.why) == (2, typed, Drop.REPLACED)
    assert prop(editor, "t") == "other"


@pytest.mark.parametrize(("base", "kept"), [(1, 0), (2, 1)])
def test_what_fell_away_in_flight_is_in_the_history_if_it_was_submitted(base: int, kept: int) -> None:
    """The first copy had it; one that was sent after it fell away had not."""
    editor = opened()
    editor.edit([Text(id=LAMP, path=("t",), edit=(3, "!")), write("red")])
    submitted(editor)
    editor.receive(told(commit(2, write("other", "t"))), 0)
    assert submitted(editor, 2 * ACK_MS).operations == (write("red"),)
    editor.receive(told(commit(3, write("red"), client=ME, seq=1, base=base)), 0)
    assert len(editor.fallen) == kept
    assert editor.settled


def test_nothing_left_is_not_sent_again() -> None:
    """A transaction of which all fell away is given up, and kept as fallen."""
    editor = opened()
    editor.edit([Text(id=LAMP, path=("t",), edit=(3, "!"))])
    submitted(editor)
    editor.receive(told(commit(2, write("other", "t"))), 0)
    assert sent(editor, 2 * ACK_MS) is None
    assert editor.settled
    assert len(editor.fallen) == 1
    editor.edit([write("red")])
    assert submitted(editor, 2 * ACK_MS).seq == 2


# -- snapshots and restarts --


def test_a_snapshot_saves_reading() -> None:
    """An editor with nothing pending goes on from it; an older one is ignored."""
    editor = Editor(DOCUMENT, ME)
    editor.receive(told(commit(2, write("blue"))), 0)
    editor.load(snapshot_of([LIT, commit(2, write("blue"))], head=3))
    assert (editor.revision, editor.ready, editor.current) == (2, True, False)
    editor.load(snapshot_of([LIT], head=3))
    assert prop(editor, "color") == "blue"


def test_a_long_way_behind_wants_a_snapshot() -> None:
    """Reading would do as well."""
    editor = opened()
    editor.receive(told(head=limits.REBASE_RECORDS + 2), 0)
    assert editor.needs_snapshot


def test_the_log_between_is_read_for_the_pending() -> None:
    """After a snapshot, only the log tells whether one's own is in it, and where one's text belongs now."""
    editor = opened()
    editor.edit([Add(id=LAMP, path=("n",), by=5)])
    submission = submitted(editor)
    editor.edit([Text(id=LAMP, path=("t",), edit=(3, "!"))])
    log = [
        LIT,
        commit(2, Text(id=LAMP, path=("t",), edit=("__",))),
        commit(3, *plain(submission.operations, ME, 0), client=ME, seq=1),
        commit(4, write("red")),
    ]
    editor.receive(rejected(Code.BASE_TOO_OLD), 0)
    editor.load(snapshot_of(log))
    with pytest.raises(NotReady):
        editor.edit([write(1)])
    editor.receive(rejected(Code.LOCK_HELD), 0)
    assert editor.rejected == [], "it cannot be taken out yet, and will be refused again"
    fetch = sent(editor)
    assert isinstance(fetch, DocFetch)
    assert fetch.since == 1
    editor.receive(page(1, *log[1:]), 0)
    assert editor.ready
    assert (prop(editor, "n"), prop(editor, "t")) == (6, "__abc!")
    assert submitted(editor).base == 4


def test_a_restart_loses_nothing() -> None:
    """What was in flight goes on by its seq, found in the log or sent again; what waited follows it (clause Z7)."""
    editor = opened()
    editor.edit([Add(id=LAMP, path=("n",), by=5)])
    first = submitted(editor)
    editor.edit([write("red")])
    log = [LIT, commit(2, *plain(first.operations, ME, 0), client=ME, seq=1), commit(3, write("blue"))]
    for found in (True, False):
        again = Editor.restore(editor.saved())
        assert (again.client, again.document_id) == (ME, DOCUMENT)
        assert again.needs_snapshot
        assert not again.ready
        again.reconnected(0)
        records = log if found else [LIT, commit(2, write("blue"))]
        again.load(snapshot_of(records))
        sent(again)
        again.receive(page(1, *records[1:]), 0)
        submission = submitted(again)
        assert (submission.seq, submission.base) == ((2, 3) if found else (1, 2))
        assert (prop(again, "n"), prop(again, "color")) == (6, "red")


def test_a_restart_needs_no_snapshot() -> None:
    """The whole log does as well."""
    editor = opened()
    editor.edit([write("red")])
    again = Editor.restore(editor.saved())
    again.reconnected(0)
    fetch = sent(again)
    assert isinstance(fetch, DocFetch)
    assert fetch.since == 0
    again.receive(page(0, LIT), 0)
    assert prop(again, "color") == "red"
    assert submitted(again).base == 1


def test_a_restart_keeps_what_was_refused_and_overtaken() -> None:
    """And with nothing pending it begins like a new one."""
    editor = opened()
    editor.edit([write("red")])
    submitted(editor)
    editor.edit([Text(id=LAMP, path=("t",), edit=(3, "!"))])
    editor.receive(told(commit(2, write("other", "t"))), 0)
    editor.receive(rejected(Code.LOCK_HELD), 0)
    again = Editor.restore(editor.saved())
    assert (again.rejected, again.fallen) == (editor.rejected, editor.fallen)
    assert again.ready
    assert again.entities == {}


def test_others_see_the_same() -> None:
    """What an editor shows is what the log makes, when it has read it."""
    editor = opened()
    state: dict[str, Entity] = {}
    apply_all(state, LIT.operations)
    assert editor.entities == state
