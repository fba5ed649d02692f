"""An editor's rules, one by one: what is refused, and what is overtaken."""

import pytest

from chalicelib.ot.editor import ACK_MS, Editor
from chalicelib.ot.sugar import plain
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import DocFetch
from chalicelib.wire.operations import Add, Create, Cut, Drop, Move, Operation, Set, Text
from tests.unit.ot.editing import (
    LAMP,
    ME,
    commit,
    error,
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
