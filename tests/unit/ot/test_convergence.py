"""Everybody ends with the same document: editors who are behind, a log, and what each of them sees meanwhile."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.ot.apply import apply_all
from chalicelib.ot.canonical import state_hash
from chalicelib.ot.commit import settle
from chalicelib.ot.compose import compose
from chalicelib.ot.invert import invert
from chalicelib.ot.state import Entity
from chalicelib.ot.transform import rebase
from chalicelib.ot.validate import validate
from chalicelib.wire.operations import Entry, Operation
from tests.unit.ot.strategies import operations


@dataclass
class Editor:
    """An optimistic editor: what it knows of the log, what is on its way, and what waits."""

    name: str
    revision: int = 0
    confirmed: dict[str, Entity] = field(default_factory=dict)
    in_flight: tuple[Operation, ...] = ()
    buffer: tuple[Operation, ...] = ()
    base: int = 0
    made: int = 0

    def view(self) -> dict[str, Entity]:
        """What it shows: confirmed, and then its own."""
        entities = dict(self.confirmed)
        apply_all(entities, self.in_flight)
        apply_all(entities, self.buffer)
        return entities

    def hear(self, entry: Entry) -> None:
        """The next revision of the log."""
        if entry.client == self.name:
            self.in_flight = ()
        else:
            pending = (*self.in_flight, *self.buffer)
            moved = rebase(pending, entry.operations, revision=entry.revision, foreign=True).operations
            cut = len(self.in_flight)
            self.in_flight = tuple(o for o in moved[:cut] if o is not None)
            self.buffer = tuple(o for o in moved[cut:] if o is not None)
        apply_all(self.confirmed, entry.operations)
        self.revision = entry.revision


@given(st.data())
@settings(max_examples=150)
def test_everybody_converges(data: st.DataObject) -> None:
    """Any order of edits, submissions and deliveries; and what is left of the pending is what the log makes of it."""
    log: list[Entry] = []
    editors = [Editor(f"editor0{i}") for i in range(3)]
    submitted: dict[str, tuple[Operation, ...]] = {}
    for _ in range(data.draw(st.integers(1, 25))):
        who = data.draw(st.sampled_from(editors))
        what = data.draw(st.sampled_from(("edit", "edit", "send", "hear")))
        if what == "edit":
            who.made += 1
            made = data.draw(operations(who.view(), f"{who.name}.{who.made}"))
            who.buffer = compose(who.buffer, validate((made,), who.name))
        elif what == "send" and who.buffer and who.name not in submitted:
            submitted[who.name] = who.in_flight = who.buffer
            who.buffer, who.base = (), who.revision
            outcome = settle(who.in_flight, who.name, log[who.base :])
            entry = Entry(
                revision=len(log) + 1, client=who.name, seq=1, user_id=who.name, at_ms=0, operations=outcome.operations
            )
            log.append(entry)
        elif what == "hear" and who.revision < len(log):
            _hear(who, log, submitted)
    for who in editors:
        while who.revision < len(log):
            _hear(who, log, submitted)
    replayed: dict[str, Entity] = {}
    for entry in log:
        apply_all(replayed, entry.operations)
    assert {state_hash(e.confirmed) for e in editors} == {state_hash(replayed)}


def _hear(who: Editor, log: list[Entry], submitted: dict[str, tuple[Operation, ...]]) -> None:
    entry = log[who.revision]
    if entry.client == who.name:
        assert who.in_flight == entry.operations, "the editor had made of it what the log made of it"
        del submitted[who.name]
    who.hear(entry)


@given(st.data())
@settings(max_examples=150)
def test_composed_is_sequential(data: st.DataObject) -> None:
    """A buffer that was composed edit by edit does what the edits did."""
    start: dict[str, Entity] = {}
    apply_all(start, (data.draw(operations(start, "ada00000.1")),))
    now = dict(start)
    buffer: tuple[Operation, ...] = ()
    sequence = []
    for i in range(data.draw(st.integers(1, 8))):
        operation = data.draw(operations(now, f"ada00000.{i + 5}"))
        apply_all(now, (operation,))
        buffer = compose(buffer, (operation,))
        sequence.append(operation)
    composed = dict(start)
    apply_all(composed, buffer)
    assert state_hash(composed) == state_hash(now)
    assert len(buffer) <= len(sequence)


@given(st.data())
@settings(max_examples=150)
def test_inverted_takes_back(data: st.DataObject) -> None:
    """Undo of what nobody touched since leaves the document as it was, but for tombstones of what was created."""
    start: dict[str, Entity] = {}
    for i in range(2):
        apply_all(start, (data.draw(operations(start, f"ada00000.{i}")),))
    now, made = dict(start), []
    for i in range(data.draw(st.integers(1, 5))):
        operation = data.draw(operations(now, f"ada00000.{i + 5}"))
        apply_all(now, (operation,))
        made.append(operation)
    apply_all(now, invert(made, start))
    assert {k: _tidy(v) for k, v in now.items() if k in start} == {k: _tidy(v) for k, v in start.items()}
    assert all(not v.alive for k, v in now.items() if k not in start)


def _tidy(entity: Entity) -> Entity:
    """Without what an undone addition or text leaves: 0, an empty text, objects with nothing in them."""

    def kept(props: dict[str, Any]) -> dict[str, Any]:
        clean = {k: kept(v) if isinstance(v, dict) else v for k, v in props.items()}
        return {k: v for k, v in clean.items() if v is not False and v not in (0, "", {})}

    return replace(entity, props=kept(entity.props))
