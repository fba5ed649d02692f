"""An editor's rules, one by one: what is edited and what comes. test_editor_faults.py has all of them at once."""

import msgspec
import pytest

from chalicelib.ot.editor import ACK_MS, AHEAD_MAX, FETCH_MS, GAP_MS, Editor
from chalicelib.ot.pending import SUBMIT_BYTES, bounded, parted
from chalicelib.ot.sugar import plain
from chalicelib.ot.text import apply_edit
from chalicelib.ot.validate import InvalidOperation, validate
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import decode_client_message
from chalicelib.wire.messages import DocFetch
from chalicelib.wire.operations import Add, Create, Cut, Move, Operation, Set, Text
from tests.unit.ot.editing import (
    BOB,
    LAMP,
    ME,
    ack,
    commit,
    done,
    opened,
    page,
    prop,
    rejected,
    sent,
    submitted,
    told,
    write,
)
from tests.unit.ot.faulty import DOCUMENT

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
