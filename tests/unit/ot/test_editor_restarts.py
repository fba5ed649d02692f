"""An editor's rules, one by one: snapshots, restarts, several at once."""

import pytest

from chalicelib.ot.apply import apply_all
from chalicelib.ot.editor import Editor, NotReady
from chalicelib.ot.state import Entity
from chalicelib.ot.sugar import plain
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import DocFetch
from chalicelib.wire.operations import Add, Text
from tests.unit.ot.editing import (
    LAMP,
    LIT,
    ME,
    commit,
    opened,
    page,
    prop,
    rejected,
    sent,
    submitted,
    told,
    write,
)
from tests.unit.ot.faulty import DOCUMENT, snapshot_of


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
